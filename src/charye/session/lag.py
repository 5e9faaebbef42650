"""Who blocks the event loop? A watch from outside that names the line.

    watch = LagWatch(loop, threading.get_ident(), report=tell)
    watch.start()             # from a thread of its own, or
    watch.start_on(other)     # from another event loop
    ...
    watch.stop()

Once in the time that the loop may take, the watch looks at the stack of the loop's thread. Where the thread waits for
events nothing is wrong, and a loop that has nothing to do is not woken. Where it is in some code, a heartbeat is posted
into the loop. One that is not answered in time means that no callback, no task and no time-out runs there. Then the
stack says where it stands, and it is told at once: the name is in the log even if the program never comes back. Code
that keeps the interpreter to itself, such as a regular expression, keeps the watch from looking too, and is told of
when it lets go. The watch looks at code and lines, never at the values of variables.

A loop can also be late without fault: nobody blocks it, but another thread holds the interpreter, or the machine is
too busy. That is `STARVED`: its thread is in no code but the loop's own; or it stands somewhere, but the watch itself
came too late, and the thread has not had as much processor time as it may take. Where it stands is then no accusation.
"""

from __future__ import annotations

import asyncio
import contextlib
import linecache
import logging
import os
import selectors
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

from charye.errors import ConfigurationError, LocalProtocolError

__all__ = ["Blocked", "Cause", "LagWatch", "Spot", "Unblocked", "cause_of", "where"]

log = logging.getLogger(__name__)


class Cause(Enum):
    """Why a loop does not answer."""

    BLOCKED = "blocked"  # by what it runs
    STARVED = "starved"  # by others: it is not let run


@dataclass(frozen=True, slots=True)
class Blocked:
    """A loop does not answer. Once for each time; once more when what was taken for starving proves to be blocking.

    Args:
        since_s: seconds for which it has not answered yet.
        where: `file.py:123 in function`: where its thread stands, in the innermost code that is the application's.
        stack: all that the loop runs, outermost first: `/path/file.py:123 in function: the source line`.
    """

    cause: Cause
    since_s: float
    where: str
    stack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unblocked:
    """It answers again.

    Args:
        cause, where: as reported. `where` is empty if it was over before the watch could look, with no `Blocked` then.
        lasted_s: seconds from the heartbeat to its answer.
    """

    cause: Cause
    lasted_s: float
    where: str


