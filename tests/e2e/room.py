"""A loudspeaker in a room, by the clock of the session's loop: it knows to the millisecond what was heard there."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass

from charye.audio.pcm import WIRE_RATE_HZ, duration_ms
from charye.audio.sound import Fail, Report

__all__ = ["Room"]

_INAUDIBLE_MS = 5.0
"""In real time a session that reckons by its clock may be over some milliseconds before the room is."""


@dataclass(slots=True)
class _Piece:
    response_id: str
    item_id: str
    content_index: int
    length_ms: float


class Room:
    """A `Loudspeaker`. What it says was heard is what the laws are about: nothing of the session is asked.

    Args:
        reports: tells the session what it has played; without, the session reckons by its clock.
    """

    def __init__(self, *, reports: bool) -> None:
        self.reports = reports
        self._report: Report | None = None
        self._queue: deque[_Piece] = deque()
        self._sounding: tuple[_Piece, float, asyncio.TimerHandle] | None = None
        self._played: dict[tuple[str, int], float] = defaultdict(float)
        self._is_closed = False
        self.heard_ms: dict[str, float] = defaultdict(float)
        """Of each response, in the order in which they began to sound."""
        self.stopped: set[str] = set()
        """Responses that were silenced before their end."""

    def heard_in_full(self, response_id: str, length_ms: float) -> bool:
        """Whether somebody has heard all of it."""
        return self.heard_ms.get(response_id, 0.0) >= length_ms - _INAUDIBLE_MS

    # as a loudspeaker

    def start(self, report: Report, *, fail: Fail | None = None) -> None:
        """See `Loudspeaker.start`."""
        self._report = report

    def play(self, response_id: str, item_id: str, content_index: int, pcm: bytes) -> None:
        """See `Loudspeaker.play`."""
        if not self._is_closed:
            length_ms = duration_ms(pcm, sample_rate_hz=WIRE_RATE_HZ)
            self._queue.append(_Piece(response_id, item_id, content_index, length_ms))
            if self._sounding is None:
                self._next(_now())

    def stop(self, response_ids: tuple[str, ...]) -> None:
        """See `Loudspeaker.stop`."""
        self._catch_up()
        self.stopped.update(piece.response_id for piece in self._queue if piece.response_id in response_ids)
        self._queue = deque(piece for piece in self._queue if piece.response_id not in response_ids)
        if self._sounding is None or self._sounding[0].response_id not in response_ids:
            return
        piece, since, timer = self._sounding
        timer.cancel()
        self.stopped.add(piece.response_id)
        self._sounded(piece, _part_ms(piece, since))
        self._next(_now())

    def close(self) -> None:
        """See `Loudspeaker.close`."""
        self._catch_up()
        self._is_closed = True
        self._queue.clear()
        if self._sounding is not None:
            piece, since, timer = self._sounding
            timer.cancel()
            self._sounded(piece, _part_ms(piece, since))
            self._sounding = None

    # inside

    def _next(self, begins: float) -> None:
        self._sounding = None
        if self._queue:
            piece = self._queue.popleft()
            timer = asyncio.get_running_loop().call_at(begins + piece.length_ms / 1000, self._through)
            self._sounding = piece, begins, timer

    def _catch_up(self) -> None:
        """What has sounded by now, though the loop has not come round to it."""
        while self._sounding is not None:
            piece, began, timer = self._sounding
            if began + piece.length_ms / 1000 > _now():
                return
            timer.cancel()
            self._through()

    def _through(self) -> None:
        assert self._sounding is not None
        piece, began, _ = self._sounding
        self._sounded(piece, piece.length_ms)
        self._next(began + piece.length_ms / 1000)  # a loop that is late does not make a sound card late

    def _sounded(self, piece: _Piece, ms: float) -> None:
        self.heard_ms[piece.response_id] += ms
        self._played[piece.item_id, piece.content_index] += ms
        if self.reports and self._report is not None and not self._is_closed:
            self._report(piece.item_id, piece.content_index, self._played[piece.item_id, piece.content_index])


def _part_ms(piece: _Piece, since: float) -> float:
    return min((_now() - since) * 1000, piece.length_ms)


def _now() -> float:
    return asyncio.get_running_loop().time()
