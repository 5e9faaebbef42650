"""A voice for tests: each syllable is a beep, and the same text is the same bytes on every machine."""

from __future__ import annotations

import asyncio
import math
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING

from charye.audio.pcm import WIRE_RATE_HZ, duration_ms, pack, silence
from charye.server.korean import syllables_in
from charye.server.parts import Spoken, WordTime
from charye.server.voices.checks import check_speed
from charye.server.voices.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["ToneVoice"]

_HZ = (220, 262, 294, 330, 392)  # a pentatonic scale: any order of them is bearable
_GAP_MS = 60.0  # at the end of each word
_LEVEL = 8_000  # -12 dBFS at the peak
_FADE = 120  # samples; 5 ms


class ToneVoice:
    """Needs no package. Duration is syllables times `syllable_ms`, over the speed, rounded to whole samples.

    Args:
        syllable_ms: at speed 1.0.
    """

    def __init__(self, *, syllable_ms: float = 200.0) -> None:
        self._syllable_ms = syllable_ms

    async def speak(
        self, text: str, *, voice: str = "alloy", speed: float = 1.0, language: str | None = None
    ) -> AsyncIterator[Spoken]:
        """See `charye.server.parts.Voice`. `voice` and `language` make no difference.

        Raises:
            ConfigurationError: `speed` is not within 0.25 to 1.5.
        """
        check_speed(speed)
        pieces = Pieces()
        for number, word in enumerate(_words(text)):
            length_ms = syllables_in(word) * self._syllable_ms / speed
            gap_ms = min(_GAP_MS / speed, length_ms / 2)
            start_ms = pieces.heard_ms
            beep = _beep(_HZ[number % len(_HZ)], round((length_ms - gap_ms) * WIRE_RATE_HZ / 1000))
            times = WordTime(word, start_ms, start_ms + duration_ms(beep, sample_rate_hz=WIRE_RATE_HZ))
            for piece in pieces.add(beep + silence(gap_ms, sample_rate_hz=WIRE_RATE_HZ), [times]):
                yield piece
                await asyncio.sleep(0)  # a turn for others, as a voice with real work would give
        for piece in pieces.flush():
            yield piece


def _words(text: str) -> list[str]:
    return [word for word in text.split() if any(map(str.isalnum, word))]


@lru_cache(maxsize=64)
def _beep(hz: int, length: int) -> bytes:
    values = array("h")
    for at in range(length):
        edge = min(1.0, at / _FADE, (length - 1 - at) / _FADE)
        values.append(round(_LEVEL * edge * math.sin(2 * math.pi * hz * at / WIRE_RATE_HZ)))
    return pack(values)
