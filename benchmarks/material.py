"""What is measured on: the server events of a spoken reply, in the shape and size of recorded GA sessions."""

from base64 import b64encode

from msgspec.json import encode

__all__ = ["FRAMES", "SESSION", "audio_delta", "reply", "tool_call", "user_turn"]

SAMPLES = bytes(range(256)) * 19 + bytes(16)
"""4,880 bytes: 102 ms of PCM16 at 24 kHz, 6,508 characters of base64. Recorded deltas are of this size."""

FRAMES = 3
"""Audio deltas in one `reply`. Real ones have dozens; few of them is the harder case for us, because an audio
delta is what `json.loads` is slowest at."""

AUDIO = b64encode(SAMPLES).decode("ascii")
VOICE = {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"}}
USAGE = {
    "total_tokens": 412,
    "input_tokens": 305,
    "output_tokens": 107,
    "input_token_details": {"text_tokens": 201, "audio_tokens": 104, "image_tokens": 0, "cached_tokens": 192},
    "output_token_details": {"text_tokens": 24, "audio_tokens": 83},
}
WORDS = "It will be sunny in Seoul this afternoon, with a light wind from the west and no rain at all."

SESSION = encode(
    {
        "type": "session.created",
        "event_id": "event_session",
        "session": {
            "type": "realtime",
            "object": "realtime.session",
            "id": "sess_1",
            "model": "gpt-realtime",
            "output_modalities": ["audio"],
            "instructions": "Be kind.",
            "audio": {"input": {"turn_detection": None}, **VOICE},
        },
    }
)


def audio_delta(response_id: str, item_id: str) -> bytes:
    """One `response.output_audio.delta`, about 6.6 kB."""
    return encode(
        {
            "type": "response.output_audio.delta",
            "event_id": "event_CjQfVnZsH0bT2vXc9aRpL",
            "response_id": response_id,
            "item_id": item_id,
            "output_index": 0,
            "content_index": 0,
            "delta": AUDIO,
        }
    )


def reply(response_id: str, token: str | None) -> list[bytes]:
    """A whole spoken response of 12 events, three of them audio.

    Args:
        token: what the server echoes of the create's metadata; None for a reply of the server's own.
    """
    item_id = f"item_{response_id}"
    place = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
    growing = _message(item_id, "in_progress", [])
    whole = _message(item_id, "completed", [{"type": "output_audio", "transcript": WORDS}])
    events: list[dict[str, object]] = [
        {"type": "response.created", "response": _response(response_id, token, "in_progress", [], None)},
        _of("response.output_item.added", response_id, growing),
        {"type": "conversation.item.added", "previous_item_id": "item_before", "item": growing},
        {"type": "response.content_part.added", **place, "part": {"type": "audio", "transcript": ""}},
        {"type": "response.output_audio_transcript.delta", **place, "delta": WORDS, "obfuscation": "k2Jd8sQ"},
        {"type": "response.output_audio.done", **place},
        {"type": "response.content_part.done", **place, "part": {"type": "audio", "transcript": WORDS}},
        _of("response.output_item.done", response_id, whole),
        {"type": "response.done", "response": _response(response_id, token, "completed", [whole], USAGE)},
    ]
    raw = [encode({"event_id": f"event_{at}_CjQfVnZsH0bT2vXc", **event}) for at, event in enumerate(events)]
    return [*raw[:5], *[audio_delta(response_id, item_id)] * FRAMES, *raw[5:]]


def tool_call(response_id: str, token: str | None, call_id: str) -> list[bytes]:
    """A response that only calls a tool."""
    call: dict[str, object] = {
        "id": f"fc_{call_id}",
        "object": "realtime.item",
        "type": "function_call",
        "status": "completed",
        "name": "get_weather",
        "call_id": call_id,
        "arguments": '{"city": "Seoul", "unit": "celsius"}',
    }
    events: list[dict[str, object]] = [
        {"type": "response.created", "response": _response(response_id, token, "in_progress", [], None)},
        {"type": "conversation.item.added", "previous_item_id": None, "item": call},
        _of("response.output_item.done", response_id, call),
        {"type": "response.done", "response": _response(response_id, token, "completed", [call], USAGE)},
    ]
    return [encode(event) for event in events]


def user_turn(item_id: str) -> list[bytes]:
    """What the server says about one turn of the user: heard, committed, written down."""
    item = _message(item_id, "completed", [{"type": "input_audio", "transcript": None}], role="user")
    events: list[dict[str, object]] = [
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 1000, "item_id": item_id},
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 3200, "item_id": item_id},
        {"type": "input_audio_buffer.committed", "previous_item_id": None, "item_id": item_id},
        {"type": "conversation.item.added", "previous_item_id": None, "item": item},
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": item_id,
            "content_index": 0,
            "transcript": "What will the weather be like in Seoul this afternoon?",
        },
    ]
    return [encode(event) for event in events]


def _of(kind: str, response_id: str, item: dict[str, object]) -> dict[str, object]:
    return {"type": kind, "response_id": response_id, "output_index": 0, "item": item}


def _message(
    item_id: str, status: str, content: list[dict[str, object]], *, role: str = "assistant"
) -> dict[str, object]:
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": role,
        "content": content,
    }


def _response(
    response_id: str, token: str | None, status: str, output: list[dict[str, object]], usage: object
) -> dict[str, object]:
    return {
        "object": "realtime.response",
        "id": response_id,
        "status": status,
        "status_details": None,
        "output": output,
        "conversation_id": "conv_CjQfVnZsH0bT2vXc9aRpL",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "audio": VOICE,
        "usage": usage,
        "metadata": None if token is None else {"charye": token},
    }
