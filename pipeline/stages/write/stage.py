"""Accepted pairs to corpus files, rejected ones beside them with the reasons: one pass, memory that does not grow."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from pathlib import Path

from pipeline.config.settings import WriteSettings
from pipeline.errors import StoreError
from pipeline.files.store import plain, write_bytes
from pipeline.stages.write import jsonl
from pipeline.stages.write.jsonl import JsonlWriter
from pipeline.stages.write.moses import MosesWriter
from pipeline.stages.write.parquet import ParquetWriter
from pipeline.stages.write.record import CorpusRow, Record, Writer, make_record
from pipeline.stages.write.tally import CorpusTally
from pipeline.stages.write.tmx import TmxWriter

CORPUS = "corpus"
CARD = "README.md"
REJECTED = "rejected_pairs.jsonl"
_OURS = re.compile(r"pairs\.(jsonl|parquet)|corpus\.tmx|corpus\.[a-z]+-en\.[a-z]+")


def write_corpus(
    rows: Iterable[CorpusRow],
    settings: WriteSettings,
    out: Path,
    scores: Collection[str],
    version: str,
    describe: Callable[[CorpusTally], str],
) -> dict[str, int]:
    """Write `out/corpus/` (every format asked for, and the dataset card) and `out/rejected_pairs.jsonl`.

    `scores` are the names of the scores that pairs may have, in the order of the Parquet columns, `version` that of
    mekong; `describe` makes the card from what was counted.

    Accepted pairs of an origin that is not asked for are left out; rejected ones are all written. Every file keeps the
    order of `rows`. Files of formats or languages that an earlier write made and this one did not are removed, so
    that the folder never mixes two states.

    Returns counts: `pairs` (in the corpus), `rejected`, `left_out`, the pairs in each format, and the characters
    that formats had to change (`moses_runs_replaced`, `tmx_characters_removed`).
    Raises StoreError when a file cannot be written, or a row does not fit its verdict or the score names, and
    what `describe` raises; then the files stay as they were.
    """
    folder, tally = out / CORPUS, CorpusTally()
    left_out = 0
    with ExitStack() as stack:
        rejected = stack.enter_context(JsonlWriter(out / REJECTED))
        writers = [stack.enter_context(writer) for writer in _writers(settings, folder, scores, version)]
        for row in rows:
            record = make_record(row)
            _check_scores(record, scores)
            if not row.verdict.keep:
                rejected.add_row(plain(record) | {"reasons": list(row.verdict.texts)})
            elif record.origin in settings.origins:
                tally.add(record)
                for writer in writers:
                    writer.add(record)
            else:
                left_out += 1
        text = describe(tally)
    write_bytes(folder / CARD, text.encode())
    _remove_stale(folder, settings, {lang for lang, _ in tally.pairs})
    counts = {"pairs": tally.pairs.total(), "rejected": rejected.rows, "left_out": left_out}
    for writer in writers:
        counts |= writer.counts()
    return counts


def _writers(settings: WriteSettings, folder: Path, scores: Collection[str], version: str) -> list[Writer]:
    made: dict[str, Writer] = {
        "jsonl": JsonlWriter(folder / jsonl.PAIRS),
        "parquet": ParquetWriter(folder, tuple(scores)),
        "moses": MosesWriter(folder),
        "tmx": TmxWriter(folder, version),
    }
    return [writer for name, writer in made.items() if name in settings.formats]


def _check_scores(record: Record, scores: Collection[str]) -> None:
    unknown = record.scores.keys() - set(scores)
    if unknown:
        raise StoreError(f"pair {record.id!r} has scores without signature: {sorted(unknown)}", "Report this as a bug.")


def _remove_stale(folder: Path, settings: WriteSettings, langs: set[str]) -> None:
    current = {"jsonl": {"pairs.jsonl"}, "parquet": {"pairs.parquet"}, "tmx": {"corpus.tmx"}}
    current["moses"] = {f"corpus.{lang}-en.{side}" for lang in langs for side in (lang, "en")}
    keep = set().union(*(current[name] for name in settings.formats))
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.name not in keep:
            path.unlink()
