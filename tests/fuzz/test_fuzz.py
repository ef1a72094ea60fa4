"""A short run of what `make fuzz` does for long: broken files are refused or set aside, and never end the program."""

from __future__ import annotations

import pytest

from tests.fuzz.campaign import broken_file, run
from tests.fuzz.readers import READERS, FuzzedReader

SEED = 17
EXECUTIONS = 25
SECONDS = 5.0
"""A bound for a busy machine; what is not reached then is left to the long run."""
SLOW_TO_PREPARE = {"model config", "model weights", "model needs"}
"""They need a model and torch, and are left to the long run."""
QUICK = [pytest.param(reader, id=reader.label) for reader in READERS if reader.label not in SLOW_TO_PREPARE]


@pytest.mark.parametrize("reader", QUICK)
def test_a_broken_file_is_refused_with_an_error_of_ours(reader: FuzzedReader) -> None:
    outcome = run(reader, SEED, 0, seconds=SECONDS, most=EXECUTIONS)
    assert outcome.executions and outcome.findings == []


def test_a_finding_can_be_made_again_by_its_number() -> None:
    first, again, other = (broken_file(READERS[1], SEED, number) for number in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize(
    ("error", "words"),
    [(KeyError("x"), "KeyError"), (RecursionError("deep"), "RecursionError"), (MemoryError(), "Mem")],
)
def test_what_a_reader_lets_out_is_found(error: Exception, words: str) -> None:
    def read(path):
        raise error

    outcome = run(FuzzedReader("broken", "a", (b"x",), read), SEED, 0, seconds=SECONDS, most=3)
    assert len(outcome.findings) == outcome.executions == 3 and words in outcome.findings[0]
