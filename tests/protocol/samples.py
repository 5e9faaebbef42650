"""Events to test with: the recorded shapes, and a minimal and a full example of everything a server may send."""

from pathlib import Path

import msgspec

FIXTURES = Path(__file__).parent / "fixtures"

CLIENT_TYPES = frozenset(
    {
        "conversation.item.create",
        "conversation.item.delete",
        "conversation.item.retrieve",
        "conversation.item.truncate",
        "input_audio_buffer.append",
        "input_audio_buffer.clear",
        "input_audio_buffer.commit",
        "output_audio_buffer.clear",
        "response.cancel",
        "response.create",
        "session.update",
        "transcription_session.update",
    }
)

Json = dict[str, object]


def parsed(data: bytes | str) -> Json:
    """The JSON object in `data`."""
    return msgspec.json.decode(data, type=Json)


def fixture_lines() -> list[bytes]:
    """Every recorded shape, client and server, in order."""
    return [line for path in sorted(FIXTURES.glob("*.jsonl")) for line in path.read_bytes().splitlines()]


def server_lines() -> list[bytes]:
    return [line for line in fixture_lines() if parsed(line)["type"] not in CLIENT_TYPES]


def client_lines() -> list[bytes]:
    return [line for line in fixture_lines() if parsed(line)["type"] in CLIENT_TYPES]


def without_nulls(value: object) -> object:
    """The value as most readers take it: null and absent are the same."""
    if isinstance(value, dict):
        return {name: without_nulls(field) for name, field in value.items() if field is not None}
    if isinstance(value, list):
        return [without_nulls(element) for element in value]
    return value


