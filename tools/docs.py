"""Write the generated parts of the documentation: ``make docs``.

``python -m tools.docs`` writes them; ``python -m tools.docs --check`` writes nothing and fails if one is out of date.

A generated part is a whole file. Its generator is a module with a function ``render() -> str``; to add one, add a line
to `GENERATED`. The result depends on the code alone, never on a clock or on the machine, so a test can compare it.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Path of the file -> module that renders it.
GENERATED = {
    "docs/images/floor-states.svg": "tools.floor_picture",
    "docs/reference/floor.md": "tools.floor_reference",
}


def outdated() -> dict[Path, str]:
    """The generated files that differ from what their generators say now, with the new content."""
    found = {}
    for path, module in GENERATED.items():
        if find_spec(module) is None:
            # A generator that is not there must not be overlooked once its picture is.
            if (ROOT / path).exists():
                raise SystemExit(f"{path} exists, but its generator {module} does not")
            continue
        content: str = import_module(module).render()
        file = ROOT / path
        if not file.exists() or file.read_text(encoding="utf-8") != content:
            found[file] = content
    return found


def main(argv: list[str] | None = None) -> int:
    """Do what the module says. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Write the generated parts of the documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    options = parser.parse_args(argv)
    found = outdated()
    for file, content in found.items():
        if not options.check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        print(f"{file.relative_to(ROOT)}: {'out of date; run: make docs' if options.check else 'written'}")
    return 1 if options.check and found else 0


if __name__ == "__main__":
    sys.exit(main())
