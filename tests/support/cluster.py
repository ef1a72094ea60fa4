"""A Ray cluster on this machine, in processes of its own: `python -m tests.support.cluster NODES`.

It ends with its input. Ray starts threads, and processes that fork have to have one only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.engines.child import end_with_parent
from pipeline.run.cluster import QUIET

MEMORY = 80 << 20
"""Bytes for objects that a node keeps, the least that Ray takes."""


@contextmanager
def cluster(nodes: int) -> Iterator[str]:
    """The address of a cluster whose nodes have a core each."""
    command = [sys.executable, "-m", __name__, str(nodes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdin and serving.stdout
        yield serving.stdout.readline().strip()
        serving.stdin.close()


def parts(out: Path) -> list[int]:
    """The processes that translate a part of the run in `out`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--shard" in words and os.fsencode(out.resolve()) in words:
            found.append(int(folder.name))
    return found


def main() -> None:
    """Serve."""
    end_with_parent()
    os.environ |= QUIET
    from ray.cluster_utils import Cluster

    made = Cluster()
    for _ in range(int(sys.argv[1])):
        made.add_node(num_cpus=1, include_dashboard=False, object_store_memory=MEMORY)
    sys.stdout.write(f"{made.address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    made.shutdown()


if __name__ == "__main__":
    main()
