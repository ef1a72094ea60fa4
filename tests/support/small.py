"""A registry entry of a model that is never loaded, and ways to write entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipeline.registry.models import OWN_ENTRIES

ENTRY: dict[str, Any] = {
    "name": "small",
    "kind": "encoder",
    "family": "bert",
    "sources": ["path:/nowhere"],
    "languages": {"th": ""},
    "licence": "MIT",
    "commercial": True,
    "url": "https://example.org",
    "max_source_tokens": 10,
}


def write_entry(store: Path, data: dict[str, Any]) -> None:
    """Put a registry entry of the user into a store."""
    (store / OWN_ENTRIES).mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(data, allow_unicode=True)
    (store / OWN_ENTRIES / f"{data['name']}.yaml").write_text(text, encoding="utf-8")


def renew(store: Path, **changes: Any) -> None:
    """Write the entry `small` again with other fields."""
    write_entry(store, ENTRY | changes)


def quiet(text: str) -> None:
    """Progress that nobody reads."""
