"""The command from outside: bad input, exit codes, help, and the stages on their own."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from pipeline.registry.models import Entry
from tests.support.runs import ENGLISH, THAI, VIETNAMESE, articles, config, lines, mekong


def bad_input(folder: Path) -> dict[str, str]:
    """Files that cannot be read, and a word of the reason that each must get."""
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 4)
    (folder / "latin1.txt").write_bytes(
        "Hà Nội, thủ đô của Việt Nam, à la carte café".encode("latin-1", "replace") + b"\xe9"
    )
    (folder / "empty.txt").write_bytes(b"")
    (folder / "nul.txt").write_bytes(b"text\0text")
    (folder / "long.jsonl").write_bytes(b'{"text": "' + b"a" * 5_000_000 + b'"}\n')
    whole = gzip.compress(b"".join(orjson.dumps({"text": text}) + b"\n" for text in THAI))
    (folder / "cut.jsonl.gz").write_bytes(whole[:-20])
    (folder / "keys.jsonl").write_text('{"body": "x"}\n{"text": 5}\n[1]\n{"text": \n', encoding="utf-8")
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    return {
        "binary.txt": "UTF-8",
        "latin1.txt": "UTF-8",
        "empty.txt": "empty",
        "nul.txt": "NUL",
        "long.jsonl": "max_line_bytes",
        "cut.jsonl.gz": "damaged",
        "keys.jsonl": "text",
        "gone.txt": "cannot be read",
    }


def test_bad_files_are_set_aside_with_reasons_and_the_rest_is_done(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, out = articles(tmp_path / "articles"), tmp_path / "out"
    expected = bad_input(folder)
    path = config(tmp_path, run_entry.name, paths=[str(folder)], max_rejects=100)
    assert mekong(monkeypatch, "run", path, "--out", out, "--quiet") == 0
    rejects = lines(out / "rejected.jsonl")
    for name, word in expected.items():
        mine = [row for row in rejects if Path(row["path"]).name == name]
        assert all(row["reason"] and row["offset"] >= 0 for row in mine)
        assert any(word in row["reason"] for row in mine), (name, mine)
    assert [row["line"] for row in rejects if row["path"].endswith("keys.jsonl")] == [1, 2, 3, 4]
    translated = {Path(row["source"]).name for row in lines(out / "translations.jsonl")}
    # Of the file that was cut, the lines before the cut.
    assert translated == {"th-0.txt", "vi-0.txt", "cut.jsonl.gz"}
    assert mekong(monkeypatch, "run", path, "--out", out, "--quiet", "--set", "read.max_rejects=3") == 3
    assert "were rejected" in capfd.readouterr().err
    assert (out / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "read.paths=[nowhere/at/all]"], 1, ["nowhere/at/all", "does not exist"]),
        (["--set", "read.paths=[nowhere]", "--set", "translate.model=opus-mt-th-en"], 1, ["nowhere does not exist"]),
        (["--set", "read.paths=[]", "--set", "translate.model=opus-mt-th-en"], 1, ["read.paths is empty"]),
        (["--set", "translate.modle=x"], 2, ["translate.modle", "did you mean 'model'"]),
        (["--set", "translate.model=opus-mt-th-em"], 2, ["opus-mt-th-em", "opus-mt-th-en"]),
        (["--set", "translate.model=opus-mt-th-en"], 1, ["not in the store", "mekong models add opus-mt-th-en"]),
        (["--set", "filter.rules={similarty: {min: 1}}"], 2, ["similarty", "similarity"]),
        (["--set", "translate.glossary=[none.tsv]", "--set", "translate.use_glossary=true"], 1, ["none.tsv"]),
    ],
)
def test_bad_settings_end_with_a_message_and_no_traceback(
    run_entry: Entry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: list[str],
) -> None:
    path = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles"))])
    assert mekong(monkeypatch, "run", path, "--out", tmp_path / "out", "--quiet", *arguments) == code
    error = capfd.readouterr().err
    assert error.startswith("mekong: ") and "Traceback" not in error
    for word in words:
        assert word in error
    if "does not exist" in words[-1] or "empty" in words[-1]:
        assert not (tmp_path / "out").exists()


def test_unwritable_output_is_a_clear_error(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    path = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles"))])
    assert mekong(monkeypatch, "run", path, "--out", tmp_path / "file" / "out", "--quiet") == 1
    assert "Traceback" not in capfd.readouterr().err


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    class Stream:
        buffer = io.BytesIO(text.encode())

    monkeypatch.setattr(sys, "stdin", Stream)


def test_translate_gives_one_line_a_line(
    run_entry: Entry, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stdin(monkeypatch, f"{THAI[0]}\n\n{THAI[1]}\n{ENGLISH[0]}\n{VIETNAMESE[0]}")
    flags = ["--no-glossary", "--quiet", "--set", "translate.threads=1"]
    assert mekong(monkeypatch, "translate", "--model", run_entry.name, *flags) == 0
    out = capfd.readouterr().out.split("\n")
    assert len(out) == 6 and out[5] == ""
    assert out[1] == "" and out[3] == ENGLISH[0]
    assert out[0] and out[0] != THAI[0]


def test_the_example_of_align_runs_whatever_the_files_are_called(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "article.th", tmp_path / "article.en.gz"
    source.write_text("\n".join(THAI), encoding="utf-8")
    target.write_bytes(gzip.compress("\n".join(ENGLISH).encode()))
    assert mekong(monkeypatch, "align", source, target, "--quiet") == 0
    assert len(capfd.readouterr().out.splitlines()) == len(THAI)
    for given, words in ((tmp_path, "is a folder"), (tmp_path / "none.en", "does not exist")):
        assert mekong(monkeypatch, "align", source, given, "--quiet") == 1
        assert words in capfd.readouterr().err
    (tmp_path / "cases.json").write_text('[{"id": 1, "src_text": "a", "tgt_text": 5}]')
    assert mekong(monkeypatch, "align", "--cases", tmp_path / "cases.json", "--quiet") == 1
    assert "'tgt_text' is a int" in capfd.readouterr().err


def test_translate_reads_compressed_text_and_refuses_what_is_none(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.en.GZ"
    path.write_bytes(gzip.compress("\n".join(ENGLISH).encode()))
    assert mekong(monkeypatch, "translate", path, "--model", run_entry.name, "--quiet") == 0
    assert capfd.readouterr().out.splitlines() == ENGLISH
    path.write_bytes(path.read_bytes()[:-9])
    (tmp_path / "a.JSON").write_text("[]")
    for given, words in ((path, "damaged"), (tmp_path, "is a folder"), (tmp_path / "a.JSON", "no lines of text")):
        assert mekong(monkeypatch, "translate", given, "--model", run_entry.name, "--quiet") == 1
        assert words in capfd.readouterr().err


SEPARATORS = "\t\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def test_no_separator_inside_a_line_of_translate_or_a_field_of_align(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    english = [line.replace(" ", mark, 1) for line, mark in zip(ENGLISH * 3, SEPARATORS, strict=False)]
    stdin(monkeypatch, "\n".join(english))
    assert mekong(monkeypatch, "translate", "--model", run_entry.name, "--quiet") == 0
    assert capfd.readouterr().out.splitlines() == (ENGLISH * 3)[: len(english)]
    source, target = tmp_path / "a.th.txt", tmp_path / "a.en.txt"
    source.write_text("\n".join(line[:9] + "\u2028" + line[9:] for line in THAI), encoding="utf-8", newline="")
    target.write_text("\n".join(english[: len(THAI)]), encoding="utf-8", newline="")
    assert mekong(monkeypatch, "align", source, target, "--quiet") == 0
    rows = capfd.readouterr().out.splitlines()
    assert rows and all(len(row.split("\t")) == 3 for row in rows)


def test_translate_says_in_json_what_went_wrong(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.th"
    path.write_text(THAI[1], encoding="utf-8")
    flags = ["--no-glossary", "--quiet", "--json", "--set", "translate.threads=1"]
    assert mekong(monkeypatch, "translate", path, "--lang", "th", "--model", run_entry.name, *flags) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["segments"][0]["ended"] != "stop" and record["segments"][0]["problems"]


def test_align_two_files_and_cases(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "a.th.txt", tmp_path / "a.en.txt"
    source.write_text("\n".join(THAI), encoding="utf-8")
    target.write_text("\n".join(ENGLISH), encoding="utf-8")
    assert mekong(monkeypatch, "align", source, target, "--quiet") == 0
    rows = [line.split("\t") for line in capfd.readouterr().out.split("\n") if line]
    assert [(row[0], row[1]) for row in rows] == list(zip(THAI, ENGLISH, strict=True))
    case = {"id": "x", "src_text": "\n".join(THAI), "tgt_text": "\n".join(ENGLISH)}
    (tmp_path / "cases.jsonl").write_bytes(orjson.dumps(case) + b"\n")
    out = tmp_path / "beads.jsonl"
    assert mekong(monkeypatch, "align", "--cases", tmp_path / "cases.jsonl", "--out", out, "--quiet") == 0
    (found,) = lines(out)
    assert found["id"] == "x" and len(found["beads"]) == 4
    assert mekong(monkeypatch, "align", source) == 2


@pytest.mark.parametrize("command", ["run", "translate", "align", "score", "report", "doctor", "models"])
def test_every_command_has_help(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    assert mekong(monkeypatch, command, "--help") == 0
    assert "Usage: mekong" in capfd.readouterr().out


def test_a_closed_pipe_is_no_traceback() -> None:
    program = f"{sys.executable} -m pipeline.cli.main models list --json | head -c 1"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
