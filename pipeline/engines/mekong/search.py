"""Choosing tokens: greedy and beam search over slots, as tensor operations that need no answer from the device.

A slot holds one sentence, B rows of it. `place` counts the tokens that a slot's rows have generated, forced ones
included; it is the position of the decoder's next input, the start token being at 0.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Protocol, Self

import torch

from pipeline.engines.search_settings import Search

WORST = -1.0e9
"""Score of what must not be chosen, small enough to lose and large enough to be added to (transformers' value)."""


@dataclass(frozen=True, slots=True)
class Finished:
    """One hypothesis: tokens without prefix and end, the sum of their log-probabilities (the end's included), the score
    it is ranked by, and whether it ended by itself."""

    tokens: tuple[int, ...]
    logprob: float
    score: float
    stopped: bool

    @property
    def length(self) -> int:
        """Tokens that `logprob` sums over."""
        return len(self.tokens) + self.stopped


class Searcher(Protocol):
    """State of a search in all slots. `at` are slot numbers (n,)."""

    beams: int
    candidates: int
    """Candidates a row that `advance` wants."""
    place: torch.Tensor
    """(slots,)"""
    broken: torch.Tensor
    """Sentences with a number that was not finite, (slots,)."""

    def admit(self, at: torch.Tensor, bounds: torch.Tensor, minimums: torch.Tensor) -> None:
        """Begin sentences that may have `bounds` tokens (n,), end included, and end after `minimums` (n,)."""

    def inputs(self, at: torch.Tensor) -> torch.Tensor:
        """The decoder's next tokens, (n * beams,)."""

    def banned(self, at: torch.Tensor) -> torch.Tensor:
        """Tokens that must not come next, (n * beams, any); the padding token fills it up."""

    def advance(
        self, at: torch.Tensor, logs: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Choose among the candidates, (n * beams, candidates) log-probabilities and tokens.

        Returns which sentences have ended (n,), and the beam that each beam goes on from (n, beams) or None.
        """

    def results(self, slot: int) -> list[Finished]:
        """Hypotheses of an ended sentence, best first; none when a number was not finite."""

    def copied(self, at: torch.Tensor) -> Searcher:
        """The state of some slots on the CPU, numbered as in `at`, for `results` to read without asking the device."""


class _Base:
    """What both searches keep."""

    def __init__(self, search: Search, slots: int, longest: int, beams: int, device: str) -> None:
        self.search = search
        self.beams = beams
        self.device = device

        def counts(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, dtype=torch.long, device=device)

        self.place, self.limit, self.minimum = counts(slots), counts(slots), counts(slots)
        self.last = counts(slots, beams)
        self.history = counts(slots, longest + 1, beams)
        """Token chosen at each place for each beam, (slots, places, beams)."""
        self.broken = torch.zeros(slots, dtype=torch.bool, device=device)
        self.sequences = counts(slots, beams, longest + 1) if search.no_repeat_ngram_size else None

    def admit(self, at: torch.Tensor, bounds: torch.Tensor, minimums: torch.Tensor) -> None:
        """See Searcher."""
        forced = len(self.search.prefix) - 1
        self.place[at] = forced
        self.limit[at] = bounds + forced
        self.minimum[at] = minimums + forced
        self.last[at] = self.search.prefix[-1]
        self.broken[at] = False
        if self.sequences is not None:
            prefix = torch.tensor(self.search.prefix, device=self.device)
            self.sequences[at, :, : len(prefix)] = prefix

    def inputs(self, at: torch.Tensor) -> torch.Tensor:
        """See Searcher."""
        return self.last[at].flatten()

    def banned(self, at: torch.Tensor) -> torch.Tensor:
        """See Searcher."""
        pad = torch.full((len(at),), self.search.pad, device=self.device)
        early = torch.where(self.place[at] < self.minimum[at], self.search.end, pad)
        always = torch.stack([pad, early], dim=1).repeat_interleave(self.beams, dim=0)
        if self.sequences is None:
            return always
        return torch.cat([always, self._repeating(at)], dim=1)

    def copied(self, at: torch.Tensor) -> Self:
        """See Searcher."""
        there = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, torch.Tensor):
                setattr(there, name, value[at].cpu())
        return there

    def _repeating(self, at: torch.Tensor) -> torch.Tensor:
        """Tokens that would end an n-gram which a row already has."""
        assert self.sequences is not None
        size = self.search.no_repeat_ngram_size
        rows = self.sequences[at].flatten(0, 1)
        have = (self.place[at] + 1).repeat_interleave(self.beams)[:, None]
        grams = rows.unfold(1, size, 1)
        starts = torch.arange(grams.shape[1], device=self.device)
        recent = have - size + 1 + torch.arange(size - 1, device=self.device)
        current = rows.gather(1, recent.clamp(min=0))
        same = (grams[..., : size - 1] == current[:, None]).all(-1) & (starts + size <= have) & (have >= size)
        return torch.where(same, grams[..., -1], self.search.pad)


class Greedy(_Base):
    """The most probable token at every step."""

    candidates = 1

    def __init__(self, search: Search, slots: int, longest: int, device: str) -> None:
        """`longest` is the highest place."""
        super().__init__(search, slots, longest, 1, device)
        self.total = torch.zeros(slots, device=device)

    def admit(self, at: torch.Tensor, bounds: torch.Tensor, minimums: torch.Tensor) -> None:
        """See Searcher."""
        super().admit(at, bounds, minimums)
        self.total[at] = 0.0

    def advance(
        self, at: torch.Tensor, logs: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """See Searcher."""
        log, token = logs[:, 0], tokens[:, 0]
        place = self.place[at]
        bad = ~log.isfinite()
        self.broken[at] |= bad
        self.total[at] += log
        self.history[at, place, 0] = token
        self.last[at, 0] = token
        self.place[at] = place + 1
        if self.sequences is not None:
            self.sequences[at, 0, place + 1] = token
        return (token == self.search.end) | (place + 1 >= self.limit[at]) | bad, None

    def results(self, slot: int) -> list[Finished]:
        """See Searcher."""
        if self.broken[slot]:
            return []
        forced = len(self.search.prefix) - 1
        tokens = self.history[slot, forced : int(self.place[slot]), 0].tolist()
        stopped = bool(tokens) and tokens[-1] == self.search.end
        log = float(self.total[slot])
        kept = tuple(tokens[:-1] if stopped else tokens)
        return [Finished(kept, log, log / max(1, len(tokens)), stopped)]


class Beam(_Base):
    """Beam search as transformers' `generate` understands its settings (GenerationMixin._beam_search of 5.23).

    Twice as many candidates as beams are looked at, so that enough go on when the best ones end. Chosen tokens are kept
    with the beam they came from; hypotheses are read backwards from their last token when a sentence has ended.
    """

    def __init__(self, search: Search, slots: int, longest: int, device: str) -> None:
        """`longest` is the highest place."""
        beams = search.num_beams
        super().__init__(search, slots, longest, beams, device)
        self.candidates = 2 * beams
        self.running = torch.zeros(slots, beams, device=device)
        self.parents = torch.zeros_like(self.history)
        self.hopeful = torch.ones(slots, dtype=torch.bool, device=device)
        self.done_score = torch.zeros(slots, beams, device=device)
        self.done_sum = torch.zeros(slots, beams, device=device)
        self.done = torch.zeros(slots, beams, dtype=torch.bool, device=device)
        # Place, beam before and last token of a finished hypothesis.
        self.done_path = torch.zeros(slots, beams, 3, dtype=torch.long, device=device)

    def admit(self, at: torch.Tensor, bounds: torch.Tensor, minimums: torch.Tensor) -> None:
        """See Searcher."""
        super().admit(at, bounds, minimums)
        self.running[at] = WORST
        # All beams begin alike; candidates are taken from the first alone.
        self.running[at, 0] = 0.0
        self.hopeful[at] = True
        self.done_score[at] = WORST
        self.done[at] = False

    def advance(
        self, at: torch.Tensor, logs: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """See Searcher."""
        count, beams, place = len(at), self.beams, self.place[at]
        # The first place where a beam that is only there to fill the row counts for nothing.
        self.broken[at] |= logs[:, 0].view(count, beams).isnan().any(1)
        sums = (logs.view(count, beams, -1) + self.running[at][:, :, None]).flatten(1)
        top, index = sums.topk(2 * beams)
        parent = index // self.candidates
        token = tokens.view(count, -1).gather(1, index)
        ends = (token == self.search.end) | (place + 1 >= self.limit[at])[:, None]
        self._finish(at, place, top, parent, token, ends)
        running, kept = (top + ends * WORST).topk(beams)
        self._go_on(at, place, running, parent.gather(1, kept), token.gather(1, kept))
        self.hopeful[at] &= self._can_improve(at, running[:, 0], place + 1)
        full = self.done[at].all(1) if self.search.early_stopping is True else torch.zeros_like(ends[:, 0])
        over = ~self.hopeful[at] | full | ends.all(1) | self.broken[at]
        return over, parent.gather(1, kept)

    def _finish(
        self,
        at: torch.Tensor,
        place: torch.Tensor,
        top: torch.Tensor,
        parent: torch.Tensor,
        token: torch.Tensor,
        ends: torch.Tensor,
    ) -> None:
        """Merge candidates that end, and are among the best `beams`, into the finished hypotheses."""
        beams = self.beams
        ended = ends.clone()
        ended[:, beams:] = False
        score = top / ((place + 1) ** self.search.length_penalty)[:, None] + ~ended * WORST
        score += (~self.hopeful[at] * WORST)[:, None]
        if self.search.early_stopping is True:
            score += (self.done[at].all(1) * WORST)[:, None]
        path = torch.stack([place[:, None].expand_as(token), parent, token], dim=-1)
        scores, best = torch.cat([self.done_score[at], score], dim=1).topk(beams)
        self.done_score[at] = scores
        self.done_sum[at] = torch.cat([self.done_sum[at], top], dim=1).gather(1, best)
        self.done[at] = torch.cat([self.done[at], ended], dim=1).gather(1, best)
        paths = torch.cat([self.done_path[at], path], dim=1)
        self.done_path[at] = paths.gather(1, best[..., None].expand(-1, -1, 3))

    def _go_on(
        self, at: torch.Tensor, place: torch.Tensor, running: torch.Tensor, parent: torch.Tensor, token: torch.Tensor
    ) -> None:
        self.running[at] = running
        self.history[at, place] = token
        self.parents[at, place] = parent
        self.last[at] = token
        self.place[at] = place + 1
        if self.sequences is not None:
            moved = self.sequences[at].gather(1, parent[..., None].expand(-1, -1, self.sequences.shape[2]))
            after = (place + 1)[:, None, None].expand(-1, self.beams, 1)
            self.sequences[at] = moved.scatter(2, after, token[..., None])

    def _can_improve(self, at: torch.Tensor, best: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
        """Whether a running beam might still rank before the worst finished one; transformers' estimate."""
        penalty = self.search.length_penalty
        most = self.limit[at] if self.search.early_stopping == "never" and penalty > 0 else length
        worst = torch.where(self.done[at], self.done_score[at].amin(1, keepdim=True), WORST)
        return ((best / most**penalty)[:, None] > worst).any(1)

    def results(self, slot: int) -> list[Finished]:
        """See Searcher."""
        if self.broken[slot]:
            return []
        length = int(self.place[slot])
        history, parents = self.history[slot, :length].tolist(), self.parents[slot, :length].tolist()
        found = []
        for beam in range(self.search.n_best):
            if self.done[slot, beam]:
                path = self.done_path[slot, beam].tolist()
                tokens = self._backwards(path, history, parents)
                log, score = float(self.done_sum[slot, beam]), float(self.done_score[slot, beam])
                found.append(Finished(tokens, log, score, path[2] == self.search.end))
        return found

    def _backwards(self, path: list[int], history: list[list[int]], parents: list[list[int]]) -> tuple[int, ...]:
        place, beam, last = path
        tokens = [] if last == self.search.end else [last]
        for before in range(place - 1, len(self.search.prefix) - 2, -1):
            tokens.append(history[before][beam])
            beam = parents[before][beam]
        return tuple(reversed(tokens))


def searcher(search: Search, slots: int, longest: int, device: str) -> Searcher:
    """Greedy or beam search, as the settings say."""
    return Greedy(search, slots, longest, device) if search.num_beams == 1 else Beam(search, slots, longest, device)
