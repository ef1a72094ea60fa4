"""What is killed: commands over made news, with models that cost nothing or next to nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pipeline.bench.news import sentence
from pipeline.bench.null_model import LANGS, NewsCodec, NullEngine, NullResources, NumberEncoder, made_translator
from pipeline.config.settings import Config
from pipeline.engines.base import Translator
from pipeline.files.store import write_lines
from pipeline.registry import models
from pipeline.registry.facts import ModelFacts
from pipeline.run.resources import Resources
from pipeline.stages.translate.glossary import Glossary
from pipeline.text.languages import source_languages

DOCUMENTS, SENTENCES = 16, 2
"""Source documents, each with its English as another document, and sentences of each."""
INPUT, CONFIG, OUT = "news.jsonl", "config.yaml", "out"
SETTINGS = f"""\
read: {{paths: [{INPUT}]}}
translate: {{model: MODEL, device: cpu, threads: 1, workers: 2, batch_rows: 4, memory: 'off'}}
run: {{shard_chars: 1000, workers: 1}}
filter: {{preset: none, rules: {{length_ratio: {{max: 3.0}}}}}}
"""
RUN = ("run", CONFIG, "--out", OUT, "--quiet")
PARTS = tuple((*RUN, "--shard", part) for part in ("1/2", "2/2"))
REMEMBERING = (*RUN, "--set", "translate.memory=memory.sqlite")
BESIDE = (*RUN, "--set", "run.workers=2")
ON_CLUSTER = (*RUN, "--set", "run.executor=ray", "--set", "align.encoder=small")
"""The parts of a cluster are commands like any other, which want every model that the settings name."""
MERGE = ("merge", OUT, "--quiet")
OTHERWISE = ("--set", "segment.max_chars=60", "--set", "write.formats=[jsonl,moses]")


@cache
def _glossaries() -> dict[str, Glossary]:
    """The shipped ones, read once for all forks of this process."""
    return {lang: Glossary.load(lang) for lang in source_languages()}


class HintedCodec(NewsCodec):
    """Takes hints, so that the run settles names."""

    takes_hints = True


FACTS = ModelFacts("null", "translation", "made", "1", "1", "CC0-1.0", commercial=True)


class NullNews(NullResources):
    """The null engine, whose batches are of one shard each."""

    rows_apart = False

    @property
    def glossaries(self) -> dict[str, Glossary]:  # type: ignore[override]
        """See Resources."""
        return _glossaries()

    def check(self, *, translation: bool) -> None:
        """No model is asked for."""

    def model_facts(self) -> tuple[ModelFacts, ...]:
        """See Resources."""
        return (FACTS,)

    def scoring_facts(self) -> tuple[ModelFacts, ...]:
        """See Resources."""
        return ()

    def translator(self, say: Callable[[str], None]) -> Translator:
        """See Resources."""
        made = made_translator(HintedCodec((1, 1 << 40), 0), NullEngine(), (2.0, 16))
        return replace(made, rows_apart=self.rows_apart)


class PooledNews(NullNews):
    """The same with batches of several shards, the engine in another thread, and a translation memory."""

    rows_apart = True


class TinyNews(Resources):
    """A real engine on a tiny model, and the encoder of the null engine."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.encoder = NumberEncoder()

    @property
    def glossaries(self) -> dict[str, Glossary]:  # type: ignore[override]
        """See Resources."""
        return _glossaries()

    def check(self, *, translation: bool) -> None:
        """See Resources."""
        models.locate(self.translation_entry)

    def aligner_digests(self) -> list[str]:
        """See Resources."""
        return ["null"]

    def model_facts(self) -> tuple[ModelFacts, ...]:
        """See Resources."""
        return (FACTS,)

    def scoring_facts(self) -> tuple[ModelFacts, ...]:
        """See Resources."""
        return ()


@dataclass(frozen=True)
class Execution:
    """A way to carry out a run: the words of each command, one after the other, in a folder that has CONFIG and INPUT;
    what comes of them is in OUT.

    A chain may do, and be killed in, the commands of `meanwhile` before it comes to those that count. `share` is this
    execution's part of all kills, `family` that of the tiny model it needs, `helped` the stages in which it has more
    processes than one, `nodes` the size of the Ray cluster that it asks.
    """

    name: str
    resources: type[Resources]
    share: int
    commands: tuple[tuple[str, ...], ...] = (RUN,)
    meanwhile: tuple[tuple[str, ...], ...] = ()
    family: str = ""
    helped: tuple[str, ...] = ()
    nodes: int = 0


EXECUTIONS = (
    Execution("one process", NullNews, 33),
    Execution("rows apart, memory", PooledNews, 18, (REMEMBERING,)),
    Execution("settings changed and back", NullNews, 18, meanwhile=((*RUN, *OTHERWISE),)),
    Execution("parts, merge", PooledNews, 10, (*PARTS, MERGE)),
    Execution("two workers", NullNews, 7, (BESIDE,), helped=("segment", "align", "score")),
    Execution("mekong engine", TinyNews, 7, (REMEMBERING,), family="marian", helped=("translate",)),
    Execution("ctranslate2 child", TinyNews, 5, family="qwen2", helped=("translate",)),
    Execution("ray", TinyNews, 2, (ON_CLUSTER,), family="marian", helped=("translate",), nodes=2),
)


def prepare(folder: Path, execution: Execution) -> None:
    """Write input and settings into a folder."""
    rows: list[dict[str, str]] = []
    for number in range(DOCUMENTS):
        lang = LANGS[number % len(LANGS)]
        pairs = [sentence(lang, number * SENTENCES + place) for place in range(SENTENCES)]
        for code, side in (lang, 0), ("en", 1):
            text = "\n".join(pair[side] for pair in pairs)
            rows.append({"id": f"{lang}{number}-{code}", "lang": code, "text": text})
    rows.append({"id": "has no text"})
    write_lines(folder / INPUT, rows)
    os.utime(folder / INPUT, (0, 0))  # of what was just changed a run does not note that it is as it was
    model = f"tiny-{execution.family}" if execution.family else "qwen2.5-coder-1.5b"
    (folder / CONFIG).write_text(SETTINGS.replace("MODEL", model), encoding="utf-8")
