"""What chat models say around a translation, and instead of one.

News has all of it too: people apologise, courts pass sentences, notes follow tables. So talk counts only outside
quotation marks and where the source speaks of nothing that would read like it in English; `talk_topics.yaml` has the
words that tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pipeline.files.plain_yaml import load_yaml
from pipeline.text import data
from pipeline.text.languages import language, source_languages
from pipeline.text.patterns import either
from pipeline.text.vietnamese import strip_marks

FENCE = "```"
CLOSING = tuple(")]）】")
QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»", "„": "“"}

_COLON = re.compile(r"[:：](?!\d)")
_QUOTED = re.compile(r"“[^”]*(?:”|$)|\"[^\"]*(?:\"|$)|«[^»]*(?:»|$)|(?<!\w)['‘](?:[^'’]|['’](?=\w))*(?:['’]|$)")
"""A quotation that does not end goes on to the end, which also keeps the search from starting over."""
_THINKING = re.compile(r"^\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_FENCE_START = re.compile(r"```[a-z]{0,12}[ \t]*(?:\n|$)|```", re.IGNORECASE)
_OPENER = r"(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|alright|great|no problem|gladly|understood)"
_OPENED = re.compile(rf"^\W{{0,4}}{_OPENER}\W{{0,4}}\n\s*(?=\S)", re.IGNORECASE)
_LABEL = re.compile(
    r"^\W{0,6}(?:(?:the )?(?:english|final|correct|natural|literal) (?:translation|version)|translation|translated text"
    r"|english|in english)\W{0,6}[:：][*_]{0,3}\s*",
    re.IGNORECASE | re.MULTILINE,
)
_MADE = r"(?:translat\w*|(?:in|into|to) english|english (?:version|rendering|text|sentence|equivalent))"
_PRESENTED = re.compile(
    rf"^\W{{0,4}}(?:{_OPENER}\W{{1,4}})?(?:here|below|the|this|my|a possible|following|translat(?:ion|ed))\b"
    rf"(?:(?<=translation)|(?<=translated)|[^:.!?(\[\n]{{0,60}}\b{_MADE})\b[^:.!?(\[\n]{{0,60}}[:：](?!\d)[*_]{{0,3}}\s*",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    rf"^\W{{0,4}}(?:(?:{_OPENER}\W{{1,4}})?here(?: is|['’]s) (?:the|your|my) (?:\w+ ){{0,2}}"
    rf"(?:text|sentence|version|answer|result|response|output)|{_OPENER}\W{{1,4}}here (?:you go|it is|you are))"
    r"\W{0,4}[:：][*_]{0,3}\s*",
    re.IGNORECASE,
)
_EXPLAINED = re.compile(
    r"^\W{0,4}(?:(?:in english\W{1,3})?(?:the|this|it|that) (?:\w+ ){0,2}(?:sentence |text |phrase |word )?"
    r"(?:translates (?:to|as|into)|means|reads|can be translated(?: as)?)(?: in english)?(?: as)?"
    r"|in english\W{1,3}(?:this|it) (?:is|means|says))\s*[:：]\s*",
    re.IGNORECASE,
)
_SURE = ((_LABEL, ("translation", "english")), (_PRESENTED, ("translation", "english")))
_LIKELY = ((_GIVEN, ("text", "answer", "agreement")), (_EXPLAINED, ("meaning", "text", "translation")))
"""What stands before a translation, and the topics of a source that explain it. A colon in the source explains the
likely ones too."""
_AFTERWORD = re.compile(
    r"[(\[](?:note|translator['’]s note|translation note|literally|lit\.|explanation)\b[^()\[\]]*[)\]]?\s*$"
    r"|(?<=[.!?\"”])\s+\**(?:note|translator['’]s note|explanation)\**\s?:[^\n]*$",
    re.IGNORECASE,
)

# Sentences begin at the start, after a mark or a line break; greetings and regrets may come before the point.
_START = (
    r"(?:^|(?<=[.!?:;…]\s)|(?<=[–—-]\s)|(?<=\n))\W{0,5}"
    r"(?:(?:sorry|unfortunately|regrettably|apologies|my apologies|i apologi[sz]e|i['’]?m (?:very |so |really )?sorry"
    r"|i am (?:very |so |really )?sorry|oh|oops|hello|hi|hmm|well|okay|sure|however|currently|thank you|thanks)\b"
    r"[^\w\n]{0,4}(?:but |that )?){0,3}"
)
_WE = r"(?:i|we)(?: (?:really|simply|just|currently|still))?"
_NOT = (
    r"(?:(?:can['’]?t|cannot|can not|could not|couldn['’]t|won['’]t|will not|do not|don['’]t|did not|didn['’]t)"
    r"|(?: ?am|['’]?m|['’]re| are) (?:not able to|unable to|not allowed to|not permitted to|not going to"
    r"|not (?:really )?comfortable|not (?:sure|certain) (?:how to|what)|not in a position to)"
    r"|(?:do not|don['’]t) feel comfortable|must decline to|(?:have to |must )?decline to|refuse to)"
)
_ADVERB = r"(?: (?:directly|fully|accurately|actually|properly|quite|seem to|be able to|able to|please))?"
_TEXT = (
    r"(?:texts?|sentences?|phrase|passage|input|paragraph|prompt|message|translation|content|article|document|words?)"
)
_SHOWN = r"(?:given|provided|original|source|following|above|entire|full|rest of the|LANGUAGES|english)"


@dataclass(frozen=True, slots=True)
class _Talk:
    """A form of talk: its name for messages, the pattern, and the topics of a source that explain it."""

    name: str
    pattern: re.Pattern[str]
    topics: tuple[str, ...]


_FORMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "refusal",
        r"\b(?:(?:as|being|i am|i['’]m|i['’]?m just|we are)(?: (?:just|only|merely))? an? (?:\w+ ){0,3}?"
        r"(?:ai|a\.i\.|language model|llm|chatbot|virtual assistant|artificial intelligence|text-based model)\b"
        r"|as a (?:large )?language model\b|my (?:training data|knowledge cut-?off|programming)\b)",
        ("machine",),
    ),
    (
        "refusal",
        r"\b(?:my|our|openai['’]s) (?:(?:safety |usage |ethical )?guidelines|content policy|\w+ policies|policies)\b",
        ("rules",),
    ),
    ("refusal", rf"{_START}{_WE} ?{_NOT}{_ADVERB} (?:help(?:ing)?|assist(?:ing)?)\b", ("help",)),
    (
        "refusal",
        rf"{_START}{_WE} ?{_NOT}{_ADVERB} (?:translat\w+|interpret|render|(?:provide|offer|give|make|produce|complete"
        r"|perform|do)(?: you with)? (?:an? |the |this |any )?(?:\w+ ){0,2}translation)\b",
        ("translation",),
    ),
    (
        "refusal",
        rf"{_START}{_WE} ?{_NOT}{_ADVERB} (?:fulfil+|comply with|complete|carry out|process|handle|proceed with"
        r"|accommodate) (?:this|that|your|the|such)\b",
        ("request",),
    ),
    ("refusal", rf"{_START}{_WE} ?{_NOT}{_ADVERB} (?:answer|respond|reply)\b", ("answer",)),
    (
        "refusal",
        rf"{_START}{_WE} ?{_NOT}{_ADVERB} (?:provide|generate|create|produce|write|continue|read|see|understand|find"
        rf"|access|recogni[sz]e|identify|have|make sense of)(?: (?:any|the|this|that|your|such|enough|what)| access to)"
        rf" (?:(?:{_SHOWN}|kind of|type of|\w+) ){{0,2}}(?:{_TEXT}|context|request)\b",
        ("text", "request"),
    ),
    ("refusal", rf"{_START}(?:i|we) (?:do not|don['’]t) have\b", ("first_person", "inability")),
    ("refusal", rf"{_START}{_WE} ?{_NOT} ", ("first_person", "inability")),
    (
        "refusal",
        r"(?:^|(?<=[.!?:;…]\s)|(?<=\n))\W{0,5}(?:i(?: (?:do|must|sincerely))? apologi[sz]e|(?:i am|i['’]?m)"
        r"(?: (?:very|so|really|truly))? sorry\b|sorry,? (?:but )?i\b|my apologies|apologies,? but)",
        ("apology", "first_person"),
    ),
    ("refusal", r"\b(?:is |am |are |was )?unable to (?:provide an? )?translat", ("translation", "inability")),
    (
        "request for the text",
        rf"\b(?:(?:please|kindly|could you(?: please)?|can you(?: please)?|would you(?: please)?|you (?:can|may))"
        rf" (?:provide|share|send|give|paste|enter|type|supply|upload|submit|specify|clarify|check)(?: me)?(?: with)?"
        rf" (?:the|your|a|an|any|some|more|which|what)(?: (?:{_SHOWN}|complete|actual|specific|\w+)){{0,2}}"
        rf" (?:{_TEXT}|context))\b",
        ("text", "translation"),
    ),
    (
        "request for the text",
        rf"{_START}(?:(?:please|could you(?: please)?|can you(?: please)?) (?:provide|clarify)"
        r"|(?:what|how|which \w+) (?:would|do) you (?:like|want) (?:me )?to translate"
        r"|how (?:can|may) i (?:help|assist))\b",
        ("plea",),
    ),
    (
        "talk about the text",
        rf"\b(?:(?:there is|there['’]s|there was|i see) no|no|any) (?:{_SHOWN} )?(?:text|sentence)s? "
        r"(?:(?:was|is|were|has been) )?(?:provided|given|available|to translate|to be translated|found|detected)\b"
        r"|\bno translation (?:is |was )?(?:needed|necessary|required|available)\b",
        ("text", "translation"),
    ),
    (
        "talk about the text",
        rf"\b(?:this|your|the) (?:(?:{_SHOWN}) )*(?:sentence|translation|text|phrase|passage|(?<!the )input)"
        r" (?:is|was|means|says|describes|refers|appears|seems|talks|reads|states|expresses|contains|includes|lacks"
        r"|roughly|literally|can be|could be|should be|would be|does not|doesn['’]t|you (?:have )?(?:gave|given|sent)"
        r"|you provided|you['’]ve|provided|given"
        r"|translates|translated)\b",
        ("text", "verdict", "translation"),
    ),
    (
        "talk about the text",
        r"\b(?:LANGUAGES) (?:sentence|text|word|phrase|term|script|characters)s?\b",
        ("text", "translation"),
    ),
    (
        "talk about the text",
        r"\b(?:the|an?|its|in) english (?:word|term|translation|equivalent|phrase|meaning|version|rendering)"
        r"(?:s|\(s\))? (?:for|of|is|would|to)\b",
        ("english", "translation"),
    ),
    (
        "talk about the text",
        r"\b(?:translates (?:to|as|into)|can be translated (?:as|to|into)|is translated (?:as|to|into))\b"
        r"|\bin english,? (?:this|it|that) (?:is|means|would be|says)\b",
        ("translation", "meaning", "english"),
    ),
    (
        "talk about the text",
        r"\b(?:it (?:seems|looks|appears)(?: like| that)? )(?:your (?:message|text|sentence|input|request|question)"
        r"|you(?:['’]ve| have)? (?:provided|entered|sent|pasted|forgotten|forgot|not|did|didn['’]t))",
        ("text", "reader"),
    ),
    (
        "talk with the reader",
        r"(?:(?<=[.!?:;…]\s)|(?<=\n)|^)\W{0,4}(?:i hope (?:this|that) helps|(?:please )?(?:let me know|feel free)\b"
        r"(?: if| to)|if you (?:have|need|would like|['’]d like|want) (?:any|more|further|me to|a |another|additional)"
        r"|is there anything else (?:i|you))",
        ("reader",),
    ),
    (
        "the prompt",
        r"\b(?:use these words|the translation must contain|reply with the translation|you are a (?:professional )?"
        r"translator|translate (?:this|the) (?:following )?(?:LANGUAGES) )",
        ("translation",),
    ),
    (
        "refusal",
        r"\b(?:tôi không thể|tôi xin lỗi|xin lỗi, (?:tôi|nhưng)|là một (?:mô hình|trợ lý) )|抱歉|对不起|我无法",
        (),
    ),
)
"""Forms of talk. LANGUAGES stands for the names of the source languages."""


@cache
def _forms(languages: tuple[str, ...]) -> tuple[_Talk, ...]:
    named = "|".join(map(str.lower, languages))
    return tuple(
        _Talk(name, re.compile(pattern.replace("LANGUAGES", named), re.IGNORECASE), topics)
        for name, pattern, topics in _FORMS
    )


def talk(source: str, hypothesis: str) -> str:
    """What in `hypothesis` is said by the model instead of by the source, for messages; empty where nothing is."""
    if FENCE in hypothesis and FENCE not in source:
        return "a code fence"
    text = _without_quotations(hypothesis, source)
    for form in _forms(tuple(language(code).name for code in source_languages())):
        match = form.pattern.search(text)
        if match and not _speaks_of(source, *form.topics):
            return f"{form.name}: {match.group().strip()!r}"
    for match in _preambles(text, source):
        return f"a preamble: {match.group().strip()!r}"
    return ""


def unwrapped(answer: str, source: str) -> str:
    """The translation inside an answer: no reasoning, code fence, preamble, note after it or quotes around it, and
    one line. What the source explains stays."""
    text = _unfenced(_THINKING.sub("", answer, count=1), source)
    text = _OPENED.sub("", text, count=1)
    for match in _preambles(text, source):
        text = text[match.end() :].strip() or text
        break
    text = _unfenced(text, source).split("\n", 1)[0].strip()
    if source.rstrip()[-1:] not in CLOSING and not _speaks_of(source, "note"):
        text = _AFTERWORD.sub("", text).rstrip()
    return _unquoted(text, source)


def _unfenced(text: str, source: str) -> str:
    text = text.strip()
    if FENCE in source:
        return text
    start = _FENCE_START.match(text)
    return text[start.end() if start else 0 :].removesuffix(FENCE).strip()


def _preambles(text: str, source: str) -> Iterator[re.Match[str]]:
    """Openings of `text` that end in a colon which the source does not explain."""
    colon = _COLON.search(source) is not None
    for pattern, topics in _SURE if colon else (*_SURE, *_LIKELY):
        match = pattern.search(text)
        if match and not _speaks_of(source, *topics):
            yield match


def _unquoted(text: str, source: str) -> str:
    if len(text) < 2 or QUOTES.get(text[0]) != text[-1] or text[0] in text[1:-1]:
        return text
    inside = text[1:-1].strip()
    quoting = [mark for mark in source if mark in QUOTES]
    if source[:1] in QUOTES or (quoting and not any(mark in QUOTES for mark in inside)):
        return text
    return inside


def _without_quotations(text: str, source: str) -> str:
    """`text` with spaces for what it quotes; an answer wholly in quotes is none where the source has no such."""
    return _QUOTED.sub(lambda match: " " * len(match.group()), _unquoted(text.strip(), source))


def _speaks_of(source: str, *topics: str) -> bool:
    patterns = _topics()
    plain = strip_marks(source) == source
    return any(patterns[topic][plain].search(source) for topic in topics)


@cache
def _topics() -> Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    """Patterns of each topic: for a source as it should be, and for Vietnamese written without marks."""
    table: Mapping[str, list[str]] = load_yaml(data.FOLDER / "talk_topics.yaml")
    return {topic: (_words(words), _words([*words, *map(strip_marks, words)])) for topic, words in table.items()}


def _words(words: list[str]) -> re.Pattern[str]:
    """Words in Latin letters as whole words, others anywhere, for Thai has no spaces."""
    thai = [word for word in words if language("th").letter().match(word)]
    capitals = {word for word in words if word.isupper()}
    latin = either(set(words) - set(thai) - capitals)
    return re.compile(rf"{either(thai) or '(?!)'}|\b(?:(?i:{latin})|{either(capitals) or '(?!)'})(?:(?<=\W)|(?!\w))")
