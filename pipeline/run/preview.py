"""What a run would do, found out without doing it: `mekong run --dry-run`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.engines.token_counts import Count
from pipeline.errors import MekongError
from pipeline.files.store import digest
from pipeline.run import keys
from pipeline.run import shards as kinds
from pipeline.run.amounts import Amount
from pipeline.run.finished import FinishedRun
from pipeline.run.folder import changed_settings
from pipeline.run.manifest import is_finished
from pipeline.run.names import corrected_in_shard, read_settled
from pipeline.run.run import Run
from pipeline.stages.read.stage import Reader
from pipeline.types import Document


@dataclass(frozen=True, slots=True)
class Preview:
    """`amounts` by language and `rejected` are what the input holds now.

    `finished` is whether the folder holds a finished run, `changed` what is no longer as it was then: settings by name,
    other things in words.
    """

    amounts: dict[str, Amount]
    rejected: int
    finished: bool
    changed: tuple[str, ...]

    @property
    def tokens(self) -> int | None:
        """Source tokens to translate, of all languages; None where they are not known."""
        known = [amount.tokens for amount in self.amounts.values() if amount.tokens is not None]
        return sum(known) if known else None

    @property
    def nothing_to_do(self) -> bool:
        """Whether all of it is done already."""
        return self.finished and not self.changed


def preview(run: Run, count: Count | None) -> Preview:
    """Read the input and compare it, and the settings, with those of the run in the folder; writes nothing.

    `count` counts tokens, where the model's tokenizer is at hand. Raises InputError when a path of the input does not
    exist.
    """
    amounts: dict[str, Amount] = {}
    documents: set[str] = set()
    rejected = 0
    for item in Reader(run.config.read).read(run.config.read.paths):
        if isinstance(item, Document):
            amounts.setdefault(item.lang, Amount()).add(item, run.config.segment, count)
            documents.add(digest(item))
        else:
            rejected += 1
    finished = is_finished(run.out)
    changed = tuple(_changed(run, documents)) if finished else ()
    return Preview(dict(sorted(amounts.items())), rejected, finished, changed)


def _changed(run: Run, documents: set[str]) -> Iterator[str]:
    try:
        before = FinishedRun.read(run.out, run.progress)
        shards = before.shards
        if documents != {digest(document) for n in shards.numbers for document in shards.documents(n)}:
            yield "the input"
        yield from changed_settings(before.config, run.config)
        glossaries = run.resources.glossary_digests()
        translator = keys.translator_key(run.resources.translator_identity, run.config.translate, glossaries)
        settled = read_settled(run.out)
        for n in shards.numbers:
            names = corrected_in_shard(settled, shards, n)
            now_key = keys.translations_key(translator, shards.key(kinds.SEGMENTS, n), names)
            if shards.key(kinds.TRANSLATIONS, n) != now_key:
                yield "what the translations are made with"
                return
    except MekongError as error:
        yield str(error).partition("\n")[0]
