"""The commands that README.md and docs/*.md show, as a reader would type them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_PROGRAM = re.compile(r"(\.venv/bin/)?mekong( |$)")
_INLINE = re.compile(r"(?<!`)`(mekong [^`]+)`")


@dataclass(frozen=True, slots=True)
class ShownCommand:
    """One command of a document; `inline` where it stands in a sentence, so that parts may be left out of it."""

    document: str
    text: str
    inline: bool

    @property
    def words(self) -> list[str]:
        """The words after `mekong`, without redirections and comments."""
        return self._split()[0]

    @property
    def redirected(self) -> tuple[str, str]:
        """The files behind `<` and `>`, each empty where there is none."""
        return self._split()[1]

    def _split(self) -> tuple[list[str], tuple[str, str]]:
        words = shlex.split(self.text, comments=not self.inline)[1:]
        files = {sign: words[words.index(sign) + 1] for sign in "<>" if sign in words}
        first = min([words.index(sign) for sign in files], default=len(words))
        return words[:first], (files.get("<", ""), files.get(">", ""))

    def __str__(self) -> str:
        return f"{self.document}: {self.text.partition('  #')[0].strip()}"


def blocks(text: str) -> Iterator[str]:
    """The indented blocks of a Markdown text, without their indentation."""
    for block in re.findall(r"(?:^|\n\n)((?: {4}.*(?:\n|$))+)", text):
        yield re.sub(r"^ {4}", "", block, flags=re.M)


def shown_commands() -> list[ShownCommand]:
    """All of them, in order of the documents: those in blocks, then those inside sentences."""
    shown: list[ShownCommand] = []
    for path in DOCUMENTS:
        name, text = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
        lines = [line.strip() for block in blocks(text) for line in block.split("\n")]
        shown += [ShownCommand(name, line, False) for line in lines if _PROGRAM.match(line)]
        shown += [ShownCommand(name, " ".join(line.split()), True) for line in _INLINE.findall(text)]
    return shown
