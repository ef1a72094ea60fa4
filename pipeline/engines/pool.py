"""One or several devices as one engine: a worker process for each, all fed from one queue.

The rows are cut into chunks without regard to the devices, so no output depends on how many there are or which one
was faster. A worker that dies is started again, whatever state its device was in; rows that its death may be due to are
tried in ever smaller chunks, until those that no worker survives are alone and fail. Rows that a device makes nothing
of for other reasons are decoded again on the CPU, as long as they are few.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.engines.base import Failure, Output
from pipeline.engines.child import Child, python, raise_told
from pipeline.engines.devices import cores
from pipeline.engines.rescue import Call, Rescue, SafeEngine
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError, MekongError

log = logging.getLogger("mekong")

WORKER = "pipeline.engines.pool_worker"
REMEDY = "Run `mekong doctor`; if the memory was short, set translate.batch_rows lower. What is done is kept."
MAX_RESTARTS = 3
"""How often in a row, without an answer in between, the worker of a device is started again."""
MAX_DEATHS = 2
"""Workers that a chunk may end before it is halved, or fails when it is a single row."""
CHUNKS, MIN_ROWS, MAX_ROWS = 16, 512, 1024
"""Chunks that the rows of a call are cut into, unless they would be too small to fill a device, or so large that much
work is lost with a worker."""
ERROR = re.compile(r"^[\w.]*(?:Error|Exception)\b.*", re.MULTILINE)
"""A line that says why a program ended; libraries go on with advice."""
CHUNKS_A_DEVICE = 4
"""Fewer in a call, and the devices end too far apart."""


@dataclass(slots=True)
class Chunk:
    """Rows that are answered together, by their numbers, and the workers that died of it."""

    rows: list[int]
    deaths: int = 0

    def halves(self) -> list[Chunk]:
        """Both halves. One with several rows is cut at its first death, as the cause is known to be among them; a
        single row starts anew, as nothing but its own deaths may condemn it."""
        middle = len(self.rows) // 2
        halves = self.rows[:middle], self.rows[middle:]
        return [Chunk(half, MAX_DEATHS - 1 if len(half) > 1 else 0) for half in halves]


def plan(rows: Sequence[Sequence[int]]) -> list[Chunk]:
    """Chunks of rows, longest rows first: the last ones are quick, and the devices end at about the same time."""
    order = sorted(range(len(rows)), key=lambda number: -len(rows[number]))
    size = min(max(len(rows) // CHUNKS, MIN_ROWS), MAX_ROWS)
    return [Chunk(order[start : start + size]) for start in range(0, len(order), size)]


class _Work:
    """The rows of one call: the queue of chunks, and what has come of them. Used by several threads."""

    def __init__(self, call: Call, devices: int) -> None:
        self._call = call
        self.deadly: set[int] = set()
        """Rows that no worker survives."""
        self._outputs: list[Output | None] = [None] * len(call.rows)
        self._waiting = deque(plan(call.rows))
        self._unsettled = len(call.rows)
        self._in_hand = 0
        self._devices = devices
        self._error: Exception | None = None
        self._over = False
        self._changed = threading.Condition()

    def question(self, numbers: Sequence[int]) -> dict[str, Any]:
        """What a worker is asked about some rows."""
        part = self._call.part(numbers)
        return {
            "ask": "generate",
            "rows": [list(row) for row in part.rows],
            "max_new_tokens": part.bounds,
            "min_new_tokens": part.minimums,
            "careful": part.careful,
        }

    def take(self) -> Chunk | None:
        """The next chunk, None when there are no more. Waits while one in other hands may come back."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._in_hand or self._over)
            if self._over or not self._waiting:
                return None
            self._in_hand += 1
            return self._waiting.popleft()

    def settle(self, chunk: Chunk, outputs: Sequence[Output]) -> None:
        """Note the outputs of a chunk that was taken."""
        with self._changed:
            for number, output in zip(chunk.rows, outputs, strict=True):
                self._outputs[number] = output
            self._unsettled -= len(outputs)
            self._in_hand -= 1
            self._changed.notify_all()

    def put_back(self, chunk: Chunk, why: str) -> None:
        """Note that a worker died of a chunk that was taken. It goes behind what no worker has died of."""
        chunk.deaths += 1
        if chunk.deaths >= MAX_DEATHS and len(chunk.rows) == 1:
            tokens = len(self._call.rows[chunk.rows[0]])
            log.warning("a row of %d tokens ended %d workers and fails: %s", tokens, chunk.deaths, why)
            self.deadly.update(chunk.rows)
            self.settle(chunk, [Output((), None, "failed", f"{Failure.DEADLY} ({why})")])
            return
        with self._changed:
            self._waiting.extend([chunk] if chunk.deaths < MAX_DEATHS else chunk.halves())
            self._in_hand -= 1
            self._changed.notify_all()

    def leave(self, error: Exception | None = None) -> None:
        """Note that a device takes no more chunks; an error ends the call."""
        with self._changed:
            self._error = self._error or error
            self._over = self._over or error is not None
            self._devices -= 1
            self._changed.notify_all()

    def wait(self) -> list[Output | None]:
        """The outputs when all are there; None for those that were left by the last device.

        Raises the error that a device ended the call with.
        """
        with self._changed:
            try:
                self._changed.wait_for(lambda: self._over or not self._unsettled or not self._devices)
            finally:  # Ctrl-C too: the devices take nothing more
                self._over = True
                self._changed.notify_all()
            if self._error:
                raise self._error
            return self._outputs


