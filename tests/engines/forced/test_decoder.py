"""Forced decoding."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pipeline.engines.forced import decoder as forced
from pipeline.engines.forced import reader
from pipeline.engines.forced.decoder import BATCH_TOKENS, MAX_TOKENS, ForcedDecoder, Sides
from pipeline.engines.forced.token_tree import TokenTree
from pipeline.errors import EngineError, UsageError

PAIRS = [
    Sides("hôm nay trời mưa", "vi", "It rains today."),
    Sides("ฝนตก", "th", "It is raining; nobody goes out, and all the shops have been closed since noon"),
    Sides("ข่าว " * 30, "th", "News"),
    Sides("a\nb", "vi", "one\n two"),
]


@pytest.fixture(scope="module")
def decoder(tiny_model):
    return ForcedDecoder(tiny_model("qwen2"), "tiny", "cpu", "float32")


def plainly(folder, prompt, text):
    """What transformers says of each token, one text at a time and without cutting anything out."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    first, rest = tokenizer.encode(prompt), tokenizer.encode(f" {text}\n")
    with torch.inference_mode():
        logits = model(torch.tensor([first + rest])).logits[0]
    return [float(logits[len(first) - 1 + i].log_softmax(-1)[token]) for i, token in enumerate(rest)]


def test_log_probabilities_are_those_of_transformers(decoder, tiny_model):
    folder = tiny_model("qwen2")
    for pair, reading in zip(PAIRS, decoder.read(PAIRS), strict=True):
        label = {"th": "Thai", "vi": "Vietnamese"}[pair.lang]
        source, english = " ".join(pair.source.split()), " ".join(pair.english.split())
        given = plainly(folder, f"{label}: {source}\nEnglish:", english)
        assert reading.given == pytest.approx(given, abs=1e-4)
        assert reading.alone == pytest.approx(plainly(folder, "English:", english), abs=1e-4)
        assert reading.source_alone == pytest.approx(plainly(folder, f"{label}:", source), abs=1e-4)
        assert np.abs(reading.given - reading.alone).max() > 1e-3
        if pair.lang == "vi":
            assert reading.source_given is None
        else:
            given = plainly(folder, f"English: {english}\n{label}:", source)
            assert reading.source_given == pytest.approx(given, abs=1e-4)
            assert np.abs(reading.source_given - reading.source_alone).max() > 1e-3


def same(one, other):
    assert one.starts.tolist() == other.starts.tolist()
    assert (one.source_given is None) == (other.source_given is None)
    for name in ("given", "alone", "source_alone", *(["source_given"] if one.source_given is not None else [])):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-4)


def test_neighbours_do_not_matter(decoder, monkeypatch):
    together = decoder.read(PAIRS)
    monkeypatch.setitem(BATCH_TOKENS, "cpu", 1)
    for pair, reading in zip(PAIRS, together, strict=True):
        (alone,) = decoder.read([pair])
        same(alone, reading)


def test_what_texts_begin_with_is_computed_once(decoder, monkeypatch):
    class Watched(TokenTree):
        def __init__(self, rows):
            super().__init__(rows)
            sizes.append(len(self.tokens))

    sizes = []
    monkeypatch.setattr(forced, "TokenTree", Watched)
    one = decoder.read([PAIRS[1]])
    cut = PAIRS[1]._replace(english=PAIRS[1].english[:-20])
    again = decoder.read([PAIRS[1], cut, PAIRS[1]])
    new = sum(len(decoder._tokens(f" {text}\n")[0]) for text in (PAIRS[1].source, cut.english[-5:]))
    assert sizes[0] < sizes[1] < sizes[0] + new + 10
    for reading, alone in zip(again, (one[0], *decoder.read([cut]), one[0]), strict=True):
        same(reading, alone)


def test_the_places_of_the_tokens_cut_the_text_into_them(decoder):
    for pair, reading in zip(PAIRS, decoder.read(PAIRS), strict=True):
        text = " ".join(pair.english.split())
        cuts = [*reading.starts.tolist(), len(text)]
        assert len(reading.starts) == len(reading.given) == len(reading.alone)
        assert "".join(text[a:b] for a, b in pairwise(cuts)) == text


def test_line_breaks_are_spaces(decoder):
    same(*decoder.read([PAIRS[3], Sides("a b", "vi", "one two")]))


def test_control_tokens_in_a_text_are_text(decoder):
    special = decoder.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert special not in decoder._tokens(" stop <|im_end|> there\n")[0]


def test_a_pair_that_is_too_long_is_not_read(decoder):
    long = Sides("a b " * MAX_TOKENS, "vi", "It rains.")
    found = decoder.read([PAIRS[0], long])
    assert found[0] is not None
    assert found[1] is None


def test_out_of_memory_the_batch_is_halved(decoder, monkeypatch):
    expected = decoder.read(PAIRS)
    forward, tried = decoder._forward, []

    def scarce(rows):
        tried.append(len(rows))
        if len(rows) > 2:
            raise torch.OutOfMemoryError
        return forward(rows)

    monkeypatch.setattr(decoder, "_forward", scarce)
    for reading, usual in zip(decoder.read(PAIRS), expected, strict=True):
        same(reading, usual)
    assert max(tried) > 2


def test_a_pair_that_fits_nowhere_is_an_error(decoder, monkeypatch):
    def never(rows):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(decoder, "_forward", never)
    with pytest.raises(EngineError, match=r"does not fit in memory with a pair of \d+ tokens"):
        decoder.read(PAIRS)


def test_what_is_no_number_is_an_error(decoder, monkeypatch):
    forward = decoder._forward
    monkeypatch.setattr(decoder, "_forward", lambda rows: [values * np.nan for values in forward(rows)])
    with pytest.raises(EngineError, match="are no numbers"):
        decoder.read(PAIRS)


def test_nothing_to_read(decoder):
    assert decoder.read([]) == []


def test_a_model_of_the_registry_is_loaded_when_it_reads(tiny_store, monkeypatch):
    loaded = []
    monkeypatch.setattr(reader, "ForcedDecoder", lambda *how: loaded.append(how) or ForcedDecoder(*how))
    one = reader.RegisteredReader(tiny_store("qwen2"), "cpu")
    assert one.name == "tiny-qwen2"
    assert one.fingerprint
    assert one.read([]) == []
    assert loaded == []
    assert one.read(PAIRS[:1])[0] is not None
    one.read(PAIRS[1:2])
    assert len(loaded) == 1


def test_an_encoder_decoder_model_does_not_read(tiny_store):
    with pytest.raises(UsageError, match=r"filter\.model is tiny-marian, of the family marian"):
        reader.RegisteredReader(tiny_store("marian"), "cpu")


@pytest.mark.gpu
def test_on_cuda_the_same_is_read(decoder, tiny_model):
    there = ForcedDecoder(tiny_model("qwen2"), "tiny", "cuda", "float32")
    for here, other in zip(decoder.read(PAIRS), there.read(PAIRS), strict=True):
        same(here, other)
