"""TOML with the lines that things stand on, so that an error in a teacher's file says where to look."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from charye.errors import ConfigurationError

__all__ = ["Document", "parse", "read"]

T = TypeVar("T")

_HEADER = re.compile(r"^\s*\[\[\s*([\w.-]+)\s*\]\]")
_AT_LINE = re.compile(r"at line (\d+)")
_FIELD = re.compile(r"\$\.(\w+)|field `(\w+)`")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Args:
        name: of the file, as errors show it.
        data: what is in it.
        lines: its text, line by line.
        tables: for each array of tables (``[[task]]``), the lines on which its entries begin, from 1.
    """

    name: str
    data: dict[str, Any]
    lines: tuple[str, ...]
    tables: dict[str, tuple[int, ...]]

    def place(self, table: str, index: int, key: str | None = None) -> str:
        """`file:line` of an entry of an array of tables, or of a key in it, if it is there."""
        begins = self.tables.get(table, ())
        if index >= len(begins):  # written as an inline array: the file is all that can be told
            return self.name
        begin = begins[index]
        later = [line for lines in self.tables.values() for line in lines if line > begin]
        end = min(later, default=len(self.lines) + 1)
        if key is not None:
            named = re.compile(rf"\s*{re.escape(key)}\s*[.=]")
            for number in range(begin, end):
                if named.match(self.lines[number - 1]):
                    return f"{self.name}:{number}"
        return f"{self.name}:{begin}"

    def entries(self, table: str, form: type[T], **defaults: Any) -> list[tuple[T, str]]:
        """The entries of an array of tables as `form`, each with its place.

        Args:
            table: its name.
            form: a msgspec struct.
            defaults: keys for entries that do not have them.
        Raises:
            ConfigurationError: one does not fit; `option` is the place and `problem` the reason.
        """
        made: list[tuple[T, str]] = []
        raw = self.data.get(table, [])
        if not isinstance(raw, list):
            raise ConfigurationError(
                f"`{table}` must be written as [[{table}]]",
                option=self.name,
                problem="it is no array of tables",
            )
        for index, entry in enumerate(raw):
            try:
                filled = {**defaults, **entry} if isinstance(entry, dict) else entry
                made.append((msgspec.convert(filled, form), self.place(table, index)))
            except msgspec.ValidationError as error:
                found = _FIELD.search(str(error))
                key = (found[1] or found[2]) if found else None
                raise ConfigurationError(
                    f"an entry of [[{table}]] does not have the right form",
                    option=self.place(table, index, key),
                    problem=str(error),
                ) from error
        return made


def read(path: Path) -> Document:
    """The file at `path`.

    Raises:
        ConfigurationError: it cannot be read, or is no TOML; `option` is the file, with the line if it is known.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigurationError(
            "the file cannot be read", option=str(path), problem=error.strerror
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            "the file is not UTF-8 text", option=f"{path}:{line}", problem=error.reason
        ) from error
    return parse(text, name=str(path))


def parse(text: str, *, name: str) -> Document:
    """The document in a text; `name` is shown in errors.

    Raises:
        ConfigurationError: it is no TOML.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        lines = len(text.splitlines()) or 1
        place = f"{name}:{found[1] if found else lines}"
        raise ConfigurationError("the file is no valid TOML", option=place, problem=str(error)) from error
    tables: dict[str, list[int]] = {}
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not inside and (found := _HEADER.match(line)):
            tables.setdefault(found[1], []).append(number)
        if (line.count('"""') + line.count("'''")) % 2:
            inside = not inside
    return Document(
        name, data, tuple(text.splitlines()), {key: tuple(value) for key, value in tables.items()}
    )
