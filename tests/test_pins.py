"""Every dependency has one exact version in pyproject.toml. Needs no network."""

from __future__ import annotations

import tomllib

import pytest

from tools import pins

TEXT = pins.PYPROJECT.read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)


def test_every_dependency_has_its_pin() -> None:
    assert pins.problems(PROJECT) == []


def test_a_missing_and_a_wrong_pin_are_found() -> None:
    project = tomllib.loads(TEXT)
    lines = project["tool"]["uv"]["constraint-dependencies"]
    project["tool"]["uv"]["constraint-dependencies"] = [
        "msgspec==0.0.1" if line.startswith("msgspec==") else line
        for line in lines
        if not line.startswith("pluggy==")  # not named by us: pytest needs it
    ]
    found = pins.problems(project)
    assert "pluggy has no pin" in found
    assert any(problem.startswith("msgspec ") and problem.endswith("the pin is 0.0.1") for problem in found)


@pytest.mark.parametrize("table", pins.TABLES)
def test_pins_are_exact_and_name_no_host(table: str) -> None:
    for line in PROJECT["tool"]["uv"][table]:
        assert "==" in line
        assert "*" not in line.partition(";")[0]
        assert "://" not in line
        assert "@" not in line


@pytest.mark.parametrize("table", pins.TABLES)
def test_writing_the_same_pins_changes_nothing(table: str) -> None:
    assert pins.rewritten(TEXT, table, PROJECT["tool"]["uv"][table]) == TEXT


def test_only_the_table_is_rewritten() -> None:
    text = '[tool.uv]\na = 1\nconstraint-dependencies = [\n    "x==1",\n]\n\n[tool.other]\nb = []\n'
    assert pins.rewritten(text, "constraint-dependencies", ["y==2 ; sys_platform == 'win32'"]) == (
        "[tool.uv]\na = 1\nconstraint-dependencies = [\n    \"y==2 ; sys_platform == 'win32'\",\n]\n\n"
        "[tool.other]\nb = []\n"
    )
