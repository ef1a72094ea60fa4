"""Which documents are compared by their sentences."""

from __future__ import annotations

import pytest

from pipeline.stages.align.matching import CandidateJudge

compared: list[str] = []
"""The keys of what was compared, in order."""


class NotingJudge(CandidateJudge):
    """Notes what is compared."""

    def __call__(self, source, targets):
        for evidence in super().__call__(source, targets):
            compared.append(evidence.key)
            yield evidence


def note_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have runs in this process note what they compare."""
    monkeypatch.setattr("pipeline.run.work.CandidateJudge", NotingJudge)
