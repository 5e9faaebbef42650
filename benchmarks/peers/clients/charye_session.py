"""Our own: a session from `charye.connect`, which holds the queue and gives a handle for each thing asked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import charye
from benchmarks.peers.workloads import SILENCE_MS, NotSaid, Setup
from charye.protocol import TurnDetection

__all__ = ["opened"]


class _Client:
    def __init__(self, session: charye.Session) -> None:
        self._session = session

    async def say(self, mark: str) -> None:
        await _spoken(self._session.say(mark))

    async def write(self, mark: str) -> None:
        await _spoken(self._session.send_text(mark))

    async def hear(self, pcm: bytes) -> None:
        await self._session.send_audio(pcm)

    async def press(self, pcm: bytes) -> None:
        async with self._session.push_to_talk() as mic:
            await mic.send(pcm)
        await _spoken(mic.reply)

    async def finish(self) -> None:
        """Every handle was awaited already."""


async def _spoken(handle: charye.Handle | None) -> None:
    assert handle is not None
    outcome = await handle
    if outcome.kind not in (charye.OutcomeKind.HEARD, charye.OutcomeKind.INTERRUPTED):
        raise NotSaid(outcome.kind.value)


def _tool(setup: Setup, name: str) -> Any:
    async def look(mark: str) -> str:
        """Look one thing up."""
        return await setup.desk.look(mark)

    look.__name__ = name
    return look


@asynccontextmanager
async def opened(setup: Setup) -> AsyncIterator[_Client]:
    async with charye.connect(
        charye.Compatible(setup.base_url, model="gpt-realtime", api_key=setup.key, dialect="openai"),
        instructions="Be kind.",
        tools=[_tool(setup, name) for name in setup.desk.names],
        turns="push_to_talk"
        if setup.push_to_talk
        else TurnDetection(type="server_vad", silence_duration_ms=SILENCE_MS),
    ) as session:
        yield _Client(session)
