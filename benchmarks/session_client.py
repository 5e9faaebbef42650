"""Clients for `benchmarks.session`, each a process of its own, so that each has the event loop that it is to have.

    python -m benchmarks.session_client KIND LOOP

bare       aiohttp alone: it reads, and looks at nothing but the type
own-loop   a session on the program's loop
io-thread  a session with the I/O thread, as by default
audio      the same, and the program listens to the audio

Reads commands from standard input and answers on standard output, a line of JSON each (`Command`, `Answer`).
"""

import argparse
import asyncio
import gc
import logging
import os
import sys
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import chain
from time import perf_counter, process_time
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import msgspec
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from msgspec import Struct

if TYPE_CHECKING:
    from charye.session.session import Session

__all__ = ["Answer", "Command", "Do"]

_TYPE_WITHIN = 80  # bytes from the start of an event
_IDLE_S = 2.0
_PATIENCE_S = 60.0

Do: TypeAlias = Literal["open", "close", "listen", "say", "idle", "trace", "size"]


class Command(Struct, frozen=True):
    """What to do; `count` times.

    Args:
        do: `open` a connection to `url`, or `close` all; `listen` to a response on each: the processor time of what
            comes after its begin; `say` something, all at once: the time until all is generated; `idle`: the processor
            time of doing nothing, for a second; `trace` what is allocated from now on; `size`: of the process.
    """

    do: Do
    count: int = 1
    url: str = ""


_CLOSE = msgspec.json.encode(Command("close")).decode()


class Answer(Struct, frozen=True):
    """What came of it: seconds; of `size`, kB."""

    value: float = 0.0
    allocated_kb: float = 0.0


class Client(Protocol):
    """One connection."""

    async def open(self, url: str, stack: AsyncExitStack) -> None:
        """Until the server has let us in. It ends with the stack."""
        ...

    async def ask(self) -> None:
        """Ask for a response, and wait until it begins."""
        ...

    async def hear(self) -> None:
        """Until that response is generated."""
        ...

    async def say(self, words: Sequence[str]) -> None:
        """All of them, in order, a response each."""
        ...


class Bare:
    """aiohttp alone."""

    async def open(self, url: str, stack: AsyncExitStack) -> None:
        http = await stack.enter_async_context(ClientSession())
        self._socket: ClientWebSocketResponse[Literal[False]] = await stack.enter_async_context(
            http.ws_connect(url, max_msg_size=0, decode_text=False)
        )
        await self._until(b'"session.created"')

    async def ask(self) -> None:
        await self._socket.send_frame(b'{"type":"response.create"}', WSMsgType.TEXT)
        await self._until(b'"response.created"')

    async def hear(self) -> None:
        await self._until(b'"response.done"')

    async def say(self, words: Sequence[str]) -> None:
        creates = [_create(each) for each in words]
        for create in creates:
            await self._socket.send_frame(create, WSMsgType.TEXT)
            await self._until(b'"response.done"')

    async def _until(self, kind: bytes) -> None:
        while True:
            message = await self._socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise ConnectionError("the server hung up")
            if message.data.find(kind, 0, _TYPE_WITHIN) >= 0:
                return


class Whole:
    """A session."""

    def __init__(self, *, io_thread: bool, audio: bool = False) -> None:
        self._io_thread = io_thread
        self._audio = audio

    async def open(self, url: str, stack: AsyncExitStack) -> None:
        import charye

        settings = charye.SessionSettings(io_thread=self._io_thread)
        session = charye.connect(charye.Compatible(url, dialect="openai"), settings=settings)
        self._session: Session = await stack.enter_async_context(session)
        if self._audio:
            self._listening = asyncio.ensure_future(_listen(session))

    async def ask(self) -> None:
        self._handle = self._session.respond()
        await self._handle.speaking()

    async def hear(self) -> None:
        await self._handle.generated()
        self._handle.cancel()  # nobody wants to hear it to its end

    async def say(self, words: Sequence[str]) -> None:
        handles = [self._session.say(each) for each in words]
        for handle in handles:
            await handle.generated()
        self._session.interrupt()


def _create(words: str) -> bytes:
    from charye.protocol import ResponseCreate, ResponseParams, encode
    from charye.protocol.verbatim import say_exactly

    return encode(ResponseCreate(response=ResponseParams(instructions=say_exactly(words))))


async def _listen(session: "Session") -> None:
    from charye.session.events import Audio

    async for _ in session.events(Audio):
        pass


_KINDS: Mapping[str, Callable[[], Client]] = MappingProxyType(
    {
        "bare": Bare,
        "own-loop": lambda: Whole(io_thread=False),
        "io-thread": lambda: Whole(io_thread=True),
        "audio": lambda: Whole(io_thread=True, audio=True),
    }
)


class Work:
    """Does what it is told, on so many connections."""

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._stack = AsyncExitStack()
        self._clients: list[Client] = []

    async def obey(self, command: Command) -> Answer:
        """Do it.

        Raises:
            TimeoutError: it took a minute: something is lost.
        """
        async with asyncio.timeout(_PATIENCE_S):
            return await self._obey(command)

    async def _obey(self, command: Command) -> Answer:
        match command.do:
            case "open":
                for _ in range(command.count):
                    self._clients.append(self._make())
                    await self._clients[-1].open(command.url, self._stack)
                return Answer()
            case "close":
                self._clients.clear()
                await self._stack.aclose()
                return Answer()
            case "listen":
                return Answer(await self._listen())
            case "say":
                start = perf_counter()
                await self._clients[0].say([f"Sentence number {at}." for at in range(command.count)])
                return Answer(perf_counter() - start)
            case "idle":
                start = process_time()
                await asyncio.sleep(_IDLE_S)
                return Answer((process_time() - start) / _IDLE_S)
            case "trace":
                tracemalloc.start()
                return Answer()
            case "size":
                gc.collect()
                return Answer(_resident_kb(), tracemalloc.get_traced_memory()[0] / 1000)

    async def _listen(self) -> float:
        gc.collect()
        await asyncio.gather(*(client.ask() for client in self._clients))
        start = process_time()
        await asyncio.gather(*(client.hear() for client in self._clients))
        return process_time() - start


def _resident_kb() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1000


def _loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name == "asyncio":
        sys.modules["uvloop"] = None  # type: ignore[assignment]  # not installed: the I/O thread would take it
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.session_client")
    parser.add_argument("kind", choices=sorted(_KINDS))
    parser.add_argument("loop", choices=("asyncio", "uvloop"))
    options = parser.parse_args()
    # That the loop was held up while the garbage was collected is true, and nobody's business here.
    logging.getLogger("charye").setLevel(logging.ERROR)
    with asyncio.Runner(loop_factory=_loop_factory(options.loop)) as runner:
        work = Work(_KINDS[options.kind])
        for line in chain(sys.stdin, [_CLOSE]):
            answer = runner.run(work.obey(msgspec.json.decode(line, type=Command)))
            print(msgspec.json.encode(answer).decode(), flush=True)


if __name__ == "__main__":
    main()
