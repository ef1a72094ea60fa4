"""`mekong align`: two documents, or a file of cases, to beads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.config.load import settings_from
from pipeline.config.settings import Config
from pipeline.engines.encoders.base import Encoder
from pipeline.engines.encoders.load import load_encoder
from pipeline.engines.load import choose, load
from pipeline.errors import InputError, UsageError
from pipeline.files.progress import Progress
from pipeline.files.rows import read_rows
from pipeline.files.separators import one_line
from pipeline.files.store import to_json, write_lines
from pipeline.files.terminal import put
from pipeline.registry import models
from pipeline.stages.align.lexicons import Lexicons, load_lexicons
from pipeline.stages.align.sides import Side
from pipeline.stages.align.stage import SpanBead, align_cases, bead_pair, span_beads
from pipeline.stages.read.stage import Reader
from pipeline.stages.score.base import Context
from pipeline.stages.score.evidence import Displacement, Margin
from pipeline.stages.score.numbers import NumberAgreement
from pipeline.stages.score.stage import score, signatures
from pipeline.stages.score.surface import LengthRatio
from pipeline.stages.segment.stage import segment
from pipeline.stages.translate.glossary import Glossary
from pipeline.stages.translate.stage import TranslateContext, translate
from pipeline.text.language import detect, is_sure
from pipeline.text.languages import alternatives, language, source_languages
from pipeline.types import ENGLISH, Document, Translation

KEYS = ("id", "src_text", "tgt_text")


def align_command(
    source: Path | None,
    target: Path | None,
    cases: Path | None,
    out: Path | None,
    overrides: Sequence[str],
    *,
    lang: str = "",
    translated: bool = False,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print or write the beads of SRC and TGT, or of every case of a JSONL file; `lang` is that of the source side.

    `translated` asks for SRC to be translated first where the encoder does not know its language, though a lexicon
    does.
    """
    if lang not in ("", *source_languages()):
        raise UsageError(f"--lang is {lang!r}", f"Use {alternatives(source_languages())}.")
    if (source is None or target is None) == (cases is None):
        raise UsageError("give either SRC and TGT or --cases FILE", "For example: mekong align article.th article.en")
    if translated and cases is not None:
        raise UsageError("--translate is for SRC and TGT; cases are aligned as they are", "Leave --translate out.")
    config = settings_from(overrides)
    progress = Progress(quiet=quiet)
    models.offline()
    encoder = load_encoder(models.entry(config.align.encoder), config.translate.device)
    lexicons = load_lexicons(config.align.lexicon)
    rows: Iterator[dict[str, Any]]
    if cases is not None:
        given = _cases(cases)
        rows = _with_progress(align_cases(given, encoder, lexicons, lang), progress, len(given))
        as_json = True
    else:
        assert source is not None and target is not None
        rows = _beads(*_sides(source, target, config, lang), config, (encoder, lexicons), progress, translated)
    if out is not None:
        write_lines(out, rows)
        progress.say(f"beads {out}")
        return
    for row in rows:
        line = to_json(row).decode() if as_json else _line(row)
        put(line)


def _with_progress(rows: Iterator[dict[str, Any]], progress: Progress, total: int) -> Iterator[dict[str, Any]]:
    with progress.task("align", total, "documents") as task:
        for row in rows:
            yield row
            task.advance(1)


def _sides(source: Path, target: Path, config: Config, lang: str) -> tuple[Document, Document]:
    """The two documents; where a text does not say surely what language it is in, the order of the arguments does."""
    # Read as English, so that no text is rejected because its language cannot be told.
    settings = config.read.model_copy(update={"lang": ENGLISH})
    reader = Reader(settings)
    src, tgt = reader.read_one(source), reader.read_one(target)
    told = lang or ("" if config.read.lang == "auto" else config.read.lang)
    if src.lang == ENGLISH:
        src = replace(src, lang=told or _source_language(src.text, tgt.text, source))
    if tgt.lang == ENGLISH and is_sure(tgt.text):
        tgt = replace(tgt, lang=detect(tgt.text))
    return src, tgt


