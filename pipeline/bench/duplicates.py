"""What finding near duplicates costs, and what it finds, in ordinary news and in news that fill in forms."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from pipeline.bench.usage import peak_mb
from pipeline.errors import EngineError
from pipeline.stages.filter.duplicates import Kept, Texts
from pipeline.stages.filter.shingles import comparable, jaccard, letters, shingles

THRESHOLD = 0.8
PLANTED = 0.02
"""The share of pairs that are an edited copy of an earlier one."""
EDGES = (0.8, 0.85, 0.9, 0.95)
"""From these similarities on copies are counted apart."""
WARM_UP = 3000
"""Pairs that are looked up before memory and time are measured, so that everything is compiled and loaded."""
CLEAR_REFS = Path("/proc/self/clear_refs")
WORDS, SYLLABLES = 30_000, 400
FORMS = (
    (
        "Giá vàng miếng SJC sáng {}/{} niêm yết ở mức {},{} triệu đồng mỗi lượng mua vào và {},{} triệu đồng bán ra, "
        "tăng {}.000 đồng so với hôm qua; vàng thế giới giao dịch quanh {},{} USD một ounce.",
        "SJC gold bars were quoted on {}/{} at {}.{} million dong a tael for buying and {}.{} million for selling, "
        "up {},000 dong on the day; world gold traded around {}.{} dollars an ounce.",
        (28, 12, 99, 99, 99, 99, 990, 4900, 99),
    ),
    (
        "Hà Nội ngày {}/{}: nhiều mây, có mưa vài nơi, nhiệt độ thấp nhất {} độ, cao nhất {} độ, độ ẩm {} phần trăm, "
        "gió đông nam {} km mỗi giờ, lượng mưa {},{} mm.",
        "Hanoi on {}/{}: cloudy with rain in places, lowest temperature {} degrees, highest {}, humidity {} percent, "
        "southeasterly wind {} km an hour, rainfall {}.{} mm.",
        (28, 12, 30, 41, 99, 60, 300, 9),
    ),
    (
        "VN-Index phiên {}/{} đóng cửa ở {}.{} điểm, giảm {},{} điểm; khối lượng giao dịch đạt {} triệu cổ phiếu, "
        "giá trị {}.{} tỷ đồng, {} mã tăng và {} mã giảm.",
        "The VN-Index closed on {}/{} at {}.{} points, down {}.{} points; {} million shares changed hands, "
        "worth {},{} billion dong, with {} gainers and {} losers.",
        (28, 12, 1900, 99, 40, 99, 990, 39, 999, 400, 400),
    ),
)
"""A form in both languages, and up to which number each of its gaps goes."""


@dataclass(frozen=True, slots=True)
class MadePair:
    """A pair of texts; `copy_of` is the number of the pair that it was edited from, -1 for none, and `alike` how near
    the two are: the Jaccard similarity of the side that is less so."""

    source: str
    english: str
    copy_of: int = -1
    alike: float = 0.0


def formulaic_pairs(count: int, seed: int = 1) -> Iterator[MadePair]:
    """News of three forms with other numbers each time; a copy has one to three of its numbers changed."""
    return _with_copies(count, seed, _filled)


def ordinary_pairs(count: int, seed: int = 1) -> Iterator[MadePair]:
    """Sentences of 12 to 24 made-up words whose frequencies follow Zipf's law; in a copy one to three are others."""
    return _with_copies(count, seed, _written)


Maker = Callable[[random.Random, random.Random | None], tuple[str, str]]
"""The texts that the first generator gives; the second one, where there is one, edits them."""


def _with_copies(count: int, seed: int, make: Maker) -> Iterator[MadePair]:
    """Pair n depends on n and the seed alone, so that an earlier one need not be remembered to be copied."""
    for number in range(count):
        draw = random.Random(f"{seed} copy {number}")
        if not number or draw.random() >= PLANTED:
            yield MadePair(*make(random.Random(f"{seed} {number}"), None))
            continue
        of = draw.randrange(number)
        original, copy = make(random.Random(f"{seed} {of}"), None), make(random.Random(f"{seed} {of}"), draw)
        yield MadePair(*copy, of, min(map(_alike, original, copy)))


def _alike(one: str, other: str) -> float:
    return jaccard(*(shingles(letters(comparable(text))) for text in (one, other)))


