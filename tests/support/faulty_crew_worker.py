"""The processes of the crew, with the faults that a test puts into $CREW_FAULTS (JSON)."""

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pipeline.engines.mekong import crew_worker
from pipeline.engines.mekong.cpu.model import CpuModel
from pipeline.errors import ModelRefused

FAULTS = json.loads(os.environ["CREW_FAULTS"])
encode = CpuModel.encode


class OwnError(ModelRefused):
    """A kind of error that the parent does not know."""


def faulty(model: CpuModel, rows: Sequence[Sequence[int]]) -> Any:
    """`deadly`: a token whose rows end the worker. `once`: a file; the worker that removes it ends. `leaderless`: each
    worker ends its leader. `narrow`: more rows than that do not fit into memory. `broken`, `refused`: every row raises.
    `hang`: a folder where workers leave their numbers before nothing more happens."""
    if any(FAULTS.get("deadly") in row for row in rows):
        os.kill(os.getpid(), signal.SIGKILL)
    if "once" in FAULTS and Path(FAULTS["once"]).exists():
        Path(FAULTS["once"]).unlink()
        os._exit(5)
    if "leaderless" in FAULTS:
        os.kill(os.getppid(), signal.SIGKILL)
    if len(rows) > FAULTS.get("narrow", 1000):
        raise torch.OutOfMemoryError("out of memory")
    if "broken" in FAULTS:
        raise RuntimeError("nobody expected this")
    if "refused" in FAULTS:
        raise OwnError("this row is refused", "try another")
    if "hang" in FAULTS:
        (Path(FAULTS["hang"]) / str(os.getpid())).touch()
        signal.pause()
    return encode(model, rows)


if __name__ == "__main__":
    CpuModel.encode = faulty  # type: ignore[method-assign]
    crew_worker.main()
