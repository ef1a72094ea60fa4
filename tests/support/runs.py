"""Running the command on small inputs with tiny models."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from pipeline.cli.main import main

THAI = [
    "นายกรัฐมนตรีเดินทางถึงกรุงฮานอยเมื่อวันที่ 5 พฤษภาคม 2568",
    "ทั้งสองฝ่ายลงนามในความตกลงการค้ามูลค่า 25 ล้านบาท",
    "ประธานาธิบดีให้การต้อนรับคณะผู้แทนที่สนามบิน",
    "การเยือนครั้งนี้มีขึ้นตามคำเชิญของรัฐบาลเวียดนาม",
]
VIETNAMESE = [
    "Thủ tướng Chính phủ đã đến Hà Nội ngày 5 tháng 5 năm 2025.",
    "Hai bên ký kết hiệp định thương mại trị giá 25 triệu baht.",
    "Chủ tịch nước đón đoàn đại biểu tại sân bay.",
]
ENGLISH = [
    "The prime minister arrived in Hanoi on May 5, 2025.",
    "The two sides signed a trade agreement worth 25 million baht.",
    "The president welcomed the delegation at the airport.",
    "The visit takes place at the invitation of the government of Vietnam.",
]


def articles(folder: Path, copies: int = 1) -> Path:
    """A folder with Thai, Vietnamese and English articles."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(copies):
        (folder / f"th-{n}.txt").write_text("\n\n".join(THAI) + f"\nข่าวที่ {n}\n", encoding="utf-8")
        (folder / f"vi-{n}.txt").write_text("\n\n".join(VIETNAMESE) + f"\nTin số {n}\n", encoding="utf-8")
        (folder / f"en-{n}.txt").write_text("\n\n".join(ENGLISH) + f"\nNews item {n}\n", encoding="utf-8")
    return folder


def config(folder: Path, model: str, **read: Any) -> Path:
    """A configuration for the tiny model, with small batches and shards."""
    path = folder / "tiny.yaml"
    data = {
        "read": read,
        "translate": {"model": model, "batch_rows": 2, "threads": 1, "device": "cpu", "use_glossary": False},
        "run": {"shard_chars": 400},
        "filter": {"preset": "none", "rules": {"length_ratio": {"max": 3.0}}},
    }
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def mekong(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the command in this process; the exit code."""
    monkeypatch.setattr(sys, "argv", ["mekong", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def start(settings: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """A process that runs a configuration."""
    command = [sys.executable, "-m", "pipeline", "run", str(settings), "--out", str(out), "--quiet", *more]
    return subprocess.Popen(command, env=os.environ.copy())


def wait_for(pattern: str, out: Path, process: subprocess.Popen[bytes]) -> None:
    """Until a file that fits the pattern is in the run folder; fails after some minutes."""
    for _ in range(60_000):
        if list(out.glob(pattern)):
            return
        assert process.poll() is None, "the run ended before it came to that"
        time.sleep(0.005)
    pytest.fail(f"no {pattern}")


def lines(path: Path) -> list[Any]:
    """The rows of a JSONL file."""
    return [orjson.loads(line) for line in path.read_bytes().split(b"\n") if line]


def outputs(out: Path) -> dict[str, bytes]:
    """Every file of a run folder that must be the same however the run came about: all but times and shards."""
    skipped: Sequence[str] = ("manifest.json",)
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in skipped and "shards" not in path.parts
    }
