"""Encoder-decoder translation models through transformers: Marian, M2M100, NLLB, mBART-50, T5 (MADLAD-400).

Inputs are put together here from pieces and language codes rather than by the tokenizer's `src_lang` state, whose
layout differs between releases and which turns an unknown code into `<unk>` without a word.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig, StoppingCriteria

from pipeline.engines.base import Codec, Engine, Output, Request
from pipeline.engines.causal import GreedyScore
from pipeline.engines.memory import within_memory
from pipeline.errors import EngineError, ModelError, ModelRefused, UsageError
from pipeline.models import Entry, offline

LOGIT_VALUES = 1 << 26
"""Logits held at a time when finished hypotheses are scored: 256 MB in float32."""


class Seq2SeqCodec:
    """Tokenizer and language codes of one model.

    Layouts: `pieces </s>` (Marian), `code pieces </s>` (M2M100, NLLB, mBART-50), `<2en> pieces </s>` (T5).
    """

    takes_hints = False

    def __init__(self, folder: Path, entry: Entry) -> None:
        with warnings.catch_warnings():
            # Marian's tokenizer recommends a package for a method that nobody calls.
            warnings.filterwarnings("ignore", message=".*sacremoses")
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        self.name = entry.name
        self.limit = entry.max_source_tokens
        self.size = int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"])
        # transformers 5 builds a tokenizer of a handful of tokens, silently, from files that it does not understand.
        if len(self.tokenizer) < self.size / 2:
            raise ModelError(
                f"the tokenizer of {entry.name} has {len(self.tokenizer)} tokens, its model {self.size}",
                f"Delete {folder}, then mekong models add {entry.name}",
            )
        self.codes = {lang: self._code(code) for lang, code in entry.languages.items()}
        self.target = self._code(entry.target)
        # T5 has learnt to read the wish for English in the text itself.
        self.before = self.tokenizer.encode(entry.target, add_special_tokens=False) if entry.family == "t5" else []
        control = {*self.tokenizer.all_special_ids, self.target, *self.codes.values()}
        self.control = control - {self.tokenizer.unk_token_id}

    def _code(self, code: str) -> int | None:
        """The token of a language code, None where the model takes none."""
        number = self.tokenizer.convert_tokens_to_ids(code) if code else None
        if code and (number is None or number == self.tokenizer.unk_token_id):
            raise ModelError(
                f"the tokenizer of {self.name} does not know the language code {code!r}",
                "Correct the registry entry, or get the model again.",
            )
        return number

    def _pieces(self, text: str) -> list[int]:
        """The text's own tokens: a `</s>` spelled out in it must neither end it nor count as one."""
        tokens = self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return [token for token in tokens if token not in self.control]

    def encode(self, request: Request) -> list[int]:
        """The model's input, never truncated.

        Raises UsageError for a language the model does not have, EngineError for a text over its limit.
        """
        if request.lang not in self.codes:
            raise UsageError(
                f"{self.name} does not translate from {request.lang!r}",
                f"It knows {', '.join(self.codes)}; `mekong models list` shows the others.",
            )
        pieces = self._pieces(request.text)
        if len(pieces) > self.limit:
            raise EngineError(
                f"a text of {len(pieces)} tokens was given to {self.name}, which takes {self.limit}", "Cut it first."
            )
        code = self.codes[request.lang]
        row = [*self.before, *([] if code is None else [code]), *pieces]
        if max(row, default=0) >= self.size:
            raise ModelError(f"tokenizer and weights of {self.name} do not belong together", "Get the model again.")
        return [*row, self.tokenizer.eos_token_id]

    def count(self, text: str) -> int:
        """Tokens of the text alone."""
        return len(self._pieces(text))

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of generated tokens, without special ones and language codes."""
        kept = [token for token in tokens if token not in self.control]
        return str(self.tokenizer.decode(kept, skip_special_tokens=True)).strip()


class RowBounds(StoppingCriteria):
    """Ends each row, with all its beams, at a length of its own, so that no row depends on its neighbours."""

    def __init__(self, bounds: torch.Tensor) -> None:
        self.bounds = bounds

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Which of the (rows times beams, length) sequences are done."""
        bounds = self.bounds.repeat_interleave(len(input_ids) // len(self.bounds))
        return input_ids.shape[1] >= bounds


@dataclass(frozen=True, slots=True)
class Search:
    """Beam size, length penalty, and the tokens that steer the decoder."""

    num_beams: int
    length_penalty: float
    start: int
    end: int
    pad: int
    forced: int | None
    """Token of the target language, the first to be generated."""

    def config(self, max_new_tokens: int) -> GenerationConfig:
        """The same for transformers; `max_new_tokens` counts the forced token."""
        make: Any = GenerationConfig
        config: GenerationConfig = make(
            do_sample=False,
            num_beams=self.num_beams,
            length_penalty=self.length_penalty if self.num_beams > 1 else None,
            max_new_tokens=max_new_tokens,
            decoder_start_token_id=self.start,
            forced_bos_token_id=self.forced,
            eos_token_id=self.end,
            pad_token_id=self.pad,
            suppress_tokens=[self.pad],
        )
        return config


class HfSeq2Seq:
    """`generate` with greedy or beam search on right-padded batches."""

    def __init__(self, model: Any, search: Search, device: str) -> None:
        self.model = model
        self.search = search
        self.device = device
        # Beyond its table of positions a model fails (on CUDA it takes the device down); the start token is one.
        self.longest = (getattr(model.config, "max_position_embeddings", None) or math.inf) - 1
        name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
        dtype = str(model.dtype).removeprefix("torch.")
        self.about = {"engine": f"transformers {transformers.__version__}", "device": name, "dtype": dtype}

    def generate(self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int]) -> list[Output]:
        """One hypothesis a row; on a device out of memory the batch is halved, down to one row.

        `logprob` is the mean over the generated tokens, end token included, target language apart.
        """
        return within_memory(self._generate, rows, max_new_tokens)

    def _generate(self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int]) -> list[Output]:
        search = self.search
        ids, mask = self._padded(rows)
        first = 1 if search.forced is None else 2
        bounds = [int(min(first + bound, self.longest)) for bound in max_new_tokens]
        greedy = GreedyScore()
        with torch.inference_mode():
            out = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=search.config(max(bounds) - 1),
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
        if self.device == "cuda":
            torch.cuda.empty_cache()


