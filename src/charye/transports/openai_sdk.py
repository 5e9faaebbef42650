"""A line over a connection that the application opened with the `openai` SDK.

    async with client.realtime.connect(model="gpt-realtime") as connection:
        async with charye.connect(charye.OpenAISDK(connection)) as session: ...

Bytes go through as they are: the SDK's event models are passed by, for parsing them costs more than all the rest. The
SDK's own reconnecting is passed by as well, because nobody iterates over its connection.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Protocol

from charye.errors import CannotReopen, ConnectionLost
from charye.protocol import OPENAI, Dialect
from charye.transports.base import Line
from charye.transports.buffered import BufferedLine
from charye.transports.closing import is_sendable, lost, short

__all__ = ["Connection", "OpenAISDK"]

_MAX_UNREAD_BYTES = 16 * 1024 * 1024
_MAX_UNSENT_BYTES = 1024 * 1024


class Connection(Protocol):
    """What is used of the SDK's `AsyncRealtimeConnection`; its public methods for raw messages."""

    async def recv_bytes(self) -> bytes:
        """The next message."""
        ...

    async def send_raw(self, data: bytes | str) -> None:
        """Text goes as a text frame."""
        ...

    async def close(self, *, code: int = 1000, reason: str = "") -> None:
        """Close it."""
        ...


class _SdkWire:
    """See `charye.transports.buffered.Wire`."""

    def __init__(self, connection: Connection, *, stall_s: float, close_s: float) -> None:
        self._connection = connection
        self._stall_s = stall_s
        self._close_s = close_s

    async def write(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(self._stall_s):
                await self._connection.send_raw(data.decode())
        except TimeoutError:
            raise lost(1006, "the network takes nothing") from None
        except Exception as error:  # noqa: BLE001  (the SDK lets through what `websockets` raises, and its own)
            raise _close_of(error) from None

    async def read(self) -> bytes:
        try:
            return await self._connection.recv_bytes()
        except Exception as error:  # noqa: BLE001  (as above)
            raise _close_of(error) from None

    async def hang_up(self, code: int, reason: str) -> None:
        # 1001, going away: what cannot be said would leave the connection open.
        sent = code if is_sendable(code) else 1001
        with contextlib.suppress(Exception):
            async with asyncio.timeout(self._close_s):
                await self._connection.close(code=sent, reason=short(reason))


def _close_of(error: Exception) -> ConnectionLost:
    """The close behind an exception of `websockets`: the other end's frame, else ours (a ping without an answer)."""
    close = getattr(error, "rcvd", None) or getattr(error, "sent", None)
    if close is None:
        return lost(1006)
    return lost(int(close.code), str(close.reason))


@dataclass(frozen=True, slots=True)
class OpenAISDK:
    """An endpoint over one open connection of the `openai` SDK. It can be opened once; who opened it, closes it.

    Hand it over before anything was received from it: its first event proves that the server has let it in.

    Args:
        connection: an `AsyncRealtimeConnection`.
        dialect: how the server speaks; `AZURE` or `AZURE_PREVIEW` for the SDK's Azure client.
        stall_s: a message that the SDK is not rid of for so long loses the line. Whether a part of it moved is not seen
            here; with less than 6 Mbit/s, give more for the largest message (15 MiB of audio).
        close_s: how long a close may take, for each of its two steps.
    """

    connection: Connection = field(repr=False)
    dialect: Dialect | None = field(default=OPENAI, kw_only=True)
    stall_s: float = field(default=20.0, kw_only=True)
    close_s: float = field(default=5.0, kw_only=True)
    _used: list[bool] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """`openai-sdk`."""
        return "openai-sdk"

    async def open(self) -> Line:
        """The line.

        Raises:
            CannotReopen: it was opened before. Only who made the connection can make another one.
        """
        if self._used:
            raise CannotReopen
        self._used.append(True)
        return BufferedLine(
            _SdkWire(self.connection, stall_s=self.stall_s, close_s=self.close_s),
            max_unread_bytes=_MAX_UNREAD_BYTES,
            max_unsent_bytes=_MAX_UNSENT_BYTES,
            flush_s=self.close_s,
        )
