"""What is in the data never becomes a part of a page: payloads are read as text, by a parser and by a browser."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from lxml import html

from pipeline.metrics import significance
from pipeline.report import build as report_module
from pipeline.report import comparison as comparison_module
from pipeline.report import tally as tally_module
from pipeline.report.build import build, render
from pipeline.report.comparison import build_comparison
from pipeline.report.page import render_comparison
from tests.report.injected import PAYLOADS, harmless, report_data, run_sides

FEWEST = {"report": 15, "comparison": 6}
"""In how many places of a page each payload has to be readable."""


@pytest.fixture(scope="module", params=["report", "comparison"])
def pages(request):
    """The kind of page, the page with payloads and the same one with harmless texts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison_module, "RESAMPLES", 2)
        patch.setattr(significance, "RANDOMISATION_TRIALS", 10)
        patch.setattr(tally_module, "MAX_READING", 1000)
        patch.setattr(report_module, "MAX_DRAWN", 1000)
        patch.setattr(tally_module, "MAX_READING_CHARS", 10**9)
        patch.setattr(comparison_module, "MAX_EXAMPLES", 1000)
        patch.setattr("pipeline.report.article.MAX_CHARS", 10**9)
        patch.setattr("pipeline.report.slices.MAX_SHOWN", 1000)
        made = []
        for texts in (PAYLOADS, harmless(PAYLOADS)):
            if request.param == "report":
                made.append(render(build(report_data(texts))))
            else:
                made.append(render_comparison(build_comparison(run_sides(texts), texts)))
    return request.param, *made


def shown(payload):
    """A payload as a reader sees it: what would act without being seen is made visible, blanks are one blank."""
    text = re.sub("[\x00-\x08\x0b-\x1f]", lambda match: chr(0x2400 + ord(match[0])), payload)
    text = re.sub("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", lambda m: f"[U+{ord(m[0]):04X}]", text)
    return " ".join(text.split())


def inventory(root):
    """How often there is an element with these attribute names; marks depend on the texts and have fixed attributes."""
    found = Counter()
    for element in root.iter():
        if element.tag == "mark" or "gone" in (element.get("class") or ""):
            assert set(element.keys()) <= {"class", "title"}
        else:
            found[element.tag, tuple(sorted(element.keys()))] += 1
    return found


def values(root):
    """The values of attributes that could carry a scheme, a place or a meaning, apart from the numbers in them."""
    names = ("href", "id", "class", "for", "name", "style", "src", "data-filter", "type", "http-equiv")
    return {
        (name, re.sub(r"\d+", "0", value))
        for element in root.iter()
        for name, value in element.items()
        if name in names
    }


def test_there_are_enough_payloads():
    assert len(set(PAYLOADS)) >= 80


def test_data_never_becomes_markup(pages):
    _, injected, plain = pages
    roots = [html.document_fromstring(text) for text in (injected, plain)]
    assert inventory(roots[0]) == inventory(roots[1])
    assert values(roots[0]) <= values(roots[1]) | {("class", name) for name in ("missing", "added", "untranslated")}


def test_every_payload_is_read_as_text(pages):
    kind, injected, _ = pages
    text = " ".join(html.document_fromstring(injected).text_content().split())
    few = {payload: text.count(shown(payload)) for payload in PAYLOADS if text.count(shown(payload)) < FEWEST[kind]}
    assert not few


def test_a_browser_finds_only_text(pages, browser, tmp_path):
    kind, *texts = pages
    found = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.html"
        path.write_text(text)
        found.append(seen(browser, path))
    injected, plain = found
    assert injected["happened"] == plain["happened"] == []
    assert injected["elements"] == plain["elements"]
    read = " ".join(injected["text"].split())
    assert [payload for payload in PAYLOADS if read.count(shown(payload)) < FEWEST[kind]] == []


def seen(browser, path):
    """What a browser makes of a page with all of it open: elements, text, and everything that happened on the way."""
    page, happened = browser.new_page(), []
    page.on("dialog", lambda dialog: (happened.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: happened.append(request.url) if request.url != path.as_uri() else None)
    page.on("console", lambda message: happened.append(message.text))
    page.on("pageerror", lambda error: happened.append(str(error)))
    page.goto(path.as_uri())
    result = page.evaluate(
        """() => {
          for (const part of document.querySelectorAll("details")) part.open = true;
          const elements = {};
          for (const element of document.querySelectorAll("*")) {
            if (element.tagName === "MARK" || element.classList.contains("gone")) continue;
            const key = [element.tagName, ...element.getAttributeNames().sort()].join(" ");
            elements[key] = (elements[key] || 0) + 1;
          }
          return {elements, text: document.body.innerText};
        }"""
    )
    page.close()
    return result | {"happened": happened}


def test_templates_never_switch_escaping_off():
    folder = Path(report_module.__file__).parent / "templates"
    for path in folder.glob("*.j2"):
        text = path.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", text), path.name
