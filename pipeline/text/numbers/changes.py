"""What a text says of how amounts change: that they rise or fall, by a number, to it, or from it.

"increased by 20 billion" of nâng lên 20 tỷ is another fact though no number is lost, and so is "fell" of เพิ่มขึ้น. Only
what stands close before a number is read, and a number that either side says nothing of says nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from pipeline.files.plain_yaml import load_yaml
from pipeline.text.languages import language
from pipeline.text.numbers.agreement import StatedNumbers
from pipeline.text.numbers.quantities import Number
from pipeline.text.patterns import either

_TABLE = Path(__file__).parents[1] / "data" / "changes.yaml"
REACH = 90
"""Characters before a number in which its verb is looked for, in the same sentence. Set by hand."""
STEP = 30
"""Characters before a number in which the words between it and the verb stand."""
ENDINGS = re.escape("~")
AMOUNTS = frozenset(["number", "percent", "permille", "money"])
_SIGN = r"(?:[$€£฿₫]|US\$|USD|VND|VNĐ|THB|baht|-|−|\+)?\s*"
_SENTENCE = re.compile(r"[.!?;](?=\s)")


@dataclass(frozen=True, slots=True)
class AmountChange:
    """How a number is said to change: `relation` is "by", "to" or "from", `direction` "up" or "down"."""

    relation: str
    direction: str

    def words(self, amount: str) -> str:
        """For people and for a model: "up to 20 billion"."""
        return f"{self.direction} {self.relation} {amount}"


@dataclass(frozen=True, slots=True)
class Bound:
    """That an amount is more than a number ("over") or less ("under")."""

    side: str

    def words(self, amount: str) -> str:
        """For people and for a model: "more than 20 billion"."""
        return f"{'more' if self.side == 'over' else 'less'} than {amount}"


Said = AmountChange | Bound


@dataclass(frozen=True, slots=True)
class OtherChange:
    """A number of one text, how it changes there or what it bounds, and what the other text says of that."""

    number: Number
    change: Said
    other: Said


@dataclass(frozen=True, slots=True)
class _ChangeWords:
    """How a language says it: the verbs by direction, what ends the text before a number, the number that goes with a
    verb, what stands before a new level, what softens a number, what makes it a factor, what makes it a bound, bounds
    anywhere, and what turns them about."""

    verbs: re.Pattern[str]
    relation: re.Pattern[str]
    owned: re.Pattern[str]
    to: re.Pattern[str]
    near: re.Pattern[str]
    times: re.Pattern[str]
    bound: re.Pattern[str]
    bounds: re.Pattern[str]
    turned: re.Pattern[str]


def change_of(text: str, number: Number, lang: str) -> AmountChange | None:
    """What the text before a number says of its change, None for nothing."""
    forms = _forms(lang)
    if forms.times.match(text, number.end):
        return None
    before = _SENTENCE.split(text[max(0, number.start - REACH) : number.start])[-1]
    if not forms.verbs.search(before):  # most numbers change nothing, and the rest costs more
        return None
    before = forms.near.sub("", before)
    relation = forms.relation.search(before[-STEP:])
    head = before[: len(before) - len(relation[0])] if relation else before
    verbs = list(forms.verbs.finditer(head))
    if not verbs:
        return None
    direction, between = str(verbs[-1].lastgroup), head[verbs[-1].end() :]
    if forms.owned.search(between):
        return None  # the verb is another number's
    if relation and relation.lastgroup == "from" and not forms.to.search(text[number.end : number.end + STEP]):
        return None  # may be a range: from 30 to 50 of them
    if relation:
        return AmountChange(str(relation.lastgroup), direction)
    return AmountChange("by", direction) if not between.strip() else None


def bound_of(text: str, number: Number, lang: str) -> Bound | None:
    """What the words before a number bound, None where there are none."""
    found = _forms(lang).bound.search(text[max(0, number.start - STEP) : number.start])
    return Bound(str(found.lastgroup)) if found else None


def other_changes(source: StatedNumbers, target: StatedNumbers) -> list[OtherChange]:
    """The numbers of `source` of which `target` says another change, by for to or up for down, or another bound; none
    in a language whose words for it are not known."""
    found: list[OtherChange] = []
    if not {source.lang, target.lang} <= _table().keys():
        return found
    for say in (change_of, bound_of):
        ours: defaultdict[Decimal, list[tuple[Number, Said]]] = defaultdict(list)
        for number, said in _all(source, say):
            ours[number.value].append((number, said))
        theirs: defaultdict[Decimal, list[Said]] = defaultdict(list)
        for number, said in _all(target, say) if ours else ():
            theirs[number.value].append(said)
        for value, mine in ours.items():
            others = theirs.get(value, [])
            if others and not any(said == other for _, said in mine for other in others):
                number, said = mine[0]
                found.append(OtherChange(number, said, others[0]))
    if any(isinstance(other.change, Bound) for other in found) and (_turned(source) or _turned(target)):
        return [other for other in found if not isinstance(other.change, Bound)]
    return found


def _turned(stated: StatedNumbers) -> bool:
    """Whether a text forbids, limits or denies, so that its bounds may be said the other way round."""
    forms = _forms(stated.lang)
    return forms.turned.search(forms.bounds.sub(" ", stated.text)) is not None


def _all(stated: StatedNumbers, say: Callable[[str, Number, str], Said | None]) -> list[tuple[Number, Said]]:
    asked = (number for number in stated.numbers if number.kind in AMOUNTS)
    found = ((number, say(stated.text, number, stated.lang)) for number in asked)
    return [(number, said) for number, said in found if said]


@cache
def _table() -> Mapping[str, Mapping[str, Sequence[str]]]:
    loaded: Mapping[str, Mapping[str, Sequence[str]]] = load_yaml(_TABLE)
    return loaded


@cache
def _forms(lang: str) -> _ChangeWords:
    table = _table()[lang]
    latin = not language(lang).script
    start, end = (r"(?<!\w)", r"(?!\w)") if latin else ("", "")

    def words(name: str) -> str:
        return rf"{start}(?:{either(table[name]).replace(ENDINGS, '(?:e|es|ed|ing|s)?')}){end}"

    def named(*names: str) -> str:
        return "|".join(f"(?P<{name}>{words(name)})" for name in names)

    patterns = (
        named("up", "down"),
        rf"(?:{named('to', 'from', 'by')})\s*$",
        rf"(?:^|{words('to')}|{words('by')})(?:\s*{words('near')})*\s*{_SIGN}\d",
        words("to"),
        rf"(?:\s*{words('near')})*\s*{_SIGN}$",
        rf"[ -]?{words('times')}",
        rf"(?:{named('over', 'under')})\s*{_SIGN}$",
        f"{words('over')}|{words('under')}",
        words("turned"),
    )
    return _ChangeWords(*(re.compile(pattern, re.IGNORECASE) for pattern in patterns))
