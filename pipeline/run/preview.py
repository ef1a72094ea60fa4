"""What a run would do, found out without doing it: `mekong run --dry-run`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.engines.token_counts import Count
from pipeline.run.amounts import Amount
from pipeline.run.anew import InputChanges, StageWork, anew
from pipeline.run.folder import changed_settings, read_settings, settings_path
from pipeline.run.manifest import is_finished
from pipeline.run.order import cut
from pipeline.run.run import Run
from pipeline.stages.read.stage import Reader
from pipeline.types import Document


@dataclass(frozen=True, slots=True)
class Preview:
    """`amounts` by language and `rejected` are what the input holds now, `shares` how much of each language would be
    translated (0 to 1).

    `stages` are what each stage would make anew, `because` what is no longer as it was: settings by name, documents in
    words. `finished` is whether the folder holds a finished run.
    """

    amounts: dict[str, Amount]
    shares: dict[str, float]
    rejected: int
    finished: bool
    stages: tuple[StageWork, ...]
    because: tuple[str, ...]

    @property
    def tokens(self) -> int | None:
        """Source tokens of all languages; None where they are not known."""
        known = [amount.tokens for amount in self.amounts.values() if amount.tokens is not None]
        return sum(known) if known else None

    @property
    def tokens_to_translate(self) -> int | None:
        """Those of the shards that would be translated; a part of a language is taken to be like all of it."""
        known = [
            amount.tokens * self.shares[lang] for lang, amount in self.amounts.items() if amount.tokens is not None
        ]
        return round(sum(known)) if known else None

    @property
    def nothing_to_do(self) -> bool:
        """Whether all of it is done already."""
        return self.finished and not self.because and not any(work.shards for work in self.stages)


def preview(run: Run, count: Count | None) -> Preview:
    """Read the input and compare it, the settings and the models with what is in the folder; writes nothing.

    `count` counts tokens, where the model's tokenizer is at hand. Raises InputError when a path of the input does not
    exist, StoreError when what lies in the folder is damaged.
    """
    amounts: dict[str, Amount] = {}
    characters: list[Counter[str]] = []
    changes, rejects = InputChanges(run), list[int]()
    for shard in cut(_documents(run, rejects), run.config.run.shard_chars):
        changes.place(shard)
        characters.append(Counter())
        for document in shard:
            amounts.setdefault(document.lang, Amount()).add(document, run.config.segment, count)
            characters[-1][document.lang] += len(document.text)
    because = changes.said() if changes.before else []
    if settings_path(run.out).is_file():
        because += changed_settings(read_settings(run.out), run.config)
    stages = anew(run, changes.placed)
    work = {one.stage: one.shards for one in stages}
    said = any(reason.startswith("translate.") for reason in because)
    if changes.before and work["translate"] > work["segment"] and not said:
        because.append("what the translations are made with: model, engine, glossaries or mekong itself")
    todo = sum((characters[number] for number in run.untranslated()), Counter[str]())
    shares = {lang: todo[lang] / amount.characters if amount.characters else 0.0 for lang, amount in amounts.items()}
    found = dict(sorted(amounts.items()))
    return Preview(found, shares, len(rejects), is_finished(run.out), tuple(stages), tuple(because))


def _documents(run: Run, rejects: list[int]) -> Iterator[Document]:
    for item in Reader(run.config.read).read(run.config.read.paths):
        if isinstance(item, Document):
            yield item
        else:
            rejects.append(item.line)
