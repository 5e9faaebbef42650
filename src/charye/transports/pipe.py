"""One direction of a line inside this process: messages in order, bounded in bytes, until it is closed."""

import asyncio
from collections import deque

from charye.transports.closing import lost

__all__ = ["Pipe"]


class Pipe:
    """Messages from one side to the other, within one event loop.

    Args:
        max_bytes: unread before `put` waits; a single larger message still goes through.

    Attributes:
        messages: those that are in it, oldest first.
    """

    def __init__(self, max_bytes: int) -> None:
        self.messages: deque[bytes] = deque()
        self._size_bytes = 0
        self._max_bytes = max_bytes
        self._closed: tuple[int, str] | None = None
        self._changed = asyncio.Event()
        # Who waits for room is served in order: otherwise a small message would slip past a large one.
        self._turn = asyncio.Lock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not self.messages

    async def put(self, data: bytes) -> None:
        """Add a message; waits for room. Cancelling while it waits adds nothing.

        Raises:
            ConnectionLost: it is closed.
        """
        async with self._turn:
            while (
                self._closed is None and self._size_bytes and self._size_bytes + len(data) > self._max_bytes
            ):
                await self._changed.wait()
            self._check()
            self.messages.append(data)
            self._size_bytes += len(data)
            self._wake()

    async def get(self) -> bytes:
        """The next message. Cancelling loses nothing.

        Raises:
            ConnectionLost: it is closed, and nothing is left.
        """
        while not self.messages:
            self._check()
            await self._changed.wait()
        data = self.messages.popleft()
        self._size_bytes -= len(data)
        self._wake()
        return data

    def close(self, code: int, reason: str) -> None:
        """Take nothing more; what is in it still comes out. The first close counts."""
        if self._closed is None:
            self._closed = code, reason
            self._wake()

    def _check(self) -> None:
        if self._closed is not None:
            raise lost(*self._closed)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
