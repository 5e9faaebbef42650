from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.audio import pcm


def sine(level: float, *, samples: int = 2_400, hz: float = 1_000.0) -> bytes:
    return pcm.pack(
        array("h", (round(level * 32_767 * math.sin(2 * math.pi * hz * n / 24_000)) for n in range(samples)))
    )


def test_a_duration_is_samples_over_rate() -> None:
    assert pcm.duration_ms(bytes(4_800), sample_rate_hz=24_000) == 100.0
    assert pcm.duration_ms(b"", sample_rate_hz=24_000) == 0.0


def test_half_a_sample_is_refused() -> None:
    for function in (pcm.level_dbfs, pcm.peak_dbfs, pcm.samples, pcm.check_whole):
        with pytest.raises(ValueError, match="middle of a sample"):
            function(b"abc")
    with pytest.raises(ValueError, match="middle of a sample"):
        pcm.duration_ms(b"a", sample_rate_hz=24_000)


@given(st.integers(0, 100_000), st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000]))
def test_duration_and_bytes_are_each_others_opposite(samples: int, rate: int) -> None:
    size = samples * pcm.SAMPLE_BYTES
    assert pcm.byte_count(pcm.duration_ms(bytes(size), sample_rate_hz=rate), sample_rate_hz=rate) == size


def test_bytes_are_whole_samples_rounded_down_and_never_negative() -> None:
    assert pcm.byte_count(0.99, sample_rate_hz=1_000) == 0
    assert pcm.byte_count(1.99, sample_rate_hz=1_000) == 2
    assert pcm.byte_count(-5, sample_rate_hz=24_000) == 0
    assert pcm.silence(10, sample_rate_hz=24_000) == bytes(480)


def test_levels() -> None:
    assert pcm.level_dbfs(sine(1.0)) == pytest.approx(-3.01, abs=0.02)
    assert pcm.level_dbfs(sine(0.1)) == pytest.approx(-23.01, abs=0.02)
    assert pcm.peak_dbfs(sine(0.5)) == pytest.approx(-6.02, abs=0.02)
    assert pcm.level_dbfs(sine(0.1), every=2) == pytest.approx(-23.01, abs=0.02)
    assert pcm.level_dbfs(b"\x00\x80" * 100) == 0.0  # the most negative sample has no positive twin
    assert pcm.peak_dbfs(b"\x00\x80") == 0.0


def test_silence_has_a_level_that_is_a_number() -> None:
    assert pcm.level_dbfs(b"") == pcm.level_dbfs(bytes(100)) == pcm.peak_dbfs(b"") == pcm.SILENCE_DBFS


def test_samples_are_little_endian() -> None:
    assert list(pcm.samples(b"\x01\x00\xff\xff\x00\x80")) == [1, -1, -32_768]
    assert pcm.pack(array("h", [1, -1, -32_768])) == b"\x01\x00\xff\xff\x00\x80"
