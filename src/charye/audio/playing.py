"""What a loudspeaker has queued, and what of it has been heard: the arithmetic, without a device and without a clock.

Three moments of a sample are kept apart: it is *queued* (`append`), *handed* to the driver (`take`), and it *leaves*
the loudspeaker, a latency later (`leaves` says when). Only what has left is reported, because a person at a barge-in
has heard that and no more.

Two threads meet here: the session's loop appends and drops, the driver's thread takes and asks for reports. One lock
guards both, held for microseconds (3 for a block; 300 for a cut of five minutes): nothing is done under it but moving
references and copying one block. A queue without a lock would not do, because a cut looks at the sample that sounds and
drops what is behind it in one step. The lock costs no wait that the interpreter's own does not: who holds it never
waits for anything, and the driver's thread needs the interpreter anyway.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from charye.audio.pcm import SAMPLE_BYTES, WIRE_RATE_HZ, byte_count, check_whole, pack, samples

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["FADE_MS", "REPORT_EVERY_S", "Gaps", "Played", "Reel"]

FADE_MS = 5.0
"""A part that is cut while it sounds fades for so long. Cut at once, it would click."""

REPORT_EVERY_S = 0.1
"""Time between two reports of one part that goes on."""

_REMEMBERED = 64  # parts; more than are ever queued, and a conversation of hours must not grow
_ROUNDING = 1e-6  # samples; times are floats


class Played(NamedTuple):
    """So much of a part has left the loudspeaker, counted from the part's start."""

    item_id: str
    content_index: int
    played_ms: float


class Gaps(NamedTuple):
    """Silence in the middle of parts, because their next samples came too late."""

    underruns: int
    silent_ms: float


@dataclass(slots=True, eq=False)
class _Part:
    response_id: str
    item_id: str
    content_index: int
    queued: int = 0  # samples that were appended and not dropped
    handed: int = 0
    heard: int = 0
    told: int = 0

    @property
    def drained(self) -> bool:
        return self.heard == self.queued


@dataclass(slots=True)
class _Piece:
    part: _Part
    pcm: memoryview
    is_fade: bool = False


@dataclass(slots=True)
class _Span:
    """A run of samples of one part in what was handed out. `start` counts all samples ever taken, silence too."""

    part: _Part
    start: int
    first: int  # in the part
    count: int


@dataclass(slots=True, frozen=True)
class _Mark:
    start: float
    count: float
    at_s: float


