"""What import-linter cannot say about the layers: how little the core needs, and how small its pieces are.

The layers themselves are in pyproject.toml under ``[tool.importlinter]`` and are checked by ``make check``.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parent.parent / "src"
CORE = SRC / "charye" / "core"

# What a module that only decides may use of the standard library. `re` is for messages of old servers. A new name
# here needs a reason in the commit; a clock, chance, I/O or concurrency never has one.
CORE_MAY_IMPORT = {
    "__future__",
    "abc",
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "types",
    "typing",
}
OURS_FOR_CORE = ("charye.core", "charye.errors", "charye.protocol")

MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 60


def module_name(file: Path) -> str:
    parts = file.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in sorted(SRC.rglob("*.py"))}


def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def guarded(tree: ast.Module) -> set[ast.stmt]:
    """The statements below ``if TYPE_CHECKING:``. They are not imported when the program runs."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
        if isinstance(inner, ast.stmt)
    }


def imports(name: str, *, at_run_time: bool = False) -> set[str]:
    """Dotted names of all modules that this one imports; with `at_run_time`, only those executed on import."""
    file = MODULES[name]
    tree = parse(file)
    skipped = guarded(tree) if at_run_time else set()
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in tree.body if at_run_time else ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            # `from package import module` imports the module; of `from module import name` only the module counts.
            found |= {
                f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names
            }
    return found


def core_modules() -> list[str]:
    return [name for name in MODULES if name == "charye.core" or name.startswith("charye.core.")]


@pytest.mark.parametrize("name", core_modules())
def test_the_core_imports_only_what_decides(name: str) -> None:
    foreign = {
        imported
        for imported in imports(name)
        if imported.split(".")[0] not in CORE_MAY_IMPORT
        and not any(imported == ours or imported.startswith(f"{ours}.") for ours in OURS_FOR_CORE)
    }
    assert not foreign


def test_errors_import_nothing() -> None:
    assert imports("charye.errors") == {"__future__"}


def test_no_import_cycles() -> None:
    graph = {name: imports(name, at_run_time=True) & (MODULES.keys() - {name}) for name in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("name", core_modules())
def test_a_module_of_the_core_can_be_read_at_once(name: str) -> None:
    lines = len(MODULES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE_LINES


@pytest.mark.parametrize("name", core_modules())
def test_a_function_of_the_core_fits_a_screen(name: str) -> None:
    long = {
        node.name: length
        for node in ast.walk(parse(MODULES[name]))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert not long


@pytest.mark.parametrize("name", [name for name in MODULES if not name.rpartition(".")[2].startswith("_")])
def test_each_public_module_lists_its_names(name: str) -> None:
    assigned = {
        target.id
        for node in parse(MODULES[name]).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    # A package that is only a folder needs no list.
    is_folder = MODULES[name].name == "__init__.py" and not imports(name) - {"__future__"}
    assert "__all__" in assigned or is_folder


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that this statement loads, in a fresh interpreter without site packages' hooks."""
    program = (
        "import sys; before = set(sys.modules)\n"
        f"sys.path.insert(0, {str(SRC)!r})\n"
        f"{statement}\n"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    return set(done.stdout.split())


def test_importing_charye_loads_only_charye() -> None:
    # Without site packages at all: it may need none. `typing` brings a few small modules of its own.
    assert loaded_by("import charye") <= loaded_by("import typing") | {"charye", "__future__"}


def test_using_a_name_of_the_door_loads_its_module_only_then() -> None:
    assert "asyncio" not in loaded_by("import charye; charye.CharyeError")
