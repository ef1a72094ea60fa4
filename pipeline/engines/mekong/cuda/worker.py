"""A GPU at work: one set of slots at a time, made for the rows at hand."""

from __future__ import annotations

import logging
from functools import partial

import torch

from pipeline.engines.base import Failure
from pipeline.engines.gpu import Gpu
from pipeline.engines.mekong.cuda.graphs import Graphs
from pipeline.engines.mekong.cuda.model import PaddedModel
from pipeline.engines.mekong.cuda.rooms import Footprint, Room, rounded, waves
from pipeline.engines.mekong.cuda.slots import PaddedSlots
from pipeline.engines.mekong.scheduler import Finish, Pending, Stats
from pipeline.engines.mekong.worker import Worker
from pipeline.engines.search_settings import Search

log = logging.getLogger(__name__)


class GpuWorker:
    """Slots on a GPU, for one search and one size of rows at a time: others, and their graphs, are dropped first, since
    slots take whatever memory they find.

    How many slots rows get depends on the rows that they come with, the model and the memory, not on what was done
    before; only running out of memory is remembered.
    """

    def __init__(self, gpu: Gpu, model: PaddedModel, rows: int) -> None:
        """`rows` decoder rows at most."""
        self._gpu = gpu
        self._model = model
        self._rows = rows
        self.longest = model.architecture.longest
        self._footprint = Footprint.of(model)
        gpu.give_back()
        self._free = gpu.memory()[0]
        """Bytes beside the weights."""
        self._workers: dict[tuple[Search, Room], Worker] = {}

    @property
    def stats(self) -> Stats:
        """What was done so far."""
        return sum((worker.stats for worker in self._workers.values()), Stats())

    def run(self, search: Search, pending: Pending, finish: Finish) -> None:
        """Work until nothing is pending.

        Raises RuntimeError when the device fails otherwise than for memory; it cannot be used any more then.
        """
        # Of each thread that comes here: the current device is not that of the process.
        self._gpu.use()
        most = max(1, self._rows // search.num_beams)

        def fit(room: Room) -> int:
            return self._footprint.slots_that_fit(search, room, self._free)

        jobs = pending.take(len(pending))
        for wave in waves(jobs, len(search.prefix), self.longest, most, fit):
            worker = self._worker(search, wave.room, most)
            if worker.idle and not self._fit(search, wave.room):
                log.info("%s", self._no_room(wave.room))
                for job in wave.jobs:
                    finish(job, Failure.MEMORY)
            else:
                worker.run(Pending(wave.jobs), finish, wave.slots)

    def _worker(self, search: Search, room: Room, most: int) -> Worker:
        wanted = search, room
        for key, worker in self._workers.items():
            if key != wanted:
                worker.drop()
        if wanted not in self._workers:
            self._workers[wanted] = Worker(partial(self._make, search, room), most, self._gpu.give_back)
        return self._workers[wanted]

    def _make(self, search: Search, room: Room, slots: int) -> PaddedSlots:
        fit = self._fit(search, room)
        if not fit:
            raise torch.OutOfMemoryError(self._no_room(room))
        graphs = Graphs(self._gpu.recorder())
        return PaddedSlots(self._model, search, min(slots, fit), room.source, room.target, graphs=graphs)

    def _fit(self, search: Search, room: Room) -> int:
        return rounded(self._footprint.slots_that_fit(search, room, self._gpu.memory()[0]))

    def _no_room(self, room: Room) -> str:
        free, whole = self._gpu.memory()
        return (
            f"{free >> 20} of {whole >> 20} MB are free on {self._gpu.name}, too few for one sentence of "
            f"{room.source} source and {room.target} target positions"
        )

    def close(self) -> None:
        """Let go of slots, graphs and weights."""
        self._workers.clear()
        self.__dict__.pop("_model", None)
        self._gpu.give_back()
