"""The real packages, where their environment is: our loader gives the scores that COMET's own gives."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from pipeline.engines.convert.apart import run_apart
from pipeline.errors import ModelMissing
from pipeline.metrics import environment
from pipeline.metrics.learned import WORKER, ScorerProcess, scorer
from pipeline.registry import models
from tests.support.small import quiet

MAKER = Path(__file__).with_name("tiny_scorers.py")
ROWS = [
    {"src": "ฝนตก", "mt": "it rained", "ref": "rain fell"},
    {"src": "น้ำท่วม", "mt": "a flood came to the market", "ref": "the market was flooded"},
    {"src": "ข่าว", "mt": "", "ref": "news"},
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    try:
        python = environment.python()
    except ModelMissing as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("tiny-scorers")
    offline = {**os.environ, **models.OFFLINE}
    done = subprocess.run([python, MAKER, folder, json.dumps(ROWS)], env=offline, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return folder


@pytest.mark.parametrize("name", ["comet", "cometkiwi", "xcomet", "metricx"])
def test_scores_are_those_of_the_published_way(tiny, name):
    folder, entry = tiny / name, scorer(name)
    run_apart(quiet, "pickle" if name == "metricx" else "checkpoint", folder)
    process = ScorerProcess([str(environment.python()), "-I", str(WORKER)], entry.family, folder)
    rows = [{key: row[key] for key in row if name != "cometkiwi" or key != "ref"} for row in ROWS]
    scores, cut = process.score(rows)
    process.close()
    assert scores == pytest.approx(json.loads((tiny / "expected.json").read_text())[name], abs=1e-5)
    assert cut == 0
    assert process.version.startswith("transformers-4" if name == "metricx" else "unbabel-comet-")
