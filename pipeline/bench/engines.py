"""The engines under test, all behind one interface; each runs in a child process of its own.

None of them is held back for the sake of equal lengths: CTranslate2 gets each row's length through its callback, or in
batches of one length; transformers a stopping criterion a row, and an end token that no model generates, which costs
nothing at each step; the project's own engine a lower and an upper bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from pipeline.bench.arms import ArmSettings
from pipeline.bench.shapes import Shape, load


class MeasuredEngine(Protocol):
    """An engine with a model loaded."""

    def use(self, settings: ArmSettings) -> None:
        """Get ready to work like this; not timed."""

    def feed(self, sources: list[list[int]], lengths: list[int]) -> None:
        """Take the rows that the following runs are about; not timed."""

    def run(self, rows: int) -> tuple[list[int], int | None]:
        """Generate outputs for the first `rows` rows.

        Returns how many tokens each has, end token apart, and how many decoder steps of a row were computed, if the
        engine tells.
        """

    def close(self) -> None:
        """Free the device."""


class MekongEngineArm:
    """The project's own engine."""

    def __init__(self, folder: Path, shape: Shape, device: str, dtype: str, beam: int) -> None:
        from pipeline.engines.search_settings import Search

        self.search = Search(
            num_beams=beam, length_penalty=1.0, start=shape.start, end=shape.end, pad=shape.pad, forced=None
        )
        self.where: dict[str, Any] = {"folder": folder, "device": device, "dtype": dtype}
        self.engine: Any = None

    def use(self, settings: ArmSettings) -> None:
        """See MeasuredEngine."""
        from pipeline.engines.mekong.engine import MekongEngine

        self.close()
        self.engine = MekongEngine(**self.where, search=self.search, workers=settings.workers, threads=settings.threads)

    def feed(self, sources: list[list[int]], lengths: list[int]) -> None:
        """See MeasuredEngine."""
        self.sources, self.lengths = sources, lengths

    def run(self, rows: int) -> tuple[list[int], int | None]:
        """See MeasuredEngine."""
        before = self.engine.stats.computed_steps
        lengths = self.lengths[:rows]
        outputs = self.engine.generate(self.sources[:rows], lengths, min_new_tokens=lengths)
        # The engine counts each of a row's hypotheses.
        steps = (self.engine.stats.computed_steps - before) // self.search.num_beams
        return [len(output.tokens) for output in outputs], steps

    @property
    def model_seconds(self) -> float:
        """Time that all workers together have spent inside the model."""
        return float(self.engine.stats.model_seconds)

    def close(self) -> None:
        """See MeasuredEngine."""
        if self.engine is not None:
            self.engine.close()
            self.engine = None


class CTranslate2:
    """CTranslate2 with a model that `convert` wrote."""

    def __init__(self, folder: Path, shape: Shape, device: str, dtype: str, beam: int) -> None:
        self.folder, self.shape, self.device, self.dtype, self.beam = folder, shape, device, dtype, beam
        self.names = names(shape)
        self.threads: tuple[int, int] | None = None

    def use(self, settings: ArmSettings) -> None:
        """See MeasuredEngine."""
        import ctranslate2

        self.settings = settings
        if self.threads != (settings.workers, settings.threads):
            self.threads = settings.workers, settings.threads
            self.close()
            self.translator = ctranslate2.Translator(
                str(self.folder), self.device, compute_type=self.dtype, inter_threads=self.threads[0],
                intra_threads=self.threads[1],
            )  # fmt: skip

    def feed(self, sources: list[list[int]], lengths: list[int]) -> None:
        """See MeasuredEngine."""
        self.sources = [[self.names[token] for token in row] for row in sources]
        self.lengths = lengths

    def run(self, rows: int) -> tuple[list[int], int | None]:
        """See MeasuredEngine."""
        results = self._one_length(rows) if self.settings.unit == "one length" else self._by_callback(rows)
        return [len(result.hypotheses[0]) for result in results], None

    def _by_callback(self, rows: int) -> list[Any]:
        """All rows in one call: the callback ends each at its length. Greedy only."""
        lengths = self.lengths
        beyond = max(lengths[:rows]) + 1

        def ends(step: Any) -> bool:
            return bool(step.step + 1 >= lengths[step.batch_id])

        results: list[Any] = self.translator.translate_batch(
            self.sources[:rows], beam_size=1, max_batch_size=self.settings.size, batch_type=self.settings.unit,
            min_decoding_length=beyond, max_decoding_length=beyond, max_input_length=0, callback=ends,
        )  # fmt: skip
        return results

    def _one_length(self, rows: int) -> list[Any]:
        """A call for each batch of rows of one output length, the longest first so that all workers end together."""
        order = sorted(range(rows), key=lambda row: (-self.lengths[row], -len(self.sources[row])))
        asked: list[Any] = [None] * rows
        while order:
            length = self.lengths[order[0]]
            batch = [row for row in order[: self.settings.size] if self.lengths[row] == length]
            order = order[len(batch) :]
            answers = self.translator.translate_batch(
                [self.sources[row] for row in batch], beam_size=self.beam, max_input_length=0, asynchronous=True,
                min_decoding_length=length, max_decoding_length=length,
            )  # fmt: skip
            for row, answer in zip(batch, answers, strict=True):
                asked[row] = answer
        return [answer.result() for answer in asked]

    def close(self) -> None:
        """See MeasuredEngine."""
        self.translator = None


