from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pipeline.bench.documents import evaluate, lines, read_cases
from pipeline.config.settings import Config
from pipeline.errors import InputError
from tests.support.encoders import WordEncoder

SUBJECTS = ("rivers dams floods", "tariffs exports rice", "vaccines clinics nurses")


def case(name: str, subject: str, english: str = "") -> dict[str, str]:
    sentences = [f"First {subject} were seen.", f"Then {subject} went away.", f"Nobody missed {subject} at all."]
    return {"id": name, "src_text": "\n".join(sentences), "tgt_text": english or "\n".join(sentences)}


def test_counterparts_found_missed_and_wrong_are_told_apart() -> None:
    cases = [case("a", SUBJECTS[0]), case("b", SUBJECTS[1], "Goalkeeper signs contract.\nHe is glad of it.")]
    stranger = case("c", SUBJECTS[1])
    found = evaluate(cases, [stranger], Config(), WordEncoder(["en"]))
    assert (found.sources, found.targets) == (2, 3)
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert [name for name, _ in found.missed] == ["b"] and len(found.wrong) == 1
    assert any(line.startswith("precision 0.500  recall 0.500") for line in lines(found))


def test_english_that_occurs_twice_is_one_document() -> None:
    cases = [case("a", SUBJECTS[0]), case("b", SUBJECTS[2])]
    found = evaluate(cases, [*cases, *cases], Config(), WordEncoder(["en"]))
    assert (found.targets, found.precision, found.recall) == (2, 1, 1)


@pytest.mark.parametrize("content", [b"", b"{\n", b"[]\n", orjson.dumps({"id": 1, "src_text": "a"})])
def test_files_without_cases_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cases\.jsonl"):
        read_cases(path)
