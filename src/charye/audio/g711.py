"""G.711, the telephone's 8 bits for a sample, both laws and both ways: `audio/pcmu` and `audio/pcma`.

By table: 256 entries to decode, 65,536 to encode, each computed once when first needed. The rate is not changed;
G.711 is 8 kHz on the wire.
Source: ITU-T G.711, tables 1a to 2b. Samples there have 14 (µ-law) and 13 (A-law) bits; ours are those shifted to 16.
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import TYPE_CHECKING

from charye.audio import pcm as arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RATE_HZ", "alaw_decode", "alaw_encode", "ulaw_decode", "ulaw_encode"]

RATE_HZ = 8_000

_ULAW_BIAS = 33  # makes each segment begin at a power of two
_ULAW_CLIP = 8_158


def ulaw_decode(data: bytes) -> bytes:
    """µ-law bytes as PCM of the same number of samples. Any bytes are valid."""
    return arithmetic.pack(array("h", map(_decoder(_ulaw_value).__getitem__, data)))


def ulaw_encode(pcm: bytes) -> bytes:
    """PCM as µ-law, one byte for each sample.

    Raises:
        ValueError: `pcm` ends in the middle of a sample.
    """
    return bytes(map(_encoder(_ulaw_code).__getitem__, arithmetic.samples(pcm)))


def alaw_decode(data: bytes) -> bytes:
    """A-law bytes as PCM of the same number of samples. Any bytes are valid."""
    return arithmetic.pack(array("h", map(_decoder(_alaw_value).__getitem__, data)))


def alaw_encode(pcm: bytes) -> bytes:
    """PCM as A-law, one byte for each sample.

    Raises:
        ValueError: `pcm` ends in the middle of a sample.
    """
    return bytes(map(_encoder(_alaw_code).__getitem__, arithmetic.samples(pcm)))


@cache
def _decoder(value: Callable[[int], int]) -> tuple[int, ...]:
    return tuple(value(code) for code in range(256))


@cache
def _encoder(code: Callable[[int], int]) -> bytes:
    """Indexed by a signed sample: negative ones count from the end, as everywhere in Python."""
    return bytes(code(sample) for sample in (*range(32_768), *range(-32_768, 0)))


def _ulaw_value(code: int) -> int:
    code = ~code & 0xFF
    segment, step = code >> 4 & 7, code & 15
    magnitude = ((step << 1) + _ULAW_BIAS << segment) - _ULAW_BIAS << 2
    return -magnitude if code & 0x80 else magnitude


def _ulaw_code(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    # The standard's 14 bits, rounded down on both sides of zero, as in Sun's coder, which everybody has copied.
    magnitude = min(abs(sample >> 2), _ULAW_CLIP) + _ULAW_BIAS
    segment = magnitude.bit_length() - 6
    return ~(sign | segment << 4 | magnitude >> segment + 1 & 15) & 0xFF


def _alaw_value(code: int) -> int:
    code ^= 0x55
    segment, step = code >> 4 & 7, code & 15
    # Half a step is added: a code stands for the middle of what it covers.
    magnitude = (step << 4) + 8 if segment == 0 else (step << 4) + 0x108 << segment - 1
    return magnitude if code & 0x80 else -magnitude


def _alaw_code(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    # One's complement for negatives, as in the standard: -1 is the smallest negative value, not a second zero.
    magnitude = sample if sample >= 0 else ~sample
    segment = max(0, magnitude.bit_length() - 8)
    return (sign | segment << 4 | magnitude >> max(segment, 1) + 3 & 15) ^ 0x55
