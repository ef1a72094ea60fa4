"""Segments to English.

Nothing is truncated: tokens are counted first, and a segment over the model's limit is cut at clause marks, then at
spaces, then by force, its pieces translated apart and joined. A hypothesis that fails a guard is translated once more,
with what was missing named where the model reads hints, else with a wider search that repeats nothing; the better of
the two is kept, and one that still fails is marked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Hypothesis, Request, Translator
from pipeline.engines.batching import plan
from pipeline.stages.translate.glossary import Glossary
from pipeline.stages.translate.guards import Finding, clean, findings
from pipeline.text.languages import language
from pipeline.text.numbers import western
from pipeline.text.unicode import tones_placed
from pipeline.types import Document, Ended, Segment, Translation

VERSION = 8
"""Raised when the same input would give other output; part of every shard's key."""

CLAUSE = re.compile(r"[,;:–—]\s|[.!?…]\s")
SPACE = re.compile(r"\s+")

Memo = Callable[[Sequence[Request], Callable[[], list[Hypothesis]]], list[Hypothesis]]


@dataclass(frozen=True)
class TranslateContext:
    """What the stage needs beside its input.

    `memo` returns the stored hypotheses of a batch or computes and stores them; it is where a run commits batches and
    notices a request to stop. `advance` is told the tokens of the source texts of every batch of first attempts.
    """

    translator: Translator
    glossaries: Mapping[str, Glossary]
    memo: Memo
    advance: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A segment, or a part of one that is too long for the model."""

    segment: int
    source: str
    names: tuple[tuple[str, str], ...]
    request: Request


@dataclass(frozen=True, slots=True)
class _Attempt:
    hypothesis: Hypothesis
    text: str
    found: tuple[Finding, ...]
    number: int

    @property
    def badness(self) -> tuple[int, int]:
        """Orders attempts: unusable ones last, then by the number of things wrong."""
        unusable = {"failed": 3, "empty": 3, "refused": 2, "copied": 2, "looped": 1, "length": 1}
        return (max((unusable.get(f.ended, 0) for f in self.found), default=0), len(self.found))


def translate(
    segments: Iterable[Segment],
    documents: Mapping[str, Document],
    settings: TranslateSettings,
    context: TranslateContext,
) -> Iterator[Translation]:
    """Yield one Translation a segment, in order; English segments are not expected here."""
    todo = list(segments)
    pieces: list[_Piece] = []
    for number, segment in enumerate(todo):
        lang = documents[segment.doc_id].lang
        if _needs_model(segment, lang):
            pieces += _pieces(number, segment.text, lang, settings, context)
    attempts = _attempts(pieces, settings, context)
    by_segment: dict[int, list[tuple[_Piece, _Attempt]]] = {}
    for piece, attempt in zip(pieces, attempts, strict=True):
        by_segment.setdefault(piece.segment, []).append((piece, attempt))
    for number, segment in enumerate(todo):
        if number in by_segment:
            yield _joined(segment, context.translator.name, by_segment[number])
        else:
            text = "" if segment.kind == "boilerplate" else segment.text
            yield Translation(segment.id, text, context.translator.name, None, 0, 0, "skipped", 0)


def _needs_model(segment: Segment, lang: str) -> bool:
    return segment.kind != "boilerplate" and language(lang).has_words(segment.text)


def _pieces(number: int, text: str, lang: str, settings: TranslateSettings, context: TranslateContext) -> list[_Piece]:
    translator = context.translator
    takes_hints = translator.codec.takes_hints
    pieces = []
    for part in split(text, lambda t: translator.count(_shown(t, lang, translator)), translator.max_source_tokens):
        shown = _shown(part, lang, translator)
        wanted = takes_hints and settings.use_glossary
        hints = context.glossaries[lang].hints(shown, settings.max_hints) if wanted else []
        names = tuple((hint.term, hint.english) for hint in hints if hint.is_name)
        request = Request(shown, lang, tuple((hint.term, hint.english) for hint in hints))
        pieces.append(_Piece(number, part, names, request))
    return pieces


def _shown(text: str, lang: str, translator: Translator) -> str:
    """`text` as the model reads it best."""
    if translator.vietnamese_tones != "as written":
        text = tones_placed(text, lang, translator.vietnamese_tones)
    return western(text, lang) if translator.codec.takes_hints else text


def split(text: str, count: Callable[[str], int], limit: int) -> list[str]:
    """Cut `text` into pieces of at most `limit` tokens: at the clause mark nearest the middle, else the nearest space,
    else in the middle. Joined with spaces where there were spaces, the pieces give the text again."""
    if count(text) <= limit or len(text) < 2:
        return [text]
    middle = len(text) / 2
    for pattern in (CLAUSE, SPACE):
        cuts = [m.end() for m in pattern.finditer(text) if 0 < m.end() < len(text)]
        if cuts:
            cut = min(cuts, key=lambda at: abs(at - middle))
            break
    else:
        cut = int(middle)
    head, tail = text[:cut].strip(), text[cut:].strip()
    return [piece for part in (head, tail) if part for piece in split(part, count, limit)]


def _attempts(pieces: Sequence[_Piece], settings: TranslateSettings, context: TranslateContext) -> list[_Attempt]:
    best = _round(pieces, [piece.request for piece in pieces], 1, settings, context)
    # Without hints a third attempt would be the second again.
    rounds = settings.retries if context.translator.codec.takes_hints else min(1, settings.retries)
    for number in range(2, rounds + 2):
        again = [i for i, attempt in enumerate(best) if attempt.found]
        requests = [replace(pieces[i].request, missing=_missing(best[i])) for i in again]
        for i, attempt in zip(
            again, _round([pieces[i] for i in again], requests, number, settings, context), strict=True
        ):
            kept = min(best[i], attempt, key=lambda a: a.badness)
            best[i] = replace(kept, number=number)
    return best


def _missing(attempt: _Attempt) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found.missing for found in attempt.found if found.missing))


def _round(
    pieces: Sequence[_Piece],
    requests: Sequence[Request],
    number: int,
    settings: TranslateSettings,
    context: TranslateContext,
) -> list[_Attempt]:
    translator = context.translator
    careful = number > 1 and not translator.codec.takes_hints
    lengths = [len(translator.codec.encode(request)) for request in requests]
    done: dict[int, Hypothesis] = {}
    for batch in plan(lengths, settings.batch_tokens, settings.batch_rows or translator.engine.batch_rows):
        rows = [requests[i] for i in batch]
        hypotheses = context.memo(rows, lambda rows=rows: translator.translate(rows, careful=careful))  # type: ignore[misc]
        done.update(zip(batch, hypotheses, strict=True))
        if number == 1:
            context.advance(sum(hypothesis.src_tokens for hypothesis in hypotheses))
    return [_judged(piece, done[i], number, translator.codec.takes_hints) for i, piece in enumerate(pieces)]


def _judged(piece: _Piece, hypothesis: Hypothesis, number: int, chat: bool) -> _Attempt:
    text = clean(hypothesis.text, piece.source, chat=chat)
    found = findings(piece.source, piece.request.lang, text, hypothesis.ended, piece.names)
    return _Attempt(hypothesis, text, found, number)


def _joined(segment: Segment, model: str, parts: Sequence[tuple[_Piece, _Attempt]]) -> Translation:
    attempts = [attempt for _, attempt in parts]
    found = [finding for attempt in attempts for finding in attempt.found]
    logs = [(a.hypothesis.logprob, a.hypothesis.out_tokens) for a in attempts if a.hypothesis.logprob is not None]
    weight = sum(n for _, n in logs)
    ended: Ended = found[0].ended if found else "stop"
    return Translation(
        segment_id=segment.id,
        text=" ".join(attempt.text for attempt in attempts if attempt.text),
        model=model,
        logprob=sum(log * n for log, n in logs) / weight if weight else None,
        src_tokens=sum(a.hypothesis.src_tokens for a in attempts),
        out_tokens=sum(a.hypothesis.out_tokens for a in attempts),
        ended=ended,
        attempts=max(a.number for a in attempts),
        problems=tuple(finding.problem for finding in found),
        notes=tuple(dict.fromkeys(a.hypothesis.note for a in attempts if a.hypothesis.note)),
        hints=tuple(dict.fromkeys(hint for piece, _ in parts for hint in piece.request.hints)),
    )


def no_memo(rows: Sequence[Request], compute: Callable[[], list[Hypothesis]]) -> list[Hypothesis]:
    """Compute every batch, store none."""
    return compute()
