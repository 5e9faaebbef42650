"""A client and a server in one process, without sockets: what one end sends, the other receives, in order.

    client, server = pair()
    await client.send(data)
    data = await server.receive()

Bounded like a socket: `send` waits while the other end has too much unread. Works on any event loop, a virtual one
included. `InProcess` is the endpoint over an end that is there already, or over what makes one.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from charye.errors import CannotReopen
from charye.protocol import OPENAI, Dialect
from charye.transports.base import Line
from charye.transports.pipe import Pipe

__all__ = ["End", "InProcess", "pair"]


class End:
    """One end of the pair. Made by `pair`."""

    def __init__(self, outgoing: Pipe, incoming: Pipe) -> None:
        self._outgoing = outgoing
        self._incoming = incoming

    async def send(self, data: bytes) -> None:
        """Put a message on its way; waits for room. Cancelling while it waits sends nothing.

        Raises:
            ConnectionLost: one of the ends is closed.
        """
        await self._outgoing.put(data)

    async def receive(self) -> bytes:
        """The next message. What was sent before the close still comes. Cancelling loses nothing.

        Raises:
            ConnectionLost: one of the ends is closed and everything was received; with the code of the close.
        """
        # A socket lets others work too, even when something is there already.
        await asyncio.sleep(0)
        return await self._incoming.get()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close both directions. The first close counts; closing again does no harm."""
        for pipe in (self._outgoing, self._incoming):
            pipe.close(code, reason)

    async def cut(self, partial: bytes) -> None:
        """Break off, as a connection that is lost: 1006 for both. A part of a message is no message here."""
        await self.close(1006)

    async def half_close(self) -> None:
        """Send nothing more; for the other end the connection is lost, but what it sends is still received."""
        self._outgoing.close(1006, "")


def pair(*, max_bytes: int = 1024 * 1024) -> tuple[End, End]:
    """Two ends that are joined.

    Args:
        max_bytes: unread in one direction before `send` waits; a single larger message still goes through.
    """
    there, back = Pipe(max_bytes), Pipe(max_bytes)
    return End(there, back), End(back, there)


@dataclass(frozen=True, slots=True)
class InProcess:
    """An endpoint whose server is in this process.

    Args:
        end: a line that stands already, which can be opened once; or what makes a new one each time.
        name: for logs.
        dialect: how the server speaks; by default as our own does. None: look at its first event.
    """

    end: Line | Callable[[], Line | Awaitable[Line]]
    name: str = field(default="in-process", kw_only=True)
    dialect: Dialect | None = field(default=OPENAI, kw_only=True)
    _used: list[bool] = field(default_factory=list, init=False, repr=False, compare=False)

    async def open(self) -> Line:
        """A new line.

        Raises:
            CannotReopen: the line was given as it is, and it has been opened before.
        """
        if not isinstance(self.end, Line):
            made = self.end()
            return await made if inspect.isawaitable(made) else made
        if self._used:
            raise CannotReopen
        self._used.append(True)
        return self.end
