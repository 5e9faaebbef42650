"""Look into a folder with a model before a library does.

Some libraries take a path that does not exist for the name of something to download, others end the program when a file
is missing. So the folder is checked first, and the error names what is missing.
"""

from __future__ import annotations

from pathlib import Path

from charye.errors import ModelMissing

__all__ = ["files_matching", "folder_of_model", "one_of", "require"]


def folder_of_model(path: str | Path, *, option: str) -> Path:
    """The folder, with ``~`` resolved.

    Raises:
        ModelMissing: it does not exist or is no folder.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise ModelMissing(folder=str(folder), option=option)
    return folder


def files_matching(folder: Path, pattern: str) -> list[Path]:
    """Files in the folder, smaller (int8) models before full ones, then the shortest name.

    Empty files do not count: they are what an aborted download leaves.
    """
    found = (file for file in folder.glob(pattern) if file.is_file() and file.stat().st_size)
    return sorted(found, key=lambda file: ("int8" not in file.name, len(file.name), file.name))


def one_of(folder: Path, *patterns: str, option: str) -> Path:
    """The first file that fits the first pattern for which there is one.

    Raises:
        ModelMissing: there is none.
    """
    for pattern in patterns:
        if found := files_matching(folder, pattern):
            return found[0]
    raise ModelMissing(folder=str(folder), missing=(" or ".join(patterns),), option=option)


def require(folder: Path, *patterns: str, option: str) -> None:
    """Each of these must be there.

    Raises:
        ModelMissing: some are not; all of them are named.
    """
    missing = tuple(pattern for pattern in patterns if not files_matching(folder, pattern))
    if missing:
        raise ModelMissing(folder=str(folder), missing=missing, option=option)
