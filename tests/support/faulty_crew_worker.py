"""The processes of the crew, with the faults that a test puts into them."""

import os
import signal
from collections.abc import Sequence
from typing import Any

import torch

from pipeline.engines.mekong import crew_worker
from pipeline.engines.mekong.cpu.model import CpuModel
from tests.support.faults import faults, strike

encode = CpuModel.encode


def faulty(model: CpuModel, rows: Sequence[Sequence[int]]) -> Any:
    """As `strike`, and: `leaderless`: each worker ends its leader. `narrow`: more rows than that do not fit into
    memory."""
    if "leaderless" in faults():
        os.kill(os.getppid(), signal.SIGKILL)
    if len(rows) > faults().get("narrow", 1000):
        raise torch.OutOfMemoryError("out of memory")
    strike(rows)
    return encode(model, rows)


if __name__ == "__main__":
    CpuModel.encode = faulty  # type: ignore[method-assign]
    crew_worker.main()
