"""Bytes to events and back. The one place that knows JSON and base64.

Any bytes become an event or a `MalformedEvent`; what is new on the wire becomes an `UnknownEvent`, `UnknownItem`
or `UnknownPart`. An audio frame takes the fast path: one pass of a compiled decoder, no object in between. What
does not fit takes the slow one (see `salvage`).
"""

import json
import math
import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any, TypeAlias, get_args

import msgspec
from msgspec import UNSET, DecodeError, Raw, Struct, ValidationError

from charye.errors import MalformedEvent
from charye.protocol.client_events import ClientEvent, InputAudioBufferAppend, KnownClientEvent
from charye.protocol.dialects import OPENAI, Dialect, Shape
from charye.protocol.preview import GA_TYPE, to_ga, to_preview
from charye.protocol.response_events import ResponseOutputAudioDelta
from charye.protocol.salvage import fit, unwrap_unknown, with_skeleton, wrap_unknown
from charye.protocol.server_events import KnownServerEvent, ServerEvent
from charye.protocol.unknown import UnknownEvent
from charye.protocol.wire import UNKNOWN_TAG

__all__ = [
    "audio_base64",
    "audio_bytes",
    "audio_length_bytes",
    "decode_client_event",
    "decode_server_event",
    "encode",
    "event_type",
    "re_encode",
]

_Object: TypeAlias = dict[str, Any]


class _Typed(Struct, frozen=True):
    type: str


_SERVER_UNION: Any = KnownServerEvent
_CLIENT_UNION: Any = KnownClientEvent
_SERVER: msgspec.json.Decoder[KnownServerEvent] = msgspec.json.Decoder(_SERVER_UNION)
_CLIENT: msgspec.json.Decoder[KnownClientEvent] = msgspec.json.Decoder(_CLIENT_UNION)
_TYPED = msgspec.json.Decoder(_Typed)
_RAW_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_ENCODER = msgspec.json.Encoder()
_SERVER_CLASS: Mapping[str, type[Struct]] = {c.__struct_config__.tag: c for c in get_args(_SERVER_UNION)}
_CLIENT_CLASS: Mapping[str, type[Struct]] = {c.__struct_config__.tag: c for c in get_args(_CLIENT_UNION)}

_HOLDERS = frozenset(
    kind
    for kind in (*_SERVER_CLASS.values(), *_CLIENT_CLASS.values())
    if not {"item", "part", "response", "session"}.isdisjoint(kind.__struct_fields__)
)
"""Events that may hold an item, part or tool, and so an unknown one."""

_GA = Shape.GA
_UNKNOWN_MARK = f'"type":"{UNKNOWN_TAG}"'.encode()
# The part of a validation error that names only the schema; the rest may quote what was sent.
_PLACE = re.compile(r"`(\$[^`]*)`$")

# What the JSON decoder and the walk over its result may raise for bad bytes. UnicodeError: not UTF-8;
# RecursionError: nested too deeply; the rest of ValueError is covered by DecodeError.
_BAD_BYTES = (DecodeError, UnicodeError, RecursionError)


def decode_server_event(data: bytes | str, dialect: Dialect = OPENAI) -> ServerEvent:
    """One message of the server as an event.

    Fields that do not fit are dropped where the event can do without them; the begin and the end of a response, the
    session and `error` are recognised whatever else is in them. Preview names are understood in every dialect.

    Raises:
        MalformedEvent: not JSON, not an object, no `type`, or an event that lacks what it is about.
    """
    try:
        if dialect.shape is _GA:
            return _SERVER.decode(data)
    except _BAD_BYTES:
        pass
    event: ServerEvent = _decode_slowly(data, dialect, _SERVER_CLASS, lenient=True)
    return event


def decode_client_event(data: bytes | str, dialect: Dialect = OPENAI) -> ClientEvent:
    """One message of a client as an event.

    Stricter than the other direction, because a server answers a bad field instead of guessing: nothing is dropped.

    Raises:
        MalformedEvent: not JSON, not an object, no `type`, or a field of the wrong type; the message names the place.
    """
    try:
        if dialect.shape is _GA:
            return _CLIENT.decode(data)
    except _BAD_BYTES:
        pass
    event: ClientEvent = _decode_slowly(data, dialect, _CLIENT_CLASS, lenient=False)
    return event


def encode(event: ClientEvent | ServerEvent, dialect: Dialect = OPENAI) -> bytes:
    """The event as one JSON object in UTF-8.

    Raises:
        UnicodeEncodeError: a text of ours holds half a surrogate pair. Decoded events never do.
    """
    if isinstance(event, UnknownEvent):
        return event.data
    if dialect.shape is _GA:
        data = _ENCODER.encode(event)
        # Quotes are escaped inside of texts, so this finds objects only. Audio events are spared the search.
        if type(event) in _HOLDERS and _UNKNOWN_MARK in data:
            return _encode_slowly(event, dialect)
        return data
    return _encode_slowly(event, dialect)