class _Died(EngineError):
    """A worker process ended instead of answering; `why` is that in a line."""

    why = "it was not started"


class _Process(Child):
    """The worker process of a device. It loads nothing before it is asked to, so it can be killed while it loads."""

    about: dict[str, str]
    batch_rows: int

    def __init__(self, settings: dict[str, Any]) -> None:
        self._device = settings["device"]
        self.title = f"the worker on {self._device}"
        try:
            super().__init__(python(WORKER), settings)
        except OSError as error:
            raise _Died(f"no worker can be started for {self._device}: {error}") from error
        except (EngineError, ValueError) as error:
            raise self._death() from error

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question.

        Raises _Died when there is none, and the error that is the answer.
        """
        try:
            answer: dict[str, Any] = self._ask(question)
        except (EngineError, ValueError) as error:  # ValueError: half an answer
            raise self._death() from error
        if failure := answer.get("error"):
            raise_told(failure)
        return answer

    def kill(self) -> None:
        """End the process at once; from any thread."""
        self._process.kill()

    def _death(self) -> _Died:
        self._process.kill()
        code = self._process.wait()
        words = self._last_words()
        death = _Died(f"the worker on {self._device} ended with code {code}: {words}", REMEDY)
        death.why = next(iter(reversed(ERROR.findall(words))), f"ended with code {code}")
        self.close()
        return death


class _PoolLane:
    """A device: its worker process, and the thread that talks to it.

    The kernel ends a child when the thread that started it ends, not the process; so every start is made on one thread
    that lives as long as the lane.
    """

    def __init__(self, settings: dict[str, Any], answered: deque[dict[str, Any]]) -> None:
        """`answered` is shared by all lanes: the last question about one row that a worker had an answer to."""
        self.device: str = settings["device"]
        self.last_words = ""
        self._settings = settings
        self._process: _Process | None = None
        self._deaths = 0
        self._answered = answered
        self._closing = False
        self._thread = ThreadPoolExecutor(1, f"mekong {self.device}")

    def load(self) -> Future[_Process]:
        """Start the worker and load its engine."""
        return self._thread.submit(self._load)

    def feed(self, work: _Work) -> None:
        """Take chunks of `work` until there are no more or the device is given up."""
        self._thread.submit(self._serve, work)

    def stop(self) -> None:
        """End the worker, whatever it does."""
        self._closing = True
        if process := self._process:
            process.kill()

    def close(self) -> None:
        """Wait until all has ended. Call `stop` before."""
        self._thread.shutdown()
        self._drop()

    def _load(self) -> _Process:
        self._process = process = _Process(self._settings)
        if self._closing:  # `stop` sees the new process, or this line sees that it was called
            process.kill()
        loaded = process.ask({"ask": "load"})
        process.about, process.batch_rows = loaded["about"], loaded["batch_rows"]
        return process

    def _drop(self) -> None:
        if self._process:
            self._process.close()
        self._process = None

    def _serve(self, work: _Work) -> None:
        failure = None
        try:
            while (process := self._process) and (chunk := work.take()):
                self._answer(process, work, chunk)
        except Exception as error:
            failure = error
        finally:
            work.leave(failure)

    def _answer(self, process: _Process, work: _Work, chunk: Chunk) -> None:
        try:
            answers = process.ask(work.question(chunk.rows))["outputs"]
        except _Died as death:
            if self._closing:  # no fault of the rows
                raise
            work.put_back(chunk, death.why)
            self._restart(death)
            return
        self._deaths = 0
        self._answered.append(work.question(chunk.rows[-1:]))
        work.settle(chunk, [_output(**answer) for answer in answers])

    def _restart(self, death: MekongError) -> None:
        """Start the worker until it is up or the device is given up.

        A death is not held against a device that then answers a row that has been answered before: else a few rows
        that end every worker would use up all devices.
        """
        while True:
            self._drop()
            self._deaths += 1
            self.last_words = death.why if isinstance(death, _Died) else death.problem
            if self._closing:
                return
            if self._deaths > MAX_RESTARTS:
                log.warning("%s is given up after %d failures in a row: %s", self.device, self._deaths, death.problem)
                return
            log.info("%s; it is started again", death.problem)
            try:
                process = self._load()
                if self._answered:
                    process.ask(self._answered[-1])
                    self._deaths = 0
                return
            except MekongError as error:  # an error at loading too: it did load before
                death = error


def _output(tokens: list[int], others: Sequence[dict[str, Any]] = (), **fields: Any) -> Output:
    return Output(tuple(tokens), others=tuple(_output(**other) for other in others), **fields)


class EnginePool:
    """The engine on one or several devices, a process each: outputs are those of one device, in order. What those make
    nothing of, and do not die of, is decoded again in float32 on all cores, unless that is what they do.

    `devices` are such as "cuda:0", or "cpu", at least one; `threads` is the number of CPU threads of each.

    Raises what loading raises in any of the processes, EngineError when one dies of it; none is left then.
    """

    def __init__(
        self,
        folder: Path,
        search: Search,
        devices: Sequence[str],
        dtype: str,
        threads: int,
        shortlist: Sequence[int] | None = None,
    ) -> None:
        common = {
            "folder": str(folder),
            "search": asdict(search),
            "dtype": dtype,
            "threads": threads,
            "shortlist": None if shortlist is None else list(shortlist),
        }
        self._where = folder, search, shortlist
        self._rescue = Rescue(self._in_float32, f"{dtype} on {', '.join(devices)}")
        self._safe = dtype == "float32" and set(devices) == {"cpu"}
        self._deadly: dict[tuple[int, ...], Output] = {}
        answered: deque[dict[str, Any]] = deque(maxlen=1)
        self._lanes = [_PoolLane({**common, "device": device}, answered) for device in devices]
        loading = [lane.load() for lane in self._lanes]
        try:
            done, _ = wait(loading, return_when=FIRST_EXCEPTION)
            for ended in done:
                ended.result()
            processes = [ended.result() for ended in loading]
        except BaseException:
            self.close()
            raise
        names = ", ".join(process.about["device"] for process in processes)
        self.about = processes[0].about | {"device": names, "workers": str(len(processes))}
        self.batch_rows = CHUNKS_A_DEVICE * sum(process.batch_rows for process in processes)

    def generate(
        self,
        rows: Sequence[Sequence[int]],
        max_new_tokens: Sequence[int],
        min_new_tokens: Sequence[int] | None = None,
        *,
        careful: bool = False,
    ) -> list[Output]:
        """One output a row, in order, as `MekongEngine.generate` has it; a row that no worker survives has failed, and
        is never tried again.

        Raises the error that an engine raised in its process, and EngineError when all devices were given up before
        the last row was done, or more rows failed than can be decoded again.
        """
        # A second attempt at a row that failed would cost as many loads of the model again.
        found = {n: self._deadly[tuple(row)] for n, row in enumerate(rows) if tuple(row) in self._deadly}
        numbers = [number for number in range(len(rows)) if number not in found]
        if numbers:
            call = Call(rows, max_new_tokens, min_new_tokens, careful).part(numbers)
            found.update(zip(numbers, self._answered(call), strict=True))
        return [found[number] for number in range(len(rows))]

    def _answered(self, call: Call) -> list[Output]:
        work = _Work(call, len(self._lanes))
        for lane in self._lanes:
            lane.feed(work)
        done = [output for output in work.wait() if output is not None]
        if len(done) < len(call.rows):
            words = "; ".join(f"{lane.device}: {lane.last_words}" for lane in self._lanes)
            raise EngineError(
                f"no device is left for {len(call.rows) - len(done)} of {len(call.rows)} rows: {words}",
                REMEDY,
            )
        self._deadly.update((tuple(call.rows[number]), done[number]) for number in work.deadly)
        failed = [number for number, output in enumerate(done) if output.ended == "failed"]
        return self._rescue.again(call, done, [] if self._safe else sorted(set(failed) - work.deadly))

    def _in_float32(self) -> SafeEngine:
        from pipeline.engines.mekong.engine import MekongEngine

        folder, search, shortlist = self._where
        return MekongEngine(folder, search, "cpu", "float32", cores(), 1, shortlist)

    def close(self) -> None:
        """End the processes, also in the middle of their work: a `generate` in another thread raises EngineError."""
        self._rescue.close()
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            lane.close()
