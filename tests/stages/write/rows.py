"""Rows to write: a plain one to change, and a strategy for nasty ones."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.registry.facts import ModelFacts
from pipeline.report.card import CardFacts
from pipeline.stages.write.record import CorpusRow
from pipeline.types import Pair, Reason, Scored, Source, Verdict

MODEL = ModelFacts("tiny-mt", "translation", "package tiny-mt 1.0", "1.0", "ab" * 32, "Apache-2.0", True)
FACTS = CardFacts("news", "0.1.0", (MODEL,), {"length_ratio": "ratio|v1", "similarity": "use|v3"})

NASTY = [
    "\x00",
    "\x07",
    "\x0b",
    "\x0c",
    "\x1b[31m",
    "\x1c",
    "\x85",
    "\r\n",
    "\r",
    "\n",
    "\t",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\ufffe",
    "\uffff",
    "]]>",
    "<!DOCTYPE x>",
    "&amp;",
    "'\"",
    "\\",
    " ",
    "👩‍👩‍👧",
    "\U0010ffff",
    "ก็่",
    "ำ",
    "\u0e4d\u0e32",
    "ế",
    "e\u0302\u0301",
]
texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=8), max_size=6).map("".join)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
spans = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999)), max_size=3).map(tuple)


def row(
    name="p1",
    *,
    src="สวัสดี",
    tgt="Hello",
    lang="th",
    origin="translated",
    keep=True,
    scores=None,
    licence="CC0-1.0",
    english_licence="CC-BY-4.0",
    src_spans=((0, 6),),
):
    aligned = origin == "aligned"
    pair = Pair(
        id=name,
        src_doc="doc-a",
        tgt_doc="doc-b" if aligned else "",
        src_lang=lang,
        src_segments=("s1",),
        tgt_segments=("s2",) if aligned else (),
        src_spans=src_spans,
        tgt_spans=((3, 8),) if aligned else (),
        src_text=src,
        tgt_text=tgt,
        origin=origin,
        cost=0.5 if aligned else 0.0,
    )
    return CorpusRow(
        scored=Scored(pair, {"length_ratio": 0.9, "similarity": None} if scores is None else scores),
        verdict=Verdict(name, keep, () if keep else (Reason("similarity", "similarity 0.1 < 0.4"),)),
        source=Source("in/a.txt", url="https://news.example/a", licence=licence),
        english=Source("in/b.jsonl", line=3, licence=english_licence) if aligned else None,
        model="" if aligned else "tiny-mt",
    )


@st.composite
def rows(draw, max_size=8):
    """Some rows with distinct ids."""
    return [
        row(
            f"p{index}",
            src=draw(texts),
            tgt=draw(texts),
            lang=draw(st.sampled_from(["th", "vi"])),
            origin=draw(st.sampled_from(["translated", "aligned"])),
            keep=draw(st.booleans()),
            licence=draw(texts),
            scores={"length_ratio": draw(numbers), "similarity": draw(numbers)},
            src_spans=draw(spans),
        )
        for index in range(draw(st.integers(0, max_size)))
    ]
