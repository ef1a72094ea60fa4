"""YAML as plain data: the safe loader made stricter."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import ConfigError

MAX_CONFIG_BYTES = 1_000_000
_ALIAS = "*"
"""No alias is without it."""


class _NoRepeatedKeys(yaml.constructor.SafeConstructor):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping whose keys are all different.

        Raises ConstructorError on a repeated one, of which yaml would take the last.
        """
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is repeated", node.start_mark)
        return super().construct_mapping(node, deep)


class Loader(_NoRepeatedKeys, yaml.SafeLoader):
    """Safe YAML without aliases (a few lines of them can fill the memory) and without repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node that is no alias: nested ones grow exponentially.

        Raises ComposerError on an alias.
        """
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        return super().compose_node(parent, index)


class _FastLoader(_NoRepeatedKeys, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same by libyaml, ten times as fast, for files that have no alias; where PyYAML came without it, by PyYAML."""


def load_yaml(path: Path) -> Any:
    """Read one YAML file with the safe loader.

    Raises ConfigError when it cannot be read, is over 1 MB, or is not plain YAML.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", "Give the path of a YAML file.") from error
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path} has {len(data)} bytes; a YAML file may have {MAX_CONFIG_BYTES}")
    try:
        text = data.decode("utf-8")
        if _ALIAS not in text:
            with suppress(yaml.YAMLError):
                return yaml.load(text, _FastLoader)  # noqa: S506 - a SafeLoader made stricter
        # What is wrong with a file PyYAML says better than libyaml.
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader made stricter
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not plain YAML: {error}", "Correct the file at that place.") from error
