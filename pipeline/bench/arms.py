"""What is compared: engine and precision, and the settings to choose the best of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

from pipeline.errors import UsageError

Unit = Literal["own", "tokens", "examples", "one length", "unsorted"]


@dataclass(frozen=True, slots=True)
class ArmSettings:
    """How an engine works through the rows: threads, and how it cuts them into batches."""

    workers: int
    """Batches in work at a time."""
    threads: int
    """Of each worker."""
    unit: Unit
    """What `size` counts. own: the engine schedules by itself. tokens, examples: of batches sorted by source length.
    one length: rows of equal output length. unsorted: rows as they come."""
    size: int = 0

    def __str__(self) -> str:
        rows = {"own": "own batches", "one length": f"{self.size} rows of one length", "unsorted": f"{self.size} rows"}
        threads = f"{self.workers}x{self.threads} threads"
        return f"{threads}, {rows.get(self.unit, f'{self.size} {self.unit}')}"


@dataclass(frozen=True, slots=True)
class Arm:
    """One engine in one precision."""

    engine: Literal["mekong", "ctranslate2", "transformers"]
    dtype: str
    candidates: tuple[ArmSettings, ...]
    default: bool = True
    """Measured unless others are asked for."""

    @property
    def name(self) -> str:
        """What it is called in tables: engine and precision."""
        return f"{self.engine} {self.dtype}"

    @property
    def slow(self) -> bool:
        """Whether a part of the rows has to do for it."""
        return self.engine == "transformers"


def arms(device: str, beam: int, cores: int) -> list[Arm]:
    """All that can be compared on a device, with `cores` processor cores: a batch on each, or all on one batch.

    The former comes first: where other work keeps a core busy, threads that wait for one another can be so slow that
    the rest of their settings need not be tried.
    """
    on_cpu = device == "cpu"
    own = (ArmSettings(cores, 1, "own"),) if on_cpu else (ArmSettings(1, cores, "own"),)
    layouts = tuple(dict.fromkeys([(cores, 1), (1, cores)]))
    peer = _ctranslate2_cpu(beam, layouts) if on_cpu else _ctranslate2_cuda(beam, cores)
    if on_cpu:
        return [
            Arm("mekong", "int8", own),
            Arm("mekong", "bfloat16", own, default=False),
            Arm("mekong", "float32", own, default=False),
            Arm("ctranslate2", "int8", peer),
            Arm("ctranslate2", "float32", peer, default=False),
            Arm("transformers", "bfloat16", tuple(ArmSettings(*threads, "tokens", 1024) for threads in layouts)),
            Arm("transformers", "float32", tuple(ArmSettings(*threads, "unsorted", 32) for threads in layouts)),
        ]
    return [
        Arm("mekong", "bfloat16", own),
        *(Arm("ctranslate2", dtype, peer) for dtype in ("float16", "bfloat16", "int8_float16")),
        Arm("transformers", "bfloat16", tuple(ArmSettings(1, cores, "tokens", size) for size in (4096, 16384))),
    ]


def _ctranslate2_cpu(beam: int, layouts: tuple[tuple[int, int], ...]) -> tuple[ArmSettings, ...]:
    """Sizes either side of where it was seen to be fastest."""
    batches: list[tuple[Unit, int]] = [("tokens", size) for size in (1024, 2048, 4096)]
    batches += [("examples", size) for size in (32, 64)]
    if beam > 1:
        batches = [("one length", size) for size in (8, 16, 32, 64)]
    return tuple(ArmSettings(*threads, *batch) for threads, batch in product(layouts, batches))


def _ctranslate2_cuda(beam: int, cores: int) -> tuple[ArmSettings, ...]:
    """Rows of one length too where greedy search could do without: they need no callback into Python each token."""
    batches: list[tuple[Unit, int]] = [("one length", size) for size in (64, 256, 512)]
    if beam == 1:
        batches += [("tokens", size) for size in (4096, 8192, 16384, 32768)]
    return tuple(ArmSettings(1, cores, *batch) for batch in batches)


def choose(known: list[Arm], names: list[str]) -> list[Arm]:
    """The arms of those names, in their own order; the default ones when none is named.

    Raises UsageError naming all there are.
    """
    if not names:
        return [arm for arm in known if arm.default]
    unknown = [name for name in names if name not in {arm.name for arm in known}]
    if unknown:
        raise UsageError(
            f"there is no engine {unknown[0]!r} to measure on this device",
            f"Take some of: {', '.join(arm.name for arm in known)}.",
        )
    return [arm for arm in known if arm.name in names]
