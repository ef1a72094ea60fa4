"""`mekong run` and `mekong report`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.config.load import load_config
from pipeline.engines.load import choose
from pipeline.errors import TooManyRejects, UsageError
from pipeline.files.progress import Progress, clock
from pipeline.files.store import to_json
from pipeline.registry import models
from pipeline.run.compare import write_comparison
from pipeline.run.publish import MANIFEST, FinishedRun, finished
from pipeline.run.run import REJECTED, Run, resolved
from pipeline.stages.filter.held_out import held_out_files
from pipeline.stages.filter.stage import check_rules
from pipeline.stages.read.stage import expand
from pipeline.stages.score.damage.forced import load_reader


def run_command(
    path: Path, out: Path | None, overrides: Sequence[str], *, dry_run: bool, as_json: bool, quiet: bool
) -> None:
    """Run the pipeline; raises TooManyRejects after everything else is done when too much input was rejected."""
    config = load_config(path, overrides)
    out = out or Path("out") / config.name
    progress = Progress(quiet=quiet)
    models.offline()
    run = Run(config, out, progress)
    _check_models(run)
    check_rules(config.filter.rules)
    held_out_files(config.filter.held_out)
    progress.say(
        f"mekong run {config.name}: {run.entry.name} with {choose(run.entry, config.translate)}; output in {out}"
    )
    if dry_run:
        _say_plan(run)
        return
    with run.store.claimed(), run.stop.listening(progress.say):
        resolved(config, out)
        run.execute()
        found = FinishedRun(run).write()
    if as_json:
        sys.stdout.write(to_json(found, indent=True).decode() + "\n")
    else:
        _summary(run, found)
    if len(run.rejects) > config.read.max_rejects:
        raise TooManyRejects(
            f"{len(run.rejects)} inputs were rejected; read.max_rejects allows {config.read.max_rejects}",
            f"See {out / REJECTED}. Everything else is done.",
        )


def _check_models(run: Run) -> None:
    """Fail before any work when a model is not in the store, or cannot do what it is asked for."""
    models.locate(run.entry)
    models.locate(run.encoder_entry)
    load_reader(run.reader_entry, run.config.translate.device)


def _say_plan(run: Run) -> None:
    files = list(expand(run.config.read.paths))
    size = sum(path.stat().st_size for path in files if path.is_file())
    table = Table("what", "how much", box=None)
    table.add_row("input files", f"{len(files):,}")
    table.add_row("input bytes", f"{size:,}")
    table.add_row("translation model", f"{run.entry.name} ({run.entry.licence})")
    table.add_row("sentence encoder", f"{run.encoder_entry.name} ({run.encoder_entry.licence})")
    if run.reader_entry:
        table.add_row("filter model", f"{run.reader_entry.name} ({run.reader_entry.licence})")
    table.add_row("output folder", str(run.out))
    table.add_row("finished before", "yes" if (run.out / MANIFEST).exists() else "no")
    Console().print(table)


def _summary(run: Run, found: dict[str, Any]) -> None:
    counts, out = found["counts"], run.out
    table = Table("stage", "result", box=None)
    table.add_row("read", f"{_listed(counts['documents'])}; {counts['rejected_inputs']} rejected")
    table.add_row("segment", f"{counts['segments']:,} segments")
    table.add_row("translate", _listed(counts["translations"]))
    table.add_row("align", f"documents: {_listed(counts['document_pairs']) or 'no candidates'}")
    table.add_row("pairs", f"{_listed(counts['pairs'])}; kept {_listed(counts['kept']) or 'none'}")
    hand = {name: number for name, number in counts["by_hand"].items() if number}
    if hand:
        table.add_row("by hand", _listed(hand).replace("_", " "))
    table.add_row("time", clock(sum(run.seconds.values())))
    console = Console(highlight=False)
    console.print(table)
    for label, name in (("corpus", "corpus"), ("report", "report.html"), ("translations", "translations.jsonl")):
        console.print(f"{label:<13} {out / name}", soft_wrap=True, markup=False)


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
        write_comparison([(folder, finished(folder, progress)) for folder in folders], out)
        progress.say(f"comparison {out / 'comparison.html'}")
        return
    (folder,) = folders
    if out is not None:
        raise UsageError("--out is for a comparison of several runs", "The report of one run goes into its folder.")
    output = finished(folder, progress)
    with output.run.store.claimed():
        output.write_again()
    progress.say(f"corpus {folder / 'corpus'}")
    progress.say(f"report {folder / 'report.html'}")
