"""The processes of the crew, with the faults that a test puts into them."""

import os
import signal
from collections.abc import Sequence
from typing import Any

import torch

from pipeline.engines.mekong import crew_worker
from pipeline.engines.mekong.cpu.model import CpuModel
from pipeline.engines.mekong.worker import MakeSlots
from tests.support.faults import faults, strike

encode, warm = CpuModel.encode, crew_worker.warm


def faulty(model: CpuModel, rows: Sequence[Sequence[int]]) -> Any:
    """As `strike`, and: `leaderless`: each worker ends its leader. `narrow`: more rows than that do not fit into
    memory."""
    if "leaderless" in faults():
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()  # the end of a large process takes longer than a few rows
    if len(rows) > faults().get("narrow", 1000):
        raise torch.OutOfMemoryError("out of memory")
    strike(rows)
    return encode(model, rows)


def warm_first(make: MakeSlots) -> None:
    """The faults are for the workers: the leader, which takes this step, has none."""
    warm(make)
    CpuModel.encode = faulty  # type: ignore[method-assign]


if __name__ == "__main__":
    crew_worker.warm = warm_first
    crew_worker.main()
