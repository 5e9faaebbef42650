"""What a client may send, field by field, in both generations of the API. The checks are in `schema`.

What this server does not implement is accepted here all the same: a client must not fail on a field that the API has.
Source: API reference, "session object", "conversation items", "client events".
"""

from collections.abc import Mapping
from types import MappingProxyType

from charye.protocol import Shape, limits
from charye.server.schema import (
    Check,
    anything,
    array,
    boolean,
    either,
    integer,
    json_object,
    mapping,
    number,
    record,
    tagged,
    text,
)

__all__ = ["EVENTS", "PREVIEW_TRANSCRIPTION_SESSION", "SESSIONS", "TRANSCRIPTION_EVENTS"]

_ID = text(max_chars=limits.ITEM_ID_MAX_CHARS, matching=limits.ITEM_ID_PATTERN)
_CALL_ID = text(max_chars=limits.CALL_ID_MAX_CHARS)
_EVENT_ID = text(max_chars=limits.EVENT_ID_MAX_CHARS)
_TEXT = text()
_KIND = anything  # the `type` of a tagged object was looked at already

# --- session ---------------------------------------------------------------------------------------------------------

_FORMAT = tagged(
    **{
        "audio/pcm": record(type=_KIND, rate=integer(limits.PCM_SAMPLE_RATE_HZ, limits.PCM_SAMPLE_RATE_HZ)),
        "audio/pcmu": record(type=_KIND, rate=integer()),
        "audio/pcma": record(type=_KIND, rate=integer()),
    }
)
_TRANSCRIPTION = record(
    model=_TEXT,
    language=_TEXT,
    prompt=_TEXT,
    delay=_TEXT,
    keywords=array(_TEXT),
    languages=array(_TEXT),
)
_NOISE_REDUCTION = record(type=text("near_field", "far_field"), strength=number(0, 1))
_SERVER_VAD: Mapping[str, Check] = {
    "type": _KIND,
    "threshold": number(0, 1),
    "prefix_padding_ms": integer(0),
    "silence_duration_ms": integer(0),
    "create_response": boolean,
    "interrupt_response": boolean,
}
_SEMANTIC_VAD = record(
    type=_KIND,
    eagerness=text("auto", "low", "medium", "high"),
    create_response=boolean,
    interrupt_response=boolean,
)
_IDLE_TIMEOUT = integer(limits.IDLE_TIMEOUT_MIN_MS, limits.IDLE_TIMEOUT_MAX_MS)
_TURN_DETECTION = tagged(
    "server_vad",
    server_vad=record(None, **_SERVER_VAD, idle_timeout_ms=_IDLE_TIMEOUT),
    semantic_vad=_SEMANTIC_VAD,
)
# The idle timeout came with GA: the published types of the preview have no event for it.
_PREVIEW_TURN_DETECTION = tagged(
    "server_vad", server_vad=record(None, **_SERVER_VAD), semantic_vad=_SEMANTIC_VAD
)
_VOICE = either((str, text(blank=False)), (dict, record({"id": _TEXT})), wanted="a string")
_SPEED = number(limits.SPEED_MIN, limits.SPEED_MAX)
_MAX_TOKENS = either(
    (int, integer(limits.OUTPUT_TOKENS_MIN, limits.OUTPUT_TOKENS_MAX)),
    (str, text("inf")),
    wanted="an integer or 'inf'",
)
_MODALITIES = array(text("text", "audio"))
_TOOL_NAME = text(max_chars=limits.TOOL_NAME_MAX_CHARS, matching=limits.TOOL_NAME_PATTERN)
_TOOLS = array(
    tagged(
        function=record(
            {"name": _TOOL_NAME}, type=_KIND, description=_TEXT, parameters=anything, strict=boolean
        ),
        mcp=record(
            {"server_label": _TEXT},
            type=_KIND,
            server_url=_TEXT,
            connector_id=_TEXT,
            authorization=_TEXT,
            headers=json_object,
            allowed_tools=anything,
            require_approval=anything,
            server_description=_TEXT,
            allowed_callers=array(_TEXT),
            defer_loading=boolean,
            tunnel_id=_TEXT,
        ),
    ),
    limits.TOOLS_MAX,
)
_TOOL_CHOICE = either(
    (str, text("auto", "none", "required")),
    (
        dict,
        tagged(
            function=record({"name": _TEXT}, type=_KIND),
            mcp=record({"server_label": _TEXT}, type=_KIND, name=_TEXT),
        ),
    ),
    wanted="a string or an object",
)
_REASONING = record(effort=text("minimal", "low", "medium", "high", "xhigh"))
_PROMPT = record({"id": _TEXT}, version=_TEXT, variables=json_object)
_TRACING = either(
    (str, text("auto")),
    (dict, record(workflow_name=_TEXT, group_id=_TEXT, metadata=anything)),
    wanted="'auto' or an object",
)
_TRUNCATION = either(
    (str, text("auto", "disabled")),
    (
        dict,
        tagged(retention_ratio=record(type=_KIND, retention_ratio=number(0, 1), token_limits=json_object)),
    ),
    wanted="a string or an object",
)
_INCLUDE = array(text("item.input_audio_transcription.logprobs"))
_AUDIO_INPUT = record(
    format=_FORMAT,
    transcription=_TRANSCRIPTION,
    noise_reduction=_NOISE_REDUCTION,
    turn_detection=_TURN_DETECTION,
)
_TYPE = text("realtime", "transcription")
_READ_ONLY: Mapping[str, Check] = {"id": _TEXT, "object": _TEXT, "expires_at": number()}

