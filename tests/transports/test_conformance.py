"""Every line of ours keeps the promises of `Line`."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai

from charye.server.clock import run_virtually
from charye.transports.base import Line
from charye.transports.conformance import FarEnd, LineConformance
from charye.transports.endpoints import OpenAI
from charye.transports.in_process import End, InProcess, pair
from charye.transports.openai_sdk import OpenAISDK
from charye.transports.websocket import WebSocketSettings
from tests.transports.certificates import self_signed
from tests.transports.doors import KEY, Desk, door

CLOSE_S = 0.2


class InProcessEnd:
    """See `charye.transports.conformance.FarEnd`."""

    def __init__(self, end: End) -> None:
        self.send, self.receive, self.close = end.send, end.receive, end.close
        self._end = end

    async def cut(self) -> None:
        await self._end.cut(b"")


class TestInProcess(LineConformance):
    @asynccontextmanager
    async def joined(self) -> AsyncIterator[tuple[Line, FarEnd]]:
        here, there = pair()
        line = await InProcess(here).open()
        yield line, InProcessEnd(there)
        await line.close()

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            await story()

        run_virtually(main())


class TestWebSocket(LineConformance):
    secrets = (KEY,)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[tuple[Line, FarEnd]]:
        desk = Desk()
        async with door(desk.answer) as there:
            endpoint = OpenAI(api_key=KEY, base_url=there.url, socket=WebSocketSettings(close_s=CLOSE_S))
            line = await endpoint.open()
            try:
                yield line, await desk.next()
            finally:
                desk.close()
                await line.close()


class TestWebSocketOverTls(LineConformance):
    secrets = (KEY,)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[tuple[Line, FarEnd]]:
        desk = Desk()
        with tempfile.TemporaryDirectory() as folder:
            shown, trusting = self_signed(Path(folder))
        async with door(desk.answer, tls=shown) as there:
            socket = WebSocketSettings(close_s=CLOSE_S, tls=trusting)
            line = await OpenAI(api_key=KEY, base_url=there.url, socket=socket).open()
            try:
                yield line, await desk.next()
            finally:
                desk.close()
                await line.close()


class TestSdk(LineConformance):
    secrets = (KEY,)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[tuple[Line, FarEnd]]:
        desk = Desk()
        options: Any = {"close_timeout": CLOSE_S}
        async with (
            door(desk.answer) as there,
            openai.AsyncOpenAI(base_url=there.url, api_key=KEY) as client,
            client.realtime.connect(model="m", websocket_connection_options=options) as connection,
        ):
            line = await OpenAISDK(connection, close_s=2 * CLOSE_S).open()
            try:
                yield line, await desk.next()
            finally:
                desk.close()
                await line.close()
