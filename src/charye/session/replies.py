"""What a tool gives back, and what the model reads of it.

A tool returns a plain value, or a `Reply` that also says how the model goes on. One rule makes text of the value:
a `str` goes as it is, anything else as JSON. JSON is written by msgspec (numbers, text, None, containers, dataclasses,
Structs, enums by value, dates in ISO 8601, bytes in base64, NaN as null); a type that msgspec does not know is first
taken apart by pydantic (its models by their aliases, paths, addresses). What neither knows fails, and so does an
iterator: it may never end.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import msgspec

from charye.core import calls
from charye.errors import ToolError, ToolFailed, ToolResultTooLarge, ToolTimedOut

__all__ = ["KINDS", "Reply", "answer_of", "failure", "failure_of"]

KINDS: dict[type[ToolError], str] = {
    ToolTimedOut: "timed_out",
    ToolFailed: "failed",
    ToolResultTooLarge: "too_large",
}
"""What the model reads as the type of an error."""

_DETAIL_MAX_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Reply:
    """What a tool may return instead of a plain value, to say how the model goes on.

    Args:
        output: what the model reads; see the rule above.
        manner: what the model does about it.
        words: what is said, with `SAY_NOW`; the model is told to say exactly this.
    Raises:
        ValueError: `SAY_NOW` without words, or words without `SAY_NOW`.
    """

    output: object = None
    manner: calls.Reply = calls.Reply.NORMAL
    words: str = ""

    def __post_init__(self) -> None:
        if bool(self.words.strip()) is not (self.manner is calls.Reply.SAY_NOW):
            raise ValueError("words belong to SAY_NOW, and SAY_NOW needs words")

    @classmethod
    def normal(cls, output: object) -> Reply:
        """The model speaks about it, as about a plain value."""
        return cls(output)

    @classmethod
    def silent(cls, output: object) -> Reply:
        """The model knows it from now on, and says nothing about it."""
        return cls(output, calls.Reply.SILENT)

    @classmethod
    def say_now(cls, words: str, output: object = None) -> Reply:
        """The model says these words next. `output` is what it knows besides; by default `null`."""
        return cls(output, calls.Reply.SAY_NOW, words)


def answer_of(result: object, *, tool: str, call_id: str, limit_bytes: int) -> calls.Answer:
    """The answer to a call whose function returned `result`.

    Args:
        result: a plain value or a `Reply`.
        limit_bytes: of the output, as UTF-8.
    Raises:
        ToolFailed: the result cannot be written as JSON; why is its `__cause__`.
        ToolResultTooLarge: the output is longer than `limit_bytes`.
    """
    reply = result if isinstance(result, Reply) else Reply(result)
    try:
        output = _text(reply.output)
        size_bytes = len(output.encode())
    except Exception as error:  # a type of the application's may fail in its own way
        raise ToolFailed(tool=tool, call_id=call_id, exception_type=type(error).__name__) from error
    if size_bytes > limit_bytes:
        raise ToolResultTooLarge(tool=tool, call_id=call_id, size_bytes=size_bytes, limit_bytes=limit_bytes)
    return calls.Answer(output, reply.manner, reply.words)


def failure(kind: str, message: str, **more: object) -> calls.Answer:
    """A failed answer that the model can read: `{"error": {"type": kind, "message": message, ...}}`."""
    return calls.Answer(_text({"error": {"type": kind, "message": message, **more}}), failed=True)


def failure_of(error: ToolError, *, shows_cause: bool = False) -> calls.Answer:
    """What the model reads of an error.

    Args:
        shows_cause: the text of the exception behind it too, its first 1,000 characters.
    """
    more: dict[str, object] = {}
    if isinstance(error, ToolFailed):
        more["exception"] = error.exception_type
    if isinstance(error, ToolResultTooLarge):
        more |= {"size_bytes": error.size_bytes, "limit_bytes": error.limit_bytes}
    if shows_cause and error.__cause__ is not None:
        text = "".join(traceback.format_exception_only(error.__cause__)).strip()
        more["detail"] = text[:_DETAIL_MAX_CHARS].encode(errors="replace").decode()
    return failure(KINDS.get(type(error), "failed"), error.message, **more)


def _text(output: object) -> str:
    # An enum that is a `str` too has a value for JSON like any other.
    if isinstance(output, str) and not isinstance(output, Enum):
        return output
    return msgspec.json.encode(output, enc_hook=_apart).decode()


def _apart(value: object) -> object:
    """What JSON says of a type that msgspec does not know."""
    if isinstance(value, Iterator):
        raise TypeError("an iterator is no result: make a list of it")
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value)
