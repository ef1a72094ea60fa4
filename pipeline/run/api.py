"""The pipeline a call at a time, for notebooks and other programs: no run folder, nothing written.

`import pipeline` offers these functions under their names; docs/python.md has an example of each. Settings that are not
arguments are given as on the command line, "a.b=c" each (`pipeline.config.settings` has them all).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from pipeline.config.load import settings_from
from pipeline.config.settings import FilterSettings, ReadSettings, SegmentSettings
from pipeline.engines.encoders.base import Encoder
from pipeline.engines.encoders.load import load_encoder
from pipeline.engines.load import load
from pipeline.errors import InputError, UsageError
from pipeline.registry import models
from pipeline.run.line_by_line import translate_lines as _translate_lines
from pipeline.stages.align.lexicons import load_lexicons
from pipeline.stages.align.sides import Side
from pipeline.stages.align.stage import bead_pair, span_beads
from pipeline.stages.filter import stage as filtering
from pipeline.stages.read.stage import Reader
from pipeline.stages.score.base import Context, Scorer
from pipeline.stages.score.scorers import all_scorers
from pipeline.stages.score.stage import score
from pipeline.stages.segment.stage import segment as _segment
from pipeline.stages.translate.glossary import Glossary
from pipeline.stages.translate.stage import TranslateContext
from pipeline.text.language import detect
from pipeline.text.languages import source_languages
from pipeline.text.unicode import normalise
from pipeline.types import ENGLISH, Document, Pair, Reject, Scored, Segment, Source, Verdict

ENCODER = "use-multilingual-v3"


def read(paths: str | Sequence[str], lang: str = "auto") -> Iterator[Document | Reject]:
    """The documents of files, folders and globs, in order, and a `Reject` for whatever cannot be read.

    `lang` is the language of documents that do not state one, "auto" to detect it.
    Raises InputError when a path does not exist.
    """
    settings = ReadSettings(paths=(paths,) if isinstance(paths, str) else tuple(paths), lang=lang)
    yield from Reader(settings).read(settings.paths)


def segment(documents: Iterable[Document], max_chars: int = 220) -> list[Segment]:
    """The segments of all documents, in order: sentences, Thai ones grouped up to about `max_chars` characters."""
    return list(_segment(documents, SegmentSettings(max_chars=max_chars)))


def translate_lines(lines: Sequence[str], lang: str = "auto", settings: Sequence[str] = ()) -> list[str]:
    """The English of each line, in order; English and blank lines come back as they are.

    The model (`translate.model` among the settings) is loaded once a call, so give all lines at once.
    Raises InputError for a line in another language, ModelMissing when the model is not in the store.
    """
    config = settings_from(settings)
    models.offline()
    codes = source_languages() if config.translate.use_glossary else ()
    glossaries = {code: Glossary.load(code, [Path(path) for path in config.translate.glossary]) for code in codes}
    named = [(f"line {number}", line) for number, line in enumerate(lines, 1)]
    with load(models.entry(config.translate.model), config.translate) as translator:
        context = TranslateContext(translator, glossaries, lambda _: None)
        return list(_translate_lines(named, lang, config, context, as_json=False))


def align_texts(source: str, english: str, lang: str = "auto", encoder: str = ENCODER) -> list[Pair]:
    """The sentences of two documents that say the same, as pairs with the character spans of both sides.

    A sentence without a counterpart is in no pair. A language that the encoder (a registry name) does not know is
    aligned by the shipped lexicon. `Pair.cost` is the aligner's, less is better.
    Raises InputError when `source` looks like no source language, ModelMissing when the encoder is not in the store.
    """
    code = _source_language(source, lang)
    documents = [_document(source, code), _document(english, ENGLISH)]
    src, tgt = (Side(document, tuple(segment([document])), {}) for document in documents)
    beads = span_beads(src, tgt, _encoder(encoder), load_lexicons("auto"))
    both = [bead for bead in beads if bead.src_spans and bead.tgt_spans]
    return [bead_pair(str(number), bead, src, tgt) for number, bead in enumerate(both)]


def make_pair(source: str, english: str, lang: str = "auto", name: str = "0") -> Pair:
    """Two texts as a pair that was found (origin "aligned"), normalised as a run does it.

    Raises InputError when `source` looks like no source language.
    """
    code = _source_language(source, lang)
    return Pair(
        id=name, src_doc="", tgt_doc="", src_lang=code, src_segments=(), tgt_segments=(), src_spans=(), tgt_spans=(),
        src_text=normalise(source, code).text, tgt_text=normalise(english, ENGLISH).text, origin="aligned", cost=None,
    )  # fmt: skip


def score_pairs(pairs: Iterable[Pair], encoder: str | None = ENCODER) -> Iterator[Scored]:
    """Every pair with all scores by name, None where one does not apply; docs/scoring.md says what each means.

    `encoder` is a registry name; without one the scores that compare meanings are None.
    Raises ModelMissing when the encoder is not in the store.
    """
    yield from score(pairs, _scorers(encoder), Context())


def score_pair(source: str, english: str, lang: str = "auto", encoder: str | None = ENCODER) -> dict[str, float | None]:
    """The scores of one pair of texts by name; see `score_pairs`."""
    (scored,) = score_pairs([make_pair(source, english, lang)], encoder)
    return scored.scores


def filter_pairs(scored: Iterable[Scored], preset: str = "balanced") -> list[Verdict]:
    """What a preset of the filter (keep-most, balanced, strict) decides of scored pairs, in order, with the reasons.

    Pairs are compared with each other too: the second of two copies is rejected.
    Raises ConfigError for an unknown preset.
    """
    return list(filtering.filter_pairs(scored, FilterSettings(preset=preset)))


def _source_language(text: str, lang: str) -> str:
    code = detect(text) if lang == "auto" else lang
    if code not in source_languages():
        known = ", ".join(source_languages())
        if lang != "auto":
            raise UsageError(f"lang is {lang!r}, not one of {known}", "Give the language of the source side.")
        raise InputError(f"the language looks like {code!r}, not one of {known}", 'Say it, for example lang="th".')
    return code


def _document(text: str, lang: str) -> Document:
    return Document(lang, lang, text, Source("text"))


@cache
def _encoder(name: str) -> Encoder:
    models.offline()
    return load_encoder(models.entry(name))


@cache
def _scorers(encoder: str | None) -> list[Scorer]:
    return all_scorers(_encoder(encoder) if encoder else None)