PCM: Json = {"type": "audio/pcm", "rate": 24000}
MESSAGE: Json = {
    "id": "item_1",
    "type": "message",
    "status": "completed",
    "role": "user",
    "content": [
        {"type": "input_text", "text": "Hello."},
        {"type": "input_audio", "transcript": "안녕하세요."},
        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
    ],
}
SESSION: Json = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "gpt-realtime",
    "output_modalities": ["audio"],
    "instructions": "Be kind.",
    "tools": [
        {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}},
        {
            "type": "mcp",
            "server_label": "s",
            "server_url": "https://example.org",
            "require_approval": "never",
        },
    ],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": None,
    "truncation": "auto",
    "prompt": None,
    "expires_at": 1790715718,
    "audio": {
        "input": {
            "format": PCM,
            "transcription": {"model": "whisper-1", "language": "ko", "prompt": None},
            "noise_reduction": {"type": "near_field"},
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 200,
                "idle_timeout_ms": None,
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"format": PCM, "voice": "alloy", "speed": 1.0},
    },
    "include": None,
}
RESPONSE: Json = {
    "object": "realtime.response",
    "id": "resp_1",
    "status": "failed",
    "status_details": {"type": "failed", "error": {"type": "server_error", "code": "x", "message": "y"}},
    "output": [
        MESSAGE | {"role": "assistant", "content": [{"type": "output_audio", "transcript": "Hi."}]},
        {
            "id": "i2",
            "type": "function_call",
            "status": "completed",
            "name": "f",
            "call_id": "c",
            "arguments": "{}",
        },
        {"id": "i3", "type": "function_call_output", "call_id": "c", "output": "12"},
        {
            "id": "i4",
            "type": "mcp_list_tools",
            "server_label": "s",
            "tools": [{"name": "t", "input_schema": {}}],
        },
        {
            "id": "i5",
            "type": "mcp_call",
            "server_label": "s",
            "name": "t",
            "arguments": "{}",
            "error": {"type": "http_error", "code": 500, "message": "m"},
        },
        {"id": "i6", "type": "mcp_approval_request", "server_label": "s", "name": "t", "arguments": "{}"},
        {
            "id": "i7",
            "type": "mcp_approval_response",
            "approval_request_id": "i6",
            "approve": True,
            "reason": "r",
        },
    ],
    "conversation_id": "conv_1",
    "output_modalities": ["audio"],
    "max_output_tokens": 512,
    "audio": {"output": {"format": PCM, "voice": "alloy"}},
    "usage": {
        "total_tokens": 205,
        "input_tokens": 41,
        "output_tokens": 164,
        "input_token_details": {
            "text_tokens": 14,
            "audio_tokens": 27,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": 28, "audio_tokens": 136, "reasoning_tokens": 0},
    },
    "metadata": {"token": "t1"},
}

_OF_PART: Json = {"response_id": "resp_1", "item_id": "item_1", "output_index": 1, "content_index": 2}
_OF_ITEM: Json = {"response_id": "resp_1", "item_id": "item_1", "output_index": 1}
_PART_MIN: Json = {"response_id": "resp_1", "item_id": "item_1"}
_LOGPROBS = [{"token": "a", "logprob": -0.5, "bytes": [97]}]
_TRANSCRIPTION = "conversation.item.input_audio_transcription."

# wire name -> (the least that we accept, all that the API reference says), both without `type`.
SERVER_EVENTS: dict[str, tuple[Json, Json]] = {
    "error": (
        {"error": {"type": "server_error", "message": "m"}},
        {
            "error": {
                "type": "invalid_request_error",
                "code": "c",
                "message": "m",
                "param": "p",
                "event_id": "e",
            }
        },
    ),
    "session.created": ({"session": {}}, {"session": SESSION}),
    "session.updated": ({"session": {}}, {"session": SESSION}),
    "transcription_session.updated": (
        {"session": {}},
        {"session": {"type": "transcription", "audio": {"input": {"format": PCM, "turn_detection": None}}}},
    ),
    "conversation.created": (
        {"conversation": {}},
        {"conversation": {"id": "conv_1", "object": "realtime.conversation"}},
    ),
    **{
        f"conversation.item.{name}": ({"item": MESSAGE}, {"item": MESSAGE, "previous_item_id": "item_0"})
        for name in ("added", "done", "created")
    },
    "conversation.item.retrieved": ({"item": MESSAGE}, {"item": MESSAGE | {"object": "realtime.item"}}),
    "conversation.item.deleted": ({"item_id": "item_1"}, {"item_id": "item_1"}),
    "conversation.item.truncated": (
        {"item_id": "item_1"},
        {"item_id": "item_1", "content_index": 0, "audio_end_ms": 900},
    ),
    f"{_TRANSCRIPTION}delta": (
        {"item_id": "item_1"},
        {"item_id": "item_1", "content_index": 0, "delta": "안", "logprobs": _LOGPROBS},
    ),
    f"{_TRANSCRIPTION}completed": (
        {"item_id": "item_1", "transcript": ""},
        {
            "item_id": "item_1",
            "content_index": 0,
            "transcript": "안녕하세요.",
            "usage": {
                "type": "tokens",
                "total_tokens": 3,
                "input_tokens": 2,
                "output_tokens": 1,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 2},
            },
            "logprobs": _LOGPROBS,
        },
    ),
    f"{_TRANSCRIPTION}failed": (
        {"item_id": "item_1"},
        {
            "item_id": "item_1",
            "content_index": 0,
            "error": {"type": "t", "code": "c", "message": "m", "param": "p"},
        },
    ),
    f"{_TRANSCRIPTION}segment": (
        {"item_id": "item_1", "text": "t"},
        {
            "item_id": "item_1",
            "content_index": 0,
            "text": "t",
            "id": "seg_1",
            "speaker": "A",
            "start": 0.5,
            "end": 1.5,
        },
    ),
    "input_audio_buffer.committed": ({}, {"item_id": "item_1", "previous_item_id": None}),
    "input_audio_buffer.cleared": ({}, {}),
    "input_audio_buffer.speech_started": ({}, {"audio_start_ms": 100, "item_id": "item_1"}),
    "input_audio_buffer.speech_stopped": ({}, {"audio_end_ms": 900, "item_id": "item_1"}),
    "input_audio_buffer.timeout_triggered": (
        {},
        {"audio_start_ms": 100, "audio_end_ms": 900, "item_id": "item_1"},
    ),
    "input_audio_buffer.dtmf_event_received": ({"event": "9"}, {"event": "#", "received_at": 1763605109}),
    **{
        f"output_audio_buffer.{name}": ({}, {"response_id": "resp_1"})
        for name in ("started", "stopped", "cleared")
    },
    "rate_limits.updated": (
        {},
        {"rate_limits": [{"name": "tokens", "limit": 9, "remaining": 8, "reset_seconds": 0.5}]},
    ),
    **{
        f"mcp_list_tools.{name}": ({}, {"item_id": "item_1"})
        for name in ("in_progress", "completed", "failed")
    },
    "response.created": ({"response": {}}, {"response": RESPONSE | {"status": "in_progress"}}),
    "response.done": ({"response": {}}, {"response": RESPONSE}),
    **{
        f"response.output_item.{name}": (
            {"response_id": "resp_1", "item": MESSAGE},
            {"response_id": "resp_1", "output_index": 1, "item": MESSAGE},
        )
        for name in ("added", "done")
    },
    **{
        f"response.content_part.{name}": (
            _PART_MIN | {"part": {"type": "audio"}},
            _OF_PART | {"part": {"type": "text", "text": "t"}},
        )
        for name in ("added", "done")
    },
    "response.output_text.delta": (_PART_MIN | {"delta": "t"}, _OF_PART | {"delta": "t"}),
    "response.output_text.done": (_PART_MIN | {"text": "t"}, _OF_PART | {"text": "t"}),
    "response.output_audio.delta": (_PART_MIN | {"delta": "AAAA"}, _OF_PART | {"delta": "AAAA"}),
    "response.output_audio.done": (_PART_MIN, _OF_PART),
    "response.output_audio_transcript.delta": (_PART_MIN | {"delta": "t"}, _OF_PART | {"delta": "t"}),
    "response.output_audio_transcript.done": (
        _PART_MIN | {"transcript": "t"},
        _OF_PART | {"transcript": "t"},
    ),
    "response.function_call_arguments.delta": (
        _PART_MIN | {"delta": "{"},
        _OF_ITEM | {"call_id": "c", "delta": "{"},
    ),
    "response.function_call_arguments.done": (
        _PART_MIN | {"arguments": "{}"},
        _OF_ITEM | {"call_id": "c", "name": "f", "arguments": "{}"},
    ),
    "response.mcp_call_arguments.delta": (_PART_MIN | {"delta": "{"}, _OF_ITEM | {"delta": "{"}),
    "response.mcp_call_arguments.done": (_PART_MIN | {"arguments": "{}"}, _OF_ITEM | {"arguments": "{}"}),
    **{
        f"response.mcp_call.{name}": ({}, {"item_id": "item_1", "output_index": 1})
        for name in ("in_progress", "completed", "failed")
    },
}

