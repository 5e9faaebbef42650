"""The page of the laws says what is checked, and what it names exists."""

import re
from pathlib import Path

from tests.model.mutants import MUTANTS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/reference/invariants.md").read_text(encoding="utf-8")
LAWS = (ROOT / "tests/model/laws.py").read_text(encoding="utf-8")
EXPLORE = (ROOT / "tests/model/explore.py").read_text(encoding="utf-8")
TESTS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}


def rows_of(title: str) -> list[list[str]]:
    section = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_law_that_is_checked_is_on_the_page_and_no_other() -> None:
    raised = re.findall(r'Violation\(\s*f?"([^"]+)"', LAWS + EXPLORE)
    checked = {text.split(";")[0].split(":")[0] for text in raised if not text.startswith("world")}
    assert checked == {row[0] for row in rows_of("The laws")}


def test_every_mutant_is_on_the_page() -> None:
    named = {name.strip() for row in rows_of("The laws") for name in row[2].split(";") if name.strip()}
    assert named == {mutant.name for mutant in MUTANTS}


def test_every_law_is_known_to_be_able_to_fail() -> None:
    assert [row[0] for row in rows_of("The laws") if not row[2]] == []


def test_every_test_that_is_named_exists() -> None:
    everything = "\n".join(TESTS.values())
    for name in re.findall(r"`(test_\w+)`", PAGE):
        assert f"def {name}(" in everything, name
    for name in re.findall(r"`(test_\w+\.py)`", PAGE):
        assert name in TESTS, name
