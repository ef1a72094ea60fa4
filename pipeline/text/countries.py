"""Which countries a text names, in Thai, Vietnamese or English.

Names come from CLDR (through Babel) and from `data/countries.yaml`, which adds the short forms of the news, peoples
and adjectives. The longest name wins, so สาธารณรัฐเกาหลี is South Korea and Ấn Độ Dương (the Indian Ocean) is nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from pipeline.files.plain_yaml import load_yaml
from pipeline.text.languages import language
from pipeline.text.patterns import prefix_tree
from pipeline.text.thai_words import ThaiCutter, thai_cutter
from pipeline.text.unicode import fold
from pipeline.text.vietnamese import strip_marks

_TABLE = Path(__file__).parent / "data" / "countries.yaml"
_NOTHING: frozenset[str] = frozenset()
BEFORE = 80
"""So many characters before a name are looked at: a word or two, and the quotation mark or blanks before them."""
_SENTENCE_START = re.compile(r"(?:^|[.!?…:]|\n)[\s\"'“‘(]*$")
_WORD_BEFORE = re.compile(r"([^\W\d_]+)[ -]$")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a text and the ISO 3166 codes of the countries it may stand for."""

    name: str
    codes: frozenset[str]


def mentions(text: str, lang: str) -> list[Mention]:
    """The countries that a normalised `text` names; in Thai also those in Latin letters, elsewhere by English names."""
    rule = language(lang).countries
    if rule == "thai":
        return [*_thai(text), *_english(text)]
    return list(_vietnamese(text) if rule == "vietnamese" else _english(text))


def country_codes(name: str, lang: str) -> frozenset[str]:
    """The ISO 3166 codes of the countries that a name in `lang` may stand for; none where it is no country's."""
    return _names(lang).get(name, _NOTHING)


def english_name(code: str) -> str:
    """What CLDR calls the country in English; KO is Korea where nobody says which."""
    return "Korea" if code == "KO" else str(_cldr("en")[code])


@cache
def names_by_word(lang: str) -> Mapping[str, tuple[str, ...]]:
    """For each English word that a country's name or its adjective consists of, folded, what a text in `lang` may call
    the country. Words of longer names (United, South, Republic) are left out."""
    found: dict[str, set[str]] = {}
    ours: dict[str, set[str]] = {}
    for name, codes in _names(lang).items():
        for code in codes:
            ours.setdefault(code, set()).add(name.casefold())
    for name, codes in _names("en").items():
        if " " not in name:
            found.setdefault(fold(name), set()).update(*(ours.get(code, ()) for code in codes))
    return {word: tuple(sorted(names)) for word, names in found.items() if names}


@cache
def _table() -> Any:
    return load_yaml(_TABLE)


@cache
def _cldr(lang: str) -> dict[str, str]:
    from babel import Locale, localedata

    if not localedata.exists(lang):
        return {}
    left_out = set(_table()["left_out"])
    territories = Locale(lang).territories
    return {code: name for code, name in territories.items() if code.isalpha() and code not in left_out}


@cache
def _names(lang: str) -> Mapping[str, frozenset[str]]:
    """Every name of a language with the codes it stands for; none for expressions that name no country."""
    found: dict[str, set[str]] = {}
    for code, name in _cldr(lang).items():
        for part in re.findall(r"[^()]+", name):
            found.setdefault(part.strip(), set()).add(code)
    for code, others in _table()["countries"].items():
        for name in others.get(lang, ()):
            found.setdefault(name, set()).add(code)
    names = {name: frozenset(codes) for name, codes in found.items()}
    prefixes = _table()["th_prefixes"] if lang == "th" else ()
    names |= {prefix + name: codes for prefix in prefixes for name, codes in names.items()}
    nothing = [*_table()["no_country"].get(lang, ())]
    nothing += [money + name for money in _table()["money"].get(lang, ()) for name in names]
    return names | dict.fromkeys(nothing, _NOTHING)


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){prefix_tree(names)}(?!\w)")


def _plain(text: str) -> str:
    """Without marks, apostrophes as ASCII has them."""
    return strip_marks(text.replace("‘", "'").replace("’", "'"))


