"""A process that is spoken to through its standard input and output, seen from an event loop."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import TYPE_CHECKING, TypeVar

import msgspec

from charye.assessment.frames import HEADER_BYTES, decode_answer, frame, length_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from charye.assessment.frames import Answer, Request

__all__ = ["Child", "ChildEnded", "ChildHung"]

T = TypeVar("T")


class ChildEnded(Exception):
    """It is gone, or speaks nonsense. Never leaves `worker`."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__()
        self.exit_code = exit_code


class ChildHung(Exception):
    """It does not answer. Never leaves `worker`."""

    exit_code: int | None = None


class Child:
    """One process from start to end.

    Args:
        command: program and arguments.
        stop_s: how long it may take to end by itself before it is killed.
    """

    def __init__(self, command: tuple[str, ...], *, stop_s: float) -> None:
        self._command = command
        self._stop_s = stop_s
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it.

        Raises:
            ChildEnded: the system refuses.
        """
        try:
            # Its standard error may hold a traceback, and that may repeat what a person said.
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
        except OSError as error:
            raise ChildEnded(error.errno) from error

    async def ask(self, request: Request, timeout_s: float) -> Answer:
        """Send and wait for the answer. After a cancel the process must be stopped: its answer is still to come.

        Raises:
            ChildEnded: it is gone.
            ChildHung: it took longer.
        """
        stdin = self._running().stdin
        assert stdin is not None
        try:
            stdin.write(frame(request))
            async with asyncio.timeout(timeout_s):
                await stdin.drain()
        except TimeoutError as error:
            raise ChildHung from error
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChildEnded(await self._exit_code()) from error
        return await self.read(timeout_s)

    async def read(self, timeout_s: float) -> Answer:
        """The next thing it says. Raises as `ask`."""
        stdout = self._running().stdout
        assert stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                header = await stdout.readexactly(HEADER_BYTES)
                return decode_answer(await stdout.readexactly(length_of(header)))
        except TimeoutError as error:
            raise ChildHung from error
        except (asyncio.IncompleteReadError, ConnectionResetError, msgspec.MsgspecError) as error:
            raise ChildEnded(await self._exit_code()) from error

    async def outlive(self, other: Coroutine[object, object, T]) -> T:
        """Wait for something else, but not longer than the process lives.

        Raises:
            ChildEnded: it ended first.
        """
        waiting = asyncio.ensure_future(other)
        ending = asyncio.ensure_future(self._running().wait())
        try:
            await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise ChildEnded(ending.result())
        finally:
            for task in (waiting, ending):
                task.cancel()
            await asyncio.gather(waiting, ending, return_exceptions=True)

    async def stop(self) -> None:
        """End it, and wait until it has ended. Safe to call at any time, and after it has ended.

        A cancel kills it and is passed on once it is gone, which is soon: a process must not outlive its loop.
        """
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        ending = asyncio.ensure_future(process.wait())
        cancelled = False
        while not ending.done():
            try:
                await asyncio.wait({ending}, timeout=None if cancelled else self._stop_s)
            except asyncio.CancelledError:
                cancelled = True
            if not ending.done():
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        if cancelled:
            raise asyncio.CancelledError

    async def _exit_code(self) -> int | None:
        """How it ended; None if it only closed its output."""
        try:
            async with asyncio.timeout(self._stop_s):
                return await self._running().wait()
        except TimeoutError:
            return None

    def _running(self) -> Process:
        assert self._process is not None
        return self._process
