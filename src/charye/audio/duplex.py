"""Half duplex: the microphone is shut while the loudspeaker sounds, for who has no headphones.

Without it the server hears its own voice from the loudspeaker, takes it for the user and interrupts itself. The price:
the user cannot interrupt by speaking. The application gives them a button, which silences the loudspeaker; the
microphone opens a tail later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from charye.audio.pcm import WIRE_RATE_HZ, duration_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from charye.audio.sound import Capture, Fail, Give, Loudspeaker, Report

__all__ = ["TAIL_MS", "HalfDuplex"]

TAIL_MS = 250.0
"""The room rings on, the driver plays on for some tens of milliseconds, and the microphone's own driver is as late."""

PATIENCE_S = 1.0
"""A loudspeaker without a report for so long after it must have finished is taken for silent: nobody stays mute."""

_REMEMBERED = 64  # parts; more than are ever queued, and a conversation of hours must not grow
_DRAINED_MS = 1.0  # a resampler may report a fraction less than was queued


class HalfDuplex:
    """A pair of devices of which one is open at a time. Use `microphone` and `loudspeaker` in their place.

    Args:
        capture: the real microphone.
        loudspeaker: the real loudspeaker.
        tail_ms: for so long the microphone stays shut after the last sound.
        gives_silence: while it is shut, zeros come at the pace of the microphone, so that a server that listens for
            the end of a turn goes on hearing a room; without it nothing comes, for push-to-talk.
        clock: seconds; with files as devices, that of their loop.
    """

    def __init__(
        self,
        capture: Capture,
        loudspeaker: Loudspeaker,
        *,
        tail_ms: float = TAIL_MS,
        gives_silence: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gate = _Gate(tail_s=tail_ms / 1000, clock=clock)
        self.microphone: Capture = _ShutCapture(capture, self._gate, gives_silence=gives_silence)
        self.loudspeaker: Loudspeaker = _WatchedLoudspeaker(loudspeaker, self._gate)

    @property
    def is_open(self) -> bool:
        """Whether the microphone hears now."""
        return self._gate.is_open


@dataclass(slots=True)
class _Part:
    response_id: str
    queued_ms: float = 0.0
    heard_ms: float = 0.0

    @property
    def left_ms(self) -> float:
        """Of what was queued; 0 when it is heard but for a rounding."""
        left_ms = self.queued_ms - self.heard_ms
        return left_ms if left_ms >= _DRAINED_MS else 0.0


class _Gate:
    """Shut from the first sample queued until a tail after the last one was heard. From any thread."""

    def __init__(self, *, tail_s: float, clock: Callable[[], float]) -> None:
        self._tail_s = tail_s
        self._clock = clock
        self._lock = Lock()
        self._parts: dict[tuple[str, int], _Part] = {}
        self._moved_at = 0.0
        self._quiet_at = float("-inf")  # since when nothing is left

    @property
    def is_open(self) -> bool:
        now_s = self._clock()
        with self._lock:
            left_ms = self._left_ms()
            if left_ms and now_s >= self._moved_at + left_ms / 1000 + PATIENCE_S:
                self._parts.clear()
                self._quiet_at = now_s - self._tail_s
                left_ms = 0.0
            return not left_ms and now_s >= self._quiet_at + self._tail_s

    def queued(self, response_id: str, item_id: str, content_index: int, ms: float) -> None:
        key = (item_id, content_index)
        with self._lock:
            if not self._left_ms():
                self._moved_at = self._clock()
            part = self._parts.setdefault(key, _Part(response_id))
            part.queued_ms += ms
            if len(self._parts) > _REMEMBERED:
                del self._parts[next(iter(self._parts))]

    def heard(self, item_id: str, content_index: int, played_ms: float) -> None:
        with self._lock:
            # Of a part that was stopped, too: what the driver had of it has sounded until now.
            self._moved_at = self._quiet_at = self._clock()
            part = self._parts.get((item_id, content_index))
            if part is not None:
                part.heard_ms = max(part.heard_ms, played_ms)

    def stopped(self, response_ids: tuple[str, ...]) -> None:
        with self._lock:
            if any(part.left_ms and part.response_id in response_ids for part in self._parts.values()):
                self._quiet_at = self._clock()
            self._parts = {
                key: part for key, part in self._parts.items() if part.response_id not in response_ids
            }

    def _left_ms(self) -> float:
        return sum(part.left_ms for part in self._parts.values())


class _ShutCapture:
    def __init__(self, capture: Capture, gate: _Gate, *, gives_silence: bool) -> None:
        self._capture = capture
        self._gate = gate
        self._gives_silence = gives_silence

    def start(self, give: Give, *, fail: Fail | None = None) -> None:
        def pass_on(pcm: bytes) -> None:
            if self._gate.is_open:
                give(pcm)
            elif self._gives_silence:
                give(bytes(len(pcm)))

        self._capture.start(pass_on, fail=fail)

    def close(self) -> None:
        self._capture.close()


class _WatchedLoudspeaker:
    def __init__(self, loudspeaker: Loudspeaker, gate: _Gate) -> None:
        self._loudspeaker = loudspeaker
        self._gate = gate

    def start(self, report: Report, *, fail: Fail | None = None) -> None:
        def pass_on(item_id: str, content_index: int, played_ms: float) -> None:
            self._gate.heard(item_id, content_index, played_ms)
            report(item_id, content_index, played_ms)

        self._loudspeaker.start(pass_on, fail=fail)

    def play(self, response_id: str, item_id: str, content_index: int, pcm: bytes) -> None:
        # Shut before the first sample can sound.
        self._gate.queued(response_id, item_id, content_index, duration_ms(pcm, sample_rate_hz=WIRE_RATE_HZ))
        self._loudspeaker.play(response_id, item_id, content_index, pcm)

    def stop(self, response_ids: tuple[str, ...]) -> None:
        self._loudspeaker.stop(response_ids)
        self._gate.stopped(response_ids)

    def close(self) -> None:
        self._loudspeaker.close()
