"""Small test sets of the project's own making."""

from __future__ import annotations

import random
from pathlib import Path

from pipeline.metrics.evaluation import System

REFERENCE = [
    "The cabinet approved the budget on Tuesday.",
    "Floods have hit twelve provinces in the north.",
    "The two countries will open a new border crossing.",
    "Exports of durian rose by a third last year.",
]
GOOD = [
    "The cabinet approved a budget on Tuesday.",
    "Floods hit twelve northern provinces.",
    "Both countries will open a new border crossing.",
    "Durian exports rose by a third last year.",
]
BAD = ["Cabinet budget.", "Water in provinces of the north.", "Two lands open crossing.", "Durian sold more."]

_WHO = ["The ministry", "A court", "The mayor of the port", "Rice growers", "The two airlines", "Doctors", "Parliament"]
_DID = ["rejected", "praised", "will pay for", "has closed", "is studying", "sold", "postponed"]
_WHAT = ["the new railway", "three bridges", "a plan to plant trees", "the old market", "cheaper loans", "the bill"]
_WHEN = ["on Monday.", "last week.", "after the floods.", "for the second time.", "in the south."]


def news(segments: int) -> list[str]:
    """Made-up sentences, the same ones each time."""
    choose = random.Random(7)
    return [" ".join(choose.choice(part) for part in (_WHO, _DID, _WHAT, _WHEN)) for _ in range(segments)]


def worse(name: str, reference: list[str], share: float, seed: int) -> System:
    """A system that gets about `share` of the words wrong."""
    choose = random.Random(seed)
    words = sorted({word for text in reference for word in text.split()})
    texts = [
        " ".join(choose.choice(words) if choose.random() < share else word for word in text.split())
        for text in reference
    ]
    return System(name, tuple(texts))


def written(folder: Path) -> list[Path]:
    """GOOD, BAD and REFERENCE as files of a line a segment."""
    paths = []
    for name, lines in (("good", GOOD), ("bad", BAD), ("ref", REFERENCE)):
        path = folder / f"{name}.en"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        paths.append(path)
    return paths