def re_encode(data: bytes, **changes: object) -> bytes:
    """The same event with some of its top-level fields changed, and all others, known or not, byte for byte.

    Args:
        data: one JSON object.
        changes: new values, structs of this package included; `UNSET` takes a field out.

    Raises:
        MalformedEvent: `data` is no JSON object.
    """
    try:
        whole: _Object = dict(_RAW_FIELDS.decode(data))
    except _BAD_BYTES:
        whole = {}
    if not whole:
        raise MalformedEvent("not a JSON object with fields", size_bytes=len(data))
    for name, value in changes.items():
        if value is UNSET:
            whole.pop(name, None)
        else:
            whole[name] = unwrap_unknown(msgspec.to_builtins(value))
    return _ENCODER.encode(whole)


def event_type(data: bytes | str) -> str:
    """The `type` of an event, without looking at the rest.

    Raises:
        MalformedEvent: there is none.
    """
    try:
        return _TYPED.decode(data).type
    except _BAD_BYTES:
        pass
    raise MalformedEvent("no event: not JSON, or without a type", size_bytes=len(data))


def audio_bytes(event: ResponseOutputAudioDelta | InputAudioBufferAppend) -> bytes:
    """The samples in an event that carries audio. Not checked for whole samples: chunks may end anywhere.

    Raises:
        MalformedEvent: the audio is not base64.
    """
    text = event.delta if isinstance(event, ResponseOutputAudioDelta) else event.audio
    try:
        return a2b_base64(text, strict_mode=True)
    except (Base64Error, ValueError):
        pass
    raise MalformedEvent("the audio is not base64", event_type=event.type, size_bytes=len(text))


def audio_base64(samples: bytes) -> str:
    """Samples as the wire wants them, for `InputAudioBufferAppend.audio` or an audio delta."""
    return b2a_base64(samples, newline=False).decode("ascii")


def audio_length_bytes(base64_text: str) -> int:
    """How many bytes `audio_bytes` would give, by arithmetic: nothing is decoded and nothing is checked."""
    characters = len(base64_text)
    if base64_text[-1:] == "=":
        characters -= 2 if base64_text[-2:] == "==" else 1
    return characters * 3 // 4


# --- the slow path ---------------------------------------------------------------------------------------------


def _decode_slowly(
    data: bytes | str, dialect: Dialect, classes: Mapping[str, type[Struct]], *, lenient: bool
) -> Any:
    size_bytes = len(data)
    try:
        event = _parse(data, mend=lenient)
        if event is None:
            problem, kind = "not JSON, or not an object", None
        elif not isinstance(kind := event.get("type"), str):
            problem, kind = "no `type`", None
        else:
            if dialect.shape is not _GA or kind in GA_TYPE:
                event = to_ga(event)
            if (known := classes.get(str(event["type"]))) is None:
                event_id, response_id = _text(event.get("event_id")), _text(event.get("response_id"))
                return UnknownEvent(kind, event_id, _as_bytes(data), response_id)
            try:
                return msgspec.convert(event, known)
            except ValidationError:
                event = wrap_unknown(event)
            try:
                return msgspec.convert(event, known)
            except ValidationError as error:
                problem = _problem(error)
            if lenient and (salvaged := fit(with_skeleton(event), known)) is not None:
                return salvaged
    except RecursionError:
        problem, kind = "nested too deeply", None
    raise MalformedEvent(problem, event_type=kind, size_bytes=size_bytes)


def _parse(data: bytes | str, *, mend: bool) -> _Object | None:
    """The JSON object in `data`, or None.

    Mending reads what is nearly JSON, as sloppy servers send it: bad UTF-8, half surrogate pairs (texts cut between
    two UTF-16 units), NaN, numbers out of range. Bad characters become `?` or U+FFFD, bad numbers null.
    """
    try:
        value = msgspec.json.decode(data)
        return value if isinstance(value, dict) else None
    except (DecodeError, UnicodeError):
        if not mend:
            return None
    text = data if isinstance(data, str) else bytes(data).decode("utf-8", "replace")
    try:
        value = json.loads(text, parse_constant=_null, parse_float=_finite, parse_int=_whole, strict=False)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    mended: _Object = msgspec.json.decode(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return mended


def _null(_: str) -> None:
    return None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _whole(digits: str) -> int | None:
    # No number of this API is beyond 64 bits; Python itself refuses to read more than 4300 digits.
    return int(digits) if len(digits) < 20 else None


def _problem(error: ValidationError) -> str:
    place = _PLACE.search(str(error))
    return f"does not fit at {place[1]}" if place else "does not fit"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _as_bytes(data: bytes | str) -> bytes:
    return data.encode("utf-8", "replace") if isinstance(data, str) else bytes(data)


def _encode_slowly(event: ClientEvent | ServerEvent, dialect: Dialect) -> bytes:
    plain: Any = unwrap_unknown(msgspec.to_builtins(event))
    if dialect.shape is not _GA:
        plain = to_preview(plain)
    return _ENCODER.encode(plain)
