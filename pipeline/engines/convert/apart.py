"""Conversions as a process of their own, seen from the caller."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import ModelError, ModelRefused
from pipeline.registry.models import OFFLINE

CT2_FOLDER = "ctranslate2-int8"
REFUSED = 3
"""Exit code of a conversion whose input must not be used."""


def run_apart(say: Callable[[str], None], command: str, folder: Path, *arguments: str) -> None:
    """Run one command of this package as a child process without the network and pass on what it says.

    Raises ModelRefused or ModelError with its last words when it fails.
    """
    code = Path(__file__).resolve().parents[3]
    environment = {
        **os.environ,
        **OFFLINE,
        "PYTHONPATH": os.pathsep.join([str(code), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    call: Sequence[str] = [sys.executable, "-m", "pipeline.engines.convert", command, str(folder), *arguments]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True) as child:
            try:
                for line in child.stdout or ():
                    say(line.rstrip("\n"))
                code_number = child.wait()
            finally:
                child.kill()
        if code_number:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip().split("\n")
            kind = ModelRefused if code_number == REFUSED else ModelError
            raise kind(said[-1] or f"the conversion ended with code {code_number}")
