"""Tokenizer and language codes of encoder-decoder translation models: Marian, M2M100, NLLB, mBART-50, T5 (MADLAD-400).

Inputs are put together here from pieces and language codes rather than by the tokenizer's `src_lang` state, whose
layout differs between releases and which turns an unknown code into `<unk>` without a word.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from pipeline.engines.base import Request
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError, ModelError, UsageError
from pipeline.registry.models import Entry

REMEMBERED = 1024
"""Texts whose tokens are kept: each is counted before it is cut, and encoded soon after."""
NOT_ENGLISH = re.compile(r"[^\u0000-\u024f\u1e00-\u1eff\u2000-\u22ff\u2581\ufffd]")
"""Anything but Latin letters (composed), general punctuation, symbols, and the sign that a word starts."""


class Seq2SeqCodec:
    """Tokenizer and language codes of one model.

    Layouts: `pieces </s>` (Marian), `code pieces </s>` (M2M100, NLLB, mBART-50), `<2en> pieces </s>` (T5).
    """

    takes_hints = False

    def __init__(self, folder: Path, entry: Entry) -> None:
        with warnings.catch_warnings():
            # Marian's tokenizer recommends a package for a method that nobody calls.
            warnings.filterwarnings("ignore", message=".*sacremoses")
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        self.name = entry.name
        self.limit = entry.max_source_tokens
        self.size = int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"])
        # transformers 5 builds a tokenizer of a handful of tokens, silently, from files that it does not understand.
        if len(self.tokenizer) < self.size / 2:
            raise ModelError(
                f"the tokenizer of {entry.name} has {len(self.tokenizer)} tokens, its model {self.size}",
                f"Delete {folder}, then mekong models add {entry.name}",
            )
        self.codes = {lang: self._code(code) for lang, code in entry.languages.items()}
        self.target = self._code(entry.target)
        # T5 has learnt to read the wish for English in the text itself.
        self.before = self.tokenizer.encode(entry.target, add_special_tokens=False) if entry.family == "t5" else []
        control = {*self.tokenizer.all_special_ids, self.target, *self.codes.values()}
        self.control = control - {self.tokenizer.unk_token_id}
        self._pieces = lru_cache(REMEMBERED)(self._cut)

    def _code(self, code: str) -> int | None:
        """The token of a language code, None where the model takes none."""
        number = self.tokenizer.convert_tokens_to_ids(code) if code else None
        if code and (number is None or number == self.tokenizer.unk_token_id):
            raise ModelError(
                f"the tokenizer of {self.name} does not know the language code {code!r}",
                "Correct the registry entry, or get the model again.",
            )
        return number

    def _cut(self, text: str) -> tuple[int, ...]:
        """The text's own tokens: a `</s>` spelled out in it must neither end it nor count as one."""
        tokens = self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return tuple(token for token in tokens if token not in self.control)

    def encode(self, request: Request) -> list[int]:
        """The model's input, never truncated.

        Raises UsageError for a language the model does not have, EngineError for a text over its limit.
        """
        if request.lang not in self.codes:
            raise UsageError(
                f"{self.name} does not translate from {request.lang!r}",
                f"It knows {', '.join(self.codes)}; `mekong models list` shows the others.",
            )
        pieces = self._pieces(request.text)
        if len(pieces) > self.limit:
            raise EngineError(
                f"a text of {len(pieces)} tokens was given to {self.name}, which takes {self.limit}", "Cut it first."
            )
        code = self.codes[request.lang]
        row = [*self.before, *([] if code is None else [code]), *pieces]
        if max(row, default=0) >= self.size:
            raise ModelError(f"tokenizer and weights of {self.name} do not belong together", "Get the model again.")
        return [*row, self.tokenizer.eos_token_id]

    def count(self, text: str) -> int:
        """Tokens of the text alone."""
        return len(self._pieces(text))

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of generated tokens, without special ones and language codes."""
        kept = [token for token in tokens if token not in self.control]
        return str(self.tokenizer.decode(kept, skip_special_tokens=True)).strip()

    def english(self) -> list[int]:
        """Tokens that English text may have, by their characters; special tokens are among them."""
        pieces = self.tokenizer.convert_ids_to_tokens(range(len(self.tokenizer)))
        special = self.control | {self.tokenizer.unk_token_id}
        return [
            number
            for number, piece in enumerate(pieces)
            if number < self.size and (number in special or not NOT_ENGLISH.search(piece or ""))
        ]

    def search(self, folder: Path, num_beams: int, length_penalty: float) -> Search:
        """How the model is searched: its end, padding, start and target tokens.

        Raises ModelError when the checkpoint does not say with which token its decoder starts.
        """
        return Search(
            num_beams=num_beams,
            length_penalty=length_penalty,
            start=_start(folder),
            end=self.tokenizer.eos_token_id,
            pad=self.tokenizer.pad_token_id,
            # T5 has read the wish for English in the text.
            forced=None if self.before else self.target,
        )


def _start(folder: Path) -> int:
    """The decoder's first token, from the checkpoint's generation settings or its configuration."""
    for name in ("generation_config.json", "config.json"):
        path = folder / name
        stated = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if stated.get("decoder_start_token_id") is not None:
            return int(stated["decoder_start_token_id"])
    raise ModelError("the checkpoint does not say with which token its decoder starts", "Get the model again.")


def load_codec(folder: Path, entry: Entry) -> Seq2SeqCodec:
    """The codec of a model in the store.

    Raises ModelError when its tokenizer does not load, or does not belong to the model or the entry.
    """
    try:
        return Seq2SeqCodec(folder, entry)
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        raise ModelError(f"{entry.name} does not load: {error}", f"mekong models check {entry.name}") from error