class Reel:
    """The queue of one loudspeaker, at 24 kHz. Any method may be called from any thread.

    Args:
        fade_ms: how long a part fades that is cut while it sounds.
        report_every_s: time between two reports of what goes on.
    """

    __slots__ = (
        "_every_s",
        "_fade_bytes",
        "_gaps",
        "_known",
        "_last",
        "_left",
        "_line",
        "_lock",
        "_marks",
        "_moved",
        "_position",
        "_silent",
        "_spans",
        "_told_at",
    )

    def __init__(self, *, fade_ms: float = FADE_MS, report_every_s: float = REPORT_EVERY_S) -> None:
        self._lock = Lock()
        self._fade_bytes = byte_count(fade_ms, sample_rate_hz=WIRE_RATE_HZ)
        self._every_s = report_every_s
        self._line: deque[_Piece] = deque()
        self._known: dict[tuple[str, str, int], _Part] = {}
        self._position = 0
        self._spans: deque[_Span] = deque()
        self._marks: deque[_Mark] = deque()
        self._left = 0.0  # samples that have left, silence too
        self._moved: dict[int, _Part] = {}  # heard further than told, in the order of the loudspeaker
        self._told_at = float("-inf")
        self._last: _Part | None = None  # whose sample was the last that was no silence
        self._silent = 0  # samples of silence since
        self._gaps = Gaps(0, 0.0)

    @property
    def position(self) -> int:
        """Samples taken so far, silence too: the number of the next one."""
        return self._position

    @property
    def gaps(self) -> Gaps:
        """Underruns so far."""
        return self._gaps

    @property
    def is_quiet(self) -> bool:
        """Whether all that was queued has left, and that has been said."""
        with self._lock:
            return not (self._line or self._spans or self._moved)

    def append(self, response_id: str, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue samples behind everything queued before.

        Raises:
            ValueError: `pcm` ends in the middle of a sample.
        """
        check_whole(pcm)
        if not pcm:
            return
        key = (response_id, item_id, content_index)
        with self._lock:
            part = self._known.get(key)
            if part is None:
                part = self._known[key] = _Part(*key)
                if len(self._known) > _REMEMBERED:
                    del self._known[next(iter(self._known))]
            part.queued += len(pcm) // SAMPLE_BYTES
            self._line.append(_Piece(part, memoryview(pcm)))

    def take(self, count: int) -> bytes:
        """The next `count` samples for the driver; silence where nothing is queued."""
        out = bytearray()
        wanted = count * SAMPLE_BYTES
        with self._lock:
            while self._line and len(out) < wanted:
                piece = self._line[0]
                data = piece.pcm[: wanted - len(out)]
                out += data
                self._hand(piece.part, len(data) // SAMPLE_BYTES)
                piece.pcm = piece.pcm[len(data) :]
                if not piece.pcm:
                    self._line.popleft()
            missing = (wanted - len(out)) // SAMPLE_BYTES
            self._silent += missing
            self._position += missing
        return bytes(out.ljust(wanted, b"\0"))

    def drop(self, response_ids: Collection[str]) -> None:
        """Forget what is queued of these responses. The one that sounds fades; others go on, in their order.

        What the driver has taken already cannot be taken back: it sounds, and it is reported.
        """
        with self._lock:
            fading = self._last if self._silent == 0 else None
            fade = bytearray()
            kept: deque[_Piece] = deque()
            for piece in self._line:
                if piece.is_fade or piece.part.response_id not in response_ids:
                    kept.append(piece)
                    continue
                piece.part.queued -= len(piece.pcm) // SAMPLE_BYTES
                if piece.part is fading:
                    fade += piece.pcm[: self._fade_bytes - len(fade)]
            if fading is not None and fade:
                fading.queued += len(fade) // SAMPLE_BYTES
                kept.appendleft(_Piece(fading, memoryview(_faded(bytes(fade))), is_fade=True))
            self._line = kept
            self._known = {key: part for key, part in self._known.items() if key[0] not in response_ids}

    def leaves(self, start: float, count: float, at_s: float) -> None:
        """Sample number `start`, and evenly `count` samples from there on, leave the loudspeaker from `at_s` on.

        Args:
            start: counted as `position`; not whole where a driver has another rate.
            at_s: seconds, of the clock of `reports`. A later saying may correct what an earlier one made too late.
        """
        with self._lock:
            self._marks.append(_Mark(start, count, at_s))

    def reports(self, now_s: float) -> list[Played]:
        """What is due to be said: parts that have ended by now, and each `report_every_s` how far the current one is.

        A part has ended when all that is queued of it has left. If it grows again, it will end again.
        """
        with self._lock:
            self._advance(now_s)
            periodic = now_s - self._told_at >= self._every_s
            due = [part for part in self._moved.values() if periodic or part.drained]
            if due:
                self._told_at = now_s
            for part in due:
                part.told = part.heard
                del self._moved[id(part)]
            return [
                Played(part.item_id, part.content_index, part.heard * 1000 / WIRE_RATE_HZ) for part in due
            ]

    # inside, under the lock

    def _hand(self, part: _Part, count: int) -> None:
        if self._silent and part is self._last:
            silent_ms = self._silent * 1000 / WIRE_RATE_HZ
            self._gaps = Gaps(self._gaps.underruns + 1, self._gaps.silent_ms + silent_ms)
        self._last, self._silent = part, 0
        last = self._spans[-1] if self._spans else None
        if last is not None and last.part is part and last.start + last.count == self._position:
            last.count += count
        else:
            self._spans.append(_Span(part, self._position, part.handed, count))
        part.handed += count
        self._position += count

    def _advance(self, now_s: float) -> None:
        while self._marks and self._marks[0].at_s <= now_s:
            mark = self._marks[0]
            gone = (now_s - mark.at_s) * WIRE_RATE_HZ
            self._left = mark.start + min(mark.count, gone)
            if gone < mark.count and not (len(self._marks) > 1 and self._marks[1].at_s <= now_s):
                break
            self._marks.popleft()
        while self._spans and self._spans[0].start < self._left:
            span = self._spans[0]
            done = min(span.count, int(self._left - span.start + _ROUNDING))
            if span.first + done > span.part.heard:
                span.part.heard = span.first + done
                self._moved[id(span.part)] = span.part
            if done < span.count:
                break
            self._spans.popleft()


def _faded(pcm: bytes) -> bytes:
    values = samples(pcm)
    steps = len(values) + 1
    return pack(array("h", (round(value * (1 - at / steps)) for at, value in enumerate(values, 1))))
