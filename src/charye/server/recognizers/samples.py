"""What local recognisers take: floats at 16 kHz."""

from __future__ import annotations

from typing import Any

from charye.audio.pcm import WIRE_RATE_HZ
from charye.audio.resample import Resampler

__all__ = ["RATE_HZ", "floats"]

RATE_HZ = 16_000


def floats(pcm: bytes) -> Any:
    """24 kHz samples as a numpy array of float32, -1 to 1, at 16 kHz. Not for the event loop."""
    import numpy

    resampler = Resampler(from_hz=WIRE_RATE_HZ, to_hz=RATE_HZ)
    return numpy.frombuffer(resampler.feed(pcm) + resampler.flush(), "<i2").astype(numpy.float32) / 32_768
