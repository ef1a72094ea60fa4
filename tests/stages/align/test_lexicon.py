from __future__ import annotations

import gzip
import random
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.cli.models import app
from pipeline.errors import InputError, ModelError
from pipeline.stages.align.encoded import Stretch, align_views, source_view, target_view
from pipeline.stages.align.ibm_model1 import Bags, train
from pipeline.stages.align.lexicon import (
    Lexicon,
    english_words,
    read_lexicon,
    shipped_lexicons,
    source_terms,
    source_words,
    word_rows,
)
from pipeline.stages.align.lexicon_training import learn, read_pairs
from pipeline.stages.align.lexicons import lexicon_key, load_lexicons
from tests.support.encoders import WordEncoder

# A made-up language. "su kato" is one word of two syllables, which apart mean other things.
WORDS = {
    "mira": "farmer", "pelo": "harvest", "tunga": "river", "vesi": "bridge", "kato": "stone", "su": "near",
    "lapo": "minister", "riku": "opens", "sala": "market", "ono": "visits", "teba": "sells", "mun": "school",
}  # fmt: skip
COMPOUNDS = {"su kato": "parliament", "vesi ono": "television"}


@cache
def corpus() -> tuple[tuple[str, str], ...]:
    chance = random.Random(3)
    fillers = [(f"{first}{second}", f"{second}{first}ing") for first in "bdgkl" for second in ("ae", "oi", "ua")]
    both = [*WORDS.items(), *COMPOUNDS.items(), *fillers]
    pairs = []
    for _ in range(400):
        chosen = chance.sample(both, 4)
        english = [word for _, word in chosen]
        chance.shuffle(english)
        pairs.append((" ".join(term for term, _ in chosen) + " wa", "the " + " ".join(english)))
    return tuple(pairs)


@cache
def lexicon() -> Lexicon:
    return learn(corpus(), "vi")


def test_each_term_gets_its_own_word_first() -> None:
    first = {term: senses[0][0] for term, senses in lexicon().senses.items()}
    assert {term: first[term] for term in WORDS} == WORDS
    assert {term: first[term] for term in COMPOUNDS} == COMPOUNDS


def test_probabilities_are_kept_under_one_in_falling_order() -> None:
    for senses in lexicon().senses.values():
        shares = [share for _, share in senses]
        assert sum(shares) <= 1
        assert shares == sorted(shares, reverse=True)


@given(st.lists(st.tuples(st.lists(st.integers(1, 5), max_size=4), st.lists(st.integers(0, 4), max_size=4))))
def test_trained_probabilities_of_a_term_add_up_to_one(pairs: list[tuple[list[int], list[int]]]) -> None:
    table = train(Bags.of([src for src, _ in pairs]), Bags.of([tgt for _, tgt in pairs]), 3)
    for term in set(table.terms):
        assert np.isclose(table.probabilities[table.terms == term].sum(), 1)


def test_training_and_its_file_are_the_same_every_time(tmp_path: Path) -> None:
    listed = "".join(f"{source}\t{english}\tmade up\n" for source, english in corpus())
    (tmp_path / "pairs.tsv.gz").write_bytes(gzip.compress(listed.encode()))
    (tmp_path / "pairs.tsv").write_text(listed, "utf-8")
    made = []
    for name in ("pairs.tsv.gz", "pairs.tsv"):
        out = tmp_path / f"{name}.out"
        done = CliRunner().invoke(app, ["lexicon", str(tmp_path / name), "--lang", "vi", "--out", str(out)])
        assert done.exit_code == 0, done.output
        made.append(out.read_bytes())
    assert made[0] == made[1]
    assert read_lexicon(out) == lexicon()


