"""README.md and docs/*.md against the program: every command they show is run, or at least understood.

Commands run word for word, in a folder with small files of the names that the documents use, on tiny models that stand
under the names of the real ones. docs/python.md has a test of its own.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pipeline.cli.main import app
from pipeline.cli.model_add import add
from pipeline.config.load import parse_settings
from pipeline.config.settings import Config
from pipeline.registry import models
from pipeline.view.server import Server
from tests.support import tiny
from tests.support.documents import DOCUMENTS, ROOT, ShownCommand, blocks, shown_commands
from tests.support.encoders import load_once
from tests.support.runs import ENGLISH, THAI, VIETNAMESE, articles, mekong
from tests.support.small import quiet

NOT_RUN = {
    "run CONFIG": "the form of the command, not an example",
    "models add": "downloads, or needs published files of a model",
    "--metric comet": "needs an environment of two gigabytes",
    "bench engine": "measures for minutes",
    "translate.device=cuda": "needs a GPU",
    "configs/gpu.yaml": "needs a GPU",
    "configs/cluster.yaml": "needs GPUs, or a Ray cluster",
}
"""What is only parsed: a part of the command, and why."""
STAND_INS = {"qwen2.5-coder-1.5b": "qwen2", "opus-mt-th-en": "marian", "nllb-200-distilled-600M": "nllb"}
SHOWN = shown_commands()
COMMANDS: Any = typer.main.get_command(app)


def reason_not_to_run(command: ShownCommand) -> str:
    return next((reason for part, reason in NOT_RUN.items() if part in " ".join(command.words)), "")


RUN = [command for command in SHOWN if not command.inline and not reason_not_to_run(command)]
RUN = list({tuple(command.words): command for command in reversed(RUN)}.values())[::-1]
"""Each once, though several documents show it."""


def write_inputs(folder: Path) -> None:
    """Small files under the names that the documents use, as a reader has them."""
    articles(folder / "articles")
    for name in ("article", "crawl", "dev"):
        (folder / f"{name}.th").write_text("\n".join(THAI) + "\n", "utf-8")
        (folder / f"{name}.en").write_text("\n".join(ENGLISH) + "\n", "utf-8")
    (folder / "dev.en").write_text("Nothing of the crawl is held out here, whatever it may be about.\n" * 4, "utf-8")
    for number, name in enumerate(("ours", "theirs", "a", "b", "c")):
        lines = [line.replace("the", "a" * number or "the") for line in ENGLISH]
        (folder / f"{name}.en").write_text("\n".join(lines) + "\n", "utf-8")
    pairs = list(zip(VIETNAMESE, ENGLISH, strict=False))
    table = "".join(f"{source}\t{english}\n" for source, english in pairs)
    (folder / "pairs.tsv").write_text(table, "utf-8")
    (folder / "crawl.tsv.gz").write_bytes(gzip.compress(table.encode()))
    rows = [{"src": source, "tgt": english, "src_lang": "vi"} for source, english in pairs]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (folder / "cases.jsonl").write_text(json.dumps(gold_case()) + "\n", "utf-8")
    (folder / "terms.tsv").write_text("ข่าว\tnews\tNOUN\n", "utf-8")


def gold_case() -> dict[str, Any]:
    """Two documents whose true alignment is one to one."""

    def spans(lines: list[str]) -> list[list[int]]:
        starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
        return [[start, start + len(line)] for start, line in zip(starts, lines, strict=True)]

    texts = {"src_text": "\n".join(THAI), "tgt_text": "\n".join(ENGLISH)}
    links = [[[number], [number]] for number in range(len(THAI))]
    return {"id": "a", "lang": "th", **texts, "src_spans": spans(THAI), "tgt_spans": spans(ENGLISH), "links": links}


@pytest.fixture(scope="module")
def at_home(
    tiny_model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, pytest.MonkeyPatch]]:
    """A folder as a reader has it: configurations, articles, and the runs out/quickstart and out/other."""
    pytest.importorskip("ctranslate2")
    folder = tmp_path_factory.mktemp("reader")
    registry = folder / "registry"
    registry.mkdir()
    for path in (ROOT / "models").glob("*.yaml"):
        if path.stem in STAND_INS:
            family = STAND_INS[path.stem]
            short = {"max_new_factor": 1.0, "max_new_extra": 4}
            data = tiny.entry(family, tiny_model(family), name=path.stem, generation=short)
            (registry / path.name).write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
        else:
            shutil.copy(path, registry)
    shutil.copytree(ROOT / "configs", folder / "configs")
    articles(folder / "samples")
    write_inputs(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "shipped", lambda: registry)
        patch.setenv("MEKONG_MODELS", str(folder / "store"))
        patch.chdir(folder)
        for name in (*STAND_INS, "use-multilingual-v3"):
            add(name, quiet)
        load_once(patch)
        assert mekong(patch, "run", "configs/quickstart.yaml", "--out", "out/quickstart", "--quiet") == 0
        shutil.copytree("out/quickstart", "out/other")
        yield folder, patch


def test_there_are_commands_to_try_in_most_documents() -> None:
    assert len(RUN) > 20 and len({command.document for command in RUN}) > 6
    for part in NOT_RUN:
        assert any(part in command.text for command in SHOWN), f"no document shows {part!r} any more"


@pytest.mark.parametrize("command", SHOWN, ids=str)
def test_every_command_and_option_that_is_shown_exists(command: ShownCommand) -> None:
    found = COMMANDS
    words = [word.strip("[].") for word in command.words]
    while hasattr(found, "commands") and words and not words[0].startswith("-"):
        assert words[0] in found.commands, f"no command {words[0]!r}"
        found = found.commands[words.pop(0)]
    known = {option for parameter in found.params for option in parameter.opts} | {"--help", "-h"}
    for word in words:
        assert not word.startswith("-") or word.partition("=")[0] in known, f"no option {word!r}"


@pytest.mark.parametrize("command", RUN, ids=str)
def test_every_command_in_a_block_runs_and_does_what_is_said(
    command: ShownCommand, at_home: tuple[Path, pytest.MonkeyPatch], capfd: pytest.CaptureFixture[str]
) -> None:
    folder, patch = at_home
    write_inputs(folder)
    for filtered in (folder / "out").glob("*-filtered"):
        shutil.rmtree(filtered)  # files of one name and several suffixes have one folder
    source, target = command.redirected

    class Stdin:
        buffer = io.BytesIO((folder / source).read_bytes() if source else b"")

    def stop(server: Server, poll_interval: float) -> None:
        raise KeyboardInterrupt

    with patch.context() as patched:
        patched.setattr(sys, "stdin", Stdin)
        patched.setattr(Server, "serve_forever", stop)
        capfd.readouterr()
        code = mekong(patched, *command.words)
    said = capfd.readouterr()
    assert code == 0, said.err
    if target:
        (folder / target).write_text(said.out, "utf-8")
    check_claims(command, folder, (folder / target).read_text("utf-8") if target else said.out)


def check_claims(command: ShownCommand, folder: Path, out: str) -> None:
    """What the documents say of the result of each command."""
    text, rows = " ".join(command.words), [line for line in out.split("\n") if line]
    if text.startswith("translate"):
        assert len(rows) == len(THAI), "line in, line out"
    elif text.startswith("align"):
        assert {line.count("\t") for line in rows} == {2}
        assert THAI[0] in out and ENGLISH[0] in out and re.fullmatch(r"\d\.\d+", rows[0].split("\t")[2])
    elif text.startswith("filter"):
        made = folder / (command.words[-1] if "--out" in text else f"out/{command.words[1].split('.')[0]}-filtered")
        assert {"corpus", "rejected_pairs.jsonl", "manifest.json", "shards"} <= {path.name for path in made.iterdir()}
        assert "kept" in out and "alone" in out
    elif text.startswith("score"):
        assert "ours" in out and ("version:2" in out if "--metric" not in text else "Sim" in out)
        assert ("p = " in out or "p-value" in out or " p " in out) or "--paired" not in text
    elif text.startswith("view"):
        assert rows[0].startswith("http://127.0.0.1:")
    elif text.startswith("report") and len(command.words) > 2:
        made = folder / (command.words[-1] if "--out" in text else "out/comparison")
        assert {"comparison.html", "comparison.json"} <= {path.name for path in made.iterdir()}
    elif text.startswith("doctor"):
        assert "use-multilingual-v3" in out and "failed" not in out
    elif "--json" in command.words:
        assert json.loads((folder / command.words[-1]).read_text("utf-8"))
    elif text.startswith(("run", "merge")) and "--dry-run" not in text and "--shard" not in text:
        said = "--out" in text or text.startswith("merge")
        check_run_folder(folder / (command.words[-1] if said else "out/news"))


def check_run_folder(made: Path) -> None:
    """The files of README's table, but for the decisions that nobody has made."""
    table = (ROOT / "README.md").read_text("utf-8").partition("| in the run folder")[2].partition("\n\n")[0]
    names = [name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`([^`]+)`", row)]
    assert len(names) > 6
    for name in names:
        # Nobody decides by hand here, and the tiny models are for no trial and read no hints.
        assert (made / name).exists() or name in ("decisions.jsonl", "corpus/machine/", "names.tsv"), name
    suffixes = {path.suffix for path in (made / "corpus").iterdir()}
    assert {".jsonl", ".parquet", ".tmx", ".md"} <= suffixes


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_settings_that_are_shown_are_settings(path: Path) -> None:
    for block in blocks(path.read_text("utf-8")):
        if block.split(":")[0] in Config.model_fields:
            parse_settings(Config, yaml.safe_load(block), path.name)
    for name in re.findall(r"`((?:read|segment|translate|align|filter|write|report|run)\.[a-z_]+)`", path.read_text()):
        section, field = name.split(".")
        assert field in ("html", "json") or field in Config.model_fields[section].annotation.model_fields, name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        assert (path.parent / link).exists(), link


def test_the_help_of_each_command_has_an_example() -> None:
    def leaves(command: Any) -> Iterator[Any]:
        if hasattr(command, "commands"):
            for inner in command.commands.values():
                yield from leaves(inner)
        else:
            yield command

    for command in leaves(COMMANDS):
        assert "Example: mekong " in (command.help or ""), command.name
