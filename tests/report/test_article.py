"""One article in the report: as it was read, normalised and cut."""

from __future__ import annotations

import pytest
from lxml import html

from pipeline.report.build import build, render
from pipeline.report.data import DocumentWork, ReportData
from pipeline.types import Document, Segment, Source


@pytest.fixture(scope="module")
def lines():
    """The view of an article whose lines hold what normalisation takes out, puts in and leaves."""
    text = "ทำงานน\u0e4d\u0e32ใจ\u200b  <b>ดี</b>\n\nแท็ก: ข่าว\n\u200b"
    document = Document("d", "th", text, Source("d.txt"))
    kinds = {"ทำงานนำใจ <b>ดี</b>": "body", "แท็ก: ข่าว": "boilerplate"}
    places = {"body": (0, text.index("\n")), "boilerplate": (text.index("แท็ก"), len(text) - 2)}
    segments = tuple(
        Segment(f"d:{n}", "d", n, n, *places[kind], shown, kind) for n, (shown, kind) in enumerate(kinds.items())
    )
    other = DocumentWork(Document("v", "vi", "Tin", Source("v.txt")), ())
    found = build(ReportData("n", "1", "", [other, DocumentWork(document, segments)]))
    return found["article"], html.document_fromstring(render(found))


def test_the_lines_of_a_thai_article_are_shown_with_every_change_marked(lines):
    article, root = lines
    assert article["label"] == "d.txt" and [row["number"] for row in article["lines"]["rows"]] == [1, 3, 4]
    first = article["lines"]["rows"][0]
    assert "".join(run["text"] for run in first["original"]) == "ทำงานน\u0e4d\u0e32ใจ\u200b  <b>ดี</b>"
    assert [run["text"] for run in first["normalised"] if run["changed"]] == ["\u0e33"]
    assert [element.text for element in root.findall(".//section[@id='article']//p/del")][1:4] == [
        "\u25cc\u0e4d\u0e32",
        "[U+200B]",
        "␣",
    ]
    assert article["lines"]["rows"][2]["normalised"] == []


def test_boilerplate_stands_out_among_the_segments_of_the_article(lines):
    _, root = lines
    cards = root.findall(".//section[@id='article']//div[@class='card boilerplate']")
    assert ["".join(card.itertext()).split() for card in cards] == [["boilerplate", "d:1แท็ก:", "ข่าว"]]


def test_an_article_that_is_too_long_is_cut_at_a_line_and_says_so(monkeypatch):
    monkeypatch.setattr("pipeline.report.article.MAX_CHARS", 10)
    document = Document("d", "th", "\n".join(["ข่าววันนี้"[:6]] * 3), Source("d.txt"))
    found = build(ReportData("n", "1", "", [DocumentWork(document, ())]))
    assert (found["article"]["lines"]["total"], len(found["article"]["lines"]["rows"])) == (3, 1)
    assert "Showing 1 of 3 lines" in render(found)
