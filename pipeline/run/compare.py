"""Finished runs to a comparison: what each leaves in its folder, keyed so that the same segments meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from pipeline.errors import UsageError
from pipeline.files.store import to_json, write_bytes
from pipeline.report.comparison import RunSide, SharedText, build_comparison, content_id
from pipeline.report.page import render_comparison
from pipeline.run.publish import FinishedRun

HTML = "comparison.html"
JSON = "comparison.json"


def write_comparison(runs: Sequence[tuple[Path, FinishedRun]], out: Path) -> dict[str, Any]:
    """Write `comparison.json` and `comparison.html` into the folder `out`; returns what the first one holds.

    Raises UsageError when a folder is given twice.
    """
    folders = [folder.resolve() for folder, _ in runs]
    if len(set(folders)) < len(folders):
        again = next(folder for folder, _ in runs if folders.count(folder.resolve()) > 1)
        raise UsageError(f"the run {again} is given twice", "Name each run once.")
    names = _names(runs)
    sides = [_side(name, output) for name, (_, output) in zip(names, runs, strict=True)]
    command = " ".join(["mekong report", *(quote(str(folder)) for folder, _ in runs), "--out", quote(str(out))])
    found = build_comparison(sides, [command])
    write_bytes(out / JSON, to_json(found, indent=True) + b"\n")
    write_bytes(out / HTML, render_comparison(found).encode())
    return found


def _names(runs: Sequence[tuple[Path, FinishedRun]]) -> list[str]:
    """What runs are called: as their configurations are, where these differ, else as their folders."""
    for names in (
        [output.run.config.name for _, output in runs],
        [folder.name for folder, _ in runs],
        [str(folder) for folder, _ in runs],
    ):
        if len(set(names)) == len(names):
            break
    return names


def _side(name: str, output: FinishedRun) -> RunSide:
    run = output.run
    contents = {document.id: content_id(document) for n in range(len(run.doc_keys)) for document in run.documents(n)}
    return RunSide(
        name=name,
        version=output.made_with["code"],
        models=output.models,
        config=run.config.model_dump(mode="json"),
        signatures=output.made_with["signatures"],
        counts=output.counts(),
        facts=output.survey.facts,
        documents=frozenset(contents.values()),
        texts=dict(_texts(output, contents)),
        scores={
            (contents[scored.pair.src_doc], scored.pair.src_spans): scored.scores
            for _, scored, _ in output.verdicts
            if scored.pair.origin == "translated"
        },
    )


def _texts(output: FinishedRun, contents: dict[str, str]) -> Iterator[tuple[tuple[str, Hashable], SharedText]]:
    """Aligned stretches by source and reference, since alignment may follow translations; repeated ones are counted."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for group in output.survey.groups:
        key = (contents[group.doc_id], group.source, group.reference)
        seen[key] += 1
        text = SharedText(group.lang, group.source, group.hypothesis, group.reference)
        yield (key[0], (*key[1:], seen[key])), text
