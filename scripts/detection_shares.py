"""How far apart languages lie in the shares that tell them, over files of one sentence a line:

python scripts/detection_shares.py dev.th dev.vi dev.en

One line a file and share: the least, the first percentile, the median, the 99th percentile and the greatest of the
share of letters of each script of the table, of syllables that speak for Vietnamese, and of common English words.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from pipeline.text.language import english_share, script_share, vietnamese_share, word_tokens
from pipeline.text.languages import own_scripts


def _shares() -> dict[str, Callable[[str], float]]:
    scripts = {entry.name: lambda text, entry=entry: script_share(text, entry) for entry in own_scripts()}
    return {
        **scripts,
        "Vietnamese": lambda text: vietnamese_share(word_tokens(text)),
        "English": lambda text: english_share(word_tokens(text)),
    }


def main() -> None:
    """Print the shares of the files of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    for path in parser.parse_args().files:
        lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
        for name, share in _shares().items():
            values = sorted(map(share, lines))
            shown = (values[int((len(values) - 1) * part)] for part in (0, 0.01, 0.5, 0.99, 1))
            print(path.name, name, *(f"{value:.2f}" for value in shown))


if __name__ == "__main__":
    main()
