"""The child process of `pipeline.metrics.learned`: JSON lines in, JSON lines out.

It runs as a script in the environment of the learned metrics, which has none of mekong's packages, and imports nothing
of mekong. The first line is {"family", "folder", "threads"} and is answered with {"version"}: the package that scores.
Every further line is {"id", "rows": [{"src", "mt", "ref"}]}, without "ref" where there is no reference, and is answered
with {"id", "scores": [a number a row], "cut": rows that were too long and lost their end}.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import inspect
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

PR_SET_PDEATHSIG = 1
METRICX_TOKENS = 1536
"""Longest input that MetricX-24 was trained with."""
METRICX_ANSWER = 250089
"""The entry of mT5's vocabulary (<extra_id_10>) whose logit is MetricX's score."""
WORST = 25.0

Row = Mapping[str, str]


class CheckpointScorer(Protocol):
    """A loaded model."""

    version: str

    def score(self, rows: Sequence[Row]) -> tuple[list[float], int]:
        """A score for each row, and how many rows lost their end."""


class Comet:
    """COMET, CometKiwi and xCOMET: the classes of unbabel-comet with our copy of the weights.

    The package's own loader reads a pickle and fetches the encoder's configuration from the hub; this one takes
    safetensors and a local folder. Beyond that it does as that one does: the hyperparameters saved with the weights
    hold, and those of the release name the class.
    """

    def __init__(self, folder: Path, device: str) -> None:
        import yaml
        from comet.models import str2model
        from safetensors.torch import load_file

        released = yaml.safe_load((folder / "hparams.yaml").read_text(encoding="utf-8"))
        saved_in = folder / "hyper_parameters.json"
        saved = json.loads(saved_in.read_text(encoding="utf-8")) if saved_in.is_file() else {}
        kind = str2model[released["class_identifier"]]
        settings = {**released, **saved}
        if released.get("layer_transformation") == "sparsemax_patch":
            # Trained when COMET computed softmax whatever was asked for; so does its own loader since 2.2.4.
            settings["layer_transformation"] = "softmax"
        settings |= {
            "pretrained_model": str(folder / "tokenizer"),
            "load_pretrained_weights": False,
            "local_files_only": True,
            "train_data": [],
            "validation_data": [],
        }
        known = inspect.signature(kind.__init__).parameters
        self._model = kind(**{key: value for key, value in settings.items() if key in known})
        absent, _ = self._model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
        # Buffers may be missing: older releases had not those of training.
        missing = sorted({name for name, _ in self._model.named_parameters()}.intersection(absent))
        if missing:
            raise ValueError(f"the checkpoint has no weights for {', '.join(missing[:5])}")
        self._model.to(device).eval()
        self._device = device
        self.version = f"unbabel-comet-{importlib.metadata.version('unbabel-comet')}"

    def score(self, rows: Sequence[Row]) -> tuple[list[float], int]:
        """See CheckpointScorer."""
        import torch

        batch = self._model.prepare_for_inference([dict(row) for row in rows])
        with torch.inference_mode():
            found = self._model.predict_step(_moved(batch, self._device))
        return [float(score) for score in found["scores"]], sum(map(self._too_long, rows))

    def _too_long(self, row: Row) -> bool:
        encoder = self._model.encoder
        texts = list(row.values())
        lengths = [len(ids) for ids in encoder.tokenizer(texts, truncation=False, verbose=False)["input_ids"]]
        together = hasattr(self._model.hparams, "input_segments")  # read as one sequence, else one by one
        return bool((sum(lengths) if together else max(lengths)) > encoder.max_positions - 2)


class MetricX:
    """MetricX-24 (Juraska et al. 2024, aclanthology.org/2024.wmt-1.35): mT5 whose first decoder step is a number.

    Source, hypothesis and reference are one input, without the end token. An error score, 0 to 25.
    """

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import AutoTokenizer, MT5ForConditionalGeneration

        offline: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        self._tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer", **offline)
        loaded: Any = MT5ForConditionalGeneration.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, **offline
        )
        self._model, report = loaded
        if report["missing_keys"]:
            raise ValueError(f"the checkpoint has no weights for {', '.join(sorted(report['missing_keys'])[:5])}")
        self._model.float().to(device).eval()
        self._device = device
        self.version = f"transformers-{importlib.metadata.version('transformers')}"

    def score(self, rows: Sequence[Row]) -> tuple[list[float], int]:
        """See CheckpointScorer."""
        import torch

        texts = [self._text(row) for row in rows]
        whole = self._tokenizer(texts, truncation=False, verbose=False)["input_ids"]
        kept = [ids[:METRICX_TOKENS][:-1] for ids in whole]
        batch = self._tokenizer.pad({"input_ids": kept}, return_tensors="pt").to(self._device)
        begin = torch.zeros((len(rows), 1), dtype=torch.long, device=self._device)
        with torch.inference_mode():
            logits = self._model(**batch, decoder_input_ids=begin).logits
        scores = logits[:, 0, METRICX_ANSWER].float().clamp(0.0, WORST)
        return scores.tolist(), sum(len(ids) > METRICX_TOKENS for ids in whole)

    @staticmethod
    def _text(row: Row) -> str:
        text = f"source: {row['src']} candidate: {row['mt']}"
        return f"{text} reference: {row['ref']}" if "ref" in row else text


def _moved(value: Any, device: str) -> Any:
    """`value` with every tensor in it on a device; COMET's batches are nested dictionaries and tuples."""
    if isinstance(value, Mapping):
        return {key: _moved(one, device) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_moved(one, device) for one in value)
    return value.to(device) if hasattr(value, "to") else value


def load(family: str, folder: str, threads: int) -> CheckpointScorer:
    """The model in a folder, in float32, on a CUDA device where there is one."""
    import torch

    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kinds: dict[str, type[Comet] | type[MetricX]] = {"comet": Comet, "metricx": MetricX}
    return kinds[family](Path(folder), device)


def main() -> None:
    """Load a model from the first line, then answer every further one until the input ends."""
    # The kernel ends this process when its parent dies (prctl(2), Linux).
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # Anything a library prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    scorer = load(**json.loads(sys.stdin.readline()))
    print(json.dumps({"version": scorer.version}), file=answers, flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        scores, cut = scorer.score(question["rows"])
        print(json.dumps({"id": question["id"], "scores": scores, "cut": cut}), file=answers, flush=True)


if __name__ == "__main__":
    main()
