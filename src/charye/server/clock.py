"""Time for server sessions: that of the event loop, which may be virtual.

On a `VirtualLoop` nobody ever waits: when every task waits for time, time jumps to the next moment somebody waits for.
A session of 60 minutes expires in milliseconds, and the same run takes the same course every time.
"""

import asyncio
import selectors
import sys
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any, TypeVar

__all__ = ["LoopClock", "VirtualLoop", "run_virtually"]

T = TypeVar("T")

# Threads, if somebody uses one, live in real time; they are given this long before "everybody waits" is a fault.
_REAL_PATIENCE_S = 5.0


class LoopClock:
    """The clock of the running event loop."""

    def now(self) -> float:
        """Seconds of the loop's clock."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait that long on the loop's clock."""
        await asyncio.sleep(seconds)


class _VirtualSelector(selectors.BaseSelector):
    """Asks the real selector without waiting; the wait itself is added to the clock.

    Args:
        settle_s: real seconds that it waits for sockets before time jumps.
    """

    def __init__(self, settle_s: float) -> None:
        self._real = selectors.DefaultSelector()
        self._settle_s = settle_s
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if not ready and self._settle_s and timeout is not None and timeout > 0 and self._is_under_way():
            ready = self._real.select(self._settle_s)
        if ready or timeout is None or timeout <= 0:
            if not ready and timeout is None:
                ready = self._real.select(_REAL_PATIENCE_S)
                if not ready:
                    raise RuntimeError("every task waits, and nothing will ever happen")
            return ready
        self.now += timeout
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        found: Mapping[Any, selectors.SelectorKey] = self._real.get_map()
        return found

    def close(self) -> None:
        self._real.close()

    def _is_under_way(self) -> bool:
        """Whether a socket has written what the other end has not acknowledged: it may not have arrived yet."""
        return any(_unacknowledged(key.fd) for key in self._real.get_map().values())


def _unacknowledged(fd: int) -> bool:
    if sys.platform != "linux":
        return True  # not known: something may be
    import fcntl
    import termios

    try:  # SIOCOUTQ of tcp(7) and unix(7), which has the number of TIOCOUTQ
        return any(fcntl.ioctl(fd, termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return False  # it listens, or is no socket


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock that jumps. For one process without sockets to elsewhere.

    Args:
        settle_s: with sockets of which both ends are on this loop: before time jumps, what was written must have
            arrived. The kernel hands loopback over within microseconds, but not always before the next `select`, so it
            is given this time, in real seconds, as long as something may be under way. 0: there are no sockets.
    """

    def __init__(self, *, settle_s: float = 0.0) -> None:
        self._virtual = _VirtualSelector(settle_s)
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual.now


def run_virtually(main: Coroutine[Any, Any, T], *, settle_s: float = 0.0) -> T:
    """As `asyncio.run`, on a `VirtualLoop`; its argument is explained there.

    Raises:
        RuntimeError: every task waits for another one.
    """
    with asyncio.Runner(loop_factory=partial(VirtualLoop, settle_s=settle_s)) as runner:
        return runner.run(main)
