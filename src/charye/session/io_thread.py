"""A thread with an event loop of its own, for the engines of all sessions in this process.

Whoever answers the server's pings may not share a loop with code that we did not write: one tool that computes for
half a minute, and the server hangs up. The thread starts with the first session and ends with the last.
"""

import asyncio
import threading
from collections.abc import Callable

from charye.session.crossing import Mailbox

__all__ = ["borrow", "give_back"]

_JOIN_S = 2.0


class _Thread:
    def __init__(self) -> None:
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._mailbox: Mailbox | None = None
        self._thread = threading.Thread(target=self._work, name="charye-io", daemon=True)

    def start(self) -> Mailbox:
        self._thread.start()
        self._ready.wait()
        if self._mailbox is None:
            raise RuntimeError("the I/O thread could not start")
        return self._mailbox

    @property
    def mailbox(self) -> Mailbox:
        return self._mailbox or self.start()

    def stop(self) -> None:
        if self._mailbox is not None and self._stop is not None:
            self._mailbox.post(self._stop.set)
        self._thread.join(_JOIN_S)

    def _work(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._main())
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        self._mailbox = Mailbox(asyncio.get_running_loop(), threading.get_ident())
        self._ready.set()
        await self._stop.wait()


class _Shared:
    """The thread that runs now, and by how many it is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: _Thread | None = None
        self._users = 0

    def borrow(self) -> Mailbox:
        with self._lock:
            if self._thread is None:
                self._thread = _Thread()
            self._users += 1
            return self._thread.mailbox

    def give_back(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users or self._thread is None:
                return
            last, self._thread = self._thread, None
        last.stop()


_shared = _Shared()


def borrow() -> Mailbox:
    """The thread's mailbox; starts it for the first user. Blocks for about a millisecond then. Give it back."""
    return _shared.borrow()


def give_back() -> None:
    """One user less. The last one ends the thread, and waits for its end."""
    _shared.give_back()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """That of uvloop where the extra `speed` is installed; it needs a third of the memory under TLS."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
