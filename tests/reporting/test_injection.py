"""What is in the data never becomes a part of the page: payloads are read as text, by a parser and by a browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest
from lxml import html

from pipeline import report as report_module
from pipeline.config import Rule
from pipeline.report import build, render
from tests.reporting.fake_run import fake_run

SMALL = ("th-01-astana-visit.txt", "en-03-freight-train-plan.txt", "vi-03-giai-chay-co-do.txt")
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
]
CODED = {"id", "lang", "src_lang", "kind", "ended", "origin", "relation", "src_doc", "tgt_doc", "doc_id", "pair_id"}
CODED |= {"segment_id", "src_segments", "tgt_segments"}
NAMED = {"scores", "rules", "signatures", "rank_by", "packages", "environment"}


def poisoned(value, prefix, field=""):
    """`value` with `prefix` before every string that comes from outside."""
    if field in CODED:
        return value
    if isinstance(value, str):
        return prefix + value if value else value
    if is_dataclass(value):
        return replace(value, **{f.name: poisoned(getattr(value, f.name), prefix, f.name) for f in fields(value)})
    if isinstance(value, Mapping):
        keep = field == "rank_by" or field not in NAMED
        return {k if keep else prefix + k: poisoned(v, prefix) for k, v in value.items()}
    if isinstance(value, Rule) or value is None or isinstance(value, int | float):
        return value
    return tuple(poisoned(item, prefix, field) for item in value)


def inventory(text):
    """Every element with its attributes, in order; values only where they could carry a scheme or a place."""
    root = html.document_fromstring(text)
    found = []
    for element in root.iter():
        attributes = {name: value if name in ("href", "id", "class") else "" for name, value in element.items()}
        found.append((element.tag, tuple(sorted(attributes.items()))))
    return found, root


def without_meaning(payload):
    """As many letters, the same blanks, and the same of what normalisation takes out, since that is marked."""
    return re.sub("[^\\s\\x00-\\x1f\\u202e]", "x", payload)


def test_there_are_enough_payloads():
    assert len(set(PAYLOADS)) >= 50


@pytest.mark.parametrize("payload", PAYLOADS)
def test_data_never_becomes_markup(payload):
    pages = [render(build(poisoned(fake_run(SMALL), prefix))) for prefix in (payload, without_meaning(payload))]
    (found, root), (expected, _) = (inventory(page) for page in pages)
    assert found == expected
    shown = re.sub("[\x00-\x08\x0b-\x1f]", lambda match: chr(0x2400 + ord(match[0])), payload)
    assert text_of(root).count(" ".join(shown.split())) > 50, "the payload must be readable as text"


def test_templates_never_switch_escaping_off():
    folder = Path(report_module.__file__).parent / "templates"
    for path in folder.glob("*.j2"):
        text = path.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", text), path.name
