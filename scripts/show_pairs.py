"""Show a few pairs of a corpus: `python scripts/show_pairs.py RUN [N]`."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table


def main(run: Path, number: int = 2) -> None:
    """Print the first `number` kept pairs of each language and origin."""
    table = Table(title="a few pairs of the corpus", show_lines=True)
    for column in ("origin", "source", "English"):
        table.add_column(column, overflow="fold")
    rows = [json.loads(line) for line in (run / "corpus" / "pairs.jsonl").read_bytes().split(b"\n") if line]
    for kind in sorted({(row["src_lang"], row["origin"]) for row in rows}):
        mine = (row for row in rows if (row["src_lang"], row["origin"]) == kind)
        for row in islice(mine, number):
            table.add_row(f"{row['src_lang']} {row['origin']}", row["src_text"], row["tgt_text"])
    Console().print(table)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
