"""Int8 products on processors that are not this one: the library is told to use fewer instructions."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict

import pytest

from pipeline.engines.mekong import places
from pipeline.engines.mekong.engine import MekongEngine

PROGRAM = """
import json, sys
from pathlib import Path
from pipeline.engines.mekong.cpu.matrices import has_int8_products, weight_limit
from pipeline.engines.mekong.engine import MekongEngine
from pipeline.engines.search_settings import Search
folder, search, rows = json.loads(sys.stdin.read())
engine = MekongEngine(Path(folder), Search(**search), "cpu", "int8", 1, 1)
outputs = engine.generate(rows, [8] * len(rows))
print(json.dumps([has_int8_products(), weight_limit(), [[out.tokens, out.logprob] for out in outputs]]))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="instructions of x86")
def test_without_sums_in_32_bits_weights_are_smaller_and_products_as_exact(tiny, monkeypatch):
    model = tiny("marian")
    rows = model.rows(20, seed=31)
    search = model.search()
    told = json.dumps([str(model.folder), asdict(search), rows])
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=told, env=environment, capture_output=True, text=True, check=True
    )
    has, limit, found = json.loads(run.stdout)
    # The processor has more of them; that the library does not use them is what counts.
    assert (has, limit) == (False, 63)
    monkeypatch.setattr(places, "weight_limit", lambda: 63)
    outputs = MekongEngine(model.folder, search, "cpu", "int8", 1, 1).generate(rows, [8] * 20)
    # Bit for bit: integer sums are exact, or have overflowed.
    assert [[list(output.tokens), output.logprob] for output in outputs] == found
