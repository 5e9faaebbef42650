"""Room for what is under way: who sends faster than the line takes waits here, on the program's loop.

Bytes are taken before they are sent and given back when they are on the wire, so what is between the two, in whatever
queue, is bounded.
"""

import asyncio
from collections import deque

__all__ = ["Credit"]


class Credit:
    """So many bytes may be under way. First come, first served."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._under_way = 0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    async def take(self, size_bytes: int) -> None:
        """Wait for room. What is larger than all the room there is goes when nothing else is under way.

        Cancelling takes nothing.
        """
        if not self._waiting and self._fits(size_bytes):
            self._under_way += size_bytes
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, size_bytes))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._grant()  # who stood behind it may fit
            else:
                self.give_back(size_bytes)  # it was given in the same moment
            raise

    def give_back(self, size_bytes: int) -> None:
        """They are on the wire, or thrown away."""
        self._under_way -= size_bytes
        self._grant()

    def _fits(self, size_bytes: int) -> bool:
        return not self._under_way or self._under_way + size_bytes <= self._limit

    def _grant(self) -> None:
        while self._waiting:
            turn, size_bytes = self._waiting[0]
            if not turn.done():
                if not self._fits(size_bytes):
                    return
                self._under_way += size_bytes
                turn.set_result(None)
            self._waiting.popleft()
