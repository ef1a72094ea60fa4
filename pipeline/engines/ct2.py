"""CTranslate2 as an engine, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.engines.base import Output
from pipeline.errors import EngineError

STDERR_TAIL = 2000


class CTranslate2Engine:
    """Greedy generation with a decoder-only model that was converted to `folder`.

    The child process reads batches from a pipe and ends when the pipe closes; the kernel ends it when we die.
    """

    def __init__(self, folder: Path, device: str, compute_type: str, threads: int, end_tokens: Sequence[str]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        # A session of its own: Ctrl-C in a terminal must not end the batch in hand.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.engines.ct2_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
        hello = self._ask(
            {
                "folder": str(folder),
                "device": device,
                "compute_type": compute_type,
                "threads": threads,
                "end_tokens": list(end_tokens),
            }
        )
        self.about = {
            "engine": f"ctranslate2 {hello['version']}",
            "device": device,
            "dtype": compute_type,
            "threads": str(threads),
        }

    def generate(self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int]) -> list[Output]:
        """One greedy continuation a row; the bound of a batch is that of its longest row."""
        if not rows:
            return []
        answers = self._ask({"rows": [list(row) for row in rows], "max_new_tokens": max(max_new_tokens)})
        return [Output(tuple(a["tokens"]), a["logprob"], a["ended"]) for a in answers]

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise EngineError(
                f"the CTranslate2 process ended with code {self._process.wait()}: {self._last_words()}",
                "Run `mekong doctor`; if the memory was short, set translate.batch_rows lower. What is done is kept.",
            )
        return json.loads(line)

    def _last_words(self) -> str:
        self._log.seek(0, 2)
        self._log.seek(max(0, self._log.tell() - STDERR_TAIL))
        return self._log.read().decode("utf-8", "replace").strip() or "it said nothing"

    def close(self) -> None:
        """End the child process."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):  # the process is gone, and with it what was not sent
                self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
