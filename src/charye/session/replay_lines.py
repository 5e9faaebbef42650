"""Reading a journal: which lines there are, and that none of them is missing."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from charye.errors import ConfigurationError
from charye.session.journal import FORMAT
from charye.session.redaction import How, Json, Redaction

__all__ = ["Line", "Start", "read"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Args:
        place: in what was read, from 1.
        number: `n`.
        facts: the rest of it, but for the time.
    """

    place: int
    number: int
    at: float
    facts: Json


@dataclass(frozen=True, slots=True)
class Start:
    """The header.

    Args:
        version: of the charye that wrote it.
        at: seconds on the session's clock, `unix_s` on that of the world.
        settings: of the core, as JSON values.
        about: what the session has told of itself.
    """

    version: str
    at: float
    unix_s: float
    how: How
    settings: Json
    about: Json


def read(lines: Iterable[str]) -> tuple[Start, Iterator[Line]]:
    """The header, and the lines behind it as they are wanted.

    Raises:
        ConfigurationError: it is no journal, or not a whole one. Also while iterating.
    """
    found = _objects(lines)
    _, header = next(found, (0, None))
    if header is None or "journal" not in header:
        raise _wrong("this is not a journal", 1)
    if not isinstance(header["journal"], int) or header["journal"] > FORMAT:
        raise _wrong("the journal is of a newer format", 1)
    try:
        start = Start(
            version=str(header["charye"]),
            at=float(header["at"]),
            unix_s=float(header["unix_s"]),
            how=How(private=Redaction(header["private"]), audio=bool(header["audio"])),
            settings=header["settings"],
            about=dict(header["about"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _wrong("the journal's header does not fit", 1) from error
    return start, _numbered(found, header)


def _numbered(found: Iterator[tuple[int, Json]], header: Json) -> Iterator[Line]:
    expected = 1
    for place, facts in found:
        if "journal" in facts:
            if facts != header:
                raise _wrong("another journal begins", place)
            continue  # the next file of a rotated one
        if "n" not in facts:
            continue  # says that lines are missing; the number of the next one tells that too
        number, at, mark = facts.pop("n"), facts.pop("at", None), facts.get("mark")
        if not isinstance(number, int) or not isinstance(at, int | float) or not isinstance(mark, str):
            raise _wrong("this is not a line of a journal", place)
        if number != expected:
            front = "the front of the journal is lost, so it cannot be replayed"
            inside = "lines of the journal are missing, so it cannot be replayed"
            raise _wrong(front if expected == 1 else inside, place)
        expected += 1
        yield Line(place, number, float(at), facts)


def _objects(lines: Iterable[str]) -> Iterator[tuple[int, Json]]:
    """Each line that is not empty. The last one may be cut off: whoever wrote it was stopped in the middle."""
    broken: int | None = None
    found_one = False
    for place, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        if broken is not None:
            raise _wrong("this is not a line of a journal" if found_one else "this is not a journal", broken)
        try:
            facts: Any = json.loads(text)
        except (ValueError, RecursionError):
            facts = None
        if isinstance(facts, dict):
            found_one = True
            yield place, facts
        else:
            broken = place


def _wrong(message: str, place: int) -> ConfigurationError:
    return ConfigurationError(message, option="lines", line=place)
