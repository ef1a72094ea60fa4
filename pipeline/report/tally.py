"""One pass over all documents: counts, histograms, chosen examples, capped tables."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, get_args

from pipeline.config.settings import Rule
from pipeline.errors import StoreError
from pipeline.report.article import article, rank
from pipeline.report.collect import Capped, Histogram, Sample, Top, share
from pipeline.report.data import DocumentWork, ReportData
from pipeline.report.rows import (
    document_row,
    label,
    machine_text,
    marked_row,
    pair_row,
    reading_row,
    state,
    with_marks,
)
from pipeline.report.slices import Slices
from pipeline.report.whatif import WhatIf
from pipeline.types import Origin, Scored, Source, Translation, Verdict

ORIGINS: tuple[str, ...] = get_args(Origin)
MAX_ROWS = 200
MAX_DOCUMENTS = 500
MAX_DRAWN = 20
MAX_READING = 60
MAX_READING_CHARS = 300_000
MEANS = ("number_agreement", "name_agreement")
"""Scores whose means the slices show, beside those that pairs are ranked by."""

Row = dict[str, Any]


class ReportTally:
    """Everything that is counted or kept from the documents; `labels` names documents by id."""

    def __init__(self, data: ReportData) -> None:
        self._rules, self._rank_by, size = data.rules, data.rank_by, data.examples
        self.labels: dict[str, str] = {}
        self.documents: Counter[str] = Counter()
        self.segments: Counter[tuple[str, str]] = Counter()
        self.to_translate = 0
        self.left_alone = 0
        self.boilerplate = 0
        self.states: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.scored: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.by_hand: Counter[bool] = Counter()
        self.confidences: Counter[str] = Counter()
        self.confidence: defaultdict[str, float] = defaultdict(float)
        """Of the kept pairs of an origin, how many have a confidence, and the sum of theirs."""
        self.reasons: Counter[str] = Counter()
        self.sole_reasons: Counter[str] = Counter()
        self.licences: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self.unlicensed = 0
        """Pairs of a corpus without a stated licence; of documents see `licences`."""
        self.histograms: dict[tuple[str, str], Histogram] = {}
        self._limits: dict[tuple[str, str], Rule] = {}
        self.missing: Counter[tuple[str, str]] = Counter()
        self.below: Counter[tuple[str, str]] = Counter()
        self.above: Counter[tuple[str, str]] = Counter()
        self.best: defaultdict[str, Top[Row]] = defaultdict(lambda: Top(size))
        self.worst: defaultdict[str, Top[Row]] = defaultdict(lambda: Top(size))
        self.kept_samples: defaultdict[str, Sample[Row]] = defaultdict(lambda: Sample(size))
        self.rejected_sample: Sample[Row] = Sample(size)
        self.what_if = WhatIf(data.rules, data.rank_by)
        self.slices = Slices([*data.rank_by.values(), *(name for name in MEANS if name in data.signatures)])
        self.marked: Capped[Row] = Capped(MAX_ROWS)
        self.document_rows: Capped[Row] = Capped(MAX_DOCUMENTS)
        self.reading: Capped[Row] = Capped(MAX_READING)
        self._reading_chars = 0
        self.article: Row | None = None
        self._article_rank = 0

    def origins(self) -> list[str]:
        """The origins that occur, in a fixed order."""
        return sorted(self.scored, key=ORIGINS.index)

    def add(self, work: DocumentWork) -> None:
        """Count one document."""
        document = work.document
        self.labels[document.id] = name = label(document.source)
        self.documents[document.lang] += 1
        self.licences[document.source.licence] += 1
        self.segments.update((document.lang, segment.kind) for segment in work.segments)
        anchor = ""
        if document.lang != "en":
            self._offer_article(work)
            self._add_translations(work)
            anchor = self._add_reading(work)
        self.document_rows.offer(lambda: document_row(work, anchor))
        translations = {translation.segment_id: translation for translation in work.translations}
        for scored, verdict in work.pairs:
            self._add_pair(scored, verdict)
            self.slices.add_pair(scored, verdict, document.source)
            self._offer_example(scored, verdict, name, translations)

    def add_given(self, scored: Scored, verdict: Verdict, source: Source, model: str) -> None:
        """Count one pair of a corpus, which has no documents; `model` made its English, empty where none did."""
        self.unlicensed += not source.licence
        if model:
            self.models[model] += 1
        self._add_pair(scored, verdict)
        self.slices.add_pair(scored, verdict, source)
        self._offer_example(scored, verdict, label(source), {})

    def _offer_article(self, work: DocumentWork) -> None:
        """Keep the document for the view of its lines when it shows more than the one kept so far."""
        if self.article is None or rank(work) < self._article_rank:
            self.article, self._article_rank = article(work), rank(work)

    def _add_translations(self, work: DocumentWork) -> None:
        translations = {translation.segment_id: translation for translation in work.translations}
        for segment in work.segments:
            translation = translations.get(segment.id)
            if translation is None:
                self.boilerplate += segment.kind == "boilerplate"
                self.left_alone += segment.kind != "boilerplate"
                continue
            self.states[state(translation)] += 1
            self.slices.add_translation(segment, translation, work.document.lang, work.document.source)
            self.ended[translation.ended] += 1
            self.notes.update(translation.notes)
            self.models[translation.model] += 1
            if state(translation) != "passed":
                self.marked.offer(lambda s=segment, t=translation: marked_row(s, t, work.document))  # type: ignore[misc]

    def _add_reading(self, work: DocumentWork) -> str:
        """Keep the document for the reading view while there is room; its anchor, empty when it is not kept."""
        if not work.translations:
            return ""
        anchor = f"read-{self.reading.total + 1}"
        if self.reading.full or self._reading_chars > MAX_READING_CHARS:
            self.reading.skip()
            return ""
        self._reading_chars += len(work.document.text)
        self.reading.offer(lambda: reading_row(work, anchor))
        return anchor

    def _add_pair(self, scored: Scored, verdict: Verdict) -> None:
        pair = scored.pair
        self.scored[pair.origin] += 1
        self.kept[pair.origin] += verdict.keep
        self.by_hand[verdict.keep] += verdict.by_hand
        sure = scored.scores.get("confidence")
        if verdict.keep and sure is not None:
            self.confidences[pair.origin] += 1
            self.confidence[pair.origin] += sure
        for name, value in scored.scores.items():
            self._add_score(name, pair.origin, value)
        self.reasons.update(verdict.kinds)
        if len(verdict.kinds) == 1:
            self.sole_reasons.update(verdict.kinds)
        self.what_if.add(scored, verdict)

    def _offer_example(
        self, scored: Scored, verdict: Verdict, document: str, translations: Mapping[str, Translation]
    ) -> None:
        pair = scored.pair

        def make() -> Row:
            return pair_row(scored, verdict, document, machine_text(pair, translations))

        if not verdict.keep:
            self.rejected_sample.offer_id(pair.id, make)
            return
        self.kept_samples[pair.origin].offer_id(pair.id, make)
        rank = scored.scores.get(self._rank_by.get(pair.origin, ""))
        if rank is not None:
            self.best[pair.origin].offer(rank, pair.id, make)
            self.worst[pair.origin].offer(-rank, pair.id, make)

    def _add_score(self, name: str, origin: str, value: float | None) -> None:
        key = (name, origin)
        if value is None:
            self.missing[key] += 1
            return
        if not math.isfinite(value):
            raise StoreError(f"score {name!r} of a pair is {value}", "Report this as a bug.")
        if key not in self.histograms:
            self._limits[key] = rule = rule_for(self._rules, name, origin)
            self.histograms[key] = Histogram(_clip(rule))
        self.histograms[key].add(value)
        rule = self._limits[key]
        self.below[key] += rule.min is not None and value < rule.min
        self.above[key] += rule.max is not None and value > rule.max


def rule_for(rules: Mapping[str, Rule], name: str, origin: str) -> Rule:
    """The rule for a score of pairs of this origin; an empty one when there is none."""
    rule = rules.get(name)
    judged_as = "translated" if origin == "translated" else "aligned"
    return rule if rule and rule.origin in ("any", judged_as) else Rule()


def _clip(rule: Rule) -> tuple[float, float]:
    """What is drawn at most: a rule with two limits, and once its width on either side of it."""
    if rule.min is None or rule.max is None:
        return -math.inf, math.inf
    return 2 * rule.min - rule.max, 2 * rule.max - rule.min


def histogram_rows(tally: ReportTally, data: ReportData) -> list[Row]:
    """One histogram a score and origin, in the order of the signatures."""
    names = [*data.signatures, *sorted({name for name, _ in tally.histograms} - set(data.signatures))]
    rows = []
    for name in names:
        for origin in tally.origins():
            key = (name, origin)
            found, rule = tally.histograms.get(key), rule_for(data.rules, name, origin)
            if found is None:
                continue
            rows.append(
                {
                    "score": name,
                    "origin": origin,
                    "signature": data.signatures.get(name, ""),
                    "count": found.count,
                    "missing": tally.missing[key],
                    "lowest": found.low,
                    "mean": found.total / found.count,
                    "highest": found.high,
                    "min": rule.min,
                    "max": rule.max,
                    "below": tally.below[key],
                    "above": tally.above[key],
                    "off_scale": found.clipped,
                    "width": found.width,
                    "bins": found.rows(),
                }
            )
    return rows


def attrition_rows(tally: ReportTally, data: ReportData) -> list[Row]:
    """Why pairs were rejected, the most frequent reason first."""
    total = tally.scored.total()
    rows = []
    for kind, count in sorted(tally.reasons.items(), key=lambda item: (-item[1], item[0])):
        rule = data.rules.get(kind)
        rows.append(
            {
                "reason": kind,
                "min": rule.min if rule else None,
                "max": rule.max if rule else None,
                "origin": rule.origin if rule else "any",
                "pairs": count,
                "alone": tally.sole_reasons[kind],
                "share": share(count, total),
            }
        )
    return rows


def example_tables(tally: ReportTally, data: ReportData) -> list[Row]:
    """Worst, random and best kept pairs of each origin, and a random sample of rejected ones; no empty tables."""
    tables = []
    for origin in tally.origins():
        rank_by = data.rank_by.get(origin, "")
        orders: tuple[tuple[str, Top[Row]], ...] = (
            ("weakest", tally.worst[origin]),
            ("sample", tally.kept_samples[origin]),
            ("strongest", tally.best[origin]),
        )
        tables += [(order, origin, rank_by, chosen) for order, chosen in orders]
    tables.append(("rejected", "", "", tally.rejected_sample))
    return [
        {"order": order, "origin": origin, "rank_by": rank_by, "rows": [with_marks(row) for row in chosen.rows()]}
        for order, origin, rank_by, chosen in tables
        if chosen.rows()
    ]