class Transformers:
    """`generate` of transformers, called from as many threads as there are workers."""

    def __init__(self, folder: Path, shape: Shape, device: str, dtype: str, beam: int) -> None:
        from transformers import GenerationConfig

        make: Any = GenerationConfig
        self.shape, self.device = shape, device
        self.model = load(shape, folder, dtype).to(device)
        # What the checkpoint states goes into every call that leaves it open.
        self.model.generation_config = make()
        self.config = make(
            do_sample=False,
            num_beams=beam,
            decoder_start_token_id=shape.start,
            eos_token_id=shape.vocabulary,
            pad_token_id=shape.pad,
        )

    def use(self, settings: ArmSettings) -> None:
        """See MeasuredEngine."""
        self.settings = settings

    def feed(self, sources: list[list[int]], lengths: list[int]) -> None:
        """See MeasuredEngine."""
        self.sources, self.lengths = sources, lengths

    def run(self, rows: int) -> tuple[list[int], int | None]:
        """See MeasuredEngine."""
        made = [0] * rows
        steps = 0
        batches = self._batches(rows)
        with ThreadPoolExecutor(self.settings.workers) as pool:
            for batch, lengths in zip(batches, pool.map(self._generate, batches), strict=True):
                for row, length in zip(batch, lengths, strict=True):
                    made[row] = length
                steps += len(batch) * max(self.lengths[row] for row in batch)
        return made, steps

    def _batches(self, rows: int) -> Sequence[Sequence[int]]:
        from pipeline.engines.batching import plan

        size = self.settings.size
        if self.settings.unit == "unsorted":
            return [range(at, min(at + size, rows)) for at in range(0, rows, size)]
        return plan([len(row) for row in self.sources[:rows]], max_tokens=size, max_rows=rows)

    def _generate(self, batch: Sequence[int]) -> list[int]:
        """Tokens generated for each row: a row that has ended is filled up with padding."""
        import torch

        from pipeline.engines.hf.seq2seq import RowBounds

        torch.set_num_threads(self.settings.threads)  # holds for the calling thread
        longest = max(len(self.sources[row]) for row in batch)
        padded = [self.sources[row] + [self.shape.pad] * (longest - len(self.sources[row])) for row in batch]
        ids = torch.tensor(padded, device=self.device)
        # With the start token.
        bounds = [1 + self.lengths[row] for row in batch]
        with torch.inference_mode():
            out = self.model.generate(
                input_ids=ids,
                attention_mask=(ids != self.shape.pad).long(),
                generation_config=self.config,
                max_new_tokens=max(bounds),
                stopping_criteria=[RowBounds(torch.tensor(bounds, device=self.device))],
            )
        made: list[int] = (out[:, 1:] != self.shape.pad).sum(dim=1).tolist()
        return made

    def close(self) -> None:
        """See MeasuredEngine."""
        self.model = None


ENGINES: dict[str, type[MekongEngineArm] | type[CTranslate2] | type[Transformers]] = {
    "mekong": MekongEngineArm,
    "ctranslate2": CTranslate2,
    "transformers": Transformers,
}


def names(shape: Shape) -> list[str]:
    """The vocabulary as CTranslate2 wants it, strings."""
    vocabulary = [f"t{token}" for token in range(shape.vocabulary)]
    vocabulary[shape.end], vocabulary[shape.unknown] = "</s>", "<unk>"
    return vocabulary


def convert(checkpoint: Path, shape: Shape, quantisation: str, folder: Path) -> None:
    """Write a checkpoint as a CTranslate2 model, with CTranslate2's own converter less its need for a tokenizer."""
    import torch
    from ctranslate2.converters import transformers as converters

    loaders: dict[str, Any] = {
        "marian": converters.MarianMTLoader,
        "m2m100": converters.M2M100Loader,
        "t5": converters.T5Loader,
    }
    vocabulary = names(shape)
    start = vocabulary[shape.start]
    with torch.no_grad():
        spec = loaders[shape.family]().get_model_spec(load(shape, checkpoint, "float32"))
        if shape.family == "marian":
            # The converter drops the padding, which only starts the decoder, and starts it from zeros instead.
            vocabulary.pop()
            start = "</s>"
        spec.register_source_vocabulary(vocabulary)
        spec.register_target_vocabulary(vocabulary)
        spec.config.bos_token = spec.config.decoder_start_token = start
        spec.config.eos_token, spec.config.unk_token = "</s>", "<unk>"
        spec.validate()
        spec.optimize(quantization=None if quantisation == "float32" else quantisation)
    folder.mkdir()
    spec.save(str(folder))
