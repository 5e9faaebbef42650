"""Notices that a device has gone, and says so once.

Some drivers say that they stopped, some only fall silent when the cable is pulled. A started device calls back fifty
times a second, also in silence; so one that does not for two seconds is gone.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING

from charye.audio.devices.drivers import STARTS_ONCE, STOPPED
from charye.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from charye.audio.sound import Fail

__all__ = ["GONE_AFTER_S", "Lifeline"]

GONE_AFTER_S = 2.0
"""Longer than a driver is silent when it changes over to headphones, which takes some hundred milliseconds."""


class Lifeline:
    """Of one device, from its start to its end. Any method may be called from any thread.

    Args:
        device: its name, for the errors.
        within_s: silence of the driver that counts as gone; noticed after one and a half of that at the latest.
    """

    __slots__ = ("_calls", "_device", "_ended", "_fail", "_lock", "_started", "_within_s")

    def __init__(self, *, device: str | None, within_s: float = GONE_AFTER_S) -> None:
        self._device = device
        self._within_s = within_s
        self._fail: Fail | None = None
        self._calls = 0
        self._started = False
        self._ended = Event()
        # Held while `fail` runs, so that `close` comes after it; reentrant, for a `fail` that closes.
        self._lock = RLock()

    @property
    def is_over(self) -> bool:
        """Whether it was closed or lost."""
        return self._ended.is_set()

    def start(self, begin: Callable[[Fail], None], fail: Fail | None) -> None:
        """Begin, and watch from then on.

        Args:
            begin: starts the driver; it is given whom to tell when it stops by itself.
            fail: is told that the device is gone.

        Raises:
            DeviceError: it was started before, or `begin` raised it.
        """
        with self._lock:
            if self._started or self._ended.is_set():
                raise DeviceError(STARTS_ONCE, device=self._device)
            self._started, self._fail = True, fail
        try:
            begin(self.lost)
        except DeviceError:
            self.close()
            raise
        Thread(target=self._watch, name="charye-device", daemon=True).start()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around what is done when the driver calls: it lives. What raises there ends the device, and goes on."""
        self._calls += 1
        try:
            yield
        except Exception as error:
            lost = DeviceError("what listens to the device raised an exception", device=self._device)
            lost.__cause__ = error
            self.lost(lost)
            raise

    def lost(self, error: DeviceError) -> None:
        """The device is gone: tell `fail`, unless it is over already."""
        with self._lock:
            if not self._ended.is_set():
                self._ended.set()
                if self._fail is not None:
                    self._fail(error)

    def close(self) -> None:
        """What happens from now on is no failure; `fail` is not called any more. Twice does no harm."""
        with self._lock:
            self._ended.set()

    def _watch(self) -> None:
        # Two looks in a row: after a process was halted, the first comes before the driver could call again.
        seen, silent = 0, 0
        while not self._ended.wait(self._within_s / 2):
            silent = silent + 1 if self._calls == seen else 0
            seen = self._calls
            if silent == 2:
                self.lost(DeviceError(STOPPED, device=self._device))