# wire name -> all that the API reference says, without `type`.
CLIENT_EVENTS: dict[str, Json] = {
    "session.update": {
        "session": {k: v for k, v in SESSION.items() if k not in {"id", "object", "expires_at"}}
    },
    "input_audio_buffer.append": {"audio": "AAAA"},
    "input_audio_buffer.commit": {},
    "input_audio_buffer.clear": {},
    "output_audio_buffer.clear": {},
    "conversation.item.create": {"item": MESSAGE, "previous_item_id": "root"},
    "conversation.item.retrieve": {"item_id": "item_1"},
    "conversation.item.delete": {"item_id": "item_1"},
    "conversation.item.truncate": {"item_id": "item_1", "content_index": 0, "audio_end_ms": 0},
    "response.create": {
        "response": {
            "conversation": "none",
            "input": [MESSAGE],
            "instructions": "Be short.",
            "output_modalities": ["text"],
            "audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": {"id": "voice_1"}}},
            "tools": [{"type": "function", "name": "f"}],
            "tool_choice": {"type": "function", "name": "f"},
            "max_output_tokens": 10,
            "metadata": {"token": "t1"},
            "prompt": {"id": "p", "version": "1", "variables": {"a": "b"}},
            "parallel_tool_calls": False,
            "reasoning": {"effort": "low"},
        }
    },
    "response.cancel": {"response_id": "resp_1"},
    "transcription_session.update": {
        "session": {"type": "transcription", "audio": {"input": {"format": PCM}}}
    },
}
