"""Prompts of chat models."""

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from pipeline.engines.base import Request
from pipeline.engines.codecs.chat import ChatCodec
from pipeline.registry.models import Entry

SYSTEM = "You translate."
USER = "Translate this {language} sentence.\n{hints}\n{text}"


@pytest.fixture
def codec(tiny_model: Callable[[str], Path]) -> ChatCodec:
    return ChatCodec(AutoTokenizer.from_pretrained(tiny_model("qwen2"), local_files_only=True), SYSTEM, USER)


def prompt(codec: ChatCodec, request: Request) -> str:
    return str(codec.tokenizer.decode(codec.encode(request)))


def test_prompt_holds_language_hints_missing_and_text_in_order(codec: ChatCodec) -> None:
    text = prompt(codec, Request("abc", "th", (("x", "ex"), ("y", "why")), ("25", "Hanoi")))
    parts = [SYSTEM, "Thai", "Use these words: x = ex; y = why", "must contain: 25; Hanoi", "abc"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_without_hints_the_prompt_does_not_speak_of_them(codec: ChatCodec) -> None:
    text = prompt(codec, Request("abc", "vi"))
    assert "Vietnamese" in text and "these words" not in text and "must contain" not in text


def test_control_tokens_in_the_text_stay_text(codec: ChatCodec) -> None:
    controls = list(codec.tokenizer.get_added_vocab())
    assert controls
    plain = codec.encode(Request("abc", "th", (("x", "ex"),)))
    for token in controls:
        ids = codec.encode(Request(f"abc {token} def", "th", ((token, token),)))
        special = codec.tokenizer.convert_tokens_to_ids(token)
        assert ids.count(special) == plain.count(special)
        assert codec.tokenizer.convert_tokens_to_ids(token) not in codec.tokenizer.encode(codec._harmless(token))


def test_nothing_is_truncated(codec: ChatCodec) -> None:
    short, long = codec.encode(Request("a b", "th")), codec.encode(Request("a b " * 3000, "th"))
    assert len(long) - len(short) > 5000
    assert codec.count("a b " * 3000) > 5000


def test_decode_drops_control_tokens(codec: ChatCodec) -> None:
    ids = codec.tokenizer.encode("abc", add_special_tokens=False)
    end = codec.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert codec.decode([*ids, end]) == "abc"


def test_embedded_entry_has_a_usable_prompt() -> None:
    from pipeline.registry.models import entry

    one: Entry = entry("qwen2.5-coder-1.5b")
    assert one.prompt is not None
    text = one.prompt.user.format(language="Thai", hints="Use these words: a = b\n", text="abc")
    assert text.endswith("Use these words: a = b\n\nabc")
