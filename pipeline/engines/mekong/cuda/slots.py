"""Keeping the slots of the padded core filled, without asking the device after every step."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

import torch

from pipeline.engines.batching import plan
from pipeline.engines.mekong.cuda.graphs import Graphs
from pipeline.engines.mekong.cuda.model import PaddedDecoder, PaddedModel, on_device
from pipeline.engines.mekong.scheduler import Job, Pending, Stats
from pipeline.engines.mekong.search import Finished, Searcher, searcher
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError

POLL = 8
"""Steps between two looks at which sentences have ended."""
SMALLEST = 64
"""Positions of the smallest shape that steps are made for; each further one has twice as many."""
ALIGNED = 8
"""Attention wants masks whose rows begin at multiples of so many numbers."""
ENCODE_TOKENS = 16384
"""Source tokens, padding included, that are encoded at a time."""


class PaddedSlots:
    """One worker on one device: a decoder, a search, and the loop that feeds them.

    Every step runs all slots. A slot whose sentence has ended, or that never had one, works for nobody until the next
    look: its rows stay at position 0, and its search is that of a spare slot, so that nothing of the ended sentence
    changes.
    """

    def __init__(
        self,
        model: PaddedModel,
        search: Search,
        slots: int,
        longest_source: int,
        longest_target: int,
        poll: int = POLL,
        graphs: Graphs | None = None,
    ) -> None:
        """`longest_source` tokens of a row and `longest_target` positions, prefix included, are the most there are;
        `poll` steps are made between two looks. With `graphs`, steps are recorded there.

        Raises torch.OutOfMemoryError.
        """
        self.model = model
        self.size = slots
        self.prefix = search.prefix
        self._sources, self._targets = shapes(longest_source), shapes(longest_target)
        self._poll_steps = poll
        self.decoder = PaddedDecoder(model, slots, search.num_beams, self._sources[-1], self._targets[-1])
        self.searcher = searcher(search, slots + 1, self._targets[-1], str(model.device))
        self._graphs = graphs
        self._numbers = torch.arange(slots, device=model.device)
        self._live = torch.zeros(slots, dtype=torch.bool, device=model.device)
        # Sentences with a forced first token make one step before they choose anything: that of the start token.
        self._starting = torch.zeros_like(self._live)
        self.jobs: dict[int, Job] = {}
        self._steps: dict[int, int] = {}
        self._free = list(range(slots))[::-1]
        self._ended: deque[tuple[Job, Searcher, int]] = deque()
        # Few rows at a time encode slowly; many leave slots empty for long.
        self._refill = max(1, slots // 8)
        self.stats = Stats()

    def run(self, pending: Pending) -> Iterator[tuple[Job, list[Finished]]]:
        """Jobs and their hypotheses, in the order in which they are found to have ended.

        Raises EngineError for a job that is longer than there are positions, torch.OutOfMemoryError; `clear` says which
        jobs are then undone.
        """
        while pending or self.jobs or self._ended:
            begin = self._now()
            if len(self._free) >= self._refill or not self.jobs:
                self._admit(pending)
            if self.jobs:
                self._launch()
            end = self._now()
            # While the device computes.
            yield from self._hand_out()
            self._look()
            self.stats.model_seconds += _seconds(begin, end)

    def clear(self) -> list[Job]:
        """Give up all sentences in hand, after an error; returns their jobs."""
        jobs = [*self.jobs.values(), *(job for job, _, _ in self._ended)]
        self._ended.clear()
        for slot in list(self.jobs):
            self._release(slot)
        self._live.zero_()
        self._starting.zero_()
        return jobs

    def _now(self) -> float | torch.cuda.Event:
        """The time, on CUDA that at which the device gets here."""
        if self.model.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self.model.device))
        return event

    @torch.inference_mode()
    def _admit(self, pending: Pending) -> None:
        jobs = pending.take(len(self._free))
        if not jobs:
            return
        slots = [self._free.pop() for _ in jobs]
        self.jobs.update(zip(slots, jobs, strict=True))
        self._steps.update(dict.fromkeys(slots, 0))
        self._check(jobs)
        device = self.model.device
        for batch in plan([len(job.row) for job in jobs], ENCODE_TOKENS, len(jobs)):
            where = on_device([slots[number] for number in batch], device)
            self.decoder.admit(where, [jobs[number].row for number in batch])
        at = on_device(slots, device)
        bounds, minimums = ([job.bound for job in jobs], [job.minimum for job in jobs])
        self.searcher.admit(at, on_device(bounds, device), on_device(minimums, device))
        self._live[at] = True
        self._starting[at] = len(self.prefix) > 1

    def _check(self, jobs: list[Job]) -> None:
        source = max(len(job.row) for job in jobs)
        target = max(len(self.prefix) + job.bound for job in jobs)
        if source > self._sources[-1] or target > self._targets[-1]:
            raise EngineError(
                f"a row of {source} tokens, to become {target}, was given to slots of {self._sources[-1]} and "
                f"{self._targets[-1]} positions",
                "Cut it first.",
            )

    @torch.inference_mode()
    def _launch(self) -> None:
        """The steps up to the next look, in the smallest shape that holds all sentences meanwhile."""
        times = self._poll_steps
        source = max(len(job.row) for job in self.jobs.values())
        target = max(min(self._steps[slot] + times, len(self.prefix) + job.bound) for slot, job in self.jobs.items())
        shape = _smallest(self._sources, source), _smallest(self._targets, target)
        if self._graphs is None:
            for _ in range(times):
                self._step(*shape)
        else:
            self._graphs.run(self._step, shape, times)
        for slot in self.jobs:
            self._steps[slot] += times
        self.stats.computed_steps += self.size * self.searcher.beams * times

    def _step(self, source: int, target: int) -> None:
        """One step of all slots, in place. It must not read anything from the device: it is recorded."""
        search, starting = self.searcher, self._starting
        choosing = self._live & ~starting
        # The others choose in the spare slot, which is the last.
        at = torch.where(choosing, self._numbers, self.size)
        search.place[-1].zero_()
        tokens = torch.where(starting[:, None], self.prefix[0], search.inputs(at).view(self.size, -1))
        places = torch.where(starting, 0, search.place[at])
        hidden = self.decoder.step(tokens, places, source, target)
        logs, best = self.model.candidates(hidden, search.candidates, search.banned(at))
        over, parents = search.advance(at, logs, best)
        if parents is not None:
            # What a slot's beams wrote for the start token is the same for all: there, any parent is right.
            self.decoder.reorder(parents)
        self._live &= ~(choosing & over)
        starting.zero_()

    @torch.inference_mode()
    def _look(self) -> None:
        """Wait for the device and take ended sentences out of their slots."""
        live = self._live.tolist()
        ended = [slot for slot in self.jobs if not live[slot]]
        if not ended:
            return
        found = self.searcher.copied(on_device(ended, self.model.device))
        for number, slot in enumerate(ended):
            if found.broken[number]:
                self.decoder.wipe(slot)
            self._ended.append((self._release(slot), found, number))

    def _hand_out(self) -> Iterator[tuple[Job, list[Finished]]]:
        while self._ended:
            job, found, number = self._ended.popleft()
            yield job, found.results(number)

    def _release(self, slot: int) -> Job:
        self._free.append(slot)
        del self._steps[slot]
        return self.jobs.pop(slot)


def _seconds(begin: float | torch.cuda.Event, end: float | torch.cuda.Event) -> float:
    """Between two times of `_now` that are past."""
    if isinstance(begin, float) or isinstance(end, float):
        assert isinstance(begin, float) and isinstance(end, float)
        return end - begin
    return float(begin.elapsed_time(end)) / 1000


def shapes(longest: int) -> list[int]:
    """Numbers of positions that steps are made for; the last holds `longest`."""
    found = [SMALLEST]
    while found[-1] < longest:
        found.append(found[-1] * 2)
    return [*found[:-1], -(-longest // ALIGNED) * ALIGNED]


def _smallest(sizes: list[int], wanted: int) -> int:
    return next(size for size in sizes if size >= wanted)
