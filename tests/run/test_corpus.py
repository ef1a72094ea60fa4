"""`mekong filter` from outside, with an encoder that counts letters."""

import importlib

import orjson
import pytest

from pipeline.engines.encoders import load
from pipeline.errors import Interrupted
from pipeline.registry import models
from pipeline.report.rows import SHOWN_CHARS
from pipeline.run.corpus import CorpusFilter
from pipeline.run.stop import Stop
from pipeline.view.review import Review
from tests.support.encoders import LetterEncoder
from tests.support.runs import ENGLISH, VIETNAMESE, lines, mekong

SETS = ("--set", "run.shard_chars=150", "--lang", "vi", "--quiet")


@pytest.fixture(autouse=True)
def encoder(monkeypatch):
    importlib.import_module("pipeline.engines.load")  # what it imports by name must be the real thing for later tests
    made = LetterEncoder("vi", "en")
    monkeypatch.setattr(load, "load_encoder", lambda entry, *_, **__: made)
    monkeypatch.setattr(models, "locate", lambda entry: None)
    monkeypatch.setattr(models, "fingerprint", lambda entry: "0")
    lock = models.Lock(name="", source="test", version="1", licence="Apache-2.0", files={})
    monkeypatch.setattr(models, "read_lock", lambda entry: lock)
    return made


@pytest.fixture
def corpus(tmp_path):
    rows = [*zip(VIETNAMESE, ENGLISH, strict=False), (VIETNAMESE[0], ENGLISH[0]), ("Bản tin số 4", "Copied " * 20)]
    path = tmp_path / "crawl.tsv"
    path.write_text("".join(f"{source}\t{english}\n" for source, english in rows) + "broken\n", "utf-8")
    return path


