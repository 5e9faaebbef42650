"""Bad input of every kind gets one error with the right words, and the session lives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charye.protocol import (
    AZURE_PREVIEW,
    OPENAI,
    ConversationItemCreate,
    Dialect,
    InputAudioBufferAppend,
    InputText,
    MessageItem,
    ResponseCreate,
    SessionConfig,
    SessionUpdate,
    UnknownEvent,
)
from charye.server.settings import ServerSettings
from tests.protocol.samples import client_lines
from tests.server.bench import Bench, types


def lives(bench: Bench) -> bool:
    """Whether the session still does what it is for."""
    if bench.peer.floor:
        bench.answer(to=bench.peer.floor)
    bench.create()
    return "response.done" in types(bench.answer())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"1",
        b'"text"',
        b'{"type":',
        b"\xff\xfe",
        b'{"type":"response.create","event_id":"\\ud800"}',
        b"[" * 100_000,
        b'{"type":"session.update","session":' + b'{"a":' * 50_000,
    ],
)
def test_what_is_no_json_object_is_an_invalid_event(data: bytes) -> None:
    bench = Bench()
    error = bench.refused(data)
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_event")
    assert lives(bench)


@pytest.mark.parametrize(
    "data", [b"{}", b'{"event_id":"e1"}', b'{"type":5,"event_id":"e1"}', b'{"type":null}']
)
def test_a_missing_type_is_an_invalid_event(data: bytes) -> None:
    error = Bench().refused(data)
    assert (error["code"], error["message"]) == ("invalid_event", "The 'type' field is missing.")
    assert error["event_id"] == ("e1" if b"e1" in data else None)


def test_an_unknown_type_is_told_what_there_is() -> None:
    bench = Bench()
    error = bench.refused("foo", event_id="e1")
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "type", "e1")
    assert error["message"].startswith("Invalid value: 'foo'. Supported values are: 'session.update', ")
    assert error["message"].endswith(" and 'response.cancel'.")
    assert lives(bench)


def test_the_session_update_of_the_preview_is_unknown_in_ga() -> None:
    assert Bench().refused("transcription_session.update", session={})["code"] == "invalid_value"
    bench = Bench(ServerSettings(dialect=AZURE_PREVIEW, session={"type": "transcription"}))
    update = {"input_audio_transcription": {"model": "whisper-1"}}
    (event,) = bench.say("transcription_session.update", session=update)
    assert event.type == "transcription_session.updated"


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "response.create", "x": 1}, "unknown_parameter", "x"),
        ({"type": "response.create", "response": {"x": 1}}, "unknown_parameter", "response.x"),
        ({"type": "response.create", "response": {"modalities": ["text"]}}, "unknown_parameter", "response.modalities"),
        ({"type": "response.create", "response": 5}, "invalid_type", "response"),
        ({"type": "response.create", "response": {"conversation": "x"}}, "invalid_value", "response.conversation"),
        ({"type": "response.create", "response": {"metadata": {"a": 1}}}, "invalid_type", "response.metadata.a"),
        ({"type": "response.create", "response": {"metadata": {"a": "x" * 513}}},
         "string_above_max_length", "response.metadata.a"),
        ({"type": "response.create", "response": {"metadata": {str(n): "" for n in range(17)}}},
         "object_above_max_length", "response.metadata"),
        ({"type": "response.create", "response": {"max_output_tokens": True}}, "invalid_type",
         "response.max_output_tokens"),
        ({"type": "response.create", "response": {"output_modalities": []}}, "invalid_value",
         "response.output_modalities"),
        ({"type": "response.create", "response": {"input": [{"type": "message"}]}}, "missing_required_parameter",
         "response.input[0].role"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "session.update", "session": []}, "invalid_type", "session"),
        ({"type": "conversation.item.create"}, "missing_required_parameter", "item"),
        ({"type": "conversation.item.delete"}, "missing_required_parameter", "item_id"),
        ({"type": "conversation.item.delete", "item_id": 7}, "invalid_type", "item_id"),
        ({"type": "conversation.item.truncate", "item_id": "a"}, "missing_required_parameter", "content_index"),
        ({"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, "audio_end_ms": 1.5},
         "invalid_type", "audio_end_ms"),
        ({"type": "input_audio_buffer.append", "audio": 5}, "invalid_type", "audio"),
        ({"type": "response.cancel", "response_id": []}, "invalid_type", "response_id"),
        ({"type": "response.create", "event_id": "x" * 513}, "string_above_max_length", "event_id"),
        ({"type": "response.create", "event_id": 5}, "invalid_type", "event_id"),
        ({"type": "output_audio_buffer.clear"}, "invalid_value", "type"),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_named(event: dict[str, Any], code: str, param: str) -> None:
    bench = Bench()
    error = bench.refused({"event_id": "e1", **event})
    assert (error["code"], error["param"]) == (code, param)
    assert error["event_id"] == (event.get("event_id", "e1") if event.get("event_id") != 5 else None)
    assert lives(bench)


def test_events_may_be_given_as_structs() -> None:
    bench = Bench()
    message = MessageItem(role="user", content=(InputText("Hi."),))
    for event in (
        SessionUpdate(session=SessionConfig(instructions="Be kind.")),
        ConversationItemCreate(item=message),
        ResponseCreate(),
    ):
        assert "error" not in types(bench._take(bench.peer.receive(event, bench.now)))
    (refused,) = bench._take(bench.peer.receive(InputAudioBufferAppend(audio="", event_id="a"), bench.now))
    assert refused.type == "error"
    (refused,) = bench._take(bench.peer.receive(UnknownEvent("foo", None, b'{"type":"foo"}'), bench.now))
    assert refused.type == "error"
    half = ConversationItemCreate(item=MessageItem(role="user", content=(InputText("\ud800"),)))
    (refused,) = bench._take(bench.peer.receive(half, bench.now))
    assert refused.type == "error"


def test_everything_a_client_was_recorded_to_send_is_understood() -> None:
    bench = Bench()
    for line in client_lines():
        for event in bench._take(bench.peer.receive(line, bench.now)):
            assert b"unknown_parameter" not in repr(event).encode()


@pytest.mark.parametrize("dialect", [OPENAI, AZURE_PREVIEW], ids=lambda dialect: dialect.name)
@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer_and_never_an_exception(dialect: Dialect, data: bytes) -> None:
    bench = Bench(ServerSettings(dialect=dialect))
    assume(b'"type"' not in data)  # a generator that is fed with our constants finds whole events
    assert types(bench.say(data)) == ["error"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "session",
        "item",
        "item_id",
        "response",
        "response_id",
        "audio",
        "event_id",
        "audio_end_ms",
        "content_index",
    ]
)
KINDS = st.sampled_from(
    [
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "conversation.item.create",
        "conversation.item.truncate",
        "conversation.item.retrieve",
        "response.create",
        "response.cancel",
    ]
)


@pytest.mark.parametrize("dialect", [OPENAI, AZURE_PREVIEW], ids=lambda dialect: dialect.name)
@given(kind=KINDS, fields=st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_fields_get_at_most_one_error_and_never_an_exception(
    dialect: Dialect, kind: str, fields: dict[str, Any]
) -> None:
    bench = Bench(ServerSettings(dialect=dialect))
    try:
        events = bench.say({"type": kind, **fields})
    except UnicodeEncodeError:
        return  # the text of this test cannot be written as JSON
    assert types(events).count("error") <= 1
    assert lives(bench)
