"""A GPU that is none: what is decided for one is decided, the numbers lie in ordinary memory, and a ledger says what
would be free."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
import torch

from pipeline.engines import devices
from pipeline.engines.gpu import Gpu
from pipeline.engines.mekong.cuda.model import PaddedDecoder, PaddedModel

WEIGHTS = 1 << 20
"""Bytes that a model is said to take."""


class FakeRecorder:
    """Replays by calling. `failures`: by number of the recording (from 1), what it raises and what that came from."""

    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu
        self.forks = self.joins = 0

    def fork(self) -> None:
        self.forks += 1

    def aside(self) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext()

    def join(self) -> None:
        self.joins += 1

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        self._gpu.recordings += 1
        failure, cause = self._gpu.failures.get(self._gpu.recordings, (None, None))
        if failure is not None:
            try:
                if cause is not None:
                    raise cause
            finally:  # as CUDA does when a recording is ended that an error came into
                raise failure
        return function


@dataclass(eq=False)
class FakeGpu(Gpu):
    """`whole` bytes, of which slots take what their caches do. `lost`: a token that ends the device."""

    name: str = "cuda:0"
    whole: int = 1 << 30
    has_bfloat16: bool = True
    failures: dict[int, tuple[Exception, Exception | None]] = field(default_factory=dict)
    lost: int | None = None
    made: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Slots, beams, source and target positions of all slots so far."""
    recordings: int = 0
    recorders: list[FakeRecorder] = field(default_factory=list)
    users: list[int] = field(default_factory=list)
    """The threads that have made it their current device."""

    title = "a fake GPU"

    def __post_init__(self) -> None:
        self.where = torch.device("cpu")
        self.models: weakref.WeakSet[PaddedModel] = weakref.WeakSet()
        self._decoders: weakref.WeakSet[PaddedDecoder] = weakref.WeakSet()
        self._reserved = 0

    @property
    def live(self) -> int:
        """Bytes that somebody holds."""
        caches = sum(decoder.own.nbytes + decoder.source.nbytes for decoder in self._decoders)
        return caches + WEIGHTS * len(self.models)

    def use(self) -> None:
        self.users.append(threading.get_ident())

    def memory(self) -> tuple[int, int]:
        """What was let go is not free before it is given back."""
        self._reserved = max(self._reserved, self.live)
        return self.whole - self._reserved, self.whole

    def give_back(self) -> None:
        gc.collect()
        self._reserved = self.live

    def recorder(self) -> FakeRecorder:
        self.recorders.append(FakeRecorder(self))
        return self.recorders[-1]

    def install(self, patch: pytest.MonkeyPatch) -> FakeGpu:
        """Be all GPUs there are, and the only one."""
        make, load, encode = PaddedDecoder.__init__, PaddedModel.__init__, PaddedModel.encode

        def counted(
            decoder: PaddedDecoder, model: PaddedModel, slots: int, beams: int, source: int, target: int
        ) -> None:
            self.made.append((slots, beams, source, target))
            make(decoder, model, slots, beams, source, target)
            self._decoders.add(decoder)
            if self.live > self.whole:
                raise torch.OutOfMemoryError("CUDA out of memory: the ledger is full")
            self._reserved = max(self._reserved, self.live)

        def loaded(model: PaddedModel, *arguments: object) -> None:
            load(model, *arguments)  # type: ignore[arg-type]
            self.models.add(model)

        def encoded(model: PaddedModel, rows: Sequence[Sequence[int]]) -> object:
            if any(self.lost in row for row in rows):
                raise torch.AcceleratorError("CUDA error: device-side assert triggered\nCompile with this and that.")
            return encode(model, rows)

        patch.setattr(PaddedDecoder, "__init__", counted)
        patch.setattr(PaddedModel, "__init__", loaded)
        patch.setattr(PaddedModel, "encode", encoded)
        patch.setattr(devices, "gpu", lambda name: self)
        patch.setattr(devices, "gpus", lambda: 1)
        return self
