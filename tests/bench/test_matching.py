from __future__ import annotations

import numpy as np

from pipeline.bench.matching import measure, synthetic_profiles


def test_made_up_documents_have_counterparts_and_are_the_same_again() -> None:
    targets, sources = list(synthetic_profiles(20, 5)), list(synthetic_profiles(20, 5, noise=1.0))
    cosines = np.stack([vector for vector, _ in sources]) @ np.stack([vector for vector, _ in targets]).T
    assert (cosines.argmax(axis=1) == np.arange(20)).all()
    for (vector, anchors), (again, others) in zip(targets, synthetic_profiles(20, 5), strict=True):
        assert (vector == again).all() and anchors == others and 0 < len(anchors) <= 14


def test_a_process_of_its_own_finds_the_counterparts() -> None:
    found = measure(300)
    assert found["documents"] == 300 and found["right_first"] == 1
    assert 0 < found["profile_seconds"] < found["seconds"] and found["peak_mb"] > 10
