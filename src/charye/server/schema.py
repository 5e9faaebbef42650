"""Checks of plain JSON values, as data: `shapes` says with them what a client may send.

A check takes a value and its dotted path, and raises `Refused` with the path of the first thing that is wrong.
Nothing is changed and nothing is guessed. `null` for a field that may be left out is the same as leaving it out.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from charye.protocol.wire import Json
from charye.server import refusals

__all__ = [
    "Check",
    "anything",
    "array",
    "boolean",
    "either",
    "integer",
    "json_object",
    "mapping",
    "number",
    "record",
    "tagged",
    "text",
]

Check: TypeAlias = Callable[[Json, str], None]


def anything(value: Json, path: str) -> None:
    """Any value: not looked into."""


def boolean(value: Json, path: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise refusals.invalid_type(path, "a boolean", value)


def json_object(value: Json, path: str) -> None:
    """An object with any fields."""
    if not isinstance(value, dict):
        raise refusals.invalid_type(path, "an object", value)


def text(
    *choices: str, max_chars: int | None = None, matching: str | None = None, blank: bool = True
) -> Check:
    """A text: one of `choices` if there are any, not too long, of certain characters, perhaps not empty."""
    expression = re.compile(matching) if matching else None

    def check(value: Json, path: str) -> None:
        if not isinstance(value, str):
            raise refusals.invalid_type(path, "a string", value)
        if choices and value not in choices:
            raise refusals.unsupported_value(path, value, choices)
        if max_chars is not None and len(value) > max_chars:
            raise refusals.too_long(path, len(value), max_chars)
        if expression is not None and not expression.fullmatch(value):
            raise refusals.pattern(path, expression.pattern)
        if not blank and not value:
            raise refusals.missing(path)

    return check


def integer(at_least: int | None = None, at_most: int | None = None) -> Check:
    """A whole number; `24000.0` is none."""

    def check(value: Json, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise refusals.invalid_type(path, "an integer", value)
        _in_range(value, path, at_least, at_most)

    return check


def number(at_least: float | None = None, at_most: float | None = None) -> Check:
    """Any number."""

    def check(value: Json, path: str) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise refusals.invalid_type(path, "a decimal", value)
        _in_range(value, path, at_least, at_most)

    return check


def _in_range(value: float, path: str, at_least: float | None, at_most: float | None) -> None:
    if (at_least is not None and value < at_least) or (at_most is not None and value > at_most):
        raise refusals.out_of_range(path, value, at_least=at_least, at_most=at_most)


def array(of: Check, max_entries: int | None = None) -> Check:
    """A list of such values."""

    def check(value: Json, path: str) -> None:
        if not isinstance(value, list):
            raise refusals.invalid_type(path, "an array", value)
        if max_entries is not None and len(value) > max_entries:
            raise refusals.too_many(path, len(value), max_entries)
        for index, entry in enumerate(value):
            of(entry, f"{path}[{index}]")

    return check


def mapping(of: Check, *, max_entries: int, max_key_chars: int) -> Check:
    """An object with free keys, all values alike."""

    def check(value: Json, path: str) -> None:
        if not isinstance(value, dict):
            raise refusals.invalid_type(path, "an object", value)
        if len(value) > max_entries:
            raise refusals.too_many(path, len(value), max_entries, "object")
        for key, entry in value.items():
            if len(key) > max_key_chars:
                raise refusals.too_long(path, len(key), max_key_chars)
            of(entry, f"{path}.{key}")

    return check


def record(needs: Mapping[str, Check] | None = None, **may: Check) -> Check:
    """An object with these fields: `needs` must be there, `may` may be, others must not."""
    required = dict(needs or {})
    known = {**required, **may}

    def check(value: Json, path: str) -> None:
        if not isinstance(value, dict):
            raise refusals.invalid_type(path, "an object", value)
        for name in required:
            if value.get(name) is None:
                raise refusals.missing(_below(path, name))
        for name in value:
            if name not in known:
                raise refusals.unknown(_below(path, name))
        for name, field in value.items():
            if field is not None:
                known[name](field, _below(path, name))

    return check


def tagged(default: str | None = None, /, **kinds: Check) -> Check:
    """An object whose `type` says which check counts. Tags with characters no keyword may have: `**{"a/b": ...}`."""
    names = tuple(kinds)

    def check(value: Json, path: str) -> None:
        if not isinstance(value, dict):
            raise refusals.invalid_type(path, "an object", value)
        kind = value.get("type", default)
        if kind is None:
            raise refusals.missing(_below(path, "type"))
        text(*names)(kind, _below(path, "type"))
        kinds[str(kind)](value, path)

    return check


def either(*options: tuple[type, Check], wanted: str) -> Check:
    """One of several JSON types, each with its check; `wanted` says it in words."""

    def check(value: Json, path: str) -> None:
        for kind, option in options:
            if isinstance(value, kind) and not (isinstance(value, bool) and kind is int):
                option(value, path)
                return
        raise refusals.invalid_type(path, wanted, value)

    return check


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
