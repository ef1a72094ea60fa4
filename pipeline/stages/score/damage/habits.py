"""What a corpus leaves out everywhere is no sign of damage in one of its pairs.

Captions, headlines, bullet lists and lower-cased corpora have no final marks or no capitals. A text that breaks off
lacks them too, so the trees take that for a strong sign, which it is only where the other pairs have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.stages.score.damage.coverage import Signs
from pipeline.stages.score.damage.features import starts_small
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.stages.score.surface import FINAL
from pipeline.text.languages import language

HABIT = 0.25
"""Share of the pairs scored together from which a lack is a habit; set by hand. Of good news .01 to .05 lack a mark."""
LEAST = 5
"""So many must have it, for of two pairs nothing can be told; set by hand."""
EVEN = 0.15
"""Signs `short` and `long` up to which a side is as long as the other asks for. What is cut lacks its mark too, and is
no habit of those who wrote it; set by hand."""


@dataclass(frozen=True, slots=True)
class _Lacks:
    """What a pair lacks at its ends."""

    source_mark: bool
    target_mark: bool
    source_capital: bool
    target_capital: bool


def without_habits(facts: Sequence[PairFacts], signs: Sequence[Signs]) -> list[Signs]:
    """The signs of pairs scored together, with 0 for those that come of what the pairs of their language lack by habit.

    Thai sources have neither mark nor capital, which the trees for Thai know.
    """
    lacks = [_lacks(pair_facts) for pair_facts in facts]
    told: dict[str, dict[str, float]] = {}
    for lang in {pair_facts.pair.src_lang for pair_facts in facts}:
        own = [i for i, pair_facts in enumerate(facts) if pair_facts.pair.src_lang == lang]
        sources = [lacks[i] for i in own if signs[i]["long"] <= EVEN]
        targets = [lacks[i] for i in own if signs[i]["short"] <= EVEN]
        told[lang] = dict.fromkeys(_untold(sources, targets, language(lang).sentence_marks), 0.0)
    return [
        {**pair_signs, **told[pair_facts.pair.src_lang]} for pair_facts, pair_signs in zip(facts, signs, strict=True)
    ]


def _lacks(facts: PairFacts) -> _Lacks:
    source, target = facts.pair.src_text.strip(), facts.pair.tgt_text.strip()
    return _Lacks(
        FINAL.search(source) is None,
        FINAL.search(target) is None,
        starts_small(source) > 0,
        starts_small(target) > 0,
    )


def _untold(sources: Sequence[_Lacks], targets: Sequence[_Lacks], source_marks: bool) -> list[str]:
    """Names of the signs that tell nothing among pairs of which these have whole sources and these whole English."""
    names: list[str] = []
    if source_marks and _habit([lack.source_mark for lack in sources]):
        names.append("only_target_final")
    if _habit([lack.target_mark for lack in targets]):
        names += ["open_end", "open_end_short", "only_source_final"]
    if source_marks and _habit([lack.source_capital for lack in sources]):
        names.append("source_small")
    if _habit([lack.target_capital for lack in targets]):
        names.append("target_small")
    return names


def _habit(lacking: Sequence[bool]) -> bool:
    return sum(lacking) >= max(LEAST, HABIT * len(lacking))