_ASKED: Mapping[str, Check] = {
    "instructions": _TEXT,
    "tools": _TOOLS,
    "tool_choice": _TOOL_CHOICE,
    "max_output_tokens": _MAX_TOKENS,
}
_GA_ASKED: Mapping[str, Check] = {
    **_ASKED,
    "output_modalities": _MODALITIES,
    "parallel_tool_calls": boolean,
    "reasoning": _REASONING,
    "prompt": _PROMPT,
}
_GA_SESSION = record(
    {"type": _TYPE},
    **_GA_ASKED,
    **_READ_ONLY,
    model=_TEXT,
    tracing=_TRACING,
    truncation=_TRUNCATION,
    include=_INCLUDE,
    audio=record(input=_AUDIO_INPUT, output=record(format=_FORMAT, voice=_VOICE, speed=_SPEED)),
)
_GA_TRANSCRIPTION_SESSION = record(
    {"type": _TYPE}, **_READ_ONLY, audio=record(input=_AUDIO_INPUT), include=_INCLUDE
)

_FLAT_FORMAT = text("pcm16", "g711_ulaw", "g711_alaw")
_FLAT_INPUT: Mapping[str, Check] = {
    "input_audio_format": _FLAT_FORMAT,
    "input_audio_transcription": _TRANSCRIPTION,
    "input_audio_noise_reduction": _NOISE_REDUCTION,
    "turn_detection": _PREVIEW_TURN_DETECTION,
    "include": _INCLUDE,
    "client_secret": anything,
}
_FLAT_OUTPUT: Mapping[str, Check] = {
    "modalities": _MODALITIES,
    "voice": _VOICE,
    "output_audio_format": _FLAT_FORMAT,
    "temperature": number(0),
    "max_response_output_tokens": _MAX_TOKENS,
}
_FLAT = {name: check for name, check in _ASKED.items() if name != "max_output_tokens"}
_PREVIEW_SESSION = record(
    None, **_FLAT, **_FLAT_INPUT, **_FLAT_OUTPUT, **_READ_ONLY, model=_TEXT, speed=_SPEED, tracing=_TRACING
)
PREVIEW_TRANSCRIPTION_SESSION = record(None, **_FLAT_INPUT, **_READ_ONLY, modalities=_MODALITIES)
"""The session of `transcription_session.update`."""

SESSIONS: Mapping[tuple[Shape, str], Check] = MappingProxyType(
    {
        (Shape.GA, "realtime"): _GA_SESSION,
        (Shape.GA, "transcription"): _GA_TRANSCRIPTION_SESSION,
        (Shape.PREVIEW, "realtime"): _PREVIEW_SESSION,
        (Shape.PREVIEW, "transcription"): PREVIEW_TRANSCRIPTION_SESSION,
    }
)
"""(generation, the session's type) -> what `session.update` may hold."""

# --- items -----------------------------------------------------------------------------------------------------------

_INPUT_TEXT = record({"text": _TEXT}, type=_KIND)
_USER_PARTS = array(
    tagged(
        input_text=_INPUT_TEXT,
        input_audio=record(type=_KIND, audio=_TEXT, transcript=_TEXT),
        input_image=record({"image_url": _TEXT}, type=_KIND, detail=text("auto", "low", "high")),
    )
)
_SYSTEM_PARTS = array(tagged(input_text=_INPUT_TEXT))
# "A client cannot pre-fill assistant audio", and a part of `output_audio` without `text` is refused (recorded).
_SPOKEN_PART = record({"text": _TEXT}, type=_KIND, audio=_TEXT, transcript=_TEXT)
_GA_ASSISTANT_PARTS = array(
    tagged(output_text=record({"text": _TEXT}, type=_KIND), output_audio=_SPOKEN_PART)
)
_PREVIEW_ASSISTANT_PARTS = array(tagged(text=record({"text": _TEXT}, type=_KIND), audio=_SPOKEN_PART))
_OF_ITEM: Mapping[str, Check] = {
    "type": _KIND,
    "id": _ID,
    "object": _TEXT,
    "status": text("completed", "incomplete", "in_progress"),
}


