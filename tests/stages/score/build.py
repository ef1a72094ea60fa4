"""Pairs and translations to score."""

from pipeline.stages.score.base import Context, PairScorer
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.types import Pair, Translation

NOTHING = Context()


def pair(source, english, lang="th", origin="aligned", segments=("d:0",), cost=0.0, name="p"):
    return Pair(name, "d", "e", lang, tuple(segments), (), (), (), source, english, origin, cost)


def translation(segment="d:0", text="", ended="stop", logprob=None, tokens=1):
    return Translation(segment, text, "m", logprob, 1, tokens, ended, 1)


def context(*translations):
    return Context({t.segment_id: t for t in translations})


def one(scorer: PairScorer, source, english, lang="th", **more):
    return scorer.score_pair(PairFacts(pair(source, english, lang, **more)), Context())


def columns(scorer, pairs, given=NOTHING):
    """The columns of a scorer by name."""
    return scorer.score(list(map(PairFacts, pairs)), given)


def column(scorer, pairs, given=NOTHING):
    """The column of a scorer of one score."""
    (values,) = columns(scorer, pairs, given).values()
    return values
