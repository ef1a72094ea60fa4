"""What goes to a terminal: text from data must not move the cursor, colour the screen, or read backwards.

A terminal takes control characters for commands (CWE-150), and shows what stands between bidirectional controls in
another order than it is in. Data that is piped on, or goes to a file, stays as it is.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""All controls but line feed and tab; and halves of characters, which no stream can write."""


def harmless(text: str) -> str:
    """The text with what a terminal would act on written out: `\\x1b`, `\\u202e`."""
    return _COMMANDS.sub(lambda match: _escaped(ord(match[0])), text)


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def put(text: str) -> None:
    """Lines for standard output: as they are, on a terminal harmless."""
    sys.stdout.write((harmless(text) if sys.stdout.isatty() else text) + "\n")


def tell(text: str) -> None:
    """Lines for standard error, where people read them."""
    sys.stderr.write(harmless(text) + "\n")


def console(*, markup: bool = True) -> Console:
    """For tables on standard output, whose cells come from data; `markup` is rich's own, in brackets."""
    from rich.console import Console

    class HarmlessConsole(Console):
        """Writes out what is a command in a text, before it is measured; the colours of tables stay."""

        def render_str(self, text: str, **options: Any) -> Any:
            """The text as rich shows it."""
            return super().render_str(harmless(text), **options)

    return HarmlessConsole(highlight=False, markup=markup)
