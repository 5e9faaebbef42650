"""What decides about an interview has no clock, no chance, no waiting; its files are read when a plan is loaded."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import charye.interview

FOLDER = Path(charye.interview.__file__).parent
FORBIDDEN = {
    "asyncio", "calendar", "concurrent", "datetime", "multiprocessing", "os", "queue", "secrets", "select", "signal",
    "socket", "subprocess", "threading", "time", "urllib", "uuid",
}  # fmt: skip
PURE = (
    "answering", "bank_check", "choice", "course", "guidance", "handling", "hangul", "hearing", "learners", "levels",
    "lines", "moves", "plan", "policy", "progress", "prompts", "search", "speaking", "surface", "toml_lines",
    "transcript", "transcript_files", "turn_score",
)  # fmt: skip


def imported(module: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("module", PURE)
def test_nothing_waits_or_looks_at_a_clock(module: str) -> None:
    assert {name.partition(".")[0] for name in imported(module)} & FORBIDDEN == set()


@pytest.mark.parametrize("module", [name for name in PURE if name != "learners"])
def test_chance_is_the_callers(module: str) -> None:
    assert "random" not in imported(module)


@pytest.mark.parametrize("module", PURE)
def test_no_module_is_a_god(module: str) -> None:
    assert len((FOLDER / f"{module}.py").read_text(encoding="utf-8").splitlines()) <= 350
