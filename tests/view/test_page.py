"""The page in a real browser: keys, what is stored, and that texts stay texts."""

import json
import re
from collections.abc import Iterator

import pytest

from pipeline.view.server import Server
from tests.view.folder import HOSTILE

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")


@pytest.fixture
def page(browser: "playwright.Browser", server: Server) -> Iterator["playwright.Page"]:
    found = browser.new_page(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    found.goto(server.url)
    found.wait_for_selector(".pair")
    # Before the first frame is on the screen the browser may drop keys, which no person would press there.
    found.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    yield found
    assert not complaints
    found.close()


def stored(server: Server) -> list[tuple[str, bool | None]]:
    rows = [json.loads(line) for line in server.review.decisions.path.read_text().splitlines()]
    return [(row["pair"], row["keep"]) for row in rows]


def saved(page: "playwright.Page", decided: int) -> None:
    """Wait until the page says that all is stored."""
    playwright.expect(page.locator("#progress")).to_have_text(re.compile(rf"^{decided} of 6 decided"))
    playwright.expect(page.locator("#saving")).to_have_text("saved")


def chosen(page: "playwright.Page", pairs: int) -> None:
    """Wait until the page has that many pairs in its choice."""
    playwright.expect(page.locator("#total")).to_have_text(f"{pairs} pairs")


def test_a_person_goes_through_the_pairs_by_keys(page: "playwright.Page", server: Server) -> None:
    for key in ("j", "r", "ArrowDown", "k", "a"):
        page.keyboard.press(key)
    saved(page, 2)
    assert stored(server) == [("p1", False), ("p2", True)]
    marks = page.locator(".mark").all_inner_texts()
    assert marks[1:3] == ["✗ rejected by hand", "✓ accepted by hand"] and marks[4] == "✗ rejected by the rules"
    assert page.locator("[aria-current=true] .n").inner_text() == "4"
    page.keyboard.press("u")
    saved(page, 1)
    assert stored(server)[2:] == [("p2", None)] and page.locator(".mark").all_inner_texts()[2] == "✓ kept by the rules"
    thai = "dispatchEvent(new KeyboardEvent('keydown', {key: 'ื', code: 'KeyN', bubbles: true}))"
    page.evaluate(f"document.body.{thai}")
    assert page.locator("[aria-current=true] .n").inner_text() == "4"
    page.keyboard.press("/")
    page.keyboard.type("boat a")
    chosen(page, 0)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.reload()
    page.wait_for_selector(".pair")
    assert page.locator(".mark").all_inner_texts()[1] == "✗ rejected by hand"
    page.locator("[name=show]").select_option("undecided")
    chosen(page, 5)


def test_a_key_that_is_held_decides_one_pair(page: "playwright.Page", server: Server) -> None:
    for _ in range(4):
        page.keyboard.down("r")
    page.keyboard.up("r")
    saved(page, 1)
    assert stored(server) == [("p0", False)]


def test_texts_from_outside_stay_texts(page: "playwright.Page") -> None:
    row = page.locator(".pair").nth(3)
    assert HOSTILE in row.locator(".tgt").inner_text()
    assert page.locator(".pair img, .pair script").count() == 0
    assert page.title() == "boats · mekong view"
    shown = page.evaluate(r"visible('a\u202eb\u{e0041}\x9b\x00\ud800ก็')")
    assert shown == "a[U+202E]b[U+E0041]\ufffd\u2400\ufffdก็"


def test_a_decision_that_could_not_be_saved_is_kept_and_sent_again(page: "playwright.Page", server: Server) -> None:
    page.route("**/decisions", lambda route: route.abort())
    for key, unsaved in (("r", "1 decision"), ("a", "2 decisions")):
        page.keyboard.press(key)
        playwright.expect(page.locator("#saving")).to_have_text(re.compile(f"^{unsaved} not saved"))
    assert not server.review.decisions.path.exists()
    page.unroute("**/decisions")
    page.get_by_role("button", name="Save again").click()
    saved(page, 2)
    assert stored(server) == [("p0", False), ("p1", True)]


def test_on_a_phone_nothing_is_cut_off_and_buttons_decide(page: "playwright.Page", server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.reload()
    page.locator(".pair").nth(2).locator(".tgt").click()
    page.get_by_role("button", name="Reject").click()
    saved(page, 1)
    assert stored(server) == [("p2", False)]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
