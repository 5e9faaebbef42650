"""A loop in a thread of its own, for servers: what holds up the program does not hold up the other end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

__all__ = ["Elsewhere"]

T = TypeVar("T")

_PATIENCE_S = 5.0


class Elsewhere:
    """A context manager: the thread begins with it and ends with it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="e2e-servers")

    def __enter__(self) -> "Elsewhere":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        left = asyncio.run_coroutine_threadsafe(self._tasks_left(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        assert not left, f"left behind by the servers: {left}"

    @asynccontextmanager
    async def there(self, context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
        """Enter and leave it over there."""
        given = await self._run(context.__aenter__())
        try:
            yield given
        finally:
            await self._run(context.__aexit__(None, None, None))

    @staticmethod
    async def _tasks_left() -> set[asyncio.Task[Any]]:
        """What has not ended, though it has had its time."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        return (await asyncio.wait(tasks, timeout=_PATIENCE_S))[1] if tasks else set()

    async def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return await asyncio.wrap_future(future)
