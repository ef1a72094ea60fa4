"""The rule of docs/architecture.md, read from all imports: a room imports only from the rooms before it."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imports import HEAVY, ROOMS, arrows_up, cycles, heavy_imports, modules

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pipeline"
FILES = sorted(PACKAGE.rglob("*.py"))


def test_the_folder_holds_the_rooms_and_two_modules() -> None:
    inside = [path for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "py.typed")]
    assert sorted(path.name for path in inside if path.is_dir()) == sorted(ROOMS)
    assert {path.stem for path in inside if path.is_file()} == {"__init__", "__main__", "types", "errors"}


def test_a_room_imports_only_from_rooms_before_it() -> None:
    assert arrows_up(PACKAGE) == []


def test_model_libraries_are_imported_where_models_are_loaded() -> None:
    assert heavy_imports(PACKAGE) == []


def test_no_module_imports_itself_in_a_ring() -> None:
    assert cycles(PACKAGE) == []


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A copy of the package to break."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__")))


def plant(path: Path, code: str) -> None:
    path.write_text(path.read_text("utf-8") + code, "utf-8")


def test_a_planted_arrow_up_is_found_also_when_lazy(planted: Path) -> None:
    plant(planted / "text" / "thai.py", "\ndef lazy() -> None:\n    from pipeline.run import run\n")
    plant(planted / "stages" / "segment" / "layout.py", "\nfrom pipeline.stages.translate import guards\n")
    plant(planted / "stages" / "score" / "base.py", "\nfrom pipeline.stages.read.stage import Reader\n")
    assert [line.rpartition("/")[2].partition(":")[0] for line in arrows_up(planted)] == [
        "base.py",
        "layout.py",
        "thai.py",
    ]


def test_a_planted_cycle_is_found_also_when_for_types_only(planted: Path) -> None:
    code = "\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pipeline.files.tables import rows\n"
    plant(planted / "files" / "lines.py", code)  # tables imports lines
    (ring,) = cycles(planted)
    assert {"pipeline.files.lines", "pipeline.files.tables"} <= set(ring)


def test_a_planted_heavy_import_is_found(planted: Path) -> None:
    plant(planted / "report" / "data.py", "\ndef lazy() -> None:\n    import torch.nn\n")
    (found,) = heavy_imports(planted)
    assert "data.py" in found and "torch" in found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_readable_and_free_of_dangerous_calls(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.split("\n")) <= 400
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert (node.end_lineno or 0) - node.lineno < 200, f"class {node.name} is over 200 lines"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "pickle.load", "pickle.loads", "os.system", "yaml.unsafe_load")
            assert called != "torch.load" or path.name == "conversions.py"
            for keyword in node.keywords:
                assert keyword.arg != "shell"
                assert keyword.arg != "trust_remote_code" or ast.unparse(keyword.value) == "False"


DANGEROUS = {
    "S102": "exec(text)",
    "S307": "eval(text)",
    "S602": "subprocess.run(text, shell=True)",
    "S604": "run_it(text, shell=True)",
    "S605": "os.system(text)",
    "S506": "yaml.load(text, yaml.Loader)",
    "S301": "pickle.loads(text)",
    "S302": "marshal.loads(text)",
    "S314": "xml.etree.ElementTree.fromstring(text)",
    "S202": "tarfile.open(text).extractall()",
    "S306": "tempfile.mktemp()",
    "TID251 pickle": "import pickle",
    "TID251 from pickle": "from pickle import loads",
    "TID251 dill": "import dill",
    "TID251 marshal": "import marshal",
    "TID251 shelve": "import shelve",
    "TID251 joblib": "import joblib",
    "TID251 cloudpickle": "import cloudpickle",
    "TID251 torch.load": "torch.load(text)",
    "TID251 torch.hub": "torch.hub.load(text, text)",
    "TID251 from torch": "from torch import load",
    "TID251 yaml.load": "yaml.load(text, yaml.SafeLoader)",
    "TID251 yaml.unsafe_load": "yaml.unsafe_load(text)",
    "TID251 yaml.full_load": "yaml.full_load(text)",
    "TID251 os.popen": "os.popen(text)",
    "TID251 xml": "import xml.etree.ElementTree",
    "TID251 numpy.load": "numpy.load(text)",
}
"""The rule that must report a line, and the line."""
CHECKED = {rule.split()[0] for rule in DANGEROUS}
IMPORTS = "import subprocess, os, tarfile, tempfile, marshal, pickle, yaml, torch, numpy, xml.etree.ElementTree\n"
RUFF = ("-m", "ruff", "check", "--no-cache", "--output-format", "json", "--config", str(ROOT / "pyproject.toml"))


def reported(path: Path) -> set[tuple[str, int]]:
    """The rules that ruff, as it is set up here, finds broken in a file of the package, with the line."""
    command = [sys.executable, *RUFF, "--stdin-filename", str(PACKAGE / "files" / path.name), "-"]
    done = subprocess.run(command, input=path.read_text(), capture_output=True, text=True, cwd=ROOT)
    return {(found["code"], found["location"]["row"]) for found in json.loads(done.stdout)}


def test_a_planted_danger_is_reported_by_the_linter_as_it_is_set_up(tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text(IMPORTS + "".join(f"{line}\n" for line in DANGEROUS.values()))
    found = reported(path)
    missing = [rule for row, rule in enumerate(DANGEROUS, 2) if (rule.split()[0], row) not in found]
    assert missing == []


def test_the_linter_is_told_to_look_away_where_it_is_known_why() -> None:
    """Of the rules that keep data from running, the exceptions in the package, each with its reason beside it."""
    allowed = {
        ("engines/convert/conversions.py", "TID251"),  # torch.load, in a child process
        ("files/plain_yaml.py", "S506 TID251"),  # a SafeLoader made stricter
    }
    found = set()
    for path in FILES:
        for rules in re.findall(r"# noqa: ([A-Z0-9, ]*(?:S[1-7]|TID)[A-Z0-9, ]*)", path.read_text("utf-8")):
            codes = " ".join(sorted(code for code in re.split(r"[, ]+", rules) if code in CHECKED))
            if codes:
                found.add((path.relative_to(PACKAGE).as_posix(), codes))
    assert found == allowed


PRINTING = {"typer.echo", "typer.secho", "print", "sys.stdout.write", "sys.stderr.write", "Console", "rich.print"}
PRINTERS = {"files/terminal.py", "cli/main.py"}
"""The second writes one sentence of its own, when it is stopped."""
CHILDREN = ("bench/", "_worker.py", "child.py", "convert/", "metrics/environment.py")
"""They write to a process of ours; the benches measure files of their own."""


def test_people_are_told_things_by_what_makes_them_harmless() -> None:
    """Text of data, and names of files, reach a terminal by `pipeline.files.terminal` alone."""
    found = []
    for path in FILES:
        name = path.relative_to(PACKAGE).as_posix()
        if name in PRINTERS or any(part in name for part in CHILDREN):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in PRINTING:
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_a_class_name_is_used_once() -> None:
    places: dict[str, list[str]] = {}
    for name, path in modules(PACKAGE).items():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_help_loads_no_model_library() -> None:
    program = f"import sys, pipeline.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
