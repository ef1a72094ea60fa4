"""A process that makes one whole run over made news and tells what each stage took; see `pipeline.bench.pipeline`.

`python -m pipeline.bench.whole_run '{"folder", "segments", "workers", "shape", "watch"}'` prints one JSON object.
Without a `shape` the engine is the null engine; with one `checkpoint` in the folder holds its weights, and the engine
is measured alone too.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.bench import news
from pipeline.bench.null_model import EngineResources, NullResources
from pipeline.bench.usage import cpu_seconds, resident_mb
from pipeline.config.settings import Config, ReadSettings, RunSettings, TranslateSettings
from pipeline.engines.base import Output, Request
from pipeline.engines.child import end_with_parent
from pipeline.files.owner import RUN
from pipeline.files.progress import Progress
from pipeline.run.feed import to_translate
from pipeline.run.folder import held, reopen, write_settings
from pipeline.run.publish import publish
from pipeline.run.run import Run

PUBLISH = "publish"
"""Filter, corpus and report."""
WARM_UP = 64
"""Rows after which the engine has compiled and set up what it needs."""
EVERY = 0.5
"""Seconds between looks at the memory. The kernel walks through all pages of all processes for each, so that nothing
else is measured meanwhile."""


@dataclass
class Cost:
    """What a stage took: seconds on the clock, and of all processes together."""

    seconds: float
    cpu_seconds: float


@dataclass
class Peak:
    """The most memory that all processes together have had; a context manager that watches, if it is to."""

    watch: bool
    resident: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Peak:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while self.watch and not self._over.wait(EVERY):
            self.resident = max(self.resident, resident_mb())


class MeasuredRun(Run):
    """A run that notes what its stages cost."""

    costs: dict[str, Cost]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.costs = {}

    def carry_out(self, stage: Callable[[], None]) -> None:
        """See Run."""
        self.costs[stage.__name__] = measured(lambda: super(MeasuredRun, self).carry_out(stage))


def measured(work: Callable[[], Any]) -> Cost:
    """Do something and say what it cost."""
    began, spent = time.perf_counter(), _spent()
    work()
    return Cost(time.perf_counter() - began, _spent() - spent)


def _spent() -> float:
    """Processor seconds of this process and all it has started, those that have ended included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cpu_seconds() + ended.ru_utime + ended.ru_stime


def measure(folder: Path, segments: int, workers: int, shape: str, watch: bool = False) -> dict[str, Any]:
    """Make the run; its costs by stage, its peak memory, and how much it was."""
    source, out = folder / "news.jsonl", folder / f"out-{segments}-{workers}"
    news.write(segments, source)
    make = partial(EngineResources, checkpoint=folder / "checkpoint", shape=shape) if shape else NullResources
    translate = TranslateSettings(
        retries=0 if shape else 1, use_glossary=False, workers=workers, memory="off"
    )  # a memory would spare the second run the work that is measured
    read = ReadSettings(paths=(str(source),))
    config = Config(read=read, translate=translate, run=RunSettings(workers=workers))
    run = MeasuredRun(config, out, Progress(quiet=True), make_resources=make)
    with held(run.shards, RUN, config.read.paths), Peak(watch) as peak:
        reopen(out)
        write_settings(config, out)
        finished = run.execute()
        run.costs[PUBLISH] = measured(lambda: publish(finished, run.seconds))
    counts = finished.counts()
    found = {
        "segments": counts.segments,
        "translated": sum(counts.translations.values()),
        "pairs": sum(counts.pairs.values()),
        "kept": sum(counts.kept.values()),
        "costs": {name: asdict(cost) for name, cost in run.costs.items()},
        "peak_mb": peak.resident,
    }
    return found | (_engine_alone(run) if shape else {})


def _engine_alone(run: MeasuredRun) -> dict[str, Any]:
    """The same rows in one call of the engine: seconds, and tokens that came out here and in the run."""
    rows, counts, there = [], [], 0
    with run.resources.translator(lambda _: None) as translator:
        for number in run.shards.numbers:
            segments, documents = to_translate(run.shards, number)
            for segment in segments:
                rows.append(translator.codec.encode(Request(segment.text, documents[segment.doc_id].lang)))
                counts.append(translator.count(segment.text))
            there += sum(made.out_tokens for made in run.shards.translations(number))
        translator.engine.generate(rows[:WARM_UP], counts[:WARM_UP])
        outputs: list[Output] = []
        cost = measured(lambda: outputs.extend(translator.engine.generate(rows, counts)))
    tokens = sum(len(output.tokens) for output in outputs)
    return {"engine_seconds": cost.seconds, "engine_tokens": tokens, "run_tokens": there}


def main() -> None:
    """Measure what the argument says."""
    end_with_parent()
    asked = json.loads(sys.argv[1])
    found = measure(Path(asked["folder"]), asked["segments"], asked["workers"], asked["shape"], asked["watch"])
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
