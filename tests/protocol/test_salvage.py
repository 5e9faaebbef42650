"""A malformed field, or a novelty, never hides an event: above all not the end of a response."""

import pytest

from charye.errors import MalformedEvent
from charye.protocol import (
    AudioPart,
    ConversationItemAdded,
    ErrorDetail,
    ErrorEvent,
    FunctionCallItem,
    FunctionTool,
    ItemReference,
    MessageItem,
    OutputText,
    RateLimit,
    RateLimitsUpdated,
    Response,
    ResponseContentPartAdded,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    Session,
    SessionCreated,
    StatusDetails,
    UnknownEvent,
    UnknownItem,
    UnknownPart,
    UnknownTool,
    decode_server_event,
    encode,
)
from tests.protocol.samples import parsed


def done(inside: str) -> Response:
    event = decode_server_event('{"type":"response.done","event_id":"e","response":' + inside + "}")
    assert isinstance(event, ResponseDone)
    return event.response


# --- what is new ---------------------------------------------------------------------------------------------------


def test_an_unknown_event_keeps_its_bytes() -> None:
    data = b'{ "type":"response.dreamt" , "event_id":"e1","dream":{"a":1.50}}'
    event = decode_server_event(data)
    assert event == UnknownEvent("response.dreamt", "e1", data)
    assert encode(event) == data
    assert 'dream"' not in repr(event)


def test_unknown_fields_are_no_obstacle() -> None:
    assert done('{"id":"r1","mood":"cheerful","usage":{"joules":3}}').id == "r1"


def test_an_unknown_item_does_not_hide_the_end_of_the_response_and_is_written_as_it_came() -> None:
    data = (
        b'{"type":"response.done","event_id":"e","response":{"id":"r1","status":"completed","output":['
        b'{"type":"hologram","id":"i1","size":{"type":"message","x":[1,2]}},'
        b'{"type":"message","role":"assistant","content":[{"type":"smell","of":"rain"},{"type":"output_text","text":"Hi"}]}'
        b"]}}"
    )
    event = decode_server_event(data)
    assert isinstance(event, ResponseDone)
    novelty, message = event.response.output
    assert isinstance(novelty, UnknownItem)
    assert (novelty.type, novelty.id) == ("hologram", "i1")
    assert isinstance(message, MessageItem)
    assert message.content == (UnknownPart({"type": "smell", "of": "rain"}), OutputText("Hi"))

    again = parsed(encode(event))["response"]
    assert isinstance(again, dict)
    expected = parsed(data)["response"]
    assert isinstance(expected, dict)
    assert again["output"] == expected["output"]


def test_an_item_without_what_its_type_promises_is_kept_whole() -> None:
    (item,) = done('{"output":[{"type":"function_call","name":"f","arguments":{"a":1},"id":"i"}]}').output
    assert item == UnknownItem({"type": "function_call", "name": "f", "arguments": {"a": 1}, "id": "i"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('{"type":"message","role":"assistant","content":null}', MessageItem("assistant", ())),
        ('{"type":"message","role":"assistant","status":null}', MessageItem("assistant", ())),
        ('{"type":"function_call","name":"f","arguments":null,"call_id":null}', FunctionCallItem("f", "")),
        (
            '{"type":"message","role":"assistant","content":[{"type":"output_text","text":null}]}',
            MessageItem("assistant", (OutputText(""),)),
        ),
    ],
)
def test_null_for_a_required_field_is_the_empty_value(given: str, expected: object) -> None:
    assert done('{"output":[' + given + "]}").output == (expected,)


def test_what_stands_where_an_item_should_is_dropped_alone() -> None:
    assert done('{"id":"r1","output":[null,{"type":"item_reference","id":"i"}]}').output == (
        ItemReference("i"),
    )


def test_an_unknown_tool_does_not_hide_the_session() -> None:
    data = b'{"type":"session.created","session":{"tools":[{"type":"oracle","n":1},{"type":"function","name":"f"}]}}'
    event = decode_server_event(data)
    assert isinstance(event, SessionCreated)
    assert event.session.tools == (UnknownTool({"type": "oracle", "n": 1}), FunctionTool("f"))
    assert b'{"type":"oracle","n":1}' in encode(event)


def test_our_own_mark_on_the_wire_is_just_another_unknown_type() -> None:
    data = b'{"type":"conversation.item.added","item":{"type":"charye.unknown","id":"i"}}'
    event = decode_server_event(data)
    assert isinstance(event, ConversationItemAdded)
    assert parsed(encode(event))["item"] == {"type": "charye.unknown", "id": "i"}


def test_a_part_called_content_as_some_servers_did() -> None:
    event = decode_server_event(
        b'{"type":"response.content_part.added","response_id":"r","item_id":"i","content":{"type":"audio"}}'
    )
    assert event == ResponseContentPartAdded(response_id="r", item_id="i", part=AudioPart())


# --- what is malformed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        '"usage":"much"',
        '"usage":{"total_tokens":{}}',
        '"output":null',
        '"output":{"0":1}',
        '"output":[null,7]',
        '"output":[{"no":"type"}]',
        '"audio":{"output":{"format":"pcm16"}}',
        '"audio":7',
        '"output_modalities":"audio"',
        '"max_output_tokens":[]',
        '"usage":1e999',
        '"usage":{"total_tokens":' + "9" * 5000 + "}",
        '"usage":NaN',
        '"object":[]',
    ],
)
def test_the_end_of_a_response_is_seen_whatever_else_is_in_it(field: str) -> None:
    response = done(
        '{"id":"r1","status":"cancelled","conversation_id":null,"metadata":{"token":"t"},' + field + "}"
    )
    assert response.id == "r1"
    assert response.status == "cancelled"
    assert response.conversation_id is None
    assert response.metadata == {"token": "t"}


