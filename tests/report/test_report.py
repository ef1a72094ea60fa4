"""The report is parsed, not grepped: what a reader would see, and that data never becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html

from pipeline.config.settings import Rule
from pipeline.errors import StoreError
from pipeline.report import build as report_module
from pipeline.report import tally as tally_module
from pipeline.report.build import build, render, write_report
from pipeline.report.data import DocumentWork, ReportData
from pipeline.types import Document, Pair, Reject, Scored, Segment, Source, Translation, Verdict
from tests.report.fake_run import FakeRun, fake_run

SMALL = ("th-01-astana-visit.txt", "en-03-freight-train-plan.txt", "vi-03-giai-chay-co-do.txt")


@pytest.fixture(scope="module")
def report():
    return build(fake_run())


@pytest.fixture(scope="module")
def page(report):
    return html.document_fromstring(render(report))


def test_hashes_of_files_can_be_given_to_sha256sum_and_a_general_model_is_named(report):
    text = html.document_fromstring(render(report)).text_content()
    assert f"{'1f' * 32}  config.json\n{'d3' * 32}  model.safetensors" in text
    assert any(note["text"].startswith("mekong-small is a general language model") for note in report["notes"])


@pytest.mark.parametrize("trial", [False, True])
def test_a_model_for_trials_comes_first_on_the_first_screen(trial):
    data = fake_run()
    models = tuple(replace(model, trial=trial and model.general) for model in data.models)
    told = build(replace(data, models=models))
    first = next(note["text"] for note in told["notes"] if note["level"] == "warn")
    assert first.startswith(f"mekong-small is a {'model for trials' if trial else 'general language model'}")
    (tile,) = [tile for tile in told["tiles"] if tile["label"] == "Machine-made pairs kept"]
    assert "unread" in tile["note"]


def flat(value):
    """Every leaf of plain data."""
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in flat(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def text_of(element):
    return " ".join(element.text_content().split())


def test_the_counts_are_those_of_the_run(report):
    run = FakeRun()
    works = list(run.works.values())
    source = [w for w in works if w.document.lang != "en"]
    translations = [t for w in source for t in w.translations]
    verdicts = [v for w in works for _, v in w.pairs]
    counts = report["counts"]
    assert counts["documents"]["total"] == len(works)
    assert counts["segments"]["total"] == sum(len(w.segments) for w in works)
    made = counts["translations"]
    assert made["passed"] == sum(t.ended == "stop" for t in translations)
    assert made["failed"] == sum(t.ended in ("failed", "empty") for t in translations)
    assert made["passed"] + made["marked"] + made["failed"] == len(translations)
    assert made["source_segments"] == len(translations) + made["boilerplate"] + made["unaccounted"]
    assert made["unaccounted"] == 0
    assert (counts["pairs"]["scored"], counts["pairs"]["kept"]) == (len(verdicts), sum(v.keep for v in verdicts))
    assert counts["document_pairs"]["parallel"] == 4 and counts["rejected_inputs"] == 2


def test_attrition_and_histograms_recount_to_the_verdicts(report):
    pairs = [item for work in FakeRun().works.values() for item in work.pairs]
    for row in report["attrition"]:
        failing = [v for _, v in pairs if any(text.startswith(row["reason"]) for text in v.texts)]
        assert row["pairs"] == len(failing)
        assert row["alone"] == sum(len(v.reasons) == 1 for v in failing)
    for row in report["histograms"]:
        values = [s.scores[row["score"]] for s, _ in pairs if s.pair.origin == row["origin"]]
        found = [v for v in values if v is not None]
        assert (row["count"], row["missing"]) == (len(found), len(values) - len(found))
        assert sum(item["count"] for item in row["bins"]) == len(found)
        assert row["below"] == (0 if row["min"] is None else sum(v < row["min"] for v in found))
        assert row["above"] == (0 if row["max"] is None else sum(v > row["max"] for v in found))


def test_a_rule_for_one_origin_is_drawn_for_that_origin_only():
    rules = {"similarity": Rule(min=0.5, origin="aligned")}
    rows = [r for r in build(fake_run(SMALL, rules=rules))["histograms"] if r["score"] == "similarity"]
    assert {row["origin"]: row["min"] for row in rows} == {"translated": None, "aligned": 0.5}


def test_examples_are_ranked_and_kept_and_rejected_ones_apart(report):
    tables = {(table["order"], table["origin"]): table["rows"] for table in report["examples"]}
    for origin in ("translated", "aligned"):
        weakest = [row["scores"]["similarity"] for row in tables["weakest", origin]]
        strongest = [row["scores"]["similarity"] for row in tables["strongest", origin]]
        assert weakest == sorted(weakest) and strongest == sorted(strongest, reverse=True)
        assert len(weakest) == 12 and weakest[0] < strongest[-1]
    assert all(row["keep"] for (order, _), rows in tables.items() if order != "rejected" for row in rows)
    assert all(row["reasons"] for row in tables["rejected", ""])


def test_every_figure_of_the_tables_is_in_the_json(report, page):
    numbers = {leaf for leaf in flat(report) if isinstance(leaf, int | float)}
    shown = [cell.get("data-v") for cell in page.iterfind(".//td[@data-v]")]
    assert len(shown) > 200
    assert {float(value) for value in shown if value} <= numbers
    for table in ("attrition", "slices-source", "slices-length", "metrics", "fact-rates", "document-table"):
        assert page.get_element_by_id(table).find(".//td[@data-v]") is not None, table
    for cell in page.iterfind(".//td[@data-v]"):
        check_rounding(text_of(cell), cell.get("data-v"))


def test_the_limits_of_the_what_if_tables_are_those_of_the_json(report, page):
    tables = [table for table in report["what_if"] if not table["idle"]]
    shown = page.get_element_by_id("what-if").findall(".//table")
    assert len(tables) == len(shown) > 3
    for table, element in zip(tables, shown, strict=True):
        first = [text_of(row[0]) for row in element.iterfind(".//tbody/tr")]
        assert first == ["none" if row["limit"] is None else f"{row['limit']:g}" for row in table["rows"]]
        present = element.findall(".//tr[@class='present']")
        assert [text_of(row[1]) for row in present] == [f"{table['now']:,}"]
    idle = [table["score"] for table in report["what_if"] if table["idle"]]
    assert all(name in text_of(page.get_element_by_id("what-if")) for name in idle)


def check_rounding(shown, value):
    if not value:
        assert shown == "–"
        return
    number = float(shown.lstrip("± ").rstrip("% ").replace(",", ""))
    exact = float(value) * (100 if shown.endswith("%") else 1)
    digits = len(shown.rstrip("% ").partition(".")[2])
    assert abs(number - exact) <= 0.5 * 10**-digits + 1e-9


def test_tiles_and_verdict_are_shown(report, page):
    assert text_of(page.find(".//p[@class='verdict']")) == report["verdict"]
    assert re.search(r"\d+ of \d+ machine-made pairs and \d+ of \d+ aligned pairs", report["verdict"])
    labels = [text_of(item) for item in page.iterfind(".//dl[@class='tiles']/div/dt")]
    assert labels == [tile["label"] for tile in report["tiles"]]


def test_what_is_wrong_comes_first(report):
    levels = [note["level"] for note in report["notes"]]
    assert levels == sorted(levels, key=["bad", "warn", "good", "note"].index)
    texts = " ".join(note["text"] for note in report["notes"])
    assert "forbids commercial use" in texts and "did not pass the guards" in texts
    assert "Not found in the English: 2 of 41 countries, 1 of 28 years of the source." in texts


def test_what_the_engine_says_of_translations_is_counted():
    work = FakeRun(("th-01-astana-visit.txt", "en-03-freight-train-plan.txt")).works["th-01-astana-visit.txt"]
    first, second, *others = work.translations
    notes = (replace(first, notes=("decoded again",)), replace(second, notes=("decoded again",)))
    found = build(fake_run(SMALL, documents=[replace(work, translations=(*notes, *others))], aligned=()))
    assert {"level": "warn", "text": "Of 2 translations the engine says: decoded again."} in found["notes"]
    assert found["counts"]["translations"]["notes"] == {"decoded again": 2}


def test_the_reading_view_marks_and_greys(page):
    article = page.get_element_by_id("read-1")
    assert article.find(".//mark") is not None and article.find(".//*[@class='problem']") is not None
    assert any("left alone: boilerplate" in text_of(item) for item in article.iterfind(".//p"))
    for block in article.iterfind(".//div[@class='para']"):
        left, right = block
        assert left.get("lang") == "th" and right.get("lang") == "en"


def test_a_click_in_a_drawing_leads_to_the_texts_of_the_pair(report, page):
    for row in report["aligned"]["rows"]:
        rows = {item["id"]: item for item in row["rows"]}
        links = page.get_element_by_id(row["anchor"]).findall(".//svg//a")
        assert {link.get("href")[1:] for link in links} == set(rows)
        for name, item in rows.items():
            shown = text_of(page.get_element_by_id(name))
            assert " ".join(item["src"].split()) in shown and " ".join(item["tgt"].split()) in shown


def test_what_the_texts_of_a_pair_do_not_share_is_marked(report, page):
    rows = [row for table in report["examples"] for row in table["rows"]]
    kinds = {run["kind"] for row in rows for run in row["src_runs"] + row["tgt_runs"]}
    assert kinds >= {"", "missing", "added"}
    for element in page.get_element_by_id("examples").iterfind(".//td/mark"):
        assert element.get("title")


def test_the_english_that_was_found_is_compared_with_the_translation():
    work = FakeRun(("th-01-astana-visit.txt", "en-03-freight-train-plan.txt")).works["th-01-astana-visit.txt"]
    (scored, verdict) = next(item for item in work.pairs if item[0].pair.origin == "aligned")
    translation = next(t for t in work.translations if t.ended == "stop")
    pair = replace(scored.pair, src_segments=(translation.segment_id,))
    found = build(
        fake_run(SMALL, documents=[replace(work, pairs=((replace(scored, pair=pair), verdict),))], aligned=())
    )
    (row, *_) = next(table["rows"] for table in found["examples"])
    assert row["machine"] == translation.text
    assert "".join(run["text"] for run in row["english_runs"]) == row["tgt"]


def test_provenance_says_what_is_missing():
    whole = build(fake_run(SMALL))["provenance"]
    assert whole["missing"] == [] or all("licence" in text for text in whole["missing"])
    lacking = build(fake_run(SMALL, models=(), packages={}, version="0.1.0 abc+changes"))
    assert {"no model is named", "the code differed from its commit", "no packages"} <= set(
        lacking["provenance"]["missing"]
    )
    text = text_of(html.document_fromstring(render(lacking)).get_element_by_id("provenance"))
    assert "no packages" in text and "mekong run configs/news.yaml --out out/news" in text


def test_a_metric_has_its_interval_beside_it(page):
    (tile,) = [item for item in page.iterfind(".//dl[@class='tiles']/div") if text_of(item).startswith("chrF2")]
    assert "54.3 ± 0.6" in text_of(tile)


def test_an_interval_over_few_documents_has_a_warning():
    data = fake_run()
    few = replace(data.metrics[0], on="Thai", documents=2)
    notes = {note["text"]: note["level"] for note in build(replace(data, metrics=(*data.metrics, few)))["notes"]}
    assert notes["Thai: only 2 documents, whose segments are alike, so the intervals are too small."] == "warn"
    assert not any(text.startswith(data.metrics[0].on) for text in notes)


def test_links_inside_the_page_lead_somewhere(page):
    ids = Counter(element.get("id") for element in page.iter() if element.get("id"))
    assert set(ids.values()) == {1}
    targets = [link.get("href") for link in page.iterfind(".//a")]
    assert all(target[0] == "#" and target[1:] in ids for target in targets) and len(targets) > 10


def test_the_drawing_has_a_ribbon_for_every_bead(report, page):
    for row in report["aligned"]["rows"]:
        drawing = page.get_element_by_id(row["anchor"]).find(".//svg")
        beads = {item["bead"] for item in row["rows"]} - {None}
        assert len(drawing.findall(".//path")) == len(beads) > 5
        assert len(drawing.findall(".//rect")) == len(row["left"]) + len(row["right"])


def test_the_page_loads_nothing_and_its_policy_allows_only_its_own_script_and_style(page):
    for element in page.iter():
        assert not {"src", "srcset", "style", "action", "background"} & set(element.keys())
        assert not [name for name, _ in element.items() if name.startswith("on")]
        assert element.tag not in ("link", "img", "iframe", "object", "embed", "form", "base")
    policy = page.find(".//meta[@http-equiv]").get("content")
    assert policy.startswith("default-src 'none'; ")
    for kind in ("style", "script"):
        (element,) = page.iterfind(f".//{kind}")
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "url(" not in page.find(".//style").text and "@import" not in page.find(".//style").text


def test_without_script_nothing_is_hidden_but_the_search(page):
    hidden = [element for element in page.iter() if element.get("hidden") is not None]
    assert {element.get("class") for element in hidden} == {"search", "reader"}
    assert not any(text_of(element) for element in hidden if element.get("class") == "reader")


def test_tables_are_capped_and_say_so(monkeypatch):
    monkeypatch.setattr(tally_module, "MAX_ROWS", 3)
    monkeypatch.setattr(tally_module, "MAX_READING", 2)
    monkeypatch.setattr(report_module, "MAX_DRAWN", 1)
    found = build(fake_run())
    assert len(found["marked"]["rows"]) == 3 < found["marked"]["total"]
    assert [row["anchor"] for row in found["documents"]["rows"] if row["anchor"]] == ["read-1", "read-2"]
    text = text_of(html.document_fromstring(render(found)))
    assert f"Showing 3 of {found['marked']['total']} marked translations" in text
    assert "Showing 2 of 8 translated documents" in text
    assert "Drawn below: 1 of 4 parallel document pairs" in text


def test_rejects_beyond_the_cap_are_still_counted():
    rejects = (Reject("in.jsonl", number, 0, "not JSON") for number in range(1, 3413))
    found = build(fake_run(SMALL, rejects=rejects))
    assert found["counts"]["rejected_inputs"] == 3412
    assert "Showing 200 of 3,412 inputs" in text_of(html.document_fromstring(render(found)))


def test_an_empty_run_has_a_report():
    found = build(ReportData("empty", "0.1.0", (), ()))
    assert found["verdict"] == "No pairs came out of this run."
    assert text_of(html.document_fromstring(render(found)).find(".//h1")) == "empty"


def test_a_run_without_parallel_documents_says_so():
    pairs = [replace(pair, relation="unrelated") for pair in FakeRun(SMALL).document_pairs()]
    found = build(fake_run(SMALL, document_pairs=pairs, aligned=()))
    assert any(note["text"].startswith("No parallel documents among 2 candidate pairs") for note in found["notes"])
    assert len(found["document_pairs"]["rows"]) == 2


def test_a_segment_that_is_lost_is_a_fault():
    work = FakeRun(SMALL).works[SMALL[0]]
    lost = replace(work, translations=work.translations[1:])
    (fault,) = [n for n in build(fake_run(SMALL, documents=[lost], aligned=()))["notes"] if n["level"] == "bad"]
    assert fault["text"].startswith("1 source segment ")


def test_an_unknown_model_is_a_fault():
    notes = build(fake_run(SMALL, models=()))["notes"]
    assert any(note["level"] == "bad" and "mekong-small" in note["text"] for note in notes)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_numbers_that_are_not_finite_are_refused(value):
    work = FakeRun(SMALL).works[SMALL[0]]
    (scored, verdict), *rest = work.pairs
    bad = (replace(scored, scores=scored.scores | {"similarity": value}), verdict)
    with pytest.raises(StoreError, match="similarity"):
        build(fake_run(SMALL, documents=[replace(work, pairs=(bad, *rest))], aligned=()))


def test_the_same_run_gives_the_same_bytes(tmp_path):
    """Also with another hash seed, hence once in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from tests.report.fake_run import fake_run;"
        "from pipeline.report.build import write_report; write_report(fake_run(), Path(sys.argv[1]))"
    )
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code, str(there)], check=True, env=environment)
    write_report(fake_run(), here)
    for name in ("report.html", "report.json"):
        assert (here / name).read_bytes() == (there / name).read_bytes()


