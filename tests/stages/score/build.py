"""Pairs and translations to score."""

from pipeline.stages.score.base import Context, PairScorer
from pipeline.types import Pair, Translation


def pair(source, english, lang="th", origin="aligned", segments=("d:0",), cost=0.0, name="p"):
    return Pair(name, "d", "e", lang, tuple(segments), (), (), (), source, english, origin, cost)


def translation(segment="d:0", text="", ended="stop", logprob=None, tokens=1):
    return Translation(segment, text, "m", logprob, 1, tokens, ended, 1)


def context(*translations):
    return Context({t.segment_id: t for t in translations})


def one(scorer: PairScorer, source, english, lang="th", **more):
    return scorer.one(pair(source, english, lang, **more), Context())
