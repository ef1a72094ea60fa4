"""The child process of `pipeline.engines.ct2.causal`: JSON lines in, JSON lines out.

CTranslate2 and torch each bring an OpenMP runtime, and the two slow each other down in one process. A batch is
{"rows": [[token id]], "max_new_tokens": n, "careful": whether no 4 tokens may come twice}.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.engines.batching import shared_start
from pipeline.engines.child import serve


class CausalWorker:
    """A loaded model that answers batches."""

    def __init__(self, folder: str, device: str, compute_type: str, threads: int, end_tokens: list[str]) -> None:
        import ctranslate2

        self.generator = ctranslate2.Generator(
            folder, device=device, compute_type=compute_type, inter_threads=1, intra_threads=threads
        )
        self.vocabulary: list[str] = json.loads((Path(folder) / "vocabulary.json").read_text("utf-8"))
        self.end_tokens = end_tokens
        self.version = ctranslate2.__version__

    def answer(self, rows: list[list[int]], max_new_tokens: int, careful: bool) -> list[dict[str, Any]]:
        """Greedy continuation of each row as {"tokens", "logprob", "ended"}; the start that all share is run once."""
        same = shared_start(rows)
        results = self.generator.generate_batch(
            [self._names(row[same:]) for row in rows],
            static_prompt=self._names(rows[0][:same]) if same else None,
            max_batch_size=0,
            max_length=max_new_tokens,
            end_token=self.end_tokens,
            sampling_topk=1,
            no_repeat_ngram_size=4 if careful else 0,
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


if __name__ == "__main__":
    serve(CausalWorker)
