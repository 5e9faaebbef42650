"""What a client sends: nothing that it did not say, and null only where null is a word of its own."""

from typing import get_args

import msgspec
import pytest
from openai.types.realtime import RealtimeClientEvent
from pydantic import TypeAdapter

from charye.errors import MalformedEvent
from charye.protocol import (
    UNSET,
    AudioConfig,
    AudioInputConfig,
    ConversationItemCreate,
    FunctionCallItem,
    FunctionTool,
    InputAudioBufferCommit,
    InputText,
    ItemReference,
    MessageItem,
    ResponseCancel,
    ResponseCreate,
    ResponseParams,
    SessionConfig,
    SessionUpdate,
    TurnDetection,
    UnknownEvent,
    UnknownItem,
    decode_client_event,
    encode,
)
from charye.protocol.client_events import KnownClientEvent
from charye.protocol.wire import Tagged
from tests.protocol.samples import CLIENT_EVENTS, CLIENT_TYPES, parsed, without_nulls
from tests.protocol.yardstick import types_of

STRICT: TypeAdapter[object] = TypeAdapter(RealtimeClientEvent)
STRICT_TYPES = types_of(RealtimeClientEvent)
PREVIEW_ONLY = {"transcription_session.update"}


def classes() -> dict[str, type[Tagged]]:
    return {str(known.__struct_config__.tag): known for known in get_args(KnownClientEvent)}


def test_every_event_of_the_published_types_has_a_class() -> None:
    assert set(classes()) == STRICT_TYPES | PREVIEW_ONLY == CLIENT_TYPES == set(CLIENT_EVENTS)
    for kind, known in classes().items():
        assert known.__name__ == "".join(word.capitalize() for word in kind.replace("_", ".").split("."))


@pytest.mark.parametrize("kind", CLIENT_EVENTS)
def test_every_event_survives_and_is_as_published(kind: str) -> None:
    data = msgspec.json.encode({"type": kind, "event_id": "e1", **CLIENT_EVENTS[kind]})
    event = decode_client_event(data)
    again = encode(event)
    assert type(event) is classes()[kind]
    assert without_nulls(parsed(again)) == without_nulls(parsed(data))
    if kind in STRICT_TYPES:
        assert getattr(STRICT.validate_json(again), "type", None) == kind


def test_what_is_not_said_is_not_written() -> None:
    assert encode(InputAudioBufferCommit()) == b'{"type":"input_audio_buffer.commit"}'
    assert encode(ResponseCreate()) == b'{"type":"response.create"}'
    assert encode(ResponseCreate(response=ResponseParams())) == b'{"type":"response.create","response":{}}'
    assert encode(ResponseCancel()) == b'{"type":"response.cancel"}'
    said = ConversationItemCreate(item=MessageItem("user", (InputText("Hi"),)), event_id="e1")
    assert parsed(encode(said)) == {
        "type": "conversation.item.create",
        "event_id": "e1",
        "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    }


def test_null_switches_off_and_absent_keeps() -> None:
    off = SessionUpdate(session=SessionConfig(audio=AudioConfig(input=AudioInputConfig(turn_detection=None))))
    assert parsed(encode(off)) == {
        "type": "session.update",
        "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}},
    }
    quiet = TurnDetection(create_response=False, interrupt_response=False)
    kept = SessionUpdate(
        session=SessionConfig(audio=AudioConfig(input=AudioInputConfig(turn_detection=quiet)))
    )
    assert b'{"type":"server_vad","create_response":false,"interrupt_response":false}' in encode(kept)


def test_clearing_is_written() -> None:
    update = SessionUpdate(session=SessionConfig(instructions="", tools=()))
    assert parsed(encode(update))["session"] == {"type": "realtime", "instructions": "", "tools": []}
    empty_context = ResponseCreate(response=ResponseParams(input=(), conversation="none"))
    assert parsed(encode(empty_context))["response"] == {"conversation": "none", "input": []}


def test_turn_detection_is_found_and_its_defaults_are_yes() -> None:
    assert SessionConfig().turn_detection is UNSET
    assert SessionConfig(audio=AudioConfig()).turn_detection is UNSET
    assert (
        SessionConfig(audio=AudioConfig(input=AudioInputConfig(turn_detection=None))).turn_detection is None
    )
    half = TurnDetection(create_response=False)
    assert (
        SessionConfig(audio=AudioConfig(input=AudioInputConfig(turn_detection=half))).turn_detection is half
    )
    assert (half.replies, half.interrupts) == (False, True)


def test_a_tag_replaces_metadata_and_nothing_else() -> None:
    params = ResponseParams(instructions="x", metadata={"a": "b"}, conversation="auto")
    assert params.tagged(metadata={"t": "1"}) == ResponseParams(
        instructions="x", metadata={"t": "1"}, conversation="auto"
    )
    assert ResponseParams().tagged(metadata={}, conversation="none").conversation == "none"
    assert ResponseParams().tagged(metadata={}).conversation is UNSET


def test_a_tool_and_a_reference() -> None:
    params = ResponseParams(
        input=(ItemReference("item_1"),),
        tools=(FunctionTool("look", parameters={"type": "object"}),),
    )
    assert parsed(encode(ResponseCreate(response=params)))["response"] == {
        "input": [{"type": "item_reference", "id": "item_1"}],
        "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}}],
    }


def test_clients_may_send_null_for_what_they_do_not_say() -> None:
    event = decode_client_event(b'{"type":"response.create","event_id":null,"response":null}')
    assert event == ResponseCreate(response=None)
    params = decode_client_event(b'{"type":"response.create","response":{"metadata":null,"tools":null}}')
    assert params == ResponseCreate(response=ResponseParams(metadata=None, tools=None))


def test_a_call_that_a_client_writes_needs_no_call_id() -> None:
    event = decode_client_event(
        b'{"type":"conversation.item.create","item":{"type":"function_call","name":"f","arguments":"{}"}}'
    )
    assert event == ConversationItemCreate(item=FunctionCallItem("f", "{}"))
    assert b"call_id" not in encode(event)


def test_a_bad_field_of_a_client_is_an_error_that_names_its_place_and_not_its_content() -> None:
    with pytest.raises(MalformedEvent) as caught:
        decode_client_event(b'{"type":"session.update","session":{"audio":{"output":{"speed":"my secret"}}}}')
    assert "$.session.audio.output.speed" in str(caught.value)
    assert "secret" not in repr(caught.value)
    assert caught.value.event_type == "session.update"
    assert caught.value.__context__ is None
    with pytest.raises(MalformedEvent):
        decode_client_event(b'{"type":"input_audio_buffer.append"}')


def test_news_from_a_client_are_no_error() -> None:
    assert isinstance(decode_client_event(b'{"type":"session.applaud","x":1}'), UnknownEvent)
    news = decode_client_event(b'{"type":"conversation.item.create","item":{"type":"poem","lines":["a"]}}')
    assert news == ConversationItemCreate(item=UnknownItem({"type": "poem", "lines": ["a"]}))
