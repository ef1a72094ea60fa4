"""One spelling of Vietnamese names, and nothing else changed."""

import numpy as np
import pytest

from pipeline.metrics.base import make_metrics
from pipeline.metrics.name_folding import NamesFolded, fold_names


@pytest.mark.parametrize(
    "name", ["Việt Nam", "Viet Nam", "Viet-Nam", "VietNam", "Vietnam", "Viet\u00a0Nam", "Viet nam"]
)
def test_spellings_of_one_name(name):
    assert fold_names(f"In {name}'s north") == "In Vietnam's north"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("VIỆT NAM", "VIETNAM"),
        ("Tô Lâm, Đỗ Mười", "To Lam, Do Muoi"),
        ("Viet Namese rice from Hà Nội and Sài Gòn", "Vietnamese rice from Hanoi and Saigon"),
        ("Viet Nametag, soviet Nam, viet nam", "Viet Nametag, soviet Nam, viet nam"),
        ("Ha long ago; a da nang", "Halong ago; a da nang"),
        ("Ho Chi Minh City, 5 °C, 20 % – “x”", "Ho Chi Minh City, 5 °C, 20 % – “x”"),
        ("", ""),
    ],
)
def test_what_changes_and_what_stays(text, folded):
    assert fold_names(text) == folded


def test_folding_twice_is_folding_once():
    text = "Đà Nẵng – Da Nang – DANANG, Mê Công, Mekong"
    assert fold_names(fold_names(text)) == fold_names(text)


@pytest.mark.parametrize("name", ["bleu", "chrf", "chrf++", "ter"])
def test_only_segments_with_a_name_are_counted_anew_and_all_come_out_folded(name):
    hypotheses = ["To Lam went to Viet Nam.", "Nothing to fold here.", "He met Tô Lâm.", "The same words."]
    references = [["Tô Lâm went to Vietnam.", "Nothing to fold there.", "He met To Lam.", "Other words, then."]]
    (metric,) = make_metrics([name])
    found = NamesFolded(metric).statistics(hypotheses, references, None)
    texts = [[fold_names(text) for text in side] for side in (hypotheses, *references)]
    assert np.array_equal(found, metric.statistics(texts[0], texts[1:], None))
    assert not np.array_equal(found, metric.statistics(hypotheses, references, None))
