"""A Realtime server on the loopback interface, unkind by plan.

It keeps the one rule, that a conversation speaks one response at a time, and it starts other responses and loses
connections exactly when it hurts. It waits for nothing but the client: where a real server takes time to speak,
this one makes a round trip, so that whatever the client has sent meanwhile meets a running response.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

__all__ = ["Loopback", "Plan", "Spoken"]

Event = dict[str, Any]

DELTAS = 3
SAMPLES_A_DELTA = 240  # 10 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What goes wrong. Creates are counted from 1, over all connections.

    Args:
        user_speaks_at: creates that cross a whole turn of the user; the server's own reply comes first.
        stranger_at: creates that cross a response of somebody else.
        refusal_first: the refusal comes before the `response.created` of the winner, not after it.
        refusal_names_create: the refusal has the `event_id` of the create; recorded ones have null.
        hang_up_at: creates whose response is cut off before its end, with the connection.
        denied: instructions that the server will not have.
        deaf_lines: so many connections never answer anything.
    """

    user_speaks_at: frozenset[int] = frozenset()
    stranger_at: frozenset[int] = frozenset()
    refusal_first: bool = False
    refusal_names_create: bool = True
    hang_up_at: frozenset[int] = frozenset()
    denied: frozenset[str] = frozenset()
    deaf_lines: int = 0


@dataclass(frozen=True, slots=True)
class Spoken:
    """One response that came to its end. `instructions`: None for one that had none, as a tool's follow-up."""

    response_id: str
    instructions: str | None
    ours: bool
    call: str | None


@dataclass
class Loopback:
    """`async with Loopback(plan) as server:` listens on `server.url`, and writes down what happens."""

    plan: Plan
    lines: int = 0
    creates: list[Event] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    items: list[Event] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    _broken: list[Exception] = field(default_factory=list)
    _server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._talk, "127.0.0.1", 0, close_timeout=1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        if self._broken and error is None:
            raise self._broken[0]

    @property
    def url(self) -> str:
        assert self._server is not None
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        return f"ws://{host}:{port}"

    @property
    def outputs(self) -> list[Event]:
        """The tool outputs that the client has sent."""
        return [item for item in self.items if item["type"] == "function_call_output"]

    async def _talk(self, socket: ServerConnection) -> None:
        self.lines += 1
        if self.lines <= self.plan.deaf_lines:
            await socket.wait_closed()
            return
        try:
            async with asyncio.TaskGroup() as group:
                with suppress(ConnectionClosed):
                    await Line(self, socket, group).talk()
        except Exception as broken:
            self._broken.append(broken)  # the library would only log it
            raise


