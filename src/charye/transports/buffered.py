"""A line over a connection that another library holds: it reads and writes on its own, and is bounded both ways.

    send    -> outbox -> writer task -> wire.write
    receive <- inbox  <- reader task <- wire.read
    each    <----------- reader task <- wire.read

Why tasks of its own, although a library has `send` and `receive` as well:

* Control frames are answered only while somebody reads. A session that is busy for a second must not be taken for dead.
* A `send` that is cancelled must have sent nothing. Libraries write first and wait for the network afterwards.

Full is full: with `max_unread_bytes` in the inbox the reader stops, and the network holds the other end back.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import NoReturn, Protocol

from charye.errors import ConnectionLost
from charye.transports.pipe import Pipe

__all__ = ["BufferedLine", "Wire"]

log = logging.getLogger(__name__)


class Wire(Protocol):
    """What a library's connection is made to look like. Its own errors are translated here."""

    async def write(self, data: bytes) -> None:
        """Send one event; comes back when there is room for the next.

        Raises:
            ConnectionLost: it is closed, or makes no progress.
        """
        ...

    async def read(self) -> bytes:
        """The next event. One reader.

        Raises:
            ConnectionLost: it is closed.
        """
        ...

    async def hang_up(self, code: int, reason: str) -> None:
        """Close it, and everything that belongs to it. Never raises; bounded in time; does no harm if it is closed."""
        ...


class BufferedLine:
    """A `Line` over a `Wire`. Made inside a running loop; holds two tasks until it is closed or lost.

    Args:
        max_unread_bytes: received and not yet asked for, before no more is read.
        max_unsent_bytes: waiting to be written, before `send` waits; one larger event still goes through.
        flush_s: how long `close` waits until everything that `send` took is written.
    """

    def __init__(self, wire: Wire, *, max_unread_bytes: int, max_unsent_bytes: int, flush_s: float) -> None:
        self._wire = wire
        self._flush_s = flush_s
        self._inbox = Pipe(max_unread_bytes)
        self._outbox = Pipe(max_unsent_bytes)
        self._reader = asyncio.create_task(self._read(), name="charye-line-reader")
        self._writer = asyncio.create_task(self._write(), name="charye-line-writer")
        self._ending: asyncio.Task[None] | None = None
        self._take: Callable[[bytes], None] | None = None

    async def send(self, data: bytes) -> None:
        """See `Line`. What it took is written in order, or the line is lost."""
        await self._outbox.put(data)

    async def receive(self) -> bytes:
        """See `Line`."""
        return await self._inbox.get()

    async def each(self, take: Callable[[bytes], object]) -> NoReturn:
        """See `Pushing`. `take` is called by the reader itself, which spares waking a second task for every event."""
        failures: list[Exception] = []

        def guarded(data: bytes) -> None:
            if failures:
                return
            try:
                take(data)
            except Exception as error:  # noqa: BLE001  (raised again below: it is not the reader's)
                failures.append(error)
                self._inbox.close(1006, "")

        self._take = guarded
        try:
            while True:
                guarded(await self._inbox.get())
        except ConnectionLost:
            if failures:
                raise failures[0] from None
            raise
        finally:
            self._take = None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Line`. Cancelling it leaves nothing open: it goes on in the background."""
        self._end(code, reason, flush=True)
        if self._ending is not None:
            await asyncio.shield(self._ending)

    def _end(self, code: int, reason: str, *, flush: bool) -> None:
        """The one end: the first who calls decides the code. Also for a line that was lost: it lets go of the wire."""
        if self._ending is None:
            self._inbox.close(code, reason)
            self._outbox.close(code, reason)
            ending = self._hang_up(code, reason, flush=flush)
            self._ending = asyncio.create_task(ending, name="charye-line-end")

    async def _hang_up(self, code: int, reason: str, *, flush: bool) -> None:
        if flush:
            # The writer ends by itself when the outbox is empty.
            await asyncio.wait({self._writer}, timeout=self._flush_s)
        try:
            await self._wire.hang_up(code, reason)
        except Exception as error:  # noqa: BLE001  (a defect of the wire; a close never raises)
            log.error("a line did not close", extra={"error_type": type(error).__name__})
        for task in (self._reader, self._writer):
            task.cancel()
        await asyncio.wait({self._reader, self._writer})

    async def _read(self) -> None:
        with self._until_lost():
            while True:
                data = await self._wire.read()
                if self._take is not None and self._inbox.is_empty:  # else it would overtake what is in there
                    self._take(data)
                else:
                    await self._inbox.put(data)

    async def _write(self) -> None:
        with self._until_lost():
            while True:
                await self._wire.write(await self._outbox.get())

    @contextlib.contextmanager
    def _until_lost(self) -> Iterator[None]:
        """Run a task of the line: its loss ends the other one too."""
        try:
            yield
        except ConnectionLost as error:
            # After a close of ours this is only the outbox or the inbox saying so, and `_end` changes nothing.
            self._end(1006 if error.close_code is None else error.close_code, error.reason, flush=False)
        except Exception as error:  # noqa: BLE001  (a defect of the wire: whoever waits must be told)
            log.error("a line broke", extra={"error_type": type(error).__name__})
            self._end(1006, "", flush=False)
