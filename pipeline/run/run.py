"""The whole pipeline over one run folder: the order of the stages, and what of them is done already.

Shards go through the stages one stage after the other. What a shard is made from is hashed into its key
(`pipeline.run.keys`), so a second run skips everything that is done and redoes exactly what a changed input or setting
touches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pipeline.config.settings import Config
from pipeline.files.progress import Progress
from pipeline.files.store import Store, write_bytes
from pipeline.run import keys
from pipeline.run import shards as kinds
from pipeline.run.again import Again
from pipeline.run.executors import MakeResources, Makers
from pipeline.run.feed import Feed, to_translate
from pipeline.run.finished import FinishedRun
from pipeline.run.manifest import MadeWith
from pipeline.run.matching import ShardMatching
from pipeline.run.memory import MemoryUse
from pipeline.run.names import corrected_in_shard, names_due, read_settled, settle_names
from pipeline.run.order import Placed
from pipeline.run.reading import read_input
from pipeline.run.resources import Resources
from pipeline.run.shards import ShardKind, Shards
from pipeline.run.stop import Stop
from pipeline.run.watch import Watch
from pipeline.run.work import ShardTask, counterparts
from pipeline.stages.filter.decisions import Decisions

T = TypeVar("T")


@dataclass
class Run:
    """One run: its settings, its folder, and the keys of the shards made so far."""

    config: Config
    out: Path
    progress: Progress
    stop: Stop = field(default_factory=Stop)
    seconds: dict[str, float] = field(default_factory=dict)
    text_keys: list[str] = field(default_factory=list)
    translator_key: str = ""
    segment_keys: list[str] = field(default_factory=list)
    translation_keys: list[str] = field(default_factory=list)
    pair_keys: list[str] = field(default_factory=list)
    make_resources: MakeResources = Resources
    memory_use: MemoryUse | None = None

    def __post_init__(self) -> None:
        self.store = Store(self.out)
        self.shards = Shards(self.store, 0)
        self.resources = self.make_resources(self.config)
        self._makers = Makers(self.config, self.resources, self.make_resources)
        self.decisions = Decisions(self.out, self.progress.warn)
        self.again = Again(self.out)

    def execute(self) -> FinishedRun:
        """Run every stage up to the scores; `pipeline.run.publish` writes what people read of the run returned."""
        self.begin()
        self.perform(self.read, self.segment, self.translate, self.match, self.align, self.score)
        return self.finish(self.made_with())

    def begin(self) -> None:
        """Look at what people wrote into the folder: a damaged file should end the run now, not after hours."""
        self.decisions.refresh()
        self.resources.settled = read_settled(self.out)

    def perform(self, *stages: Callable[[], None]) -> None:
        """Do stages one after the other."""
        try:
            for stage in stages:
                self.carry_out(stage)
        finally:
            self._makers.end()

    def carry_out(self, stage: Callable[[], None]) -> None:
        """Do one stage, and note how long it took."""
        began = time.monotonic()
        stage()
        self.seconds[stage.__name__] = round(time.monotonic() - began, 3)
        self.stop.check()

    def made_with(self, *, with_model: bool = True) -> MadeWith:
        """What the run is made with here and now; without the translation model where others had it."""
        return MadeWith.now(self.config, self.resources, with_model=with_model)

    def finish(self, made_with: MadeWith) -> FinishedRun:
        """All shards are scored: let go of what that took."""
        self.shards.sweep()
        self.resources.close()
        return FinishedRun(self.config, self.shards, made_with, self.decisions, Watch(self.progress, self.stop))

    @property
    def translates_here(self) -> bool:
        """Whether this process translates, and no cluster."""
        return self.config.run.executor == "local"

    def read(self) -> None:
        """Cut the input into shards of documents, and commit those that changed."""
        self.take(read_input(self.config, self.store, self.progress.warn, self.stop.check))

    def take(self, placed: Sequence[Placed]) -> None:
        """Work on these shards of the folder."""
        self.shards = Shards(self.store, len(placed), [one.slot for one in placed])
        self.text_keys = [one.texts for one in placed]

    def key_segments(self) -> None:
        """The keys that the segments of all shards have, or would have."""
        boundary_models, settings = self.resources.boundary_digests, self.config.segment
        self.segment_keys = [keys.segments_key(key, settings, boundary_models) for key in self.text_keys]

    def segment(self) -> None:
        """Cut every document into segments."""
        self.key_segments()
        tasks = [
            ShardTask("segment", number, self.segment_keys[number], self.shards.size(kinds.DOCUMENTS, number))
            for number in self.shards.mine
        ]
        self._make(kinds.SEGMENTS, tasks, "documents")

    def key_translations(self) -> None:
        """The keys that the translations of all shards have, or would have."""
        resources = self.resources
        self.translator_key = keys.translator_key(
            resources.translator_identity, self.config.translate, resources.glossary_digests()
        )
        self.translation_keys = [self._translation_key(number) for number in self.shards.numbers]

    def translate(self) -> None:
        """Translate the segments of documents that are not English; the model is loaded only when there is work."""
        self.key_translations()
        todo = self.untranslated()
        if any(to_translate(self.shards, number)[0] for number in todo):
            self._makers.end()  # their memory is the engine's now
            write_bytes(names_due(self.out), b"")
            self._feed(todo)
        elif todo:
            self.progress.warn("no new Thai or Vietnamese document in the input: there is nothing to translate")
            for number in todo:
                self.shards.commit(kinds.TRANSLATIONS, number, self.translation_keys[number], [])
        if self.store.part is None and names_due(self.out).exists():
            self.settle_names()

    def untranslated(self) -> list[int]:
        """The shards of this process that have no translations under the keys of now."""
        made = dict(enumerate(self.translation_keys))
        return [n for n in self.shards.mine if not self.shards.done(kinds.TRANSLATIONS, n, made.get(n, ""))]

    def _translation_key(self, number: int) -> str:
        """The key of the translations of a shard; none fits one that another part has yet to segment."""
        if not self.shards.done(kinds.SEGMENTS, number, self.segment_keys[number]):
            return ""
        names = corrected_in_shard(self.resources.settled, self.shards, number)
        asked = keys.translations_key(self.translator_key, self.segment_keys[number], names)
        return self.again.keys(asked)[0]

    def _feed(self, todo: Sequence[int]) -> None:
        settings, resources = self.config.translate, self.resources
        with (
            resources.translator(self.progress.say) as translator,
            resources.memory(translator, self.progress.warn) as memory,
        ):
            segments = sum(self.shards.size(kinds.SEGMENTS, number) for number in todo)
            with self.progress.task("translate", segments, "segments") as task:
                more = task.advance, self.stop.check, memory, lambda n: self.again.note(self.translation_keys[n])
                feed = Feed(self.shards, translator, resources.glossaries, settings, *more)
                feed.translate([(number, self.translation_keys[number]) for number in todo])
        self.again.tell(self.progress.warn)
        self.memory_use = memory.use
        if not (memory.use and memory.use.spared):
            resources.keep_rate(feed.tokens, feed.seconds, self.progress.warn)

    def settle_names(self) -> None:
        """Write down the names that the model was given, where it was given any."""
        settle_names(self.shards, self.resources.settled, lambda: self.resources.glossaries, self.stop.check)

    def match(self) -> None:
        """Find the English counterpart of each document, over the whole input."""
        aligner = self.resources.aligner_digests()
        key = keys.document_pairs_key(self.segment_keys, self.translation_keys, self.config.align, aligner)
        if all(self.shards.done(kinds.DOCUMENT_PAIRS, number, key) for number in self.shards.numbers):
            return
        self.stop.check()
        matching = ShardMatching(self.shards, self.config.align, aligner)
        if self.shards.source_places and self.shards.english_places:
            self._make(kinds.PROFILES, matching.profile_tasks(self.translation_keys), "documents")
            matching.compare(self.progress, self.stop.check)
            self._make(kinds.JUDGED, matching.judge_tasks(), "candidates")
        for number, pairs in matching.document_pairs():
            if not self.shards.done(kinds.DOCUMENT_PAIRS, number, key):  # a kill may have come between two of them
                self.shards.commit(kinds.DOCUMENT_PAIRS, number, key, pairs)

    def align(self) -> None:
        """Align the sentences of parallel documents, and join both roads in one list of pairs a shard."""
        aligner = self.resources.aligner_digests()
        tasks = [self.alignment(number, aligner) for number in self.shards.numbers]
        self.pair_keys = [task.key for task in tasks]
        self._make(kinds.PAIRS, tasks, "segments")

    def alignment(self, number: int, aligner: Sequence[str]) -> ShardTask:
        """What is to be done to align the documents of a shard, by the document pairs that are committed."""
        settings = self.config.align
        pairs = list(counterparts(self.shards.document_pairs(number), mined=settings.mine))
        english = {name: self.shards.english_place(name) for name in sorted({pair.tgt_doc for pair in pairs})}
        segments = [self.segment_keys[shard] for shard in sorted({shard for shard, _ in english.values()})]
        judged = keys.counterparts_key(pairs, segments, settings, aligner)
        key = keys.pairs_key(judged, self.translation_keys[number])
        return ShardTask("align", number, key, self.shards.size(kinds.SEGMENTS, number), english)

    def score(self) -> None:
        """Score every pair."""
        signatures = self.resources.signatures
        tasks = [
            ShardTask("score", number, keys.scored_key(key, signatures), self.shards.size(kinds.PAIRS, number))
            for number, key in enumerate(self.pair_keys)
        ]
        self._make(kinds.SCORED, tasks, "pairs")

    def _make(self, kind: ShardKind[T], tasks: Sequence[ShardTask], unit: str) -> None:
        """Have the shards made that are not there yet; their sizes are in `unit`."""
        todo = [task for task in tasks if not self.shards.done(kind, task.number, task.key)]
        if not todo:
            return
        with self.progress.task(todo[0].stage, sum(task.size for task in todo), unit) as task:
            self._makers.make(todo, self.shards, task.advance, self.stop.check)
