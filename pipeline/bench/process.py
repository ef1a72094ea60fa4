"""The parent's end of a benchmark's child process."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from typing import Any

from pipeline.engines.child import STDERR_TAIL, raise_told
from pipeline.errors import EngineError


class Process:
    """A child that answers one question at a time; a context manager that ends it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.bench.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )

    def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """The answer to a verb of `child.Child`.

        Raises the error that the child answers with, EngineError when it dies.
        """
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps({"do": verb} | arguments) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise EngineError(
                f"the process of {self.name} ended with code {self._process.wait()}: {self._last_words()}",
                "If the memory was short, use a smaller --shape or fewer --engines.",
            )
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise_told(answer["error"])
        return answer

    def _last_words(self) -> str:
        self._log.seek(0, 2)
        self._log.seek(max(0, self._log.tell() - STDERR_TAIL))
        return self._log.read().decode("utf-8", "replace").strip() or "it said nothing"

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        """End the child at once: it holds nothing that must be kept."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # what was not sent is not missed
            self._process.communicate()
        self._log.close()
