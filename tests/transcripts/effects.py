"""Effects in the words of a transcript, to be compared with it and to be shown when it does not fit."""

import json
from collections.abc import Mapping
from typing import Any

from charye.core.effects import AbandonTool, Effect, Note, Play, Reconnect, RunTool, Send, StopPlayback, Tell
from charye.core.requests import Outcome
from charye.protocol import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    ResponseCancel,
    encode,
)
from tests.transcripts.notation import ABSENT

__all__ = ["differences", "shown", "words_of", "words_of_sent"]

Object = dict[str, Any]

INSIDE = {"response.create": "response", "conversation.item.create": "item"}


def words_of(effect: Effect) -> tuple[str, ...]:
    """What stands behind the mark."""
    match effect:
        case Send(event):
            return words_of_sent(event, ())
        case Play(event, duration_ms):
            return "play", event.response_id, event.item_id, f"{duration_ms:g}ms"
        case StopPlayback(response_ids):
            return "stop_playback", *response_ids
        case RunTool(call_id, name, arguments, _):
            return "run_tool", call_id, name, arguments
        case AbandonTool(call_id, reason):
            return "abandon_tool", call_id, reason
        case Reconnect(reason):
            return "reconnect", reason
        case Note(what, about):
            return "note", what, about
        case Tell(request_id, change):
            what = change.kind.value if isinstance(change, Outcome) else change.step.value
            return (request_id, what, change.reason) if change.reason else (request_id, what)


def words_of_sent(event: ClientEvent, names: tuple[str, ...]) -> tuple[str, ...]:
    """`names`: the requests that a create is for."""
    match event:
        case ResponseCancel(response_id=response_id):
            return event.type, response_id or ""
        case ConversationItemCreate(item=item):
            return event.type, str(getattr(item, "id", ""))
        case ConversationItemRetrieve(item_id=item_id) | ConversationItemDelete(item_id=item_id):
            return event.type, item_id
        case ConversationItemTruncate(item_id=item_id, audio_end_ms=audio_end_ms):
            return event.type, item_id, f"{audio_end_ms}ms"
        case _:
            return (event.type, *names)


def differences(event: ClientEvent, fields: Mapping[str, object]) -> list[str]:
    """Where the event is not as the fields say: by their path in it, or in its `response` or `item`."""
    found = []
    for path, wanted in fields.items():
        value: Any = json.loads(encode(event))
        parts = path.split(".")
        inside = INSIDE.get(event.type)
        if inside is not None and parts[0] not in value:
            parts = [inside, *parts]
        for part in parts:
            value = value.get(part, ABSENT) if isinstance(value, dict) else ABSENT
        if value != wanted:
            found.append(f"{path}={'absent' if value is ABSENT else json.dumps(value, ensure_ascii=False)}")
    return found


def shown(mark: str, words: tuple[str, ...]) -> str:
    """One line, as it would be written."""
    return " ".join([mark, *(json.dumps(word) if " " in word or not word else word for word in words)])
