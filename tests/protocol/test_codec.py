"""Bytes and base64. How fast the codec is, is measured in `benchmarks/`."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.errors import MalformedEvent
from charye.protocol import (
    UNSET,
    ConversationItemCreate,
    InputAudioBufferAppend,
    ResponseOutputAudioDelta,
    SessionConfig,
    UnknownItem,
    audio_base64,
    audio_bytes,
    audio_length_bytes,
    decode_client_event,
    encode,
    event_type,
    re_encode,
)


def test_the_type_alone() -> None:
    assert event_type(b'{"a":[{"type":"inner"}],"type":"outer"}') == "outer"
    assert event_type('{"type":"x"}') == "x"
    for data in (b"", b"[]", b'{"a":1}', b'{"type":7}', b"\xff", "\ud800"):
        with pytest.raises(MalformedEvent):
            event_type(data)


def test_re_encoding_changes_what_is_named_and_nothing_else() -> None:
    data = b'{"type": "session.update", "future": {"a" : 1.500, "b":[ ]}, "event_id":"old","session":{}, "n":1e2}'
    assert re_encode(data, event_id="new") == (
        b'{"type":"session.update","future":{"a" : 1.500, "b":[ ]},"event_id":"new","session":{},"n":1e2}'
    )
    assert re_encode(b'{"type":"x","event_id":"old"}', event_id=UNSET) == b'{"type":"x"}'
    assert re_encode(b'{"type":"x"}', session=SessionConfig(model="m")) == (
        b'{"type":"x","session":{"type":"realtime","model":"m"}}'
    )
    assert (
        re_encode(b'{"type":"x"}', item=UnknownItem({"type": "poem"}))
        == b'{"type":"x","item":{"type":"poem"}}'
    )
    for bad in (b"", b"[]", b"{", b"{}", b"\xff"):
        with pytest.raises(MalformedEvent):
            re_encode(bad, a=1)


def test_an_integer_beyond_64_bits_is_written_as_it_came() -> None:
    data = b'{"type":"conversation.item.create","item":{"type":"poem","n":123456789012345678901234567890}}'
    event = decode_client_event(data)
    assert isinstance(event, ConversationItemCreate)
    assert encode(event) == data


@given(st.binary(max_size=100))
def test_samples_survive_base64_and_their_length_is_known_without_decoding(samples: bytes) -> None:
    text = audio_base64(samples)
    assert text == base64.b64encode(samples).decode()
    assert audio_length_bytes(text) == len(samples)
    assert audio_length_bytes(text.rstrip("=")) == len(samples)
    assert audio_bytes(InputAudioBufferAppend(audio=text)) == samples
    assert audio_bytes(ResponseOutputAudioDelta(response_id="r", item_id="i", delta=text)) == samples


@pytest.mark.parametrize("text", ["A", "AA", "AA=", "A\nAAA", "안녕", "=AAA", "AA==AA==", "A-_A"])
def test_what_is_not_base64_is_malformed(text: str) -> None:
    with pytest.raises(MalformedEvent) as caught:
        audio_bytes(ResponseOutputAudioDelta(response_id="r", item_id="i", delta=text))
    assert caught.value.event_type == "response.output_audio.delta"
    assert caught.value.__context__ is None
