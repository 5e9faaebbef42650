"""What is kept of each fact, and the line that it becomes: one JSON object, whose `mark` says what happened.

    @ the app did   ~ time passed   < the server said   = effect, of the input before it
    > went onto the wire            ! a fact of the shell     # about the journal itself

A record is a tuple: its estimated size in bytes, what it is (`HEARD`, ...), the time, then the facts. The line is made
only when somebody wants it. Of audio that is not kept, a record holds nothing but numbers and texts that are there
anyway, so that the garbage collector does not look at it either.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from charye.core.effects import (
    AbandonTool,
    Effect,
    Note,
    Play,
    Reconnect,
    RunTool,
    Send,
    StopPlayback,
    Tell,
)
from charye.errors import MalformedEvent
from charye.protocol import ResponseOutputAudioDelta, decode_client_event
from charye.session.journal_inputs import INPUTS
from charye.session.redaction import AUDIO_BYTES, How, Json, shown

__all__ = [
    "CLOSED",
    "DID",
    "DO",
    "FED",
    "HEARD",
    "HEARD_AUDIO",
    "HEARD_AUDIO_BYTES",
    "MALFORMED",
    "NOTED",
    "PLAYED_AUDIO",
    "PLAYED_AUDIO_BYTES",
    "SENT",
    "SENT_AUDIO",
    "SENT_AUDIO_BYTES",
    "TICKED",
    "Record",
    "about",
    "as_line",
    "line_of",
    "weight",
]

Record: TypeAlias = tuple[Any, ...]
"""(bytes, kind, at, facts ...)"""

# What a record is. Numbers: a function or an enum in the tuple would have the garbage collector look at all of them.
HEARD, HEARD_AUDIO, MALFORMED, FED, TICKED, DID, PLAYED_AUDIO, SENT, SENT_AUDIO, NOTED, CLOSED = range(11)

# Measured with tracemalloc, CPython 3.11, place in the deque and number of the time included.
HEARD_AUDIO_BYTES = 208
PLAYED_AUDIO_BYTES = 136
SENT_AUDIO_BYTES = 136

DO: Mapping[type, str] = MappingProxyType(
    {
        AbandonTool: "abandon_tool",
        Note: "note",
        Play: "play",
        Reconnect: "reconnect",
        RunTool: "run_tool",
        Send: "send",
        StopPlayback: "stop_playback",
        Tell: "tell",
    }
)

_ENCODER = msgspec.json.Encoder()


def line_of(number: int, record: Record, how: How) -> str:
    """The line, without its end. Never raises: what cannot be written is told by the name of the error."""
    mark, write = _KINDS[record[1]]
    try:
        facts = write(record, how)
    except Exception as error:  # noqa: BLE001  it may be any object of the caller's, nested for ever, changed meanwhile
        facts = {"unwritable": type(error).__name__}
    return as_line({"n": number, "at": record[2], "mark": mark, **facts})


def as_line(facts: Mapping[str, Json]) -> str:
    """These facts as a line, without its end."""
    try:
        return _ENCODER.encode(facts).decode()
    except (UnicodeEncodeError, OverflowError, TypeError):
        return json.dumps(facts, separators=(",", ":"), default=lambda value: f"<{type(value).__name__}>")


# --- a function for each kind of record: its facts as JSON values --------------------------------------------------


def _heard(record: Record, how: How) -> Json:
    """(..., event, size): the server said it."""
    return {"size": record[4], "event": shown(record[3], how)}


def _heard_audio(record: Record, how: How) -> Json:
    """(..., response_id, item_id, content_index, audio bytes, size): audio that is not kept."""
    response_id, item_id, content_index, audio_bytes, size = record[3:]
    return {
        "size": size,
        "event": {
            "type": ResponseOutputAudioDelta.__struct_config__.tag,
            "response_id": response_id,
            "item_id": item_id,
            "content_index": content_index,
            AUDIO_BYTES: audio_bytes,
        },
    }


def _malformed(record: Record, how: How) -> Json:
    """(..., size): the server said what is no event."""
    return {"size": record[3], "malformed": True}


def _fed(record: Record, how: How) -> Json:
    """(..., method, args): the core was told."""
    method, args = record[3:]
    row = INPUTS.get(method)
    if row is None:
        return {"do": method}
    given = {name: _argument(value, how) for name, value in zip(row.takes, args, strict=False)}
    return {"do": method, **({"with": given} if given else {})}


def _did(record: Record, how: How) -> Json:
    """(..., effect): an effect of the input before it."""
    effect: Effect = record[3]
    return {"do": DO[type(effect)], **shown(effect, how)}


def _played_audio(record: Record, how: How) -> Json:
    """(..., response_id, item_id, content_index, duration_ms): the effect `Play`."""
    response_id, item_id, content_index, duration_ms = record[3:]
    return {
        "do": "play",
        "response_id": response_id,
        "item_id": item_id,
        "content_index": content_index,
        "duration_ms": duration_ms,
    }


def _sent(record: Record, how: How) -> Json:
    """(..., data): bytes that went onto the wire."""
    data = record[3]
    try:
        event = shown(decode_client_event(data, how.dialect), how)
    except MalformedEvent:
        return {"size": len(data), "malformed": True}
    return {"size": len(data), "event": event}


def _sent_audio(record: Record, how: How) -> Json:
    """(..., size, count): audio of the user's that is not kept, all of about a second."""
    return {"size": record[3], "event": {"type": "input_audio_buffer.append"}, "frames": record[4]}


