"""Matching over many documents: what it rests on, and what is held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.config.settings import AlignSettings
from pipeline.stages.align import candidates, matching
from pipeline.stages.align.encoded import View
from pipeline.stages.align.matching import match
from pipeline.stages.align.profiles import profile
from pipeline.stages.align.sides import Side
from pipeline.types import Document, DocumentPair, Segment, Source, Translation
from tests.support.encoders import WordEncoder

SETTINGS = AlignSettings(candidates=3)
WORDS = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike oscar papa".split()  # noqa: SIM905


def side(name: str, lang: str, *lines: str) -> Side:
    text = "\n".join(lines)
    starts = np.cumsum([0, *(len(line) + 1 for line in lines)]).tolist()
    segments = [
        Segment(f"{name}:{n}", name, n, 0, start, start + len(line), line, "body")
        for n, (start, line) in enumerate(zip(starts, lines, strict=False))
    ]
    return Side(Document(name, lang, text, Source(name)), tuple(segments), {})


def told(lang: str, number: int) -> list[Side]:
    """Documents of four sentences; those of the same number in two languages say the same."""
    chance = np.random.default_rng(3)
    rows = [[" ".join(chance.choice(WORDS, 6)) + "." for _ in range(4)] for _ in range(number)]
    return [side(f"{lang}{n}", lang, *row) for n, row in enumerate(rows)]


def matched() -> list[DocumentPair]:
    return match(told("vi", 9), told("en", 20), SETTINGS, WordEncoder(["vi", "en"]))


def test_counterparts_are_parallel_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = matched()
    parallel = [(pair.src_doc, pair.tgt_doc) for pair in found if pair.relation == "parallel"]
    assert parallel == [(f"vi{n}", f"en{n}") for n in range(9)]
    assert [pair.src_doc for pair in found] == [f"vi{n}" for n in range(9) for _ in range(3)]
    monkeypatch.setattr(candidates, "CELLS", 1)  # a source at a time
    for threads in (1, 3):
        monkeypatch.setattr(matching, "cores", lambda threads=threads: threads)
        assert matched() == found


def test_a_profile_is_that_of_the_content_whatever_its_name_and_what_stands_beside_it() -> None:
    encoder = WordEncoder(["vi", "en"])
    one = side("a", "vi", "Hội nghị lần 5.", "Tại Lyon.")
    first = profile(one, encoder)
    assert first.numbers is not None and first.anchors["number 5"] == 1
    assert replace(profile(side("b", "vi", "Hội nghị lần 5.", "Tại Lyon."), encoder), doc_id="a") == first
    said = replace(one, translations={"a:0": Translation("a:0", "The fifth.", "m", None, 1, 1, "stop", 1)})
    footer = replace(one, segments=(one.segments[0], replace(one.segments[1], kind="boilerplate")))
    others = [
        side("a", "vi", "Hội nghị lần 5.", "Tại Lyon!"),
        side("a", "th", "Hội nghị lần 5.", "Tại Lyon."),
        said,
        footer,
    ]
    assert len({profile(other, encoder).content for other in (one, *others)}) == 5
    failed = replace(said, translations={"a:0": replace(said.translations["a:0"], ended="failed")})
    assert profile(failed, encoder) == first
    unread = profile(one, WordEncoder(["en"]))
    assert unread.numbers is None and unread.content == first.content


def test_a_target_is_made_ready_once_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    ready = matching.view_of_target

    def counted(target: Side, *rest: object) -> View:
        made.append(target.document.id)
        return ready(target, *rest)

    monkeypatch.setattr(matching, "view_of_target", counted)
    whole = matched()
    assert len(made) == len(set(made))
    once = len(made)
    made.clear()
    monkeypatch.setattr(matching, "VIEWS_HELD", 1)
    assert matched() == whole and len(made) > once


def test_sources_that_nobody_reads_stand_beside_those_that_are_read() -> None:
    plain = [side(f"v{n}", "vi", f"Hội nghị lần {n} tại Lyon có {n}21 đại biểu.") for n in range(2, 6)]
    english = [side(f"e{n}", "en", f"Conference {n} in Lyon had {n}21 delegates.") for n in range(2, 6)]
    english_of = {"v3:0": Translation("v3:0", english[1].document.text, "m", None, 1, 1, "stop", 1)}
    read = replace(plain[1], translations=english_of)
    found = match([plain[0], read, *plain[2:]], english, AlignSettings(candidates=1), WordEncoder(["en"]))
    assert [(pair.src_doc, pair.tgt_doc) for pair in found] == [(f"v{n}", f"e{n}") for n in range(2, 6)]
    # Alone, each is compared as it is among the others but for how rare its anchors are there.
    assert found[1].similarity > 0.9 > found[0].similarity > 0.5
