"""Forced decoding: how likely a language model finds texts that are there already.

Each token of either side of a pair is given a probability after those before it, once with the other side in front and
once without. What the first exceeds the second by is what the other side tells of the token (pointwise mutual
information, in nats). Compare dual conditional cross-entropy (Junczys-Dowmunt 2018, W18-6478), which judges whole
sentences by such models in both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.engines.forced.token_tree import TokenTree, plan_trees
from pipeline.errors import EngineError
from pipeline.text.languages import language

LogProbabilities = NDArray[np.float32]

BATCH_TOKENS = {"cpu": 512, "cuda": 4096}
"""Tokens of a batch, those that several texts begin with counted once: enough for the matrix products to run at full
speed, few enough for the attention of all to all, of which most is masked, to cost little."""
LOGIT_ROWS = 512
"""Positions whose logits are held at once; a vocabulary has some 150,000 of them each."""
SUM_ROWS = {"cpu": 32, "cuda": 512}
"""Of these, those that are summed at once, in float32: on a processor in memory that is used again."""
MAX_TOKENS = 4096
"""A longer pair is not read."""
BOTH_ORDERS = frozenset(["th"])
"""Languages whose pairs are also read with the English first, which costs half as much again: that a Thai source was
cut off shows in nothing else, while Vietnamese has capitals and final marks."""


class Sides(NamedTuple):
    """One pair of texts, and the language of the source."""

    source: str
    lang: str
    english: str


class TreeRow(NamedTuple):
    """Tokens, and the places of those whose log-probability is asked for; never the first."""

    tokens: list[int]
    asked: list[int]


class _Side(NamedTuple):
    """Tokens of a label such as `English:`, those of a text with its line end, and where in the text these begin."""

    label: list[int]
    text: list[int]
    starts: NDArray[np.int64]

    @property
    def row(self) -> list[int]:
        return self.label + self.text


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model thinks of a pair: natural log-probabilities of tokens after all before them.

    `given` (n + 1,) are those of the n tokens of the English and of the line end after them, the source being known; a
    final mark and the line end can be one token, which is then the last. `alone` (n + 1,) are the same without a
    source. `starts` (n + 1,) are the places in the English, in characters, where the tokens begin. `source_given` and
    `source_alone` (m + 1,) are those of the source and its line end, with the English before it and without; the former
    is None where the language is not read in both orders.
    """

    given: LogProbabilities
    alone: LogProbabilities
    starts: NDArray[np.int64]
    source_given: LogProbabilities | None
    source_alone: LogProbabilities


