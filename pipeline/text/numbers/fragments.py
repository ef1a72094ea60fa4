"""Parts of patterns that dates and times share in all languages."""

from __future__ import annotations

COMMON_YEARS = range(1000, 2200)
BE = r"(?:พ\. ?ศ\.?|(?<!เ)พศ\.?|พุทธศักราช|(?<![A-Za-z])B\.?E\.?)"
CE = r"(?:(?<!ก\.)ค\. ?ศ\.?|(?<![เ.])คศ\.?|คริสต์?ศักราช|(?<![A-Za-z])(?:A\.?D\.?|C\.?E\.?))"
RS = r"(?:ร\. ?ศ\.?|(?<![เ.ก-ฮ])รศ\.?|รัตนโกสินทร์ศก)"
DASH = "[-–—]"
NUMERIC = r"(?<![\d/.-])(?P<d1>\d{1,2})(?P<sep>[/.-])(?P<m>\d{1,2})(?P=sep)(?P<y>\d{4}|\d\d)(?![\d/]|[.-]\d)"
ISO = r"(?<![\d-])(?P<y>(?:19|20|25)\d\d)-(?P<m>[01]\d)-(?P<d1>[0-3]\d)(?!\d)"
END = r"(?!\d|[.,:]\d)"
HOUR = r"(?P<h>[01]?\d|2[0-4])"
CLOCK = rf"(?<![\d:.,]){HOUR}:(?P<min>[0-5]\d)(?!\d|:\d)"
