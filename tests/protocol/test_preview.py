"""The preview on the wire, GA classes in the program: tables that agree with each other in both directions."""

import msgspec
import pytest

from charye.protocol import (
    AZURE_PREVIEW,
    AudioConfig,
    AudioFormat,
    AudioInputConfig,
    AudioOutputConfig,
    ConversationItemAdded,
    ConversationItemCreate,
    ConversationItemCreated,
    InputAudio,
    InputText,
    MessageItem,
    OutputAudio,
    OutputText,
    Response,
    ResponseCreate,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseParams,
    SessionConfig,
    SessionCreated,
    SessionUpdate,
    Transcription,
    TranscriptionSessionUpdate,
    TurnDetection,
    UnknownEvent,
    UnknownItem,
    decode_client_event,
    decode_server_event,
    encode,
)
from charye.protocol.preview import GA_TYPE, PREVIEW_TYPE, to_ga, to_preview
from tests.protocol.samples import CLIENT_EVENTS, SERVER_EVENTS, parsed, without_nulls

# As an Azure preview server says it.
FLAT_SESSION = (
    b'{"id":"sess_1","object":"realtime.session","model":"gpt-4o-realtime-preview","expires_at":0,'
    b'"modalities":["audio","text"],"instructions":"x","voice":"alloy","input_audio_format":"pcm16",'
    b'"output_audio_format":"g711_ulaw","input_audio_transcription":{"model":"whisper-1"},'
    b'"input_audio_noise_reduction":null,"turn_detection":{"type":"server_vad","threshold":0.5,'
    b'"prefix_padding_ms":300,"silence_duration_ms":200,"create_response":true,"interrupt_response":true},'
    b'"tools":[],"tool_choice":"auto","temperature":0.8,"max_response_output_tokens":"inf","speed":1.0,'
    b'"tracing":null,"include":null,"client_secret":null}'
)


def test_a_flat_session_is_a_session() -> None:
    event = decode_server_event(b'{"type":"session.created","session":' + FLAT_SESSION + b"}", AZURE_PREVIEW)
    assert isinstance(event, SessionCreated)
    session = event.session
    assert session.type == "realtime"
    assert session.output_modalities == ("audio",)
    assert session.max_output_tokens == "inf"
    assert session.audio == AudioConfig(
        input=AudioInputConfig(
            format=AudioFormat("audio/pcm", 24_000),
            transcription=Transcription(model="whisper-1"),
            noise_reduction=None,
            turn_detection=TurnDetection(
                threshold=0.5,
                prefix_padding_ms=300,
                silence_duration_ms=200,
                create_response=True,
                interrupt_response=True,
            ),
        ),
        output=AudioOutputConfig(format=AudioFormat("audio/pcmu"), voice="alloy", speed=1.0),
    )
    written = parsed(encode(event, AZURE_PREVIEW))["session"]
    flat = parsed(FLAT_SESSION)
    # There is no place in GA for these two.
    assert written == {
        name: value for name, value in flat.items() if name not in {"temperature", "client_secret"}
    }


def test_an_update_says_only_what_the_preview_understands() -> None:
    update = SessionUpdate(
        session=SessionConfig(
            output_modalities=("audio",),
            audio=AudioConfig(
                input=AudioInputConfig(format=AudioFormat("audio/pcma"), turn_detection=None),
                output=AudioOutputConfig(voice="sage"),
            ),
            max_output_tokens=100,
            truncation="auto",
            parallel_tool_calls=True,
        )
    )
    data = encode(update, AZURE_PREVIEW)
    assert parsed(data) == {
        "type": "session.update",
        "session": {
            "modalities": ["audio", "text"],
            "input_audio_format": "g711_alaw",
            "turn_detection": None,
            "voice": "sage",
            "max_response_output_tokens": 100,
        },
    }
    again = decode_client_event(data, AZURE_PREVIEW)
    assert isinstance(again, SessionUpdate)
    assert again.session.audio == update.session.audio


