"""The child process of `pipeline.engines.ct2.seq2seq`: JSON lines in, JSON lines out.

A batch is {"rows": [[token id]], "bounds": [tokens that may be generated], "num_beams": n, "no_repeat_ngram_size": n}.
The converted model calls its tokens by their ids, so ids are all that goes in and out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.engines.child import serve

BATCH_TOKENS = 2048
"""Source tokens, padding included, that one thread has in hand."""


def rounded(bound: int, limit: int | None) -> int:
    """The next power of two, at most `limit`: few searches then serve rows of many bounds."""
    power = 1 << (bound - 1).bit_length()
    return power if limit is None else min(power, limit)


def share(rows: Sequence[Sequence[int]], threads: int) -> int:
    """Tokens, padding included, of a part of the batch such that every thread has one and none is too large."""
    longest = max(map(len, rows))
    return max(longest, min(BATCH_TOKENS, longest * -(-len(rows) // threads)))


class Seq2SeqWorker:
    """A loaded model that answers batches.

    `prefix` is the decoder's start token and, where there is one, the forced language token; `limit` is the most tokens
    that the model has positions for. `length_penalty` has no say with one beam.
    """

    def __init__(
        self,
        folder: str,
        device: str,
        compute_type: str,
        threads: int,
        prefix: list[int],
        end: int,
        pad: int,
        length_penalty: float,
        limit: int | None,
    ) -> None:
        import ctranslate2

        # Threads that translate batches of their own lose nothing in waiting for each other, as those do that share
        # one; on a GPU the streams would compete.
        self.threads = threads if device == "cpu" else 1
        self.translator = ctranslate2.Translator(
            folder, device=device, compute_type=compute_type, inter_threads=self.threads, intra_threads=1
        )
        self.prefix = list(map(str, prefix))
        self.penalty = length_penalty
        self.limit = limit
        self.options: dict[str, Any] = {
            "suppress_sequences": [[str(pad)]],
            "end_token": [end],
            "return_end_token": True,
            "return_scores": True,
            "max_input_length": 0,
            "min_decoding_length": 0,
            "batch_type": "tokens",
            "asynchronous": True,
        }
        self.version: str = ctranslate2.__version__

    def answer(
        self, rows: list[list[int]], bounds: list[int], num_beams: int, no_repeat_ngram_size: int
    ) -> list[dict[str, Any]]:
        """One hypothesis a row as {"tokens", "logprob"}: all that was generated, an end token included, and its mean.

        CTranslate2 takes one bound a call, and a call for every bound would make batches of a few rows. Bounds are
        there to end loops, so a row is searched with its bound rounded up, and the rare one that passes its own is
        searched again with that. A beam search is not cut instead: with less room another hypothesis could have won.
        What a row gives depends on its own bound, never on its neighbours.
        """
        search = {
            "beam_size": num_beams,
            "no_repeat_ngram_size": no_repeat_ngram_size,
            # With greedy search the score is then the plain sum of the log-probabilities.
            "length_penalty": self.penalty if num_beams > 1 else 0.0,
        }
        found = self._search(rows, [rounded(bound, self.limit) for bound in bounds], search)
        passed = [i for i, (one, bound) in enumerate(zip(found, bounds, strict=True)) if len(one["tokens"]) > bound]
        again = self._search([rows[i] for i in passed], [bounds[i] for i in passed], search)
        for i, one in zip(passed, again, strict=True):
            found[i] = one
        return found

    def _search(self, rows: list[list[int]], bounds: list[int], search: dict[str, Any]) -> list[dict[str, Any]]:
        """Rows of one bound are one call; all calls are under way before the first result is waited for."""
        waiting: dict[int, Any] = {}
        for bound in set(bounds):
            group = [i for i, other in enumerate(bounds) if other == bound]
            results = self.translator.translate_batch(
                [list(map(str, rows[i])) for i in group],
                target_prefix=[self.prefix] * len(group),
                max_decoding_length=bound + len(self.prefix) - 1,
                max_batch_size=share(rows, self.threads),
                **search,
                **self.options,
            )
            waiting |= zip(group, results, strict=True)
        return [self._read(waiting[i].result(), search["length_penalty"]) for i in range(len(rows))]

    def _read(self, result: Any, penalty: float) -> dict[str, Any]:
        hypothesis = list(map(int, result.hypotheses[0]))
        # The start token is not in the hypothesis, the forced one is, with a log-probability of 0.
        made = hypothesis[len(self.prefix) - 1 :]
        return {"tokens": made, "logprob": result.scores[0] * len(hypothesis) ** penalty / len(made)}


if __name__ == "__main__":
    serve(Seq2SeqWorker)