class Line:
    """One connection, and the conversation in it."""

    def __init__(self, server: Loopback, socket: ServerConnection, group: asyncio.TaskGroup) -> None:
        self._server = server
        self._plan = server.plan
        self._socket = socket
        self._group = group
        self._active: str | None = None

    async def talk(self) -> None:
        await self._send({"type": "session.created", "session": SESSION})
        async for message in self._socket:
            assert isinstance(message, str), "events are text messages"
            event: Event = json.loads(message)
            match event["type"]:
                case "response.create":
                    await self._create(event)
                case "conversation.item.create":
                    self._server.items.append(event["item"])
                    await self._add(event["item"])
                case "session.update":
                    await self._send({"type": "session.updated", "session": {**SESSION, **event["session"]}})
                case other:
                    self._server.others.append(other)

    async def _create(self, event: Event) -> None:
        server, plan = self._server, self._plan
        server.creates.append(event)
        number = len(server.creates)
        wish: Event = event.get("response", {})
        if wish.get("instructions") in plan.denied:
            await self._send(error(event, "invalid_value", "Invalid value: 'joke'."))
            return
        first: list[Event] = []
        if number in plan.user_speaks_at or number in plan.stranger_at:
            if number in plan.user_speaks_at:
                for told in USER_TURN:
                    await self._send(told)
            foreign_id = f"resp_foreign_{number}"
            self._active = foreign_id
            first = [created(foreign_id, None)]
        if self._active is None:
            self._start(f"resp_{number}", wish, ours=True, hangs_up=number in plan.hang_up_at)
            return
        named = event if plan.refusal_names_create else {}
        message = (
            f"Conversation already has an active response in progress: {self._active}. "
            "Wait until the response is finished before creating a new one."
        )
        refusal = error(named, "conversation_already_has_active_response", message)
        server.refused.append(event["event_id"])
        for told in [refusal, *first] if plan.refusal_first else [*first, refusal]:
            await self._send(told)
        if first:
            self._start(self._active, {}, ours=False)

    def _start(self, response_id: str, wish: Event, *, ours: bool, hangs_up: bool = False) -> None:
        self._active = response_id
        self._group.create_task(self._speak(response_id, wish, ours=ours, hangs_up=hangs_up))

    async def _speak(self, response_id: str, wish: Event, *, ours: bool, hangs_up: bool) -> None:
        metadata: Mapping[str, str] | None = wish.get("metadata")
        instructions: str | None = wish.get("instructions")
        with suppress(ConnectionClosed):
            if ours:
                await self._send(created(response_id, metadata))
            calls = "Use the tool." in (instructions or "")
            item = await (self._call(response_id) if calls else self._say(response_id))
            if hangs_up:
                self._socket.transport.abort()
                return
            self._active = None
            self._server.spoken.append(Spoken(response_id, instructions, ours, item.get("call_id")))
            done = response(response_id, metadata, "completed", [item])
            await self._send({"type": "response.done", "response": done})

    async def _say(self, response_id: str) -> Event:
        item: Event = {"id": f"item_{response_id}", "type": "message", "role": "assistant", "content": []}
        place = {"response_id": response_id, "item_id": item["id"], "output_index": 0, "content_index": 0}
        await self._add(item)
        for _ in range(DELTAS):
            samples = len(self._server.audio).to_bytes(2, "little") * SAMPLES_A_DELTA
            self._server.audio.append(samples)
            delta = b64encode(samples).decode()
            await self._send({"type": "response.output_audio.delta", **place, "delta": delta})
            await (await self._socket.ping())
        await self._send({"type": "response.output_item.done", "response_id": response_id, "item": item})
        return item

    async def _call(self, response_id: str) -> Event:
        item: Event = {
            "id": f"fc_{response_id}",
            "type": "function_call",
            "name": "get_weather",
            "call_id": f"call_{response_id}",
            "arguments": '{"city": "Seoul"}',
            "status": "completed",
        }
        await self._add(item)
        told = {"response_id": response_id, "item_id": item["id"], "output_index": 0}
        call = {"call_id": item["call_id"], "name": item["name"], "arguments": item["arguments"]}
        await self._send({"type": "response.function_call_arguments.done", **told, **call})
        await (await self._socket.ping())
        await self._send({"type": "response.output_item.done", "response_id": response_id, "item": item})
        return item

    async def _add(self, item: Event) -> None:
        await self._send({"type": "conversation.item.added", "previous_item_id": None, "item": item})

    async def _send(self, event: Event) -> None:
        await self._socket.send(json.dumps({"event_id": "event_BBBBBBBBBBBBBBBBBBBBB", **event}))


SESSION: Event = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "output_modalities": ["audio"],
    "audio": {
        "input": {
            "turn_detection": {"type": "server_vad", "create_response": True, "interrupt_response": True}
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}},
    },
}

USER_TURN: tuple[Event, ...] = (
    {"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": "item_user"},
    {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 900, "item_id": "item_user"},
    {"type": "input_audio_buffer.committed", "previous_item_id": None, "item_id": "item_user"},
)


def response(response_id: str, metadata: Mapping[str, str] | None, status: str, output: list[Event]) -> Event:
    return {
        "object": "realtime.response",
        "id": response_id,
        "status": status,
        "status_details": None,
        "output": output,
        "conversation_id": "conv_1",
        "metadata": metadata,
    }


def created(response_id: str, metadata: Mapping[str, str] | None) -> Event:
    return {"type": "response.created", "response": response(response_id, metadata, "in_progress", [])}


def error(event: Event, code: str, message: str) -> Event:
    """An error about a client event; about an empty one it names none."""
    detail = {
        "type": "invalid_request_error",
        "code": code,
        "message": message,
        "param": None,
        "event_id": event.get("event_id"),
    }
    return {"type": "error", "error": detail}
