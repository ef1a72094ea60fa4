"""One step before the leader forks: afterwards nothing is left to compile, and there is no thread more than before."""

import json
import subprocess
import sys

PROGRAM = """
import json, os, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from pipeline.engines.mekong.cpu import attention, kernels
from pipeline.engines.mekong.places import on_cpu, warm
from pipeline.engines.mekong.scheduler import Job, Pending
from pipeline.engines.search_settings import Search

def threads():
    return len(list(Path("/proc/self/task").iterdir()))

def compiled():
    parts = {**vars(attention), **vars(kernels)}
    return {name: len(part.signatures) for name, part in parts.items() if hasattr(part, "signatures")}

def look(folder, search, dtype, rows):
    make, _ = on_cpu(Path(folder), dtype, None)
    before, none = threads(), compiled()
    warm(make)
    after, warmed = threads(), compiled()
    for beams, size in ((1, 0), (4, 4)):
        slots = make(Search(**search | {"num_beams": beams, "no_repeat_ngram_size": size}), 9)
        assert len(list(slots.run(Pending([Job(n, row, 12, 2) for n, row in enumerate(rows)])))) == len(rows)
    print(json.dumps([before, after, sum(none.values()), sum(warmed.values()), warmed, compiled()]), flush=True)

for case in json.loads(sys.stdin.read()):
    if os.fork() == 0:  # where nothing is compiled yet
        look(*case)
        os._exit(0)
    assert os.wait()[1] == 0
"""
CASES = ("t5", "int8"), ("nllb", "float32")


def test_one_step_compiles_all_that_a_worker_calls(tiny):
    told = []
    for family, dtype in CASES:
        model = tiny(family)
        search = model.search()
        fields = {name: getattr(search, name) for name in search.__slots__}
        told.append([str(model.folder), fields, dtype, model.rows(40, seed=32)])
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(told), capture_output=True, text=True, check=True
    )
    lines = run.stdout.splitlines()
    assert len(lines) == len(CASES)
    for line in lines:
        before, after, none, some, warmed, whole = json.loads(line)
        assert before == after
        assert none == 0 and some > 7
        assert warmed == whole
