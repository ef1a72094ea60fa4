"""Workers in processes of their own, all on one copy of the weights; see `crew_worker` for their side.

Threads wait for each other's turn at the interpreter, and the more of them the longer. So a leader process loads the
model and forks the workers, which share its memory. The rows stay here: a worker asks for some when it has room, and
tells what it found. A worker that dies is replaced; the rows that it had in hand are done at the end, one by one, and
one that ends its worker once more has failed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.engines.base import Failure
from pipeline.engines.child import STDERR_TAIL, raise_told
from pipeline.engines.mekong.scheduler import Finish, Job, Pending, Stats
from pipeline.engines.mekong.search import Finished
from pipeline.engines.patience import wait_for
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError

log = logging.getLogger("mekong")

WORKER = "pipeline.engines.mekong.crew_worker"
REMEDY = "Run `mekong doctor`; if the memory was short, set translate.workers lower. What is done is kept."
MAX_DEATHS = 16
"""Deaths that no finished row comes between, besides one of every worker: beyond that, no row is to blame."""
LEADER = "the process that shares out the model"
BLOCK = 1 << 16
PATIENCE = 5
"""Seconds that the leader has to end by itself."""


class Lines:
    """JSON, a line a message, over a socket. Sending and receiving raise ConnectionError when the other end is gone."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._incoming = bytearray()

    def send(self, message: Any) -> None:
        """Send one message."""
        self.end.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, wait: Callable[[int], None] = lambda _: None) -> Any:
        """Wait for the next message; `wait` is called with the socket's number before it is read."""
        while (end := self._incoming.find(b"\n")) < 0:
            wait(self.end.fileno())
            more = self.end.recv(BLOCK)
            if not more:  # also where that is in the middle of a message
                raise ConnectionError("the other end is gone")
            self._incoming += more
        line, self._incoming = self._incoming[:end], self._incoming[end + 1 :]
        return json.loads(line)

    def hang_up(self) -> None:
        """Let both ends see that this is over; from any thread."""
        with contextlib.suppress(OSError):  # the other end was faster
            self.end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the socket."""
        self.end.close()


class _Leader:
    """The process that has loaded the model and forks workers. The kernel ends it with the thread that made it.

    Raises what loading raises, and EngineError when the process dies of it.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        ours, theirs = socket.socketpair()
        self._lines = Lines(ours)
        with theirs:
            # A session of its own: Ctrl-C in a terminal must not end the batch in hand.
            self._process = subprocess.Popen(
                [sys.executable, "-m", WORKER, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        try:
            self.longest = self._load(settings)
        except BaseException:
            self.close()
            raise

    def _load(self, settings: dict[str, Any]) -> int:
        try:
            self._lines.send(settings)
            answer = self._lines.receive(partial(wait_for, pid=self._process.pid, name=LEADER))
        except OSError as error:
            raise self._ended() from error
        if failure := answer.get("error"):
            raise_told(failure)
        longest: int = answer["longest"]
        return longest

    def fork(self) -> Lines:
        """A line to a new worker. One that could not be made is seen as one that has died.

        Raises EngineError when the leader is gone.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._lines.end, [b"w"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise self._ended() from error
        return Lines(ours)

    def last_words(self) -> str:
        """The end of what the processes of the crew have written."""
        self._log.seek(0, 2)
        self._log.seek(max(0, self._log.tell() - STDERR_TAIL))
        return self._log.read().decode("utf-8", "replace").strip() or "it said nothing"

    def _ended(self) -> EngineError:
        self.end()
        return EngineError(
            f"{LEADER} ended with code {self._process.returncode}: {self.last_words()}",
            REMEDY,
        )

    def end(self) -> None:
        """End the process and its workers; from any thread."""
        self._lines.hang_up()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End the process and its workers, and free what belongs to them."""
        self.end()
        self._lines.close()
        self._log.close()


@dataclass
class _Call:
    """What the workers of one call share. Used by several threads."""

    search: dict[str, Any]
    pending: Pending
    finish: Finish
    patience: int
    deaths: int = 0
    """In a row, with no finished row between."""
    suspects: list[Job] = field(default_factory=list)
    over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def found(self, job: Job, hypotheses: list[list[Any]] | str) -> None:
        """Note what was found for a row, or why nothing was."""
        self.deaths = 0
        if isinstance(hypotheses, str):
            self.finish(job, Failure(hypotheses))
        else:
            self.finish(job, [Finished(tuple(tokens), *more) for tokens, *more in hypotheses])

    def died(self, leader: _Leader) -> None:
        """Note that a worker died.

        Raises EngineError when that has happened too often.
        """
        with self.lock:
            self.deaths += 1
            if self.deaths > self.patience:
                raise EngineError(
                    f"{self.deaths} workers died one after the other and finished nothing: {leader.last_words()}",
                    REMEDY,
                )


class _Lane:
    """A worker, replaced when it dies, and what is said to it. One thread at a time may serve it."""

    def __init__(self) -> None:
        self.stats = Stats()
        self._lines: Lines | None = None
        self._pid = 0

    def serve(self, leader: _Leader, call: _Call, pending: Pending) -> list[Job]:
        """Have the worker do rows of `pending`, until there are none left for it or it dies.

        Returns the rows it leaves unfinished. Raises EngineError when the leader is gone or too many workers died, and
        the error that the worker raised.
        """
        hand: dict[int, Job] = {}
        lines = self._lines = self._lines or leader.fork()
        if call.over:  # `hang_up` sees the new line, or this line sees that the call is over
            lines.hang_up()
        try:
            lines.send({"search": call.search})
            while not self._answer(lines, lines.receive(self._wait), hand, call, pending):
                pass
        except OSError:
            self._lines = None
            lines.close()
            if not call.over:
                call.died(leader)
        return list(hand.values())

    def _answer(
        self, lines: Lines, message: dict[str, Any], hand: dict[int, Job], call: _Call, pending: Pending
    ) -> bool:
        """Do what a message of the worker asks for; whether it was the last one. `hand` are the rows it has."""
        self._pid = message.get("pid", self._pid)
        for index, hypotheses in message.get("found", ()):
            call.found(hand.pop(index), hypotheses)
        if "take" in message:
            jobs = pending.take(message["take"])
            hand.update((job.index, job) for job in jobs)
            told = [[job.index, list(job.row), job.bound, job.minimum] for job in jobs]
            lines.send({"jobs": told, "more": bool(pending)})
        if "put_back" in message:
            pending.put_back([hand.pop(index) for index in message["put_back"]])
        if "error" in message:
            raise_told(message["error"])
        if "done" in message:
            self.stats += Stats(**message["done"])
        return "done" in message

    def _wait(self, handle: int) -> None:
        wait_for(handle, self._pid, "a worker of the engine")

    def hang_up(self) -> None:
        """End the worker; from any thread."""
        if lines := self._lines:
            lines.hang_up()

    def close(self) -> None:
        """Free what belongs to the worker."""
        if self._lines:
            self._lines.close()
        self._lines = None


class Crew:
    """`workers` processes that decode side by side, each with `threads` threads of torch and `rows` decoder rows.

    Raises ModelError and ModelRefused when the checkpoint in `folder` cannot be read, EngineError when the process that
    reads it cannot be started or dies.
    """

    def __init__(
        self,
        folder: Path,
        dtype: str,
        workers: int,
        threads: int,
        rows: int,
        shortlist: Sequence[int] | None,
    ) -> None:
        settings = {
            "folder": str(folder),
            "dtype": dtype,
            "threads": threads,
            "rows": rows,
            "shortlist": None if shortlist is None else list(shortlist),
        }
        # The kernel ends a child with the thread that started it; a thread of this pool lives until `close`.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="mekong crew")
        self._lanes = [_Lane() for _ in range(workers)]
        self._call: _Call | None = None
        try:
            self._leader = self._threads.submit(_Leader, settings).result()
        except BaseException as error:
            self._threads.shutdown(wait=False)
            if isinstance(error, OSError):
                raise EngineError(f"no process can be started for the engine: {error}", REMEDY) from error
            raise
        self.longest: int = self._leader.longest
        self._closed = False

    @property
    def stats(self) -> Stats:
        """What all workers have done in the calls that have ended."""
        return sum((lane.stats for lane in self._lanes), Stats())

    def run(self, search: Search, pending: Pending, finish: Finish) -> None:
        """Work until nothing is pending; `finish` is called from several threads.

        Raises EngineError when the leader is gone, workers die whatever they do, or the crew is closed, and what a
        worker raises.
        """
        if self._closed:
            raise EngineError("rows were given to an engine that is closed", "Load it again.")
        call = self._call = _Call(asdict(search), pending, finish, MAX_DEATHS + len(self._lanes))
        tasks = [self._threads.submit(self._work, lane, call) for lane in self._lanes]
        try:
            for task in as_completed(tasks):
                task.result()
            self._try_alone(call)
        except BaseException:  # Ctrl-C too: nothing of this call may be under way in the next one
            self._abandon(call)
            wait(tasks)
            for lane in self._lanes:
                lane.close()
            raise

    def _work(self, lane: _Lane, call: _Call) -> None:
        while call.pending.wait() and not call.over:
            left = lane.serve(self._leader, call, call.pending)
            call.suspects.extend(left)
        self._check(call)

    def _try_alone(self, call: _Call) -> None:
        """Do the rows that dead workers had in hand; those that end their worker again have failed."""
        for job in sorted(call.suspects, key=lambda job: job.index):
            alone = Pending([job])
            while alone.wait():  # a worker may die before it takes the row
                left = self._lanes[0].serve(self._leader, call, alone)
                self._check(call)
                if left:
                    log.warning("a row of %d tokens ended two workers and fails", len(job.row))
                    call.finish(job, Failure.DEADLY)

    def _check(self, call: _Call) -> None:
        if call.over:
            raise EngineError("the engine was closed or stopped in the middle of its work", "What is done is kept.")

    def _abandon(self, call: _Call) -> None:
        call.over = True
        for lane in self._lanes:
            lane.hang_up()

    def close(self) -> None:
        """End all processes, also in the middle of their work."""
        if self._closed:
            return
        self._closed = True
        if self._call:
            self._abandon(self._call)
        self._leader.end()
        self._threads.shutdown()
        for lane in self._lanes:
            lane.close()
        self._leader.close()
