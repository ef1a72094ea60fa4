from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.stages.align.anchor_table import AnchorTable
from pipeline.stages.align.candidates import ANCHOR_SHARE, Candidate, CandidateSearch, one_to_one, windowed


def vectors(*rows: list[float]) -> np.ndarray:
    found = np.array(rows, dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_the_order_of_what_is_said_counts() -> None:
    lengths = np.full(4, 50.0)
    rising = windowed(vectors([1, 0], [1, 0], [0, 1], [0, 1]), lengths)
    falling = windowed(vectors([0, 1], [0, 1], [1, 0], [1, 0]), lengths)
    finer = windowed(vectors([1, 0], [0, 1]), np.array([100.0, 100.0]))
    assert np.linalg.norm(rising) == pytest.approx(1, abs=1e-5)
    assert rising @ finer > 0.9 > rising @ falling


def test_a_document_of_one_sentence_has_a_vector() -> None:
    one = windowed(vectors([3, 4]), np.array([10.0]))
    assert np.isfinite(one).all() and np.linalg.norm(one) == pytest.approx(1)


@dataclass
class Profile:
    vector: np.ndarray | None
    anchors: Counter[str]


def profile(x: float, y: float, *names: str) -> Profile:
    return Profile(windowed(vectors([x, y]), np.array([1.0])), Counter(names))


def stacked(profiles: list[Profile]) -> np.ndarray | None:
    size = next((len(one.vector) for one in profiles if one.vector is not None), None)
    if size is None:
        return None
    zero = np.zeros(size, dtype=np.float32)
    return np.stack([zero if one.vector is None else one.vector for one in profiles])


def table(profiles: list[Profile]) -> AnchorTable:
    made = AnchorTable()
    for one in profiles:
        made.add(one.anchors)
    return made


def candidates(
    sources: list[Profile], targets: list[Profile], limit: int, block: int = 1000, threads: int = 1
) -> list[list[Candidate]]:
    search = CandidateSearch(table(sources), table(targets), stacked(targets), limit)
    readable = np.array([source.vector is not None for source in sources], dtype=np.bool_)

    def best(first: int) -> list[list[Candidate]]:
        some = slice(first, first + block)
        return search.best(first, readable[some], stacked(sources[some]))

    with ThreadPoolExecutor(threads) as pool:
        return [row for part in pool.map(best, range(0, len(sources), block)) for row in part]


def test_best_candidates_first_and_no_more_than_asked_for() -> None:
    targets = [profile(0, 1, "rice"), profile(1, 0.2, "tuna"), profile(1, 0.2, "rice"), profile(1, 0.2, "tuna")]
    found = candidates([profile(1, 0, "rice")], targets, 3)[0]
    assert [candidate.target for candidate in found] == [2, 1, 3]
    assert found[0].similarity > found[1].similarity == found[2].similarity > 0


def test_without_a_vector_anchors_decide_and_common_ones_tell_less() -> None:
    source = Profile(None, Counter({"hanoi": 1, "7.85": 1}))
    targets = [profile(1, 0, "hanoi"), profile(0, 1, "7.85"), profile(0, 1, "hanoi"), profile(0, 1, "lyon")]
    found = candidates([source], targets, 5)[0]
    assert [candidate.target for candidate in found] == [1, 0, 2, 3]
    assert found[0].similarity > found[1].similarity > found[3].similarity == 0
    assert candidates([source], [], 5) == [[]]


def test_a_single_pair_of_documents_is_told_from_strangers() -> None:
    source = Profile(None, Counter({"hanoi": 1, "7.85": 1}))
    assert candidates([source], [profile(1, 0, "hanoi", "7.85")], 5)[0][0].similarity > 0.9
    assert candidates([source], [profile(1, 0, "lyon", "3")], 5)[0][0].similarity == 0


# -- against the plain way: everything with everything, in float64 --------------------------------------------------


def exact(sources: list[Profile], targets: list[Profile], limit: int) -> list[list[Candidate]]:
    carriers = Counter(key for one in (*sources, *targets) for key in one.anchors)
    column = {key: number for number, key in enumerate(carriers)}

    def weights(profiles: list[Profile]) -> np.ndarray:
        rows = np.zeros((len(profiles), len(column)))
        for row, one in zip(rows, profiles, strict=True):
            for key, count in one.anchors.items():
                rarity = np.log1p((len(sources) + len(targets)) / carriers[key])
                row[column[key]] = (1 + np.log(count)) * rarity
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norms == 0, 1, norms)

    scores = weights(sources) @ weights(targets).T
    ours, theirs = stacked(sources), stacked(targets)
    if ours is not None:
        read = ours.astype(np.float64) @ theirs.astype(np.float64).T if theirs is not None else np.zeros(scores.shape)
        mixed = ANCHOR_SHARE * scores + (1 - ANCHOR_SHARE) * np.maximum(read, 0)
        scores = np.where([[source.vector is not None] for source in sources], mixed, scores)
    scores = np.floor(scores * 1e9 + 0.5) / 1e9
    best = np.argsort(-scores, axis=1, kind="stable")[:, :limit]
    return [[Candidate(int(j), float(row[j])) for j in places] for row, places in zip(scores, best, strict=True)]


