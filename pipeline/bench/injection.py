"""Good pairs made bad in known ways, to measure what a filter catches.

Every kind damages each pair that has what it damages, in every variant; what a pair is damaged with (another sentence,
name, digit) is drawn from a generator seeded by the seed, the kind and the pair's place, so the same pairs are damaged
alike whatever else is asked for. The idea is that of Xu and Koehn (2017, D17-1319) and Khayrallah and Koehn (2018,
W18-2709): noise of a known kind is what a filter can be held to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from pipeline.text.numbers import EN_MONTHS, numbers
from pipeline.text.numbers.years_thai import BUDDHIST_OFFSET
from pipeline.text.patterns import either

SEVERAL = 3
"""How often a looping phrase stands in the text."""
PHRASE = (3, 6)
"""Words of a repeated phrase, least and most."""
FOREIGN = {
    "th": "เมื่อวานนี้คณะกรรมการได้ประชุมกันที่ศาลาว่าการ และตกลงว่าจะเริ่มก่อสร้างสะพานแห่งใหม่ในปีหน้า",
    "vi": "Hôm qua ủy ban đã họp tại tòa thị chính và quyết định sang năm sẽ khởi công xây dựng cây cầu mới.",
    "fr": "Le comité s'est réuni hier à la mairie et a décidé de commencer bientôt la construction du nouveau pont.",
    "de": "Der Ausschuss kam gestern im Rathaus zusammen und beschloss, dass der Bau der neuen Brücke bald beginnt.",
    "es": "El comité se reunió ayer en el ayuntamiento y decidió que la obra del nuevo puente empezará muy pronto.",
    "id": "Panitia bertemu kemarin di balai kota dan memutuskan bahwa pembangunan jembatan baru akan segera dimulai.",
}
"""What stands in for a side in the wrong language where the corpus has no text in another one."""

_DIGIT = re.compile(r"\d")
_NAME = re.compile(r"(?<=[a-z,;] )(?!I\b)[A-Z][\w'’-]*[\w](?: [A-Z][\w'’-]*\w)*")
_PERCENT = re.compile(r"(?<=\d)(?: ?%| per ?cent\b)")
_DATE = re.compile(
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|January|February|March|April|May|June|July|August|September|"
    r"October|November|December|Mr|Mrs|Ms|Dr)$"
)
_NEGATION = (
    (re.compile(r"\b(can)not\b|\b(ca)n['’]t\b", re.IGNORECASE), "can"),
    (re.compile(r"\bwon['’]t\b"), "will"),
    (re.compile(r"\b(do|does|did) not\b |\b(?:don|doesn|didn)['’]t\b ", re.IGNORECASE), ""),
    (re.compile(r"(?<=[a-z])n['’]t\b| \bnot\b| \bnever\b", re.IGNORECASE), ""),
)


_AMOUNT = r"\d[\d.,]*(?: (?:thousand|million|billion|trillion))?[ -]"
_CURRENCIES = {
    "dollars": "yuan",
    "dollar": "yuan",
    "baht": "dollars",
    "dong": "yuan",
    "yuan": "baht",
    "euros": "dollars",
    "euro": "dollars",
    "pounds": "euros",
    "yen": "won",
}
_SIGNS = {"US$": "€", "$": "€", "£": "$", "€": "$"}
_MEASURES = {
    "kilometers": "miles",
    "kilometres": "miles",
    "km": "miles",
    "miles": "kilometers",
    "mile": "kilometer",
    "meters": "feet",
    "metres": "feet",
    "feet": "meters",
    "hectares": "acres",
    "acres": "hectares",
    "rai": "hectares",
    "tonnes": "kilograms",
    "tons": "kilograms",
    "kilograms": "tonnes",
    "kg": "tonnes",
}
_MONTH_YEAR = re.compile(rf"(?<=[a-z,;] )({either(EN_MONTHS)}) (\d{{4}})")


@dataclass(frozen=True, slots=True)
class Good:
    """A pair that is right; `document` is the name of its document, empty where it stands alone."""

    src_text: str
    tgt_text: str
    src_lang: str
    document: str = ""


@dataclass(frozen=True, slots=True)
class Damaged:
    """The pair at `place` of the good ones, made bad; `src_lang` stays what it was said to be."""

    kind: str
    variant: str
    place: int
    src_text: str
    tgt_text: str


@dataclass(frozen=True, slots=True)
class Material:
    """All good pairs, and what is drawn from them: English names, texts by language."""

    pairs: Sequence[Good]
    names: tuple[str, ...]
    texts: dict[str, tuple[str, ...]]


Texts = tuple[str, str]
Injector = Callable[[Good, int, Material, Random], "Texts | None"]
"""Both texts after the damage, None where the pair has nothing to damage."""


def inject(pairs: Sequence[Good], seed: int = 1) -> Iterator[Damaged]:
    """Every pair in every kind and variant that it can be damaged in, kind by kind."""
    names = sorted({name for pair in pairs for name in _names(pair.tgt_text)})
    texts = {lang: tuple(pair.src_text for pair in pairs if pair.src_lang == lang) for lang in ("th", "vi")}
    material = Material(pairs, tuple(names), {lang: found for lang, found in texts.items() if found})
    for (kind, variant), injector in INJECTORS.items():
        for place, pair in enumerate(pairs):
            damaged = injector(pair, place, material, Random(f"{seed}|{kind}|{variant}|{place}"))
            if damaged is not None and damaged != (pair.src_text, pair.tgt_text):
                yield Damaged(kind, variant, place, *damaged)


def _shuffled(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """The English of another sentence, drawn from all."""
    others = [other.tgt_text for other in material.pairs if other.src_lang == pair.src_lang]
    for _ in range(20):
        other = random.choice(others)
        if other != pair.tgt_text:
            return pair.src_text, other
    return None


def _neighbour(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """The English of the next sentence of the document."""
    if not pair.document or place + 1 == len(material.pairs):
        return None
    other = material.pairs[place + 1]
    same = (other.document, other.src_lang) == (pair.document, pair.src_lang)
    return (pair.src_text, other.tgt_text) if same else None


def _cut(side: str, end: str) -> Injector:
    def truncated(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
        """Without the first or the last third: of the words, in Thai of the characters, near a space."""
        text = pair.src_text if side == "source" else pair.tgt_text
        left = _third_away(text, end == "end")
        if not left:
            return None
        return (left, pair.tgt_text) if side == "source" else (pair.src_text, left)

    return truncated


def _third_away(text: str, at_end: bool) -> str:
    words = text.split()
    if len(words) >= 3 and len(text) / len(words) < 12:
        third = max(1, round(len(words) / 3))
        return " ".join(words[:-third] if at_end else words[third:])
    if len(text) < 12:
        return ""
    cut = round(len(text) * (2 / 3 if at_end else 1 / 3))
    spaces = [i for i, char in enumerate(text) if char == " " and abs(i - cut) <= len(text) / 12]
    cut = min(spaces, key=lambda i: abs(i - cut), default=_cluster_start(text, cut))
    return text[:cut].rstrip() if at_end else text[cut:].lstrip()


def _cluster_start(text: str, at: int) -> int:
    """The first place from `at` on where no Thai character is torn from its vowels and tone marks."""
    while at < len(text) and (text[at] in "ะาำๅๆ" or not text[at].isalpha()) and not text[at].isspace():
        at += 1
    return at


def _copied(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    return pair.src_text, pair.src_text


def _wrong_target(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """A text of the other source language in place of the English."""
    return pair.src_text, _foreign(pair, material, random, {"en", pair.src_lang})


def _wrong_source(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """A text of another language in place of the source."""
    return _foreign(pair, material, random, {"en", pair.src_lang}), pair.tgt_text


def _english_source(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """The English on both sides."""
    return pair.tgt_text, pair.tgt_text


def _foreign(pair: Good, material: Material, random: Random, but: set[str]) -> str:
    drawn = [*(lang for lang in material.texts if lang not in but), *(lang for lang in FOREIGN if lang not in but)]
    lang = random.choice(drawn)
    return random.choice(material.texts[lang]) if lang in material.texts else FOREIGN[lang]


def _number(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """One digit of one number of the English is another."""
    stated = [number for number in numbers(pair.tgt_text, "en") if pair.tgt_text[number.start].isdigit()]
    if not stated:
        return None
    number = random.choice(stated)
    digits = [m.start() for m in _DIGIT.finditer(pair.tgt_text, number.start, number.end)]
    at = random.choice(digits)
    leading = at == digits[0] and len(digits) > 1
    other = random.choice([d for d in "0123456789" if d != pair.tgt_text[at] and not (leading and d == "0")])
    return pair.src_text, pair.tgt_text[:at] + other + pair.tgt_text[at + 1 :]


def _unit(others: Mapping[str, str], *, sign: bool) -> Injector:
    forms = either(others)
    pattern = re.compile(rf"(?P<unit>{forms})(?=\d)" if sign else rf"{_AMOUNT}(?P<unit>{forms})\b(?![/-])")

    def changed(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
        """One amount of the English in another unit of the same kind."""
        found = list(pattern.finditer(pair.tgt_text))
        if not found:
            return None
        start, end = random.choice(found).span("unit")
        return pair.src_text, pair.tgt_text[:start] + others[pair.tgt_text[start:end]] + pair.tgt_text[end:]

    return changed


def _per_mille(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """The first percentage of the English is one of a thousand."""
    return pair.src_text, _PERCENT.sub(" per mille", pair.tgt_text, count=1)


def _day_added(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """A day before the first month that has a year only."""
    return pair.src_text, _MONTH_YEAR.sub(rf"\1 {random.randint(13, 28)}, \2", pair.tgt_text, count=1)


def _share_added(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """A percentage that nobody stated, at the end."""
    text = pair.tgt_text.rstrip(" .")
    return pair.src_text, f"{text}, up {random.randint(13, 98)} percent."


def _buddhist(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """The years of the English in the Buddhist era, where the Thai source states them, in either era."""
    if pair.src_lang != "th":
        return None
    text = pair.tgt_text
    for value in sorted({int(n.value) for n in numbers(pair.src_text, "th") if n.kind == "year"}):
        text = re.sub(rf"(?<!\d){value}(?!\d)", str(value + BUDDHIST_OFFSET), text)
    return pair.src_text, text


def _negation(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """Without its first "not", "n't" or "never"."""
    for pattern, instead in _NEGATION:
        text, found = pattern.subn(instead, pair.tgt_text, count=1)
        if found:
            return pair.src_text, text
    return None


def _name(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
    """One English name (capitalised, inside a sentence, no weekday or month) replaced by another of the corpus."""
    found = [m for m in _NAME.finditer(pair.tgt_text) if _is_name(m[0])]
    others = [name for name in material.names if name not in pair.tgt_text]
    if not found or not others:
        return None
    chosen = random.choice(found)
    return pair.src_text, pair.tgt_text[: chosen.start()] + random.choice(others) + pair.tgt_text[chosen.end() :]


def _names(text: str) -> list[str]:
    return [match[0] for match in _NAME.finditer(text) if _is_name(match[0])]


def _is_name(name: str) -> bool:
    return not any(_DATE.match(word) for word in name.split())


def _repeated(times: int) -> Injector:
    def repeated(pair: Good, place: int, material: Material, random: Random) -> Texts | None:
        """A phrase of the English once more, or over and over, right after itself."""
        words = pair.tgt_text.split()
        size = min(random.randint(*PHRASE), len(words))
        if size < PHRASE[0]:
            return None
        start = random.randrange(len(words) - size + 1)
        end = start + size
        return pair.src_text, " ".join([*words[:end], *words[start:end] * (times - 1), *words[end:]])

    return repeated


INJECTORS: dict[tuple[str, str], Injector] = {
    ("shuffled", "any sentence"): _shuffled,
    ("truncated", "English end"): _cut("target", "end"),
    ("truncated", "English front"): _cut("target", "front"),
    ("truncated", "source end"): _cut("source", "end"),
    ("truncated", "source front"): _cut("source", "front"),
    ("copied", "source as English"): _copied,
    ("wrong language", "target"): _wrong_target,
    ("wrong language", "source"): _wrong_source,
    ("wrong language", "source English"): _english_source,
    ("number changed", "one digit"): _number,
    ("number changed", "per mille"): _per_mille,
    ("unit changed", "currency"): _unit(_CURRENCIES, sign=False),
    ("unit changed", "sign of a currency"): _unit(_SIGNS, sign=True),
    ("unit changed", "measure"): _unit(_MEASURES, sign=False),
    ("number added", "day"): _day_added,
    ("number added", "percentage"): _share_added,
    ("Buddhist year", "English year"): _buddhist,
    ("name swapped", "one name"): _name,
    ("phrase repeated", "once more"): _repeated(2),
    ("phrase repeated", "loop"): _repeated(SEVERAL),
    ("neighbour", "next sentence"): _neighbour,
    ("negation dropped", "first"): _negation,
}
"""By kind and variant."""

REPORT_ONLY = frozenset(["negation dropped", "neighbour", "number added"])
"""Kinds that are measured and that no goal is set for: neighbouring sentences on one subject are for the aligner to
tell apart, and people who translate say a negation otherwise and add numbers where machines should not."""
