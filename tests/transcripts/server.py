"""What the server says, from its short form to the bytes of the wire.

    response.created r1 vad                      nobody's: no metadata
    response.created r1 greeting                 echoes the token of the last create of that request
    response.created r1 greeting#1               ... of its first create
    response.done r1 completed                   echoes what its created did; `by=greeting` where that was lost
    response.done r1 cancelled turn_detected     `client_cancelled` where no reason is written
    response.done r1 failed rate_limit_exceeded
    response.output_audio.delta r1 item1 500ms
    response.output_item.done r1 item1 message   or `call call_1 get_weather {"city":"Seoul"}`
    response.function_call_arguments.done r1 call_1 get_weather {"city":"Seoul"}
    conversation.item.added item1                an item that we sent is echoed, else the user's speech
    error conversation_already_has_active_response names=r1
    speech_started                               also speech_stopped, committed
    session.updated server_vad create_response=no

An `error` names the client event that it answers, the last one that fits its code, unless the dialect does not;
`to=greeting` or `to=r1` names another one. Fields change what the short form gives: by their path in the event, or, for
responses and errors, in the `response` or `error` of it. A line that begins with a brace is the event itself.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from charye.protocol import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemRetrieve,
    Dialect,
    RefusalCode,
    ResponseCancel,
    ResponseCreate,
    encode,
)
from charye.protocol.limits import G711_SAMPLE_RATE_HZ, PCM_SAMPLE_RATE_HZ
from tests.transcripts.notation import ABSENT, Line, NotReadable, milliseconds

__all__ = ["Server"]

Object = dict[str, Any]

REFUSAL = "conversation_already_has_active_response"
MESSAGES = {
    REFUSAL: "Conversation already has an active response in progress: {names}. "
    "Wait until the response is finished before creating a new one.",
    "response_cancel_not_active": "Cancellation failed: no active response found",
    "item_retrieve_invalid_item_id": "Error retrieving item: the item with id '{item}' does not exist.",
    "item_truncate_invalid_item_id": "Error truncating item: the item with id '{item}' does not exist.",
    "session_expired": "Your session hit the maximum duration of 60 minutes.",
}
SHORT_REFUSAL = "Conversation already has an active response"
ALIASES = {
    "speech_started": "input_audio_buffer.speech_started",
    "speech_stopped": "input_audio_buffer.speech_stopped",
    "committed": "input_audio_buffer.committed",
}
INSIDE = {"response.created": "response", "response.done": "response", "error": "error"}


class Server:
    """The short forms, and what they must remember of the conversation to be short."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._bytes_per_ms = PCM_SAMPLE_RATE_HZ * 2 // 1000
        self._creates: dict[str, list[ResponseCreate]] = {}
        self._last: dict[type, str] = {}
        self._probed = ""
        self._items: dict[str, Object] = {}
        self._responses: dict[str, Object] = {}

    # what it receives

    def hears(self, event: ClientEvent) -> None:
        """A client event arrives."""
        if event.event_id is not None:
            self._last[type(event)] = event.event_id
        if isinstance(event, ConversationItemRetrieve):
            self._probed = event.item_id
        elif isinstance(event, ConversationItemCreate):
            item: Object = json.loads(encode(event))["item"]
            self._items[str(item.get("id"))] = item

    def knows(self, name: str, create: ResponseCreate) -> None:
        """This create is for that request."""
        self._creates.setdefault(name, []).append(create)

    # what it says

    def says(self, line: Line) -> bytes:
        """The event of this line, as bytes.

        Raises:
            NotReadable: there is no short form of this name, or a word of it is missing.
        """
        if not line.words:
            raise NotReadable("the server says nothing")
        kind, *words = line.words
        if kind.startswith("{"):
            return kind.encode()
        kind = ALIASES.get(kind, kind)
        build = BUILDERS.get(kind)
        if build is None:
            raise NotReadable(f"no short form: {kind}")
        fields = dict(line.fields)
        try:
            event = {"type": kind, "event_id": f"event_{line.number}", **build(self, words, fields)}
        except (IndexError, ValueError) as error:
            raise NotReadable(f"{kind} needs more or other words: {error}") from error
        for path, value in fields.items():
            _put(event, _resolved(kind, path), value)
        return json.dumps(event, ensure_ascii=False).encode()

    # responses

    def _created(self, words: list[str], fields: Object) -> Object:
        response_id, whose = words
        given = self._metadata(whose)
        self._responses[response_id] = given
        return {"response": self._response(response_id, "in_progress", given)}

    def _done(self, words: list[str], fields: Object) -> Object:
        response_id, status, *reason = words
        given = self._responses.get(response_id) or self._metadata(str(fields.get("by", "vad")))
        fields.pop("by", None)
        details: Object | None = None
        if status == "failed":
            details = {
                "type": status,
                "error": {"type": "server_error", "code": (reason or ["server_error"])[0]},
            }
        elif status != "completed":
            details = {"type": status, "reason": (reason or ["client_cancelled"])[0]}
        return {"response": {**self._response(response_id, status, given), "status_details": details}}

    def _response(self, response_id: str, status: str, given: Object) -> Object:
        return {"object": "realtime.response", "id": response_id, "status": status, "output": [], **given}

    def _metadata(self, whose: str) -> Object:
        if whose == "vad":
            return {"metadata": None, "conversation_id": "conv_1"}
        create = self._create(whose)
        asked: Object = json.loads(encode(create))["response"]
        aside = asked.get("conversation") == "none"
        return {
            "metadata": asked["metadata"] if self._dialect.echoes_metadata else None,
            "conversation_id": None if aside else "conv_1",
        }

    def _create(self, whose: str) -> ResponseCreate:
        name, _, attempt = whose.partition("#")
        creates = self._creates.get(name)
        if not creates:
            raise NotReadable(f"no response.create was sent for {name}")
        return creates[int(attempt) - 1 if attempt else -1]

    def _audio(self, words: list[str], fields: Object) -> Object:
        response_id, item_id, duration = words
        samples = bytes(round(milliseconds(duration) * self._bytes_per_ms))
        return {
            "response_id": response_id,
            "item_id": item_id,
            "output_index": 0,
            "content_index": 0,
            "delta": b64encode(samples).decode(),
        }

    def _part(self, words: list[str], fields: Object) -> Object:
        response_id, item_id = words
        return {"response_id": response_id, "item_id": item_id, "part": {"type": "audio", "transcript": ""}}

    def _output_item(self, words: list[str], fields: Object) -> Object:
        response_id, item_id, kind, *rest = words
        item: Object = {
            "id": item_id,
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [],
        }
        if kind == "call":
            call_id, name, *arguments = rest
            item = _call(item_id, call_id, name, arguments)
        self._items[item_id] = item
        return {"response_id": response_id, "output_index": 0, "item": item}

    def _arguments_done(self, words: list[str], fields: Object) -> Object:
        response_id, call_id, name, *arguments = words
        item = _call(f"fc_{call_id}", call_id, name, arguments)
        return {
            "response_id": response_id,
            "item_id": item["id"],
            "output_index": 0,
            **{field: item[field] for field in ("call_id", "name", "arguments")},
        }

    # items, the user, the session

    def _item(self, words: list[str], fields: Object) -> Object:
        item_id, *role = words
        speech = {"type": "input_audio", "transcript": None}
        spoken: Object = {"id": item_id, "type": "message", "role": "user", "content": [speech]}
        if role:
            spoken |= {"role": role[0], "content": []}
        return {"item": self._items.get(item_id, spoken)}

    def _item_named(self, words: list[str], fields: Object) -> Object:
        return {"item_id": words[0]}

    def _truncated(self, words: list[str], fields: Object) -> Object:
        return {"item_id": words[0], "content_index": 0, "audio_end_ms": int(milliseconds(words[1]))}

    def _transcribed(self, words: list[str], fields: Object) -> Object:
        return {"item_id": words[0], "content_index": 0, "transcript": words[1]}

    def _user(self, words: list[str], fields: Object) -> Object:
        return {"item_id": words[0] if words else "item_user"}

    def _buffer(self, words: list[str], fields: Object) -> Object:
        return {"response_id": words[0]}

    def _session(self, words: list[str], fields: Object) -> Object:
        heard: Object = {}
        for word in words:
            match word:
                case "push_to_talk":
                    heard["turn_detection"] = None
                case "server_vad" | "semantic_vad":
                    flags = ("create_response", "interrupt_response")
                    given = {flag: fields.pop(flag) for flag in flags if flag in fields}
                    heard["turn_detection"] = {"type": word, **given}
                case _:
                    raise NotReadable(f"no turn detection of this name: {word}")
        audio: Object = {"input": heard}
        if "format" in fields:
            given_format = str(fields.pop("format"))
            audio["output"] = {"format": {"type": given_format}}
            pcm = given_format == "audio/pcm"
            self._bytes_per_ms = (PCM_SAMPLE_RATE_HZ * 2 if pcm else G711_SAMPLE_RATE_HZ) // 1000
        return {"session": {"type": "realtime", "audio": audio}}

    def _error(self, words: list[str], fields: Object) -> Object:
        code = words[0]
        names, to = fields.pop("names", None), fields.pop("to", None)
        message = MESSAGES.get(code, "Something is wrong.").format(names=names, item=self._probed)
        if code == REFUSAL and names is None:
            message = SHORT_REFUSAL
        error: Object = {"type": "invalid_request_error", "code": code, "message": message}
        if code == REFUSAL and self._dialect.refusal_code is not RefusalCode.IN_CODE:
            in_type = self._dialect.refusal_code is RefusalCode.IN_TYPE
            error |= {"code": None, "type": code if in_type else "invalid_request_error"}
        echoes = self._dialect.echoes_event_id is not False
        error["event_id"] = self._answers(code, None if to is None else str(to)) if echoes else None
        return {"error": error}

    def _answers(self, code: str, to: str | None) -> str | None:
        """The id of the client event that this error is about."""
        if code == "response_cancel_not_active":
            return self._last.get(ResponseCancel) if to is None else f"cancel.{to}"
        if code == "item_retrieve_invalid_item_id":
            return self._last.get(ConversationItemRetrieve)
        if to is not None:
            return self._create(to).event_id
        return self._last.get(ResponseCreate) if code == REFUSAL else None


