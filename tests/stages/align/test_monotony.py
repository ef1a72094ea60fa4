from __future__ import annotations

import numpy as np
import pytest

from pipeline.stages.align.encoded import Stretch, source_view, target_view
from pipeline.stages.align.monotony import Links, find_links, in_order
from tests.support.encoders import WordEncoder


@pytest.mark.parametrize(
    ("src", "tgt", "weights", "chain"),
    [
        ([], [], [], 0),
        ([0, 1, 2], [0, 1, 2], [1, 2, 3], 6),
        ([2, 1, 0], [0, 1, 2], [1, 5, 3], 5),
        ([0, 3, 1, 2], [0, 1, 2, 3], [1, 1, 1, 1], 3),
        ([0, 0, 1], [0, 1, 1], [1, 1, 1], 3),
    ],
)
def test_the_heaviest_chain_that_never_goes_back(src: list, tgt: list, weights: list, chain: float) -> None:
    assert in_order(Links(*(np.array(side, dtype=float) for side in (src, tgt, weights)))) == chain


def test_links_without_vectors_are_anchors_that_stand_in_one_unit_of_each_side() -> None:
    vietnamese, english = (
        "Tại Lyon có 21 người.\nCó 33 và 44 ở đây. Có 44.",
        "Here are 33 and 44. In Lyon are 21. And 44.",
    )
    encoder = WordEncoder(["en"])
    src = source_view(vietnamese, "vi", [Stretch((0, len(vietnamese)))], encoder)
    links = find_links(src, target_view(english, [Stretch((0, len(english)))], encoder))
    assert list(zip(links.src, links.tgt, strict=True)) == [(1, 0), (0, 1)]
    assert in_order(links) == 1