class LagWatch:
    """Watches one event loop. `start` or `start_on`, once; `stop` from any thread.

    What blocks for twice `bound_s` is always reported, what blocks for less than `bound_s` never. What an idle program
    pays was measured with a bound of 0.25 s, on a virtual machine: 0.06 % of a core.

    Args:
        loop: the watched one.
        thread_id: `threading.get_ident()` of the thread that it runs in.
        bound_s: how long it may take to answer. The cost goes with its inverse.
        report: called outside of the watched loop, in the watch's thread or loop. It must not wait for the watched
            loop. What it raises is logged.
    Raises:
        ConfigurationError: `bound_s` is not positive.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread_id: int,
        *,
        bound_s: float = 0.25,
        report: Callable[[Blocked | Unblocked], None],
    ) -> None:
        if not bound_s > 0:
            raise ConfigurationError("this must be more than nothing", option="bound_s")
        self._loop = loop
        self._thread_id = thread_id
        self._bound_s = bound_s
        self._report = report
        self._stopped = threading.Event()
        self._looking = threading.RLock()
        self._thread: threading.Thread | None = None
        self._host: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._processor_s: Callable[[], float] | None = None
        # of the heartbeat
        self._sent: float | None = None
        self._answered: float | None = None
        self._depth = 0
        self._due = 0.0
        self._worked_s = 0.0
        self._told: Blocked | None = None

    def start(self) -> None:
        """Watch from a daemon thread. Call it while the watched loop's thread lives.

        Raises:
            LocalProtocolError: it was started before.
        """
        self._begin()
        self._thread = threading.Thread(target=self._watch, name="charye lag watch", daemon=True)
        self._thread.start()

    def start_on(self, host: asyncio.AbstractEventLoop) -> None:
        """Watch from this other loop, which should never be blocked itself. From any thread.

        Raises:
            LocalProtocolError: it was started before, or the loop is the watched one.
        """
        if host is self._loop:
            raise LocalProtocolError("a loop cannot watch itself", given="host")
        self._begin()
        self._host = host
        host.call_soon_threadsafe(self._look_again)

    def stop(self) -> None:
        """Leave no thread and no timer behind. No report begins after it. Doing it again does no harm."""
        self._stopped.set()
        with self._looking:
            pass
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        if self._host is not None:
            with contextlib.suppress(RuntimeError):  # that loop is closed
                self._host.call_soon_threadsafe(self._disarm)

    # the watch

    def _begin(self) -> None:
        if self._processor_s is not None:
            raise LocalProtocolError("a watch is started once")
        self._processor_s = _processor_clock(self._thread_id)
        self._due = time.monotonic()
        self._worked_s = self._processor_s()

    def _watch(self) -> None:
        while not self._stopped.wait(max(0.0, self._due - time.monotonic())):
            with self._looking:
                self._look()

    def _look_again(self) -> None:
        with self._looking:
            self._look()
            if not self._stopped.is_set() and self._host is not None:
                pause_s = max(0.0, self._due - time.monotonic())
                self._timer = self._host.call_later(pause_s, self._look_again)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """Once: does it need a heartbeat, is the last one answered, and if not, for how long?"""
        if self._stopped.is_set():
            return
        now, due = time.monotonic(), self._due
        self._due = now + self._bound_s
        is_late = now - due > self._bound_s / 2
        frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001
        if frame is None:  # the thread has ended
            self._stopped.set()
        elif self._sent is not None and self._answered is None and self._loop.is_running():
            if now < self._sent + self._bound_s:
                self._due = self._sent + self._bound_s
            else:
                self._not_answered(now, frame, is_late=is_late)
        else:
            if self._sent is not None:
                self._answered_at(self._answered or now, is_late=is_late)
            self._sent = self._answered = None
            # A loop that does not run, before or after its time, is not late.
            waits = self._waits(frame)
            if self._loop.is_running() and (is_late or not waits):
                self._sent = now
                if now - due >= self._bound_s and not waits:
                    # Nobody could look, and so nobody could ask: as if it had been asked then.
                    self._sent = due
                    self._not_answered(now, frame, is_late=True)
                self._beat()
        if self._sent in (None, now):  # all is well
            self._worked_s = self._processor()

    def _waits(self, frame: FrameType) -> bool:
        """Whether the thread runs nothing but the loop itself."""
        return 0 < _depth(frame) <= self._depth and frame.f_code is not _HANDLE

    def _beat(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._answer)
        except RuntimeError:  # it is closed
            self._stopped.set()

    def _answer(self) -> None:
        """In the watched loop. What lies below it on the stack is the loop itself, whoever made it."""
        self._depth = _depth(sys._getframe()) - 1  # noqa: SLF001
        self._answered = time.monotonic()

    def _not_answered(self, now: float, frame: FrameType, *, is_late: bool) -> None:
        if self._sent is None or (self._told is not None and self._told.cause is Cause.BLOCKED):
            return
        spots = _spots(frame)
        if self._answered is not None:  # just now, so what stands there may have done nothing
            return
        running = spots[self._depth or _loop_of(spots) :]
        cause = cause_of(spots[-1], running, could_work=not is_late or self._has_worked())
        if self._told is None or cause is Cause.BLOCKED:
            stack = running or spots[-1:]
            shown = tuple(spot.long for spot in stack)
            self._told = Blocked(cause, now - self._sent, where(stack).short, shown)
            self._tell(self._told)

    def _answered_at(self, moment: float, *, is_late: bool) -> None:
        lasted_s = moment - (self._sent or moment)
        told, self._told = self._told, None
        if told is not None:
            self._tell(Unblocked(told.cause, lasted_s, told.where))
        elif lasted_s >= self._bound_s:
            cause = Cause.BLOCKED if not is_late or self._has_worked() else Cause.STARVED
            self._tell(Unblocked(cause, lasted_s, ""))

    def _has_worked(self) -> bool:
        """Whether the thread itself has computed for longer than it may take, since all was well."""
        return self._processor() - self._worked_s >= self._bound_s

    def _processor(self) -> float:
        return 0.0 if self._processor_s is None else self._processor_s()

    def _tell(self, what: Blocked | Unblocked) -> None:
        try:
            self._report(what)
        except Exception:
            log.exception("the report of a blocked loop failed")


# --- what a stack says -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spot:
    """A line that a thread stands on."""

    code: CodeType
    line: int

    @property
    def file(self) -> str:
        """Its path, or what stands for it, such as `<string>`."""
        return self.code.co_filename

    @property
    def short(self) -> str:
        """As `file.py:123 in function`."""
        return f"{Path(self.file).name}:{self.line} in {self.code.co_qualname}"

    @property
    def long(self) -> str:
        """With the whole path, and the source of the line where there is one."""
        source = linecache.getline(self.file, self.line).strip()
        return f"{self.file}:{self.line} in {self.code.co_qualname}{': ' if source else ''}{source}"


def cause_of(innermost: Spot, running: Sequence[Spot], *, could_work: bool) -> Cause:
    """Whether a loop that does not answer is blocked or starved.

    Args:
        innermost: where its thread stands.
        running: what the loop runs, outermost first; empty if it stands in the loop itself.
        could_work: nothing held the watch up, or the thread has computed for longer than it may take. Where the system
            does not tell the processor time of a thread (Windows, macOS), only the first is known.
    """
    if all(_is_loop(spot) for spot in running):
        # A function in C that was handed to the loop has no frame of its own.
        return Cause.BLOCKED if innermost.code is _HANDLE else Cause.STARVED
    return Cause.BLOCKED if could_work else Cause.STARVED


def where(stack: Sequence[Spot]) -> Spot:
    """The innermost line of the application's; what is nearest to it if there is none. `stack` is not empty."""
    for is_foreign in (_is_library, _is_python_or_ours, _is_loop):
        for spot in reversed(stack):
            if not is_foreign(spot):
                return spot
    return stack[-1]