def load_seq2seq(folder: Path, entry: Entry, device: str, dtype: str, num_beams: int) -> tuple[Codec, Engine]:
    """Codec and engine of a model in the store.

    Raises ModelError when tokenizer or weights do not fit the entry, ModelRefused when there are no safetensors,
    UsageError for a precision in which the model is known to fail.
    """
    offline()
    if entry.family == "t5" and dtype == "float16":
        raise UsageError(
            f"{entry.name} overflows in float16 and answers nonsense", "Use --set translate.dtype=bfloat16 or float32"
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelRefused(f"{folder} has no weights in safetensors", f"mekong models add {entry.name}")
    try:
        codec = Seq2SeqCodec(folder, entry)
        model, loading = AutoModelForSeq2SeqLM.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
        raise ModelError(f"{entry.name} does not load: {error}", f"mekong models check {entry.name}") from error
    if loading["missing_keys"]:
        missing = sorted(loading["missing_keys"])
        raise ModelError(f"{entry.name} lacks {len(missing)} weights, {missing[0]} for one", "Get the model again.")
    search = Search(
        num_beams=num_beams,
        length_penalty=entry.generation.length_penalty,
        start=_start(model),
        end=codec.tokenizer.eos_token_id,
        pad=codec.tokenizer.pad_token_id,
        forced=codec.target if entry.family != "t5" else None,
    )
    # What it sets goes into every call that leaves it open: a forced end token would hide that a row was cut.
    empty: Any = GenerationConfig
    model.generation_config = empty()
    return codec, HfSeq2Seq(model.to(device).eval(), search, device)


def _start(model: Any) -> int:
    """The decoder's first token, from the checkpoint's generation settings or its configuration."""
    for stated in (model.generation_config, model.config):
        number = getattr(stated, "decoder_start_token_id", None)
        if number is not None:
            return int(number)
    raise ModelError("the checkpoint does not say with which token its decoder starts", "Get the model again.")
