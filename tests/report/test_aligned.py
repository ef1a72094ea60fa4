from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.aligned import _rest, aligned_row
from pipeline.report.data import AlignedWork, DocumentWork
from pipeline.types import Document, DocumentPair, Pair, Reason, Scored, Segment, Source, Verdict


def work(name, lang, text, pairs=()):
    segments, at = [], 0
    for index, line in enumerate(text.split("\n")):
        kind = "boilerplate" if line.startswith("#") else "body"
        segments.append(Segment(f"{name}{index}", name, index, index, at, at + len(line), line, kind))
        at += len(line) + 1
    return DocumentWork(Document(name, lang, text, Source(f"{name}.txt")), tuple(segments), (), tuple(pairs))


def bead(name, src, tgt, *, keep=True, tgt_doc="en", origin="aligned"):
    pair = Pair(name, "th", tgt_doc, "th", (), (), src, tgt, "S" + name, "T" + name, origin, 0.1)
    reasons = () if keep else (Reason("similarity", "similarity 0.5 < 0.6"),)
    return Scored(pair, {"similarity": 0.5}), Verdict(name, keep, reasons)


def row(src_text, tgt_text, beads):
    pair = DocumentPair("th", "en", 0.9, 0.7, 0.8, 1.0, "parallel")
    return aligned_row(
        AlignedWork(pair, work("th", "th", src_text, beads), work("en", "en", tgt_text)), "similarity", "a"
    )


def test_unaligned_text_stands_in_its_place_between_the_beads():
    found = row(
        "หนึ่ง\nสอง\nสาม\n#ลิงก์",
        "one\nextra\nthree",
        [bead("2", ((10, 13),), ((10, 15),)), bead("1", ((0, 5),), ((0, 3),))],
    )
    assert [(r["bead"], r["kind"], r["src"], r["tgt"]) for r in found["rows"]] == [
        (1, "linked", "S1", "T1"),
        (None, "body", "สอง", ""),
        (None, "body", "", "extra"),
        (2, "linked", "S2", "T2"),
        (None, "boilerplate", "#ลิงก์", ""),
    ]
    assert [(s["bead"], s["kind"], s["characters"]) for s in found["left"]] == [
        (1, "linked", 5),
        (None, "body", 3),
        (2, "linked", 3),
        (None, "boilerplate", 6),
    ]
    assert [s["bead"] for s in found["right"]] == [1, None, 2]


def test_a_bead_may_cut_a_segment_and_leave_its_end():
    found = row("กขค งจ", "abc", [bead("1", ((0, 3),), ((0, 3),))])
    assert [(r["bead"], r["src"]) for r in found["rows"]] == [(1, "S1"), (None, "งจ")]


def test_pairs_of_other_documents_and_translations_are_no_beads():
    beads = [
        bead("1", ((0, 1),), ((0, 1),), keep=False),
        bead("2", ((2, 3),), ((2, 3),), tgt_doc="other"),
        bead("3", ((2, 3),), (), tgt_doc="", origin="translated"),
    ]
    found = row("ก ข", "a b", beads)
    assert found["kept"] == 0
    assert [r["bead"] for r in found["rows"] if r["bead"]] == [1]
    assert found["rows"][0]["reasons"] == ["similarity 0.5 < 0.6"] and found["rows"][0]["score"] == 0.5


@given(
    st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda p: tuple(sorted(p))), max_size=5),
)
def test_the_rest_is_what_no_span_covers(span, taken):
    covered = {i for start, end in taken for i in range(start, end)}
    rest = [i for start, end in _rest(tuple(span), sorted(taken)) for i in range(start, end)]
    assert rest == [i for i in range(*span) if i not in covered]
