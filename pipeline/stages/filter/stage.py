"""Stage: scored pairs in, verdicts out: rules over scores, held-out texts, and copies of what was kept before."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from pipeline.config.settings import FilterSettings, Rule
from pipeline.errors import ConfigError
from pipeline.stages.filter.duplicates import Kept, Texts
from pipeline.stages.filter.held_out import HeldOut, load_held_out
from pipeline.stages.filter.shingles import comparable
from pipeline.stages.score.scorers import score_names
from pipeline.types import Reason, Scored, Verdict

HELD_OUT = "held-out"


def filter_pairs(scored: Iterable[Scored], settings: FilterSettings) -> Iterator[Verdict]:
    """One verdict a pair, in order; every rule that fails is a reason, such as "similarity 0.312 < 0.45".

    A side that has a held-out text in it or is part of one is a reason, and so is a pair kept before, exactly or
    nearly the same (`settings.near_duplicates`); give the pairs of a whole run at once to find them across shards.
    See `pipeline.stages.filter.held_out` and `pipeline.stages.filter.duplicates` for the measures and what they cost.
    Raises ConfigError when a rule names an unknown score, InputError when a held-out file cannot be read, before
    any pair is read.
    """
    check_rules(settings.rules)
    return _verdicts(scored, settings, load_held_out(settings.held_out))


def _verdicts(scored: Iterable[Scored], settings: FilterSettings, held_out: HeldOut) -> Iterator[Verdict]:
    kept = Kept(settings.near_duplicates)
    for row in scored:
        pair = row.pair
        source, english = comparable(pair.src_text), comparable(pair.tgt_text)
        texts = Texts(pair.id, pair.src_lang, source, english, pair.origin == "translated")
        reasons = [Reason(score, text) for score, text in failures(settings.rules, row).items()]
        reasons += _held(source, english, held_out)
        copied = kept.find(texts)
        if copied:
            reasons.append(copied)
        elif not reasons:
            kept.add(texts)
        yield Verdict(pair.id, not reasons, tuple(reasons))


def failures(rules: Mapping[str, Rule], row: Scored) -> dict[str, str]:
    """The scores whose rules reject the pair, in order, each with the text of the reason."""
    return {name: reason for name, rule in rules.items() if (reason := _broken(name, rule, row))}


def _held(source: str, english: str, held_out: HeldOut) -> list[Reason]:
    """One reason for each held-out text that a side is or holds, the same place once."""
    matches = {match.place: match for match in map(held_out.find, (source, english)) if match}
    return [Reason(HELD_OUT, f"{HELD_OUT} {match.place} ({match.overlap:.2f})") for match in matches.values()]


def check_rules(rules: Mapping[str, Rule]) -> None:
    """Raises ConfigError when a rule names an unknown score, or has limits that nothing can pass."""
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
