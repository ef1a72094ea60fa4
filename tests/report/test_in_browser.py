"""What a reader does with the page: click, sort, search, read it on a phone, without script and on paper."""

from __future__ import annotations

import pytest

from pipeline.report.build import build, render
from pipeline.report.comparison import build_comparison
from pipeline.report.page import render_comparison
from tests.report.fake_run import fake_run
from tests.report.injected import run_sides


@pytest.fixture(scope="module")
def report():
    return build(fake_run())


@pytest.fixture(scope="module")
def address(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(report))
    return path.as_uri()


@pytest.fixture
def page(browser, address):
    page = browser.new_page()
    page.goto(address)
    yield page
    page.close()


def test_a_click_shows_the_pair_beside_the_drawing(page, report):
    row = report["aligned"]["rows"][0]
    first, second = (item for item in row["rows"][:2])
    drawing = page.locator(f"#{row['anchor']} .drawing")
    drawing.locator(f"a[href='#{first['id']}']").first.dispatch_event("click")
    reader = drawing.locator(".reader")
    for text in (first["src"], first["tgt"]):
        assert " ".join(text.split()) in " ".join(reader.text_content().split())
    assert drawing.locator("a.chosen").count() >= 1
    reader.get_by_text("next").click()
    text = second["src"] or second["tgt"]
    assert " ".join(text.split()) in " ".join(reader.text_content().split())


def test_a_search_opens_the_lists_with_hits(page, report):
    row = report["examples"][1]["rows"][0]
    rows = page.locator("#examples tbody tr")
    assert not rows.first.is_visible()
    page.locator("#examples input[type=search]").fill(row["src"][:40])
    hits = sum(row["src"][:40] in other["src"] for table in report["examples"] for other in table["rows"])
    assert page.locator("#examples tbody tr:visible").count() == hits


def test_tables_are_sorted_and_searched(page, report):
    page.locator("#document-table thead button").nth(2).click()
    sizes = page.eval_on_selector_all("#document-table tbody td:nth-child(3)", "cells => cells.map(c => +c.dataset.v)")
    assert sizes == sorted(sizes) and len(sizes) == len(report["documents"]["rows"])
    page.locator("#documents input[type=search]").fill("agency")
    shown = page.locator("#document-table tbody tr:visible").count()
    assert shown == sum("agency" in row["path"] for row in report["documents"]["rows"])


@pytest.mark.parametrize("kind", ["report", "comparison"])
def test_no_part_is_wider_than_a_phone(page, kind, tmp_path):
    if kind == "comparison":
        texts = ["a-name-that-is-rather-long", "another one", "https://news.example/" + "x" * 200]
        (tmp_path / "comparison.html").write_text(render_comparison(build_comparison(run_sides(texts), texts)))
        page.goto((tmp_path / "comparison.html").as_uri())
    page.set_viewport_size({"width": 390, "height": 800})
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_paper_shows_what_is_folded(page):
    closed = page.locator("details.reading .columns").first
    assert not closed.is_visible()
    page.emulate_media(media="print")
    assert closed.evaluate("part => part.getBoundingClientRect().height") > 100


def test_a_link_without_script_opens_the_pair(browser, address, report):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    name = report["aligned"]["rows"][1]["rows"][2]["id"]
    page.goto(f"{address}#{name}")
    assert page.locator(f"#{name}").is_visible()
    context.close()


def test_what_was_rejected_or_left_alone_is_clicked_too(page, report):
    for name in (".ribbon.refused", "rect.free"):
        shape = page.locator(f".drawing svg {name}").first
        drawing = shape.locator("xpath=ancestor::div[@class='drawing']")
        shape.scroll_into_view_if_needed()
        box = shape.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert drawing.locator(".reader").is_visible()
        assert drawing.locator("a.chosen").first.get_attribute("href") == shape.locator("..").get_attribute("href")


def test_the_keyboard_stays_beside_the_drawing(page, report):
    drawing = page.locator(".drawing").first
    drawing.locator("a").first.focus()
    page.keyboard.press("Enter")
    drawing.locator(".reader nav a").last.focus()
    for _ in range(2):
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == "next"


def test_ranges_are_sorted_by_their_numbers(page):
    table = page.locator("table", has=page.locator("th", has_text="Source characters")).first
    table.locator("thead button").first.click()
    starts = [int(text.split(" ")[0]) for text in table.locator("tbody th").all_inner_texts()]
    assert starts == sorted(starts) and len(starts) > 2