def _filled(draw: random.Random, edit: random.Random | None) -> tuple[str, str]:
    source, english, ends = draw.choice(FORMS)
    numbers = [draw.randint(1, end) for end in ends]
    for place in edit.sample(range(len(ends)), edit.randint(1, 3)) if edit else ():
        numbers[place] = edit.randint(1, ends[place]) if edit else 0
    return source.format(*numbers), english.format(*numbers)


def _written(draw: random.Random, edit: random.Random | None) -> tuple[str, str]:
    words, weights = _lexicon()
    length = draw.randint(12, 24)
    drawn = draw.choices(range(WORDS), cum_weights=weights, k=length)
    for place in edit.sample(range(length), edit.randint(1, 3)) if edit else ():
        drawn[place] = edit.randrange(WORDS) if edit else 0
    # The English has the words of the source in other letters and another order.
    return " ".join(words[word] for word in drawn), " ".join(words[-1 - word] for word in reversed(drawn))


@cache
def _lexicon() -> tuple[list[str], list[float]]:
    """Words of one to four syllables, and the sums of their weights, 1 / (rank + 2.7)."""
    draw = random.Random(0)
    syllables = ["".join(draw.choice(part) for part in ("bcdghklmnprstv", "aeiouy", "nmtcg")) for _ in range(SYLLABLES)]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(2 * WORDS)]
    return words, list(accumulate(1 / (rank + 2.7) for rank in range(WORDS)))


KINDS: dict[str, Callable[[int], Iterator[MadePair]]] = {"formulaic": formulaic_pairs, "ordinary": ordinary_pairs}


@dataclass(frozen=True, slots=True)
class DuplicateFigures:
    """`pairs` looked up in `seconds` of processor time, of which `kept`; `resident_mb` is what memory grew by at most.

    `copies` are those whose original was kept, by similarity ("0.80": from there to the next edge): planted and found.
    """

    kind: str
    pairs: int
    kept: int
    seconds: float
    resident_mb: float
    copies: dict[str, tuple[int, int]]

    @property
    def bytes_a_pair(self) -> float:
        """Memory for each pair that was kept, everything fixed included."""
        return self.resident_mb * 1e6 / self.kept


def measure(kind: str, count: int) -> DuplicateFigures:
    """Look up so many pairs of a kind ("formulaic" or "ordinary") in a process of its own.

    Raises EngineError when it dies.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.bench.duplicates", kind, str(count)], capture_output=True, text=True
    )
    if done.returncode:
        raise EngineError(f"the process that finds duplicates died: {done.stderr[-500:]}", "Try fewer pairs.")
    return DuplicateFigures(**json.loads(done.stdout))


def look_up(kind: str, count: int) -> DuplicateFigures:
    """The same in this process."""
    _pass(kind, WARM_UP)
    CLEAR_REFS.write_text("5")  # from here on the peak is counted anew
    before = peak_mb()
    kept, seconds, copies = _pass(kind, count)
    return DuplicateFigures(kind, count, kept, seconds, peak_mb() - before, copies)


def _pass(kind: str, count: int) -> tuple[int, float, dict[str, tuple[int, int]]]:
    """How many are kept, in how many seconds, and the copies as in `DuplicateFigures`."""
    kept, seconds, stay = Kept(THRESHOLD), 0.0, 0
    original_kept, planted, found = bytearray(count), Counter[float](), Counter[float]()
    for number, pair in enumerate(KINDS[kind](count)):
        one = Texts(str(number), "vi", comparable(pair.source), comparable(pair.english))
        began = time.process_time()
        reason = kept.find(one)
        if reason is None:
            kept.add(one)
            stay += 1
        seconds += time.process_time() - began
        # A copy of a copy is edited from the same original, so it says nothing of what was kept.
        original_kept[number] = reason is None and pair.copy_of < 0
        if pair.copy_of >= 0 and original_kept[pair.copy_of] and pair.alike >= THRESHOLD:
            edge = max(edge for edge in EDGES if pair.alike >= edge)
            planted[edge] += 1
            found[edge] += reason is not None
    return stay, seconds, {f"{edge:.2f}": (planted[edge], found[edge]) for edge in sorted(planted)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(look_up(sys.argv[1], int(sys.argv[2])))) + "\n")
