"""Plain data to one HTML file, through autoescaped templates."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from pipeline.report import drawings
from pipeline.report.summary import p_value, plural
from pipeline.text.languages import language

if TYPE_CHECKING:
    from jinja2 import Environment

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
ENDED = {
    "stop": "complete",
    "length": "ran into the length limit",
    "empty": "empty",
    "copied": "copied from the source",
    "looped": "repeats itself",
    "refused": "the model refused",
    "incomplete": "something is missing",
    "failed": "the engine failed",
}


MARKS = {
    "missing": "not found in the English",
    "added": "not found in the source",
    "calendar": "Buddhist year left as it was",
    "untranslated": "still the source language",
    "differs": "not in the other English text",
}
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TAGS = "\U000e0000-\U000e007f"
_UNSEEN = re.compile(f"[{_DIRECTION}{_TAGS}]")


def render(report: dict[str, Any]) -> str:
    """The HTML page of what `pipeline.report.build.build` made.

    It loads nothing: style and script are inline, and the content security policy names them by their hashes.
    """
    return standalone("report.html.j2", ("style.css",), "script.js", report=report)[0]


def render_comparison(comparison: dict[str, Any]) -> str:
    """The HTML page of what `pipeline.report.comparison.build_comparison` made, under the same policy."""
    return standalone("comparison.html.j2", ("style.css",), "script.js", comparison=comparison)[0]


def standalone(template: str, styles: Sequence[str], script: str, **values: Any) -> tuple[str, str]:
    """A page of a template with its style and script inside, and the content security policy that allows only these."""
    page = _environment()
    style = "".join(page.get_template(name).render() for name in styles)
    code = page.get_template(script).render()
    policy = (
        f"default-src 'none'; style-src '{_source_hash(style)}'; script-src '{_source_hash(code)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    # All are files of this package; nothing else is ever marked as safe.
    inline = {"style": Markup(style), "script": Markup(code), "policy": policy}  # noqa: S704
    return page.get_template(template).render(**inline, **values), policy


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    page = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    page.filters |= {
        "count": _count,
        "rate": _rate,
        "score": _score,
        "plural": plural,
        "yaml": _yaml,
        "visible": _visible,
        "mark": MARKS.__getitem__,
        "change": _change,
        "difference": _difference,
        "p": p_value,
        "setting": _setting,
    }
    page.filters |= {"language": _language, "ended": _ended}
    page.globals |= {
        "bars": drawings.bars,
        "histogram": drawings.histogram,
        "alignment": drawings.alignment,
        "slice_bar": drawings.slice_bar,
    }
    return page


def _source_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _printable(value: Any) -> Any:
    """Text with what would act instead of being read made visible.

    Control characters have no place in HTML: shown as the control pictures of Unicode, C1 as U+FFFD. Characters that
    turn the direction of writing, or hide text, are named.
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        value = _UNPRINTABLE.sub(lambda match: _picture(ord(match[0])), value)
        return _UNSEEN.sub(lambda match: f"[U+{ord(match[0]):04X}]", value)
    return value


def _picture(code: int) -> str:
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def _visible(text: str) -> str:
    """Text in which characters that cannot be seen have names: spaces as ␣ or U+00A0, marks on a dotted circle."""
    return "".join(_named(char) for char in text)


def _named(char: str) -> str:
    if char == " ":
        return "␣"
    kind = unicodedata.category(char)
    if kind in ("Mn", "Mc", "Me"):
        return f"\u25cc{char}"
    return f"[U+{ord(char):04X}]" if kind[0] in "CZ" else char


def _count(number: int) -> str:
    return f"{number:,}"


def _rate(value: float | None) -> str:
    """A share in percent; only an exact 1 reads 100 %, only an exact 0 reads 0 %."""
    if value is None:
        return "–"
    shown = value if value in (0, 1) else min(max(value, 0.001), 0.999)
    return f"{100 * shown:.1f} %"


def _change(number: int) -> str:
    """A difference of counts with its sign."""
    return f"{number:+,}" if number else "0"


def _difference(value: float, digits: int) -> str:
    return f"{value:+,.{digits}f}"


def _setting(value: Any) -> str:
    return (
        "–" if value is None else str(yaml.safe_dump(value, allow_unicode=True, default_flow_style=True)).strip(".\n")
    )


def _score(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False))


def _language(code: str) -> str:
    return language(code).name


def _ended(code: str) -> str:
    return ENDED.get(code, code)
