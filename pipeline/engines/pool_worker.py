"""The child process of `pipeline.engines.pool`: the engine on one device, JSON lines in, JSON lines out.

{"ask": "load"} is answered with {"about", "batch_rows"}, {"ask": "generate", "rows": [[token id]], "max_new_tokens":
[n], "min_new_tokens": [n] or null, "careful"} with {"outputs": [the fields of an Output]}. An error that mekong raises
on purpose is the answer {"error": {"kind", "problem", "remedy"}}; any other one ends the process, and with it a device
whose state nobody knows.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.engines import devices
from pipeline.engines.child import serve, told
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError, MekongError


class PoolWorker:
    """An engine that is loaded when the first question asks for it: so its errors can be answers too."""

    version = "mekong"

    def __init__(
        self,
        folder: str,
        search: dict[str, Any],
        device: str,
        dtype: str,
        threads: int,
        shortlist: list[int] | None,
    ) -> None:
        self.folder = Path(folder)
        self.search = Search(**search)
        self.device = device
        self.dtype = dtype
        self.threads = threads
        self.shortlist = shortlist

    def answer(self, ask: str, **question: Any) -> dict[str, Any]:
        """What is sent back for one question."""
        try:
            return self.load() if ask == "load" else self.generate(**question)
        except MekongError as error:
            return {"error": told(error)}

    def load(self) -> dict[str, Any]:
        """Load the engine.

        Raises EngineError when the device is not there, and what the engine raises.
        """
        from pipeline.engines.mekong.engine import MekongEngine

        if self.device.startswith("cuda"):
            self._check_gpu()
        self.engine = MekongEngine(self.folder, self.search, self.device, self.dtype, 1, self.threads, self.shortlist)
        return {"about": self.engine.about, "batch_rows": self.engine.batch_rows}

    def generate(self, rows: list[list[int]], max_new_tokens: list[int], **options: Any) -> dict[str, Any]:
        """The engine's outputs for a chunk; `options` are those of its `generate`.

        Raises what the engine raises.
        """
        return {"outputs": [asdict(output) for output in self.engine.generate(rows, max_new_tokens, **options)]}

    def _check_gpu(self) -> None:
        """Raise EngineError when the device is not there."""
        there = devices.gpus()
        if int(self.device.partition(":")[2] or 0) >= there:
            raise EngineError(
                f"{self.device} cannot be used: {there} GPUs are there", "`mekong doctor` lists the devices."
            )


if __name__ == "__main__":
    serve(PoolWorker)
