"""Background work that belongs to a session: it is awaited with it, ended with it, and its failure is not lost."""

import asyncio
import logging
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, Generic, TypeVar

__all__ = ["Job", "Jobs"]

log = logging.getLogger(__name__)

T = TypeVar("T")


class Job(Generic[T]):
    """Work at the back of a session. Await it for its result, or leave it alone."""

    def __init__(self, task: asyncio.Task[T]) -> None:
        self._task = task
        self._is_awaited = False

    def __await__(self) -> Generator[Any, None, T]:
        self._is_awaited = True
        return (yield from asyncio.shield(self._task).__await__())

    def cancel(self) -> None:
        """Call it off."""
        self._task.cancel()

    @property
    def is_done(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self._task.done()

    @property
    def unseen_error(self) -> BaseException | None:
        """What it failed with, if nobody awaits it."""
        if self._is_awaited or not self._task.done() or self._task.cancelled():
            return None
        return self._task.exception()


class Jobs:
    """All of one session."""

    def __init__(self) -> None:
        self._jobs: dict[asyncio.Task[Any], Job[Any]] = {}
        self._failed: list[Job[Any]] = []
        self.closers: set[asyncio.Task[Any] | None] = set()
        """Who waits for the end of the session, and so is not waited for."""

    def start(self, work: Coroutine[Any, Any, T], *, name: str | None, context: Context) -> Job[T]:
        """Begin it now, in this context."""
        task = asyncio.create_task(work, name=name, context=context)
        job = Job(task)
        self._jobs[task] = job
        task.add_done_callback(self._ended)
        return job

    def running(self, *, but: asyncio.Task[Any] | None, closers: bool = False) -> set[asyncio.Task[Any]]:
        """Those at work, without the one that asks; with those that wait for the end, if that is over."""
        return {task for task in self._jobs if task is not but and (closers or task not in self.closers)}

    async def end(
        self, *, but: asyncio.Task[Any] | None, lets_finish: bool, patience_s: float, closers: bool = False
    ) -> None:
        """Wait until they have ended, not for ever; called off at once, or when they do not end by themselves."""
        if lets_finish and (tasks := self.running(but=but, closers=closers)):
            await asyncio.wait(tasks, timeout=patience_s)
        tasks = self.running(but=but, closers=closers)
        for task in tasks:
            task.cancel()
        if tasks:
            _, stuck = await asyncio.wait(tasks, timeout=patience_s)
            for task in stuck:
                log.error("background work does not end", extra={"job": task.get_name()})

    def failures(self) -> list[Exception]:
        """What failed and was awaited by nobody."""
        errors = [job.unseen_error for job in self._failed]
        return [error for error in errors if isinstance(error, Exception)]

    def _ended(self, task: asyncio.Task[Any]) -> None:
        job = self._jobs.pop(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed.append(job)
            log.error("background work failed", extra={"job": task.get_name()}, exc_info=error)
