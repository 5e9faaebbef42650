"""What of an event may be written down: structure always, what somebody said never, unless it is asked for.

Numbers, truth values and enums are structure; ids, types, statuses, codes and the names of tools are shown. All other
texts are words: transcripts, instructions, arguments, outputs, metadata, pictures, keys, addresses. Which is which
stands in `redaction_tables`.

What is hidden keeps its type, and whether it was empty, because the core looks at that: a journal without words must
replay like one with them. Of a text its length is told (`<12 chars>`), of an object how many fields it had. Of the
server's error texts stays what the core reads in them (`protocol.error`): the kind, the response that is named, a
probe's item. Hiding twice is the same as hiding once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import msgspec
from msgspec import NODEFAULT, UNSET, Struct

from charye.core.effects import Play
from charye.core.requests import TOKEN_KEY
from charye.protocol import (
    OPENAI,
    Dialect,
    ErrorDetail,
    ErrorKind,
    ResponseOutputAudioDelta,
    UnknownEvent,
    UnknownItem,
    UnknownPart,
    UnknownTool,
    audio_length_bytes,
    kind_of,
    named_response,
)
from charye.session.redaction_tables import Rule, rule_of

__all__ = ["AUDIO_BYTES", "How", "Json", "Redaction", "same_but_for_lengths", "shown"]

Json: TypeAlias = Any
"""What `json` reads and writes."""

AUDIO_BYTES = "audio_bytes"
"""Stands in an audio delta for the audio itself: how many bytes of samples it was."""


class Redaction(Enum):
    """How much is hidden. Audio is apart from it."""

    NOTHING = "nothing"  # for development: everything that was said is in the journal
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """In which manner events are written down. `dialect`: of the wire, to read what was sent."""

    private: Redaction = Redaction.WORDS
    audio: bool = False
    dialect: Dialect = OPENAI

    @property
    def hides(self) -> bool:
        """Whether words are hidden."""
        return self.private is Redaction.WORDS


_HIDDEN = "<hidden>"
_STAND_IN = re.compile(r"<(?:\d+ (?:chars|bytes)|hidden)>")
_LENGTH = re.compile(r"<\d+ (chars|bytes)>")
_PROBE = re.compile(r"probe_\d+")

# One text for each kind that the core may have to read out of a text, because code and type do not say it.
_PHRASES: Mapping[ErrorKind, str] = MappingProxyType(
    {
        ErrorKind.ACTIVE_RESPONSE: "Conversation already has an active response",
        ErrorKind.CANCEL_NOT_ACTIVE: "Cancellation failed",
        ErrorKind.UNKNOWN_ITEM: "Error retrieving item: the item with id ...",
        ErrorKind.COMMIT_EMPTY: "Error committing input audio buffer",
        ErrorKind.TRUNCATE_REJECTED: "Only model output audio messages can be truncated",
        ErrorKind.SESSION_EXPIRED: "Your session hit the maximum duration",
        ErrorKind.FATAL: "The Realtime Beta API is no longer supported",
    }
)


class _Field(NamedTuple):
    name: str
    written: str
    default: object
    rule: Rule


def shown(value: object, how: How) -> Json:
    """A struct or dataclass of the wire or the core as JSON values, with what is private hidden.

    Fields that have their default are left out; `msgspec.convert` puts them back.
    """
    return _shown(value, Rule.SHOWN, how)


def same_but_for_lengths(one: Json, other: Json) -> bool:
    """Whether two results of `shown` are equal, if texts that are hidden count as equal.

    The core joins texts in a rebuild, and joined stand-ins are not as long as what they stand for.
    """
    if isinstance(one, str) and isinstance(other, str):
        return _LENGTH.sub(r"<\1>", one) == _LENGTH.sub(r"<\1>", other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same_but_for_lengths(one[name], other[name]) for name in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_but_for_lengths, one, other))
    return bool(one == other)


def _shown(value: object, rule: Rule, how: How) -> Json:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return _text(value, rule, how)
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        return _HIDDEN if rule is Rule.FREE and how.hides else value
    if isinstance(value, Struct) or is_dataclass(value):
        special = _SPECIAL.get(type(value))
        return _with_fields(value, how) if special is None else special(value, how)
    if isinstance(value, list | tuple):
        return [_element(each, rule, how) for each in value]
    if not how.hides:
        return msgspec.to_builtins(value, enc_hook=_named)
    return _map(value, rule) if isinstance(value, dict) else _named(value)


def _element(value: object, rule: Rule, how: How) -> Json:
    """Nothing of the API is a list of lists, so what is one is not looked into: it may be nested for ever."""
    if not isinstance(value, list | tuple):
        return _shown(value, rule, how)
    return _HIDDEN if how.hides else msgspec.to_builtins(value, enc_hook=_named)


def _text(text: str, rule: Rule, how: How) -> str:
    is_shown = how.audio if rule is Rule.AUDIO else rule is Rule.SHOWN or not how.hides
    if is_shown or not text or _STAND_IN.fullmatch(text):
        return text
    return f"<{audio_length_bytes(text)} bytes>" if rule is Rule.AUDIO else f"<{len(text)} chars>"


def _map(given: Mapping[object, object], rule: Rule) -> Json:
    """An object that anybody may have filled: neither names nor values, but our token, where it has its place."""
    kept: dict[str, Json] = {}
    for number, (name, value) in enumerate(given.items(), start=1):
        if rule is Rule.TOKEN and name == TOKEN_KEY:
            kept[TOKEN_KEY] = value if isinstance(value, str) else _HIDDEN
        elif isinstance(value, str):
            kept[f"<key {number}>"] = _text(value, Rule.HIDDEN, How())
        else:
            kept[f"<key {number}>"] = None if value is None else _HIDDEN
    return kept


def _named(value: object) -> str:
    return f"<{type(value).__name__}>"


def _with_fields(value: object, how: How) -> Json:
    found: dict[str, Json] = {}
    if isinstance(value, Struct) and (tag_field := value.__struct_config__.tag_field) is not None:
        found[tag_field] = value.__struct_config__.tag
    kind: Any = type(value)
    for name, written, default, rule in _plan(kind):
        part = getattr(value, name)
        if part is UNSET or part is default or part == default or (rule is Rule.LEFT_OUT and how.hides):
            continue
        found[written] = _shown(part, rule, how)
    return found


@cache
def _plan(kind: Any) -> tuple[_Field, ...]:
    """The fields of a class, each with its default and what is done with it."""
    if issubclass(kind, Struct):
        return tuple(
            _Field(each.name, each.encode_name, _default(each, NODEFAULT), rule_of(kind, each.name))
            for each in msgspec.structs.fields(kind)
        )
    return tuple(
        _Field(each.name, each.name, _default(each, MISSING), rule_of(kind, each.name))
        for each in fields(kind)
    )


def _default(field: Any, nothing: object) -> object:
    if field.default is not nothing:
        return field.default
    return nothing if field.default_factory is nothing else field.default_factory()


# --- classes that are not shown field by field ------------------------------------------------------------------


def _audio_delta(event: ResponseOutputAudioDelta, how: How) -> Json:
    found = _with_fields(event, how)
    if not how.audio:
        del found["delta"]
        found[AUDIO_BYTES] = audio_length_bytes(event.delta)
    return found


def _play(effect: Play, how: How) -> Json:
    """Without the audio: it is in the event that brought it."""
    event = effect.event
    return {
        "response_id": event.response_id,
        "item_id": event.item_id,
        "content_index": event.content_index,
        "duration_ms": effect.duration_ms,
    }


def _unknown_event(event: UnknownEvent, how: How) -> Json:
    found: dict[str, Json] = {"type": event.type, "unknown": True}
    for name in ("event_id", "response_id"):
        if getattr(event, name) is not None:
            found[name] = getattr(event, name)
    if not how.hides:
        found["data"] = event.data.decode("utf-8", "replace")
    return found


def _unknown(value: UnknownItem | UnknownPart | UnknownTool, how: How) -> Json:
    """An object of a type that we do not know: what it calls itself."""
    inside: Json = value.fields
    if how.hides:
        inside = {name: inside[name] for name in ("type", "id") if isinstance(inside.get(name), str)}
    else:
        inside = msgspec.to_builtins(inside)
    return {"type": value.__struct_config__.tag, "fields": inside}


def _error_detail(error: ErrorDetail, how: How) -> Json:
    found = _with_fields(error, how)
    if error.message and how.hides:
        found["message"] = _error_text(error)
    return found


def _error_text(error: ErrorDetail) -> str:
    """What the core reads in the text, in words of ours, and how long the text was."""
    told, named = _PHRASES.get(kind_of(error), ""), named_response(error)
    if named is not None:
        # In quotes, which the reader takes off again: the id may end with a mark of punctuation of its own.
        told = f"{told} in progress: '{named}'."
    return " ".join(filter(None, (told, *_PROBE.findall(error.message), f"<{len(error.message)} chars>")))


_SPECIAL: Mapping[type, Callable[[Any, How], Json]] = MappingProxyType(
    {
        ErrorDetail: _error_detail,
        Play: _play,
        ResponseOutputAudioDelta: _audio_delta,
        UnknownEvent: _unknown_event,
        UnknownItem: _unknown,
        UnknownPart: _unknown,
        UnknownTool: _unknown,
    }
)
