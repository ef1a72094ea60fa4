"""From a registry entry and settings to a `Translator` on a device."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.config import TranslateSettings
from pipeline.engines.base import Codec, Engine, Translator
from pipeline.errors import ModelError, UsageError
from pipeline.models import Entry, fingerprint, locate
from pipeline.store import digest

CT2_FOLDER = "ctranslate2-int8"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which engine runs a model, where, and in what precision: known before anything is loaded."""

    engine: str
    device: str
    dtype: str
    threads: int

    def __str__(self) -> str:
        where = f"{self.device}, {self.threads} threads" if self.device == "cpu" else self.device
        return f"{self.engine} on {where}, {self.dtype}"


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0))


def choose(entry: Entry, settings: TranslateSettings) -> Plan:
    """Settle every `auto`.

    Raises UsageError when what was asked for is not there: it never falls back on its own.
    """
    device = _device(settings.device)
    engine = settings.engine if settings.engine != "auto" else entry.engine[device]
    if engine == "ctranslate2" and importlib.util.find_spec("ctranslate2") is None:
        raise UsageError(
            f"{entry.name} runs on CTranslate2 here, which is not installed",
            "pip install 'mekong-mt[embedded]', or --set translate.engine=transformers",
        )
    if engine == "ctranslate2" and (entry.family != "chat" or device != "cpu"):
        raise UsageError(
            f"CTranslate2 is not available for {entry.name} ({entry.family}) on {device}",
            "Use --set translate.engine=transformers",
        )
    dtype = settings.dtype
    if dtype == "auto":
        dtype = "int8" if engine == "ctranslate2" else "bfloat16" if device == "cuda" else "float32"
    if (dtype == "int8") != (engine == "ctranslate2"):
        raise UsageError(
            f"{engine} cannot run in {dtype}",
            "int8 is for ctranslate2; float32, bfloat16 and float16 are for transformers.",
        )
    return Plan(engine, device, dtype, settings.threads or cores())


def _device(wanted: str) -> Literal["cpu", "cuda"]:
    import torch

    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise UsageError("translate.device is cuda, but torch sees no usable GPU", "Run `mekong doctor`.")
    return "cuda" if there and wanted != "cpu" else "cpu"


def identity(entry: Entry, settings: TranslateSettings) -> str:
    """Hash of everything about the model that can change an output; part of every shard's key."""
    plan = choose(entry, settings)
    return digest(fingerprint(entry), entry.prompt, entry.generation, plan.engine, plan.device, plan.dtype)


def load(entry: Entry, settings: TranslateSettings) -> Translator:
    """Load tokenizer and weights.

    Raises ModelMissing when the model is not in the store, ModelError when it does not load, UsageError as `choose`.
    """
    plan = choose(entry, settings)
    folder = locate(entry)
    if plan.device == "cpu":
        import torch

        torch.set_num_threads(plan.threads)
    if entry.family == "chat":
        codec, engine = _load_chat(entry, folder, plan)
    else:
        from pipeline.engines.seq2seq import load_seq2seq

        codec, engine = load_seq2seq(folder, entry, plan.device, plan.dtype, settings.num_beams)
    return Translator(
        name=entry.name,
        fingerprint=identity(entry, settings),
        codec=codec,
        engine=engine,
        max_source_tokens=entry.max_source_tokens,
        new_tokens=(entry.generation.max_new_factor, entry.generation.max_new_extra),
    )


def _load_chat(entry: Entry, folder: Path, plan: Plan) -> tuple[Codec, Engine]:
    from transformers import AutoTokenizer

    from pipeline.engines.chat import ChatCodec

    if entry.prompt is None:
        raise ModelError(f"the registry entry {entry.name} is a chat model without a prompt", "Add `prompt` to it.")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    codec = ChatCodec(tokenizer, entry.prompt.system, entry.prompt.user)
    ends = list(entry.prompt.end_tokens)
    if plan.engine == "ctranslate2":
        from pipeline.engines.ct2 import CTranslate2Engine

        return codec, CTranslate2Engine(folder / CT2_FOLDER, plan.device, plan.dtype, plan.threads, ends)
    from pipeline.engines.causal import CausalEngine

    return codec, CausalEngine(folder, plan.device, plan.dtype, ends)
