"""The child process of a benchmark: JSON lines in, JSON lines out.

Each engine has a process to itself, because torch and CTranslate2 bring an OpenMP runtime each that slow one another
down, and because memory and processor time are counted by process. A line in is {"do": name, and its arguments}, a
line out the result, or {"error": class, "problem", "remedy"}.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from pipeline.bench import workload
from pipeline.bench.arms import ArmSettings
from pipeline.bench.engines import ENGINES, MeasuredEngine, MekongEngineArm, convert
from pipeline.bench.shapes import build, shape_of
from pipeline.bench.usage import cpu_seconds, resident_mb
from pipeline.config.load import parse_settings
from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Request, Translator
from pipeline.engines.batching import plan
from pipeline.engines.child import end_with_parent, told
from pipeline.engines.devices import processor
from pipeline.errors import MekongError, UsageError
from pipeline.registry.models import entry


class BenchChild:
    """What a child can do; each public method is one verb."""

    def __init__(self) -> None:
        self.engine: MeasuredEngine
        self.translator: Translator
        self.device = "cpu"

    def find(self, device: str) -> dict[str, Any]:
        """The device's name.

        Raises UsageError when there is none.
        """
        import torch

        if device == "cpu":
            return {"name": processor()}
        if not torch.cuda.is_available():
            raise UsageError("--device is cuda, but torch sees no usable GPU", "Use --device cpu.")
        return {"name": torch.cuda.get_device_name()}

    def build(self, shape: str, folder: str) -> dict[str, Any]:
        """Write a checkpoint with random weights."""
        build(shape_of(shape), Path(folder))
        return {}

    def convert(self, checkpoint: str, shape: str, quantisation: str, folder: str) -> dict[str, Any]:
        """Write a checkpoint for CTranslate2."""
        convert(Path(checkpoint), shape_of(shape), quantisation, Path(folder))
        return {}

    def load(self, engine: str, folder: str, shape: str, device: str, dtype: str, beam: int) -> dict[str, Any]:
        """Make the engine that all that follows is about."""
        self.device = device
        self.free = _free_memory() if device == "cuda" else 0
        self.engine = ENGINES[engine](Path(folder), shape_of(shape), device, dtype, beam)
        return {}

    def open(self, model: str, engine: str, device: str, dtype: str, beam: int) -> dict[str, Any]:
        """Load a model of the store as a run with these settings would; what the engine says of itself."""
        from pipeline.engines.load import load

        asked = {"engine": engine, "device": device, "dtype": dtype, "num_beams": beam}
        self.translator = load(entry(model), parse_settings(TranslateSettings, asked, "the benchmark"))
        return dict(self.translator.engine.about)

    def translate(self, lines: list[str], lang: str) -> dict[str, Any]:
        """The English of each line, in batches as the translate stage makes them; wall seconds, generated tokens."""
        gc.collect()
        began = time.perf_counter()
        requests = [Request(line, lang) for line in lines]
        lengths = [len(self.translator.codec.encode(request)) for request in requests]
        texts = [""] * len(lines)
        tokens = 0
        for batch in plan(lengths, TranslateSettings().batch_tokens, self.translator.engine.batch_rows):
            made = self.translator.translate([requests[row] for row in batch])
            for row, hypothesis in zip(batch, made, strict=True):
                texts[row] = hypothesis.text
                tokens += hypothesis.out_tokens
        return {"seconds": time.perf_counter() - began, "texts": texts, "tokens": tokens}

    def use(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Set how it works."""
        self.engine.use(ArmSettings(**settings))
        return {}

    def feed(self, sources: list[list[int]], lengths: list[int]) -> dict[str, Any]:
        """Give it rows."""
        self.engine.feed(sources, lengths)
        return {}

    def run(self, rows: int) -> dict[str, Any]:
        """Generate for the first `rows` of them: wall and processor seconds, tokens a row, row steps, memory."""
        gc.collect()
        self._wait()
        spent, began = cpu_seconds(), time.perf_counter()
        lengths, steps = self.engine.run(rows)
        self._wait()
        seconds, busy = time.perf_counter() - began, cpu_seconds() - spent
        return {
            "seconds": seconds,
            "cpu_seconds": busy,
            "lengths": lengths,
            "steps": steps,
            "memory_mb": self._memory_mb(),
        }

    def short(self, shape: str, segments: int, number: int) -> dict[str, Any]:
        """Generate for short segments made here: wall seconds, seconds inside the model, resident memory afterwards."""
        assert isinstance(self.engine, MekongEngineArm)
        rows = workload.short(shape_of(shape), segments, number)
        self.engine.feed(rows.sources, rows.lengths)
        inside, began = self.engine.model_seconds, time.perf_counter()
        lengths, _ = self.engine.run(segments)
        seconds, inside = time.perf_counter() - began, self.engine.model_seconds - inside
        whole = lengths == rows.lengths
        del rows
        self.engine.feed([], [])
        gc.collect()
        return {"seconds": seconds, "model_seconds": inside, "whole": whole, "resident_mb": resident_mb()}

    def match(self, count: int, seed: int) -> dict[str, Any]:
        """Find the candidates of made-up documents: see `pipeline.bench.matching.measure`."""
        from pipeline.bench.matching import compare

        return compare(count, seed)

    def _wait(self) -> None:
        """Have a GPU finish what it was given."""
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()

    def _memory_mb(self) -> float:
        """After a run; on a GPU what this process has taken, which the engines keep for the next run."""
        return (self.free - _free_memory()) / 1e6 if self.device == "cuda" else resident_mb()


def _free_memory() -> int:
    """Free bytes of the GPU. Only one child works at a time, so what goes is the caller's."""
    import torch

    return int(torch.cuda.mem_get_info()[0])


def answer(child: BenchChild, question: dict[str, Any]) -> dict[str, Any]:
    """Carry out one line; errors of ours are told, others end the process with a traceback."""
    verb = question.pop("do")
    try:
        result: dict[str, Any] = getattr(child, verb)(**question)
    except MekongError as error:
        return {"error": told(error)}
    return result


def main() -> None:
    """Serve until standard input ends."""
    end_with_parent()
    # Anything a library prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    child = BenchChild()
    for line in sys.stdin:
        print(json.dumps(answer(child, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
