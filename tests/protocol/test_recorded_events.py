"""The shapes of recorded sessions: every one is known, and is written again as it was read."""

from charye.protocol import (
    ClientEvent,
    ConversationItemAdded,
    ConversationItemDone,
    ErrorEvent,
    ErrorKind,
    FunctionCallItem,
    InputAudio,
    InputAudioBufferSpeechStarted,
    MessageItem,
    ResponseCreate,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDelta,
    ResponseOutputAudioDelta,
    ServerEvent,
    UnknownEvent,
    decode_client_event,
    decode_server_event,
    encode,
    kind_of,
)
from tests.protocol.samples import CLIENT_TYPES, FIXTURES, client_lines, parsed, server_lines, without_nulls


def decode(line: bytes) -> ClientEvent | ServerEvent:
    if parsed(line)["type"] in CLIENT_TYPES:
        return decode_client_event(line)
    return decode_server_event(line)


def test_every_recorded_event_is_known_and_comes_out_as_it_went_in() -> None:
    for line in server_lines():
        event = decode_server_event(line)
        assert not isinstance(event, UnknownEvent)
        assert event.type == parsed(line)["type"]
        assert without_nulls(parsed(encode(event))) == without_nulls(parsed(line))


def test_every_recorded_client_event_comes_out_byte_for_byte_or_reordered_only() -> None:
    for line in client_lines():
        event = decode_client_event(line)
        assert not isinstance(event, UnknownEvent)
        assert parsed(encode(event)) == parsed(line)


def test_a_story_reads_as_its_classes() -> None:
    lines = (FIXTURES / "tool_call_with_refused_create.jsonl").read_bytes().splitlines()
    story = [decode(line) for line in lines]

    created = next(event for event in story if isinstance(event, ResponseCreated))
    assert created.response.id == "resp_1"
    assert created.response.status == "in_progress"
    assert created.response.metadata == {"token": "t1"}
    assert created.response.conversation_id == "conv_1"

    arguments = "".join(
        event.delta for event in story if isinstance(event, ResponseFunctionCallArgumentsDelta)
    )
    refusal = next(event for event in story if isinstance(event, ErrorEvent))
    done = next(event for event in story if isinstance(event, ResponseDone))
    assert kind_of(refusal.error) is ErrorKind.ACTIVE_RESPONSE
    assert refusal.error.event_id == "c4"
    assert [event.event_id for event in story if isinstance(event, ResponseCreate)] == ["c2", "c4"]
    (call,) = done.response.output
    assert isinstance(call, FunctionCallItem)
    assert (call.name, call.call_id, call.arguments) == ("get_weather", "call_1", arguments)
    assert done.response.usage is not None
    assert done.response.usage.total_tokens == 84


def test_null_and_absent_are_told_apart_where_they_differ() -> None:
    lines = (FIXTURES / "audio_cut_by_speech.jsonl").read_bytes().splitlines()
    events = [decode(line) for line in lines]
    assert any(isinstance(event, ResponseOutputAudioDelta) for event in events)
    assert any(
        isinstance(event, InputAudioBufferSpeechStarted) and event.audio_start_ms == 5120 for event in events
    )
    done = next(event for event in events if isinstance(event, ResponseDone))
    assert done.response.status_details is not None
    assert done.response.status_details.reason == "turn_detected"
    assert done.response.metadata is None

    first = decode_server_event(
        b'{"type":"conversation.item.added","previous_item_id":null,"item":{"type":"x"}}'
    )
    assert isinstance(first, ConversationItemAdded)
    assert first.previous_item_id is None
    assert b'"previous_item_id":null' in encode(first)

    of_user = [event.item for event in events if isinstance(event, ConversationItemDone)][-1]
    assert isinstance(of_user, MessageItem)
    assert of_user.content == (InputAudio(),)
