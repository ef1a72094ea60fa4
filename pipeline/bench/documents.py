"""How well document alignment finds known pairs among strangers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.settings import Config
from pipeline.engines.encoders.base import Encoder
from pipeline.errors import InputError
from pipeline.files.rows import read_rows
from pipeline.stages.align.lexicons import load_lexicons
from pipeline.stages.align.matching import match
from pipeline.stages.align.sides import Side
from pipeline.stages.segment.stage import segment
from pipeline.text.language import detect
from pipeline.types import ENGLISH, Document, DocumentPair, Source


@dataclass(frozen=True, slots=True)
class Found:
    """`sources` documents each have one counterpart among `targets`.

    `candidates` is the share of counterparts that were looked at, `recall` the share judged parallel, `precision` the
    share of right ones among the pairs judged parallel (1 when there are none). `wrong` are parallel pairs that are not
    in the gold, `missed` the gold pairs with their judgement where they were looked at.
    """

    sources: int
    targets: int
    candidates: float
    precision: float
    recall: float
    wrong: tuple[DocumentPair, ...]
    missed: tuple[tuple[str, DocumentPair | None], ...]

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 0 when both are."""
        return 2 * self.precision * self.recall / (self.precision + self.recall) if self.recall else 0.0


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file, with `id`, `src_text` and `tgt_text` (English); other keys are ignored.

    Raises InputError on a row that is no such case, and when there is none.
    """
    remedy = "Give a JSONL file; a case has id, src_text and tgt_text."
    rows = [row for _, row in read_rows(path, ("id", "src_text", "tgt_text"), remedy)]
    if not rows:
        raise InputError(f"{path} holds no case", remedy)
    return rows


def evaluate(
    cases: Sequence[Mapping[str, Any]], strangers: Iterable[Mapping[str, Any]], config: Config, encoder: Encoder
) -> Found:
    """Match the source texts of `cases` with the English texts of both; each belongs to the text beside it only.

    English texts that occur twice are one document.
    """
    english: dict[str, str] = {}
    for case in (*cases, *strangers):
        english.setdefault(str(case["tgt_text"]), f"en{len(english)}")
    sources = [_side(f"src{n}", case["src_text"], detect(case["src_text"]), config) for n, case in enumerate(cases)]
    targets = [_side(name, text, ENGLISH, config) for text, name in english.items()]
    gold = {f"src{n}": english[str(case["tgt_text"])] for n, case in enumerate(cases)}
    judged = match(sources, targets, config.align, encoder, load_lexicons(config.align.lexicon))
    looked_at = {pair.src_doc: pair for pair in judged if gold[pair.src_doc] == pair.tgt_doc}
    parallel = [pair for pair in judged if pair.relation == "parallel"]
    found = {pair.src_doc for pair in parallel if gold[pair.src_doc] == pair.tgt_doc}
    return Found(
        sources=len(cases),
        targets=len(english),
        candidates=len(looked_at) / len(cases),
        precision=len(found) / len(parallel) if parallel else 1.0,
        recall=len(found) / len(cases),
        wrong=tuple(pair for pair in parallel if gold[pair.src_doc] != pair.tgt_doc),
        missed=tuple(
            (str(case["id"]), looked_at.get(f"src{n}")) for n, case in enumerate(cases) if f"src{n}" not in found
        ),
    )


def lines(found: Found) -> list[str]:
    """What was found, for people."""
    shown = [
        f"{found.sources} documents, {found.targets} English documents",
        f"precision {found.precision:.3f}  recall {found.recall:.3f}  F1 {found.f1:.3f}  "
        f"among the candidates {found.candidates:.3f}",
    ]
    shown += [f"missed {name}: {_judgement(pair) if pair else 'no candidate'}" for name, pair in found.missed]
    return shown + [f"wrong {pair.src_doc} with {pair.tgt_doc}: {_judgement(pair)}" for pair in found.wrong]


def _side(name: str, text: str, lang: str, config: Config) -> Side:
    document = Document(name, lang, text, Source(name))
    return Side(document, tuple(segment([document], config.segment)), {})


def _judgement(pair: DocumentPair) -> str:
    figures = f"similarity {pair.similarity:.3f}, coverage {pair.coverage:.3f}, bead score {pair.bead_score:.3f}"
    return f"{pair.relation}, {figures}, monotony {pair.monotony:.3f}"
