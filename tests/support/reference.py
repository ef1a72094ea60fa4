"""What transformers makes of the same rows: its own model, its own search, and settings that are written down here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSeq2SeqLM, GenerationConfig

from pipeline.engines.mekong.search import Finished
from pipeline.engines.search_settings import Search


def load_reference(folder: Path) -> Any:
    """The model of a folder, without generation settings of its own."""
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    model.generation_config = GenerationConfig()
    return model


def generate(
    model: Any, search: Search, rows: Sequence[Sequence[int]], bound: int, minimum: int = 0, batch: int = 64
) -> list[Finished]:
    """The best hypothesis of every row, `batch` padded rows at a time; scores as transformers has them, in greedy
    search the mean log-probability of the tokens and the end."""
    found: list[Finished] = []
    for at in range(0, len(rows), batch):
        found += _generate(model, search, rows[at : at + batch], bound, minimum)
    return found


def _generate(model: Any, search: Search, rows: Sequence[Sequence[int]], bound: int, minimum: int) -> list[Finished]:
    longest, forced = max(map(len, rows)), len(search.prefix) - 1
    config = GenerationConfig(
        do_sample=False,
        num_beams=search.num_beams,
        length_penalty=search.length_penalty if search.num_beams > 1 else None,
        early_stopping=search.early_stopping if search.num_beams > 1 else None,
        max_new_tokens=bound + forced,
        min_new_tokens=minimum + forced if minimum else None,
        no_repeat_ngram_size=search.no_repeat_ngram_size or None,
        decoder_start_token_id=search.start,
        forced_bos_token_id=search.forced,
        eos_token_id=search.end,
        pad_token_id=search.pad,
        suppress_tokens=[search.pad],
        return_dict_in_generate=True,
        output_logits=True,
        output_scores=True,
    )
    with torch.inference_mode():
        made = model.generate(
            input_ids=torch.tensor([[*row, *[search.pad] * (longest - len(row))] for row in rows]),
            attention_mask=torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows]),
            generation_config=config,
        )
    logs = torch.stack(made.logits, dim=1).log_softmax(-1) if search.num_beams == 1 else None
    hypotheses = []
    for number, sequence in enumerate(made.sequences.tolist()):
        tokens = sequence[1 + forced :]
        stopped = search.end in tokens
        tokens = tokens[: tokens.index(search.end) + 1] if stopped else tokens[:bound]
        if logs is None:
            score = float(made.sequences_scores[number])
        else:
            score = sum(float(logs[number, forced + place, token]) for place, token in enumerate(tokens)) / len(tokens)
        hypotheses.append(Finished(tuple(tokens[:-1] if stopped else tokens), 0.0, score, stopped))
    return hypotheses