BUILDERS: dict[str, Callable[[Server, list[str], Object], Object]] = {
    "response.created": Server._created,
    "response.done": Server._done,
    "response.output_audio.delta": Server._audio,
    "response.content_part.added": Server._part,
    "response.output_item.added": Server._output_item,
    "response.output_item.done": Server._output_item,
    "response.function_call_arguments.done": Server._arguments_done,
    "conversation.item.added": Server._item,
    "conversation.item.created": Server._item,
    "conversation.item.done": Server._item,
    "conversation.item.deleted": Server._item_named,
    "conversation.item.truncated": Server._truncated,
    "conversation.item.input_audio_transcription.completed": Server._transcribed,
    "input_audio_buffer.speech_started": Server._user,
    "input_audio_buffer.speech_stopped": Server._user,
    "input_audio_buffer.committed": Server._user,
    "output_audio_buffer.started": Server._buffer,
    "output_audio_buffer.stopped": Server._buffer,
    "output_audio_buffer.cleared": Server._buffer,
    "session.created": Server._session,
    "session.updated": Server._session,
    "error": Server._error,
}


def _call(item_id: str, call_id: str, name: str, arguments: list[str]) -> Object:
    return {
        "id": item_id,
        "type": "function_call",
        "status": "completed",
        "call_id": call_id,
        "name": name,
        "arguments": arguments[0] if arguments else "{}",
    }


def _resolved(kind: str, path: str) -> list[str]:
    """The path from the root of the event; for responses and errors the holder need not be written."""
    inside, parts = INSIDE.get(kind), path.split(".")
    return parts if inside is None or parts[0] == inside else [inside, *parts]


def _put(event: Object, path: list[str], value: object) -> None:
    *above, name = path
    for part in above:
        held = event.setdefault(part, {})
        if not isinstance(held, dict):
            raise NotReadable(f"nothing can be put into {part}")
        event = held
    if value is ABSENT:
        event.pop(name, None)
    else:
        event[name] = value
