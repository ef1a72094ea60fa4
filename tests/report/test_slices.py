from __future__ import annotations

import pytest

from pipeline.report import slices as slices_module
from pipeline.report.slices import FURTHER, Slices, band, site
from pipeline.types import Pair, Reason, Scored, Segment, Source, Translation, Verdict


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (Source("in/a.txt", url="https://www.news.example/1?x=2"), "news.example"),
        (Source("in/agency.jsonl", 7), "agency.jsonl"),
        (Source("in/th/a.txt"), "in/th"),
        (Source("in/th/a.txt", url="http://[broken"), "in/th"),
    ],
)
def test_where_a_document_is_from(source, name):
    assert site(source) == name


def test_bands_have_no_gaps():
    assert [band("x" * n) for n in (1, 49, 50, 399, 400, 4000)] == [
        "1 to 49",
        "1 to 49",
        "50 to 99",
        "200 to 399",
        "400 and more",
        "400 and more",
    ]


def pair(number, similarity, keep=True, lang="th"):
    made = Pair(f"p{number}", "d", "", lang, (), (), (), (), "ก" * 60, "text", "translated", 0.0)
    verdict = Verdict(made.id, keep, () if keep else (Reason("x", "x"),))
    return Scored(made, {"similarity": similarity, "unused": None}), verdict


def test_every_dimension_recounts_to_the_whole():
    found = Slices(["similarity", "unused", "similarity"])
    for number, (similarity, keep) in enumerate([(0.5, True), (None, False), (0.7, True)]):
        found.add_pair(*pair(number, similarity, keep, "vi" if number == 2 else "th"), Source(f"in/{number}.txt"))
    segment = Segment("s", "d", 0, 0, 0, 60, "ก" * 60, "body")
    found.add_translation(segment, Translation("s", "text", "m", None, 1, 1, "looped", 1), "th", Source("in/0.txt"))
    tables = {table["by"]: table for table in found.tables()}
    assert set(tables) == {"language", "origin", "length", "source"}
    for table in tables.values():
        assert sum(row["pairs"] for row in table["rows"]) == 3
        assert sum(row["kept"] for row in table["rows"]) == 2
        assert table["scores"] == ("similarity",)
    thai, vietnamese = tables["language"]["rows"]
    assert (thai["name"], thai["share"], thai["means"], thai["pass_rate"]) == ("th", 0.5, {"similarity": 0.5}, 0.0)
    assert (vietnamese["share"], vietnamese["pass_rate"]) == (1.0, None)


def test_sources_beyond_the_cap_are_counted_together(monkeypatch):
    monkeypatch.setattr(slices_module, "MAX_TRACKED", 2)
    found = Slices([])
    for number in range(5):
        found.add_pair(*pair(number, None), Source(f"folder{number}/a.txt"))
    (table,) = [table for table in found.tables() if table["by"] == "source"]
    assert {row["name"]: row["pairs"] for row in table["rows"]} == {"folder0": 1, "folder1": 1, FURTHER: 3}
