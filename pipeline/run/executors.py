"""Who makes the shards: this process, or several side by side. What comes out is the same.

A shard is one task: whoever makes it reads what earlier stages committed and commits what it made, so nothing but the
task goes to a process and nothing but a number comes back. Which process makes a shard, and when, changes no byte.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from pipeline.config.settings import Config
from pipeline.engines.child import end_with_parent
from pipeline.engines.devices import cores
from pipeline.errors import EngineError, MekongError
from pipeline.registry import models
from pipeline.run.resources import Resources
from pipeline.run.shards import Shards
from pipeline.run.work import ShardTask, ShardWork, Tick

CHARS_A_PROCESS = 400_000
"""Less text is made into pairs here sooner than in a process that has to start and load its models."""
HEARD = 0.5
"""Seconds after which a request to stop is heard."""
MakeResources = Callable[[Config], Resources]


class Executor(Protocol):
    """Makes shards."""

    def perform(self, tasks: Sequence[ShardTask], tick: Tick, check: Callable[[], None]) -> None:
        """Make and commit all shards. `tick` is told what is done, in the sizes of the tasks; `check` raises to stop.

        Stopped, it returns only when no shard is in the making.
        """


class HereExecutor:
    """Makes one shard after the other in this process."""

    def __init__(self, work: ShardWork) -> None:
        self._work = work

    def perform(self, tasks: Sequence[ShardTask], tick: Tick, check: Callable[[], None]) -> None:
        """See Executor."""

        def checked(rows: int) -> None:
            tick(rows)
            check()

        for task in tasks:
            check()
            self._work.perform(task, checked)


class ProcessExecutor:
    """Makes shards in `count` processes, each with models of its own and one thread for what computes in threads.

    The processes are started when there is something to do, anew, so that they inherit neither locks nor CUDA, and end
    with this one.
    """

    def __init__(self, count: int, config: Config, folder: Path, shards: int, resources: MakeResources) -> None:
        self._count = count
        self._about = config, folder, shards, resources
        self._pool: ProcessPoolExecutor | None = None

    def perform(self, tasks: Sequence[ShardTask], tick: Tick, check: Callable[[], None]) -> None:
        """See Executor.

        Raises EngineError when a process dies, and what a stage raises in one.
        """
        waiting = iter(tasks)
        under_way: set[Future[int]] = set()
        try:
            with _one_thread():  # what starts in here takes it over
                while under_way := under_way | set(self._submitted(waiting, self._count + 1 - len(under_way))):
                    ended, under_way = wait(under_way, timeout=HEARD, return_when=FIRST_COMPLETED)
                    for future in ended:
                        tick(future.result())
                    check()
        except BrokenProcessPool as error:
            self.close()
            raise EngineError(
                f"one of {self._count} processes that make shards was ended from outside",
                "If the memory was short, take fewer with --set run.workers=1. What is done is kept.",
            ) from error
        except MekongError:
            wait(under_way)
            raise
        except BaseException:  # a second Ctrl-C
            for child in multiprocessing.active_children():
                child.kill()
            raise

    def _submitted(self, waiting: Iterator[ShardTask], count: int) -> Iterator[Future[int]]:
        for _, task in zip(range(count), waiting, strict=False):
            yield self._started().submit(_perform, task)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._count, multiprocessing.get_context("spawn"), initializer=_begin, initargs=self._about
            )
        return self._pool

    def close(self) -> None:
        """End the processes, none of which is making anything.

        They are killed: asked to end, they would wait for each other for ever where one was killed from outside while
        it held the lock that they wait for tasks with.
        """
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


_worker: ShardWork


def _begin(config: Config, folder: Path, shards: int, resources: MakeResources) -> None:
    """What a process does first."""
    global _worker  # a pool hands its processes nothing but tasks
    parent = multiprocessing.parent_process()
    end_with_parent(parent.pid if parent else None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all: the process that started us decides
    models.offline()
    made = resources(config)
    made.threads = 1
    _worker = ShardWork(config, Shards.stated(folder, shards), made)


def _perform(task: ShardTask) -> int:
    _worker.perform(task, lambda _: None)
    return task.size


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let libraries in processes started meanwhile compute in one thread: the processes have the other cores."""
    name = "OMP_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def processes(config: Config, shards: int) -> int:
    """How many processes make so many shards: `run.workers`, or as many as there are cores and enough to do for."""
    if config.run.workers:
        return min(config.run.workers, shards)
    return min(cores(), shards * config.run.shard_chars // CHARS_A_PROCESS)


class Makers:
    """Has the shards of a run made, stage by stage, by whoever does it soonest; processes stay for the next stage."""

    def __init__(self, config: Config, resources: Resources, make_resources: MakeResources) -> None:
        self._config, self._resources, self._make_resources = config, resources, make_resources
        self._processes: ProcessExecutor | None = None

    def make(self, tasks: Sequence[ShardTask], shards: Shards, tick: Tick, check: Callable[[], None]) -> None:
        """Make the shards of one stage; raises what `Executor.perform` raises."""
        self._executor(tasks, shards).perform(tasks, tick, check)

    def _executor(self, tasks: Sequence[ShardTask], shards: Shards) -> Executor:
        """Several processes, unless a language model that reads pairs needs all cores."""
        count = processes(self._config, len(tasks))
        reads = tasks[0].scores and self._config.filter.model is not None
        if count < 2 or reads:
            return HereExecutor(ShardWork(self._config, shards, self._resources))
        if self._processes is None:
            self._processes = ProcessExecutor(
                count, self._config, shards.folder, len(shards.numbers), self._make_resources
            )
        return self._processes

    def end(self) -> None:
        """End the processes, if there are any; they are started again when there is something to do."""
        if self._processes is not None:
            self._processes.close()
        self._processes = None