class ForcedDecoder:
    """A decoder-only model that reads pairs as `LANGUAGE: SOURCE`, line end, `English: ENGLISH`, line end, and in
    some languages in the other order too."""

    def __init__(self, folder: Path, name: str, device: Literal["cpu", "cuda"], dtype: str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.name = name
        self.device = device
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), use_safetensors=True, local_files_only=True, attn_implementation="sdpa"
        )
        self.model = model.to(device).eval()

    def read(self, pairs: Sequence[Sides]) -> list[Reading | None]:
        """A reading of each pair; None for one of more than MAX_TOKENS tokens.

        Raises EngineError where a log-probability is no number, or one pair alone needs more memory than there is.
        """
        sides = [(self._side(language(x.lang).name, x.source), self._side("English", x.english)) for x in pairs]
        short = [i for i, (source, english) in enumerate(sides) if len(source.row) + len(english.row) <= MAX_TOKENS]
        both = [pairs[i].lang in BOTH_ORDERS for i in short]
        rows = [_row(*sides[i]) for i in short]
        rows += [_row(*reversed(sides[i])) if both[at] else _row(sides[i][1]) for at, i in enumerate(short)]
        found = self._log_probabilities(rows)
        readings: list[Reading | None] = [None] * len(pairs)
        for at, i in enumerate(short):
            source, english = sides[i]
            forth, back = found[at], found[len(short) + at]
            m, n = len(source.text), len(english.text)
            readings[i] = Reading(forth[m:], back[:n], english.starts, back[n:] if both[at] else None, forth[:m])
        return readings

    def _side(self, language: str, text: str) -> _Side:
        label, _ = self._tokens(f"{language}:")
        tokens, starts = self._tokens(f" {_line(text)}\n")
        # A token begins with the space before its word, and the first of all with one that is not in the text.
        return _Side(label, tokens, np.maximum(0, starts - 1))

    def _tokens(self, text: str) -> tuple[list[int], NDArray[np.int64]]:
        """Token ids, and where in the text they begin. Words such as <|im_end|> in a news text are words."""
        found = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True)
        return list(found["input_ids"]), np.array([start for start, _ in found["offset_mapping"]], np.int64)

    def _log_probabilities(self, rows: Sequence[TreeRow]) -> list[LogProbabilities]:
        """Of what each row asks for; what several begin with is computed once, if they fall into one batch."""
        found: list[LogProbabilities] = [np.empty(0, np.float32)] * len(rows)
        for batch in plan_trees([row.tokens for row in rows], BATCH_TOKENS[self.device]):
            for i, values in zip(batch, self._within_memory([rows[i] for i in batch]), strict=True):
                found[i] = values
        if not all(np.isfinite(values).all() for values in found):
            raise EngineError(
                f"{self.name} gives log-probabilities that are no numbers", "Try --set translate.device=cpu"
            )
        return found

    def _within_memory(self, rows: Sequence[TreeRow]) -> list[LogProbabilities]:
        """Out of memory, the batch is halved."""
        try:
            return self._forward(rows)
        except torch.OutOfMemoryError as error:
            if len(rows) == 1:
                raise EngineError(
                    f"{self.name} does not fit in memory with a pair of {len(rows[0].tokens)} tokens",
                    "Use --set translate.device=cpu",
                ) from error
        # Outside the handler, which would keep the tensors of the failed attempt alive.
        torch.cuda.empty_cache()
        half = len(rows) // 2
        return self._within_memory(rows[:half]) + self._within_memory(rows[half:])

    @torch.inference_mode()
    def _forward(self, rows: Sequence[TreeRow]) -> list[LogProbabilities]:
        tree = TokenTree([row.tokens for row in rows])
        ids, positions = torch.tensor([tree.tokens, tree.depths], device=self.device)
        mask = torch.tensor(tree.sees, device=self.device)
        hidden = self.model.model(
            ids[None], attention_mask=mask[None, None], position_ids=positions[None], use_cache=False
        ).last_hidden_state[0]
        # Of each node that is asked for, once, after the node before it in any of its rows.
        before = {path[at]: path[at - 1] for row, path in zip(rows, tree.paths, strict=True) for at in row.asked}
        nodes = torch.tensor(list(before), device=self.device)
        states, tokens = hidden[list(before.values())], ids[nodes]
        parts = []
        for at in range(0, len(states), LOGIT_ROWS):
            logits = self.model.lm_head(states[at : at + LOGIT_ROWS])
            taken = logits.gather(1, tokens[at : at + LOGIT_ROWS, None])[:, 0].float()
            parts.append(
                taken - torch.cat([some.float().logsumexp(-1) for some in logits.split(SUM_ROWS[self.device])])
            )
        values = np.zeros(len(tree.tokens), np.float32)
        values[nodes.cpu().numpy()] = torch.cat(parts).cpu().numpy()
        return [values[[path[at] for at in row.asked]] for row, path in zip(rows, tree.paths, strict=True)]


def _row(*sides: _Side) -> TreeRow:
    """One text after the other, each after its label, and all of them asked for."""
    tokens: list[int] = []
    asked: list[int] = []
    for side in sides:
        tokens += side.row
        asked += range(len(tokens) - len(side.text), len(tokens))
    return TreeRow(tokens, asked)


def _line(text: str) -> str:
    """Line breaks, which would end the text, as spaces."""
    return " ".join(text.split())
