"""The session for code in other threads: the same words, and waiting blocks.

    threads = session.threads()
    threads.say("잠시만요").heard(timeout_s=30)        # in any thread but the session's own

Everything goes through the session's loop. Calling a waiting method from there would wait for itself, so it raises.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError as FutureCancelled
from typing import TYPE_CHECKING, Any, TypeVar

from charye.core.requests import Outcome, Step
from charye.errors import LocalProtocolError
from charye.session.handles import Handle

if TYPE_CHECKING:
    from charye.session.session import Session

__all__ = ["ThreadedHandle", "ThreadedSession"]

T = TypeVar("T")


class _Bridge:
    """Runs coroutines on the session's loop for a thread that waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def wait(self, work: Coroutine[Any, Any, T], timeout_s: float | None) -> T:
        """What it gives or raises.

        Raises:
            TimeoutError: not within this time. What was asked for goes on.
            LocalProtocolError: called on the session's loop, or the loop is closed.
        """
        try:
            on_loop = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            on_loop = False
        if on_loop or self._loop.is_closed():
            work.close()
            raise LocalProtocolError(
                "this waits in a thread; on the session's own loop use `await`",
                given=threading.current_thread().name,
            )
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise
        except FutureCancelled:
            raise LocalProtocolError("the session's loop has ended") from None


class ThreadedHandle:
    """As `Handle`, for other threads."""

    def __init__(self, handle: Handle, bridge: _Bridge) -> None:
        self._handle = handle
        self._bridge = bridge

    @property
    def id(self) -> str:
        """Of the request."""
        return self._handle.id

    @property
    def step(self) -> Step:
        """Where it stands now."""
        return self._handle.step

    @property
    def outcome(self) -> Outcome | None:
        """The end; None while there is none."""
        return self._handle.outcome

    def sent(self, timeout_s: float | None = None) -> None:
        """As `Handle.sent`. Raises `TimeoutError` too."""
        self._bridge.wait(self._handle.sent(), timeout_s)

    def speaking(self, timeout_s: float | None = None) -> None:
        """As `Handle.speaking`. Raises `TimeoutError` too."""
        self._bridge.wait(self._handle.speaking(), timeout_s)

    def generated(self, timeout_s: float | None = None) -> None:
        """As `Handle.generated`. Raises `TimeoutError` too."""
        self._bridge.wait(self._handle.generated(), timeout_s)

    def heard(self, timeout_s: float | None = None) -> None:
        """As `Handle.heard`. Raises `TimeoutError` too."""
        self._bridge.wait(self._handle.heard(), timeout_s)

    def ended(self, timeout_s: float | None = None) -> Outcome:
        """As awaiting a `Handle`: the end, whatever it is. Raises `TimeoutError`."""
        return self._bridge.wait(self._handle.ended(), timeout_s)

    def cancel(self) -> None:
        """As `Handle.cancel`."""
        self._handle.cancel()

    def explain(self, timeout_s: float | None = None) -> str:
        """As `Handle.explain`. Raises `TimeoutError` too."""
        return self._bridge.wait(self._handle.explain(), timeout_s)


class ThreadedSession:
    """As `Session`, for other threads. Made by `Session.threads`. Safe for any number of them at once."""

    def __init__(self, session: "Session", loop: asyncio.AbstractEventLoop) -> None:
        self._session = session
        self._bridge = _Bridge(loop)

    def say(self, text: str, **wish: Any) -> ThreadedHandle:
        """As `Session.say`; does not wait."""
        return ThreadedHandle(self._session.say(text, **wish), self._bridge)

    def respond(self, instructions: str | None = None, **wish: Any) -> ThreadedHandle:
        """As `Session.respond`; does not wait."""
        return ThreadedHandle(self._session.respond(instructions, **wish), self._bridge)

    def send_text(self, text: str, *, reply: bool = True, **wish: Any) -> ThreadedHandle | None:
        """As `Session.send_text`; does not wait."""
        handle = self._session.send_text(text, reply=reply, **wish)
        return ThreadedHandle(handle, self._bridge) if handle is not None else None

    def send_audio(self, audio: bytes, timeout_s: float | None = None) -> None:
        """As `Session.send_audio`: waits for room. Raises `TimeoutError` too."""
        self._bridge.wait(self._session.send_audio(audio), timeout_s)

    def interrupt(self) -> None:
        """As `Session.interrupt`; does not wait."""
        self._session.interrupt()

    def played(self, item_id: str, content_index: int, played_ms: float) -> None:
        """As `Session.played`; does not wait."""
        self._session.played(item_id, content_index, played_ms)

    def close(self, *, drain: bool = True, timeout_s: float | None = None) -> None:
        """As `Session.close`. Raises `TimeoutError` too."""
        self._bridge.wait(self._session.close(drain=drain), timeout_s)
