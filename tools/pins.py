"""Rewrite the exact versions in ``pyproject.toml``: ``make pins``.

``python -m tools.pins`` keeps every pin that still fits and adds or removes what the requirements ask for.
``python -m tools.pins --upgrade`` takes the newest versions that the ranges allow.
``python -m tools.pins --check`` needs no network: it compares the pins with the installed packages.

Why there are pins but no lock file: docs/decisions/0003-pins-without-a-lock-file.md.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
TABLES = ("constraint-dependencies", "build-constraint-dependencies")
_INCLUDE = "include-group"


def requirements(project: dict[str, Any]) -> list[str]:
    """Every requirement of the project: its own, of each extra, of each group. Without the project itself."""
    tables = project["project"]
    found: list[str] = list(tables.get("dependencies", []))
    for extra in tables.get("optional-dependencies", {}).values():
        found += extra
    for group in project.get("dependency-groups", {}).values():
        found += [entry for entry in group if isinstance(entry, str)]
    return sorted({entry for entry in found if Requirement(entry).name != tables["name"]})


def pins(project: dict[str, Any], table: str = TABLES[0]) -> dict[str, set[str]]:
    """Canonical name -> its pinned versions. There are several when markers tell them apart."""
    found: dict[str, set[str]] = {}
    for line in project["tool"]["uv"].get(table, []):
        requirement = Requirement(line)
        (specifier,) = requirement.specifier
        found.setdefault(canonicalize_name(requirement.name), set()).add(specifier.version)
    return found


def closure(roots: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Walk what the roots need on this machine, by the metadata of the installed packages. No network.

    Yields:
        canonical name and installed version, each once; the version is None if the package is not installed.
    """
    todo = [(Requirement(root), "") for root in roots]
    seen: set[tuple[str, str]] = set()
    named: set[str] = set()
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            distribution = None
        if name not in named:
            named.add(name)
            yield name, distribution.version if distribution else None
        for wanted in ("", *requirement.extras):
            if distribution and (name, wanted) not in seen:
                seen.add((name, wanted))
                todo += [(Requirement(need), wanted) for need in distribution.requires or []]


def problems(project: dict[str, Any]) -> list[str]:
    """What is wrong with the pins, one sentence each; empty when all is well. No network."""
    pinned = pins(project)
    found = []
    for name, version in sorted(closure(requirements(project))):
        if name not in pinned:
            found.append(f"{name} has no pin")
        elif version is not None and version not in pinned[name]:
            found.append(f"{name} {version} is installed, but the pin is {', '.join(sorted(pinned[name]))}")
    return found


def resolve(wanted: Iterable[str], *, python: str, keep: Iterable[str]) -> list[str]:
    """Ask uv for exact versions for every platform.

    Args:
        wanted: requirements with ranges.
        python: the lowest version of Python to resolve for.
        keep: pins to prefer where they still fit; empty to upgrade.
    Raises:
        subprocess.CalledProcessError: uv found no solution; it has said why on stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        # In a folder of its own: beside pyproject.toml, uv would obey the very pins that are to be replaced.
        source, target = Path(folder, "wanted.in"), Path(folder, "pins.txt")
        source.write_text("\n".join(wanted), encoding="utf-8")
        target.write_text("\n".join(keep), encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--no-header", "--no-annotate"]
        command += ["--no-emit-index-url", "--no-emit-find-links"]
        command += ["--python-version", python, "--output-file", str(target), str(source)]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        lines = [line.strip() for line in target.read_text(encoding="utf-8").splitlines()]
    # One shape only: `name==version ; marker`. Hosts, paths and hashes have no place in the file.
    kept = [line for line in lines if line and not line.startswith(("#", "-"))]
    return sorted(kept, key=lambda line: (canonicalize_name(Requirement(line).name), line))


def rewritten(text: str, table: str, lines: Iterable[str]) -> str:
    """The text of pyproject.toml with this one array replaced; everything else stays as it is."""
    entries = "".join(f"    {_toml_string(line)},\n" for line in lines)
    array = f"{table} = [\n{entries}]"
    # An entry ends in `",` at the end of its line, so the first line that is only `]` ends the array.
    pattern = re.compile(rf"^{re.escape(table)} = \[(?:\]|\n(?:    .*\n)*\])$", re.MULTILINE)
    result, count = pattern.subn(lambda _: array, text)
    if count != 1:
        raise SystemExit(f"pyproject.toml: expected one array {table!r}, found {count}")
    return result


def _toml_string(value: str) -> str:
    return f"'{value}'" if '"' in value else f'"{value}"'


def main(argv: list[str] | None = None) -> int:
    """Do what the module says. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Rewrite or check the exact versions in pyproject.toml.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--upgrade", action="store_true", help="take the newest versions that the ranges allow")
    mode.add_argument("--check", action="store_true", help="only compare with what is installed; no network")
    options = parser.parse_args(argv)

    text = PYPROJECT.read_text(encoding="utf-8")
    project = tomllib.loads(text)
    if options.check:
        found = problems(project)
        print("\n".join(found) or "every dependency has its pin")
        return 1 if found else 0

    python = re.sub(r"[^0-9.]", "", project["project"]["requires-python"])
    for table, wanted in zip(
        TABLES, (requirements(project), project["build-system"]["requires"]), strict=True
    ):
        keep = [] if options.upgrade else project["tool"]["uv"].get(table, [])
        lines = resolve(wanted, python=python, keep=keep)
        text = rewritten(text, table, lines)
        print(f"{table}: {len(lines)} pins")
    PYPROJECT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
