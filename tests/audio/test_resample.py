from __future__ import annotations

import itertools
import math
import sys
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.audio import pcm
from charye.audio.resample import Resampler
from charye.errors import MissingExtra


def sine(rate: int, *, hz: float = 440.0, seconds: float = 1.0, level: float = 0.5) -> bytes:
    count = round(rate * seconds)
    return pcm.pack(
        array("h", (round(level * 32_767 * math.sin(2 * math.pi * hz * n / rate)) for n in range(count)))
    )


def resampled(data: bytes, sizes: list[int], *, from_hz: int = 22_050, to_hz: int = 24_000) -> bytes:
    resampler = Resampler(from_hz=from_hz, to_hz=to_hz)
    out, at, turn = [], 0, 0
    while at < len(data):
        size = 2 * sizes[turn % len(sizes)]
        out.append(resampler.feed(data[at : at + size]))
        at, turn = at + size, turn + 1
    return b"".join([*out, resampler.flush()])


def test_a_sine_stays_a_sine_whatever_the_pieces() -> None:
    made = resampled(sine(22_050), [882, 1, 37])
    values = pcm.samples(made)
    assert len(values) == pytest.approx(24_000, abs=2)
    # No click: nowhere but at its two ends does it leave the sine of the new rate.
    ideal = pcm.samples(sine(24_000))
    worst = max(abs(a - b) for a, b in zip(values[200:-200], ideal[200 : len(values) - 200], strict=False))
    assert worst <= 12  # of 16,384


@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=5))
def test_the_pieces_make_no_difference(sizes: list[int]) -> None:
    data = sine(22_050, seconds=0.1)
    one, other = pcm.samples(resampled(data, [10**6])), pcm.samples(resampled(data, sizes))
    assert len(one) == len(other)
    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 1  # rounding


def test_the_same_stream_is_the_same_bytes() -> None:
    data = sine(22_050, seconds=0.2)
    assert resampled(data, [100]) == resampled(data, [100])


def test_full_scale_is_clipped_and_never_wraps_round() -> None:
    square = pcm.pack(array("h", ([32_767] * 50 + [-32_768] * 50) * 50))
    values = pcm.samples(resampled(square, [500]))
    flips = sum(abs(a - b) > 60_000 for a, b in itertools.pairwise(values))
    assert max(values) == 32_767
    assert flips <= 100  # a wrapped sample would be two more


def test_after_flush_a_new_stream_begins() -> None:
    resampler = Resampler(from_hz=16_000, to_hz=24_000)
    data = sine(16_000, seconds=0.1)
    first = resampler.feed(data) + resampler.flush()
    assert resampler.feed(data) + resampler.flush() == first


def test_equal_rates_pass_the_bytes_on() -> None:
    resampler = Resampler(from_hz=24_000, to_hz=24_000)
    assert resampler.feed(b"abcd") == b"abcd"
    assert resampler.flush() == b""
    assert resampler.to_hz == 24_000


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Resampler(from_hz=0, to_hz=24_000)
    with pytest.raises(ValueError, match="middle of a sample"):
        Resampler(from_hz=8_000, to_hz=24_000).feed(b"x")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtra) as caught:
        Resampler(from_hz=22_050, to_hz=24_000)
    assert 'uv add "charye[voice]"' in str(caught.value)
