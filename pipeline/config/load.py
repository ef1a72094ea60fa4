"""From a file, from the command line and from plain data to checked settings.

Unknown keys are errors that name the nearest valid one. Paths are relative to the working directory. The order of
precedence is: `--set` over the file over the defaults written in `pipeline.config.settings`.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.config.settings import Config, fit_name
from pipeline.errors import ConfigError
from pipeline.files.plain_yaml import load_yaml, parse_yaml

T = TypeVar("T", bound=BaseModel)
LONGEST_NAME = 80
"""Characters of a wrong key that are shown and compared."""
LONGEST_VALUE = 200
"""Characters of a wrong override that are shown."""


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration file and apply `a.b=c` overrides (c is YAML).

    Raises ConfigError naming the key, the value and the nearest valid key.
    """
    data = load_yaml(path) or {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds a {type(data).__name__}", "A configuration is a mapping of sections.")
    apply_overrides(data, overrides)
    data.setdefault("name", fit_name(path.stem))
    return parse_settings(Config, data, str(path))


def apply_overrides(data: dict[str, Any], overrides: Sequence[str]) -> None:
    """Write `a.b=c` overrides into nested plain data; c is YAML.

    Raises ConfigError on any other form.
    """
    for override in overrides:
        _apply(data, override)


def _apply(data: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(
            f"--set {override[:LONGEST_VALUE]!r} is not of the form a.b=c", "For example --set translate.retries=2"
        )
    for part in parts[:-1]:
        inner = data.get(part)
        if inner is None:
            inner = data[part] = {}
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {override[:LONGEST_VALUE]!r}: {part[:LONGEST_NAME]!r} is a value, not a section")
        data = inner
    try:
        data[parts[-1]] = parse_yaml(value)
    except ValueError as error:
        raise ConfigError(f"--set {override[:LONGEST_VALUE]!r}: the value is not YAML ({error})") from error


def settings_from(overrides: Sequence[str]) -> Config:
    """The default configuration with `a.b=c` overrides."""
    data: dict[str, Any] = {}
    apply_overrides(data, overrides)
    return parse_settings(Config, data, "the command line")


def parse_settings(kind: type[T], data: Mapping[str, Any], where: str) -> T:
    """Build settings of type `kind` from plain data; `where` names the source in error messages."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        lines = [_explain(kind, item) for item in error.errors()]
        raise ConfigError(f"{where}: " + "; ".join(lines), "See `mekong run --help` and configs/.") from error


def _explain(kind: type[BaseModel], item: Mapping[str, Any]) -> str:
    location: tuple[str | int, ...] = item["loc"]
    dotted = ".".join(str(part)[:LONGEST_NAME] for part in location)
    if item["type"] != "extra_forbidden":
        return f"{dotted} = {reprlib.repr(item['input'])}: {item['msg']}"
    section: Any = kind
    for part in location[:-1]:
        fields = getattr(section, "model_fields", {})
        section = fields[part].annotation if part in fields else section
    names = list(getattr(section, "model_fields", {}))
    near = difflib.get_close_matches(str(location[-1])[:LONGEST_NAME], names, n=1, cutoff=0.0)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown key {dotted!r}{hint} (valid: {', '.join(names)})"
