"""Work that would block the event loop, in a thread, with what it gives as an async iterator."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from concurrent.futures import Executor

__all__ = ["off_loop"]

T = TypeVar("T")


async def off_loop(
    executor: Executor, work: Callable[[Callable[[T], bool]], None]
) -> AsyncGenerator[T, None]:
    """Give what `work` gives, as it gives it. What it raises is raised here, behind what it gave.

    Closing, or cancelling the reader, does not wait for the thread: `give` returns False from then on, and work that
    was not begun is not begun. Wrap it in `contextlib.aclosing`, or it is closed whenever the garbage is collected.

    Args:
        executor: where to work.
        work: called in a thread with `give(result)`, which returns whether anybody still wants more.
    """
    loop = asyncio.get_running_loop()
    results: asyncio.Queue[tuple[T] | BaseException | None] = asyncio.Queue()
    stop = threading.Event()

    def put(result: tuple[T] | BaseException | None) -> bool:
        if not stop.is_set():
            try:
                loop.call_soon_threadsafe(results.put_nowait, result)
            except RuntimeError:  # the loop is closed, and with it whoever listened
                stop.set()
        return not stop.is_set()

    def run() -> None:
        if stop.is_set():
            return
        try:
            work(lambda result: put((result,)))
        except BaseException as error:  # noqa: BLE001  # raised again where the result is awaited
            put(error)
        else:
            put(None)

    executor.submit(run)
    try:
        while (result := await results.get()) is not None:
            if isinstance(result, BaseException):
                raise result
            yield result[0]
    finally:
        stop.set()
