"""Faults that a test puts into worker processes: `set_faults` in the test, `strike` in the worker."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.errors import ModelRefused

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "MEKONG_TEST_FAULTS"


class OwnError(ModelRefused):
    """A kind of error that the parent does not know."""


def set_faults(patch: pytest.MonkeyPatch, parent: ModuleType, worker: str, faults: dict[str, Any]) -> None:
    """Have the processes that `parent` starts next run the module `worker` of this folder, with these faults."""
    patch.setattr(parent, "WORKER", f"tests.support.{worker}")
    patch.setenv("PYTHONPATH", str(ROOT))
    patch.setenv(VARIABLE, json.dumps(faults))


def faults() -> dict[str, Any]:
    """What was set for this process."""
    return dict(json.loads(os.environ[VARIABLE]))


def strike(rows: Sequence[Sequence[int]]) -> None:
    """`deadly`, `refused`, `broken`: a token whose rows end the process, or raise an error of the pipeline's kind or of
    another. `once`: a file; the process that removes it ends. `hang`: a folder where processes leave their numbers
    before nothing more happens."""
    mine, present = faults(), {token for row in rows for token in row}
    if mine.get("deadly") in present:
        os.kill(os.getpid(), signal.SIGKILL)
    if "once" in mine and Path(mine["once"]).exists():
        Path(mine["once"]).unlink()
        os._exit(5)
    if mine.get("refused") in present:
        raise OwnError("this row is refused", "try another")
    if mine.get("broken") in present:
        raise RuntimeError("nobody expected this")
    if "hang" in mine:
        (Path(mine["hang"]) / str(os.getpid())).touch()
        signal.pause()
