"""Whether names and addresses that need no translation are still there."""

from __future__ import annotations

import re

from pipeline.stages.score.base import Context, PairScorer
from pipeline.stages.score.names import ADDRESS, SIMILAR, STEM
from pipeline.stages.score.pair_facts import PairFacts

_SCHEME = re.compile(r"^(?:https?://)?(?:www\.)?")


class NameAgreement(PairScorer):
    """Share of the names in Latin letters that the English keeps, 0 to 1; None where the source has fewer than two.

    A single name that is missing says little: the Oscars are the Academy Awards, and a country may become an adjective.

    Thai source: words in Latin letters. Vietnamese source: capitalised words that cannot be Vietnamese syllables, and
    names of persons with a common family name. Both: web and mail addresses, letters mixed with digits (F-16, 5G).
    Compared without marks, case, spaces and hyphens. A word of 5 letters and more may be spelled a little differently
    (one letter in six) or have another ending (Mexico, Mexicans).
    """

    name = "name_agreement"
    FEWEST = 2

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        shared = {"case": "folded", "marks": "folded"}
        return {**shared, "similar": f"{SIMILAR:g}", "stem": STEM, "fewest": self.FEWEST}

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        names = facts.kept_names
        if len(names) < self.FEWEST:
            return None
        return sum(map(facts.target_latin.has, names)) / len(names)


class UrlAgreement(PairScorer):
    """Share of the source's web and mail addresses that the English has too, 0 to 1; None where it has none.

    Compared without scheme, www, case and what ends a sentence.
    """

    name = "url_agreement"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        ours = {_bare(address) for address in ADDRESS.findall(facts.pair.src_text)}
        if not ours:
            return None
        theirs = {_bare(address) for address in ADDRESS.findall(facts.pair.tgt_text)}
        return len(ours & theirs) / len(ours)


def _bare(address: str) -> str:
    return _SCHEME.sub("", address.lower()).rstrip(".,;:!?/")
