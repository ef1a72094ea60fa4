"""Decoder-only models through transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessor

from pipeline.engines.base import Output
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
    """Greedy `generate` on left-padded batches."""

    def __init__(self, folder: Path, device: str, dtype: str, end_tokens: Sequence[str]) -> None:
        self.device = device
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.ends = [tokenizer.convert_tokens_to_ids(token) for token in end_tokens]
        self.pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self.ends[0]
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), use_safetensors=True, local_files_only=True
        )
        self.model = model.to(device).eval()
        name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
        self.about = {"engine": f"transformers {transformers.__version__}", "device": name, "dtype": dtype}

    def generate(self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int]) -> list[Output]:
        """One greedy continuation a row; on a device out of memory the batch is halved, down to one row."""
        return within_memory(self._generate, rows, max_new_tokens)

    def _generate(self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int]) -> list[Output]:
        longest = max(map(len, rows))
        ids = torch.tensor([[self.pad] * (longest - len(row)) + list(row) for row in rows], device=self.device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=self.device)
        score = GreedyScore()
        with torch.inference_mode():
            out = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=False,
                num_beams=1,
                max_new_tokens=max(max_new_tokens),
                eos_token_id=self.ends,
                pad_token_id=self.pad,
                logits_processor=[score],
            )
        steps = torch.stack(score.steps, dim=1).tolist()
        return [self._output(row, logs) for row, logs in zip(out[:, longest:].tolist(), steps, strict=True)]

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
        if self.device == "cuda":
            torch.cuda.empty_cache()
