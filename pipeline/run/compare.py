"""Finished runs to a comparison: what each leaves in its folder, keyed so that the same segments meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from pipeline.errors import UsageError
from pipeline.files.lines import path_text
from pipeline.files.owner import LAYOUT, REPORT, Owner
from pipeline.files.published import published, published_names, published_settings
from pipeline.files.store import plain, to_json, write_bytes
from pipeline.report.comparison import RunSide, SharedText, build_comparison, content_id
from pipeline.report.page import render_comparison
from pipeline.run import provenance
from pipeline.run.finished import FinishedRun
from pipeline.run.shards import shard_groups

HTML = "comparison.html"
JSON = "comparison.json"


def write_comparison(runs: Sequence[FinishedRun], out: Path) -> dict[str, Any]:
    """Write `comparison.json` and `comparison.html` into the folder `out`; returns what the first one holds.

    Raises UsageError when a folder is given twice, StoreError when `out` is another command's.
    """
    folders = [run.folder.resolve() for run in runs]
    if len(set(folders)) < len(folders):
        again = next(run.folder for run in runs if folders.count(run.folder.resolve()) > 1)
        raise UsageError(f"the run {again} is given twice", "Name each run once.")
    sides = [_side(name, run) for name, run in zip(_names(runs), runs, strict=True)]
    shown = (quote(published(folder)) for folder in [*(run.folder for run in runs), Path("--out"), out])
    command = f"mekong report {' '.join(shown)}"
    comparison = build_comparison(sides, [command])
    mine = Owner(REPORT, provenance.version(), LAYOUT, tuple(path_text(run.folder) for run in runs))
    mine.check(out, (HTML, JSON), whole=False, begun=False)
    mine.mark(out)
    write_bytes(out / JSON, to_json(comparison, indent=True) + b"\n")
    write_bytes(page_path(out), render_comparison(comparison).encode())
    return comparison


def page_path(out: Path) -> Path:
    """The comparison to look at."""
    return out / HTML


def _names(runs: Sequence[FinishedRun]) -> list[str]:
    """What runs are called: as their configurations are, where these differ, else as their folders."""
    for names in (
        [run.config.name for run in runs],
        [run.folder.name for run in runs],
        list(published_names(run.folder for run in runs).values()),
    ):
        if len(set(names)) == len(names):
            break
    return names


def _side(name: str, run: FinishedRun) -> RunSide:
    shards, made_with = run.shards, run.made_with
    contents = {document.id: content_id(document) for n in shards.numbers for document in shards.documents(n)}
    return RunSide(
        name=name,
        version=made_with.code,
        models=made_with.models,
        config=published_settings(run.config.model_dump(mode="json")),
        signatures=made_with.signatures,
        counts=plain(run.counts()),
        facts=run.survey.facts,
        documents=frozenset(contents.values()),
        texts=dict(_texts(run, contents)),
        scores={
            (contents[scored.pair.src_doc], scored.pair.src_spans): scored.scores
            for scored, _ in run.verdicts
            if scored.pair.origin == "translated"
        },
    )


def _texts(run: FinishedRun, contents: dict[str, str]) -> Iterator[tuple[tuple[str, Hashable], SharedText]]:
    """Aligned stretches by source and reference, since alignment may follow translations; repeated ones are counted."""
    seen: Counter[tuple[str, str, str]] = Counter()
    groups = (group for number in run.shards.numbers for group in shard_groups(run.shards, number))
    for group in groups:
        key = (contents[group.doc_id], group.source, group.reference)
        seen[key] += 1
        text = SharedText(group.lang, group.source, group.hypothesis, group.reference)
        yield (key[0], (*key[1:], seen[key])), text
