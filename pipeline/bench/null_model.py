"""A translation model that costs nothing: it knows the English of made news (`pipeline.bench.news`) by its numbers.

With it a run shows what all but the engine costs. The same codec before a real engine gives that engine rows as long
as those of news, whose output nobody reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from pipeline.bench.news import numbers_in, sentence
from pipeline.bench.shapes import shape_of
from pipeline.config.settings import Config
from pipeline.engines.base import Codec, Engine, Output, Request, Translator
from pipeline.engines.devices import cores
from pipeline.engines.encoders.base import Vectors
from pipeline.engines.search_settings import Search
from pipeline.registry.facts import ModelFacts
from pipeline.run.resources import Resources

LETTERS_A_TOKEN = 3.5
DIMENSIONS = 64
LANGS = ("th", "vi")


@dataclass
class NewsCodec:
    """Tokens are numbers of made sentences, then as many others as a text of that length has.

    `ordinary` are the first and last token of the model that reads them, `end` its end token.
    """

    ordinary: tuple[int, int]
    end: int
    takes_hints = False

    def encode(self, request: Request) -> list[int]:
        """See Codec."""
        first, last = self.ordinary
        known = [LANGS.index(request.lang), *numbers_in(request.text)]
        filler = range(len(known), self.count(request.text))
        return [first + token % (last - first + 1) for token in (len(known), *known, *filler)] + [self.end]

    def count(self, text: str) -> int:
        """See Codec."""
        return round(len(text) / LETTERS_A_TOKEN) + 1

    def decode(self, tokens: Sequence[int]) -> str:
        """See Codec."""
        if not tokens:
            return ""
        count, lang, *numbers = (token - self.ordinary[0] for token in tokens)
        if not 0 < count <= len(tokens) or lang not in range(len(LANGS)):
            return "A model with random weights says this."
        return " ".join(sentence(LANGS[lang], number)[1] for number in numbers[: count - 1])


class NullEngine:
    """Gives back what it is given."""

    about = {"engine": "null", "device": "cpu", "dtype": "none"}
    batch_rows = 1024

    def generate(
        self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int], *, careful: bool = False
    ) -> list[Output]:
        """See Engine."""
        return [Output(tuple(row[:bound]), -0.5, "stop") for row, bound in zip(rows, max_new_tokens, strict=True)]

    def close(self) -> None:
        """Nothing is held."""


class NumberEncoder:
    """Vectors of made news by the numbers of its sentences: the same in all languages, and nearly for nothing."""

    name, fingerprint = "numbers", "1"
    languages = frozenset(("th", "en"))
    """Those of the shipped encoder."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See Encoder."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            for number in numbers_in(text) or [0]:
                # Two places of each number, far from those of the next.
                vectors[row, number * 7919 % DIMENSIONS] += 1
                vectors[row, number * 104729 // DIMENSIONS % DIMENSIONS] += 1
        return cast(Vectors, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


class NullResources(Resources):
    """What a run needs, with an engine and an encoder that cost nothing."""

    translation_plan = "null"
    translator_identity = "null"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.encoder = NumberEncoder()

    def translator(self, say: Callable[[str], None]) -> Translator:
        """See Resources."""
        return made_translator(NewsCodec((1, 1 << 40), 0), NullEngine(), (2.0, 16))

    def aligner_digests(self) -> list[str]:
        """See Resources."""
        return ["null"]

    def keep_rate(self, tokens: int, seconds: float, warn: Callable[[str], None]) -> None:
        """Nobody asks how fast nothing is."""

    def model_facts(self) -> tuple[ModelFacts, ...]:
        """See Resources."""
        return ()


class EngineResources(NullResources):
    """The same with the project's own engine on a checkpoint of the bench, in int8."""

    def __init__(self, config: Config, checkpoint: Path, shape: str) -> None:
        super().__init__(config)
        self._checkpoint, self._shape = checkpoint, shape_of(shape)

    def translator(self, say: Callable[[str], None]) -> Translator:
        """See Resources."""
        from pipeline.engines.mekong.engine import MekongEngine

        shape = self._shape
        search = Search(num_beams=1, length_penalty=1.0, start=shape.start, end=shape.end, pad=shape.pad, forced=None)
        workers = self._config.translate.workers or cores()
        engine = MekongEngine(self._checkpoint, search, "cpu", "int8", workers, 1)
        return replace(made_translator(NewsCodec(shape.ordinary, shape.end), engine, (1.0, 0)), rows_apart=True)


def made_translator(codec: Codec, engine: Engine, new_tokens: tuple[float, int]) -> Translator:
    """A translator of made news; `new_tokens` bounds its outputs, see Translator."""
    return Translator("null", "null", codec, engine, max_source_tokens=480, new_tokens=new_tokens)
