"""The examples of docs/python.md, run one after the other as a reader would."""

import re
from pathlib import Path

import pytest

import pipeline
from tests.support.encoders import load_once

ROOT = Path(__file__).resolve().parent.parent
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text("utf-8"), re.S)


def test_every_public_name_is_there_and_no_other() -> None:
    for name in pipeline.__all__:
        assert getattr(pipeline, name).__doc__, name
    with pytest.raises(AttributeError, match="no_such_name"):
        pipeline.no_such_name  # noqa: B018 - the access is what is tested


def test_the_examples_run_and_say_what_they_claim(tiny_store, tmp_path, monkeypatch, capsys):
    from pipeline.cli.model_add import add

    model = tiny_store("marian").name
    add("use-multilingual-v3", lambda _: None)
    load_once(monkeypatch)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    printed = []
    for block in BLOCKS:
        exec(compile(block.replace("opus-mt-th-en", model), "docs/python.md", "exec"), names)
        printed.append(capsys.readouterr().out)
    read, translated, aligned, scored, evaluated = printed
    assert re.match(r"11 documents, \d+ segments: \w", read)
    assert translated.strip()
    assert aligned.count("\n") == 2 and "Hanoi" in aligned.split("\n")[0] and "25 million" in aligned.split("\n")[1]
    assert scored == "1.0\n[(True, ()), (True, ())]\n"
    assert "BLEU" in evaluated and "version:2." in evaluated
