"""What data frames and other programs write into the fields of articles."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.settings import ReadSettings
from pipeline.files.lines import BadInput
from pipeline.stages.read.fields import date_field, id_field
from pipeline.stages.read.stage import Reader
from pipeline.types import Document, Reject

RAIN = "Heavy rain fell on the capital on Monday, police said. Roads were flooded."


def read(path: Path) -> tuple[list[Document], list[Reject]]:
    found = list(Reader(ReadSettings()).read([str(path)]))
    return [x for x in found if isinstance(x, Document)], [x for x in found if isinstance(x, Reject)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The rows as a file of the kind that its name says."""
    if path.name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.name.endswith(".json"):
        path.write_bytes(orjson.dumps(rows))
    else:
        data = b"\n".join(map(orjson.dumps, rows))
        path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.JSONL.gz", "a.json", "a.parquet", "a.ndjson"])
def test_null_is_no_value(tmp_path: Path, name: str) -> None:
    nothing: dict[str, Any] = {"url": None, "date": None, "lang": None, "licence": None, "section": None}
    rows = [{"id": None, "text": RAIN, **nothing}, {"id": "2", "text": RAIN, **nothing, "section": "biz"}]
    (first, second), rejects = read(write(tmp_path / name, rows))
    assert not rejects and first.lang == "en" and first.id and first.meta == {}
    assert (second.id, second.meta, second.source.url, second.source.date) == ("2", {"section": "biz"}, "", "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2024, 12, 5), "2024-12-05"),
        (datetime(2024, 12, 5, 7, 30), "2024-12-05T07:30:00"),
        (datetime(2024, 12, 5, 7, 30, tzinfo=UTC), "2024-12-05T07:30:00+00:00"),
        (20241205, "2024-12-05"),
        (20241205.0, "2024-12-05"),
        (2024, "2024"),
        (1733383800, "2024-12-05T07:30:00+00:00"),
        (1733383800.5, "2024-12-05T07:30:00+00:00"),
        (1733383800_000, "2024-12-05T07:30:00+00:00"),
        (1733383800_000_000, "2024-12-05T07:30:00+00:00"),
        (1733383800_000_000_000, "2024-12-05T07:30:00+00:00"),
        (-631152000, "1950-01-01T00:00:00+00:00"),
        (20249999, "20249999"),
        (float("nan"), ""),
        (None, ""),
        ("5 Dec 2024", "5 Dec 2024"),
    ],
)
def test_dates(value: Any, expected: str) -> None:
    assert date_field(value, "date") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, "4"),
        (4.0, "4"),
        (4.5, "4.5"),
        (True, "true"),
        (None, ""),
        (float("nan"), ""),
        ("x", "x"),
        (2**53, str(2**53)),
    ],
)
def test_ids(value: Any, expected: str) -> None:
    assert id_field(value, "id") == expected


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.datetimes()
    | st.text()
    | st.lists(st.none())
)
def test_every_value_is_text_or_bad_input(value: Any) -> None:
    for field in (id_field, date_field):
        try:
            assert isinstance(field(value, "x"), str)
        except BadInput as bad:
            assert "not a string" in bad.reason


def test_columns_of_moments_and_numbers(tmp_path: Path) -> None:
    moment = datetime(2024, 12, 5, 7, 30)
    table = pa.table({
        "text": [RAIN, RAIN],
        "id": pa.array([1.0, 2.0]),
        "date": pa.array([moment, None], pa.timestamp("ns")),
        "seen": pa.array([moment, moment], pa.timestamp("us", "Asia/Bangkok")),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    documents, rejects = read(tmp_path / "a.parquet")
    assert not rejects and [document.id for document in documents] == ["1", "2"]
    assert [document.source.date for document in documents] == ["2024-12-05T07:30:00", ""]
    assert documents[0].meta["seen"].startswith('"2024-12-05')


def test_a_value_that_python_cannot_have_costs_its_row(tmp_path: Path) -> None:
    years = pa.array([0, 10**15, 0], pa.timestamp("ms"))
    pq.write_table(pa.table({"text": [RAIN] * 3, "id": ["1", "2", "3"], "date": years}), tmp_path / "a.parquet")
    documents, (reject,) = read(tmp_path / "a.parquet")
    assert [document.id for document in documents] == ["1", "3"] and reject.line == 2


def test_a_datasets_folder_with_moments(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = {"text": [RAIN, RAIN], "date": [datetime(2024, 12, 5), None], "id": [4.0, None]}
    datasets.Dataset.from_dict(rows).save_to_disk(str(tmp_path / "saved"))
    (first, second), rejects = read(tmp_path / "saved")
    assert not rejects and (first.id, first.source.date, second.source.date) == ("4", "2024-12-05T00:00:00", "")


@pytest.mark.parametrize("code", ["EN", "en-US", "en_GB", "eng", "eng_Latn", "en-Latn-US", "en_US.UTF-8", " en "])
def test_codes_of_languages_in_every_usual_form(tmp_path: Path, code: str) -> None:
    (document,), rejects = read(write(tmp_path / "a.jsonl", [{"text": RAIN, "lang": code}]))
    assert not rejects and document.lang == "en"


@pytest.mark.parametrize(
    ("lang", "codes"),
    [
        ("th", ["TH", "tha", "th_TH", "th-Thai", "tha_Thai", "THA"]),
        ("vi", ["VI", "vie", "vi-VN", "vi_vn", "vie_Latn"]),
    ],
)
def test_codes_of_source_languages(tmp_path: Path, lang: str, codes: list[str]) -> None:
    documents, rejects = read(write(tmp_path / "a.json", [{"text": RAIN, "lang": code} for code in codes]))
    assert not rejects and {document.lang for document in documents} == {lang}


def test_another_language_is_named_as_it_was_written(tmp_path: Path) -> None:
    _, (reject,) = read(write(tmp_path / "a.jsonl", [{"text": RAIN, "lang": "lo-LA"}]))
    assert "'lo-LA'" in reject.reason


@pytest.mark.parametrize("key", ["url", "licence", "lang", "date", "id"])
def test_a_field_of_another_type_costs_its_line(tmp_path: Path, key: str) -> None:
    documents, (reject,) = read(write(tmp_path / "a.jsonl", [{"text": RAIN, key: [5]}, {"text": RAIN}]))
    assert len(documents) == 1 and f"'{key}' is a list" in reject.reason


def test_a_field_too_deep_to_keep_costs_its_line(tmp_path: Path) -> None:
    deep = f'{{"text": "{RAIN}", "more": {"[" * 300}{"]" * 300}}}\n{{"text": "{RAIN}"}}'
    (tmp_path / "a.jsonl").write_text(deep)
    documents, (reject,) = read(tmp_path / "a.jsonl")
    assert len(documents) == 1 and reject.line == 1
