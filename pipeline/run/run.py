"""The whole pipeline over one run folder: the only orchestration.

Shards go through the stages one stage after the other. What a shard is made from is hashed into its key, so a second
run skips everything that is done and redoes exactly what a changed input or setting touches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import orjson

from pipeline.config.settings import Config
from pipeline.engines.base import Hypothesis, Request, Translator
from pipeline.engines.load import identity, load
from pipeline.errors import InputError
from pipeline.files.progress import Progress, Task
from pipeline.files.store import Store, digest, file_sha256, write_bytes, write_lines
from pipeline.registry import models
from pipeline.run.stop import Stop
from pipeline.stages.align import stage as alignment
from pipeline.stages.align.pairs import Group, aligned_groups, translated_pairs
from pipeline.stages.filter.decisions import Decisions
from pipeline.stages.filter.stage import filter_pairs
from pipeline.stages.read.stage import Reader
from pipeline.stages.score.base import Context, Scorer
from pipeline.stages.score.damage.forced import load_reader
from pipeline.stages.score.stage import BATCH, score, signatures
from pipeline.stages.score.stage import VERSION as SCORE_VERSION
from pipeline.stages.segment import boundaries
from pipeline.stages.segment.stage import VERSION as SEGMENT_VERSION
from pipeline.stages.segment.stage import learned_languages, segment
from pipeline.stages.translate import glossary
from pipeline.stages.translate import stage as translation
from pipeline.text.languages import source_languages
from pipeline.types import ENGLISH, Document, DocumentPair, Pair, Reject, Scored, Segment, Translation, Verdict

if TYPE_CHECKING:
    from pipeline.engines.encoders.base import Encoder
    from pipeline.stages.align.lexicons import Lexicons

T = TypeVar("T")
REJECTED = "rejected.jsonl"


@dataclass
class Run:
    """One run: its settings, its folder, and the keys of the shards made so far."""

    config: Config
    out: Path
    progress: Progress
    stop: Stop = field(default_factory=Stop)
    seconds: dict[str, float] = field(default_factory=dict)
    doc_keys: list[str] = field(default_factory=list)
    segment_keys: list[str] = field(default_factory=list)
    translate_keys: list[str] = field(default_factory=list)
    pair_keys: list[str] = field(default_factory=list)
    score_keys: list[str] = field(default_factory=list)
    match_key: str = ""
    rejects: list[Reject] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Store(self.out)
        self.decisions = Decisions(self.out, self.progress.warn)
        self.entry = models.entry(self.config.translate.model)
        self.encoder_entry = models.entry(self.config.align.encoder)
        self.reader_entry = models.entry(self.config.filter.model) if self.config.filter.model else None

    def execute(self) -> None:
        """Run every stage up to the filter; `pipeline.run.publish` writes what people read."""
        self.decisions.refresh()  # a damaged file should end the run now, not after hours
        for name in ("read", "segment", "translate", "match", "align", "score"):
            began = time.monotonic()
            getattr(self, name)()
            self.seconds[name] = round(time.monotonic() - began, 3)
            self.stop.check()

    def adopt(self, shards: int) -> None:
        """Take the committed shards as they are, whatever has changed since, so that they can be reported on."""
        numbers = range(shards)
        self.doc_keys = [self.store.key("read", number) for number in numbers]
        self.score_keys = [self.store.key("score", number) for number in numbers]
        rows = (self.out / REJECTED).read_bytes().split(b"\n")[:-1]
        self.rejects = [Reject(**orjson.loads(row)) for row in rows]

    # -- stages ----------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read the input anew, cut it into shards of documents, commit those that changed."""
        if not self.config.read.paths:
            raise InputError("read.paths is empty", "Name files, folders or globs in it.")
        shard: list[Document] = []
        for found in Reader(self.config.read).read(self.config.read.paths):
            if isinstance(found, Reject):
                self.rejects.append(found)
                continue
            shard.append(found)
            if sum(len(document.text) for document in shard) >= self.config.run.shard_chars:
                self._commit_documents(shard)
                shard = []
        if shard:
            self._commit_documents(shard)
        write_lines(self.out / REJECTED, self.rejects)
        if not self.doc_keys:
            raise InputError(
                f"no document in {', '.join(self.config.read.paths)} ({len(self.rejects)} rejected)",
                f"See {self.out / REJECTED} for the reasons.",
            )

    def _commit_documents(self, documents: Sequence[Document]) -> None:
        number, key = len(self.doc_keys), digest("read", documents)
        self._shard("read", number, key, Document, lambda: documents)
        self.doc_keys.append(key)

    def segment(self) -> None:
        """Cut every document into segments."""
        # Of the boundary models only those that cut segments: a changed other one is no reason to translate again.
        learned = [self.boundary_digests.get(lang) for lang in learned_languages()]
        for number, doc_key in enumerate(self.doc_keys):
            key = digest("segment", SEGMENT_VERSION, doc_key, self.config.segment, learned)
            self._shard("segment", number, key, Segment, partial(self._segmented, number))
            self.segment_keys.append(key)

    def _segmented(self, number: int) -> Iterator[Segment]:
        return segment(self.documents(number), self.config.segment)

    def translate(self) -> None:
        """Translate the segments of documents that are not English; the model is loaded only when there is work."""
        settings = self.config.translate
        texts = [file_sha256(path) for path in self._glossary_files()] if settings.use_glossary else []
        # What changes speed alone stays out of the key.
        chosen = settings.model_dump(exclude={"workers", "threads", "glossary"})
        common = digest("translate", translation.VERSION, identity(self.entry, settings), chosen, texts)
        self.translate_keys = [digest(common, key) for key in self.segment_keys]
        todo = [n for n, key in enumerate(self.translate_keys) if not self._done("translate", n, key)]
        if not todo:
            return
        if not any(self._to_translate(n) for n in todo):
            self.progress.warn("no new Thai or Vietnamese document in the input: there is nothing to translate")
            for number in todo:
                self.store.commit("translate", number, self.translate_keys[number], [])
            return
        with load(self.entry, settings, self.progress.say) as translator:
            sizes = [sum(translator.count(s.text) for s in self._to_translate(n)) for n in todo]
            with self.progress.task("translate", sum(sizes), "tokens") as task:
                for number in todo:
                    self._translate_shard(number, translator, task)

    def _to_translate(self, number: int) -> list[Segment]:
        foreign = {document.id for document in self.documents(number) if document.lang != ENGLISH}
        return [found for found in self.segments(number) if found.doc_id in foreign]

    def _translate_shard(self, number: int, translator: Translator, task: Task) -> None:
        parts, key = f"translate-{number:06d}", self.translate_keys[number]
        batch = 0

        def memo(rows: Sequence[Request], compute: Callable[[], list[Hypothesis]]) -> list[Hypothesis]:
            nonlocal batch
            part_key = digest(key, rows)
            stored = self.store.load(parts, batch, part_key, Hypothesis)
            if stored is None:
                self.stop.check()
                stored = compute()
                self.store.commit(parts, batch, part_key, stored)
            batch += 1
            return stored

        segments = self._to_translate(number)
        documents = {document.id: document for document in self.documents(number)}
        context = translation.TranslateContext(translator, self.glossaries, memo, task.advance)
        done = list(translation.translate(segments, documents, self.config.translate, context))
        if len(done) != len(segments):
            raise AssertionError(f"count law: {len(segments)} segments in, {len(done)} translations out")
        self.store.commit("translate", number, key, done)
        self.store.discard(parts)

    def match(self) -> None:
        """Find the English counterpart of each document, over the whole input."""
        self.match_key = digest(
            "match", alignment.VERSION, self.segment_keys, self.translate_keys, self.config.align, self._aligner_keys()
        )
        self._shard("match", 0, self.match_key, DocumentPair, self._match)

    def _match(self) -> list[DocumentPair]:
        sides = [side for number in range(len(self.doc_keys)) for side in self.sides(number)]
        sources = [side for side in sides if side.document.lang != ENGLISH]
        targets = [side for side in sides if side.document.lang == ENGLISH]
        if not sources or not targets:
            return []
        return alignment.match(sources, targets, self.config.align, self.encoder, self.lexicons)

    def align(self) -> None:
        """Align the sentences of parallel documents, and join both roads in one list of pairs a shard."""
        parallel = {p.src_doc: p for p in self.document_pairs() if p.relation == "parallel"}
        comparable: dict[str, list[str]] = {}
        for pair in self.document_pairs() if self.config.align.mine else ():
            if pair.relation == "comparable":
                comparable.setdefault(pair.src_doc, []).append(pair.tgt_doc)
        for number in range(len(self.doc_keys)):
            key = digest("pairs", self.match_key, self.translate_keys[number])
            self.pair_keys.append(key)
            self._shard("align", number, key, Pair, partial(self._pairs, number, parallel, comparable))

    def _pairs(
        self, number: int, parallel: Mapping[str, DocumentPair], comparable: Mapping[str, Sequence[str]]
    ) -> Iterator[Pair]:
        for side in self.sides(number):
            if side.document.lang == ENGLISH:
                continue
            yield from translated_pairs(side.document, side.segments, side.translations)
            found = parallel.get(side.document.id)
            if found:
                yield from alignment.align(found, side, self.english(found.tgt_doc), self.encoder, self.lexicons)
            others = [self.english(name) for name in comparable.get(side.document.id, ())]
            if others:
                yield from alignment.mine(side, others, self.config.align, self.encoder)

    def score(self) -> None:
        """Score every pair."""
        common = digest("score", SCORE_VERSION, signatures(self.scorers))
        self.score_keys = [digest(common, key) for key in self.pair_keys]
        todo = [n for n, key in enumerate(self.score_keys) if not self._done("score", n, key)]
        if not todo:
            return
        sizes = [(self.store.record("align", n) or {"rows": 0})["rows"] for n in todo]
        with self.progress.task("score", sum(sizes), "pairs") as task:
            for number in todo:
                self._shard("score", number, self.score_keys[number], Scored, partial(self._scored, number, task))

    def _scored(self, number: int, task: Task) -> Iterator[Scored]:
        context = Context({found.segment_id: found for found in self.translations(number)})
        for row in task.each(score(self.store.rows("align", number, Pair), self.scorers, context), BATCH):
            self.stop.check()
            yield row

    def verdicts(self) -> Iterator[tuple[int, Scored, Verdict]]:
        """Every scored pair with its verdict and shard, in order; deciding is cheap, so it is done anew each time.

        What people decided goes before what the rules say.
        """
        self.decisions.refresh()
        unused = len(self.decisions.latest)
        numbered = [(n, row) for n in range(len(self.score_keys)) for row in self.store.rows("score", n, Scored)]
        decided = filter_pairs((row for _, row in numbered), self.config.filter)
        for (number, row), verdict in zip(numbered, decided, strict=True):
            final = self.decisions.applied(row.pair, verdict)
            unused -= final.by_hand
            yield number, row, final
        if unused:
            self.progress.warn(
                f"{unused} of {len(self.decisions.latest)} decisions in {self.decisions.path} are not applied: "
                "their pairs are gone, or have other texts now"
            )

    # -- what the stages share -------------------------------------------------------------------------------------

    def _done(self, stage: str, number: int, key: str) -> bool:
        record = self.store.record(stage, number)
        return record is not None and record["key"] == key

    def _shard(self, stage: str, number: int, key: str, kind: type[T], compute: Callable[[], Iterable[T]]) -> None:
        if not self._done(stage, number, key):
            self.stop.check()
            self.store.commit(stage, number, key, list(compute()))

    def documents(self, number: int) -> list[Document]:
        """The documents of a shard."""
        return self.store.rows("read", number, Document)

    def segments(self, number: int) -> list[Segment]:
        """The segments of a shard."""
        return self.store.rows("segment", number, Segment)

    def translations(self, number: int) -> list[Translation]:
        """The translations of a shard."""
        return self.store.rows("translate", number, Translation)

    def document_pairs(self) -> list[DocumentPair]:
        """All judged document pairs."""
        return self.store.rows("match", 0, DocumentPair)

    def sides(self, number: int) -> list[alignment.Side]:
        """The documents of a shard with their segments and translations."""
        by_doc: dict[str, list[Segment]] = {}
        for found in self.segments(number):
            by_doc.setdefault(found.doc_id, []).append(found)
        done = {found.segment_id: found for found in self.translations(number)}
        return [
            alignment.Side(
                document,
                tuple(by_doc.get(document.id, ())),
                {s.id: done[s.id] for s in by_doc.get(document.id, ()) if s.id in done},
            )
            for document in self.documents(number)
        ]

    def english(self, doc_id: str) -> alignment.Side:
        """The English document of that id."""
        return self._english[doc_id]

    @cached_property
    def _english(self) -> dict[str, alignment.Side]:
        sides = (side for number in range(len(self.doc_keys)) for side in self.sides(number))
        return {side.document.id: side for side in sides if side.document.lang == ENGLISH}

    def groups(self, number: int) -> list[Group]:
        """Every stretch where translation and aligned English coincide."""
        pairs = [row for row in self.store.rows("align", number, Pair) if row.origin == "aligned"]
        done = {found.segment_id: found for found in self.translations(number)}
        return aligned_groups(pairs, done, {found.id: found for found in self.segments(number)})

    @cached_property
    def glossaries(self) -> dict[str, glossary.Glossary]:
        """The glossary of each source language, none when hints are turned off."""
        if not self.config.translate.use_glossary:
            return {}
        extra = [Path(path) for path in self.config.translate.glossary]
        return {lang: glossary.Glossary.load(lang, extra) for lang in source_languages()}

    def _glossary_files(self) -> list[Path]:
        """The files that hints come from.

        Raises InputError when one of the user's is not there.
        """
        for path in map(Path, self.config.translate.glossary):
            if not path.is_file():
                raise InputError(f"the glossary {path} does not exist", "Correct translate.glossary.")
        return [*sorted(glossary.folder().glob("*.tsv")), *map(Path, self.config.translate.glossary)]

    def _aligner_keys(self) -> list[str]:
        from pipeline.stages.align.lexicons import lexicon_key

        units = self.boundary_digests.values()
        return [models.fingerprint(self.encoder_entry), *lexicon_key(self.config.align.lexicon), *units]

    @cached_property
    def boundary_digests(self) -> dict[str, str]:
        """The hashes of the boundary models by language: Thai segments and all units of the alignment rest on them."""
        return boundaries.digests()

    @cached_property
    def lexicons(self) -> Lexicons:
        """The lexicons for languages that the encoder does not know, each loaded when first used."""
        from pipeline.stages.align.lexicons import load_lexicons

        return load_lexicons(self.config.align.lexicon)

    @cached_property
    def encoder(self) -> Encoder:
        """The sentence encoder, loaded when first used."""
        from pipeline.engines.encoders.load import load_encoder

        return load_encoder(self.encoder_entry)

    @cached_property
    def scorers(self) -> list[Scorer]:
        """All scorers, in the order of the report."""
        from pipeline.stages.score.scorers import all_scorers

        return all_scorers(self.encoder, load_reader(self.reader_entry, self.config.translate.device))


def resolved(config: Config, out: Path) -> None:
    """Store the settings that the run really has, so that it can be repeated."""
    import yaml

    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_bytes(out / "config.yaml", text.encode())
