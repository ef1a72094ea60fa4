"""The translate stage, with an engine that says what the test tells it to."""

from collections.abc import Mapping, Sequence
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Request, Translator
from pipeline.stages.translate.draft import Draft, split
from pipeline.stages.translate.glossary import Glossary, GlossaryEntry
from pipeline.stages.translate.stage import TranslateContext, translate
from pipeline.types import Document, Segment, Source, Translation
from tests.support.translators import EchoEngine, Say, WordCodec


def made(
    texts: Sequence[str],
    say: Say,
    *,
    lang: str = "th",
    kinds: Mapping[int, str] | None = None,
    takes_hints: bool = True,
    entries: Sequence[GlossaryEntry] = (),
    limit: int = 400,
    tones: Literal["as written", "old", "new"] = "as written",
    **changes: object,
) -> tuple[list[Translation], WordCodec, EchoEngine]:
    codec, engine = WordCodec(say), EchoEngine()
    codec.takes_hints = takes_hints
    translator = Translator("tiny", "f", codec, engine, limit, vietnamese_tones=tones)
    document = Document("d", lang, "\n".join(texts), Source("d.txt"))
    segments = [
        Segment(f"d:{i}", "d", i, i, 0, len(text), text, (kinds or {}).get(i, "body"))  # type: ignore[arg-type]
        for i, text in enumerate(texts)
    ]
    context = TranslateContext(translator, {lang: Glossary(lang, entries)}, lambda n: None)
    done = list(translate(segments, {"d": document}, TranslateSettings(**changes), context))  # type: ignore[arg-type]
    return done, codec, engine


def test_every_segment_gets_its_own_translation_in_order() -> None:
    texts = ["ประชุม" * (n % 7 + 1) for n in range(40)]
    done, _, engine = made(texts, lambda request: f"meeting {len(request.text)} and some more words", batch_rows=8)
    assert [t.segment_id for t in done] == [f"d:{i}" for i in range(40)]
    assert [t.text for t in done] == [f"meeting {len(text)} and some more words" for text in texts]
    assert max(engine.batches) <= 8


def test_a_fault_is_sent_back_once_with_what_was_missing() -> None:
    def say(request: Request) -> str:
        return "The meeting in Hanoi has 25 people." if request.missing else "The meeting has people."

    done, codec, _ = made(["ประชุมที่ฮานอยมี 25 คน"], say, entries=[GlossaryEntry("ฮานอย", "Hanoi", "PROPN")])
    assert codec.requests[-1].missing == ("25", "Hanoi")
    assert (done[0].ended, done[0].attempts, done[0].problems) == ("stop", 2, ())
    assert done[0].hints == (("ฮานอย", "Hanoi"),)


def test_the_model_is_given_vietnamese_with_its_tones_as_it_knows_them() -> None:
    text = "Hòa Bình hoà bình qúy"
    for tones, shown in (("as written", text), ("old", "Hòa Bình hòa bình quý"), ("new", "Hoà Bình hoà bình quý")):
        _, codec, _ = made([text], lambda r: "Peace is dear in Hoa Binh.", lang="vi", takes_hints=False, tones=tones)
        assert codec.requests[0].text == shown
    _, codec, _ = made(["ประชุม hòa"], lambda r: "The meeting is in Hoa.", tones="new")
    assert codec.requests[0].text == "ประชุม hòa"


def test_what_still_fails_is_kept_and_marked() -> None:
    done, codec, _ = made(["ประชุมมี 25 คนที่กรุงฮานอย"], lambda request: "The meeting has people in Hanoi.")
    assert (done[0].ended, done[0].attempts) == ("incomplete", 2)
    assert done[0].text == "The meeting has people in Hanoi."
    assert done[0].problems == ("missing number 25",)
    assert len(codec.requests) == 2


def test_the_better_attempt_is_kept() -> None:
    def say(request: Request) -> str:
        return "I'm sorry, I cannot translate this." if request.missing else "The meeting has people in Hanoi."

    done, _, _ = made(["ประชุมมี 25 คนที่กรุงฮานอย"], say)
    assert (done[0].text, done[0].ended) == ("The meeting has people in Hanoi.", "incomplete")


def test_a_refusal_is_never_passed_as_good() -> None:
    done, _, _ = made(["นายกรัฐมนตรีเดินทางถึงกรุงฮานอย"], lambda request: "I'm sorry, but I cannot help with that.")
    assert done[0].ended == "refused"


def test_boilerplate_and_text_without_thai_are_skipped_with_their_text_kept() -> None:
    done, codec, _ = made(["https://news.example", "2025 ./.", "ประชุม"], lambda r: "meeting", kinds={0: "boilerplate"})
    assert [(t.ended, t.text) for t in done] == [("skipped", ""), ("skipped", "2025 ./."), ("stop", "meeting")]
    assert len(codec.requests) == 1