def _noted(record: Record, how: How) -> Json:
    """(..., what, fields): a fact of the shell."""
    what, given = record[3:]
    return {"what": what, **({"with": about(given, how)} if given else {})}


def _closed(record: Record, how: How) -> Json:
    """Nothing follows."""
    return {"closed": True}


def about(given: Mapping[str, object], how: How) -> Json:
    """Fields that somebody chose. Words are in those that start with `private_`."""
    return {
        name: f"<{len(str(value))} chars>" if how.hides and name.startswith("private_") else _plain(value)
        for name, value in given.items()
    }


def _argument(value: object, how: How) -> Json:
    return _plain(value) if not isinstance(value, Struct) and not is_dataclass(value) else shown(value, how)


def _plain(value: object) -> Json:
    is_plain = value is None or isinstance(value, str | bool | int | float)
    return value if is_plain else f"<{type(value).__name__}>"


_KINDS: tuple[tuple[str, Callable[[Record, How], Json]], ...] = (
    ("<", _heard),
    ("<", _heard_audio),
    ("<", _malformed),
    ("@", _fed),
    ("~", _fed),
    ("=", _did),
    ("=", _played_audio),
    (">", _sent),
    (">", _sent_audio),
    ("!", _noted),
    ("#", _closed),
)
"""The mark, and what makes the rest of the line: in the order of the numbers above."""


# --- how much memory it keeps --------------------------------------------------------------------------------------

_DEEPEST = 8


def weight(value: object, depth: int = 0) -> int:
    """About how many bytes this value keeps alive. Too much rather than too little: what is shared counts each time."""
    if isinstance(value, str | bytes):
        return sys.getsizeof(value)
    if value is None or isinstance(value, bool | int | float) or depth > _DEEPEST:
        return 32
    if isinstance(value, dict):
        return 64 + sum(100 + weight(each, depth + 1) for pair in value.items() for each in pair)
    if isinstance(value, list | tuple):
        return 64 + sum(8 + weight(each, depth + 1) for each in value)
    kind: Any = type(value)
    names = _names(kind)
    return 64 + sum(8 + weight(getattr(value, name, None), depth + 1) for name in names)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    if issubclass(kind, Struct):
        return tuple(kind.__struct_fields__)
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
