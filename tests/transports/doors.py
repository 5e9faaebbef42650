"""Servers on loopback that do what a test says, and remember who knocked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from charye.errors import ConnectionLost

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEY = "sk-secret-of-the-test-0123456789"

CREATED = b'{"type": "session.created", "event_id": "e1", "session": {"type": "realtime", "audio": {}}}'


@dataclass
class Door:
    """A server that is up."""

    port: int = 0
    scheme: str = "http"
    knocks: list[web.Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def knock(self) -> web.Request:
        (only,) = self.knocks
        return only


@asynccontextmanager
async def door(answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Door]:
    """Every request gets this answer, whatever its path."""
    found = Door(scheme="http" if tls is None else "https")

    async def remember(request: web.Request) -> web.StreamResponse:
        found.knocks.append(request)
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", remember)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        found.port = runner.addresses[0][1]
        yield found
    finally:
        await runner.cleanup()


@asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """A port where somebody takes the call and never says a word."""
    done = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        done.set()
        server.close()
        await server.wait_closed()


async def upgraded(request: web.Request, **options: Any) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False, max_msg_size=0, decode_text=False, **options)
    await socket.prepare(request)
    return socket


def says(*events: bytes, close: tuple[int, str] | None = None) -> Answer:
    """Upgrade, say these events, and close, or stay until the client goes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        socket = await upgraded(request)
        for event in events:
            await socket.send_frame(event, WSMsgType.TEXT)
        if close is not None:
            await socket.close(code=close[0], message=close[1].encode())
        async for _ in socket:
            pass
        return socket

    return answer


def refuses(status: int, body: str = "", **headers: str) -> Answer:
    """No upgrade: this status instead."""

    async def answer(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=body, headers=named)

    return answer


class SocketEnd:
    """See `charye.transports.conformance.FarEnd`."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self._request = request

    async def send(self, data: bytes) -> None:
        await self.socket.send_frame(data, WSMsgType.TEXT)

    async def receive(self) -> bytes:
        message = await self.socket.receive()
        if message.type is WSMsgType.TEXT:  # the API has no binary frames
            data: bytes = message.data
            return data
        if message.type is WSMsgType.CLOSE:
            raise ConnectionLost(close_code=message.data, reason=str(message.extra or ""))
        raise ConnectionLost(close_code=1006)

    async def close(self, code: int, reason: str) -> None:
        await self.socket.close(code=code, message=reason.encode())

    async def cut(self) -> None:
        transport = self._request.transport
        assert transport is not None
        transport.abort()


class Desk:
    """Where the far ends of accepted sockets are handed out."""

    def __init__(self) -> None:
        self._ends: asyncio.Queue[SocketEnd] = asyncio.Queue()
        self._closed = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        socket = await upgraded(request, timeout=0.2)
        await self._ends.put(SocketEnd(socket, request))
        await self._closed.wait()
        return socket

    async def next(self) -> SocketEnd:
        return await self._ends.get()

    def close(self) -> None:
        self._closed.set()
