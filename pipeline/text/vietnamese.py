"""Vietnamese: letters, tone marks, sentences."""

from __future__ import annotations

import re

# Icelandic eth stands in for the letter đ in old fonts and on some keyboards.
RULES = ((re.compile("Ð"), "Đ"), (re.compile("ð"), "đ"))
