"""What readers of our own files raise when these are not what was written."""

from __future__ import annotations

import msgspec

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError)
"""What msgspec raises for what is not the JSON that was asked for: it has an error of its own for types and syntax, and
lets out that of Python for a string that is no UTF-8."""
