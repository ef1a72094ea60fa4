"""A Ray cluster on this machine, in processes of its own: `python -m tests.kill.cluster NODES`, until its input ends.

It stands beside the process that forks, which has to have one thread only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from pipeline.engines.child import end_with_parent
from pipeline.run.cluster import QUIET
from tests.kill.processes import kill

MEMORY = 80 << 20
"""Bytes for objects that a node keeps, the least that Ray takes."""


@contextmanager
def of(nodes: int) -> Iterator[None]:
    """Have RAY_ADDRESS name a new cluster; without `nodes` there is none."""
    if not nodes:
        yield
        return
    command = [sys.executable, "-m", __name__, str(nodes)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as serving,
        patch.dict(os.environ),
    ):
        assert serving.stdin and serving.stdout
        os.environ["RAY_ADDRESS"] = serving.stdout.readline().strip()
        yield
        serving.stdin.close()


def helpers(out: Path) -> list[int]:
    """The processes that translate a part of the run in `out`, and the workers of Ray that started them."""
    parts = [pid for pid, words in _commands() if b"--shard" in words and os.fsencode(out.resolve()) in words]
    return [*parts, *filter(None, map(_parent, parts))]


def orphans(out: Path, seconds: float = 30) -> int:
    """How many parts live on `seconds` after the run is gone; they are killed then."""
    until = time.monotonic() + seconds
    while (left := helpers(out)) and time.monotonic() < until:
        time.sleep(0.02)
    for pid in left:
        kill(pid)
    return len(left)


def _commands() -> Iterator[tuple[int, list[bytes]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def main() -> None:
    """Serve."""
    end_with_parent()
    os.environ |= QUIET
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    for _ in range(int(sys.argv[1])):
        cluster.add_node(num_cpus=1, include_dashboard=False, object_store_memory=MEMORY)
    sys.stdout.write(f"{cluster.address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
