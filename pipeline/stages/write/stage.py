"""Accepted pairs to corpus files, rejected ones beside them with the reasons: one pass, memory that does not grow."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from pathlib import Path

from pipeline.config.settings import WriteSettings
from pipeline.errors import StoreError
from pipeline.files.store import flush_folder, plain, write_bytes
from pipeline.stages.write import jsonl, tmx
from pipeline.stages.write.jsonl import JsonlWriter
from pipeline.stages.write.moses import MosesWriter
from pipeline.stages.write.record import CorpusRow, Record, Writer, make_record
from pipeline.stages.write.tally import CorpusTally
from pipeline.stages.write.tmx import TmxWriter

CORPUS = "corpus"
MACHINE = "machine"
"""The folder in the corpus of what a machine translated, where that lies apart."""
CARD = "README.md"
REJECTED = "rejected_pairs.jsonl"
_OURS = re.compile(r"README\.md|pairs\.(jsonl|parquet)|corpus\.tmx|corpus\.[a-z]+-en\.[a-z]+")


class _Part:
    """One corpus folder while it is written: its files, and what is counted for its card."""

    def __init__(self, folder: Path, settings: WriteSettings, scores: Collection[str], version: str) -> None:
        self.folder = folder
        self.tally = CorpusTally()
        made: dict[str, Callable[[], Writer]] = {
            "jsonl": lambda: JsonlWriter(folder / jsonl.PAIRS),
            "parquet": lambda: _parquet(folder, tuple(scores)),
            "moses": lambda: MosesWriter(folder),
            "tmx": lambda: TmxWriter(folder / tmx.CORPUS, version),
        }
        self.writers = [make() for name, make in made.items() if name in settings.formats]

    def add(self, record: Record) -> None:
        """Count and write one pair."""
        self.tally.add(record)
        for writer in self.writers:
            writer.add(record)

    def counts(self) -> Counter[str]:
        """`pairs`, and what the formats count."""
        found = Counter({"pairs": self.tally.pairs.total()})
        for writer in self.writers:
            found.update(writer.counts())
        return found


def _parquet(folder: Path, scores: tuple[str, ...]) -> Writer:
    # With it comes pyarrow, which of a run's processes only the one that writes needs.
    from pipeline.stages.write.parquet import ParquetWriter

    return ParquetWriter(folder, scores)


def write_corpus(
    rows: Iterable[CorpusRow],
    settings: WriteSettings,
    out: Path,
    scores: Collection[str],
    version: str,
    describe: Callable[[CorpusTally, int], str],
    trial: Collection[str] = (),
) -> dict[str, int]:
    """Write `out/corpus/` (every format asked for, and the dataset card) and `out/rejected_pairs.jsonl`.

    `scores` are the names of the scores that pairs may have, in the order of the Parquet columns, `version` that of
    mekong, `trial` the models that are not to be believed unread. What `settings.machine` wants apart goes to
    `out/corpus/machine/` in the same formats. `describe` makes a card from what was counted, and from how many pairs
    lie apart from these.

    Accepted pairs of an origin that is not asked for are left out; rejected ones are all written. Every file keeps the
    order of `rows`. What an earlier write left in `out` is not removed: see `remove_stale`.

    Returns counts: `pairs` (in both folders), `machine` (those that lie apart), `rejected`, `left_out`, the pairs in
    each format, and the characters that formats had to change (`moses_runs_replaced`, `tmx_characters_removed`).
    Raises StoreError when a file cannot be written, or a row does not fit its verdict or the score names, and
    what `describe` raises; then no file appears.
    """
    whole, machine = (_Part(folder, settings, scores, version) for folder in (out / CORPUS, out / CORPUS / MACHINE))
    left_out = 0
    with ExitStack() as stack:
        rejected = stack.enter_context(JsonlWriter(out / REJECTED))
        for writer in whole.writers:
            stack.enter_context(writer)
        for row in rows:
            record = make_record(row, trial)
            _check_scores(record, scores)
            if not row.verdict.keep:
                rejected.add_row(plain(record) | {"reasons": list(row.verdict.texts)})
            elif record.origin not in settings.origins:
                left_out += 1
            elif _is_apart(record, settings):
                _opened(machine, stack).add(record)
            else:
                whole.add(record)
        apart = machine.tally.pairs.total()
        text, machine_text = describe(whole.tally, apart), describe(machine.tally, 0) if apart else ""
    write_bytes(whole.folder / CARD, text.encode())
    found = whole.counts()
    if apart:
        write_bytes(machine.folder / CARD, machine_text.encode())
        found.update(machine.counts())
    return {**found, "pairs": found["pairs"], "machine": apart, "rejected": rejected.rows, "left_out": left_out}


def _is_apart(record: Record, settings: WriteSettings) -> bool:
    if settings.machine == "auto":
        return record.generated_by_machine and bool(record.model_use)
    return record.generated_by_machine and settings.machine == "apart"


def _opened(part: _Part, stack: ExitStack) -> _Part:
    """The part, its files begun with its first pair: most corpora have nothing apart."""
    if not part.tally.pairs:
        for writer in part.writers:
            stack.enter_context(writer)
    return part


def _check_scores(record: Record, scores: Collection[str]) -> None:
    unknown = record.scores.keys() - set(scores)
    if unknown:
        raise StoreError(f"pair {record.id!r} has scores without signature: {sorted(unknown)}", "Report this as a bug.")


def remove_stale(out: Path, current: Collection[Path]) -> None:
    """Remove what an earlier write left in `out/corpus/`, of formats or languages that are not `current` any more.

    What people put there stays. Raises StoreError when a file cannot be removed.
    """
    for folder in (out / CORPUS / MACHINE, out / CORPUS):
        there = list(folder.iterdir()) if folder.is_dir() else []
        stale = [path for path in there if _OURS.fullmatch(path.name) and path not in current]
        try:
            for path in stale:
                path.unlink()
            if stale:
                flush_folder(folder)
            if there and len(stale) == len(there):
                folder.rmdir()
        except OSError as error:
            raise StoreError(f"cannot remove an old file of {folder}: {error.strerror}", "Make it writable.") from error
