"""Stage: scored pairs in, verdicts out. Rules only: nothing is computed but the comparison and the hash of a text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

from pipeline.config import FilterSettings, Rule
from pipeline.errors import ConfigError
from pipeline.scorers import score_names
from pipeline.text.unicode import same
from pipeline.types import Pair, Scored, Verdict


def filter_pairs(scored: Iterable[Scored], settings: FilterSettings) -> Iterator[Verdict]:
    """One verdict a pair, in order; every rule that fails is a reason, such as "similarity 0.312 < 0.45".

    A pair whose text was kept before (source and English, as `same` compares them) is a duplicate; give
    the pairs of a whole run at once to find duplicates across shards. It costs about 200 bytes a kept pair.
    Raises ConfigError when a rule names an unknown score, before anything is read.
    """
    _check(settings.rules)
    return _verdicts(scored, settings.rules)


def _verdicts(scored: Iterable[Scored], rules: Mapping[str, Rule]) -> Iterator[Verdict]:
    kept: dict[bytes, str] = {}
    for row in scored:
        reasons = [*failures(rules, row).values()]
        key = _key(row.pair)
        if key in kept:
            reasons.append(f"duplicate of {kept[key]}")
        elif not reasons:
            kept[key] = row.pair.id
        yield Verdict(row.pair.id, not reasons, tuple(reasons))


def failures(rules: Mapping[str, Rule], row: Scored) -> dict[str, str]:
    """The rules that reject the pair, in order, each with its reason."""
    return {name: reason for name, rule in rules.items() if (reason := _broken(name, rule, row))}


def _check(rules: Mapping[str, Rule]) -> None:
    names = score_names()
    for name, rule in rules.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
            raise ConfigError(
                f"filter.rules: unknown score {name!r}; did you mean {near[0]!r}?", f"Scores: {', '.join(names)}"
            )
        if rule.min is not None and rule.max is not None and rule.min > rule.max:
            raise ConfigError(f"filter.rules.{name}: min {rule.min:g} is over max {rule.max:g}", "Nothing would pass.")


def _broken(name: str, rule: Rule, row: Scored) -> str:
    """Why the rule rejects the pair, empty when it does not; mined pairs are judged as aligned ones."""
    origin = "translated" if row.pair.origin == "translated" else "aligned"
    value = row.scores.get(name)
    if value is None or rule.origin not in ("any", origin):
        return ""
    if rule.min is not None and value < rule.min:
        return f"{name} {_shown(value, rule.min)} < {rule.min:g}"
    if rule.max is not None and value > rule.max:
        return f"{name} {_shown(value, rule.max)} > {rule.max:g}"
    return ""


def _shown(value: float, limit: float) -> str:
    """Three digits, or as many as it takes to tell the value from the limit."""
    return next(text for digits in range(3, 18) if float(text := f"{value:.{digits}g}") != limit)


def _key(pair: Pair) -> bytes:
    sides = ((pair.src_text, pair.src_lang), (pair.tgt_text, "en"))
    text = "\n".join(" ".join(same(side, lang).split()) for side, lang in sides)
    return blake2b(f"{pair.src_lang}\n{text}".encode(), digest_size=16).digest()
