"""How a sequence-to-sequence model is searched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Search:
    """Beam size and penalties with transformers' meaning, and the tokens that steer the decoder."""

    num_beams: int
    """1 is greedy."""
    length_penalty: float
    """A finished beam's score is divided by its length, forced tokens and end token counted, to this power."""
    start: int
    """The decoder's first input."""
    end: int
    pad: int
    """Never generated."""
    forced: int | None
    """Token of the target language, the first to be generated."""
    early_stopping: bool | Literal["never"] = False
    """When a sentence ends: True, with `num_beams` finished; False, when none running looks better; "never", when none
    running can become better."""
    no_repeat_ngram_size: int = 0
    """No token sequence of this length occurs twice; 0 allows it."""
    n_best: int = 1
    """Hypotheses a row, at most `num_beams`."""

    @property
    def prefix(self) -> tuple[int, ...]:
        """The decoder's inputs before the first free choice."""
        return (self.start,) if self.forced is None else (self.start, self.forced)

    def careful(self) -> Search:
        """For rows whose first hypothesis was no good: at least 4 beams, and no 4 tokens twice."""
        return replace(self, num_beams=max(4, self.num_beams), no_repeat_ngram_size=4)
