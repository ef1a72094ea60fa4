"""Files called .json, whatever of the three usual forms they have."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest
import zstandard

from pipeline.errors import InputError
from pipeline.files import json_array
from pipeline.files.rows import json_objects, read_rows
from pipeline.files.tables import rows
from pipeline.types import Reject

OBJECTS = [{"id": n, "text": f'ข่าวที่ {n}: "}},{{"'} for n in range(5)]
LINES = b"".join(orjson.dumps(row) + b"\n" for row in OBJECTS)
FORMS = {
    "array on one line": orjson.dumps(OBJECTS),
    "array": orjson.dumps(OBJECTS, option=orjson.OPT_INDENT_2),
    "array with a mark": b"\xef\xbb\xbf \r\n" + orjson.dumps(OBJECTS) + b"\r\n",
    "lines": LINES,
    "lines with a mark": b"\xef\xbb\xbf\n" + LINES,
}


def read(path: Path, data: bytes) -> tuple[list[int], list[Reject]]:
    """The ids that are read, and what is lost."""
    path.write_bytes(data)
    found = list(rows(path))
    lost = [row for row in found if isinstance(row, Reject)]
    return [row.values["id"] for row in found if not isinstance(row, Reject)], lost


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_arrays_and_lines(tmp_path: Path, form: bytes) -> None:
    packed = {"a.json": form, "b.JSON.gz": gzip.compress(form), "c.json.zst": zstandard.ZstdCompressor().compress(form)}
    for name, data in packed.items():
        assert read(tmp_path / name, data) == ([0, 1, 2, 3, 4], [])


def test_one_object(tmp_path: Path) -> None:
    assert read(tmp_path / "a.json", orjson.dumps(OBJECTS[3], option=orjson.OPT_INDENT_2)) == ([3], [])
    assert read(tmp_path / "a.json", orjson.dumps(OBJECTS[3])) == ([3], [])
    assert read(tmp_path / "a.json", b"[]") == ([], [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"id":2', b'"id":2,,'),
        (b'"id":2', b'"id":NaN'),
        (b'"id":2', b'"id":2,"x":"\x0b"'),
        (b'"id":2', b'"id":2,"x":"\xe9"'),
        (b'"id":2', b'"id":2,"x":"\\ud800"'),
        (b'"id":2', b'"id:2'),
        (b'"id":2', b'"id":2,"x":' + b"[" * 100_000),
    ],
)
def test_a_bad_object_of_an_array_costs_itself(tmp_path: Path, old: bytes, new: bytes) -> None:
    data = orjson.dumps([{"id": n, "text": "ข่าว"} for n in range(5)])
    for form in (data, data.replace(b"},", b"},\n")):
        ids, (reject,) = read(tmp_path / "a.json", form.replace(old, new))
        assert ids == [0, 1, 3, 4] and reject.line == 3
        assert form.index(b'{"id":2') <= reject.offset < form.index(b'{"id":3') + len(new)


def test_what_is_no_object_costs_itself(tmp_path: Path) -> None:
    ids, rejects = read(tmp_path / "a.json", b'[{"id": 1}, 7, "x", null, [], {"id": 2}] ')
    assert ids == [1, 2] and [reject.line for reject in rejects] == [2, 3, 4, 5]


def test_a_file_that_is_cut_keeps_what_came_before(tmp_path: Path) -> None:
    data = FORMS["array"]
    for end in (data.index(b"}", data.index(b'"id": 3')), data.rindex(b"]"), data.index(b'"id": 3')):
        ids, rejects = read(tmp_path / "a.json", data[:end])
        assert ids[:3] == [0, 1, 2] and len(rejects) == 1
    noise = orjson.dumps([{"id": n, "text": f"{n * 7919 % 104729:x}" * 9} for n in range(5000)])
    ids, rejects = read(tmp_path / "a.json.gz", gzip.compress(noise)[:-9000])
    assert len(ids) > 10 and "damaged" in rejects[-1].reason
    ids, rejects = read(tmp_path / "a.json", b'[{"id": 1}] {"id": 2}, {"id": 3}]')
    assert ids == [1, 2, 3] and not rejects


def test_an_array_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "MAX_BYTES", 100)
    ids, (reject,) = read(tmp_path / "a.json", orjson.dumps(OBJECTS))
    assert not ids and ".jsonl" in reject.reason


def test_cases_are_all_there_or_none(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_bytes(orjson.dumps(OBJECTS, option=orjson.OPT_INDENT_2))
    assert [row["id"] for _, row in read_rows(path, ["id", "text"], "")] == [0, 1, 2, 3, 4]
    path.write_bytes(b'[{"id": 1}, 2]')
    with pytest.raises(InputError, match=r"cases\.json, line 2 is no JSON object"):
        list(json_objects(path, ""))
    with pytest.raises(InputError, match="is a folder"):
        list(json_objects(tmp_path, ""))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(LINES)[:-9])
    with pytest.raises(InputError, match="damaged"):
        list(json_objects(tmp_path / "a.jsonl.gz", ""))
