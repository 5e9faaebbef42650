"""Every event a server may send: accepted with the least, written so that strict clients take it."""

from typing import get_args

import msgspec
import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from charye.protocol import (
    UNSET,
    Response,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    TurnDetection,
    UnknownEvent,
    decode_server_event,
    encode,
)
from charye.protocol.response import ResponseStatus
from charye.protocol.server_events import KnownServerEvent
from charye.protocol.wire import Tagged
from tests.protocol.samples import SERVER_EVENTS, Json, parsed, without_nulls
from tests.protocol.yardstick import types_of

# pydantic would also accept a look-alike of another type; the discriminator is checked besides.
STRICT: TypeAdapter[object] = TypeAdapter(RealtimeServerEvent)
STRICT_TYPES = types_of(RealtimeServerEvent)

PREVIEW_ONLY = {"transcription_session.updated"}


def classes() -> dict[str, type[Tagged]]:
    return {str(known.__struct_config__.tag): known for known in get_args(KnownServerEvent)}


def written(kind: str, fields: Json) -> bytes:
    event_id = {} if kind == "input_audio_buffer.dtmf_event_received" else {"event_id": "event_1"}
    return msgspec.json.encode({"type": kind, **event_id, **fields})


def test_every_event_of_the_published_types_has_a_class() -> None:
    assert set(classes()) >= STRICT_TYPES
    assert set(classes()) - STRICT_TYPES == PREVIEW_ONLY


def test_every_class_has_a_sample_and_the_name_of_its_event() -> None:
    assert set(SERVER_EVENTS) == set(classes())
    for kind, known in classes().items():
        expected = "".join(word.capitalize() for word in kind.replace("_", ".").split("."))
        assert known.__name__ == ("ErrorEvent" if kind == "error" else expected)


@pytest.mark.parametrize("kind", SERVER_EVENTS)
def test_the_least_is_accepted(kind: str) -> None:
    least, _ = SERVER_EVENTS[kind]
    event = decode_server_event(encode_plain({"type": kind, **least}))
    assert type(event) is classes()[kind]
    assert event.type == kind
    assert event.event_id is None


@pytest.mark.parametrize("kind", SERVER_EVENTS)
def test_all_of_it_survives_and_strict_clients_take_it(kind: str) -> None:
    _, full = SERVER_EVENTS[kind]
    data = written(kind, full)
    event = decode_server_event(data)
    again = encode(event)
    assert type(event) is classes()[kind]
    assert without_nulls(parsed(again)) == without_nulls(parsed(data))
    assert decode_server_event(again) == event
    if kind in STRICT_TYPES:
        model = STRICT.validate_json(again)
        assert getattr(model, "type", None) == kind


def test_what_the_server_leaves_out_is_not_invented() -> None:
    created = decode_server_event(b'{"type":"response.created","response":{"id":"r"}}')
    assert isinstance(created, ResponseCreated)
    assert created.response.conversation_id is UNSET
    assert created.response.metadata is None
    assert created.response.output == ()
    assert b"conversation_id" not in encode(created)

    out_of_band = decode_server_event(b'{"type":"response.created","response":{"conversation_id":null}}')
    assert isinstance(out_of_band, ResponseCreated)
    assert out_of_band.response.conversation_id is None
    assert b'"conversation_id":null' in encode(out_of_band)


def test_zero_and_empty_are_written_where_strict_clients_require_the_field() -> None:
    data = encode(decode_server_event(written("response.output_audio.delta", {
        "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0, "delta": "",
    })))  # fmt: skip
    assert parsed(data).items() >= {"output_index": 0, "content_index": 0, "delta": ""}.items()
    STRICT.validate_json(data)


def test_a_status_not_yet_invented_is_a_status() -> None:
    done = decode_server_event(b'{"type":"response.done","response":{"id":"r","status":"paused"}}')
    assert done == ResponseDone(response=Response(id="r", status="paused"))
    assert Response(status="completed").status == ResponseStatus.COMPLETED


def test_a_kind_of_turn_detection_not_yet_invented_is_turn_detection() -> None:
    created = decode_server_event(
        b'{"type":"session.created","session":{"type":"realtime","audio":{"input":{"turn_detection":'
        b'{"type":"clairvoyant_vad","create_response":false,"foresight_ms":20}}}}}'
    )
    assert isinstance(created, SessionCreated)
    assert created.session.audio
    assert created.session.audio.input
    assert created.session.audio.input.turn_detection == TurnDetection(
        "clairvoyant_vad", create_response=False
    )


def test_a_client_event_is_unknown_to_the_client() -> None:
    assert isinstance(decode_server_event(b'{"type":"response.create"}'), UnknownEvent)


def encode_plain(value: Json) -> bytes:
    return msgspec.json.encode(value)
