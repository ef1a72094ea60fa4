"""Documents with what was made of them, as the alignment reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.engines.encoders.base import Encoder
from pipeline.stages.align.encoded import Stretch, View, source_view, target_view
from pipeline.stages.align.lexicons import Lexicons
from pipeline.types import Document, Segment, Translation

UNUSABLE = frozenset({"empty", "copied", "looped", "refused", "failed", "skipped"})
"""Translations that ended so say nothing about their source."""


@dataclass(frozen=True, slots=True)
class Side:
    """A document with its segments in order and their translations by segment id (none for English)."""

    document: Document
    segments: tuple[Segment, ...]
    translations: Mapping[str, Translation]


def kept_segments(side: Side) -> list[Segment]:
    """The segments that are no boilerplate."""
    return [segment for segment in side.segments if segment.kind != "boilerplate"]


def usable_english(side: Side, segment: Segment) -> str:
    """The usable translation of a segment, empty where there is none."""
    translation = side.translations.get(segment.id)
    return translation.text.strip() if translation and translation.ended not in UNUSABLE else ""


def readable_texts(side: Side, encoder: Encoder) -> list[str]:
    """What the encoder reads of a document: the text of its segments, or their translations where it does not know the
    language. Empty where there is no text, or no translation."""
    texts = [segment.text for segment in kept_segments(side)]
    if side.document.lang not in encoder.languages:
        english = [usable_english(side, segment) for segment in kept_segments(side)]
        texts = [one or own for one, own in zip(english, texts, strict=True)] if any(english) else []
    return texts if any(texts) else []


def view_of_source(side: Side, encoder: Encoder, lexicons: Lexicons) -> View:
    """A source document made ready for alignment."""
    lang = side.document.lang
    return source_view(side.document.text, lang, _stretches(side), encoder, lexicons(lang))


def view_of_target(side: Side, encoder: Encoder, readable: bool) -> View:
    """An English document made ready for alignment, without vectors where the source is not `readable` either."""
    return target_view(side.document.text, _stretches(side), encoder, readable)


def _stretches(side: Side) -> list[Stretch]:
    return [Stretch((segment.start, segment.end), usable_english(side, segment)) for segment in kept_segments(side)]
