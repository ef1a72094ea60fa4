"""The long run: `python -m tests.fuzz --minutes 10`, or one execution again with --reader, --seed and --number.

Every reader gets its share of the time, in a process of its own. What is found is kept under out/fuzz; the exit code
is 1 then.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", OMP_NUM_THREADS="1")

from tests.fuzz.campaign import in_process
from tests.fuzz.readers import READERS


def say(text: object) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Fuzz, and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--reader", help="one reader alone")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--number", type=int, help="one execution alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    labels = [reader.label for reader in READERS if asked.reader in (None, reader.label)]
    if not labels:
        parser.error(f"no reader {asked.reader!r}; there are {', '.join(reader.label for reader in READERS)}")
    seconds = asked.minutes * 60 * asked.jobs / len(labels)
    first, most = (asked.number, 1) if asked.number is not None else (0, sys.maxsize)
    say(f"seed {asked.seed}, {seconds:.0f} s a reader")
    found = 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.jobs, mp_context=context, max_tasks_per_child=1) as pool:
        work = partial(in_process, seed=asked.seed, first=first, seconds=seconds, most=most)
        for outcome in pool.map(work, labels):
            say(outcome)
            for finding in outcome.findings[:5]:
                say(finding)
            found += len(outcome.findings)
    say(f"{found} findings" + (", kept under out/fuzz" if found else ""))
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
