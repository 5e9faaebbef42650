"""The other side of `benchmarks.server`: the server's process, and clients that stream to it."""

import asyncio
import os
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Literal

import msgspec
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType

from benchmarks.server_process import Usage
from charye.protocol import (
    ConversationItemCreate,
    InputAudioBufferAppend,
    InputText,
    MessageItem,
    audio_base64,
    encode,
)

__all__ = ["Caller", "Phone", "append", "dialling", "process", "two_sides"]

_ROOT = Path(__file__).resolve().parent.parent
_CREATE = b'{"type":"response.create"}'
_AUDIO = b'"response.output_audio.delta"'
_TYPE_WITHIN = 48  # bytes from the start of an event


def append(ms: int) -> bytes:
    """`input_audio_buffer.append` of a quiet room: no voice in it, so nobody takes a turn."""
    chance = Random(1)
    pcm = b"".join(chance.randrange(-20, 20).to_bytes(2, "little", signed=True) for _ in range(ms * 24))
    return encode(InputAudioBufferAppend(audio=audio_base64(pcm)))


@contextmanager
def two_sides() -> Iterator[int]:
    """The core for the server. This process keeps to the others, if there are any, until the block is left."""
    before = os.sched_getaffinity(0)
    core, *others = sorted(before)
    os.sched_setaffinity(0, others or before)
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def process(core: int, command: Sequence[str]) -> Iterator[str]:
    """A server on one core, until the block is left. Gives its base address, which is the first that it prints.

    Args:
        command: what Python is to run.
    """
    child = subprocess.Popen([sys.executable, *command], cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        os.sched_setaffinity(child.pid, {core})
        assert child.stdout is not None
        yield child.stdout.readline().strip()
    finally:
        child.terminate()
        try:
            child.communicate(timeout=10)
        finally:
            child.kill()  # of no effect on one that has ended


class Caller:
    """One connection."""

    def __init__(self, socket: ClientWebSocketResponse[Literal[False]]) -> None:
        self._socket = socket
        self._sent_at: deque[float] = deque()

    async def begin(self) -> None:
        """The session is accepted."""
        await self._until(b'"session.created"')

    async def listen(self) -> None:
        """Ask for a response; a parrot's says what it hears, as long as the session lasts."""
        await self._socket.send_frame(_CREATE, WSMsgType.TEXT)
        await self._until(b'"response.created"')

    async def say(self, frame: bytes) -> None:
        """One frame there and back, from a parrot."""
        await self._socket.send_frame(frame, WSMsgType.TEXT)
        await self._until(_AUDIO)

    async def echo(self, frame: bytes) -> None:
        """One frame there and back, from a bare server."""
        await self._socket.send_frame(frame, WSMsgType.TEXT)
        await self._socket.receive()

    async def first_audio_s(self, words: str) -> float:
        """Write these words and ask for a response: how long until its first audio. Then hear it to its end."""
        item = MessageItem(role="user", content=(InputText(words),))
        await self._socket.send_frame(encode(ConversationItemCreate(item=item)), WSMsgType.TEXT)
        await self._until(b'"conversation.item.done"')
        start = perf_counter()
        await self._socket.send_frame(_CREATE, WSMsgType.TEXT)
        await self._until(_AUDIO)
        found = perf_counter() - start
        await self._until(b'"response.done"')
        return found

    async def talk(self, frame: bytes, every_s: float, *, after_s: float) -> None:
        """Send a frame whenever it is time, for ever, whatever comes back."""
        due = perf_counter() + after_s
        while True:
            await asyncio.sleep(due - perf_counter())
            due += every_s
            self._sent_at.append(perf_counter())
            await self._socket.send_frame(frame, WSMsgType.TEXT)

    async def hear(self, delays_s: list[float]) -> None:
        """Note of each frame that was said how long it was on its way, there and back."""
        while True:
            await self._until(_AUDIO)
            delays_s.append(perf_counter() - self._sent_at.popleft())

    async def close(self) -> None:
        await self._socket.close()

    async def _until(self, kind: bytes) -> None:
        while True:
            message = await self._socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise ConnectionError("the server hung up")
            data: bytes = message.data
            if data.find(kind, 0, _TYPE_WITHIN) >= 0:
                return


class Phone:
    """Calls one server. Made by `dialling`."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http = http
        self._url = url
        self._callers: list[Caller] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.delays_s: list[float] = []

    async def usage(self) -> Usage:
        """Of the server's process."""
        async with self._http.get(f"{self._url}/usage") as response:
            return msgspec.json.decode(await response.read(), type=Usage)

    async def dial(self) -> Caller:
        """A connection; nothing is said yet."""
        url = f"{self._url}/realtime?model=gpt-realtime"
        socket = await self._http.ws_connect(url, max_msg_size=0, decode_text=False)
        self._callers.append(Caller(socket))
        return self._callers[-1]

    async def idle(self) -> Caller:
        """A session in which nothing happens."""
        caller = await self.dial()
        await caller.begin()
        return caller

    async def stream(self, frame: bytes, every_s: float) -> None:
        """A session that streams both ways in real time; what it finds goes to `delays_s`."""
        caller = await self.idle()
        await caller.listen()
        # Spread over the time of a frame, as callers are.
        after_s = every_s * (len(self._callers) * 0.618 % 1)
        self._tasks += [
            asyncio.ensure_future(caller.talk(frame, every_s, after_s=after_s)),
            asyncio.ensure_future(caller.hear(self.delays_s)),
        ]

    def check(self) -> None:
        """Raises what ended a stream, if anything did."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def hang_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(caller.close() for caller in self._callers))


@asynccontextmanager
async def dialling(url: str) -> AsyncIterator[Phone]:
    """Any number of calls, which end with the block."""
    async with ClientSession(connector=TCPConnector(limit=0)) as http:
        phone = Phone(http, url)
        try:
            yield phone
        finally:
            await phone.hang_up()
