"""Turning what is published into what is loaded: safetensors, and int8 for CTranslate2.

    python -m pipeline.engines.convert gguf FOLDER SHA256 PART...    parts of a GGUF file -> checkpoint in FOLDER
    python -m pipeline.engines.convert pickle FOLDER                 *.bin in FOLDER -> *.safetensors, *.bin removed
    python -m pipeline.engines.convert checkpoint FOLDER             FOLDER/*.ckpt -> model.safetensors, *.json
    python -m pipeline.engines.convert ctranslate2 FOLDER            checkpoint in FOLDER -> FOLDER/ctranslate2-int8

It runs as a process of its own (`run_apart`), so that the memory goes back to the system and a pickle is opened away
from the caller. Each line on standard output tells what is being done. Exit code 3: the input must not be used; 1: it
could not be converted; either way the last line on standard error says why.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.engines.convert.apart import REFUSED
from pipeline.engines.convert.conversions import from_checkpoint, from_gguf, from_pickles, to_ctranslate2
from pipeline.errors import MekongError, ModelError, ModelRefused


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    command, folder, *rest = arguments
    run: Mapping[str, Callable[[], None]] = {
        "gguf": lambda: from_gguf(Path(folder), rest[0], [Path(part) for part in rest[1:]]),
        "pickle": lambda: from_pickles(Path(folder)),
        "checkpoint": lambda: from_checkpoint(Path(folder)),
        "ctranslate2": lambda: to_ctranslate2(Path(folder)),
    }
    try:
        run[command]()
    except (MekongError, OSError, ImportError) as error:
        reason = error.problem if isinstance(error, MekongError) else str(error)
        sys.stderr.write(f"{reason}\n")
        return REFUSED if isinstance(error, ModelRefused) else ModelError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
