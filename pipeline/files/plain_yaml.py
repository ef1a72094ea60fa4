"""YAML as plain data: the safe loader made stricter."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import ConfigError

MAX_CONFIG_BYTES = 1_000_000
DEEPEST = 64
"""Collections inside each other; what composes them calls itself, in C too, where too deep a call ends the process."""
MOST_NODES = 100_000
"""Values, keys and collections of a file, which take 20 microseconds each."""
EXPLAINED = 20_000
"""Characters of a text whose trouble PyYAML may explain: it says it better than libyaml, in ten times the time."""
_ALIAS = "*"
"""No alias is without it."""
_FLOW = re.compile(r"[\[{]")
_BEFORE = re.compile(r"^[-?: \t]+", re.MULTILINE)
"""What stands before the first word of a line: a block has a longer one than the block it is in, or it is a list."""
_TROUBLE = (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What PyYAML raises; its constructors let out what they meet at `2024-13-45`, `!!bool x`, a number of 5,000 digits."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, libyaml's where PyYAML came with it, without repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping whose keys are all different.

        Raises ConstructorError on a repeated one, of which yaml would take the last.
        """
        seen: set[str] = set()
        for key in (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {reprlib.repr(key)} is repeated", node.start_mark
                )
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def load_yaml(path: Path) -> Any:
    """Read one YAML file with the safe loader.

    Raises ConfigError when it cannot be read, is over 1 MB, or is not plain YAML.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", "Give the path of a YAML file.") from error
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path} has more than {MAX_CONFIG_BYTES} bytes, which a YAML file may have")
    try:
        return parse_yaml(data.decode("utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is not plain YAML: {error}", "Correct the file at that place.") from error


def parse_yaml(text: str) -> Any:
    """The plain data that a text of YAML holds.

    Raises ValueError, saying what is wrong and where, for anything else: aliases too, since a few lines of them can
    fill the memory, more than DEEPEST collections inside each other, and more than MOST_NODES values.
    """
    try:
        if _ALIAS in text or len(text) > MOST_NODES or not _is_flat(text):
            _check_shape(text)
        return yaml.load(text, _Loader)  # noqa: S506, TID251 - a SafeLoader made stricter
    except _TROUBLE as error:
        raise ValueError(_explained(text, error)) from error


def _is_flat(text: str) -> bool:
    """Whether no more than about twice DEEPEST collections can be inside each other, by a look at the marks alone."""
    return len(_FLOW.findall(text)) <= DEEPEST and max(map(len, _BEFORE.findall(text)), default=0) <= DEEPEST


def _check_shape(text: str) -> None:
    """Raises ComposerError on an alias, where collections are too deep in each other, and where there is too much."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, _Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            problem = f"more than {DEEPEST} lists and mappings are inside each other"
        elif number > MOST_NODES:
            problem = f"there are more than {MOST_NODES} values before this place"
        elif isinstance(event, yaml.AliasEvent):
            problem = "aliases are not allowed"
        else:
            continue
        raise yaml.composer.ComposerError(None, None, problem, event.start_mark)  # type: ignore[arg-type]


def _explained(text: str, error: Exception) -> str:
    if isinstance(error, (yaml.scanner.ScannerError, yaml.parser.ParserError)) and len(text) <= EXPLAINED:
        with suppress(RecursionError):
            try:
                yaml.compose(text, yaml.SafeLoader)
            except yaml.YAMLError as better:
                return str(better)
    return str(error) or type(error).__name__
