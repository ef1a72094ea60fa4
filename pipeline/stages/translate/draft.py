"""The segments of a shard on their way into English, whoever asks the model: what it is to be given, round by round,
and what comes of its answers.

Nothing is truncated: tokens are counted first, and a segment over the model's limit is cut at clause marks, then at
spaces, then by force, its pieces translated apart and joined. A hypothesis that fails a guard is translated once more,
with what was missing named where the model reads hints, else with a wider search that repeats nothing; the better of
the two is kept, and one that still fails is marked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Hypothesis, ModelInput, Request, Translator
from pipeline.stages.translate.glossary import Glossary
from pipeline.stages.translate.guards import Finding, clean, findings
from pipeline.stages.translate.spelled_out import names_spelled_out
from pipeline.text.languages import language
from pipeline.text.numbers import western
from pipeline.text.unicode import tones_placed
from pipeline.types import Document, Ended, Segment, Translation

CLAUSE = re.compile(r"[,;:–—]\s|[.!?…]\s")
SPACE = re.compile(r"\s+")


class _Hints(NamedTuple):
    """What a document's segments are looked up in: a glossary, and the names that the document itself spells out."""

    glossary: Glossary
    spelled: Mapping[str, str]


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


class Draft:
    """Some segments, none of them English, and what has come of them so far.

    `inputs` are what the model is to be given in this round, the `number`-th; when `take` has had an answer to each,
    they are those of the next round, none when there is nothing more to try.
    """

    def __init__(
        self,
        segments: Iterable[Segment],
        documents: Mapping[str, Document],
        settings: TranslateSettings,
        translator: Translator,
        glossaries: Mapping[str, Glossary],
    ) -> None:
        self._segments = list(segments)
        self._translator = translator
        hinted = translator.codec.takes_hints
        # Without hints a third attempt would be the second again.
        self._rounds = 1 + (settings.retries if hinted else min(1, settings.retries))
        self._pieces: list[_Piece] = []
        hints = {
            document.id: _Hints(glossaries[document.lang], names_spelled_out(document.text, document.lang))
            for document in (documents[doc_id] for doc_id in dict.fromkeys(one.doc_id for one in self._segments))
            if hinted and settings.use_glossary
        }
        for number, segment in enumerate(self._segments):
            lang = documents[segment.doc_id].lang
            if _needs_model(segment, lang):
                self._pieces += _pieces(number, segment.text, lang, settings, translator, hints.get(segment.doc_id))
        self._best: list[_Attempt] = []
        self._asked = list(range(len(self._pieces)))
        self.number = 1
        self.inputs: list[ModelInput] = [translator.input(piece.request) for piece in self._pieces]

    @property
    def is_careful(self) -> bool:
        """Whether this round asks for a wider search, see Engine.generate."""
        return self.number > 1 and not self._translator.codec.takes_hints

    def take(self, hypotheses: Sequence[Hypothesis]) -> list[int]:
        """One hypothesis for each of the inputs, in order: judge them, and go on to the next round. Returns the numbers
        of those that passed every guard."""
        chat = self._translator.codec.takes_hints
        made = [
            _judged(self._pieces[i], hypothesis, self.number, chat)
            for i, hypothesis in zip(self._asked, hypotheses, strict=True)
        ]
        if self.number == 1:
            self._best = made
        else:
            for i, attempt in zip(self._asked, made, strict=True):
                kept = min(self._best[i], attempt, key=lambda one: one.badness)
                self._best[i] = replace(kept, number=self.number)
        self.number += 1
        self._asked = (
            [i for i, attempt in enumerate(self._best) if attempt.found] if self.number <= self._rounds else []
        )
        self.inputs = [
            self._translator.input(replace(self._pieces[i].request, missing=_missing(self._best[i])))
            for i in self._asked
        ]
        return [row for row, attempt in enumerate(made) if not attempt.found]

    def translations(self) -> Iterator[Translation]:
        """One for each segment, in order, once there are no more inputs."""
        by_segment: dict[int, list[tuple[_Piece, _Attempt]]] = {}
        for piece, attempt in zip(self._pieces, self._best, strict=True):
            by_segment.setdefault(piece.segment, []).append((piece, attempt))
        model = self._translator.name
        for number, segment in enumerate(self._segments):
            if number in by_segment:
                yield _joined(segment, model, by_segment[number])
            else:
                text = "" if segment.kind == "boilerplate" else segment.text
                yield Translation(segment.id, text, model, None, 0, 0, "skipped", 0)


def _needs_model(segment: Segment, lang: str) -> bool:
    return segment.kind != "boilerplate" and language(lang).has_words(segment.text)


def _pieces(
    number: int,
    text: str,
    lang: str,
    settings: TranslateSettings,
    translator: Translator,
    known: _Hints | None,
) -> Iterator[_Piece]:
    """The pieces of a text, with hints where anything is known."""
    for part in split(text, lambda t: translator.count(_shown(t, lang, translator)), translator.max_source_tokens):
        shown = _shown(part, lang, translator)
        hints = known.glossary.hints(shown, settings.max_hints, known.spelled) if known else []
        names = tuple((hint.term, hint.english) for hint in hints if hint.is_name)
        request = Request(shown, lang, tuple((hint.term, hint.english) for hint in hints))
        yield _Piece(number, part, names, request)


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


def _missing(attempt: _Attempt) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found.missing for found in attempt.found if found.missing))


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
