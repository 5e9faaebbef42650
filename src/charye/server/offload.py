"""Work that would block the event loop, in a thread, with what it gives as an async iterator."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from concurrent.futures import Executor

__all__ = ["Outlet", "off_loop"]

T = TypeVar("T")


class Outlet(Generic[T]):
    """Where a thread puts what it has made. `give` wakes the loop, so a thread that only asks looks at `wanted`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._closed = threading.Event()
        self.results: asyncio.Queue[tuple[T] | BaseException | None] = asyncio.Queue()

    @property
    def wanted(self) -> bool:
        """Whether anybody still listens."""
        return not self._closed.is_set()

    def give(self, result: T) -> bool:
        """Pass this on. Returns `wanted`."""
        self.put((result,))
        return self.wanted

    def put(self, result: tuple[T] | BaseException | None) -> None:
        """A result, or the end: by an error, or None."""
        if self.wanted:
            try:
                self._loop.call_soon_threadsafe(self.results.put_nowait, result)
            except RuntimeError:  # the loop is closed, and with it whoever listened
                self._closed.set()

    def close(self) -> None:
        """Nobody listens any more."""
        self._closed.set()


async def off_loop(executor: Executor, work: Callable[[Outlet[T]], None]) -> AsyncGenerator[T, None]:
    """Give what `work` gives, as it gives it. What it raises is raised here, behind what it gave.

    Closing, or cancelling the reader, does not wait for the thread: the outlet is not `wanted` from then on, and work
    that was not begun is not begun. Wrap it in `contextlib.aclosing`, or it is closed when the garbage is collected.

    Args:
        executor: where to work.
        work: called in a thread.
    """
    outlet: Outlet[T] = Outlet(asyncio.get_running_loop())

    def run() -> None:
        if not outlet.wanted:
            return
        try:
            work(outlet)
        except BaseException as error:  # noqa: BLE001  # raised again where the result is awaited
            outlet.put(error)
        else:
            outlet.put(None)

    executor.submit(run)
    try:
        while (result := await outlet.results.get()) is not None:
            if isinstance(result, BaseException):
                raise result
            yield result[0]
    finally:
        outlet.close()
