"""Speech is what is much louder than the quietest that was heard of late. Needs no model and no package."""

from __future__ import annotations

from charye.audio.framing import Framer
from charye.audio.pcm import WIRE_RATE_HZ, level_dbfs

__all__ = ["EnergyVad"]

_FRAME_MS = 20.0
# A third of the samples tell the level of a frame of noise with a deviation of 0.4 dB; the scale below has 24 of them.
_EVERY = 3

# The floor falls to quieter frames at once and rises slowly. Speech pauses for breath, so it does not lift the floor; a
# fan that was switched on does, and is no longer speech after some seconds.
_RISE_DB_PER_S = 3.0
_FLOOR_AT_FIRST_DBFS = -60.0
# Digital silence is no room: without this the faintest hiss after it would be 50 dB up. Above -35 nothing is a floor.
_LOWEST_FLOOR_DBFS, _HIGHEST_FLOOR_DBFS = -65.0, -35.0

# Decibels above the floor for a rating of 0 and of 1; the usual threshold of 0.5 is in the middle, at 15.
_SURELY_NOT_DB, _SURELY_DB = 3.0, 27.0


class EnergyVad:
    """Rate frames of 20 ms by their level above the noise floor. About 0.3 ms of CPU for a second of audio.

    It cannot tell a voice from a slammed door, nor a quiet one from the street: for that there is `SileroVad`.
    """

    def __init__(self) -> None:
        self._framer = Framer(frame_ms=_FRAME_MS, sample_rate_hz=WIRE_RATE_HZ)
        self._floor_dbfs = _FLOOR_AT_FIRST_DBFS

    @property
    def frame_ms(self) -> float:
        """Length of a frame."""
        return _FRAME_MS

    @property
    def floor_dbfs(self) -> float:
        """What it takes for silence here."""
        return self._floor_dbfs

    def rate(self, pcm: bytes) -> list[float]:
        """See `Detector.rate`."""
        return [self._rate_frame(level_dbfs(frame, every=_EVERY)) for frame in self._framer.feed(pcm)]

    def reset(self) -> None:
        """See `Detector.reset`. The room stays the same, and so does the floor."""
        self._framer.flush()

    def _rate_frame(self, level: float) -> float:
        rating = (level - self._floor_dbfs - _SURELY_NOT_DB) / (_SURELY_DB - _SURELY_NOT_DB)
        floor = min(level, self._floor_dbfs + _RISE_DB_PER_S * _FRAME_MS / 1000)
        self._floor_dbfs = max(_LOWEST_FLOOR_DBFS, min(_HIGHEST_FLOOR_DBFS, floor))
        return max(0.0, min(1.0, rating))
