"""Any bytes are an event or a `MalformedEvent`, in both directions and both shapes, and never anything else."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charye.errors import MalformedEvent
from charye.protocol import (
    AZURE_PREVIEW,
    OPENAI,
    Dialect,
    ErrorEvent,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    decode_client_event,
    decode_server_event,
    encode,
    event_type,
    re_encode,
)
from tests.protocol.samples import CLIENT_EVENTS, SERVER_EVENTS, fixture_lines

DIALECTS = st.sampled_from([OPENAI, AZURE_PREVIEW])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=12,
)
EVENTS = [{"type": kind, "event_id": "e", **full} for kind, (_, full) in SERVER_EVENTS.items()]
EVENTS += [{"type": kind, "event_id": "e", **full} for kind, full in CLIENT_EVENTS.items()]
NEVER_HIDDEN = {
    "error": ErrorEvent,
    "response.created": ResponseCreated,
    "response.done": ResponseDone,
    "session.created": SessionCreated,
    "session.updated": SessionUpdated,
}


def check(data: bytes | str, dialect: Dialect) -> None:
    for decode in (decode_server_event, decode_client_event):
        try:
            event = decode(data, dialect)
        except MalformedEvent:
            continue
        for shape in (OPENAI, AZURE_PREVIEW):
            assert isinstance(encode(event, shape), bytes)
    try:
        event_type(data)
        re_encode(data.encode() if isinstance(data, str) else data, event_id="new")
    except (MalformedEvent, UnicodeEncodeError):
        pass


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """An event in which something, somewhere, has been replaced, taken out, or put in."""
    event = msgspec.json.decode(msgspec.json.encode(draw(st.sampled_from(EVENTS))))
    for _ in range(draw(st.integers(1, 3))):
        place = event
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = draw(JSON)
            else:
                del place[key]
            break
    data: bytes = json_encode(event)
    return data


def json_encode(value: object) -> bytes:
    return json.dumps(value).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A recorded event with some bytes changed."""
    data = bytearray(draw(st.sampled_from(fixture_lines())))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data) - 1))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
        if not data:
            break
    return bytes(data)


@given(st.binary(max_size=60), DIALECTS)
def test_any_bytes(data: bytes, dialect: Dialect) -> None:
    check(data, dialect)


@given(st.text(st.characters(), max_size=60), DIALECTS)
@example("\ud800", OPENAI)
@example('{"type":"\ud800"}', OPENAI)
@example('{"type":"error","error":{"message":"\ud800"}}', AZURE_PREVIEW)
def test_any_text(data: str, dialect: Dialect) -> None:
    check(data, dialect)


@given(JSON, DIALECTS)
def test_any_json(value: object, dialect: Dialect) -> None:
    check(json_encode(value), dialect)


@given(st.sampled_from(EVENTS), st.dictionaries(st.text(), JSON, max_size=3), DIALECTS)
def test_any_fields_of_an_event(
    event: dict[str, object], fields: dict[str, object], dialect: Dialect
) -> None:
    names = [name for name in event if name != "type"]
    check(json_encode({"type": event["type"], **dict(zip(names, fields.values(), strict=False))}), dialect)


@given(mutilated(), DIALECTS)
def test_any_mutilated_event(data: bytes, dialect: Dialect) -> None:
    check(data, dialect)


@given(damaged(), DIALECTS)
def test_any_damaged_event(data: bytes, dialect: Dialect) -> None:
    check(data, dialect)


@given(st.sampled_from(sorted(NEVER_HIDDEN)), JSON, JSON, DIALECTS)
def test_what_matters_is_never_hidden(kind: str, inside: object, other: object, dialect: Dialect) -> None:
    for name in ("response", "session", "error"):
        event = decode_server_event(json_encode({"type": kind, name: inside, "event_id": other}), dialect)
        assert type(event) is NEVER_HIDDEN[kind]


@given(st.sampled_from(sorted(NEVER_HIDDEN)), st.data(), DIALECTS)
def test_no_field_of_what_matters_hides_it(kind: str, data: st.DataObject, dialect: Dialect) -> None:
    _, full = SERVER_EVENTS[kind]
    ((holder, inside),) = full.items()
    assert isinstance(inside, dict)
    broken = {name: data.draw(JSON) if data.draw(st.booleans()) else value for name, value in inside.items()}
    event = decode_server_event(json_encode({"type": kind, holder: broken}), dialect)
    assert type(event) is NEVER_HIDDEN[kind]


@pytest.mark.parametrize("dialect", [OPENAI, AZURE_PREVIEW])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"NaN",
        b"[]",
        b"{",
        b"{}",
        b'{"type":null}',
        b'{"type":NaN}',
        b'{"type":{"type":"error"}}',
        b'{"type":"error","type":"response.done"}',
        b'{"type":"response.done","type":"error","error":{},"response":{}}',
        b'{"type":"response.done","response":{"id":"a","id":7,"output":[],"output":{}}}',
        b'{"type":"input_audio_buffer.speech_started","audio_start_ms":' + b"9" * 400 + b"}",
        b'{"type":"input_audio_buffer.speech_started","audio_start_ms":' + b"9" * 9000 + b"}",
        b'{"type":"input_audio_buffer.speech_started","audio_start_ms":1e400}',
        b'{"type":"input_audio_buffer.speech_started","audio_start_ms":-0.0}',
        b'{"type":"\\ud800"}',
        b'{"type":"error","error":{"message":"\\udfff\\ud800"}}',
        b'{"type":"x","y":' + b"[" * 200_000,
        b'{"type":"response.done","response":' + b'{"a":' * 200_000,
        b'{"type":"response.done","response":{"output":['
        + b'{"type":"poem","x":' * 300
        + b"1"
        + b"}" * 300
        + b"]}}",
        b"\xef\xbb\xbf{}",
        b"\x00",
        b'{"type":"x"} {"type":"y"}',
    ],
)
def test_known_traps(data: bytes, dialect: Dialect) -> None:
    check(data, dialect)


@pytest.mark.parametrize("depth", range(100, 1200, 50))
def test_any_depth(depth: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"type":"poem","x":', b"}")):
        nested = opening * depth + (b"" if opening == b"[" else b"1") + closing * depth
        for data in (
            b'{"type":"response.done","response":{"id":"r","usage":' + nested + b"}}",
            b'{"type":"response.done","response":{"id":"r","output":[' + nested + b"]}}",
            b'{"type":"conversation.item.create","item":' + nested + b"}",
        ):
            check(data, OPENAI)
            check(data, AZURE_PREVIEW)
