"""`python -m tests.kill`: kill real runs at random moments, resume them, and compare what they leave.

Ends with 1 unless nothing is lost, doubled, torn or different, and nothing left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

# Before anything that starts threads at its import: what is forked has one.
os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
os.environ |= {"TOKENIZERS_PARALLELISM": "false", "ARROW_DEFAULT_MEMORY_POOL": "system"}

from pipeline.config.settings import Config
from pipeline.engines.child import end_with_parent
from tests.kill import processes
from tests.kill.chains import Chains
from tests.kill.executions import EXECUTIONS, Execution, prepare
from tests.kill.processes import STAGES
from tests.support.cluster import cluster

FAULTS = ("lost", "doubled", "torn", "different", "redone", "left", "orphans", "hung", "failed")
UNUSED = (Config().translate.model, Config().align.encoder)
MEMORY = Path("/dev/shm")
"""What is written there is gone when the power is, but not when a process is killed, and costs no flush of a disk."""


def main() -> int:
    asked = _arguments()
    chosen = [one for one in EXECUTIONS if not asked.only or one.name in asked.only]
    kills = _shares(asked.kills, [one.share for one in chosen])
    base = MEMORY if os.access(MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="mekong-kill-", dir=base))
    _say(f"{asked.kills} kills, seed {asked.seed}, in {folder}")
    os.environ["MEKONG_MODELS"] = str(folder / "models")
    for name in UNUSED:  # there, so that a finished run can see that they have not changed
        (folder / "models" / name).mkdir(parents=True)
    (warm := folder / "warm").mkdir()
    prepare(warm, EXECUTIONS[0])
    processes.run_here(warm, EXECUTIONS[0])
    began, tallies = time.monotonic(), {}
    for number, (execution, share) in enumerate(zip(chosen, kills, strict=True)):
        seconds = asked.seconds and max(1.0, began + asked.seconds * (number + 1) / len(chosen) - time.monotonic())
        here, told = folder / f"run-{number}", folder / f"tally-{number}.json"
        work = partial(_kill, execution, share, seconds, asked.seed, here, told)
        if execution.nodes:
            with cluster(execution.nodes) as address:
                os.environ["RAY_ADDRESS"] = address
                _in_a_fork(work)
        else:
            _in_a_fork(work)
        tallies[execution.name] = json.loads(told.read_bytes())
    clean = _report(tallies, time.monotonic() - began)
    if clean:
        shutil.rmtree(folder)
    return not clean


def _say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--seconds", type=float, default=0, help="begin no chain later, in all; default no bound")
    parser.add_argument("--only", action="append", choices=[one.name for one in EXECUTIONS])
    return parser.parse_args()


def _shares(kills: int, shares: Sequence[int]) -> list[int]:
    """As many for each as its share says, all together `kills`."""
    marks = [kills * sum(shares[:place]) // sum(shares) for place in range(len(shares) + 1)]
    return [b - a for a, b in pairwise(marks)]


def _in_a_fork(work: Any) -> None:
    """Executions import different things, and each is to find none but its own."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            end_with_parent()
            processes.adopt_orphans()
            work()
            code = 0
        finally:
            sys.stdout.flush()
            if code:
                sys.excepthook(*sys.exc_info())
            os._exit(code)
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("the harness itself failed")


def _kill(execution: Execution, kills: int, seconds: float, seed: int, folder: Path, told: Path) -> None:
    if execution.family:
        _in_a_fork(partial(_add_models, execution.family, folder.parent))
    chains = Chains(execution, folder, random.Random(f"{seed} {execution.name}"))
    chains.prepare()
    until, tally = time.monotonic() + (seconds or float("inf")), chains.tally
    while tally.kills < kills and time.monotonic() < until:
        chains.chain(kills - tally.kills)
    told.write_text(json.dumps(vars(tally)))
    _say(f"{execution.name}: {tally.kills} kills in {tally.chains} chains, {len(tally.findings)} findings")


def _add_models(family: str, folder: Path) -> None:
    """A tiny translator, and an encoder that nobody loads."""
    import numpy as np
    from safetensors.numpy import save_file

    from pipeline.cli.model_add import add
    from pipeline.registry import models
    from tests.support import tiny
    from tests.support.small import ENTRY, quiet, write_entry

    models.offline()
    for name in (family, ENTRY["name"]):
        (folder / f"published-{name}").mkdir(exist_ok=True)
    tiny.BUILDERS[family](folder / f"published-{family}")
    encoder = folder / f"published-{ENTRY['name']}"
    save_file({"a": np.zeros(1, np.float32)}, encoder / "model.safetensors")
    (encoder / "config.json").write_text("{}", encoding="utf-8")
    for data in (tiny.entry(family, folder / f"published-{family}"), ENTRY | {"sources": [f"path:{encoder}"]}):
        write_entry(models.root(), data)
        add(data["name"], quiet)


def _report(tallies: dict[str, Any], seconds: float) -> bool:
    """Print what was killed and what came of it; whether nothing did."""
    width = max(map(len, tallies))
    _say("\n" + " " * width, *(f"{stage:>9}" for stage in (*STAGES, "all", "chains")))
    for name, tally in tallies.items():
        counts = [*(tally["stages"].get(stage, 0) for stage in STAGES), sum(tally["stages"].values()), tally["chains"]]
        _say(f"{name:{width}}", *(f"{count:>9}" for count in counts))
    total: Counter[str] = sum((Counter(tally["stages"]) for tally in tallies.values()), Counter())
    counts = [*(total[stage] for stage in STAGES), total.total(), sum(tally["chains"] for tally in tallies.values())]
    _say(f"{'all':{width}}", *(f"{count:>9}" for count in counts), "\n")
    for title, part in ("killed", "targets"), ("commands not killed themselves", "ends"):
        found: Counter[str] = sum((Counter(tally[part]) for tally in tallies.values()), Counter())
        _say(f"{title}: {', '.join(f'{number} {name}' for name, number in sorted(found.items()))}")
    for name, tally in tallies.items():
        for kind, where in tally["findings"]:
            _say(f"{name}: {kind}: {where}")
    faults = Counter(kind for tally in tallies.values() for kind, _ in tally["findings"])
    _say(f"{seconds:.0f} s; " + ", ".join(f"{kind} {faults[kind]}" for kind in FAULTS))
    return not faults


if __name__ == "__main__":
    sys.exit(main())
