"""`mekong filter`: the pairs of an existing corpus, scored and filtered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from pipeline.config.load import apply_overrides, parse_settings
from pipeline.config.settings import Config, fit_name
from pipeline.errors import ConfigError, UsageError
from pipeline.files.owner import FILTER
from pipeline.files.plain_yaml import load_yaml
from pipeline.files.progress import Progress, clock
from pipeline.files.store import to_json
from pipeline.files.terminal import console, put
from pipeline.registry import models
from pipeline.run.corpus import CorpusFilter
from pipeline.run.folder import check_rejects, held, rejects_path, reopen, report_path, write_settings
from pipeline.run.manifest import FilterManifest
from pipeline.stages.filter.held_out import held_out_files
from pipeline.stages.filter.stage import check_rules
from pipeline.stages.read.pairs import corpora
from pipeline.stages.read.stated_language import check_language
from pipeline.stages.write.stage import CORPUS, REJECTED
from pipeline.text.languages import alternatives, source_languages


@dataclass(frozen=True, slots=True)
class FilterArguments:
    """What the command line says; `lang` is empty where it says nothing."""

    files: Sequence[Path]
    lang: str
    config: Path | None
    preset: str | None
    held_out: Sequence[Path]
    licence: str | None
    overrides: Sequence[str]


def filter_command(asked: FilterArguments, out: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Score and filter the pairs of the files into `out`, and print what came of them.

    Raises TooManyRejects after everything else is done when too many lines were set aside.
    """
    if asked.lang not in ("", *source_languages()):
        raise UsageError(f"--lang is {asked.lang!r}", f"Use {alternatives(source_languages())}.")
    given = corpora(asked.files, asked.lang)
    config = _settings(asked)
    for corpus in given:
        check_language(corpus, config.read.max_line_bytes)
    check_rules(config.filter.rules)
    held_out_files(config.filter.held_out)
    models.offline()
    out = out or Path("out") / config.name
    progress = Progress(quiet=quiet)
    work = CorpusFilter(given, config, out, progress)
    work.resources.check(translation=False)
    progress.say(f"mekong filter {config.name}: {len(config.filter.rules)} rules; output in {out}")
    with held(work.shards, FILTER, [str(path) for path in asked.files]), work.stop.listening(progress.say):
        reopen(out)
        write_settings(config, out)
        manifest = work.execute()
    if as_json:
        put(to_json(manifest, indent=True).decode())
    elif not quiet:
        _summary(manifest, out)
    check_rejects("lines were set aside", manifest.counts.set_aside, config.read.max_rejects, out)


def _settings(asked: FilterArguments) -> Config:
    """The configuration, with what the command line says in the place of its own."""
    data: dict[str, Any] = (load_yaml(asked.config) or {}) if asked.config else {}
    if not isinstance(data, dict):
        raise ConfigError(f"{asked.config} holds a {type(data).__name__}", "A configuration is a mapping of sections.")
    apply_overrides(data, [*([f"filter.preset={asked.preset}"] if asked.preset else []), *asked.overrides])
    data.setdefault("name", fit_name(f"{asked.files[0].name.split('.')[0] or 'corpus'}-filtered"))
    config = parse_settings(Config, data, str(asked.config or "the command line"))
    held_out = (*config.filter.held_out, *map(str, asked.held_out))
    licence = config.read.licence if asked.licence is None else asked.licence
    return config.model_copy(
        update={
            "read": config.read.model_copy(update={"licence": licence}),
            "filter": config.filter.model_copy(update={"held_out": held_out}),
        }
    )


def _summary(manifest: FilterManifest, out: Path) -> None:
    counts = manifest.counts
    total, kept = counts.pairs, sum(counts.kept.values())
    table = Table(box=None)
    for name in ("", "pairs", "share", "alone"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row("kept", f"{kept:,}", f"{kept / total:.1%}", "")
    if left_out := manifest.corpus["left_out"]:
        table.add_row("  of another origin", f"{left_out:,}", f"{left_out / total:.1%}", "")
    table.add_row("rejected", f"{total - kept:,}", f"{(total - kept) / total:.1%}", "")
    for kind, number in counts.reasons.items():
        table.add_row(f"  {kind}", f"{number:,}", f"{number / total:.1%}", f"{counts.alone.get(kind, 0):,}")
    screen = console()
    screen.print(table)
    left = [("corpus", out / CORPUS), ("rejected", out / REJECTED), ("report", report_path(out))]
    if counts.set_aside:
        left.append(("set aside", rejects_path(out)))
    for label, path in left:
        screen.print(f"{label:<10} {path}", soft_wrap=True, markup=False)
    screen.print(f"{'time':<10} {clock(manifest.seconds)}; {counts.scored_now:,} pairs scored now", markup=False)
