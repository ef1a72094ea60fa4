"""What is counted of a corpus while it is written; the dataset card tells it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from pipeline.files.store import to_json
from pipeline.stages.write.record import Record


@dataclass
class CorpusTally:
    """What is counted while pairs go by."""

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    by_hand: int = 0
    generated_by_hand: int = 0
    confidences: int = 0
    confidence: float = 0.0
    """Pairs that have a confidence, and the sum of theirs: how many of them should be right."""

    def __post_init__(self) -> None:
        self._hasher = hashlib.sha256()

    def add(self, record: Record) -> None:
        """Count one pair."""
        self.pairs[record.src_lang, record.origin] += 1
        self.licences[record.licence] += 1
        if record.model:
            self.models[record.model] += 1
        self.by_hand += record.accepted_by_hand
        self.generated_by_hand += record.accepted_by_hand and record.generated_by_machine
        sure = record.scores.get("confidence")
        if sure is not None:
            self.confidences += 1
            self.confidence += sure
        self._hasher.update(to_json(record) + b"\n")

    @property
    def sha256(self) -> str:
        """The SHA-256 of `pairs.jsonl` as `sha256sum` gives it, whether that file is written or not."""
        return self._hasher.hexdigest()
