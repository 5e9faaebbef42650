"""The documentation does not lie: links lead somewhere, and a file that is named exists or is called planned."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.transcripts.player import play
from tools import docs

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {"node_modules", "dist", "build", "mutants"}
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not any(part in SKIPPED or part.startswith(".") for part in page.relative_to(ROOT).parts)
)

LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
CODE_PATH = re.compile(r"`((?:src|tests|docs|tools|benchmarks|\.ci)/[\w./-]*)`")
# A file, and in brackets a name in it, as the architecture writes it.
NAMED = re.compile(r"`(src/[\w./]+\.py)`\s+\(`([\w.]+)`\)")
PLANNED_ROW = re.compile(r"^\| `([\w./-]+)` \| part \d \|$", re.MULTILINE)


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes from the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)
    assert not dead


def test_every_path_in_the_architecture_exists_or_is_planned() -> None:
    page = ROOT / "docs" / "architecture.md"
    planned = set(PLANNED_ROW.findall(page.read_text(encoding="utf-8")))
    named = set(CODE_PATH.findall(page.read_text(encoding="utf-8")))
    assert named, "the page names no paths; has the pattern broken?"
    assert sorted(path for path in named if not (ROOT / path).exists() and path not in planned) == []


def test_what_is_called_planned_is_not_there_yet() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    planned = PLANNED_ROW.findall(page)
    assert planned
    assert [path for path in planned if (ROOT / path).exists()] == []


def names_in(module: Path) -> set[str]:
    """The names at the top of a module, and `Class.method`."""
    found = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{inner.name}"
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return found


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_name_behind_a_file_is_in_it(page: str) -> None:
    named = NAMED.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [(path, called) for path, called in named if called not in names_in(ROOT / path)] == []
    assert len(named) > 15 or page != "docs/architecture.md", "has the pattern broken?"


def test_every_file_of_the_core_is_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(src/charye/core/\w+\.py)` \|", page, re.MULTILINE)
    modules = [name(path) for path in (ROOT / "src/charye/core").glob("*.py") if path.name != "__init__.py"]
    assert sorted(listed) == sorted(modules)


def test_the_example_of_the_readme_prints_what_it_says() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (expected,) = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert [line.rstrip() for line in done.stdout.splitlines()] == expected.splitlines()


def test_the_scenario_that_is_shown_is_a_real_one() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    ((path, shown),) = re.findall(
        r"^This one is in `([^`]+)`:\n\n```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    indented = "".join(f"        {line}\n" for line in shown.splitlines())
    assert f'play("""\n{indented}    """)' in (ROOT / path).read_text(encoding="utf-8")
    play(shown)


def test_every_path_in_contributing_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert sorted(path for path in set(CODE_PATH.findall(text)) if not (ROOT / path).exists()) == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_the_verbs_that_are_named_are_in_the_makefile() -> None:
    verbs = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        verb for page in PAGES for verb in re.findall(r"`make ([a-z]+)`", page.read_text(encoding="utf-8"))
    }
    assert named <= verbs
    assert {"install", "check", "test", "coverage", "docs", "build", "pins"} <= verbs


def test_generated_parts_are_up_to_date() -> None:
    assert [str(path.relative_to(ROOT)) for path in docs.outdated()] == []


@pytest.mark.parametrize("picture", sorted((ROOT / "docs").rglob("*.svg")), ids=name)
def test_a_picture_is_well_formed_and_says_what_it_shows(picture: Path) -> None:
    root = ET.parse(picture).getroot()
    assert root.find("{http://www.w3.org/2000/svg}title") is not None


def test_the_changelog_has_an_open_section() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert "## [Unreleased]" in text or f"## [{version}]" in text


def test_ci_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)
