"""A line over a WebSocket, on aiohttp.

No compression: it would cost more than all the rest, and audio in base64 hardly shrinks. Text frames both ways, as the
API has them; a binary frame from the server is handed on as it is. Pings of the server are answered as long as the
inbox is not full, however busy the session is.
"""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import WSMsgType

from charye.errors import ConnectionLost
from charye.transports.buffered import BufferedLine
from charye.transports.closing import is_sendable, lost, short
from charye.transports.secret import Secret, hidden

__all__ = ["Socket", "WebSocketSettings", "line_over"]

_NO_STATUS, _ABNORMAL = 1005, 1006  # RFC 6455, 7.4.1: never on the wire, only what an end makes of it


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketSettings:
    """What can be set about a connection. The defaults are meant to be right.

    Args:
        connect_s: name, TCP, TLS and upgrade together.
        close_s: for each of the two steps of a close: writing what is left, and the other end's answer.
        stall_s: a write of which nothing moves for so long is a lost connection; it is found within twice that. TCP by
            itself goes on trying for a quarter of an hour. 20 s is what the common client libraries allow the answer to
            a ping (bug reports), and no talk survives a longer silence.
        heartbeat_s: after so much silence we ping; after twice as much the connection is lost. It finds the dead
            connection while nothing is written, and keeps the entry in a router that forgets. None: never.
        max_message_bytes: a larger event of the server is refused with 1009. The largest that the API knows is an item
            with 15 MiB of audio in base64.
        max_unread_bytes: see `BufferedLine`: four minutes of speech.
        max_unsent_bytes: see `BufferedLine`: some fifteen seconds of a microphone.
        allow_insecure: speak `ws://` to other machines too. The key travels in the clear.
        tls: whom to trust; None: what this machine trusts. For a company's own authority, or a client certificate.
        proxy: an HTTP proxy; None: that of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    """

    connect_s: float = 15.0
    close_s: float = 5.0
    stall_s: float = 20.0
    heartbeat_s: float | None = 20.0
    max_message_bytes: int = 64 * 1024 * 1024
    max_unread_bytes: int = 16 * 1024 * 1024
    max_unsent_bytes: int = 1024 * 1024
    allow_insecure: bool = False
    tls: ssl.SSLContext | None = None
    proxy: Secret | None = None


class Socket(aiohttp.ClientWebSocketResponse[bool]):
    """aiohttp's, which also tells its transport: only that knows whether bytes move."""

    def __init__(
        self, reader: Any, writer: Any, protocol: Any, response: Any, *rest: Any, **named: Any
    ) -> None:
        super().__init__(reader, writer, protocol, response, *rest, **named)
        self.transport: asyncio.Transport | None = response.connection.transport