def _items(assistant_parts: Check) -> dict[str, Check]:
    parts = {"user": _USER_PARTS, "system": _SYSTEM_PARTS, "assistant": assistant_parts}
    messages = {
        role: record({"role": text(*parts), "content": check}, **_OF_ITEM, phase=_TEXT)
        for role, check in parts.items()
    }
    no_role = record({"role": text(*parts)}, **_OF_ITEM, content=anything, phase=_TEXT)

    def message(value: object, path: str) -> None:
        role = value.get("role") if isinstance(value, dict) else None
        messages.get(role if isinstance(role, str) else "", no_role)(value, path)

    label: Mapping[str, Check] = {"server_label": _TEXT}
    call: Mapping[str, Check] = {**label, "name": _TEXT, "arguments": _TEXT}
    return {
        "message": message,
        "function_call": record({"name": _TEXT, "arguments": _TEXT}, **_OF_ITEM, call_id=_CALL_ID),
        "function_call_output": record({"call_id": _CALL_ID, "output": _TEXT}, **_OF_ITEM),
        "mcp_list_tools": record({**label, "tools": array(json_object)}, **_OF_ITEM),
        "mcp_call": record(call, **_OF_ITEM, output=_TEXT, error=anything, approval_request_id=_TEXT),
        "mcp_approval_request": record(call, **_OF_ITEM),
        "mcp_approval_response": record(
            {"approval_request_id": _TEXT, "approve": boolean}, **_OF_ITEM, reason=_TEXT
        ),
    }


_REFERENCE = {"item_reference": record({"id": _TEXT}, type=_KIND, object=_TEXT)}

# --- events ----------------------------------------------------------------------------------------------------------

_METADATA = mapping(
    text(max_chars=limits.METADATA_VALUE_MAX_CHARS),
    max_entries=limits.METADATA_MAX_PAIRS,
    max_key_chars=limits.METADATA_KEY_MAX_CHARS,
)


def _events(shape: Shape) -> dict[str, Check]:
    ga = shape is Shape.GA
    items = _items(_GA_ASSISTANT_PARTS if ga else _PREVIEW_ASSISTANT_PARTS)
    own = (
        {**_GA_ASKED, "audio": record(output=record(format=_FORMAT, voice=_VOICE, speed=_SPEED))}
        if ga
        else {**_ASKED, **_FLAT_OUTPUT}
    )
    asked = record(
        None, **own, conversation=_TEXT, metadata=_METADATA, input=array(tagged(**items, **_REFERENCE))
    )
    of_event: Mapping[str, Check] = {"type": _KIND, "event_id": _EVENT_ID}

    def event(**needs: Check) -> Check:
        return record(needs, **of_event)

    events = {
        "session.update": event(session=json_object),  # looked into when its type is known: see SESSIONS
        "input_audio_buffer.append": event(audio=_TEXT),  # an empty or wrong one has an error of its own
        "input_audio_buffer.commit": event(),
        "input_audio_buffer.clear": event(),
        "output_audio_buffer.clear": event(),
        "conversation.item.create": record({"item": tagged(**items)}, **of_event, previous_item_id=_TEXT),
        "conversation.item.retrieve": event(item_id=_TEXT),
        "conversation.item.delete": event(item_id=_TEXT),
        "conversation.item.truncate": event(item_id=_TEXT, content_index=integer(0), audio_end_ms=integer(0)),
        "response.create": record(None, **of_event, response=asked),
        "response.cancel": record(None, **of_event, response_id=_TEXT),
    }
    return events if ga else {**events, "transcription_session.update": event(session=json_object)}


EVENTS: Mapping[Shape, Mapping[str, Check]] = MappingProxyType(
    {shape: MappingProxyType(_events(shape)) for shape in Shape}
)
"""generation -> the event's `type` -> what it may hold. The order is that of the message for an unknown `type`."""

TRANSCRIPTION_EVENTS = tuple(name for name in EVENTS[Shape.PREVIEW] if not name.startswith("response."))
"""What a transcription session understands: "no responses are ever generated" (API reference)."""
