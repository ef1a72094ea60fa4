from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.config.settings import AlignSettings, SegmentSettings
from pipeline.errors import ModelError
from pipeline.stages.align.lexicons import Lexicons, load_lexicons, no_lexicons
from pipeline.stages.align.matching import match
from pipeline.stages.align.sides import Side
from pipeline.stages.align.stage import SpanBead, align, align_cases, mine, span_beads
from pipeline.stages.segment.stage import segment
from pipeline.text.language import detect
from pipeline.text.unicode import normalise
from pipeline.types import Document, DocumentPair, Segment, Source, Translation
from tests.support.encoders import WordEncoder, use

ROOT = Path(__file__).resolve().parents[3]
GOLD = json.loads((ROOT / "tests" / "data" / "samples_gold.json").read_text("utf-8"))
SETTINGS = AlignSettings()

Links = list[tuple[list[str], list[str]]]


def sample_texts() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "samples").glob("*.txt")):
        yield path.name, path.read_text("utf-8")
    for line in (ROOT / "samples" / "agency.jsonl").read_text("utf-8").split("\n"):
        if line:
            row = json.loads(line)
            yield row["id"], row["text"]


def make_side(name: str, text: str, english: dict[str, str] | None = None, lang: str = "") -> Side:
    """A document; `english` maps segment texts to stand-in translations."""
    document = Document(name, lang or detect(text), text, Source(name))
    segments = tuple(segment([document], SegmentSettings()))
    translations = {
        found.id: Translation(found.id, english[found.text], "stand-in", None, 1, 1, "stop", 1)
        for found in segments
        if english and found.text in english
    }
    return Side(document, segments, translations)


def stand_in(links: Links) -> dict[str, str]:
    """Bad English for Vietnamese sentences: the gold English with every seventh word or so left out."""
    chance = random.Random(5)
    found = {}
    for sources, targets in links:
        words = " ".join(targets).split() or ["It", "is", "also", "said", "so"]
        for source in sources:
            kept = [word for word in words if chance.random() > 0.15]
            found[normalise(source, "vi").text] = " ".join(kept)
    return found


@cache
def samples() -> dict[str, Side]:
    found = {}
    for name, text in sample_texts():
        links = next((links for key, links in GOLD["sentences"].items() if key.split("|")[0] == name), [])
        found[name] = make_side(name, text, stand_in(links) if detect(text) == "vi" else None)
    return found


@cache
def judged() -> list[DocumentPair]:
    sides = samples().values()
    sources = [side for side in sides if side.document.lang != "en"]
    targets = [side for side in sides if side.document.lang == "en"]
    return match(sources, targets, SETTINGS, use())


def test_the_parallel_samples_are_found_and_nothing_else() -> None:
    parallel = {(pair.src_doc, pair.tgt_doc) for pair in judged() if pair.relation == "parallel"}
    assert parallel == {(source, target) for source, target in GOLD["document_pairs"]}


def test_the_comparable_sample_is_comparable_and_strangers_are_unrelated() -> None:
    comparable = {(pair.src_doc, pair.tgt_doc) for pair in judged() if pair.relation == "comparable"}
    assert comparable == {(source, target) for source, target in GOLD["comparable"]}


def test_candidates_come_best_first_and_no_more_than_asked_for() -> None:
    by_source: dict[str, list[DocumentPair]] = {}
    for pair in judged():
        by_source.setdefault(pair.src_doc, []).append(pair)
    assert len(by_source) == 8
    for pairs in by_source.values():
        assert len(pairs) == SETTINGS.candidates
        products = [pair.coverage * pair.bead_score for pair in pairs]
        assert products == sorted(products, reverse=True)


def gold_places(text: str, sentences: list[str]) -> list[tuple[int, int]]:
    places, done = [], 0
    for sentence in sentences:
        start = text.index(sentence, done)
        done = start + len(sentence)
        places.append((start, done))
    return places