def made_up(number: int, seed: int, size: int, alike: float, unread: float = 0.0, bare: float = 0.0) -> list[Profile]:
    """Documents with `size` dimensions, some of them not read, some without anchors; `alike` draws all vectors
    together."""
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(number, size)) + alike * np.sqrt(size) * np.random.default_rng(7).normal(size=size)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    found = []
    for row in rows:
        names = [f"name {rank % 2_000}" for rank in chance.zipf(1.4, 14)] if chance.random() >= bare else []
        found.append(Profile(None if chance.random() < unread else row, Counter(names)))
    return found


@pytest.mark.parametrize(
    ("size", "alike", "unread", "bare"),
    [
        (4096, 0.0, 0.0, 0.0),
        (64, 0.1, 0.2, 0.2),
        (8, 0.0, 0.0, 1.0),
        (16, 0.0, 1.0, 0.1),
        # Cosines of all with all that differ in the seventh decimal, as far as a product in float32 is wrong.
        (512, 50.0, 0.1, 1.0),
    ],
    ids=["vectors", "some without", "no anchors", "no vectors", "all alike"],
)
def test_candidates_are_those_of_the_plain_way(size: int, alike: float, unread: float, bare: float) -> None:
    sources = made_up(150, 1, size, alike, unread, bare)
    targets = made_up(300, 2, size, alike, unread, bare)
    targets += targets[:40] + [Profile(None, Counter())] * 10  # equal ones, and some that have nothing
    assert candidates(sources, targets, 5, block=64) == exact(sources, targets, 5)


def test_two_thousand_with_two_thousand_are_those_of_the_plain_way() -> None:
    sources, targets = made_up(2_000, 3, 256, 0.05, 0.05, 0.05), made_up(2_000, 4, 256, 0.05, 0.05, 0.05)
    assert candidates(sources, targets, 5, block=512, threads=2) == exact(sources, targets, 5)


def test_of_many_equal_documents_the_first_are_candidates() -> None:
    sources, few = made_up(40, 8, 64, 0.5, 0.2, 0.2), made_up(6, 9, 64, 0.5, 0.2, 0.2)
    targets = [few[n % len(few)] for n in range(200)]
    found = candidates(sources, targets, 5, block=16)
    assert found == exact(sources, targets, 5)
    assert candidates(targets, [few[0]] * 50, 5) == exact(targets, [few[0]] * 50, 5)
    assert all(len({candidate.target % len(few) for candidate in row}) == 1 for row in found)


def test_blocks_and_threads_change_nothing() -> None:
    sources, targets = made_up(90, 5, 512, 50.0, 0.1), made_up(400, 6, 512, 50.0, 0.1)
    whole = candidates(sources, targets, 7)
    for block, threads in ((1, 1), (7, 2), (64, 3)):
        assert candidates(sources, targets, 7, block, threads) == whole


def test_memory_decides_how_many_sources_are_compared_at_once() -> None:
    few = CandidateSearch(AnchorTable(), table([profile(1, 0)] * 10), None, 5)
    assert few.rows_at_once(2) == 512
    many = AnchorTable()
    for _ in range(200_000):
        many.add({})
    search = CandidateSearch(AnchorTable(), many, None, 5)
    assert search.rows_at_once(2) == 200 and search.rows_at_once(4) == 100


def test_one_to_one_takes_the_best_first() -> None:
    pairs = [("a", "x", 0.8), ("b", "x", 0.9), ("a", "y", 0.5), ("b", "y", 0.7)]
    assert one_to_one(pairs) == {("b", "x"), ("a", "y")}
    assert one_to_one([("b", "x", 0.5), ("a", "x", 0.5)]) == {("a", "x")}