def test_a_transcription_session() -> None:
    data = b'{"type":"transcription_session.update","session":{"input_audio_format":"pcm16","turn_detection":null}}'
    event = decode_client_event(data, AZURE_PREVIEW)
    assert isinstance(event, TranscriptionSessionUpdate)
    assert event.session.type == "transcription"
    assert encode(event, AZURE_PREVIEW) == data


def test_a_create_in_the_preview() -> None:
    create = ResponseCreate(
        event_id="e1",
        response=ResponseParams(
            conversation="none",
            output_modalities=("audio",),
            audio=AudioConfig(
                output=AudioOutputConfig(voice="sage", format=AudioFormat("audio/pcm", 24_000))
            ),
            max_output_tokens=100,
            metadata={"token": "t1"},
            input=(MessageItem("assistant", (OutputText("Hi"),)),),
        ),
    )
    data = encode(create, AZURE_PREVIEW)
    assert parsed(data) == {
        "type": "response.create",
        "event_id": "e1",
        "response": {
            "conversation": "none",
            "modalities": ["audio", "text"],
            "voice": "sage",
            "output_audio_format": "pcm16",
            "max_output_tokens": 100,
            "metadata": {"token": "t1"},
            "input": [{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]}],
        },
    }
    assert decode_client_event(data, AZURE_PREVIEW) == create
    assert encode(ResponseCreate(), AZURE_PREVIEW) == b'{"type":"response.create"}'


@pytest.mark.parametrize("name", ["max_output_tokens", "max_response_output_tokens"])
def test_the_cap_of_a_response_has_two_names(name: str) -> None:
    data = msgspec.json.encode({"type": "response.create", "response": {name: 7}})
    assert decode_client_event(data, AZURE_PREVIEW) == ResponseCreate(
        response=ResponseParams(max_output_tokens=7)
    )


def test_the_end_of_a_response_in_the_preview() -> None:
    data = (
        b'{"type":"response.done","event_id":"e","response":{"object":"realtime.response","id":"r1",'
        b'"status":"completed","status_details":null,"output":[{"id":"i1","object":"realtime.item","type":"message",'
        b'"status":"completed","role":"assistant","content":[{"type":"audio","transcript":"Hi"}]}],'
        b'"conversation_id":"conv_1","modalities":["audio","text"],"voice":"alloy","output_audio_format":"pcm16",'
        b'"temperature":0.8,"max_output_tokens":"inf","usage":null,"metadata":{"token":"t1"}}}'
    )
    event = decode_server_event(data, AZURE_PREVIEW)
    assert isinstance(event, ResponseDone)
    assert event.response.metadata == {"token": "t1"}
    assert event.response.output_modalities == ("audio",)
    assert event.response.audio == AudioConfig(
        output=AudioOutputConfig(format=AudioFormat("audio/pcm", 24_000), voice="alloy")
    )
    (item,) = event.response.output
    assert isinstance(item, MessageItem)
    assert item.content == (OutputAudio("Hi"),)
    expected = parsed(data)["response"]
    assert isinstance(expected, dict)
    expected.pop("temperature")
    assert parsed(encode(event, AZURE_PREVIEW))["response"] == expected


def test_items_enter_once() -> None:
    data = (
        b'{"type":"conversation.item.created","event_id":"e","item":{"type":"message","role":"user",'
        b'"content":[{"type":"input_audio"}]},"previous_item_id":null}'
    )
    event = decode_server_event(data, AZURE_PREVIEW)
    item = MessageItem("user", (InputAudio(),))
    assert event == ConversationItemCreated(event_id="e", item=item, previous_item_id=None)
    assert encode(event, AZURE_PREVIEW) == data
    added = ConversationItemAdded(event_id="e", item=item, previous_item_id=None)
    assert encode(added, AZURE_PREVIEW) == data


def test_what_a_client_says_in_an_assistants_name() -> None:
    event = ConversationItemCreate(item=MessageItem("assistant", (OutputText("a"), InputText("b"))))
    data = encode(event, AZURE_PREVIEW)
    assert b'[{"type":"text","text":"a"},{"type":"input_text","text":"b"}]' in data
    assert decode_client_event(data, AZURE_PREVIEW) == event


