"""Decoder-only models through transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessor

from pipeline.engines.base import Output
from pipeline.engines.batching import shared_start
from pipeline.engines.hf.placement import load_placed
from pipeline.engines.memory import within_memory


class GreedyScore(LogitsProcessor):
    """Records the log-probability of the best next token at each step.

    In greedy search the best token is the one that is taken, so the logits of all steps need not be kept.
    """

    def __init__(self) -> None:
        self.steps: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Leave (rows, vocabulary) `scores` as they are; remember the (rows,) best log-probabilities."""
        wide = scores.float()
        self.steps.append(wide.amax(-1) - wide.logsumexp(-1))
        return scores


class CausalEngine:
    """Greedy `generate` on left-padded batches; what all prompts of a batch begin with is run once.

    A model that is too large for the device is laid out over all that there are, see `pipeline.engines.hf.placement`.
    Raises ModelError when it does not load, ModelRefused when there are no safetensors.
    """

    batch_rows = 32

    def __init__(self, folder: Path, device: str, dtype: str, end_tokens: Sequence[str]) -> None:
        self.device = device
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.ends = [tokenizer.convert_tokens_to_ids(token) for token in end_tokens]
        self.pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self.ends[0]
        self._placed = load_placed(AutoModelForCausalLM, folder, device, dtype)
        self.model = self._placed.model
        name = self._placed.device_name
        self.about = {"engine": f"transformers {transformers.__version__}", "device": name, "dtype": dtype}

    def generate(
        self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int], *, careful: bool = False
    ) -> list[Output]:
        """One greedy continuation a row; on a device out of memory the batch is halved, down to one row. `careful`
        repeats no 4 tokens."""
        return within_memory(lambda part, bounds: self._generate(part, max(bounds), careful), rows, max_new_tokens)

    def _generate(self, rows: Sequence[Sequence[int]], bound: int, careful: bool) -> list[Output]:
        same = shared_start(rows)
        start, rest = list(rows[0][:same]), [list(row[same:]) for row in rows]
        longest = max(map(len, rest))
        # The padding goes between the common start and the rest, where the mask hides it.
        ids = torch.tensor([start + [self.pad] * (longest - len(row)) + row for row in rest], device=self.device)
        mask = torch.tensor(
            [[1] * same + [0] * (longest - len(row)) + [1] * len(row) for row in rest], device=self.device
        )
        score = GreedyScore()
        with torch.inference_mode():
            out = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                past_key_values=self._cached(start, len(rows)),
                do_sample=False,
                num_beams=1,
                max_new_tokens=bound,
                eos_token_id=self.ends,
                pad_token_id=self.pad,
                logits_processor=[score],
                **({"no_repeat_ngram_size": 4} if careful else {}),
            )
        steps = torch.stack(score.steps, dim=1).tolist()
        made = out[:, ids.shape[1] :].tolist()
        return [self._output(row, logs) for row, logs in zip(made, steps, strict=True)]

    def _cached(self, start: list[int], rows: int) -> Any:
        """Keys and values of a common start for a number of rows; None when there is none."""
        if not start:
            return None
        cache = self.model(torch.tensor([start], device=self.device), use_cache=True).past_key_values
        cache.batch_repeat_interleave(rows)
        return cache

    def _output(self, tokens: list[int], logs: list[float]) -> Output:
        end = next((i for i, token in enumerate(tokens) if token in self.ends), None)
        used = logs[: len(tokens) if end is None else end + 1]
        mean = sum(used) / len(used)
        if mean != mean or mean == float("-inf"):
            return Output((), None, "failed")
        return Output(tuple(tokens[:end]), mean, "length" if end is None else "stop")

    def close(self) -> None:
        """Let go of the weights."""
        del self.model
        self._placed.close()
