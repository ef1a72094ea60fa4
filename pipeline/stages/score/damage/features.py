"""Signs of damage in a pair, each weak on its own; `pipeline.stages.score.damage.classifier` weighs them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from pipeline.engines.encoders.base import Encoder
from pipeline.stages.score.damage.coverage import Signs, lexical_signs
from pipeline.stages.score.damage.windows import vector_signs
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.stages.score.source_text import is_common
from pipeline.stages.score.surface import DANGLING, FINAL, USUAL_RATIO

SMOOTHING = 10.0
"""Characters added to both lengths, because short texts vary more. Set by hand, as the other constants here; the trees
were grown over signs made with them, so a change asks for new trees (`scripts/train_damage.py`)."""
LONG_WORDS = 12
"""English words from which on a missing final mark counts in full."""
HALF = 0.5
"""How sure it is, at least, that the source has a name that counts as supported."""
_OPENING, _CLOSING = re.compile(r"[“‘«(\[]"), re.compile(r"[”’»)\]](?!\w)")
_START = re.compile(r"[^\w]*")


def signs_of(facts: Sequence[PairFacts], encoder: Encoder | None) -> list[Signs]:
    """The signs of each pair by name; those of sentence vectors only where the encoder knows the source language."""
    signs = [_surface(one) | _counts(one) | _at_ends(one) | lexical_signs(one) for one in facts]
    rows = [i for i, pair_facts in enumerate(facts) if encoder and pair_facts.pair.src_lang in encoder.languages]
    if encoder and rows:
        for i, vector in zip(rows, vector_signs([facts[i] for i in rows], encoder), strict=True):
            signs[i] |= vector
    return signs


def _surface(facts: PairFacts) -> Signs:
    src, tgt = facts.pair.src_text.strip(), facts.pair.tgt_text.strip()
    expected = facts.source_length / USUAL_RATIO.get(facts.pair.src_lang, 1.0)
    short = math.log((expected + SMOOTHING) / (facts.target_length + SMOOTHING))
    src_final, tgt_final = bool(FINAL.search(src)), bool(FINAL.search(tgt))
    src_small, tgt_small = starts_small(src), starts_small(tgt)
    unclosed = _unbalanced(tgt) - _unbalanced(src)
    open_end = float(not tgt_final) * min(1.0, len(tgt.split()) / LONG_WORDS)
    return {
        "short": max(0.0, short),
        "short2": max(0.0, short) ** 2,
        "long": max(0.0, -short),
        "long2": max(0.0, -short) ** 2,
        "open_end": open_end,
        "open_end_short": open_end * max(0.0, short),
        "only_source_final": float(src_final and not tgt_final),
        "only_target_final": float(tgt_final and not src_final),
        "dangling": float((not tgt_final and DANGLING.search(tgt) is not None) or tgt[-1:] in ",;-–—("),
        "target_small": tgt_small * (1 - src_small),
        "source_small": src_small * (1 - tgt_small),
        "target_quotes": max(0.0, unclosed),
        "source_quotes": max(0.0, -unclosed),
    }


def starts_small(text: str) -> float:
    """1 where the first letter or digit is a small letter, else 0."""
    start = _START.match(text)
    return float(text[start.end() if start else 0 :][:1].islower())


def _unbalanced(text: str) -> float:
    marks = abs(len(_OPENING.findall(text)) - len(_CLOSING.findall(text)))
    return float(min(1, marks) or text.count('"') % 2)


def _counts(facts: PairFacts) -> Signs:
    """Of numbers, names and countries that one side has alone."""
    missing, extra = facts.numbers_apart
    lost, added = facts.lost_names, facts.added_countries
    unsupported: dict[bool, list[float]] = {True: [0.0], False: [0.0]}
    for name, value in zip(facts.english_names, facts.unsupported_names, strict=True):
        unsupported[all(map(is_common, name))].append(value)
    names, words = unsupported[False], unsupported[True]
    unrendered, least_sure = facts.unrendered_names, max(*names, *words)
    return {
        "numbers_missing": min(2.0, len(missing)),
        "numbers_extra": min(2.0, len(extra)),
        "numbers_changed": min(2.0, min(len(missing), len(extra))),
        "names_missing": min(2.0, lost),
        "countries_extra": min(2.0, added),
        "countries_changed": float(added > 0 and lost > 0),
        "names_unsupported": max(names),
        "names_unsupported_sum": min(2.0, sum(names)),
        "words_unsupported": max(words),
        "words_unsupported_sum": min(2.0, sum(words)),
        "names_both": min(1.0, lost) * least_sure,
        "names_sure_both": min(1.0, lost) * max(names),
        "names_worst": max((1 - min(map(facts.source.support, name)) for name in facts.english_names), default=0.0),
        "names_known_unsupported": max(facts.unsupported_known_names, default=0.0),
        "names_unrendered": max(unrendered, default=0.0),
        "names_unrendered_sum": min(3.0, sum(unrendered)),
        "names_replaced": max([min(1.0, lost), *unrendered]) * least_sure,
        "names_supported": min(3.0, sum(1 - value > HALF for value in facts.unsupported_names)),
    }


def _at_ends(facts: PairFacts) -> Signs:
    """How many names and numbers that the other side does not have stand in the first and the last third of a side."""
    missing, extra = facts.numbers_apart
    counted = {
        "names_unsupported": (facts.pair.tgt_text, [*zip(facts.name_places, facts.unsupported_names, strict=True)]),
        "numbers_extra": (facts.pair.tgt_text, [(number.start, 1.0) for number in extra]),
        "numbers_missing": (facts.pair.src_text, [(number.start, 1.0) for number in missing]),
    }
    signs: Signs = {}
    for name, (text, placed) in counted.items():
        signs[f"{name}_front"] = min(2.0, sum(value for place, value in placed if place < len(text) / 3))
        signs[f"{name}_end"] = min(2.0, sum(value for place, value in placed if place >= len(text) * 2 / 3))
    return signs
