"""CTranslate2 as an engine for decoder-only models, in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.engines.base import Output
from pipeline.engines.child import Child, python


class CTranslate2Engine(Child):
    """Greedy generation with a decoder-only model that was converted to `folder`."""

    def __init__(self, folder: Path, device: str, compute_type: str, threads: int, end_tokens: Sequence[str]) -> None:
        super().__init__(
            python("pipeline.engines.ct2.causal_worker"),
            {
                "folder": str(folder),
                "device": device,
                "compute_type": compute_type,
                "threads": threads,
                "end_tokens": list(end_tokens),
            },
        )
        self.about = {
            "engine": f"ctranslate2 {self.version}",
            "device": device,
            "dtype": compute_type,
            "threads": str(threads),
        }

    batch_rows = 32

    def generate(
        self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int], *, careful: bool = False
    ) -> list[Output]:
        """One greedy continuation a row; the bound of a batch is that of its longest row. `careful` repeats no 4
        tokens."""
        if not rows:
            return []
        question = {"rows": [list(row) for row in rows], "max_new_tokens": max(max_new_tokens), "careful": careful}
        answers = self._ask(question)
        return [Output(tuple(a["tokens"]), a["logprob"], a["ended"]) for a in answers]
