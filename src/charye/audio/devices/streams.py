"""A microphone and a loudspeaker on top of any driver: rates, frames, the queue, and what was heard of it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from charye.audio.devices.drivers import BLOCK_MS
from charye.audio.devices.lifeline import GONE_AFTER_S, Lifeline
from charye.audio.framing import Framer
from charye.audio.pcm import SAMPLE_BYTES, WIRE_RATE_HZ
from charye.audio.playing import Reel
from charye.audio.resample import Resampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from charye.audio.devices.drivers import InputStream, OutputStream
    from charye.audio.playing import Gaps
    from charye.audio.sound import Fail, Give, Report

__all__ = ["DeviceCapture", "DeviceLoudspeaker", "Spool"]


class Spool:
    """What a driver asks a loudspeaker for: samples at the driver's rate, and when which sample of the reel leaves.

    The resampler needs samples ahead of those that it gives. So the time line is counted in what the driver got, not
    in what the reel gave. For the driver's thread alone.
    """

    __slots__ = ("_given", "_rate_hz", "_ready", "_reel", "_resampler")

    def __init__(self, reel: Reel, *, rate_hz: int) -> None:
        self._reel = reel
        self._rate_hz = rate_hz
        self._resampler = Resampler(from_hz=WIRE_RATE_HZ, to_hz=rate_hz)
        self._ready = bytearray()
        self._given = 0

    def fill(self, count: int, *, leaves_at_s: float) -> bytes:
        """Exactly `count` samples at the driver's rate, the first of which leaves the loudspeaker at `leaves_at_s`."""
        ratio = WIRE_RATE_HZ / self._rate_hz
        self._reel.leaves(self._given * ratio, count * ratio, leaves_at_s)
        self._given += count
        wanted = count * SAMPLE_BYTES
        while (missing := wanted - len(self._ready)) > 0:
            ahead = math.ceil(missing / SAMPLE_BYTES * ratio)
            self._ready += self._resampler.feed(self._reel.take(ahead))
        out = bytes(self._ready[:wanted])
        del self._ready[:wanted]
        return out


class DeviceLoudspeaker:
    """A `Loudspeaker` on a driver. Reports come from the driver's thread, which runs in silence too.

    Args:
        stream: open, not started.
        clock: seconds; the clock in which the driver's latency passes.
        gone_after_s: see `Lifeline`.
    """

    def __init__(
        self,
        stream: OutputStream,
        *,
        clock: Callable[[], float] = time.monotonic,
        gone_after_s: float = GONE_AFTER_S,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._reel = Reel()
        self._spool = Spool(self._reel, rate_hz=stream.rate_hz)
        self._lifeline = Lifeline(device=stream.name, within_s=gone_after_s)

    @property
    def gaps(self) -> Gaps:
        """How often the next samples of a part came too late, and how much silence that made."""
        return self._reel.gaps

    def start(self, report: Report, *, fail: Fail | None = None) -> None:
        """As `Loudspeaker.start`."""

        def fill(count: int, latency_s: float) -> bytes:
            with self._lifeline.call():
                now_s = self._clock()
                pcm = self._spool.fill(count, leaves_at_s=now_s + latency_s)
                for played in self._reel.reports(now_s):
                    if not self._lifeline.is_over:
                        report(*played)
                return pcm

        self._lifeline.start(lambda lost: self._stream.start(fill, lost), fail)

    def play(self, response_id: str, item_id: str, content_index: int, pcm: bytes) -> None:
        """As `Loudspeaker.play`."""
        self._reel.append(response_id, item_id, content_index, pcm)

    def stop(self, response_ids: tuple[str, ...]) -> None:
        """As `Loudspeaker.stop`."""
        self._reel.drop(response_ids)

    def close(self) -> None:
        """As `Loudspeaker.close`. Waits for the driver's thread: up to a block, 20 ms."""
        self._lifeline.close()
        self._stream.close()


class DeviceCapture:
    """A `Capture` on a driver: frames of 20 ms, from the driver's thread.

    Args:
        stream: open, not started.
        gone_after_s: see `Lifeline`.
    """

    def __init__(self, stream: InputStream, *, gone_after_s: float = GONE_AFTER_S) -> None:
        self._stream = stream
        self._resampler = Resampler(from_hz=stream.rate_hz, to_hz=WIRE_RATE_HZ)
        self._framer = Framer(frame_ms=BLOCK_MS, sample_rate_hz=WIRE_RATE_HZ)
        self._lifeline = Lifeline(device=stream.name, within_s=gone_after_s)

    def start(self, give: Give, *, fail: Fail | None = None) -> None:
        """As `Capture.start`."""

        def take(pcm: bytes) -> None:
            with self._lifeline.call():
                for frame in self._framer.feed(self._resampler.feed(pcm)):
                    if not self._lifeline.is_over:
                        give(frame)

        self._lifeline.start(lambda lost: self._stream.start(take, lost), fail)

    def close(self) -> None:
        """As `Capture.close`. Waits for the driver's thread: up to a block, 20 ms."""
        self._lifeline.close()
        self._stream.close()
