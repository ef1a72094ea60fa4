"""`mekong run` on a run that is finished: an answer before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from pipeline.config.load import load_config
from pipeline.files.terminal import console, put
from pipeline.run.unchanged import is_unchanged

MANIFEST = "manifest.json"


def say_if_finished(path: Path, out: Path | None, overrides: Sequence[str], *, as_json: bool, quiet: bool) -> bool:
    """Whether the run that is asked for is finished and nothing has changed since; then it is said.

    Raises ConfigError as `load_config` does. A run that set more input aside than it may is not answered here.
    """
    config = load_config(path, overrides)
    out = out or Path("out") / config.name
    if not is_unchanged(config, out):
        return False
    data = (out / MANIFEST).read_bytes()
    manifest = orjson.loads(data)
    if manifest["counts"]["rejected_inputs"] > config.read.max_rejects:
        return False
    if as_json:
        put(data.decode().removesuffix("\n"))
    elif not quiet:
        screen = console()
        screen.print(f"nothing to do: finished {manifest['finished']}, and nothing has changed since", markup=False)
        for label, name in (("corpus", "corpus"), ("report", "report.html"), ("translations", "translations.jsonl")):
            screen.print(f"{label:<13} {out / name}", soft_wrap=True, markup=False)
    return True
