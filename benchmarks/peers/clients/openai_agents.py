"""The OpenAI Agents SDK: a `RealtimeSession` of its runner, whose model layer sends one create at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeModelSendRawMessage, RealtimeRunner

from benchmarks.peers.workloads import SILENCE_MS, Setup

__all__ = ["opened"]


class _Client:
    def __init__(self, session: Any) -> None:
        self._session = session

    async def say(self, mark: str) -> None:
        """A create of one's own is a raw event; `send_message` would put words into the user's mouth."""
        await self._raw("response.create", response={"instructions": f"Say exactly: {mark}"})

    async def write(self, mark: str) -> None:
        await self._session.send_message(mark)

    async def hear(self, pcm: bytes) -> None:
        await self._session.send_audio(pcm)

    async def press(self, pcm: bytes) -> None:
        await self._session.send_audio(pcm, commit=True)
        await self._raw("response.create")

    async def finish(self) -> None:
        pass

    async def _raw(self, kind: str, **fields: Any) -> None:
        message: Any = {"type": kind, "other_data": fields} if fields else {"type": kind}
        await self._session.model.send_event(RealtimeModelSendRawMessage(message=message))


def _tool(setup: Setup, name: str) -> Any:
    async def look(mark: str) -> str:
        """Look one thing up."""
        return await setup.desk.look(mark)

    return function_tool(look, name_override=name)


@asynccontextmanager
async def opened(setup: Setup) -> AsyncIterator[_Client]:
    agent = RealtimeAgent(
        name="Anna",
        instructions="Be kind.",
        tools=[_tool(setup, name) for name in setup.desk.names],
    )
    detection = None if setup.push_to_talk else {"type": "server_vad", "silence_duration_ms": SILENCE_MS}
    runner = RealtimeRunner(
        agent, config={"model_settings": {"model_name": "gpt-realtime", "turn_detection": detection}}
    )
    address = {"url": f"{setup.websocket_url}?model=gpt-realtime", "api_key": setup.key}

    async def listen() -> None:
        """Errors of the connection end the iteration, by an exception or as the last event."""
        try:
            async for event in session:
                if event.type == "raw_model_event" and event.data.type == "exception":
                    setup.gone()
        except Exception:  # noqa: BLE001  (its user is told, whatever it is)
            setup.gone()

    async with await runner.run(model_config=address) as session:
        listening = asyncio.create_task(listen())
        await asyncio.sleep(0.2)  # until the session is configured
        try:
            yield _Client(session)
        finally:
            listening.cancel()
