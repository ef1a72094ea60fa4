"""`mekong doctor`: is everything there that a run needs?"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rich.table import Table

from pipeline.config.settings import Config, TranslateSettings
from pipeline.engines.devices import describe_device
from pipeline.errors import EngineError, MekongError
from pipeline.files.store import to_json
from pipeline.files.terminal import console, put
from pipeline.registry import models
from pipeline.run import provenance
from pipeline.run.forecast import Forecast, forecast

State = Literal["ok", "warning", "failed"]
SENTENCE = "นายกรัฐมนตรีเดินทางถึงกรุงฮานอยเมื่อวันจันทร์"
MIN_DISK_GB = 8.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the diagnosis."""

    name: str
    state: State
    detail: str


def doctor_command(model: str | None, *, as_json: bool) -> None:
    """Print the diagnosis, and try a model that is named; raises EngineError when a check failed.

    Without one nothing is loaded: the diagnosis takes a second or two.
    """
    name = model or Config().translate.model
    checks = [
        _python(),
        *map(_guarded, (_packages, _device)),
        *_expected(name),
        *map(_guarded, (_disk, _offline)),
        *models_present((name, Config().align.encoder)),
    ]
    if model and all(check.state != "failed" for check in checks):
        checks.append(_guarded(lambda: _translation(name)))
    if as_json:
        put(to_json(checks, indent=True).decode())
    else:
        _print(checks)
    failed = [check.name for check in checks if check.state == "failed"]
    if failed:
        raise EngineError(f"failed: {', '.join(failed)}", "Each line above says what to do.")


def _guarded(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except MekongError as error:
        return Check(check.__name__.strip("_<>"), "failed", str(error).replace("\n", " "))


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok" if sys.version_info >= (3, 11) else "failed", version)


def _packages() -> Check:
    found = provenance.packages()
    return Check("packages", "ok", ", ".join(f"{name} {version}" for name, version in found.items()))


def _device() -> Check:
    return Check("device", "ok", describe_device())


def _expected(name: str) -> list[Check]:
    """What a translation model needs and how fast it was."""
    try:
        expected = forecast(models.entry(name), TranslateSettings(model=name))
    except MekongError as error:
        return [Check("memory", "failed", str(error).replace("\n", " "))]
    return [_memory(expected), Check("speed", "ok", f"{name}, {expected.plan}: {expected.rate_text}")]


def _memory(expected: Forecast) -> Check:
    text = f"{expected.there_text}; {expected.model} needs {expected.needed_text}"
    return Check("memory", "warning", expected.short) if expected.short else Check("memory", "ok", text)


def _disk() -> Check:
    folder = models.root()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    state: State = "ok" if free >= MIN_DISK_GB else "warning"
    return Check("disk", state, f"{free:.0f} GB free at {models.root()}")


def _offline() -> Check:
    models.offline()
    return Check("offline", "ok", "runs never download; only `mekong models add` does")


def models_present(names: tuple[str, ...]) -> list[Check]:
    """Whether each model is in the store; a missing one names the command that gets it."""
    checks = []
    for name in names:
        try:
            entry = models.entry(name)
            folder = models.locate(entry)
            checks.append(Check(name, "ok", f"{entry.licence}, {folder}"))
        except MekongError as error:
            checks.append(Check(name, "failed", str(error).replace("\n", " ")))
    return checks


def _translation(name: str) -> Check:
    from pipeline.cli.translate import one_sentence
    from pipeline.engines.load import load
    from pipeline.stages.translate.glossary import Glossary

    began = time.monotonic()
    glossary = Glossary.load("th")
    with load(models.entry(name), TranslateSettings(model=name)) as translator:
        loaded = time.monotonic()
        made = one_sentence(translator, SENTENCE, "th", glossary)
    seconds = time.monotonic() - loaded
    state: State = "ok" if made.text and made.ended == "stop" else "failed"
    return Check("translation", state, f"{made.text!r} (load {loaded - began:.0f} s, translate {seconds:.1f} s)")


def _print(checks: list[Check]) -> None:
    table = Table("check", "state", "detail", box=None)
    colours = {"ok": "green", "warning": "yellow", "failed": "red"}
    for check in checks:
        table.add_row(check.name, f"[{colours[check.state]}]{check.state}[/]", check.detail.replace("[", "\\["))
    console().print(table)
