from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.audio.framing import Framer


@given(st.lists(st.binary(max_size=300)), st.sampled_from([0.5, 10, 20]))
def test_nothing_is_lost_and_every_frame_is_whole(pieces: list[bytes], frame_ms: float) -> None:
    framer = Framer(frame_ms=frame_ms, sample_rate_hz=8_000)
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    assert {len(frame) for frame in frames} <= {framer.frame_bytes}
    assert framer.waiting_bytes < framer.frame_bytes
    whole = b"".join(pieces)
    assert b"".join(frames) + framer.flush() == whole[: len(whole) - len(whole) % 2]


def test_a_sample_may_arrive_in_halves() -> None:
    framer = Framer(frame_ms=1, sample_rate_hz=2_000)
    assert framer.feed(b"a") == []
    assert framer.feed(b"bcd") == [b"abcd"]


def test_the_last_frame_may_be_filled_up() -> None:
    framer = Framer(frame_ms=1, sample_rate_hz=3_000)
    framer.feed(b"abc")
    assert framer.flush(pad=True) == b"ab\0\0\0\0"
    assert framer.flush(pad=True) == b""


def test_a_frame_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        Framer(frame_ms=0.01, sample_rate_hz=8_000)
