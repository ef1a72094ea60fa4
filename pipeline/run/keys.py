"""The key of every shard: what it is made from, hashed, so that a second run redoes exactly what a change touches.

Pure functions of plain data. A key that changes makes every run folder do its work again, so the values that these
functions give for a fixed input are held by a test. What changes speed alone is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.config.settings import AlignSettings, SegmentSettings, TranslateSettings
from pipeline.engines.base import Request
from pipeline.files.store import digest
from pipeline.stages.align.matching import VERSION as MATCH_VERSION
from pipeline.stages.align.stage import VERSION as ALIGN_VERSION
from pipeline.stages.read.pairs import Given
from pipeline.stages.score.stage import VERSION as SCORE_VERSION
from pipeline.stages.segment.stage import VERSION as SEGMENT_VERSION
from pipeline.stages.segment.stage import learned_languages
from pipeline.stages.translate.stage import VERSION as TRANSLATE_VERSION
from pipeline.types import Document, DocumentPair

SPEED_ONLY = {"workers", "threads", "memory"}


def documents_key(documents: Sequence[Document]) -> str:
    """Of a shard of documents: all that was read."""
    return digest("read", documents)


def texts_key(documents: Sequence[Document]) -> str:
    """Of what is made of a shard of documents: their texts, not where they were read or what else is known of them."""
    return digest("texts", [(document.id, document.lang, document.text) for document in documents])


def segments_key(texts: str, settings: SegmentSettings, boundary_models: Mapping[str, str]) -> str:
    """Of the segments of the documents with the key `texts`; `boundary_models` are hashes by language.

    Only the models that cut segments count: a changed other one is no reason to translate again.
    """
    learned = [boundary_models.get(lang) for lang in learned_languages()]
    return digest("segment", SEGMENT_VERSION, texts, settings, learned)


def translator_key(model: str, settings: TranslateSettings, glossaries: Sequence[str]) -> str:
    """Of everything that makes translations beside their source: `model` is `pipeline.engines.load.identity`.

    `glossaries` are the hashes of the files that hints come from; where they lie does not count.
    """
    return digest(
        "translate", TRANSLATE_VERSION, model, settings.model_dump(exclude={*SPEED_ONLY, "glossary"}), glossaries
    )


def translations_key(translator: str, segments: str, names: Sequence[tuple[str, str]] = ()) -> str:
    """Of the translations of the segments under the key `segments`; `names` are those in them that a person corrected,
    with their English."""
    return digest(translator, segments, names) if names else digest(translator, segments)


def again_key(translations: str, tries: int) -> str:
    """Of translations that are made once more, since rows ended the process that decoded them in `tries` runs."""
    return digest(translations, "again", tries) if tries else translations


def answer_key(translations: str, attempt: int, row: int, request: Request) -> str:
    """Of what the model makes of one request: the `row`-th of an attempt at the shard under the key `translations`."""
    return digest(translations, attempt, row, request)


def document_pairs_key(
    segments: Sequence[str], translations: Sequence[str], settings: AlignSettings, aligner: Sequence[str]
) -> str:
    """Of the document pairs, which rest on all shards; `aligner` are the hashes of all it is made with."""
    return digest("match", MATCH_VERSION, ALIGN_VERSION, segments, translations, settings, aligner)


def profiles_key(translations: str, aligner: Sequence[str]) -> str:
    """Of the profiles of the documents of a shard; `aligner` as in `document_pairs_key`."""
    return digest("profile", MATCH_VERSION, translations, aligner)


def judge_key(aligner: Sequence[str]) -> str:
    """Of everything that judges a candidate beside the two documents; `aligner` as in `document_pairs_key`."""
    return digest("judge", ALIGN_VERSION, aligner)


def evidence_key(judge: str, source: str, english: str) -> str:
    """Of what the sentences of two documents say, these being known by the hashes of their content."""
    return digest(judge, source, english)


def judged_key(evidence: Sequence[str]) -> str:
    """Of the evidence for all candidates of a shard, given the keys of it all."""
    return digest("judged", evidence)


def counterparts_key(
    pairs: Sequence[DocumentPair], english: Sequence[str], settings: AlignSettings, aligner: Sequence[str]
) -> str:
    """Of the English that the documents of a shard are aligned with: their counterparts, and the keys of the segments
    of the shards where these are; `aligner` as in `document_pairs_key`.

    How similar the documents are does not count: it changes a little with every document of the input.
    """
    found = [(pair.src_doc, pair.tgt_doc, pair.relation) for pair in pairs]
    return digest("counterparts", ALIGN_VERSION, found, english, settings, aligner)


def pairs_key(counterparts: str, translations: str) -> str:
    """Of the pairs of a shard, translated, aligned and mined."""
    return digest("pairs", counterparts, translations)


def scored_key(pairs: str, signatures: Mapping[str, str]) -> str:
    """Of the scored pairs under the key `pairs`; `signatures` by score."""
    return digest(digest("score", SCORE_VERSION, signatures), pairs)


def given_key(given: Sequence[Given]) -> str:
    """Of a shard of pairs that a corpus brings."""
    return digest("given", given)


def scored_given_key(given: str, signatures: Mapping[str, str]) -> str:
    """Of the scored pairs of a corpus under the key `given`."""
    return digest("score", SCORE_VERSION, given, signatures)
