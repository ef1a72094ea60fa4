"""The rule of docs/architecture.md, read from all imports: a room imports only from the rooms before it."""

import ast
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
