"""The processes of `crew`: a leader that loads a model, and its workers, which are forks of it.

The leader is told {"folder", "dtype", "threads", "rows", "shortlist"} and answers {"longest"}, the model's positions,
or {"error": {"kind", "problem", "remedy"}}. From then on it is sent sockets, and forks a worker for each.

A worker tells its {"pid"}. It is told {"search"} and does rows until there are none left: it asks {"take": n} and is
answered {"jobs": [[index, token ids, bound, minimum]], "more"}, it tells {"put_back": [index]} and {"found": [[index,
hypotheses or why there are none]]}, at the end {"done": what it did}, or {"error"}. Any error that is not one of
mekong's own ends it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from pipeline.engines.base import Failure
from pipeline.engines.child import end_with_parent, told
from pipeline.engines.mekong.crew import Lines
from pipeline.engines.mekong.places import on_cpu, warm
from pipeline.engines.mekong.scheduler import Job, Pending, Result
from pipeline.engines.mekong.worker import MakeSlots, Worker
from pipeline.engines.search_settings import Search
from pipeline.errors import MekongError

Work = Callable[[Lines], None]


class RemotePending(Pending):
    """The rows that wait in the parent, and what was found on the way there.

    To take and to put back raises ConnectionError when the parent is gone.
    """

    def __init__(self, lines: Lines) -> None:
        super().__init__([])
        self._lines = lines
        self._found: list[tuple[int, list[Any] | str]] = []
        self._more = True

    def __len__(self) -> int:
        return int(self._more)

    def wait(self) -> bool:
        """Whether there was something left when it was last asked for."""
        return self._more

    def take(self, count: int) -> list[Job]:
        """See Pending. Nobody is asked again once there was nothing left."""
        found = self.found()
        if not self._more:
            if found:
                self._lines.send({"found": found})
            return []
        self._lines.send({"found": found, "take": count})
        answer = self._lines.receive()
        self._more = answer["more"]
        return [Job(*job) for job in answer["jobs"]]

    def put_back(self, jobs: Sequence[Job]) -> None:
        """See Pending."""
        self._lines.send({"found": self.found(), "put_back": [job.index for job in jobs]})
        self._more = True

    def finish(self, job: Job, found: Result) -> None:
        """Note hypotheses, or why there are none; they are told with the next message."""
        if isinstance(found, Failure):
            self._found.append((job.index, found))
        else:
            self._found.append((job.index, [[one.tokens, one.logprob, one.score, one.stopped] for one in found]))

    def found(self) -> list[tuple[int, list[Any] | str]]:
        """What was found and not told yet."""
        found, self._found = self._found, []
        return found


def work(lines: Lines, make: MakeSlots, rows: int) -> None:
    """A worker: do what comes over a line, until that ends with a ConnectionError."""
    workers: dict[Search, Worker] = {}
    lines.send({"pid": os.getpid()})
    while True:
        search = Search(**lines.receive()["search"])
        worker = workers.get(search) or Worker(partial(make, search), max(1, rows // search.num_beams))
        workers[search] = worker
        before, pending = asdict(worker.stats), RemotePending(lines)
        try:
            worker.run(pending, pending.finish)
        except MekongError as error:
            lines.send({"error": told(error)})
            return
        done = {name: value - before[name] for name, value in asdict(worker.stats).items()}
        lines.send({"found": pending.found(), "done": done})


def lead(control: Lines) -> None:
    """The leader: load a model, fork a worker for every socket that comes, end the workers when no more can come."""
    settings = control.receive()
    # A pool of threads does not survive a fork: there is none as long as everything is done by one.
    torch.set_num_threads(1)
    try:
        make, longest = on_cpu(Path(settings["folder"]), settings["dtype"], settings["shortlist"])
        warm(make)
    except MekongError as error:
        control.send({"error": told(error)})
        return
    gc.collect()
    gc.freeze()  # a collection in a worker would write to, and so copy, all that it looks at
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets dead workers
    control.send({"longest": longest})

    def begin(lines: Lines) -> None:
        torch.set_num_threads(settings["threads"])
        work(lines, make, settings["rows"])

    while sockets := socket.recv_fds(control.end, 1, 1)[1]:
        _fork(control, sockets[0], begin)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    with contextlib.suppress(ChildProcessError):  # comes when the last one has ended
        os.wait()


def _fork(control: Lines, number: int, begin: Work) -> None:
    """A child that works over the socket with a number."""
    with socket.socket(fileno=number) as end:
        try:
            child = os.fork()
        except OSError as error:  # the parent sees that the socket is closed
            sys.stderr.write(f"no worker can be started: {error}\n")
            return
        if child == 0:
            _live(control, Lines(end), begin)


def _live(control: Lines, lines: Lines, begin: Work) -> None:
    """The whole life of a worker."""
    code = 1
    try:
        control.close()
        end_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        begin(lines)
    except ConnectionError:
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)  # what the leader does when it ends is not for its forks


def main() -> None:
    """The leader's process; the number of its socket is the argument."""
    end_with_parent()
    with socket.socket(fileno=int(sys.argv[1])) as end:
        lead(Lines(end))


if __name__ == "__main__":
    main()