class _WebSocketWire:
    """See `charye.transports.buffered.Wire`."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        socket: Socket,
        settings: WebSocketSettings,
        secrets: tuple[Secret, ...],
    ) -> None:
        self._http = http
        self._socket = socket
        self._settings = settings
        self._secrets = secrets
        self._loop = asyncio.get_running_loop()
        self._asked: bytes | None = None
        self._answering: asyncio.Task[None] | None = None
        self._heard = 0
        self._is_reading = False
        self._gave_up = ""
        self._stall_timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.Task[None] | None = None
        if settings.heartbeat_s is not None:
            self._watch = asyncio.create_task(self._heartbeat(settings.heartbeat_s), name="charye-heartbeat")

    async def write(self, data: bytes) -> None:
        # A timer instead of a task and a time-out: 7 us a message instead of 21 (measured on loopback, 6.5 kB events).
        # What is counted is before the write: what the kernel takes at once is progress.
        self._watch_progress(self._unsent_bytes() + len(data))
        try:
            await self._socket.send_frame(data, WSMsgType.TEXT)
        except (aiohttp.ClientError, OSError, RuntimeError):
            # No cause: the frames of aiohttp hold the headers of the request, and with them the key.
            raise lost(_ABNORMAL, self._gave_up) from None
        finally:
            if self._stall_timer is not None:
                self._stall_timer.cancel()

    def _watch_progress(self, left: int) -> None:
        self._stall_timer = self._loop.call_later(self._settings.stall_s, self._check_progress, left)

    def _check_progress(self, before: int) -> None:
        if (left := self._unsent_bytes()) < before:
            self._watch_progress(left)
        else:
            self._give_up("the network takes nothing")

    def _give_up(self, why: str) -> None:
        self._gave_up = why
        self._abort()

    def _unsent_bytes(self) -> int:
        transport = self._socket.transport
        return 0 if transport is None else transport.get_write_buffer_size()

    async def read(self) -> bytes:
        while True:
            self._is_reading = True
            try:
                message = await self._socket.receive()
            finally:
                self._is_reading = False
            self._heard += 1
            match message.type:
                case WSMsgType.TEXT | WSMsgType.BINARY:
                    data: bytes = message.data
                    return data
                case WSMsgType.PING:
                    self._pong(message.data)
                case WSMsgType.PONG:
                    pass
                case WSMsgType.CLOSE:
                    raise self._closed(message.data or _NO_STATUS, message.extra or "")
                case _:
                    raise self._broken(message.data)

    def _closed(self, code: int, reason: str) -> ConnectionLost:
        return lost(code, hidden(reason, self._secrets))

    def _broken(self, error: object) -> ConnectionLost:
        """It ended without a close of the other end: cut off, or one of its frames broke a rule."""
        if isinstance(error, aiohttp.WebSocketError):
            return lost(int(error.code), "the server broke a rule of WebSocket")
        return lost(_ABNORMAL, self._gave_up)

    def _pong(self, data: bytes) -> None:
        # A task, because the wait for the network must not keep us from reading; one, because the newest ping answers
        # for those before it (RFC 6455, 5.5.3).
        self._asked = data
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer(), name="charye-pong")

    async def _answer(self) -> None:
        while self._asked is not None:
            data, self._asked = self._asked, None
            await self._quietly(self._socket.pong(data))

    async def _heartbeat(self, every_s: float) -> None:
        # In quarters that were slept, not by the clock: a program that was held up for a minute has not listened, and
        # must read what came meanwhile before it calls the server dead.
        quarters, heard = 0, self._heard
        while True:
            await asyncio.sleep(every_s / 4)
            if heard != self._heard or not self._is_reading:  # not reading: the inbox is full
                quarters, heard = 0, self._heard
                continue
            quarters += 1
            if quarters >= 8:
                self._give_up("no answer to a ping")
                return
            if quarters >= 4:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(every_s / 4):
                        await self._quietly(self._socket.ping())

    async def hang_up(self, code: int, reason: str) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if is_sendable(code):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.close_s):
                    await self._quietly(self._socket.close(code=code, message=short(reason).encode()))
        # What could not be written by now would keep the socket open for as long as TCP tries.
        self._abort()
        tasks = [task for task in (self._watch, self._answering) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._quietly(self._http.close())

    def _abort(self) -> None:
        if self._socket.transport is not None:
            self._socket.transport.abort()

    @staticmethod
    async def _quietly(doing: Awaitable[object]) -> None:
        """For what may meet a closed connection; the reader finds that out."""
        with contextlib.suppress(aiohttp.ClientError, OSError, RuntimeError, struct.error):
            await doing


def line_over(
    http: aiohttp.ClientSession, socket: Socket, settings: WebSocketSettings, secrets: tuple[Secret, ...] = ()
) -> BufferedLine:
    """The line; from here on both belong to it, and are closed with it.

    Args:
        socket: made by this `http`, with `autoping=False` and `decode_text=False`.
        secrets: taken out of what the server gives as the reason of a close.
    """
    return BufferedLine(
        _WebSocketWire(http, socket, settings, secrets),
        max_unread_bytes=settings.max_unread_bytes,
        max_unsent_bytes=settings.max_unsent_bytes,
        flush_s=settings.close_s,
    )