def test_pairs_that_cannot_be_learned_from_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of 1 sentence pairs"):
        learn([("mira pelo", "farmer harvest"), ("", "nothing")], "vi")
    path = tmp_path / "pairs.tsv"
    path.write_text("mira\tfarmer\nno field\n", "utf-8")
    with pytest.raises(InputError, match="line 2 has no TAB: 'no field'"):
        list(read_pairs(path))
    path.write_bytes(b"mira\t\xff\n")
    with pytest.raises(InputError, match="cannot be read"):
        list(read_pairs(path))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole, damaged = tmp_path / "whole.tsv.gz", tmp_path / "damaged.tsv.gz"
    lexicon().write(whole)
    packed = whole.read_bytes()
    lines = gzip.decompress(packed).decode().split("\n")

    def refused(data: bytes, message: str) -> None:
        damaged.write_bytes(data)
        with pytest.raises(ModelError, match=message):
            read_lexicon(damaged)

    refused(packed[:-20], "cannot be read")
    refused(packed[:200] + bytes(20) + packed[220:], "cannot be read")
    refused(b"mira\tfarmer=900\n", "cannot be read")
    for changed, message in (
        (["mekong-lexicon\t9\tvi\t1", "mira\tfarmer=900"], "no lexicon of version 1"),
        ([*lines[:-3], ""], f"has {len(lines) - 4} terms"),
        ([lines[0], "mira\tfarmer=many", *lines[2:]], "line 2: 'farmer=many'"),
        ([lines[0], "mira\tfarmer=900 field=900", *lines[2:]], "line 2 is a wrong entry"),
        ([lines[0], lines[2], *lines[2:]], "line 3 is a wrong entry"),
        ([""], "no lexicon"),
    ):
        refused(gzip.compress("\n".join(changed).encode()), message)
    with pytest.raises(ModelError, match="cannot be read"):
        read_lexicon(tmp_path / "none.tsv.gz")


def test_rows_hold_what_is_expected_and_what_is_found() -> None:
    known = Lexicon("vi", {"ông": (("he", 0.5), ("mr", 0.25)), "quốc hội": (("parliament", 1.0),)})
    expected = [known.expected(text) for text in ("Ông Quốc hội", "Brexit")]
    found = [Counter(english_words(text)) for text in ("He left Brexit", "PARLIAMENT's brexit")]
    ours, theirs = word_rows(expected, found)
    # columns: brexit, he, left, parliament
    common, rare = np.log1p(2 / 2), np.log1p(2 / 1)
    assert np.allclose(theirs, [[common, rare, rare, 0], [common, 0, 0, rare]])
    assert np.allclose(ours, [[0, rare / 2, 0, rare], [common, 0, 0, 0]])
    assert word_rows([], [])[0].shape == (0, 1)


def test_tone_styles_are_one() -> None:
    assert source_terms("Hoà bình", "vi") == source_terms("hòa bình", "vi") == ["hòa", "bình", "hòa bình"]


def test_a_pair_is_aligned_where_lengths_mislead() -> None:
    src = "Mira pelo tunga.\nSu kato riku mun sala teba lapo."
    tgt = "Television again.\nOh farmer, and oh harvest, and this river so very wide.\nParliament opens."
    encoder = WordEncoder(["en"])
    target = target_view(tgt, [Stretch((0, len(tgt)))], encoder)
    linked = {}
    for name, known in (("lengths", None), ("lexicon", lexicon())):
        beads = align_views(source_view(src, "vi", [Stretch((0, len(src)))], encoder, known), target)
        linked[name] = {(bead.src, bead.tgt) for bead in beads if bead.similarity > 0}
    assert linked["lexicon"] == {((0, 1), (1, 2)), ((1, 2), (2, 3))}
    assert linked["lengths"] != linked["lexicon"]


def test_the_setting_chooses_the_lexicon(tmp_path: Path) -> None:
    own = tmp_path / "own.tsv.gz"
    lexicon().write(own)
    auto = load_lexicons("auto")("vi")
    assert auto is not None and auto.senses != lexicon().senses
    assert load_lexicons(str(own))("vi") == lexicon()
    assert load_lexicons(str(own))("lo") is None
    assert load_lexicons("none")("vi") is None
    assert len({tuple(lexicon_key(setting)) for setting in ("auto", "none", str(own))}) == 3
    for function in (load_lexicons, lexicon_key):
        with pytest.raises(ModelError, match="cannot be read"):
            function(str(tmp_path / "gone.tsv.gz"))


def test_the_shipped_lexicons_know_everyday_words() -> None:
    paths = shipped_lexicons()
    found = read_lexicon(paths["vi"])
    assert found.lang == "vi"
    for term, word in (("nước", "water"), ("chính phủ", "government"), ("thứ bảy", "saturday")):
        assert word in [sense for sense, _ in found.senses[term]][:4]


def test_a_long_text_is_cut_into_words_as_its_parts_are() -> None:
    line = "นายกรัฐมนตรีเดินทางถึงกรุงฮานอย ทั้งสองฝ่ายลงนามในความตกลง "
    assert source_words(line * 300, "th") == source_words(line, "th") * 300
    assert "".join(source_words("ก" * 20_000, "th")) == "ก" * 20_000