def files(folder):
    """The bytes of every file."""
    found = {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {path: data for path, data in found.items() if path.name not in ("manifest.json", "config.yaml")}


def test_every_pair_is_kept_or_rejected_with_reason_and_every_bad_line_set_aside(monkeypatch, capfd, tmp_path, corpus):
    out = tmp_path / "out"
    assert mekong(monkeypatch, "filter", corpus, "--out", out, "--json", *SETS) == 0
    counts = orjson.loads(capfd.readouterr().out)["counts"]
    kept, rejected = lines(out / "corpus" / "pairs.jsonl"), lines(out / "rejected_pairs.jsonl")
    assert counts["pairs"] == len(kept) + len(rejected) == 5
    assert (counts["kept"], counts["set_aside"]) == ({"vi": len(kept)}, 1)
    assert [row["reasons"] for row in rejected if row["id"] == "crawl.tsv:4"] == [["duplicate of crawl.tsv:1"]]
    assert counts["alone"]["duplicate"] == 1
    assert all(row["origin"] == "aligned" and row["scores"]["alignment_cost"] is None for row in kept + rejected)
    assert all(row["scores"]["ending"] is not None for row in kept)
    assert [(row["line"], row["reason"][:6]) for row in lines(out / "rejected.jsonl")] == [(6, "no tab")]
    assert (out / "corpus" / "corpus.vi-en.vi").read_text("utf-8").count("\n") == len(kept)


def test_other_rules_score_nothing_again_and_another_line_only_its_shard(monkeypatch, capfd, tmp_path, corpus, encoder):
    out = tmp_path / "out"

    def scored(*more):
        assert mekong(monkeypatch, "filter", corpus, "--out", out, "--json", *SETS, *more) == 0
        return orjson.loads(capfd.readouterr().out)["counts"]

    assert scored()["scored_now"] == 5
    strict = scored("--set", "filter.rules.similarity.min=1")
    assert (strict["scored_now"], strict["kept"]) == (0, {"vi": 0})
    assert strict["reasons"]["similarity"] == 5
    corpus.write_text(corpus.read_text("utf-8").replace("Copied ", "Changed ", 1), "utf-8")
    assert 0 < scored()["scored_now"] < 5


def test_stopped_and_gone_on_gives_the_same_bytes(monkeypatch, tmp_path, corpus):
    whole, parts = tmp_path / "whole" / "out", tmp_path / "parts" / "out"
    assert mekong(monkeypatch, "filter", corpus, "--out", whole, *SETS) == 0

    def check(self):
        if list((parts / "shards" / "score").glob("[0-9]*")):
            raise Interrupted("stopped", "")

    with monkeypatch.context() as patch:
        patch.setattr(Stop, "check", check)
        assert mekong(monkeypatch, "filter", corpus, "--out", parts, *SETS) == 130
    assert list((parts / "shards" / "score").glob("*.jsonl.zst"))
    assert not (parts / "corpus").exists()
    assert mekong(monkeypatch, "filter", corpus, "--out", parts, *SETS) == 0
    assert files(parts) == files(whole)


def test_what_was_filtered_can_be_looked_at_and_decided_by_hand(monkeypatch, capfd, tmp_path, corpus):
    out = tmp_path / "out"
    assert mekong(monkeypatch, "filter", corpus, "--out", out, *SETS) == 0
    report = orjson.loads((out / "report.json").read_bytes())
    kept, rejected = lines(out / "corpus" / "pairs.jsonl"), lines(out / "rejected_pairs.jsonl")
    counts = report["counts"]["pairs"]
    assert (counts["kept"], counts["rejected"], counts["without_licence"]) == (len(kept), len(rejected), 5)
    assert {row["reason"]: row["pairs"] for row in report["attrition"]}["duplicate"] == 1
    assert report["rejects"]["total"] == report["counts"]["rejected_inputs"] == 1
    shown = {row["id"] for table in report["examples"] for row in table["rows"]}
    assert shown == {row["id"] for row in kept + rejected}

    review = Review(out, pytest.fail)
    page = review.pairs({"show": "kept", "facets": "true"})
    assert [row["pair"] for row in page["rows"]] == [row["id"] for row in kept] and not page["facets"]["documents"]
    chosen, copy = page["rows"][0], review.pairs({"reason": "duplicate"})["rows"][0]
    for row, keep in ((chosen, False), (copy, True)):
        review.decide(orjson.dumps({"pair": row["pair"], "text": row["text"], "keep": keep}))

    for again in (("report", out, "--quiet"), ("filter", corpus, "--out", out, *SETS)):
        assert mekong(monkeypatch, *again) == 0
        ids = [row["id"] for row in lines(out / "corpus" / "pairs.jsonl")]
        assert chosen["pair"] not in ids and copy["pair"] in ids
        manifest = orjson.loads((out / "manifest.json").read_bytes())
        assert manifest["counts"]["reasons"]["rejected by hand"] == 1
        made = orjson.loads((out / "report.json").read_bytes())["counts"]["pairs"]
        assert (made["accepted_by_hand"], made["rejected_by_hand"]) == (1, 1)
    assert mekong(monkeypatch, "report", out, out) == 1
    assert "was made by `mekong filter`" in capfd.readouterr().err


def test_a_report_again_of_a_corpus_that_was_never_finished_says_so(monkeypatch, capfd, tmp_path, corpus):
    out = tmp_path / "out"
    assert mekong(monkeypatch, "filter", corpus, "--out", out, *SETS) == 0
    (out / "manifest.json").unlink()
    assert mekong(monkeypatch, "report", out) == 1
    assert "Finish it with `mekong filter` first" in capfd.readouterr().err


def test_held_out_texts_and_the_preset(monkeypatch, tmp_path, corpus):
    held, out = tmp_path / "dev.en", tmp_path / "out"
    held.write_text(ENGLISH[1].replace("signed", "have signed") + "\n", "utf-8")
    given = ("--held-out", held, "--preset", "keep-most")
    assert mekong(monkeypatch, "filter", corpus, "--out", out, *given, *SETS) == 0
    reasons = {row["id"]: row["reasons"] for row in lines(out / "rejected_pairs.jsonl")}
    assert any(reason.startswith("held-out dev.en:1 (") for reason in reasons["crawl.tsv:2"])
    manifest = orjson.loads((out / "manifest.json").read_bytes())
    assert list(manifest["held_out"]) == [held.name]


def test_what_cannot_work_is_refused_before_anything_is_made(monkeypatch, capfd, tmp_path, corpus):
    out = tmp_path / "out"
    for arguments, code, word in (
        ((corpus,), 2, "--lang"),
        ((corpus, "--lang", "lo"), 2, "'lo'"),
        ((corpus, "--lang", "vi", "--held-out", tmp_path / "none.en"), 1, "none.en does not exist"),
        ((corpus, "--lang", "vi", "--preset", "stric"), 2, "did you mean 'strict'"),
        ((corpus, "--lang", "vi", "--set", "filter.rules.similarty.min=1"), 2, "did you mean 'similarity'"),
    ):
        assert mekong(monkeypatch, "filter", *arguments, "--out", out) == code
        assert word in capfd.readouterr().err
        assert not (out / "corpus").exists()


def test_an_input_without_pairs_says_where_the_reasons_are(monkeypatch, capfd, tmp_path):
    path = tmp_path / "bad.tsv"
    path.write_text("one\ntwo\n")
    assert mekong(monkeypatch, "filter", path, "--out", tmp_path / "out", *SETS) == 1
    assert "no pair in the input (2 lines set aside)" in capfd.readouterr().err
    assert len(lines(tmp_path / "out" / "rejected.jsonl")) == 2


def test_pairs_that_state_no_licence_have_that_of_the_settings(monkeypatch, capfd, tmp_path, encoder):
    path, out = tmp_path / "own.jsonl", tmp_path / "out"
    first = {"id": "a", "src": VIETNAMESE[0], "tgt": ENGLISH[0], "licence": "MIT", "tgt_path": "x"}
    second = {"id": "b", "src": VIETNAMESE[1], "tgt": ENGLISH[1], "tgt_path": "x"}
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in (first, second)))

    def licences(*more):
        assert mekong(monkeypatch, "filter", path, "--out", out, "--preset", "none", "--json", *SETS, *more) == 0
        rows = lines(out / "corpus" / "pairs.jsonl")
        card = (out / "corpus" / "README.md").read_text()
        assert all(f"- {row['licence'] or 'not stated'}\n" in card for row in rows)
        return [row["licence"] for row in rows], orjson.loads(capfd.readouterr().out)["counts"]["scored_now"]

    assert licences("--set", "read.licence=CC-BY-4.0") == (["MIT", "CC-BY-4.0"], 2)
    assert licences("--licence", "CC0-1.0") == (["MIT", "CC0-1.0"], 0)
    assert licences() == (["MIT", ""], 0)


