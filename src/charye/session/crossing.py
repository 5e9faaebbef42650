"""From one event loop into another, and back, without waiting and without losing the order.

A session has two halves. The *engine* answers the server and decides who speaks; the *desk* is what the program holds:
handles, subscriptions, tools. They live on two loops, so that user code which blocks its own loop cannot keep the
engine from answering a ping, or on one loop. Either way they only talk through here, and nothing is ever called from
inside something else:

    post    call this over there, after everything posted before; does not wait
    ask     as `post`, and wait for what it gives
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from charye.errors import LocalProtocolError

__all__ = ["Crossing", "Mailbox"]


class Mailbox:
    """Calls into one loop, from any thread, in the order in which they were posted."""

    __slots__ = ("_calls", "_context", "_lock", "_loop", "_thread")

    def __init__(self, loop: asyncio.AbstractEventLoop, thread_id: int) -> None:
        self._loop = loop
        self._thread = thread_id
        self._lock = threading.Lock()
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        # Not that of whoever rings the bell: the letters of others are delivered with it.
        self._context = copy_context()

    @property
    def thread_id(self) -> int:
        """The thread that the loop runs in."""
        return self._thread

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._loop

    def post(self, call: Callable[..., object], *args: Any) -> bool:
        """Call it there, soon. Never waits. False: that loop is closed, and nobody will call it."""
        with self._lock:
            is_first = not self._calls
            self._calls.append((call, args))
        if not is_first:
            return True  # who posted the first one has rung the bell
        try:
            if threading.get_ident() == self._thread:
                self._loop.call_soon(self._deliver, context=self._context)
            else:
                self._loop.call_soon_threadsafe(self._deliver, context=self._context)
        except RuntimeError:  # the loop is closed
            with self._lock:
                self._calls.clear()
            return False
        return True

    def _deliver(self) -> None:
        with self._lock:
            calls, self._calls = self._calls, deque()
        for call, args in calls:
            try:
                call(*args)
            except Exception as error:  # noqa: BLE001  (one bad call must not eat the ones behind it)
                self._loop.call_exception_handler({"message": "a posted call failed", "exception": error})


class Crossing:
    """The way from here to there and back. `here` is where `ask` is awaited."""

    __slots__ = ("here", "there")

    def __init__(self, *, here: Mailbox, there: Mailbox) -> None:
        self.here = here
        self.there = there

    def post(self, call: Callable[..., object], *args: Any) -> bool:
        """Call it there, soon."""
        return self.there.post(call, *args)

    async def ask(self, call: Callable[..., Any], *args: Any) -> Any:
        """Call it there, and give what it gives or raises; what can be awaited is awaited there.

        Cancelling cancels what is awaited there; a plain call that was posted is still made.

        Raises:
            LocalProtocolError: the other loop is closed, or ended what was awaited there.
        """
        errand = _Errand(self, asyncio.get_running_loop().create_future())
        if not self.there.post(errand.begin, call, args):
            raise LocalProtocolError("the session is not open", state="closed")
        try:
            return await errand.answer
        except asyncio.CancelledError:
            if errand.is_called_off:
                # Nobody has cancelled us, and a task that is not cancelled may not say that it is.
                raise LocalProtocolError("the session was closed meanwhile", state="closed") from None
            self.there.post(errand.call_off)
            raise


class _Errand:
    """One `ask`: begun there, answered here."""

    def __init__(self, crossing: Crossing, answer: asyncio.Future[Any]) -> None:
        self._back = crossing.here
        self._task: asyncio.Task[Any] | None = None
        self.answer = answer
        self.is_called_off = False
        """What was awaited there was cancelled there."""

    def begin(self, call: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            given = call(*args)
        except Exception as error:  # noqa: BLE001  (raised again where it is awaited)
            self._back.post(self._fail, error)
            return
        if isinstance(given, Coroutine):
            self._task = asyncio.ensure_future(given)
            self._task.add_done_callback(self._end)
        else:
            self._back.post(self._give, given)

    def call_off(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _end(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self._back.post(self._call_off_here)
        elif (error := task.exception()) is not None:
            self._back.post(self._fail, error)
        else:
            self._back.post(self._give, task.result())

    def _call_off_here(self) -> None:
        if not self.answer.done():
            self.is_called_off = True
            self.answer.cancel()

    def _give(self, value: object) -> None:
        if not self.answer.done():
            self.answer.set_result(value)

    def _fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
