"""What the rest of mekong sees of an MT model.

A `Codec` turns a request into token ids and token ids into text: it knows the tokenizer, the language codes and the
prompt of one model family. An `Engine` turns lists of token ids into lists of token ids: it knows the weights, the
device and the search. A `Translator` is one of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One text to translate into English; `hints` are (source term, English) pairs, `missing` what an earlier
    attempt left out."""

    text: str
    lang: str
    hints: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


class Failure(StrEnum):
    """Why a row has no output; the note of a failed `Output` begins with it."""

    NUMBERS = "its scores are no numbers"
    MEMORY = "it does not fit into memory"
    DEADLY = "it ended the process that decoded it, twice"


@dataclass(frozen=True, slots=True)
class ModelInput:
    """A request as the model reads it: token ids, and how many tokens its bare text has."""

    request: Request
    tokens: tuple[int, ...]
    text_tokens: int


@dataclass(frozen=True, slots=True)
class Output:
    """What an engine generated for one row: token ids without the end token, mean log-probability of a token."""

    tokens: tuple[int, ...]
    logprob: float | None
    ended: Literal["stop", "length", "failed"]
    note: str = ""
    """What was done to get it, when that was not the usual; or why there is none."""
    others: tuple[Output, ...] = ()
    """The next best hypotheses, where more than one was asked for."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The decoded output for one request."""

    text: str
    logprob: float | None
    src_tokens: int
    out_tokens: int
    ended: Literal["stop", "length", "failed"]
    note: str = ""
    """See `Output.note`."""


class Codec(Protocol):
    """Tokenizer, language codes and prompt of one model."""

    takes_hints: bool
    """Whether `Request.hints` reach the model."""

    def encode(self, request: Request) -> list[int]:
        """The model's input for a request, never truncated."""

    def count(self, text: str) -> int:
        """How many tokens the bare text has, prompt and language codes apart."""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of generated tokens, special tokens dropped."""


class Engine(Protocol):
    """Weights on a device, and a search."""

    about: dict[str, str]
    """Engine name, device, dtype and versions, for the manifest."""

    batch_rows: int
    """Rows at a time that it does well with."""

    def generate(
        self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int], *, careful: bool = False
    ) -> list[Output]:
        """One output a row, in order. `max_new_tokens` bounds each row. `careful` is for rows whose first output was no
        good: a wider search that repeats nothing.

        Raises EngineError when the engine cannot answer at all.
        """

    def close(self) -> None:
        """Free the device or end the process."""


@dataclass
class Translator:
    """One model, ready to translate batches of requests."""

    name: str
    fingerprint: str
    """Hash of the weights and of every setting that can change an output."""
    codec: Codec
    engine: Engine
    max_source_tokens: int
    """Longest bare text, in tokens, that the model is given; a longer one must be split before."""
    new_tokens: tuple[float, int] = (3.0, 32)
    """Bound on the output: factor times source tokens, plus a constant."""
    vietnamese_tones: Literal["as written", "old", "new"] = "as written"
    """The placement of tones that it is to be given."""
    rows_apart: bool = False
    """Whether the engine may be called from any thread, and what comes of a row does not depend, in any bit, on the
    rows that it is given with."""

    def count(self, text: str) -> int:
        """Tokens of the bare text."""
        return self.codec.count(text)

    def input(self, request: Request) -> ModelInput:
        """A request made ready for the model."""
        return ModelInput(request, tuple(self.codec.encode(request)), self.codec.count(request.text))

    def translate(self, batch: Sequence[Request], *, careful: bool = False) -> list[Hypothesis]:
        """Translate one batch as it is; cutting the input into batches is the caller's business."""
        return self.translate_inputs([self.input(request) for request in batch], careful=careful)

    def translate_inputs(self, batch: Sequence[ModelInput], *, careful: bool = False) -> list[Hypothesis]:
        """The same of inputs that are made ready."""
        return self.decoded(batch, self.generate(batch, careful=careful))

    def generate(self, batch: Sequence[ModelInput], *, careful: bool = False) -> list[Output]:
        """What the engine makes of one batch."""
        factor, extra = self.new_tokens
        bounds = [int(factor * row.text_tokens) + extra for row in batch]
        return self.engine.generate([row.tokens for row in batch], bounds, careful=careful)

    def decoded(self, batch: Sequence[ModelInput], outputs: Sequence[Output]) -> list[Hypothesis]:
        """The outputs as text."""
        return [
            Hypothesis(
                self.codec.decode(out.tokens), out.logprob, row.text_tokens, len(out.tokens), out.ended, out.note
            )
            for row, out in zip(batch, outputs, strict=True)
        ]

    def __enter__(self) -> Translator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.close()
