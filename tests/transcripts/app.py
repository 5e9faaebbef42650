"""What the app does: the `@` lines.

    @ request greeting priority=script starts=after_heard conversation=none on_reconnect=fail
    @ cancel greeting
    @ interrupt
    @ hold closing                 @ let_go closing
    @ press                        @ microphone 500ms               @ release
    @ tool_finished call_1 {"temperature":12}                       also reply=silent, say="...", failed=yes
    @ played item1 500ms
    @ add_item item1 "words"       a message of the user's; role=system
    @ connect                      @ disconnect                     @ close

A request takes every field of `ResponseRequest`, enums by name, and of its parameters `instructions`, `metadata`,
`output_modalities` and `tool_choice`. `release reply` asks with such a request instead of the plain reply.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

from charye.core.effects import Effect
from charye.core.peer import Peer
from charye.core.requests import (
    OnInterruption,
    OnReconnect,
    OnUserSpeech,
    Priority,
    RequestId,
    ResponseRequest,
    SameKey,
    Starts,
)
from charye.core.tools import Answer, Reply
from charye.protocol import InputText, MessageItem, ResponseParams
from tests.transcripts.notation import Line, NotReadable, milliseconds, seconds

__all__ = ["does"]

ENUMS: dict[str, type[Enum]] = {
    "priority": Priority,
    "on_user_speech": OnUserSpeech,
    "on_interruption": OnInterruption,
    "on_reconnect": OnReconnect,
    "starts": Starts,
    "same_key": SameKey,
}
PARAMETERS = ("instructions", "metadata", "output_modalities", "tool_choice")


def does(peer: Peer, line: Line, now: float) -> list[Effect]:
    """Do what the line says.

    Raises:
        NotReadable: nothing of this name can be done, or a word of it is missing.
        LocalProtocolError: the peer says that it is illegal.
    """
    act = ACTS.get(line.words[0] if line.words else "")
    if act is None:
        raise NotReadable("the app does none of these things")
    try:
        return act(peer, line, now)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise NotReadable(f"{line.words[0]} needs more or other words: {error!r}") from error


def requested(line: Line) -> ResponseRequest:
    """The request of this line: its second word and its fields."""
    given: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for name, value in line.fields.items():
        if name in ENUMS:
            given[name] = ENUMS[name][str(value).upper()]
        elif name in PARAMETERS:
            parameters[name] = tuple(value) if isinstance(value, list) else value
        elif name == "expires_after_s":
            given[name] = seconds(str(value))
        else:
            given[name] = value
    name = line.words[1]
    return ResponseRequest(
        **{
            "id": RequestId(name),
            "trigger": f"say:{name}",
            "parameters": ResponseParams(**parameters),
            **given,
        }
    )


def _request(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.request(requested(line), now)


def _cancel(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.cancel(RequestId(line.words[1]), now)


def _interrupt(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.interrupt(now)


def _hold(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.hold(line.words[1], now)


def _let_go(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.let_go(line.words[1], now)


def _press(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.press(now)


def _microphone(peer: Peer, line: Line, now: float) -> list[Effect]:
    peer.microphone(milliseconds(line.words[1]))
    return []


def _release(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.release(now, reply=requested(line) if len(line.words) > 1 else None)


def _tool_finished(peer: Peer, line: Line, now: float) -> list[Effect]:
    fields = dict(line.fields)
    words = fields.pop("say", None)
    reply = Reply[str(fields.pop("reply", "normal" if words is None else "say_now")).upper()]
    failed = bool(fields.pop("failed", False))
    if fields:
        raise NotReadable(f"a tool's answer has no {', '.join(fields)}")
    output = line.words[2] if len(line.words) > 2 else "{}"
    return peer.tool_finished(line.words[1], Answer(output, reply, str(words or ""), failed), now)


def _played(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.played(line.words[1], milliseconds(line.words[2]), now)


def _add_item(peer: Peer, line: Line, now: float) -> list[Effect]:
    role = str(line.fields.get("role", "user"))
    return peer.add_item(MessageItem(id=line.words[1], role=role, content=(InputText(line.words[2]),)), now)


def _connect(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.connected(now)


def _disconnect(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.disconnected(now)


def _close(peer: Peer, line: Line, now: float) -> list[Effect]:
    return peer.close(now)


ACTS: dict[str, Callable[[Peer, Line, float], list[Effect]]] = {
    "request": _request,
    "cancel": _cancel,
    "interrupt": _interrupt,
    "hold": _hold,
    "let_go": _let_go,
    "press": _press,
    "microphone": _microphone,
    "release": _release,
    "tool_finished": _tool_finished,
    "played": _played,
    "add_item": _add_item,
    "connect": _connect,
    "disconnect": _disconnect,
    "close": _close,
}