def test_pairs_say_who_made_the_english(monkeypatch, tmp_path):
    """A machine's English stays marked as such, and rules of the guards do not apply to it."""
    path = tmp_path / "own.jsonl"
    row = {"src_text": VIETNAMESE[0], "tgt_text": ENGLISH[0], "src_lang": "vi", "origin": "translated", "model": "x"}
    path.write_bytes(orjson.dumps(row))
    rules = ("--preset", "none", "--set", "filter.rules.guard.min=1")
    assert mekong(monkeypatch, "filter", path, "--out", tmp_path / "out", "--quiet", *rules) == 0
    (kept,) = lines(tmp_path / "out" / "corpus" / "pairs.jsonl")
    assert (kept["generated_by_machine"], kept["model"], kept["scores"]["guard"]) == (True, "x", None)


def test_pairs_of_one_id_are_reported_and_decided_like_others(monkeypatch, capfd, tmp_path):
    pairs = zip(VIETNAMESE, ENGLISH, strict=False)
    rows = [{"id": "article-7", "src": source, "tgt": english} for source, english in pairs]
    path, out = tmp_path / "articles.jsonl", tmp_path / "out"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    assert mekong(monkeypatch, "filter", path, "--out", out, "--preset", "none", *SETS) == 0
    review = Review(out, pytest.fail)
    row = review.pairs({})["rows"][0]
    review.decide(orjson.dumps({"pair": row["pair"], "text": row["text"], "keep": False}))
    capfd.readouterr()
    assert mekong(monkeypatch, "report", out, "--quiet") == 0
    assert "not applied" not in capfd.readouterr().err


def test_what_was_read_anew_but_not_scored_is_not_published(monkeypatch, capfd, tmp_path, corpus):
    out = tmp_path / "out"
    assert mekong(monkeypatch, "filter", corpus, "--out", out, *SETS) == 0
    before = (out / "corpus" / "pairs.jsonl").read_bytes()
    corpus.write_text(corpus.read_text("utf-8").replace("Copied ", "Changed ", 1), "utf-8")

    def stopped(self):
        raise Interrupted("stopped", "")

    with monkeypatch.context() as patch:
        patch.setattr(CorpusFilter, "_score", stopped)
        assert mekong(monkeypatch, "filter", corpus, "--out", out, *SETS) == 130
    assert mekong(monkeypatch, "report", out) == 1
    assert "is being made anew" in capfd.readouterr().err
    assert (out / "corpus" / "pairs.jsonl").read_bytes() == before


def test_damaged_decisions_end_it_before_the_scoring(monkeypatch, capfd, tmp_path, corpus):
    out = tmp_path / "out"
    out.mkdir()
    (out / "decisions.jsonl").write_text("broken\n{}\n")
    assert mekong(monkeypatch, "filter", corpus, "--out", out, *SETS) == 1
    assert "line 1 is no decision" in capfd.readouterr().err
    assert not (out / "shards" / "score").exists()


def test_a_text_as_long_as_a_page_is_cut_in_the_report(monkeypatch, tmp_path):
    path, out = tmp_path / "pages.tsv", tmp_path / "out"
    path.write_text(f"{VIETNAMESE[0] * 400}\t{ENGLISH[0] * 400}\n", "utf-8")
    assert mekong(monkeypatch, "filter", path, "--out", out, *SETS) == 0
    report = orjson.loads((out / "report.json").read_bytes())
    shown = [row for table in report["examples"] for row in table["rows"]]
    assert shown and all(
        len(row[side]) == SHOWN_CHARS and row[side][-1] == "…" for row in shown for side in ("src", "tgt")
    )
