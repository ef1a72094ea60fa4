"""Prompts for general language models that translate when they are asked to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pipeline.engines.base import Request
from pipeline.text.languages import language

REMEMBERED = 1024
"""Texts whose length is kept: each is counted before it is cut, and soon after."""


class ChatCodec:
    """A chat template with a system and a user message.

    The user template may hold `{language}` (English name of the source language), `{hints}` (the glossary lines, each
    with its line end, empty when there is nothing to say) and `{text}`.
    """

    takes_hints = True

    def __init__(self, tokenizer: Any, system: str, user: str) -> None:
        self.tokenizer = tokenizer
        self.system = system
        self.user = user
        self._control = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
        self.count = lru_cache(REMEMBERED)(self._count)

    def encode(self, request: Request) -> list[int]:
        """Token ids of the whole conversation, up to where the answer begins."""
        user = self.user.format(
            language=language(request.lang).name,
            hints=self._harmless(_hint_lines(request)),
            text=self._harmless(request.text),
        )
        messages = [{"role": "system", "content": self.system}, {"role": "user", "content": user}]
        text = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def _count(self, text: str) -> int:
        """Tokens of the text alone."""
        return len(self.tokenizer.encode(self._harmless(text), add_special_tokens=False))

    def _harmless(self, text: str) -> str:
        """`text` with control tokens broken up: a news text that spells `<|im_end|>` must not end the message."""
        for token in self._control:
            text = text.replace(token, f"{token[:1]} {token[1:]}")
        return text

    def decode(self, tokens: Sequence[int]) -> str:
        """The answer as it was generated; cleaning it is the business of the translate stage."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True)).strip()


def _hint_lines(request: Request) -> str:
    lines = ""
    if request.hints:
        lines += "Use these words: " + "; ".join(f"{term} = {english}" for term, english in request.hints) + "\n"
    if request.missing:
        lines += "The translation must contain: " + "; ".join(request.missing) + "\n"
    return lines