def owner(beads: list[SpanBead], side: str, place: tuple[int, int]) -> int:
    """The bead that covers most of a gold sentence."""

    def covered(bead: SpanBead) -> int:
        return sum(max(0, min(end, place[1]) - max(start, place[0])) for start, end in getattr(bead, side))

    return max(range(len(beads)), key=lambda i: covered(beads[i]))


def strict_recall(name: str, other: str, links: Links) -> float:
    """Share of two-sided gold beads whose sentences, and no others, are in one bead."""
    src, tgt = samples()[name], samples()[other]
    beads = span_beads(src, tgt, use())
    found: dict[int, tuple[list[str], list[str]]] = {}
    for k, (side, text) in enumerate((("src_spans", src.document.text), ("tgt_spans", tgt.document.text))):
        sentences = [sentence for link in links for sentence in link[k]]
        for sentence, place in zip(sentences, gold_places(text, sentences), strict=True):
            found.setdefault(owner(beads, side, place), ([], []))[k].append(sentence)
    wanted = [(list(one), list(two)) for one, two in links if one and two]
    got = list(found.values())
    return sum(link in got for link in wanted) / len(wanted)


@pytest.mark.parametrize("key", GOLD["sentences"])
def test_most_sentences_of_the_samples_are_paired_as_in_the_gold(key: str) -> None:
    assert strict_recall(*key.split("|"), GOLD["sentences"][key]) >= 0.7