@pytest.mark.parametrize("inside", ["null", "[]", '"r1"', "7", "{}"])
def test_the_end_of_a_response_of_which_nothing_is_known(inside: str) -> None:
    assert done(inside) == Response()


def test_a_response_that_is_missing_is_named_by_the_event() -> None:
    assert decode_server_event(b'{"type":"response.done","response_id":"r1"}') == ResponseDone(
        response=Response(id="r1")
    )
    assert decode_server_event(b'{"type":"response.created"}') == ResponseCreated(response=Response())


def test_what_fits_is_kept_of_what_does_not_fit_as_a_whole() -> None:
    response = done(
        '{"id":17,"status_details":{"type":"failed","reason":{},"error":{"code":429}},"metadata":{"a":"b","n":1}}'
    )
    assert response.id == "17"
    assert response.metadata == {"a": "b"}
    assert response.status_details is not None
    assert response.status_details.type == "failed"
    assert response.status_details.error is not None
    assert response.status_details.error.code == "429"
    assert done('{"status_details":"failed"}').status_details is None
    assert done('{"status_details":{}}').status_details == StatusDetails()

    limits = decode_server_event(b'{"type":"rate_limits.updated","rate_limits":[{"name":"tokens"},"many"]}')
    assert limits == RateLimitsUpdated(rate_limits=(RateLimit(name="tokens"),))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'{"type":"error","error":{"message":"m"}}', ErrorDetail(message="m")),
        (
            b'{"type":"error","error":{"type":null,"message":"m","code":400}}',
            ErrorDetail(message="m", code="400"),
        ),
        (b'{"type":"error","error":"m"}', ErrorDetail(message="m")),
        (b'{"type":"error","message":"m","code":"c"}', ErrorDetail(message="m", code="c")),
        (b'{"type":"error"}', ErrorDetail()),
        (b'{"type":"error","error":[1]}', ErrorDetail()),
        (
            b'{"type":"error","error":{"message":"m","event_id":"c4","param":{}}}',
            ErrorDetail(message="m", event_id="c4"),
        ),
    ],
)
def test_an_error_is_an_error_in_any_shape(data: bytes, error: ErrorDetail) -> None:
    assert decode_server_event(data) == ErrorEvent(error=error)


def test_the_proof_of_a_session_is_seen_whatever_is_in_it() -> None:
    assert decode_server_event(b'{"type":"session.created"}') == SessionCreated(session=Session())
    event = decode_server_event(
        b'{"type":"session.created","session":{"id":"s","expires_at":"soon","audio":{"input":{"turn_detection":'
        b'{"type":"server_vad","create_response":false,"threshold":"high"}}}}}'
    )
    assert isinstance(event, SessionCreated)
    assert event.session.id == "s"
    assert event.session.audio
    assert event.session.audio.input
    assert event.session.audio.input.turn_detection
    assert event.session.audio.input.turn_detection.create_response is False


@pytest.mark.parametrize(
    "transcript", [b"half a smile \\ud83d", b"\xff\xfe not UTF-8", b"a raw\ttab", b"\\udc00 the other half"]
)
def test_a_broken_text_does_not_hide_the_end_of_a_response(transcript: bytes) -> None:
    data = (
        b'{"type":"response.done","response":{"id":"r1","output":[{"type":"message","role":"assistant",'
        b'"content":[{"type":"output_audio","transcript":"' + transcript + b'"}]}]}}'
    )
    event = decode_server_event(data)
    assert isinstance(event, ResponseDone)
    assert event.response.id == "r1"
    assert isinstance(event.response.output[0], MessageItem)
    encode(event).decode("utf-8")


def test_a_broken_text_as_str() -> None:
    event = decode_server_event('{"type":"response.done","response":{"id":"r1","status":"\ud83d"}}')
    assert isinstance(event, ResponseDone)
    assert event.response.status == "?"


def test_an_event_without_what_it_is_about_is_malformed() -> None:
    with pytest.raises(MalformedEvent) as caught:
        decode_server_event(b'{"type":"response.output_audio.delta","response_id":"r","item_id":"i"}')
    assert caught.value.event_type == "response.output_audio.delta"
    assert caught.value.size_bytes == 70
    with pytest.raises(MalformedEvent):
        decode_server_event(b'{"type":"conversation.item.added","item":null}')


def test_the_rest_of_a_delta_may_be_wrong() -> None:
    event = decode_server_event(
        b'{"type":"response.output_audio.delta","response_id":"r","item_id":"i","output_index":"x","delta":"AAAA"}'
    )
    assert event == ResponseOutputAudioDelta(response_id="r", item_id="i", delta="AAAA")


def test_no_error_quotes_what_was_said() -> None:
    for data in (
        b'{"type":"response.output_text.delta","delta":["my secret"]}',
        b'{"type":"response.output_text.delta","delta":"my secret',
        b'"my secret"',
        b'{"my secret":1}',
        b"my secret \xff",
        '{"my secret":"\ud800',
    ):
        with pytest.raises(MalformedEvent) as caught:
            decode_server_event(data)
        assert "secret" not in str(caught.value) + repr(caught.value)
        assert caught.value.__context__ is None
