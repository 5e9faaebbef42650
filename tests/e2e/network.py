"""The way between a session and a server, for what no server does by itself.

session -- Line (what it is told besides) -- socket -- gate (who does not read) -- socket -- server
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress

from charye.transports.base import Line

__all__ = ["Network"]

_CHUNK_BYTES = 64 * 1024


class Network:
    """Of one scene. Without orders everything passes as it is.

    Args:
        is_gated: there is a place where reading can stop.
    """

    def __init__(self, *, is_gated: bool) -> None:
        self._is_gated = is_gated
        self.besides: Callable[[bytes], Iterable[bytes]] | None = None
        """What the session hears behind this event, beside what the server says."""
        self.line_bytes = 0
        """What the lines have taken from the session."""
        self.passed_bytes = 0
        """What went through the gate to the server."""
        self._reads = asyncio.Event()
        self._reads.set()

    def between(self, line: Line) -> Line:
        """This line, with what is said besides."""
        return _Line(line, self)

    def stop_reading(self) -> None:
        """From now on nothing is read from the session; the kernel's buffers fill up."""
        self._reads.clear()

    def read_again(self) -> None:
        """Take up reading."""
        self._reads.set()

    @asynccontextmanager
    async def gate(self, host: str, port: int) -> AsyncIterator[str]:
        """A place in front of the server; its base URL."""
        if not self._is_gated:
            yield f"http://{host}:{port}/v1"
            return
        passing: set[asyncio.Task[None]] = set()

        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            passing.add(task)
            with suppress(ConnectionError, asyncio.CancelledError):
                await self._through(reader, writer, host, port)
            passing.discard(task)

        listening = socket.socket()
        # The kernel is not to take the whole flood: a flood larger than what it takes by default would only cost time.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _CHUNK_BYTES)
        listening.bind(("127.0.0.1", 0))
        server = await asyncio.start_server(met, sock=listening, limit=_CHUNK_BYTES)
        found = server.sockets[0].getsockname()
        try:
            yield f"http://{found[0]}:{found[1]}/v1"
        finally:
            server.close()
            for task in passing:
                task.cancel()
            await asyncio.gather(*passing)

    async def _through(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        onward_reader, onward_writer = await asyncio.open_connection(host, port, limit=_CHUNK_BYTES)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, onward_writer, is_upward=True))
                both.create_task(self._pump(onward_reader, writer, is_upward=False))
        except* ConnectionError:
            pass  # one end is gone; the other one is told by the close
        finally:
            for one in (onward_writer, writer):
                one.close()
            for one in (onward_writer, writer):
                with suppress(ConnectionError):
                    await one.wait_closed()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_upward: bool
    ) -> None:
        while True:
            if is_upward:
                await self._reads.wait()
            data = await reader.read(_CHUNK_BYTES)
            if not data:
                raise ConnectionResetError
            if is_upward:
                self.passed_bytes += len(data)
            writer.write(data)
            await writer.drain()


class _Line:
    """See `Line`; says more than the server does."""

    def __init__(self, inner: Line, network: Network) -> None:
        self._inner = inner
        self._network = network
        self._more: list[bytes] = []

    async def send(self, data: bytes) -> None:
        await self._inner.send(data)
        self._network.line_bytes += len(data)

    async def receive(self) -> bytes:
        if self._more:
            return self._more.pop(0)
        data = await self._inner.receive()
        if self._network.besides is not None:
            self._more.extend(self._network.besides(data))
        return data

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._inner.close(code, reason)
