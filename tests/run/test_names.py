"""`names.tsv`: what a run settles, what a person corrects, and what is translated anew for it."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.registry.models import Entry
from pipeline.run.names import (
    FILE,
    SettledName,
    corrected_in,
    corrections,
    count_hints,
    names_among,
    read_settled,
    write_settled,
)
from pipeline.stages.translate.glossary import Glossary, GlossaryEntry
from pipeline.types import Translation
from tests.support.runs import articles, config, mekong

NAMES = [
    GlossaryEntry("ฮานอย", "Hanoi", "PROPN"),
    GlossaryEntry("ประชุม", "meet", "VERB"),
    GlossaryEntry("มกราคม", "January", "PROPN"),
]


def made(*hints: tuple[str, str]) -> Translation:
    return Translation("d:0", "x", "m", None, 1, 1, "stop", 1, hints=hints)


def test_names_are_counted_and_months_and_words_are_none():
    glossaries = {"th": Glossary("th", NAMES)}
    hanoi, read = ("ฮานอย", "Hanoi"), ("เหงียน ซวน ถัง", "Nguyen Xuan Thang")
    found = names_among(
        count_hints([made(hanoi, ("ประชุม", "meet"), ("มกราคม", "January")), made(hanoi, read)]), glossaries
    )
    assert found == {hanoi: 2, read: 1}


def test_what_a_person_corrects_stays_and_the_rest_follows_the_run(tmp_path: Path):
    write_settled({("ฮานอย", "Hanoi"): 2, ("ดานัง", "Da Nang"): 5}, [], tmp_path)
    first = read_settled(tmp_path)
    assert first == [SettledName("ดานัง", "Da Nang", 5, "Da Nang"), SettledName("ฮานอย", "Hanoi", 2, "Hanoi")]
    path = tmp_path / FILE
    path.write_text(path.read_text("utf-8").replace("ฮานอย\tHanoi", "ฮานอย\tHa Noi"), "utf-8")
    corrected = read_settled(tmp_path)
    assert [line.name for line in corrected if line.by_hand] == ["ฮานอย"]
    # The model was told Ha Noi now; in the next run the name does not occur at all.
    write_settled({("ฮานอย", "Ha Noi"): 3, ("ดานัง", "Danang"): 1}, corrected, tmp_path)
    again = read_settled(tmp_path)
    assert again == [SettledName("ฮานอย", "Ha Noi", 3, "Hanoi"), SettledName("ดานัง", "Danang", 1, "Danang")]
    write_settled({}, again, tmp_path)
    assert read_settled(tmp_path) == [SettledName("ฮานอย", "Ha Noi", 0, "Hanoi")]


def test_corrections_go_before_the_glossary_of_their_language():
    settled = [SettledName("ฮานอย", "Ha Noi", 1, "Hanoi"), SettledName("Huế", "Hue City", 1, "Hue")]
    thai = Glossary("th", NAMES).with_names(corrections(settled, "th"))
    assert [(hint.english, hint.is_name) for hint in thai.hints("ที่ฮานอย", 9)] == [("Ha Noi", True)]
    assert [entry.term for entry in corrections(settled, "vi")] == ["Huế"]
    assert corrections([SettledName("ฮานอย", "Hanoi", 1, "Hanoi")], "th") == []


def test_only_texts_with_a_corrected_name_are_touched():
    settled = [SettledName("Huế", "Hue City", 1, "Hue"), SettledName("Hà Nội", "Hanoi", 1, "Hanoi")]
    assert corrected_in(settled, ["Mưa ở Huế.", "Nắng ở Hà Nội."]) == [("Huế", "Hue City")]
    assert corrected_in(settled, ["Nắng ở Hà Nội."]) == []
    assert corrected_in([SettledName("Hòa Bình", "Peace", 1, "Hoa Binh")], ["ở tỉnh Hoà Bình"])  # as the glossary reads


@pytest.mark.parametrize(
    "line",
    [
        "ฮานอย\tHanoi\t2",
        "ฮานอย\t\t2\tHanoi",
        "ฮานอย\tHanoi\ttwo\tHanoi",
        f"ฮานอย\tHanoi\t{'9' * 5000}\tHanoi",
        "# x\rฮานอย\tHanoi\t1\tHue",
    ],
)
def test_a_line_that_is_no_name_is_named(tmp_path: Path, line: str):
    (tmp_path / FILE).write_text(f"# head\n{line}\n", "utf-8")
    with pytest.raises(InputError, match=f"{FILE}:2"):
        read_settled(tmp_path)


def test_a_correction_translates_only_the_shards_anew_that_have_the_name(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    inputs, out = articles(tmp_path / "articles", 2), tmp_path / "out"
    lone = "Bà Xuân Thắng đã nói chuyện với báo chí ở Quảng Trị. " * 4
    (inputs / "zz.vi.txt").write_text(lone, "utf-8")
    settings = config(tmp_path, run_entry.name, paths=[str(inputs)])
    run = ("run", settings, "--out", out, "--quiet", "--set", "translate.use_glossary=true")
    assert mekong(monkeypatch, *run) == 0

    def shards() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (out / "shards" / "translate").glob("*.jsonl.zst")}

    before = shards()
    write_settled({}, [SettledName("Xuân Thắng", "Xuan Thang", 1, "Xuan")], out)
    assert mekong(monkeypatch, *run) == 0
    changed = [name for name, when in shards().items() if before[name] != when]
    assert 0 < len(changed) < len(before)
    settled = {line.name: (line.english, line.times) for line in read_settled(out)}
    assert (settled["Xuân Thắng"], settled["Quảng Trị"]) == (("Xuan Thang", 4), ("Quang Tri", 4))
