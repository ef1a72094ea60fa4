"""Geometry of the report's drawings: numbers in, numbers out. The templates turn them into inline SVG.

No text passes through here, so nothing has to be escaped; colours are classes of the style sheet, so that the drawings
follow light, dark and print. Lengths are SVG user units, rounded to 0.01 to keep the bytes the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Shape = dict[str, Any]

HISTOGRAM = {"width": 280.0, "height": 132.0, "left": 6.0, "right": 274.0, "top": 18.0, "bottom": 108.0}
MIN_BINS_SHOWN = 8
MIN_BAR = 1.5
GAP = 0.8
LABEL = 45.0

ALIGNMENT = {"width": 420.0, "left": 26.0, "left_end": 62.0, "right": 358.0, "right_end": 394.0}
MIN_BLOCK = 13.0
BLOCK_GAP = 3.0
HEIGHT_PER_BLOCK = 24.0
MAX_HEIGHT = 1400.0


def bars(row: Mapping[str, Any], whole: int) -> list[Shape]:
    """A stacked horizontal bar in percent of `whole`: x, width and the part each stands for."""
    at, shapes = 0.0, []
    for part in row["parts"]:
        width = 100 * part["count"] / whole
        shapes.append({"x": _round(at), "width": _round(width), "name": part["name"], "count": part["count"]})
        at += width
    return shapes


def slice_bar(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[Shape]:
    """Kept and rejected pairs of one slice, in percent of the pairs of the largest of `rows`."""
    parts = [{"name": name, "count": row[count]} for name, count in (("good", "kept"), ("bad", "rejected"))]
    return bars({"parts": parts}, max((other["pairs"] for other in rows), default=0) or 1)


def histogram(row: Mapping[str, Any]) -> Shape:
    """Bars, axis ticks, threshold lines and the zones outside them of one histogram (`tally.histogram_rows`).

    `beyond` are the limits too far from the bars to be drawn: all pairs pass them, or all fail.
    """
    box, width, bins = HISTOGRAM, row["width"], row["bins"]
    low, high = _domain(row)

    def x(value: float) -> float:
        return box["left"] + (box["right"] - box["left"]) * (value - low) / (high - low)

    tallest = max(item["count"] for item in bins)
    shapes = []
    for item in bins:
        height = (box["bottom"] - box["top"]) * item["count"] / tallest
        if item["count"]:
            height = max(height, MIN_BAR)
            left, right = x(item["start"]) + GAP / 2, x(item["start"] + width) - GAP / 2
            bar = {"x": _round(left), "width": _round(right - left), "y": _round(box["bottom"] - height)}
            shapes.append(bar | {"height": _round(height), "count": item["count"], "from": item["start"]})
    lines, zones, beyond = [], [], []
    for side, edge, outwards in (("min", box["left"], "end"), ("max", box["right"], "start")):
        limit = row[side]
        if limit is None:
            continue
        if not low <= limit <= high:
            beyond.append({"side": side, "value": limit, "where": "left" if limit < low else "right"})
            if (limit > high) == (side == "min"):
                zones.append({"x": box["left"], "width": _round(box["right"] - box["left"])})
            continue
        at = x(limit)
        cramped = abs(at - edge) < LABEL
        anchor = {"end": "start", "start": "end"}[outwards] if cramped else outwards
        lines.append({"x": _round(at), "side": side, "value": limit, "anchor": anchor})
        zones.append({"x": _round(min(edge, at)), "width": _round(abs(at - edge))})
    ticks = [{"x": _round(x(value)), "value": value} for value in nice_ticks(low, high)]
    return box | {"bars": shapes, "lines": lines, "zones": zones, "beyond": beyond, "ticks": ticks}


def _domain(row: Mapping[str, Any]) -> tuple[float, float]:
    """The range drawn: all bins, at least MIN_BINS_SHOWN wide, and a threshold unless it is far outside."""
    bins, width = row["bins"], row["width"]
    low, high = bins[0]["start"], bins[-1]["start"] + width
    lack = MIN_BINS_SHOWN - round((high - low) / width)
    if lack > 0:
        low, high = low - width * (lack // 2), high + width * (lack - lack // 2)
    reach = (high - low) / 2
    for limit in (row["min"], row["max"]):
        if limit is not None and low - reach <= limit <= high + reach:
            low, high = min(low, limit - width / 2), max(high, limit + width / 2)
    return low, high


def nice_ticks(low: float, high: float) -> list[float]:
    """Two to six multiples of 1, 2 or 5 times a power of ten within the range (after Heckbert 1990, Graphics Gems)."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(index * step, digits) + 0.0 for index in range(first, last + 1)]


def alignment(row: Mapping[str, Any]) -> Shape:
    """Two columns of blocks, top to bottom in text order, and a ribbon for each bead (`aligned.aligned_row`)."""
    longest = max(len(row["left"]), len(row["right"]), 1)
    room = min(MAX_HEIGHT, HEIGHT_PER_BLOCK * longest)
    columns = [_column(row[side], room) for side in ("left", "right")]
    height = max((block["y"] + block["height"] for blocks in columns for block in blocks), default=0.0)
    kept = {item["bead"]: item["keep"] for item in row["rows"]}
    ids = {item["bead"]: item["id"] for item in row["rows"]}
    ribbons = []
    for number in sorted({block["bead"] for block in columns[0] if block["bead"] is not None}):
        (top1, end1), (top2, end2) = (_hull(blocks, number) for blocks in columns)
        ribbons.append(
            {"id": ids[number], "bead": number, "keep": kept[number], "path": _ribbon(top1, end1, top2, end2)}
        )
    blocks = {"left_blocks": columns[0], "right_blocks": columns[1]}
    return ALIGNMENT | blocks | {"height": _round(height), "ribbons": ribbons}


def _column(stretches: Sequence[Mapping[str, Any]], room: float) -> list[Shape]:
    characters = sum(stretch["characters"] for stretch in stretches) or 1
    free = max(0.0, room - len(stretches) * (MIN_BLOCK + BLOCK_GAP))
    at, blocks = 0.0, []
    for stretch in stretches:
        height = MIN_BLOCK + free * stretch["characters"] / characters
        blocks.append({**stretch, "y": _round(at), "height": _round(height), "middle": _round(at + height / 2)})
        at += height + BLOCK_GAP
    return blocks


def _hull(blocks: Sequence[Shape], number: int) -> tuple[float, float]:
    mine = [block for block in blocks if block["bead"] == number]
    if not mine:
        return 0.0, 0.0
    return min(block["y"] for block in mine), max(block["y"] + block["height"] for block in mine)


def _ribbon(top1: float, end1: float, top2: float, end2: float) -> str:
    """A closed path from the left column to the right one, its edges S-shaped."""
    x1, x2 = ALIGNMENT["left_end"], ALIGNMENT["right"]
    middle = (x1 + x2) / 2
    there = f"M{x1:g},{_round(top1):g}C{middle:g},{_round(top1):g},{middle:g},{_round(top2):g},{x2:g},{_round(top2):g}"
    back = f"V{_round(end2):g}C{middle:g},{_round(end2):g},{middle:g},{_round(end1):g},{x1:g},{_round(end1):g}Z"
    return there + back


def _round(value: float) -> float:
    return round(value, 2) + 0.0
