"""Patterns that several modules share: what Thai is written in, and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

THAI = "\u0e00-\u0e7f"
THAI_LETTERS = "\u0e01-\u0e3a\u0e40-\u0e4e"
"""The Thai block, and its letters and marks, for use in brackets: what the entry of Thai in `data/languages.yaml` says
to those that ask it."""

LONG_NUMBER = re.compile(r"\d{100}")
"""Digits of which PyThaiNLP is not to join the parts of numbers again: the time grows with the square of their run."""

_Tree = dict[str, "_Tree"]

URL_START = r"(?:https?://|www\.)"
MAIL = r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.]+"
ADDRESS = re.compile(rf"{URL_START}[^\s{THAI}]+|{MAIL}", re.ASCII)
"""A web or mail address in running text: Thai goes on after it without a space."""


def prefix_tree(words: Iterable[str]) -> str:
    """A pattern for any of many `words` as they stand and in their case, the longest first; a group or a single word.

    What several words begin with is compared once (a trie), so that thousands of words cost little more than one.
    """
    tree: _Tree = {}
    for word in words:
        node = tree
        for char in word:
            node = node.setdefault(char, {})
        node[""] = {}
    return _branches(tree)


def _branches(node: _Tree) -> str:
    parts = [re.escape(char) + _branches(child) for char, child in node.items() if char]
    if not parts:
        return ""
    if len(parts) == 1 and "" not in node:
        return parts[0]
    return f"(?:{'|'.join(parts)})" + "?" * ("" in node)


def either(words: Iterable[str]) -> str:
    """A pattern for any of `words` as they stand, the longest first; without a group around it."""
    return "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))