def test_dates_are_converted_before_the_prompt() -> None:
    _, codec, _ = made(["สถาปนาเมื่อ พ.ศ. 2535"], lambda request: "It was established in 1992.")
    assert "1992" in codec.requests[0].text and "2535" not in codec.requests[0].text


def test_a_name_that_the_document_spells_is_a_hint_in_all_of_it_and_asked_for() -> None:
    texts = ["นายมุคธาร์ ติเลอูเบอร์ดี (Mukhtar Tileuberdi) เดินทางถึง", "ติเลอูเบอร์ดีกล่าวสุนทรพจน์"]
    entries = [GlossaryEntry("ติเลอูเบอร์ดี", "Tileuberdi", "PROPN")]

    def say(request: Request) -> str:
        return "Mukhtar Tileuberdi arrived." if "(" in request.text else "He made a speech."

    done, codec, _ = made(texts, say)
    given = {request.text: request.hints for request in codec.requests if not request.missing}
    assert ("ติเลอูเบอร์ดี", "Tileuberdi") in given[texts[1]]
    assert [t.ended for t in done] == ["stop", "incomplete"] and done[1].problems == ("missing name Tileuberdi",)
    silent, codec, _ = made(texts, say, entries=entries, use_glossary=False)
    assert all(request.hints == () for request in codec.requests) and silent[1].ended == "stop"


def test_without_glossary_there_are_no_hints() -> None:
    entries = [GlossaryEntry("ฮานอย", "Hanoi", "PROPN")]
    done, codec, _ = made(["ประชุมที่ฮานอย"], lambda r: "meeting there", entries=entries, use_glossary=False)
    assert codec.requests[0].hints == () and done[0].ended == "stop"


def test_long_segments_are_cut_translated_apart_and_joined() -> None:
    text = "ประชุมครั้งแรก " * 30
    done, codec, _ = made([text.strip()], lambda request: "first meeting " * (len(request.text) // 15), limit=60)
    assert len(codec.requests) > 1 and all(len(request.text) <= 60 for request in codec.requests)
    assert done[0].src_tokens >= 30 * 14


@given(st.text(st.sampled_from("กข, ;ab1"), max_size=200), st.integers(1, 40))
@settings(max_examples=200)
def test_split_loses_nothing_and_keeps_the_limit(text: str, limit: int) -> None:
    text = " ".join(text.split())
    pieces = split(text, len, limit)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert all(len(piece) <= limit for piece in pieces)


@given(st.integers(0, 20_000), st.sampled_from(["ก", "ประชุม ", "ฮานอย, ", "ข" * 300 + " "]), st.sampled_from([60, 400]))
@settings(max_examples=30, deadline=None)
def test_the_model_is_given_no_text_over_its_limit_however_long_a_segment_is(
    length: int, unit: str, limit: int
) -> None:
    text = (unit * (length // len(unit) + 1))[:length].strip()
    document, segment = Document("d", "th", text, Source("a")), Segment("s", "d", 0, 0, 0, len(text), text, "body")
    translator = Translator("tiny", "f", CountingCodec(), EchoEngine(), limit)
    draft = Draft([segment], {"d": document}, TranslateSettings(use_glossary=False), translator, {})
    assert max((row.text_tokens for row in draft.inputs), default=0) <= limit
    assert "".join(row.request.text for row in draft.inputs).replace(" ", "") == text.replace(" ", "")


class CountingCodec:
    """A token a character, and nothing to look up."""

    takes_hints = False

    def encode(self, request: Request) -> list[int]:
        return [1] * len(request.text)

    def count(self, text: str) -> int:
        return len(text)

    def decode(self, tokens: Sequence[int]) -> str:
        return ""


def test_a_model_without_hints_searches_flagged_rows_again_with_care() -> None:
    loop = "the same the same the same the same the same the same the same the same"
    texts = ["ประชุมที่ฮานอยมี 25 คน", "ประชุมครั้งแรกของปีนี้"]
    done, _, engine = made(texts, lambda r: loop if "25" in r.text else "first meeting of the year", takes_hints=False)
    assert engine.careful == [False, True]
    assert engine.batches == [2, 1]
    assert [(t.text, t.ended, t.attempts) for t in done] == [
        ("The meeting in Hanoi has 25 people.", "stop", 2),
        ("first meeting of the year", "stop", 1),
    ]
    assert [t.notes for t in done] == [("decoded again in float32 on the CPU",), ()]


def test_a_careful_search_is_made_once_and_kept_only_when_it_is_better() -> None:
    done, _, engine = made(
        ["ประชุมที่ฮานอยมี 30 คน"], lambda r: "30 people met in Hanoi, it ประชุม", takes_hints=False, retries=3
    )
    assert engine.careful == [False, True]
    assert (done[0].text, done[0].ended, done[0].attempts) == ("30 people met in Hanoi, it ประชุม", "incomplete", 2)
    worse, _, engine = made(["ประชุมที่ฮานอยมี 25 คน"], lambda r: "25 people met in Hanoi.", takes_hints=False)
    assert engine.careful == [False] and worse[0].attempts == 1
