"""One bad unit costs one unit, whatever is wrong with it, and its place is told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.files.tables import rows, texts
from pipeline.types import Reject

THAI, ENGLISH = "นายกรัฐมนตรีกล่าวว่าเศรษฐกิจจะเติบโต", "The prime minister said the economy would grow."
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4"><header creationtool="x" srclang="th"/><body>\n'
TAIL = "</body></tmx>\n"


def unit(number: int, thai: str = THAI, english: str = ENGLISH) -> str:
    return (
        f'<tu tuid="{number}"><tuv xml:lang="th"><seg>{thai}</seg></tuv>'
        f'<tuv xml:lang="en"><seg>{english}</seg></tuv></tu>\n'
    )


def read(path: Path, data: str | bytes) -> tuple[list[str], list[Reject]]:
    """The ids of the units that are read, and what is lost."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    found = list(rows(path))
    return [str(row.values["id"]) for row in found if not isinstance(row, Reject)], [
        row for row in found if isinstance(row, Reject)
    ]


BAD_UNITS = {
    "control character": unit(2, THAI + "\x0b"),
    "NUL": unit(2, THAI + "\0"),
    "reference to a control character": unit(2, THAI + "&#11;"),
    "ampersand": unit(2, english="AT&T said on Monday"),
    "unknown entity": unit(2, english="a&nbsp;b"),
    "less than": unit(2, english="1 < 2"),
    "noncharacter": unit(2, english="a\uffff"),
    "tag not closed": unit(2).replace("</seg>", "", 1),
    "tag closed twice": unit(2).replace("</seg>", "</seg></seg>", 1),
    "attribute without quotes": unit(2).replace('"th"', "th"),
    "quote not closed": unit(2).replace('"2"', '"2'),
    "unit not closed": unit(2).replace("</tu>", ""),
    "end of the unit misspelt": unit(2).replace("</tu>", "</t>"),
    "start of the unit misspelt": unit(2).replace("<tu ", "<ut "),
    "comment not closed": unit(2, english="a <!-- b"),
    "CDATA not closed": unit(2, english="a <![CDATA[ b"),
    "prefix not declared": unit(2).replace("<seg>", "<x:seg>").replace("</seg>", "</x:seg>"),
    "deep": unit(2, english="<hi>" * 5000 + "</hi>" * 5000),
}


@pytest.mark.parametrize("bad", BAD_UNITS.values(), ids=BAD_UNITS.keys())
@pytest.mark.parametrize("line_end", ["\n", ""], ids=["lines", "one line"])
def test_a_bad_unit_costs_itself(tmp_path: Path, bad: str, line_end: str) -> None:
    parts = [HEAD, unit(1), bad, unit(3), unit(4), TAIL]
    data = "".join(part.replace("\n", line_end) for part in parts).encode()
    before = len("".join(part.replace("\n", line_end) for part in parts[:2]).encode())
    ids, rejects = read(tmp_path / "a.tmx", data)
    assert ids == ["1", "3", "4"]
    assert rejects[0].line in (1, 2) and "damaged" in rejects[0].reason
    assert before <= rejects[0].offset < before + len(bad.encode())
    if "start of" not in next(name for name, value in BAD_UNITS.items() if value == bad):
        assert len(rejects) == 1 and rejects[0].line == 2


def test_bytes_that_are_not_utf8_cost_their_unit(tmp_path: Path) -> None:
    bad = unit(2).encode().replace(b"minister", b"minist\xe9r")
    ids, (reject,) = read(tmp_path / "a.tmx", (HEAD + unit(1)).encode() + bad + (unit(3) + TAIL).encode())
    assert ids == ["1", "3"] and reject.line == 2
    assert "line 4 of the file" in reject.reason


def test_a_thousand_units_lose_one(tmp_path: Path) -> None:
    data = HEAD + "".join(unit(n, THAI + "\x0b" * (n == 3)) for n in range(1, 1001)) + TAIL
    for name, packed in (("a.tmx", data.encode()), ("a.TMX.gz", gzip.compress(data.encode()))):
        ids, rejects = read(tmp_path / name, packed)
        assert len(ids) == 999 and [reject.line for reject in rejects] == [3]
        assert data.encode()[rejects[0].offset :].startswith(b'<tu tuid="3">')


def test_bytes_in_place_of_units_are_told(tmp_path: Path) -> None:
    data = (HEAD + unit(1) + unit(2) + unit(3) + unit(4) + TAIL).encode()
    first, last = data.index(b'<tu tuid="2"'), data.index(b'<tu tuid="4"')
    ids, rejects = read(tmp_path / "a.tmx", data[:first] + bytes(last - first) + data[last:])
    assert ids == ["1", "4"] and len(rejects) == 1


def test_a_file_that_is_cut_says_so(tmp_path: Path) -> None:
    whole = (HEAD + unit(1) + unit(2) + TAIL).encode()
    for end in (whole.index(b"</body>"), whole.index(b'"2"'), whole.index(b"<tu", whole.index(b"</tu>"))):
        ids, rejects = read(tmp_path / "a.tmx", whole[:end])
        assert ids[:1] == ["1"] and "damaged" in rejects[-1].reason
    assert read(tmp_path / "a.tmx", whole) == (["1", "2"], [])


