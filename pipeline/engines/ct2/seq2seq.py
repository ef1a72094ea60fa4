"""CTranslate2 as an engine for encoder-decoder models, in a process of its own.

The converted model lies beside the checkpoint that it was made from; `convert_now` makes it.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engines.base import Engine, Output
from pipeline.engines.child import Child, python
from pipeline.engines.convert.apart import CT2_FOLDER, run_apart
from pipeline.errors import ModelMissing, UsageError

if TYPE_CHECKING:
    from pipeline.engines.search_settings import Search

log = logging.getLogger(__name__)


class CTranslate2Seq2Seq(Child):
    """Greedy or beam search with an encoder-decoder model that was converted to `folder`.

    Greedy search gives the tokens that transformers gives. `length_penalty` has transformers' meaning: the sum of the
    log-probabilities is divided by that power of the length, forced and end token counted. Beam search differs in
    three points. It ends a sentence when `num_beams` hypotheses are finished, which is `early_stopping=True`, also
    where that is False. Probabilities are renormalised after the padding token and repeated n-grams are ruled out
    (transformers: `renormalize_logits=True`). And after a forced token nothing but the likeliest token may be the end.
    """

    batch_rows = 512

    def __init__(
        self, folder: Path, search: Search, device: str, compute_type: str, threads: int, positions: int | None
    ) -> None:
        self._search = search
        # Beyond its table of positions a model fails; the start token and the forced one are in it.
        self._limit = positions - 1 - len(search.prefix) if positions else None
        super().__init__(
            python("pipeline.engines.ct2.seq2seq_worker"),
            {
                "folder": str(folder),
                "device": device,
                "compute_type": compute_type,
                "threads": threads,
                "prefix": search.prefix,
                "end": search.end,
                "pad": search.pad,
                "length_penalty": search.length_penalty,
                "limit": self._limit,
            },
        )
        self.about = {
            "engine": f"ctranslate2 {self.version}",
            "device": device,
            "dtype": compute_type,
            "threads": str(threads),
        }

    def generate(
        self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int], *, careful: bool = False
    ) -> list[Output]:
        """One hypothesis a row, in order; no row depends on its neighbours.

        `logprob` is the mean over the generated tokens, end token included, target language apart, among the tokens
        that were allowed. A row that passes its bound costs a second search, so a bound should be one that only a loop
        reaches.

        Raises EngineError when the process has ended, as it does when a row is longer than the model's positions.
        """
        if not rows:
            return []
        bounds = [bound if self._limit is None else min(bound, self._limit) for bound in max_new_tokens]
        search = self._search.careful() if careful else self._search
        answers = self._ask(
            {
                "rows": [list(row) for row in rows],
                "bounds": bounds,
                "num_beams": search.num_beams,
                "no_repeat_ngram_size": search.no_repeat_ngram_size,
            }
        )
        return [self._output(**answer) for answer in answers]

    def _output(self, tokens: list[int], logprob: float) -> Output:
        if not math.isfinite(logprob):
            return Output((), None, "failed")
        if tokens[-1] == self._search.end:
            return Output(tuple(tokens[:-1]), logprob, "stop")
        return Output(tuple(tokens), logprob, "length")


def convert_now(folder: Path, say: Callable[[str], None] = log.info) -> None:
    """Make the int8 model of a checkpoint where it is not there yet, in seconds to a minute; `say` gets progress.

    Another process that is at it is waited for.

    Raises ModelError when the model cannot be converted or `folder` cannot be written to.
    """
    if not (folder / CT2_FOLDER).is_dir():
        say(f"{folder.name} is converted for CTranslate2, once")
        run_apart(say, "ctranslate2", folder)


def load_ct2_seq2seq(folder: Path, search: Search, device: str, dtype: str, threads: int) -> Engine:
    """The engine for a checkpoint of the store; `dtype` is CTranslate2's compute type, such as int8.

    Raises ModelMissing when it has not been converted, UsageError for a search that CTranslate2 does not have,
    EngineError when it does not load.
    """
    converted = folder / CT2_FOLDER
    if not converted.is_dir():
        raise ModelMissing(f"{folder.name} is not converted for CTranslate2", f"mekong models add {folder.name}")
    if search.n_best > 1 or search.early_stopping == "never":
        raise UsageError(
            "CTranslate2 gives one hypothesis a row here, and always ends with num_beams finished ones",
            "Take another translate.engine, or leave n_best and early_stopping as they are.",
        )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return CTranslate2Seq2Seq(converted, search, device, dtype, threads, config.get("max_position_embeddings"))
