"""The data that flows through mekong, on one screen.

    Document -> Segment -> Translation -+
        |                               +-> Pair -> Scored -> Verdict
        +-> DocumentPair ---------------+

Everything is frozen, slotted and made of standard types only, so that a unit of
work can cross a process boundary as plain JSON (see `pipeline.files.store`).
Offsets are Python string indices (code points) into `Document.text`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ENGLISH = "en"
"""The code of the language that everything is translated into."""

Kind = Literal["body", "headline", "caption", "boilerplate"]
Ended = Literal["stop", "length", "empty", "copied", "looped", "refused", "incomplete", "failed", "skipped"]
Origin = Literal["translated", "aligned", "mined"]
Relation = Literal["parallel", "comparable", "unrelated"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document came from. `line` is 1-based, 0 for a whole file; `date` is ISO 8601."""

    path: str
    line: int = 0
    url: str = ""
    licence: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One article. `text` has LF line ends only and is otherwise as it was read."""

    id: str
    lang: str
    text: str
    source: Source
    meta: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a document, at most a few sentences: `Document.text[start:end]`, normalised in `text`.

    `paragraph` counts the non-blank lines of the document, from 0.
    """

    id: str
    doc_id: str
    index: int
    paragraph: int
    start: int
    end: int
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Translation:
    """The English of one segment.

    `ended` is "stop" when the hypothesis passed every guard, "skipped" when there was nothing to translate
    (boilerplate, or no word of the source language); any other value says why it did not pass, and `problems` names
    what is wrong with it ("missing number 25", ...). `logprob` is the mean log-probability of an output token (natural
    logarithm), None where the engine gives none. `hints` are the glossary pairs given, `notes` tell of unusual ways
    that the engine took.
    """

    segment_id: str
    text: str
    model: str
    logprob: float | None
    src_tokens: int
    out_tokens: int
    ended: Ended
    attempts: int
    problems: tuple[str, ...] = ()
    hints: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentPair:
    """A source document and an English document that may be its counterpart.

    `similarity` is the candidate score, `bead_score` the mean score of the 1..n:1..m beads when the sentences were
    aligned, `coverage` the share of characters inside close beads, on the side that has less of them. `monotony` is the
    share of the links, found without regard to order, that are in order. `relation` is the judgement.
    """

    src_doc: str
    tgt_doc: str
    similarity: float
    bead_score: float
    coverage: float
    monotony: float
    relation: Relation


@dataclass(frozen=True, slots=True)
class Pair:
    """Source text and English text said to mean the same.

    Segment ids list the segments that the texts cover, wholly or in part (the aligner may cut a Thai segment at a
    space). `src_spans` and `tgt_spans` are the exact character spans; `tgt_spans` is empty for `translated` pairs.
    `cost` is the aligner's cost of the bead, 0 for the others, None where no aligner of ours made the pair. `margin`
    says how much closer the sides are than others of their documents: for `aligned` pairs `Bead.margin` (None when no
    vectors were compared), for `mined` ones the ratio margin. `displacement` is the distance of the places of both
    sides in their documents, each from 0 to 1.
    """

    id: str
    src_doc: str
    tgt_doc: str
    src_lang: str
    src_segments: tuple[str, ...]
    tgt_segments: tuple[str, ...]
    src_spans: tuple[tuple[int, int], ...]
    tgt_spans: tuple[tuple[int, int], ...]
    src_text: str
    tgt_text: str
    origin: Origin
    cost: float | None
    margin: float | None = None
    displacement: float | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A pair and its scores by name; None where a scorer does not apply to the pair.

    The scorers' signatures are kept once a run, in the manifest, under the same names.
    """

    pair: Pair
    scores: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a pair is rejected.

    `kind` says what rejects it: the score whose rule it fails ("similarity"), "duplicate", "near-duplicate",
    "held-out" or "rejected by hand". `text` tells people the values too: "similarity 0.312 < 0.45".
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a pair goes into the corpus; `reasons` is empty when it does. `by_hand`: a person decided it."""

    pair_id: str
    keep: bool
    reasons: tuple[Reason, ...]
    by_hand: bool = False

    @property
    def kinds(self) -> frozenset[str]:
        """What rejects the pair, each kind once."""
        return frozenset(reason.kind for reason in self.reasons)

    @property
    def texts(self) -> tuple[str, ...]:
        """The reasons as people read them, in order."""
        return tuple(reason.text for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Reject:
    """Input that was set aside: the file, the line (0 = whole file), the byte offset in the file, and why."""

    path: str
    line: int
    offset: int
    reason: str