def test_a_file_without_units_says_so(tmp_path: Path) -> None:
    for data in ("", "<html></html>", HEAD + TAIL, "no XML"):
        ids, rejects = read(tmp_path / "a.tmx", data)
        assert not ids and "no translation unit" in rejects[0].reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "tis-620", "windows-874"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    declared = "utf-16" if encoding.startswith("utf-16") else encoding.removesuffix("-sig")
    data = (HEAD.replace("UTF-8", declared) + unit(1) + unit(2, THAI + "\x0b") + unit(3) + TAIL).encode(
        encoding.replace("windows-", "cp")
    )
    ids, (reject,) = read(tmp_path / "a.tmx", data)
    assert ids == ["1", "3"] and reject.line == 2
    found = [row for row in rows(tmp_path / "a.tmx") if not isinstance(row, Reject)]
    assert found[0].values["translation"] == {"th": THAI, "en": ENGLISH}


@pytest.mark.parametrize("name", ["klingon-8", "rot13", "zlib", "undefined"])
def test_an_encoding_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    ids, rejects = read(tmp_path / "a.tmx", HEAD.replace("UTF-8", name) + unit(1) + TAIL)
    assert not ids and rejects


def test_an_encoding_that_is_declared_wrongly(tmp_path: Path) -> None:
    """Tools save UTF-16 as UTF-8 and leave the declaration."""
    assert read(tmp_path / "a.tmx", HEAD.replace("UTF-8", "UTF-16") + unit(1) + TAIL) == (["1"], [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<tmx version="1.4">', '<tmx version="1.4" xmlns="http://www.lisa.org/tmx14">'),
        ("<body>", "<body xmlns='urn:x'>"),
        ('<tmx version="1.4">', "<tmx xmlns:x='urn:x' xmlns:y='urn:y'\n version='1.4' xmlns='urn:tmx'>"),
    ],
)
def test_namespaces(tmp_path: Path, old: str, new: str) -> None:
    data = (HEAD + unit(1, "ตลาด<hi>น้ำ</hi><ph>x</ph>") + TAIL).replace(old, new)
    assert read(tmp_path / "a.tmx", data) == (["1"], [])
    (row,) = rows(tmp_path / "a.tmx")
    assert not isinstance(row, Reject) and row.values["translation"]["th"] == "ตลาดน้ำ"


def test_a_namespace_with_a_prefix(tmp_path: Path) -> None:
    data = HEAD + unit(1) + unit(2, "\x0b") + unit(3) + TAIL
    for name in ("tmx", "header", "body", "tuv", "tu", "seg"):
        data = data.replace(f"<{name} ", f"<t:{name} ").replace(f"<{name}>", f"<t:{name}>")
        data = data.replace(f"</{name}>", f"</t:{name}>")
    data = data.replace("<t:tmx ", '<t:tmx xmlns:t="urn:tmx" ')
    ids, rejects = read(tmp_path / "a.tmx", data)
    assert ids == ["1", "3"] and len(rejects) == 1


def test_what_looks_like_units_and_is_none(tmp_path: Path) -> None:
    odd = unit(2, english="a <!-- </tu> --> b") + unit(3, english="<![CDATA[</tu> & <b>]]>") + "<tu tuid='e'/>\n"
    inside = f"<!-- {unit(9)} --><?tool <tu> ?>" + odd
    ids, rejects = read(tmp_path / "a.tmx", HEAD + inside + unit(4).replace('"4"', '"4>"') + TAIL)
    assert ids == ["2", "3", "e", "4>"] and rejects == []


def test_an_empty_variant_does_not_hide_another(tmp_path: Path) -> None:
    variants = '<tuv xml:lang="en"><seg> </seg></tuv><tuv xml:lang="en"><seg>Two</seg></tuv>'
    more = '<tuv xml:lang="en"><seg>Three</seg></tuv>'
    path = tmp_path / "a.tmx"
    read(path, HEAD + f'<tu><tuv xml:lang="th"><seg>{THAI}</seg></tuv>{variants}{more}</tu>' + TAIL)
    (row,) = rows(path)
    assert not isinstance(row, Reject) and row.values["translation"] == {"th": THAI, "en": "Two"}
    assert [text for _, text in texts(path)] == [THAI, "Two", "Three"], "all of it is held out"


def test_fields_of_a_pair_cannot_be_forged_by_a_language_code(tmp_path: Path) -> None:
    path = tmp_path / "a.tmx"
    read(path, HEAD + unit(1).replace('xml:lang="th"', 'xml:lang="src_lang"') + TAIL)
    (row,) = rows(path)
    assert not isinstance(row, Reject) and "src_lang" not in row.values


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from("<>&\"'/!-[]\0\x0b \nétu"), st.booleans()), max_size=6)
)
def test_no_damage_ends_the_reading(
    tmp_path_factory: pytest.TempPathFactory, damages: list[tuple[int, str, bool]]
) -> None:
    data = HEAD + "".join(map(unit, range(5))) + TAIL
    for place, character, is_added in damages:
        place %= len(data)
        data = data[:place] + character + data[place + (not is_added) :]
    path = tmp_path_factory.getbasetemp() / "fuzz.tmx"
    ids, rejects = read(path, data)
    intact = [str(number) for number in range(5) if unit(number) in data]
    if data.startswith(HEAD) and "<!" not in data.replace("<!--", "") and "<!--" not in data and "<?" not in data[5:]:
        assert set(intact) <= set(ids), rejects
    assert all(reject.reason for reject in rejects)


@given(st.binary(max_size=300))
@pytest.mark.parametrize("suffix", ["tmx", "tsv", "json", "jsonl", "parquet", "txt", "tmx.gz", "json.zst"])
def test_no_bytes_end_the_reading(tmp_path_factory: pytest.TempPathFactory, suffix: str, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz.{suffix}"
    for content in (data, b'<?xml version="1.0"?><tmx><tu>' + data, b"[" + data, b'{"text": "' + data):
        path.write_bytes(content)
        assert all(not isinstance(row, Reject) or row.reason for row in rows(path))
        try:
            list(texts(path))
        except InputError as error:
            assert error.remedy
