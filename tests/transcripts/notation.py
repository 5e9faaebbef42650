"""Transcripts as text: marks, words, fields. What they mean is in `player`.

    settings: dialect=no-event-id patience.answer_s=3      # a header line, before the first mark
    start: offline                                         # without it, the peer is connected

    @ request greeting priority=script     the app does
    > response.create greeting             must be sent
    < response.created r1 greeting         the server says
    = held r1                              must be so
    ! play r1 item1 500ms                  other effects that must be there
    ~ 10s                                  time passes
    ...                                    the end is open: requests may be unfinished

A word may be quoted ("two words"), JSON in braces or brackets is one word, `key=value` is a field. A value is JSON
where it reads as JSON, `yes` and `no` are booleans, `absent` takes a field out, everything else is text.
`#` after a blank begins a comment.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["ABSENT", "Line", "NotReadable", "Script", "milliseconds", "parse", "seconds"]

MARKS = "@><=!~"
ABSENT = object()
FIELD = re.compile(r"([a-zA-Z_][\w.]*)=(.*)", re.DOTALL)
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|)")
UNITS_MS = {"ms": 1.0, "s": 1000.0, "min": 60_000.0, "": 1000.0}


class NotReadable(Exception):
    """The transcript itself is wrong: a mark, word or field that nobody understands."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `number`: its place in the text, from 0."""

    number: int
    mark: str
    words: tuple[str, ...] = ()
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """A transcript. `text`: its lines as written. `open_end`: whether requests may be unfinished at its end."""

    text: tuple[str, ...]
    header: Mapping[str, Line]
    lines: tuple[Line, ...]
    open_end: bool


def parse(text: str) -> Script:
    """Read a transcript.

    Raises:
        NotReadable: a line begins with no known mark, or a header comes after the first of them.
    """
    header: dict[str, Line] = {}
    lines: list[Line] = []
    open_end = False
    written = tuple(text.splitlines())
    for number, whole in enumerate(written):
        stripped = whole.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name = stripped.partition(":")[0]
        if open_end:
            raise NotReadable(f"something follows the open end: {stripped}")
        if stripped.partition(" ")[0] == "...":
            open_end = True
        elif stripped[0] in MARKS and stripped[1:2] in ("", " "):
            lines.append(_line(number, stripped[0], stripped[1:]))
        elif name in ("settings", "start") and not lines:
            header[name] = _line(number, ":", stripped.partition(":")[2])
        else:
            raise NotReadable(f"a line begins with one of {MARKS}: {stripped}")
    return Script(written, header, tuple(lines), open_end)


def milliseconds(word: str) -> float:
    """A duration: `500ms`, `2s`, `60min`; seconds where no unit is written.

    Raises:
        NotReadable: it is none.
    """
    found = DURATION.fullmatch(word)
    if found is None:
        raise NotReadable(f"no duration: {word}")
    return float(found[1]) * UNITS_MS[found[2]]


def seconds(word: str) -> float:
    """As `milliseconds`, in seconds."""
    return milliseconds(word) / 1000


def _line(number: int, mark: str, rest: str) -> Line:
    words: list[str] = []
    fields: dict[str, object] = {}
    for token in _tokens(rest):
        found = FIELD.fullmatch(token)
        if found is None:
            words.append(json.loads(token) if token.startswith('"') else token)
        else:
            fields[found[1]] = _value(found[2])
    return Line(number, mark, tuple(words), fields)


def _tokens(text: str) -> Iterator[str]:
    token, depth, quoted = "", 0, False
    for at, character in enumerate(text):
        if quoted:
            quoted = character != '"' or text[at - 1] == "\\"
        elif character == '"':
            quoted = True
        elif character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
        elif depth == 0 and character.isspace():
            if token:
                yield token
            token = ""
            continue
        elif depth == 0 and character == "#" and not token:
            return
        token += character
    if token:
        yield token


def _value(text: str) -> object:
    words = {"yes": True, "no": False, "absent": ABSENT}
    if text in words:
        return words[text]
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value
