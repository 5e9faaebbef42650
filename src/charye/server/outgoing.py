"""The way out to one client: events wait here until they are sent, and no longer than is good for anybody.

Bounded three ways: above the high water mark minds and voices pause; an event that cannot be sent for too long, and
too many unsent bytes, end the session as a slow reader.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from charye.errors import ConnectionLost
from charye.server.effects import Close

__all__ = ["SLOW_READER", "Line", "Outgoing", "Pace"]

SLOW_READER = 1008
"""The close code for a client that does not read: policy violation. The reason begins with `slow_reader`."""


class Line(Protocol):
    """The way to one client."""

    async def send(self, data: bytes) -> None:
        """Send one event. May wait for the client to read.

        Raises:
            ConnectionLost: the client is gone.
        """
        ...

    async def receive(self) -> bytes | str:
        """The next event.

        Raises:
            ConnectionLost: the client is gone.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close; never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient a session is.

    Args:
        transcript_s: how long a mind waits for the words of what it is to answer.
        high_water_bytes: unsent events at which minds and voices pause. 1 MiB is a quarter of a minute of audio.
        max_bytes: unsent events at which the client is given up as a slow reader.
        stall_s: one event may take this long to be sent.
        close_s: after the last event, how long the line may take to close.
    """

    transcript_s: float = 10.0
    high_water_bytes: int = 1024 * 1024
    max_bytes: int = 8 * 1024 * 1024
    stall_s: float = 30.0
    close_s: float = 5.0


class Outgoing:
    """What is not sent yet."""

    def __init__(self, line: Line, pace: Pace) -> None:
        self._line = line
        self._pace = pace
        self._messages: deque[bytes] = deque()
        self._size_bytes = 0
        self._close: Close | None = None
        self._changed = asyncio.Event()
        self._too_much = asyncio.Event()

    def put(self, data: bytes) -> bool:
        """Send this after everything else. False: it was one too many, and the client is given up."""
        if self._close is not None or self._too_much.is_set():
            return True
        if self._size_bytes + len(data) > self._pace.max_bytes:
            self._too_much.set()
            return False
        self._messages.append(data)
        self._size_bytes += len(data)
        self._wake()
        return True

    def close(self, close: Close) -> None:
        """Close the line after everything else; the first close counts."""
        self._close = self._close or close
        self._wake()

    async def room(self) -> None:
        """Wait until the client has read enough. Cancelling is safe."""
        while self._size_bytes > self._pace.high_water_bytes:
            await self._changed.wait()

    async def run(self) -> tuple[int, str]:
        """Send what there is, until the end: with what the line is to be closed. Cancelling drops what is unsent."""
        sending = asyncio.ensure_future(self._send_all())
        too_much = asyncio.ensure_future(self._too_much.wait())
        try:
            await asyncio.wait({sending, too_much}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                return sending.result()
            return SLOW_READER, f"slow_reader: more than {self._pace.max_bytes} bytes are unread"
        finally:
            sending.cancel()
            too_much.cancel()

    async def _send_all(self) -> tuple[int, str]:
        while True:
            while not self._messages:
                if self._close is not None:
                    return self._close.code, self._close.reason
                await self._changed.wait()
            try:
                async with asyncio.timeout(self._pace.stall_s):
                    await self._line.send(self._messages[0])
            except ConnectionLost:
                return 1000, ""
            except TimeoutError:
                return SLOW_READER, f"slow_reader: nothing was read for {self._pace.stall_s:g} s"
            self._size_bytes -= len(self._messages.popleft())
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
