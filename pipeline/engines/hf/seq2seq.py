"""Encoder-decoder models through transformers' `generate`: what the project's own engine is tested against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForSeq2SeqLM, GenerationConfig, StoppingCriteria

from pipeline.engines.base import Output
from pipeline.engines.hf.causal import GreedyScore
from pipeline.engines.hf.placement import PlacedModel, load_placed
from pipeline.engines.memory import within_memory
from pipeline.engines.search_settings import Search

LOGIT_VALUES = 1 << 26
"""Logits held at a time when finished hypotheses are scored: 256 MB in float32."""


class RowBounds(StoppingCriteria):
    """Ends each row, with all its beams, at a length of its own, so that no row depends on its neighbours."""

    def __init__(self, bounds: torch.Tensor) -> None:
        self.bounds = bounds

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Which of the (rows times beams, length) sequences are done."""
        bounds = self.bounds.repeat_interleave(len(input_ids) // len(self.bounds))
        return input_ids.shape[1] >= bounds


def generation_config(search: Search, max_new_tokens: int) -> GenerationConfig:
    """The search for transformers; `max_new_tokens` counts the forced token."""
    make: Any = GenerationConfig
    config: GenerationConfig = make(
        do_sample=False,
        num_beams=search.num_beams,
        length_penalty=search.length_penalty if search.num_beams > 1 else None,
        early_stopping=search.early_stopping if search.num_beams > 1 else None,
        no_repeat_ngram_size=search.no_repeat_ngram_size or None,
        max_new_tokens=max_new_tokens,
        decoder_start_token_id=search.start,
        forced_bos_token_id=search.forced,
        eos_token_id=search.end,
        pad_token_id=search.pad,
        suppress_tokens=[search.pad],
    )
    return config


class HfSeq2Seq:
    """`generate` with greedy or beam search on right-padded batches."""

    batch_rows = 32

    def __init__(self, placed: PlacedModel, search: Search) -> None:
        self._placed = placed
        self.model = placed.model
        self.search = search
        self.device = placed.device
        # Beyond its table of positions a model fails (on CUDA it takes the device down); the start token is one.
        self.longest = (getattr(self.model.config, "max_position_embeddings", None) or math.inf) - 1
        dtype = str(self.model.dtype).removeprefix("torch.")
        name = placed.device_name
        self.about = {"engine": f"transformers {transformers.__version__}", "device": name, "dtype": dtype}

    def generate(
        self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int], *, careful: bool = False
    ) -> list[Output]:
        """One hypothesis a row; on a device out of memory the batch is halved, down to one row.

        `logprob` is the mean over the generated tokens, end token included, target language apart.
        """
        search = self.search.careful() if careful else self.search
        return within_memory(lambda part, bounds: self._generate(search, part, bounds), rows, max_new_tokens)

    def _generate(self, search: Search, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int]) -> list[Output]:
        ids, mask = self._padded(rows)
        first = 1 if search.forced is None else 2
        bounds = [int(min(first + bound, self.longest)) for bound in max_new_tokens]
        greedy = GreedyScore()
        with torch.inference_mode():
            out = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=generation_config(search, max(bounds) - 1),
                logits_processor=[greedy] if search.num_beams == 1 else [],
                stopping_criteria=[RowBounds(torch.tensor(bounds, device=self.device))],
            )
            logs = torch.stack(greedy.steps, dim=1) if search.num_beams == 1 else self._scores(ids, mask, out)
        return [
            self._output(tokens[first:], row[first - 1 :], bound - first)
            for tokens, row, bound in zip(out.tolist(), logs.tolist(), bounds, strict=True)
        ]

    def _padded(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        longest = max(map(len, rows))
        ids = [[*row, *[self.search.pad] * (longest - len(row))] for row in rows]
        mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
        return torch.tensor(ids, device=self.device), torch.tensor(mask, device=self.device)

    def _scores(self, ids: torch.Tensor, mask: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        """Log-probability of each token of `out` after the first, (rows, length - 1).

        Beam search would have to keep the logits of every step to tell; one more pass of the decoder costs less.
        """
        step = max(1, LOGIT_VALUES // (out.shape[1] * self.model.config.vocab_size))
        parts = []
        for row in range(0, len(out), step):
            part = out[row : row + step]
            logits = self.model(
                input_ids=ids[row : row + step], attention_mask=mask[row : row + step], decoder_input_ids=part[:, :-1]
            ).logits.float()
            logits[..., self.search.pad] = -math.inf
            parts.append(logits.log_softmax(-1).gather(-1, part[:, 1:, None]).squeeze(-1))
        return torch.cat(parts)

    def _output(self, tokens: list[int], logs: list[float], bound: int) -> Output:
        """One hypothesis from the tokens after the forced ones, their log-probabilities, and the bound of the row."""
        tokens = tokens[:bound]
        ended = self.search.end in tokens
        length = tokens.index(self.search.end) if ended else len(tokens)
        used = logs[: length + ended]
        mean = sum(used) / len(used) if used else -math.inf
        if not math.isfinite(mean):
            return Output((), None, "failed")
        return Output(tuple(tokens[:length]), mean, "stop" if ended else "length")

    def close(self) -> None:
        """Let go of the weights."""
        del self.model
        self._placed.close()


def load_reference(folder: Path, search: Search, device: str, dtype: str) -> HfSeq2Seq:
    """A model in the store through transformers.

    Raises ModelError when its weights do not load, ModelRefused when there are no safetensors.
    """
    placed = load_placed(AutoModelForSeq2SeqLM, folder, device, dtype)
    # What it sets goes into every call that leaves it open: a forced end token would hide that a row was cut.
    empty: Any = GenerationConfig
    placed.model.generation_config = empty()
    return HfSeq2Seq(placed, search)