def _source_language(text: str, other: str, path: Path) -> str:
    """What a source text is in: what is detected, else, where that is unsure, the one source language in Latin letters.

    Raises UsageError for a text that is surely in another language, and where several languages could be meant.
    """
    detected = detect(text)
    swapped = detected == ENGLISH and detect(other) in source_languages()
    if detected in source_languages() or swapped or (detected == ENGLISH and is_sure(text)):
        return detected
    latin = [code for code in source_languages() if not language(code).script]
    if is_sure(text) or len(latin) != 1:
        known = alternatives(source_languages())
        raise UsageError(f"{path}: the language {detected!r} is no source language", f"Give --lang ({known}).")
    return latin[0]


def _cases(path: Path) -> list[dict[str, Any]]:
    remedy = "Give a JSONL file; a case has id, src_text, tgt_text."
    cases = []
    for where, case in read_rows(path, KEYS, remedy):
        for key in ("src_text", "tgt_text"):
            if not isinstance(case[key], str):
                raise InputError(f"{where}: {key!r} is a {type(case[key]).__name__}, not a string", remedy)
        cases.append(case)
    return cases


def _beads(
    source: Document,
    target: Document,
    config: Config,
    readers: tuple[Encoder, Lexicons],
    progress: Progress,
    translated: bool,
) -> Iterator[dict[str, Any]]:
    encoder, lexicons = readers
    if target.lang != ENGLISH:
        raise UsageError(f"{target.source.path} is {target.lang}, not English", "The English document comes second.")
    if source.lang == ENGLISH:
        raise UsageError(f"{source.source.path} is English", "The Thai or Vietnamese document comes first.")
    src = Side(source, tuple(segment([source], config.segment)), {})
    tgt = Side(target, tuple(segment([target], config.segment)), {})
    if source.lang not in encoder.languages and (translated or lexicons(source.lang) is None):
        src = Side(source, src.segments, _bridge(src, config, progress))
    for found in span_beads(src, tgt, encoder, lexicons):
        yield _row(found, src, tgt)


def _bridge(side: Side, config: Config, progress: Progress) -> dict[str, Translation]:
    """Translations of a document whose language the encoder does not know."""
    lang, entry = side.document.lang, models.entry(config.translate.model)
    progress.say(
        f"the encoder does not know {lang!r}: translating with {entry.name}, {choose(entry, config.translate)}"
    )
    with load(entry, config.translate) as translator:
        total = sum(translator.count(found.text) for found in side.segments)
        with progress.task("translate", total, "tokens") as task:
            context = TranslateContext(translator, {lang: Glossary.load(lang)}, task.advance)
            made = list(translate(side.segments, {side.document.id: side.document}, config.translate, context))
    return {found.segment_id: found for found in made}


def _row(found: SpanBead, source: Side, target: Side) -> dict[str, Any]:
    """A bead and the evidence for it; paragraphs count from 0, and nothing is claimed where a side is empty."""
    return {
        "src": found.src_spans,
        "tgt": found.tgt_spans,
        "src_text": _text(source.document, found.src_spans),
        "tgt_text": _text(target.document, found.tgt_spans),
        "similarity": round(found.bead.similarity, 4),
        "cost": round(found.bead.cost, 4),
        "src_paragraph": _paragraph(source, found.src_spans),
        "tgt_paragraph": _paragraph(target, found.tgt_spans),
        **_evidence(found, source, target),
    }


def _evidence(found: SpanBead, source: Side, target: Side) -> dict[str, float | None]:
    """The scores of the bead as a pair, by the names and definitions of a run."""
    scorers = (Margin(), Displacement(), LengthRatio(), NumberAgreement())
    if not (found.src_spans and found.tgt_spans):
        return dict.fromkeys(signatures(scorers))
    (scored,) = score([bead_pair("", found, source, target)], scorers, Context())
    return {name: None if value is None else round(value, 4) for name, value in scored.scores.items()}


def _paragraph(side: Side, spans: Sequence[tuple[int, int]]) -> int | None:
    """The paragraph in which the spans begin."""
    return next((s.paragraph for s in side.segments if spans and spans[0][0] < s.end), None)


def _text(document: Document, spans: Sequence[tuple[int, int]]) -> str:
    return " ".join(document.text[start:end] for start, end in spans)


def _line(row: dict[str, Any]) -> str:
    return "\t".join((*(one_line(row[side])[0] for side in ("src_text", "tgt_text")), f"{row['similarity']:.3f}"))
