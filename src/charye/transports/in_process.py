"""A client and a server in one process, without sockets: what one end sends, the other receives, in order.

    client, server = pair()
    await client.send(data)
    data = await server.receive()

Bounded like a socket: `send` waits while the other end has too much unread. Works on any event loop, a virtual one
included.
"""

import asyncio
from collections import deque

from charye.errors import ConnectionLost

__all__ = ["End", "pair"]


class _Pipe:
    """One direction."""

    def __init__(self, max_bytes: int) -> None:
        self.messages: deque[bytes] = deque()
        self.size_bytes = 0
        self.max_bytes = max_bytes
        self.closed: tuple[int, str] | None = None
        self.changed = asyncio.Event()

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class End:
    """One end of the pair. Made by `pair`."""

    def __init__(self, outgoing: _Pipe, incoming: _Pipe) -> None:
        self._outgoing = outgoing
        self._incoming = incoming

    async def send(self, data: bytes) -> None:
        """Put a message on its way; waits for room. Cancelling while it waits sends nothing.

        Raises:
            ConnectionLost: one of the ends is closed.
        """
        pipe = self._outgoing
        while pipe.closed is None and pipe.size_bytes and pipe.size_bytes + len(data) > pipe.max_bytes:
            await pipe.changed.wait()
        self._check(pipe)
        pipe.messages.append(data)
        pipe.size_bytes += len(data)
        pipe.wake()

    async def receive(self) -> bytes:
        """The next message. What was sent before the close still comes. Cancelling loses nothing.

        Raises:
            ConnectionLost: one of the ends is closed and everything was received; with the code of the close.
        """
        pipe = self._incoming
        # A socket lets others work too, even when something is there already.
        await asyncio.sleep(0)
        while not pipe.messages:
            self._check(pipe)
            await pipe.changed.wait()
        data = pipe.messages.popleft()
        pipe.size_bytes -= len(data)
        pipe.wake()
        return data

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close both directions. The first close counts; closing again does no harm."""
        for pipe in (self._outgoing, self._incoming):
            if pipe.closed is None:
                pipe.closed = code, reason
            pipe.wake()

    async def cut(self, partial: bytes) -> None:
        """Break off, as a connection that is lost: 1006 for both. A part of a message is no message here."""
        await self.close(1006)

    async def half_close(self) -> None:
        """Send nothing more; for the other end the connection is lost, but what it sends is still received."""
        pipe = self._outgoing
        if pipe.closed is None:
            pipe.closed = 1006, ""
        pipe.wake()

    @staticmethod
    def _check(pipe: _Pipe) -> None:
        if pipe.closed is not None:
            code, reason = pipe.closed
            raise ConnectionLost(close_code=code, reason=reason)


def pair(*, max_bytes: int = 1024 * 1024) -> tuple[End, End]:
    """Two ends that are joined.

    Args:
        max_bytes: unread in one direction before `send` waits; a single larger message still goes through.
    """
    there, back = _Pipe(max_bytes), _Pipe(max_bytes)
    return End(there, back), End(back, there)