def test_the_json_is_what_the_page_was_made_of(tmp_path):
    found = write_report(fake_run(SMALL), tmp_path)
    stored = json.loads((tmp_path / "report.json").read_text())
    assert stored == found
    assert (tmp_path / "report.html").read_text() == render(stored)


def test_memory_holds_only_what_is_shown(monkeypatch):
    """Ten times the documents: the report grows by counts alone once the caps are reached."""
    for name, cap in (("MAX_ROWS", 5), ("MAX_DOCUMENTS", 5), ("MAX_READING", 5)):
        monkeypatch.setattr(tally_module, name, cap)

    def documents(count):
        for number in range(count):
            name = f"d{number}"
            segment = Segment(f"{name}s", name, 0, 0, 0, 3, "กขค", "body")
            pair = Pair(f"{name}p", name, "", "th", (segment.id,), (), ((0, 3),), (), "กขค", "abc", "translated", 0.0)
            yield DocumentWork(
                Document(name, "th", "กขค", Source("in.jsonl", number + 1)),
                (segment,),
                (Translation(segment.id, "abc", "m", None, 1, 1, "looped", 2),),
                ((Scored(pair, {"similarity": number % 100 / 100}), Verdict(pair.id, True, ())),),
            )

    sizes = [len(json.dumps(build(fake_run(SMALL, documents=documents(n), aligned=())))) for n in (200, 2000)]
    assert sizes[1] < 1.05 * sizes[0]
