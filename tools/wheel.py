"""Look into what ``uv build`` made: ``python -m tools.wheel dist``. Part of ``make build``."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

NEEDED = ("charye/py.typed", "charye/__init__.py", "charye/errors.py")


def problems(wheel: list[str], sdist: list[str]) -> list[str]:
    """What is wrong with the two, one sentence each; empty when all is well.

    Args:
        wheel: names of the files in the wheel.
        sdist: names of the files in the source distribution, without its top folder.
    """
    found = [f"the wheel lacks {name}" for name in NEEDED if name not in wheel]
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel):
        found.append("the wheel lacks the licence")
    found += [
        f"{name} does not belong into the wheel"
        for name in wheel
        if not name.startswith("charye/") and ".dist-info/" not in name
    ]
    found += [
        f"the source distribution lacks {name}" for name in ("LICENSE", "README.md") if name not in sdist
    ]
    found += [f"{name} does not belong into the source distribution" for name in sdist if "uv.lock" in name]
    return found


def main(argv: list[str] | None = None) -> int:
    """Do what the module says. Returns the exit status."""
    folder = Path((argv if argv is not None else sys.argv[1:])[0])
    (wheel,), (sdist,) = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
    with tarfile.open(sdist) as archive:
        sources = [name.split("/", 1)[1] for name in archive.getnames() if "/" in name]
    found = problems(inside, sources)
    print("\n".join(found) or f"{wheel.name}: {len(inside)} files, {wheel.stat().st_size:,} bytes; all well")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