def test_unknown_items_pass_through_the_preview() -> None:
    data = b'{"type":"response.done","event_id":null,"response":{"id":"r","output":[{"type":"poem","a":1}]}}'
    event = decode_server_event(data, AZURE_PREVIEW)
    assert isinstance(event, ResponseDone)
    assert event.response.output == (UnknownItem({"type": "poem", "a": 1}),)
    assert b'{"type":"poem","a":1}' in encode(event, AZURE_PREVIEW)
    unknown = decode_server_event(b'{"type":"response.dreamt"}', AZURE_PREVIEW)
    assert isinstance(unknown, UnknownEvent)


def test_a_broken_end_of_a_response_is_seen_in_the_preview_too() -> None:
    event = decode_server_event(
        b'{"type":"response.done","response":{"id":"r","modalities":3}}', AZURE_PREVIEW
    )
    assert event == ResponseDone(response=Response(id="r"))


@pytest.mark.parametrize(("preview", "ga"), GA_TYPE.items())
def test_a_renamed_event_is_its_ga_class_and_is_written_under_the_old_name(preview: str, ga: str) -> None:
    _, full = SERVER_EVENTS[ga]
    data = msgspec.json.encode({"type": preview, "event_id": "e", **full})
    event = decode_server_event(data, AZURE_PREVIEW)
    assert event == decode_server_event(msgspec.json.encode({"type": ga, "event_id": "e", **full}))
    assert parsed(encode(event, AZURE_PREVIEW)) == parsed(data)


def test_a_ga_server_with_old_names_is_understood() -> None:
    event = decode_server_event(
        b'{"type":"response.audio.delta","response_id":"r","item_id":"i","delta":"AAAA"}'
    )
    assert event == ResponseOutputAudioDelta(response_id="r", item_id="i", delta="AAAA")


def test_the_two_tables_of_names_are_one() -> None:
    assert {ga: preview for preview, ga in GA_TYPE.items()}.items() <= PREVIEW_TYPE.items()
    assert set(PREVIEW_TYPE) - set(GA_TYPE.values()) == {"conversation.item.added"}


GA_ONLY_EVENTS = {"conversation.item.added"}  # comes back as created


@pytest.mark.parametrize("kind", sorted(set(SERVER_EVENTS) - GA_ONLY_EVENTS))
def test_every_server_event_survives_the_way_through_the_preview(kind: str) -> None:
    _, full = SERVER_EVENTS[kind]
    event = decode_server_event(msgspec.json.encode({"type": kind, **full}))
    again = decode_server_event(encode(event, AZURE_PREVIEW), AZURE_PREVIEW)
    lost = {"truncation", "prompt"} if kind.startswith("session.") else set()
    assert _without(parsed(encode(again)), lost) == _without(parsed(encode(event)), lost)


@pytest.mark.parametrize("kind", CLIENT_EVENTS)
def test_every_client_event_survives_the_way_through_the_preview(kind: str) -> None:
    event = decode_client_event(msgspec.json.encode({"type": kind, **CLIENT_EVENTS[kind]}))
    again = decode_client_event(encode(event, AZURE_PREVIEW), AZURE_PREVIEW)
    lost = {"truncation", "prompt", "parallel_tool_calls", "reasoning"}
    assert _without(parsed(encode(again)), lost) == _without(parsed(encode(event)), lost)


def test_the_tables_do_not_touch_what_they_are_given() -> None:
    for table in (to_ga, to_preview):
        for _, full in SERVER_EVENTS.values():
            before = msgspec.json.encode(full)
            table(dict(full))
            assert msgspec.json.encode(full) == before


def _without(event: object, names: set[str]) -> object:
    """Null and absent alike, and without what the preview has no word for, one level down."""
    plain = without_nulls(event)
    assert isinstance(plain, dict)
    return {
        name: {k: v for k, v in value.items() if k not in names} if isinstance(value, dict) else value
        for name, value in plain.items()
    }
