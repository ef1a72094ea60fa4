import gzip

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.settings import FilterSettings
from pipeline.errors import InputError
from pipeline.stages.filter.held_out import OVERLAP, SHORTEST, HeldOut, check_unchanged, digests, load_held_out
from pipeline.stages.filter.shingles import comparable, letters, shingles
from pipeline.stages.filter.stage import filter_pairs
from pipeline.types import Scored
from tests.stages.score.build import pair

TEST = "The fishing fleet stayed in the harbour because a storm was moving up the coast."
THAI = "กองเรือประมงจอดอยู่ในท่าเพราะพายุกำลังเคลื่อนตัวขึ้นมาตามชายฝั่งตะวันตกของประเทศ"


def found(text, *held):
    return HeldOut((f"f:{i}", line) for i, line in enumerate(held, 1)).find(comparable(text))


@pytest.mark.parametrize(
    "text",
    [
        TEST,
        TEST.upper().replace(" ", "  "),
        "The fishing fleet stayed in harbour , because a storm was moving up the coast",
        f"Officials spoke on Friday. {TEST} No one was hurt, they said, and markets were open.",
        "The fishing fleet stayed in the harbour because a storm was moving",
    ],
)
def test_copies_edits_and_containment_both_ways_are_found(text):
    match = found(text, "Something else altogether was said about the price of rice.", TEST)
    assert match is not None
    assert match.place == "f:2"
    assert OVERLAP <= match.overlap <= 1


def test_thai_is_found_inside_a_longer_sentence():
    assert found(f"ชาวบ้านกล่าวว่า {THAI} และจะออกเรืออีกครั้งในวันพรุ่งนี้", THAI).overlap == 1


def test_other_sentences_of_the_same_words_are_not_found():
    assert found("A storm moved the coast guard to keep fishing boats from leaving the harbour.", TEST) is None


def test_short_texts_are_only_found_as_a_whole():
    assert found(TEST, "Storm", "the harbour", "Photo: Fleet") is None
    assert found("storm!", "Storm").place == "f:1"
    assert found("the coast", TEST) is None


def test_the_nearest_is_named_and_the_first_of_equals():
    longer = f"{TEST} It had been forecast."
    assert found(TEST, longer, TEST).place == "f:2"
    assert found(f"{TEST} Yes.", TEST + " Nobody complained.", TEST).place == "f:2"
    assert found(TEST[:60], longer, TEST).place == "f:1"


PHRASES = [TEST[:41], TEST[41:], "a long line about the weather in the north", "prices of rubber rose for a week", "x"]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(PHRASES), min_size=1, max_size=3), min_size=1, max_size=5),
    st.lists(st.sampled_from(PHRASES), min_size=1, max_size=4),
)
def test_nothing_over_the_limit_is_missed(held, text):
    """Against a comparison with every held-out text."""
    lines, text = [" ".join(parts) for parts in held], " ".join(text)
    best = 0.0
    for line in lines:
        one, other = letters(comparable(line)), letters(comparable(text))
        if one == other:
            best = 1.0
        elif min(len(one), len(other)) >= SHORTEST:
            ours, theirs = shingles(one), shingles(other)
            best = max(best, len(ours & theirs) / min(len(ours), len(theirs)))
    match = found(text, *lines)
    assert (match.overlap if match else 0.0) == (best if best >= OVERLAP else 0.0)


def test_either_side_of_a_pair_is_a_reason(tmp_path):
    held = tmp_path / "dev.en"
    held.write_text(f"Another line.\n\n{TEST}\n", "utf-8")
    texts = [("ข่าว", f"He said: {TEST}"), (f"{THAI} {TEST}", "News"), ("ข่าว", "The fleet sailed.")]
    rows = [Scored(pair(source, english, name=english[:3]), {}) for source, english in texts]
    verdicts = list(filter_pairs(rows, FilterSettings(held_out=(str(held),))))
    assert verdicts[0].texts == (f"held-out {held.name}:3 (1.00)",)
    assert verdicts[0].kinds == {"held-out"}
    assert [verdict.keep for verdict in verdicts] == [False, False, True]


def test_formats(tmp_path):
    (tmp_path / "a.tsv").write_text(f"{THAI}\t{TEST}\tlabel\n", "utf-8")
    (tmp_path / "b.jsonl").write_bytes(orjson.dumps({"src_text": f"บรรทัดแรก\n{THAI}", "tgt_text": "first\nsecond"}))
    (tmp_path / "c.th.gz").write_bytes(gzip.compress(f"\n{THAI}\n".encode()))
    for name, line in (("a.tsv", 1), ("b.jsonl", 1), ("c.th.gz", 2)):
        index = load_held_out([str(tmp_path / name)])
        assert index.find(comparable(THAI)).place == f"{name}:{line}"


@pytest.mark.parametrize(
    "name, data, message",
    [
        ("none.en", None, "does not exist"),
        ("empty.en", b"\n \n", "has no text"),
        ("latin.en", b"good\ncaf\xe9\n", "line 2 .byte 8.: not UTF-8"),
        ("other.jsonl", b'{"tgt_url": "a", "n": 5}\n', r"no text among its fields \['n', 'tgt_url'\]"),
        ("broken.en.gz", gzip.compress(b"one\ntwo\n" * 99, mtime=0)[:-9], "damaged"),
    ],
)
def test_what_cannot_be_read_to_the_end_is_refused(tmp_path, name, data, message):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        filter_pairs([], FilterSettings(held_out=(str(tmp_path / name),)))


def test_digests_tell_files_apart(tmp_path):
    path = tmp_path / "dev.en"
    path.write_text("one\n")
    before = digests([str(path)])
    assert before == digests([str(path)])
    check_unchanged(before, [str(path)])
    path.write_text("two\n")
    with pytest.raises(InputError, match="has changed"):
        check_unchanged(before, [str(path)])


@pytest.mark.parametrize(
    "name, data",
    [
        ("a.jsonl", orjson.dumps({"id": "7", "src": THAI, "ref": TEST})),
        ("b.jsonl", orjson.dumps({"translation": {"th": THAI, "en": TEST}, "more": ["x", 5]})),
        ("c.tsv", f"id-7\t{THAI}\t{TEST}\n".encode()),
    ],
)
def test_no_text_is_passed_over_whatever_its_field_is_called(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    index = load_held_out([str(path)])
    assert index.find(comparable(THAI)) and index.find(comparable(TEST))