@pytest.mark.parametrize("key", GOLD["sentences"])
def test_every_unit_is_in_one_bead_and_spans_fit_the_texts(key: str) -> None:
    src, tgt = (samples()[name] for name in key.split("|"))
    beads = span_beads(src, tgt, use())
    for side, spans in ((src, [s for b in beads for s in b.src_spans]), (tgt, [s for b in beads for s in b.tgt_spans])):
        assert spans == sorted(spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
        covered = "".join("".join(side.document.text[start:end].split()) for start, end in spans)
        kept = (s for s in side.segments if s.kind != "boilerplate")
        expected = "".join("".join(side.document.text[s.start : s.end].split()) for s in kept)
        assert covered == expected


def test_pairs_are_normalised_and_name_their_segments() -> None:
    name, other = "th-02-fruit-exports.txt", "en-01-orchards-and-borders.txt"
    src, tgt = samples()[name], samples()[other]
    pairs = list(align(DocumentPair(name, other, 1, 1, 1, 1, "parallel"), src, tgt, use()))
    by_id = {found.id: found for found in (*src.segments, *tgt.segments)}
    assert len({pair.id for pair in pairs}) == len(pairs) > 10
    for pair in pairs:
        assert pair.origin == "aligned" and pair.src_lang == "th"
        assert pair.src_text == normalise(pair.src_text, "th").text and "\u0e4d" not in pair.src_text
        for ids, spans in ((pair.src_segments, pair.src_spans), (pair.tgt_segments, pair.tgt_spans)):
            assert ids and all(by_id[i].kind != "boilerplate" for i in ids)
            assert by_id[ids[0]].start <= spans[0][0] and spans[-1][1] <= by_id[ids[-1]].end
    headline = pairs[0]
    assert headline.src_text == "ส่งออกผลไม้ไทย 7 เดือนแรกโตร้อยละ 9.3 ทุเรียนยังนำโด่ง"
    assert headline.tgt_text == "Durian still far ahead as Thai fruit exports grow 9.3 per cent"


def words_side(name: str, lang: str, *lines: str) -> Side:
    return make_side(name, "\n".join(lines), lang=lang)


LINES = [
    "Ala besto cinder dolmen erratic fundus glow.",
    "Hinter iskar jolt kiln lumen mortar naphtha.",
    "Opal prism quartz rubble shale talus umber vent.",
    "Wadi xenolith yardang zeolite agate basalt chert.",
]


def test_boilerplate_is_left_out_and_a_match_is_one_to_one() -> None:
    encoder = WordEncoder(["en", "vi"])
    full = [words_side(f"v{i}", "vi", *LINES[: 4 - i], *["Other words here."] * i) for i in range(2)]
    target = words_side("e", "en", *LINES)
    found = match(full, [target], SETTINGS, encoder)
    assert [(pair.src_doc, pair.relation) for pair in found] == [("v0", "parallel"), ("v1", "comparable")]

    link = Segment("v0:x", "v0", 9, 9, 0, len(LINES[0]), LINES[0], "boilerplate")
    partly = Side(full[0].document, (link, *full[0].segments[1:]), {})
    texts = [pair.src_text for pair in align(found[0], partly, target, encoder)]
    assert texts == LINES[1:]


VISITS = [f"Hội nghị lần {n} tại Lyon có {n}21 đại biểu." for n in range(2, 8)]
VISITS_IN_ENGLISH = [f"Conference {n} in Lyon had {n}21 delegates." for n in range(2, 8)]


def relation(vietnamese: list[str], english: list[str], translations: dict[str, str] | None = None) -> str:
    source = make_side("v", "\n".join(vietnamese), translations, lang="vi")
    (pair,) = match([source], [words_side("e", "en", *english)], SETTINGS, WordEncoder(["en"]))
    return pair.relation


def test_without_any_vectors_the_order_of_names_and_numbers_decides() -> None:
    assert relation(VISITS, VISITS_IN_ENGLISH) == "parallel"
    assert relation(VISITS, [VISITS_IN_ENGLISH[i ^ 1] for i in range(6)]) == "comparable"
    assert relation(VISITS, VISITS_IN_ENGLISH * 2) != "parallel"
    assert relation(VISITS, ["Nothing is said here of any number or name."] * 6) == "unrelated"
    assert relation(VISITS, VISITS_IN_ENGLISH, dict(zip(VISITS, VISITS_IN_ENGLISH, strict=True))) == "parallel"


def test_the_same_sentences_in_another_order_are_not_parallel() -> None:
    source = words_side("v", "vi", *LINES)
    for order, parallel in (((0, 1, 2, 3), True), ((1, 0, 3, 2), False)):
        target = words_side("e", "en", *(LINES[i] for i in order))
        (pair,) = match([source], [target], AlignSettings(min_coverage=0), WordEncoder(["en", "vi"]))
        assert (pair.relation == "parallel") == (pair.monotony == 1) == parallel


def test_mining_finds_sentences_out_of_order_in_several_documents_but_no_boilerplate() -> None:
    encoder = WordEncoder(["en", "vi"])
    source = words_side("v", "vi", *LINES, "Nothing of this kind is elsewhere.")
    link = Segment("v:x", "v", 9, 9, 0, len(LINES[0]), LINES[0], "boilerplate")
    source = Side(source.document, (link, *source.segments[1:]), {})
    targets = [
        words_side("a", "en", LINES[3], "Quite another thing.", LINES[1]),
        words_side("b", "en", LINES[0], LINES[2]),
    ]
    found = list(mine(source, targets, AlignSettings(mine=True, min_margin=1.5), encoder))
    assert [(pair.tgt_doc, pair.src_text, pair.tgt_text) for pair in found] == [
        ("a", LINES[1], LINES[1]),
        ("b", LINES[2], LINES[2]),
        ("a", LINES[3], LINES[3]),
    ]
    assert all(pair.origin == "mined" and pair.margin and pair.margin >= 1.5 for pair in found)
    assert len({pair.id for pair in found}) == 3
    unread = words_side("v", "vi", *LINES)
    assert list(mine(unread, targets, AlignSettings(mine=True), WordEncoder(["en"]))) == []


def test_pairs_carry_the_margin_of_vectors_only_and_how_far_they_moved() -> None:
    pair = DocumentPair("v", "e", 1, 1, 1, 1, "parallel")
    source, target = words_side("v", "vi", *LINES), words_side("e", "en", *LINES)
    found = list(align(pair, source, target, WordEncoder(["en", "vi"])))
    assert [one.displacement for one in found] == [0, 0, 0, 0]
    assert all(one.margin and one.margin > 0.2 for one in found)
    assert {one.margin for one in align(pair, source, target, WordEncoder(["en"]))} == {None}


def test_failed_translations_say_nothing() -> None:
    encoder = WordEncoder(["en"])
    side = make_side("v", "Một hai ba bốn.", {"Một hai ba bốn.": "One two three four."}, lang="vi")
    looped = {key: Translation(key, "the the the", "m", None, 1, 3, "looped", 2) for key in side.translations}
    span_beads(Side(side.document, side.segments, looped), words_side("e", "en", "One two three four."), encoder)
    assert encoder.seen == []


def test_empty_documents_are_unrelated_and_have_no_beads() -> None:
    encoder = WordEncoder(["en", "th"])
    empty, target = make_side("t", "", lang="th"), words_side("e", "en", *LINES)
    assert [pair.relation for pair in match([empty], [target], AlignSettings(min_similarity=0), encoder)] == [
        "unrelated"
    ]
    assert all(not bead.src_spans for bead in span_beads(empty, target, encoder))
    assert span_beads(empty, make_side("e", "", lang="en"), encoder) == []
    assert match([], [target], SETTINGS, encoder) == []


def test_an_encoder_without_english_is_refused() -> None:
    with pytest.raises(ModelError, match="English"):
        span_beads(words_side("v", "vi", *LINES), words_side("e", "en", *LINES), WordEncoder(["vi"]))


def test_english_is_not_encoded_for_a_source_that_nothing_reads() -> None:
    encoder = WordEncoder(["en"])
    source, target = words_side("v", "vi", *LINES), words_side("e", "en", *LINES)
    assert any(bead.src_spans and bead.tgt_spans for bead in span_beads(source, target, encoder))
    case = {"id": "c", "src_text": " ".join(VIETNAMESE), "tgt_text": " ".join(ENGLISH)}
    assert list(align_cases([case], encoder))
    assert encoder.seen == []


def test_cases_give_spans_and_scores() -> None:
    src_text = "ราคาข้าวเพิ่มขึ้น รัฐบาลกล่าว\nฝนตกหนักในเชียงใหม่"
    tgt_text = "Rice prices have gone up, the government says. Heavy rain fell in Chiang Mai."
    case = {"id": "c", "src_text": src_text, "tgt_text": tgt_text}
    (found,) = align_cases([case], use())
    assert found["id"] == "c"
    assert [(bead["src"], bead["tgt"]) for bead in found["beads"]] == [
        (((0, 29),), ((0, 46),)),
        (((30, 49),), ((47, 77),)),
    ]
    assert all(0.4 < bead["score"] <= 1 for bead in found["beads"])


VIETNAMESE = ["Ông Trần Văn Minh đến Hà Nội hôm 12/5.", "Trời mưa to cả ngày.", "Giá gạo tăng 8,5 % trong năm 2024."]
ENGLISH = ["Trần Văn Minh arrived in Hanoi on May 12.", "It rained all day.", "Rice prices rose 8.5% in 2024."]


def vietnamese_pairs(english: list[str], lexicons: Lexicons) -> list[tuple[str, str]]:
    case = {"id": 7, "src_text": " ".join(VIETNAMESE), "tgt_text": " ".join(english)}
    (found,) = align_cases([case], use(), lexicons)
    assert json.loads(json.dumps(found))["beads"]
    pairs = []
    for bead in found["beads"]:
        src = " ".join(case["src_text"][start:end] for start, end in bead["src"])
        pairs.append((src, " ".join(case["tgt_text"][start:end] for start, end in bead["tgt"])))
    return pairs


def test_vietnamese_cases_are_aligned_by_a_lexicon() -> None:
    pairs = vietnamese_pairs(ENGLISH, load_lexicons("auto"))
    assert pairs == list(zip(VIETNAMESE, ENGLISH, strict=True))


def test_without_a_lexicon_they_are_aligned_by_length_and_anchors() -> None:
    pairs = vietnamese_pairs([ENGLISH[0], ENGLISH[2]], no_lexicons)
    assert (VIETNAMESE[2], ENGLISH[2]) in pairs
