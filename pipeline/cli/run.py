"""`mekong run`, `mekong merge` and `mekong report`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from pipeline.cli.dry_run import say_plan
from pipeline.config.load import load_config
from pipeline.errors import UsageError
from pipeline.files.claim import ORPHANS, Part
from pipeline.files.owner import FILTER, RUN, owner
from pipeline.files.progress import Progress, clock
from pipeline.files.store import to_json
from pipeline.files.terminal import console, put
from pipeline.registry import models
from pipeline.run.cluster import translate_on_cluster
from pipeline.run.compare import page_path, write_comparison
from pipeline.run.filtered import FilteredCorpus
from pipeline.run.fingerprint import run_key
from pipeline.run.finished import FinishedRun
from pipeline.run.folder import check_rejects, held, read_settings, reopen, report_path, write_settings
from pipeline.run.manifest import Manifest
from pipeline.run.memory import MemoryUse
from pipeline.run.names import FILE as NAMES
from pipeline.run.names import read_settled
from pipeline.run.part import PartDone, merge, part_of, settle_settings, translate_part
from pipeline.run.publish import publish, publish_again, translations_path
from pipeline.run.request import check_request
from pipeline.run.run import Run
from pipeline.run.unchanged import seal, unseal
from pipeline.stages.write.stage import CORPUS


def run_command(
    path: Path,
    out: Path | None,
    overrides: Sequence[str],
    *,
    shard: str | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run the pipeline or a part of it, or say what it would do; raises TooManyRejects after everything else is done
    when too much input was rejected."""
    part = part_of(shard) if shard else None
    config = load_config(path, [*overrides, "run.executor=local"] if part else overrides)
    out = out or Path("out") / config.name
    progress = Progress(quiet=quiet)
    models.offline()
    run = Run(config, out, progress)
    check_request(config, run.resources)
    if not dry_run:
        run.resources.check(translation=run.translates_here)
    model = run.resources.translation_entry.name
    plan = run.resources.translation_plan if run.translates_here else "the nodes of a Ray cluster"
    progress.say(f"mekong run {config.name}: {model} with {plan}; output in {out}")
    if dry_run:
        say_plan(run, as_json=as_json)
    elif part:
        with _working(run, part):
            settle_settings(run)
            say_part(translate_part(run, part), out, as_json=as_json, quiet=quiet)
    else:
        say_done(_whole(run), run, as_json=as_json, quiet=quiet)


def _whole(run: Run) -> Manifest:
    """The whole run, here, or translated by a cluster."""
    with _working(run):
        made_from = run_key(run.config)
        write_settings(run.config, run.out)
        if run.translates_here:
            manifest = publish(run.execute(), run.seconds)
            if not run.again.noted:  # else the next run has something to do
                seal(run.out, made_from)
            return manifest
    with run.stop.listening(run.progress.say):
        translate_on_cluster(run.config, run.out, run.progress.say, run.stop.check)
    with _working(run):
        return publish(merge(run), run.seconds)


@contextmanager
def _working(run: Run, part: Part | None = None) -> Iterator[None]:
    """Hold the folder of a run, or a part of it, and hear when the user wants to stop."""
    say, paths = run.progress.say, run.config.read.paths
    orphans = 0.0 if run.translates_here or part else ORPHANS
    with held(run.shards, RUN, paths, part, say, orphans), run.stop.listening(say):
        reopen(run.out)
        unseal(run.out)
        yield


def merge_command(out: Path, *, as_json: bool, quiet: bool) -> None:
    """Do what is left of a run whose parts are translated; raises TooManyRejects as `run_command` does."""
    config = read_settings(out)
    progress = Progress(quiet=quiet)
    models.offline()
    run = Run(config, out, progress)
    run.resources.check(translation=False)
    progress.say(f"mekong merge {config.name}; output in {out}")
    with _working(run):
        manifest = publish(merge(run), run.seconds)
    say_done(manifest, run, as_json=as_json, quiet=quiet)


def say_part(done: PartDone, out: Path, *, as_json: bool, quiet: bool) -> None:
    """Say how far a run is after one of its parts."""
    if as_json:
        put(to_json(done, indent=True).decode())
    elif not quiet:
        screen = console()
        screen.print(f"part {done.part}: its {done.shards:,} shards are translated", markup=False)
        screen.print(f"all parts: {done.translated:,} of {done.all_shards:,} shards", markup=False)
        screen.print(f"when all are: mekong merge {out}", soft_wrap=True, markup=False)


def say_done(manifest: Manifest, run: Run, *, as_json: bool, quiet: bool) -> None:
    """Say what a finished run came to; raises TooManyRejects when too much input was rejected."""
    if as_json:
        put(to_json(manifest, indent=True).decode())
    elif not quiet:
        _summary(manifest, run.memory_use, run.out)
    rejected, allowed = manifest.counts.rejected_inputs, run.config.read.max_rejects
    check_rejects("inputs were rejected", rejected, allowed, run.out)


def _summary(manifest: Manifest, memory: MemoryUse | None, out: Path) -> None:
    counts = manifest.counts
    table = Table("stage", "result", box=None)
    table.add_row("read", f"{_listed(counts.documents)}; {counts.rejected_inputs} rejected")
    table.add_row("segment", f"{counts.segments:,} segments")
    table.add_row("translate", _listed(counts.translations))
    for note, number in counts.notes.items():
        table.add_row("", f"{number:,} {note}")
    if memory:
        table.add_row("memory", str(memory))
    if settled := read_settled(out):
        by_hand = sum(line.by_hand for line in settled)
        table.add_row("names", f"{len(settled):,} settled, {by_hand:,} of them by hand")
    table.add_row("align", f"documents: {_listed(counts.document_pairs) or 'no candidates'}")
    table.add_row("pairs", f"{_listed(counts.pairs)}; kept {_listed(counts.kept) or 'none'}")
    hand = {name: number for name, number in asdict(counts.by_hand).items() if number}
    if hand:
        table.add_row("by hand", _listed(hand).replace("_", " "))
    table.add_row("time", clock(sum(manifest.seconds.values())))
    screen = console()
    screen.print(table)
    for model in manifest.models:
        if model.caution and manifest.counts.translations:
            screen.print(f"{model.name} is {model.caution}.", markup=False)
    left = [("corpus", out / CORPUS), ("report", report_path(out)), ("translations", translations_path(out))]
    for label, path in [*left, *([("names", out / NAMES)] if settled else [])]:
        screen.print(f"{label:<13} {path}", soft_wrap=True, markup=False)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def report_command(folders: Sequence[Path], out: Path | None, *, quiet: bool) -> None:
    """Write corpus and report of a finished run again, or compare several.

    Both read the committed shards and the decisions made by hand.
    """
    models.offline()
    progress = Progress(quiet=quiet)
    if len(folders) > 1:
        out = out or Path("out") / "comparison"
        write_comparison([FinishedRun.read(folder, progress) for folder in folders], out)
        progress.say(f"comparison {page_path(out)}")
        return
    (folder,) = folders
    if out is not None:
        raise UsageError("--out is for a comparison of several runs", "The report of one run goes into its folder.")
    made = owner(folder)
    if made and made.made_by == FILTER:
        corpus = FilteredCorpus.read(folder, progress)
        with corpus.shards.store.claimed():
            corpus.publish_again()
    else:
        run = FinishedRun.read(folder, progress)
        with run.shards.store.claimed():
            publish_again(run)
    progress.say(f"corpus {folder / CORPUS}")
    progress.say(f"report {report_path(folder)}")
