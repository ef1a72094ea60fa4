"""From a registry entry and settings to a `Translator` on a device."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pipeline.config.settings import TranslateSettings
from pipeline.engines import devices
from pipeline.engines.base import Codec, Engine, Translator
from pipeline.engines.convert.apart import CT2_FOLDER
from pipeline.engines.devices import cores, find_device
from pipeline.engines.weights import loading
from pipeline.errors import ModelError, UsageError
from pipeline.files.store import digest
from pipeline.registry.models import Entry, fingerprint, locate

DTYPES = {
    ("mekong", "cpu"): ("int8", "bfloat16", "float32"),
    ("mekong", "cuda"): ("bfloat16", "float16", "float32"),
    ("reference", "cpu"): ("float32",),
    ("reference", "cuda"): ("float32",),
    ("transformers", "cpu"): ("float32", "bfloat16", "float16"),
    ("transformers", "cuda"): ("bfloat16", "float16", "float32"),
    ("ctranslate2", "cpu"): ("int8",),
    ("ctranslate2", "cuda"): ("float16", "bfloat16", "int8"),
}
"""Precisions of each engine on each device; `auto` is the first that the device has instructions for, and that the
model can do with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which engine runs a model, where, and in what precision: known before anything is loaded."""

    engine: str
    device: str
    dtype: str
    workers: int
    """Decoders side by side, each in a process of its own; on CUDA one a GPU."""
    threads: int
    """CPU threads of each."""

    def __str__(self) -> str:
        return f"{self.engine} on {self._where()}, {self.dtype}"

    def _where(self) -> str:
        if self.device == "cuda":
            return "cuda" if self.workers == 1 else f"{self.workers} GPUs"
        if self.engine == "mekong":
            return f"cpu, {self.workers} workers x {self.threads} threads"
        return f"cpu, {self.threads} threads"


def choose(entry: Entry, settings: TranslateSettings) -> Plan:
    """Settle every `auto`.

    Raises UsageError when what was asked for is not there: it never falls back on its own.
    """
    device = find_device(settings.device)
    engine = settings.engine if settings.engine != "auto" else entry.backend(device)
    _check_engine(entry, engine, device)
    _check_dtype(entry, engine, device, settings.dtype)
    if settings.shortlist and engine != "mekong":
        raise UsageError(f"{engine} knows no shortlist", "Leave translate.shortlist out, or take the engine mekong.")
    workers, threads = _side_by_side(engine, device, settings)
    dtype = settings.dtype if settings.dtype != "auto" else _best_dtype(entry, engine, device, workers)
    return Plan(engine, device, dtype, workers, threads)


def _check_engine(entry: Entry, engine: str, device: str) -> None:
    if engine == "ctranslate2" and importlib.util.find_spec("ctranslate2") is None:
        raise UsageError(
            f"{entry.name} runs on CTranslate2 here, which is not installed",
            "pip install 'mekong-mt[embedded]', or --set translate.engine=transformers",
        )
    chat = entry.family == "chat"
    if chat and engine == "mekong":
        raise UsageError(
            f"the engine mekong is for encoder-decoder models, {entry.name} is a chat model",
            "Use --set translate.engine=auto",
        )
    if chat and engine == "ctranslate2" and device != "cpu":
        raise UsageError(
            f"CTranslate2 is not available for {entry.name} ({entry.family}) on {device}",
            "Use --set translate.engine=transformers",
        )


def _check_dtype(entry: Entry, engine: str, device: str, wanted: str) -> None:
    known = DTYPES[engine, device]
    if wanted != "auto" and wanted not in known:
        raise UsageError(f"{engine} cannot run in {wanted} on {device}", f"It can in {', '.join(known)}.")
    if wanted == "float16" and entry.family == "t5":
        raise UsageError(
            f"{entry.name} overflows in float16 and answers nonsense", "Use --set translate.dtype=bfloat16 or float32"
        )


def _best_dtype(entry: Entry, engine: str, device: str, workers: int) -> str:
    if (engine, device) == ("mekong", "cpu"):
        from pipeline.engines.mekong.cpu.matrices import has_bfloat16_products, has_int8_products

        if has_int8_products():
            return "int8"
        return "bfloat16" if has_bfloat16_products() else "float32"
    unfit = {"float16"} if entry.family == "t5" else set()
    if device == "cuda":
        used = [devices.gpu(f"cuda:{number}") for number in range(min(workers, devices.gpus()))]
        unfit |= set() if all(gpu.has_bfloat16 for gpu in used) else {"bfloat16"}
    return next(dtype for dtype in DTYPES[engine, device] if dtype not in unfit)


def _side_by_side(engine: str, device: str, settings: TranslateSettings) -> tuple[int, int]:
    """Workers and threads. On the CPU one-threaded workers beat threads that wait for each other."""
    if device == "cuda":
        return (settings.workers or devices.gpus() if engine == "mekong" else 1), settings.threads or 1
    if engine != "mekong":
        return 1, settings.threads or cores()
    threads = settings.threads or max(1, cores() // settings.workers if settings.workers else 1)
    return settings.workers or max(1, cores() // threads), threads


def identity(entry: Entry, settings: TranslateSettings) -> str:
    """Hash of everything about the model that can change an output; part of every shard's key.

    The engine's arithmetic is part of it: a run that goes on elsewhere, or after an update, does not mix outputs.
    """
    plan = choose(entry, settings)
    search = settings.num_beams, settings.shortlist
    return digest(
        fingerprint(entry),
        entry.prompt,
        entry.generation,
        plan.engine,
        plan.device,
        plan.dtype,
        search,
        _versions(plan),
    )


def _versions(plan: Plan) -> tuple[str, ...]:
    """What an engine computes with, down to the last bit as far as that has a name."""
    if plan.engine == "ctranslate2":
        return (version("ctranslate2"),)
    import torch

    if plan.engine != "mekong":
        return (version("transformers"), torch.__version__)
    from pipeline.engines.mekong import VERSION
    from pipeline.engines.mekong.cpu.matrices import weight_limit

    # The same weights, rounded to fewer integers where sums would overflow.
    limit = (f"int8 up to {weight_limit()}",) if plan.dtype == "int8" else ()
    return (f"mekong {VERSION}", torch.__version__, *limit)


def load(entry: Entry, settings: TranslateSettings, say: Callable[[str], None] = lambda _: None) -> Translator:
    """Load tokenizer and weights; `say` is told what takes long.

    Raises ModelMissing when the model is not in the store, ModelError when it does not load, UsageError as `choose`.
    """
    plan = choose(entry, settings)
    folder = locate(entry)
    if plan.device == "cpu" and plan.engine != "mekong":
        import torch

        torch.set_num_threads(plan.threads)
    with loading(entry.name):
        if entry.family == "chat":
            codec, engine = _load_chat(entry, folder, plan)
        else:
            codec, engine = _load_seq2seq(entry, folder, plan, settings, say)
    return Translator(
        name=entry.name,
        fingerprint=identity(entry, settings),
        codec=codec,
        engine=engine,
        max_source_tokens=entry.max_source_tokens,
        new_tokens=(entry.generation.max_new_factor, entry.generation.max_new_extra),
        vietnamese_tones=entry.vietnamese_tones,
        rows_apart=plan.engine == "mekong",
    )


def _load_seq2seq(
    entry: Entry, folder: Path, plan: Plan, settings: TranslateSettings, say: Callable[[str], None]
) -> tuple[Codec, Engine]:
    from pipeline.engines.codecs.seq2seq import load_codec

    codec = load_codec(folder, entry)
    search = codec.search(folder, settings.num_beams, entry.generation.length_penalty)
    if plan.engine == "ctranslate2":
        from pipeline.engines.ct2.seq2seq import convert_now, load_ct2_seq2seq

        convert_now(folder, say)
        return codec, load_ct2_seq2seq(folder, search, plan.device, plan.dtype, plan.threads)
    if plan.engine != "mekong":
        from pipeline.engines.hf.seq2seq import load_reference

        return codec, load_reference(folder, search, plan.device, plan.dtype)
    shortlist = codec.english() if settings.shortlist else None
    if plan.device == "cuda":
        # In a process of its own also where it is the only one: what ends a device must not end the run.
        from pipeline.engines.pool import EnginePool

        gpus = [f"cuda:{number}" for number in range(plan.workers)]
        return codec, EnginePool(folder, search, gpus, plan.dtype, plan.threads, shortlist)
    from pipeline.engines.mekong.engine import MekongEngine

    return codec, MekongEngine(folder, search, plan.device, plan.dtype, plan.workers, plan.threads, shortlist)


def _load_chat(entry: Entry, folder: Path, plan: Plan) -> tuple[Codec, Engine]:
    from transformers import AutoTokenizer

    from pipeline.engines.codecs.chat import ChatCodec

    if entry.prompt is None:
        raise ModelError(f"the registry entry {entry.name} is a chat model without a prompt", "Add `prompt` to it.")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    codec = ChatCodec(tokenizer, entry.prompt.system, entry.prompt.user)
    ends = list(entry.prompt.end_tokens)
    if plan.engine == "ctranslate2":
        from pipeline.engines.ct2.causal import CTranslate2Engine

        return codec, CTranslate2Engine(folder / CT2_FOLDER, plan.device, plan.dtype, plan.threads, ends)
    from pipeline.engines.hf.causal import CausalEngine

    return codec, CausalEngine(folder, plan.device, plan.dtype, ends)
