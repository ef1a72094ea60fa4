"""mekong: Thai and Vietnamese news text into English, and into parallel corpora.

    import pipeline

    for pair in pipeline.align_texts(thai, english):
        print(pair.src_text, pair.tgt_text, pipeline.score_pair(pair.src_text, pair.tgt_text))

The names in `__all__` are the public Python API, see docs/python.md; the command is `mekong`. A name is imported when
it is first used, so that importing the package loads nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.errors import MekongError
    from pipeline.metrics.evaluation import System, evaluate
    from pipeline.run.api import (
        align_texts,
        filter_pairs,
        make_pair,
        read,
        score_pair,
        score_pairs,
        segment,
        translate_lines,
    )
    from pipeline.types import Document, Pair, Reason, Reject, Scored, Segment, Verdict

__all__ = [
    "Document",
    "MekongError",
    "Pair",
    "Reason",
    "Reject",
    "Scored",
    "Segment",
    "System",
    "Verdict",
    "align_texts",
    "evaluate",
    "filter_pairs",
    "make_pair",
    "read",
    "score_pair",
    "score_pairs",
    "segment",
    "translate_lines",
]

_HOMES = {
    "pipeline.errors": ("MekongError",),
    "pipeline.metrics.evaluation": ("System", "evaluate"),
    "pipeline.types": ("Document", "Pair", "Reason", "Reject", "Scored", "Segment", "Verdict"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME.get(name, "pipeline.run.api")), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
