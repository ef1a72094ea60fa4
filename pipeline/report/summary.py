"""The first screen: the verdict in words, the headline figures, the counts through the stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.metrics.evaluation import FEW_DOCUMENTS
from pipeline.report.collect import share
from pipeline.report.data import CorpusMetric, ReportData
from pipeline.report.tally import ReportTally
from pipeline.text.languages import language

Row = dict[str, Any]
Bars = list[tuple[str, dict[str, int]]]
KINDS = ("body", "headline", "caption", "boilerplate")
STATES = ("passed", "marked", "failed")
HEADLINE = ("chrF2", "BLEU")
"""The metric shown first, where it was computed: it needs no tokenizer and moves less than BLEU on few segments."""
FOLDED = " (names folded)"
"""What `scorers.name_folding` adds to the name of a metric."""
LEVELS = ("bad", "warn", "good", "note")
ORIGINS = {"aligned": "aligned", "mined": "mined", "translated": "machine-made"}
RELATIONS = ("parallel", "comparable", "unrelated")


def verdict_line(counts: Row) -> str:
    """One sentence: what came out."""
    pairs = counts["pairs"]
    if not pairs["scored"]:
        return "No pairs came out of this run."
    if not pairs["kept"]:
        return f"None of {plural(pairs['scored'], 'pair')} was kept."
    parts = [
        f"{row['kept']:,} of {plural(row['scored'], f'{ORIGINS[origin]} pair')}"
        for origin, row in pairs["by_origin"].items()
        if row["scored"]
    ]
    return f"Kept: {' and '.join(parts)}."


def notes(counts: Row, facts: list[Row], data: ReportData) -> list[Row]:
    """What a reader has to know before trusting the figures, gravest first; `level` is one of LEVELS."""
    found = [*_cautions(counts, data), *_translation_notes(counts), *_alignment_notes(counts), *_fact_notes(facts)]
    found += _model_notes(counts, data)
    if counts["rejected_inputs"]:
        found.append(("warn", f"{plural(counts['rejected_inputs'], 'input')} set aside as unreadable."))
    accepted, rejected = counts["pairs"]["accepted_by_hand"], counts["pairs"]["rejected_by_hand"]
    if accepted or rejected:
        found.append(("note", f"By hand, {plural(accepted, 'pair')} accepted and {rejected:,} rejected."))
    few = {raw.on: raw.documents for raw in data.metrics if raw.score.ci is not None and raw.documents < FEW_DOCUMENTS}
    for on, number in few.items():
        text = f"{on}: only {plural(number, 'document')}, whose segments are alike, so the intervals are too small."
        found.append(("warn", text))
    if not data.metrics and counts["translations"]["source_segments"]:
        found.append(("note", "No reference translations were given, so there is no BLEU or chrF of this run."))
    found.sort(key=lambda note: LEVELS.index(note[0]))
    return [{"level": level, "text": text} for level, text in found]


def _translation_notes(counts: Row) -> Iterator[tuple[str, str]]:
    made = counts["translations"]
    total = made["passed"] + made["marked"] + made["failed"]
    if not made["source_segments"]:
        return
    if made["unaccounted"]:
        text = f"{plural(made['unaccounted'], 'source segment')} that should have been translated has no translation."
        yield "bad", text
    else:
        parts = [f"{made[name]:,} {name}" for name in STATES if made[name]]
        parts += [f"{made['boilerplate']:,} boilerplate left alone"] if made["boilerplate"] else []
        yield "good", f"All {plural(made['source_segments'], 'source segment')} accounted for: {', '.join(parts)}."
    flawed = made["marked"] + made["failed"]
    if flawed:
        yield (
            "warn",
            f"{flawed:,} of {plural(total, 'translation')} ({percent(flawed, total)}) did not pass the guards; "
            "they are listed below with what is wrong.",
        )
    for note, number in made["notes"].items():
        yield "warn", f"Of {plural(number, 'translation')} the engine says: {note}."


def _alignment_notes(counts: Row) -> Iterator[tuple[str, str]]:
    pairs = counts["document_pairs"]
    if not pairs["total"]:
        return
    if pairs["parallel"]:
        verb = "is" if pairs["parallel"] == 1 else "are"
        yield "good", f"{pairs['parallel']:,} of {plural(pairs['total'], 'candidate document pair')} {verb} parallel."
    else:
        yield (
            "note",
            f"No parallel documents among {plural(pairs['total'], 'candidate pair')}: the texts may be about the same "
            "events, but do not say the same, so no sentences were paired.",
        )


def _fact_notes(facts: list[Row]) -> Iterator[tuple[str, str]]:
    lost = [
        f"{row['expected'] - row['found']:,} of {row['expected']:,} {row['kind']}"
        for row in facts
        if row["found"] < row["expected"]
    ]
    if lost:
        yield "warn", f"Not found in the English: {', '.join(lost)} of the source."


def _cautions(counts: Row, data: ReportData) -> Iterator[tuple[str, str]]:
    """What is to be known of a model stands before all that was counted of its English."""
    for model in data.models:
        if model.caution and model.name in counts["translations"]["models"]:
            yield "warn", f"{model.name} is {model.caution}."


def _model_notes(counts: Row, data: ReportData) -> Iterator[tuple[str, str]]:
    for model in data.models:
        if model.commercial is False:
            yield "warn", f"The licence of {model.name} ({model.licence}) forbids commercial use of what it made."
    known = {model.name for model in data.models}
    for name in sorted(counts["translations"]["models"].keys() - known):
        yield "bad", f"Translations name model {name}, of which neither source nor licence is known."
    missing = gaps(counts, data)
    if missing:
        yield "warn", f"Provenance is incomplete: {'; '.join(missing)}."


def gaps(counts: Row, data: ReportData) -> list[str]:
    """What is not known of where this run comes from."""
    found = []
    for model in data.models:
        lacking = [name for name in ("source", "revision", "fingerprint", "licence") if not getattr(model, name)]
        if lacking:
            found.append(f"no {', '.join(lacking)} of model {model.name}")
    if not data.models:
        found.append("no model is named")
    if data.version.endswith("+changes"):
        found.append("the code differed from its commit")
    found += [f"no {name}" for name in ("signatures", "packages", "config") if not getattr(data, name)]
    if counts["documents"]["without_licence"]:
        found.append(f"{plural(counts['documents']['without_licence'], 'document')} without a stated licence")
    if counts["pairs"]["without_licence"]:
        found.append(f"{plural(counts['pairs']['without_licence'], 'pair')} without a stated licence")
    return found


def counts_of(tally: ReportTally, relations: Mapping[str, int], rejected_inputs: int) -> Row:
    """All counts through the stages."""
    by_origin = {
        origin: {
            "scored": tally.scored[origin],
            "kept": tally.kept[origin],
            "rejected": tally.scored[origin] - tally.kept[origin],
            "confidence": share(tally.confidence[origin], tally.confidences[origin]),
        }
        for origin in tally.origins()
    }
    scored, kept = tally.scored.total(), tally.kept.total()
    source_segments = sum(n for (lang, _), n in tally.segments.items() if lang != "en")
    return {
        "documents": {
            "total": tally.documents.total(),
            "by_language": dict(sorted(tally.documents.items())),
            "without_licence": tally.licences[""],
        },
        "rejected_inputs": rejected_inputs,
        "segments": {
            "total": tally.segments.total(),
            "rows": [{"lang": lang, "kind": kind, "count": n} for (lang, kind), n in sorted(tally.segments.items())],
        },
        "translations": {
            "source_segments": source_segments,
            **{name: tally.states[name] for name in STATES},
            "boilerplate": tally.boilerplate,
            "unaccounted": tally.left_alone,
            "ended": dict(sorted(tally.ended.items())),
            "notes": dict(sorted(tally.notes.items())),
            "models": dict(sorted(tally.models.items())),
        },
        "document_pairs": {"total": sum(relations.values()), **{name: relations.get(name, 0) for name in RELATIONS}},
        "pairs": {
            "scored": scored,
            "kept": kept,
            "rejected": scored - kept,
            "accepted_by_hand": tally.by_hand[True],
            "rejected_by_hand": tally.by_hand[False],
            "without_licence": tally.unlicensed,
            "by_origin": by_origin,
        },
    }


def tiles(counts: Row, facts: list[Row], data: ReportData) -> list[Row]:
    """The headline figures, each with its unit (`count`, `rate` or `metric`) and a line of explanation.

    `ci` is half of the 95 % interval of a metric, `folded` the same metric with names folded. Rates are of the whole
    run, not of a sample, and have none.
    """
    documents, made, pairs = counts["documents"], counts["translations"], counts["pairs"]
    languages = ", ".join(f"{n:,} {language(lang).name}" for lang, n in documents["by_language"].items())
    found = [("Documents", documents["total"], "count", languages)] if documents["total"] else []
    total = made["passed"] + made["marked"] + made["failed"]
    if total:
        rate = share(made["passed"], total)
        found.append(("No check failed", rate, "rate", f"{made['passed']:,} of {plural(total, 'segment')} translated"))
    unread = any(model.caution and model.name in made["models"] for model in data.models)
    for origin, row in pairs["by_origin"].items():
        note = f"of {row['scored']:,} scored" + ("; unread" if origin == "translated" and unread else "")
        if row["confidence"] is not None:
            note += f"; mean confidence {row['confidence']:.2f}"
        found.append((f"{ORIGINS[origin].capitalize()} pairs kept", row["kept"], "count", note))
    if counts["document_pairs"]["total"]:
        number = counts["document_pairs"]["parallel"]
        found.append(("Parallel documents", number, "count", f"of {counts['document_pairs']['total']:,} candidates"))
    expected = sum(row["expected"] for row in facts)
    if expected:
        rate = share(sum(row["found"] for row in facts), expected)
        found.append(("Facts carried over", rate, "rate", ", ".join(row["kind"] for row in facts)))
    rows = [
        {"label": label, "value": value, "ci": None, "unit": unit, "note": note, "folded": None}
        for label, value, unit, note in found
    ]
    return rows + [_metric_tile(raw, folded) for raw, folded in _headline(data.metrics)]


def _metric_tile(raw: CorpusMetric, folded: CorpusMetric | None) -> Row:
    score = raw.score
    other = {"value": folded.score.score, "ci": folded.score.ci} if folded else None
    return {
        "label": score.name,
        "value": score.score,
        "ci": score.ci,
        "unit": "metric",
        "note": raw.on,
        "folded": other,
    }


def _headline(metrics: Sequence[CorpusMetric]) -> list[tuple[CorpusMetric, CorpusMetric | None]]:
    """Of each test set the first of HEADLINE that was computed, and the same with names folded where it was."""
    found = []
    for on in dict.fromkeys(metric.on for metric in metrics):
        mine = {metric.score.name: metric for metric in metrics if metric.on == on}
        chosen = next((name for name in HEADLINE if name in mine), next(iter(mine)))
        found.append((mine[chosen], mine.get(f"{chosen}{FOLDED}")))
    return found


def funnel(counts: Row) -> list[Row]:
    """Groups of bars; within a group all bars share the scale of its first one, `of`, and one unit."""
    documents, made, pairs = counts["documents"], counts["translations"], counts["pairs"]
    kinds = {kind: 0 for kind in KINDS}
    for row in counts["segments"]["rows"]:
        if row["lang"] != "en":
            kinds[row["kind"]] += row["count"]
    languages = {language(lang).name: n for lang, n in documents["by_language"].items()}
    groups: list[tuple[str, str, Bars]] = [
        (
            "Reading",
            "documents" if documents["total"] else "lines",
            [("read", languages), ("set aside", {"rejected": counts["rejected_inputs"]})],
        ),
        ("Translation", "segments", [("cut", kinds), ("translated", {name: made[name] for name in STATES})]),
        ("Documents matched", "pairs", [("compared", {name: counts["document_pairs"][name] for name in RELATIONS})]),
    ]
    judged = [
        (origin, {"kept": row["kept"], "rejected": row["rejected"]}) for origin, row in pairs["by_origin"].items()
    ]
    groups.append(("Filtering", "pairs", judged))
    return [group for group in (_group(*item) for item in groups) if group["of"]]


def _group(title: str, unit: str, bars: Bars) -> Row:
    rows: list[Row] = [
        {
            "label": label,
            "count": sum(parts.values()),
            "parts": [
                {"name": name, "count": n, "share": share(n, sum(parts.values()))} for name, n in parts.items() if n
            ],
        }
        for label, parts in bars
    ]
    return {"title": title, "unit": unit, "of": max((row["count"] for row in rows), default=0), "rows": rows}


def plural(number: int, noun: str) -> str:
    """ "1 pair", "2,000 pairs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(part: int, whole: int) -> str:
    """A share for people; what is not all never reads "100 %", what is not nothing never "0 %"."""
    exact = 100 * part / whole if whole else 0.0
    if 0 < part < whole:
        exact = min(max(exact, 0.1), 99.9)
    return f"{exact:.0f} %" if part in (0, whole) else f"{exact:.1f} %"


def p_value(value: float) -> str:
    """A p-value for people: "< 0.001" where that is."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