@cache
def _english_names() -> tuple[re.Pattern[str], dict[str, frozenset[str]]]:
    """Marks stripped, & as and, with plurals, and in capitals as in headlines."""
    names: dict[str, frozenset[str]] = {}
    for name, codes in _names("en").items():
        plain = _plain(name)
        for form in (plain, plain.replace(" & ", " and ")):
            for written in (form, form + "s") if len(form) > 3 else (form,):
                for cased in (written, written.upper()):
                    names[cased] = names.get(cased, _NOTHING) | codes
    return _pattern(names), names


def _english(text: str) -> Iterator[Mention]:
    pattern, names = _english_names()
    for match in pattern.finditer(_plain(text)):
        if names[match[0]]:
            yield Mention(match[0], names[match[0]])


@cache
def _vietnamese_names() -> tuple[re.Pattern[str], dict[str, frozenset[str]]]:
    """With the English names, which the news uses as they are, and both places of the tone mark (Thụy, Thuỵ)."""
    names = {**{k: v for k, v in _names("en").items() if " & " not in k and len(k) > 3}, **_names("vi")}
    for name in list(names):
        moved = name.replace("òa", "oà").replace("ụy", "uỵ")
        names[moved] = names[name]
    return _pattern(names), names


def _vietnamese(text: str) -> Iterator[Mention]:
    pattern, names = _vietnamese_names()
    ambiguous = set(_table()["ambiguous"]["vi"])
    for match in pattern.finditer(text):
        name, before = match[0], _before(text, match.start())
        if not names[name]:
            continue
        if " " not in name and (name in ambiguous or len(name) < 4) and _in_a_name(before, name in ambiguous):
            continue
        yield Mention(name, names[name])


def _before(text: str, place: int) -> str:
    return text[max(0, place - BEFORE) : place]


def _in_a_name(before: str, ambiguous: bool) -> bool:
    """Whether a short name after `before` is rather a common word, or part of a longer name (Nguyễn Thị Nga)."""
    if _SENTENCE_START.search(before):
        return ambiguous
    previous = _WORD_BEFORE.search(before)
    if not previous or not previous[1].istitle():
        return False
    return not _SENTENCE_START.search(before[: previous.start()])


@cache
def _thai_name() -> re.Pattern[str]:
    """Matches in every text that has a Thai name: those that are not another name after a prefix or a currency."""
    names, table = _names("th"), _table()
    before = (*table["th_prefixes"], *table["money"].get("th", ()))
    longer = {first + name for first in before for name in names}
    return re.compile(prefix_tree(name for name in names if name not in longer))


@dataclass(frozen=True, slots=True)
class _ThaiNames:
    """What finds names in Thai text: the names and expressions, their first two characters, what cuts by them."""

    names: Mapping[str, frozenset[str]]
    heads: frozenset[str]
    longest: int
    cutter: ThaiCutter
    ambiguous: frozenset[str]
    before_it: tuple[str, ...]


@cache
def _thai_names() -> _ThaiNames:
    names, table = _names("th"), _table()["ambiguous"]
    heads = frozenset(name[:2] for name in names)
    cutter = thai_cutter(*names)
    return _ThaiNames(names, heads, max(map(len, names)), cutter, frozenset(table["th"]), tuple(table["th_before"]))


def _thai(text: str) -> Iterator[Mention]:
    """Names from word boundary to word boundary: ลาว in a longer word is no country."""
    if not _thai_name().search(text):
        return
    rules = _thai_names()
    cuts = [0, *accumulate(map(len, rules.cutter.cut(text)))]
    done = 0
    for place, start in enumerate(cuts):
        if start < done or text[start : start + 2] not in rules.heads:
            continue
        within = cuts[place + 1 : bisect_right(cuts, start + rules.longest)]
        end = next((end for end in reversed(within) if text[start:end] in rules.names), None)
        if end is not None:
            done, name = end, text[start:end]
            codes = rules.names[name]
            if codes and (name not in rules.ambiguous or _before(text, start).rstrip().endswith(rules.before_it)):
                yield Mention(name, codes)
