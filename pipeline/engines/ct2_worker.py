"""The child process of `pipeline.engines.ct2`: JSON lines in, JSON lines out.

CTranslate2 and torch each bring an OpenMP runtime, and the two slow each other down in one process. The first line
in holds the settings, every further line one batch: {"rows": [[token id]], "max_new_tokens": n}.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
MIN_SHARED = 8
"""A common prompt start of fewer tokens is not worth a cached state."""


def shared_start(rows: list[list[int]]) -> int:
    """How many leading tokens all rows have in common, at least one token a row left over."""
    shortest, longest = min(rows), max(rows)
    limit = min(map(len, rows)) - 1
    same = next((i for i, (a, b) in enumerate(zip(shortest, longest, strict=False)) if a != b), limit)
    return min(same, limit)


class Worker:
    """A loaded model that answers batches."""

    def __init__(self, folder: str, device: str, compute_type: str, threads: int, end_tokens: list[str]) -> None:
        import ctranslate2

        self.generator = ctranslate2.Generator(
            folder, device=device, compute_type=compute_type, inter_threads=1, intra_threads=threads
        )
        self.vocabulary: list[str] = json.loads((Path(folder) / "vocabulary.json").read_text("utf-8"))
        self.end_tokens = end_tokens
        self.version = ctranslate2.__version__

    def answer(self, rows: list[list[int]], max_new_tokens: int) -> list[dict[str, Any]]:
        """Greedy continuation of each row as {"tokens", "logprob", "ended"}; the start that all share is run once."""
        same = shared_start(rows) if len(rows) > 1 else 0
        same = same if same >= MIN_SHARED else 0
        results = self.generator.generate_batch(
            [self._names(row[same:]) for row in rows],
            static_prompt=self._names(rows[0][:same]) if same else None,
            max_batch_size=0,
            max_length=max_new_tokens,
            end_token=self.end_tokens,
            sampling_topk=1,
            include_prompt_in_result=False,
            return_scores=True,
        )
        answers = []
        for result in results:
            tokens = result.sequences_ids[0]
            ended = "length" if len(tokens) >= max_new_tokens else "stop"
            # The score is the mean over the generated tokens, the end token counted.
            answers.append({"tokens": tokens, "logprob": result.scores[0], "ended": ended})
        return answers

    def _names(self, ids: list[int]) -> list[str]:
        return [self.vocabulary[i] for i in ids]


def end_with_parent() -> None:
    """Have the kernel end this process when its parent dies, even in the middle of a batch (prctl(2), Linux)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Serve batches until standard input ends."""
    end_with_parent()
    # Anything a library prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker(**json.loads(sys.stdin.readline()))
    print(json.dumps({"version": worker.version}), file=answers, flush=True)
    for line in sys.stdin:
        reply = worker.answer(**json.loads(line))
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