_HANDLE: Final = asyncio.Handle._run.__code__  # noqa: SLF001
_LOOPS: Final = (f"{Path(asyncio.__file__).parent}{os.sep}", selectors.__file__, __file__)
_OURS: Final = f"{Path(__file__).parent.parent}{os.sep}"
_PYTHON: Final = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
_PACKAGES: Final = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("purelib", "platlib"))


def _is_loop(spot: Spot) -> bool:
    return spot.file.startswith(_LOOPS)


def _is_library(spot: Spot) -> bool:
    return _is_python_or_ours(spot) or spot.file.startswith(_PACKAGES)


def _is_python_or_ours(spot: Spot) -> bool:
    is_python = spot.file.startswith(("<frozen ", *_PYTHON)) and not spot.file.startswith(_PACKAGES)
    return is_python or spot.file.startswith(_OURS)


def _loop_of(spots: Sequence[Spot]) -> int:
    """How much of a stack is the loop itself, as long as no heartbeat has told; all of it if that cannot be seen."""
    handles = [depth for depth, spot in enumerate(spots, 1) if spot.code is _HANDLE]
    return handles[-1] if handles else len(spots)


def _depth(frame: FrameType | None) -> int:
    """How many frames there are, from this one outwards."""
    depth = 0
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return depth


def _spots(frame: FrameType | None) -> list[Spot]:
    """Code and line of each frame, outermost first."""
    spots: list[Spot] = []
    while frame is not None:
        # Between two instructions of its own a frame has no line.
        spots.append(Spot(frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno))
        frame = frame.f_back
    spots.reverse()
    return spots


def _processor_clock(thread_id: int) -> Callable[[], float]:
    """The processor time of a thread that lives. Not every system can tell; then it is always 0."""
    if sys.platform == "win32" or not hasattr(time, "pthread_getcpuclockid"):
        return lambda: 0.0
    clock = time.pthread_getcpuclockid(thread_id)

    def read() -> float:
        try:
            return time.clock_gettime(clock)
        except OSError:  # the thread has ended meanwhile
            return 0.0

    return read
