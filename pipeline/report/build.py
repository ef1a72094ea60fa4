"""The report: `build` makes plain data of a run, `render` one HTML file of that data, `write_report` both files.

`report.json` holds every number and text that `report.html` shows; the page holds nothing else. The page loads nothing:
style and script are inline, and its content security policy names them by their hashes. Data reaches it through
autoescaped templates only. Neither file depends on the clock, so the same run gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.files.store import plain, to_json, write_bytes
from pipeline.report.aligned import aligned_row
from pipeline.report.collect import Capped, Top, share
from pipeline.report.data import FactCheck, ReportData
from pipeline.report.page import render
from pipeline.report.rows import reject_row
from pipeline.report.summary import counts_of, funnel, gaps, notes, tiles, verdict_line
from pipeline.report.tally import MAX_DRAWN, MAX_ROWS, ReportTally, attrition_rows, example_tables, histogram_rows
from pipeline.types import DocumentPair

HTML = "report.html"
JSON = "report.json"
FORMAT = 1
MAX_CLOSEST = 40

__all__ = ["assemble", "build", "render", "write_built", "write_report"]


def build(data: ReportData) -> dict[str, Any]:
    """The content of `report.json`: plain data, tables capped and with their `total`.

    Reads every iterable of `data` once, `documents` first. Raises StoreError on numbers that are not finite.
    """
    tally = ReportTally(data)
    for work in data.documents:
        tally.add(work)
    return assemble(data, tally)


def assemble(data: ReportData, tally: ReportTally) -> dict[str, Any]:
    """The same from what was counted already: documents of `data`, or the pairs of a corpus that has none."""
    relations, pairs = _document_pairs(data.document_pairs, tally.labels)
    rejects: Capped[dict[str, Any]] = Capped(MAX_ROWS)
    for reject in data.rejects:
        rejects.offer(lambda reject=reject: reject_row(reject))  # type: ignore[misc]
    counts = counts_of(tally, relations, rejects.total)
    facts = [_fact_row(check, tally.labels) for check in data.facts]
    drawn = [
        aligned_row(work, data.rank_by.get("aligned", ""), f"pair-{number}")
        for number, work in enumerate(islice(data.aligned, MAX_DRAWN), 1)
    ]
    report: dict[str, Any] = plain(
        {
            "format": FORMAT,
            "name": data.name,
            "verdict": verdict_line(counts),
            "notes": notes(counts, facts, data),
            "tiles": tiles(counts, facts, data),
            "counts": counts,
            "funnel": funnel(counts),
            "attrition": attrition_rows(tally, data),
            "what_if": tally.what_if.tables(),
            "slices": tally.slices.tables(),
            "histograms": histogram_rows(tally, data),
            "metrics": data.metrics,
            "facts": facts,
            "document_pairs": pairs,
            "aligned": {"total": max(relations["parallel"], len(drawn)), "rows": drawn},
            "examples": example_tables(tally, data),
            "marked": tally.marked.table(),
            "rejects": rejects.table(),
            "documents": tally.document_rows.table(),
            "reading": tally.reading.table(),
            "article": tally.article,
            "provenance": _provenance(counts, data),
        }
    )
    return report


def _document_pairs(pairs: Iterable[DocumentPair], labels: dict[str, str]) -> tuple[Counter[str], dict[str, Any]]:
    """Counts by relation; as a table the parallel pairs first, then the closest of the others."""
    relations: Counter[str] = Counter()
    parallel: Top[dict[str, Any]] = Top(MAX_ROWS)
    others: Top[dict[str, Any]] = Top(MAX_CLOSEST)
    for pair in pairs:
        relations[pair.relation] += 1
        chosen = parallel if pair.relation == "parallel" else others

        def make(pair: DocumentPair = pair) -> dict[str, Any]:
            src, tgt = (labels.get(name, name) for name in (pair.src_doc, pair.tgt_doc))
            return {"src_label": src, "tgt_label": tgt, **plain(pair)}

        chosen.offer(pair.similarity, f"{pair.src_doc}\n{pair.tgt_doc}", make)
    return relations, {"total": relations.total(), "rows": parallel.rows() + others.rows()}


def _fact_row(check: FactCheck, labels: dict[str, str]) -> dict[str, Any]:
    misses = [{"document": labels.get(miss.doc_id, miss.doc_id), **plain(miss)} for miss in check.misses[:MAX_ROWS]]
    return {
        "kind": check.kind,
        "expected": check.expected,
        "found": check.found,
        "rate": share(check.found, check.expected),
        "misses": {"total": check.expected - check.found, "rows": misses},
    }


def _provenance(counts: dict[str, Any], data: ReportData) -> dict[str, Any]:
    return {
        "version": data.version,
        "commands": data.commands,
        "missing": gaps(counts, data),
        "models": data.models,
        "signatures": data.signatures,
        "environment": data.environment,
        "packages": data.packages,
        "config": data.config,
    }


def write_report(data: ReportData, out: Path) -> dict[str, Any]:
    """Write `report.json` and `report.html` into the folder `out`; returns what the first one holds."""
    report = build(data)
    write_built(report, out)
    return report


def write_built(report: dict[str, Any], out: Path) -> None:
    """Write what `build` or `assemble` made as both files into the folder `out`."""
    write_bytes(out / JSON, to_json(report, indent=True) + b"\n")
    write_bytes(out / HTML, render(report).encode())
