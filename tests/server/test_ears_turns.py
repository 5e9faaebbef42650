"""Turns: read as what is heard, and what that makes known. All without a clock and without a sample."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.protocol import TurnDetection
from charye.server.activity.turns import EAGERNESS_SILENCE_MS, Turns
from charye.server.parts import SpeechFact, SpeechStarted, SpeechStopped

USUAL = TurnDetection(type="server_vad", threshold=0.5, silence_duration_ms=500, prefix_padding_ms=300)


def play(turns: Turns, ratings: list[float], *, frame_ms: float = 20.0) -> list[SpeechFact]:
    return [
        fact
        for at, rating in enumerate(ratings)
        for fact in turns.frame(rating, start_ms=at * frame_ms, end_ms=(at + 1) * frame_ms)
    ]


def heard(text: str, detection: TurnDetection | None = USUAL, *, frame_ms: float = 20.0) -> list[SpeechFact]:
    """`#` is loud, `~` wavers below the threshold, `.` is silence; a number repeats what follows."""
    ratings: list[float] = []
    count = ""
    for sign in text.replace(" ", ""):
        if sign.isdigit():
            count += sign
            continue
        ratings += [{"#": 0.9, "~": 0.4, ".": 0.0}[sign]] * int(count or 1)
        count = ""
    return play(Turns(detection), ratings, frame_ms=frame_ms)


def test_a_turn() -> None:
    # 200 ms of silence, a second of speech, silence
    assert heard("10. 50# 30.") == [SpeechStarted(200), SpeechStopped(1_700)]


def test_the_stop_comes_with_the_frame_that_completes_the_silence() -> None:
    assert heard("10. 50# 24.") == [SpeechStarted(200)]
    assert heard("10. 50# 25.") == [SpeechStarted(200), SpeechStopped(1_700)]


def test_a_click_is_no_speech() -> None:
    assert heard("10. 2# 50. 1# 1. 1# 50.") == []


def test_speech_begins_where_it_began_although_that_is_known_later() -> None:
    assert heard("5. 3#") == [SpeechStarted(100)]
    assert heard("5. 2#") == []


def test_a_voice_that_wavers_is_one_turn() -> None:
    assert heard("10# 20~ 5# 30~ 3#") == [SpeechStarted(0)]


def test_once_it_pauses_a_murmur_does_not_go_on() -> None:
    assert heard("10# 1. 30~") == [SpeechStarted(0), SpeechStopped(700)]


def test_a_pause_shorter_than_the_window_belongs_to_the_turn() -> None:
    assert heard("10# 24. 10# 25.") == [SpeechStarted(0), SpeechStopped(44 * 20 + 500)]


def test_turns_follow_each_other() -> None:
    assert heard("10# 30. 10# 30.") == [
        SpeechStarted(0),
        SpeechStopped(700),
        SpeechStarted(800),
        SpeechStopped(1_500),
    ]


def test_the_window_needs_not_be_a_number_of_frames() -> None:
    # 32 ms frames: the silence of 500 is complete in the sixteenth, and the position is exact all the same.
    assert heard("10# 16.", frame_ms=32.0) == [SpeechStarted(0), SpeechStopped(820)]


def test_without_a_window_the_first_silence_ends_the_turn() -> None:
    at_once = TurnDetection(threshold=0.5, silence_duration_ms=0)
    assert heard("10# 1.", at_once) == [SpeechStarted(0), SpeechStopped(200)]


def test_the_threshold_is_followed() -> None:
    assert heard("10#", TurnDetection(threshold=0.95, silence_duration_ms=500)) == []
    assert heard("10~", TurnDetection(threshold=0.4, silence_duration_ms=500)) == [SpeechStarted(0)]


@pytest.mark.parametrize(
    ("eagerness", "window"), [("low", 2_000), ("medium", 1_000), ("auto", 1_000), ("high", 500)]
)
def test_eagerness_is_a_window(eagerness: str, window: int) -> None:
    semantic = TurnDetection(type="semantic_vad", eagerness=eagerness)
    assert heard("10# 200.", semantic) == [SpeechStarted(0), SpeechStopped(200 + window)]
    assert EAGERNESS_SILENCE_MS[eagerness] == window


def test_fields_that_are_absent_or_unknown_have_the_defaults_of_the_api() -> None:
    usual = [SpeechStarted(0), SpeechStopped(700)]
    assert heard("10# 50.", TurnDetection()) == usual
    assert heard("10# 50.", TurnDetection(type="vad_of_tomorrow")) == usual
    assert heard("10# 100.", TurnDetection(type="semantic_vad")) == [SpeechStarted(0), SpeechStopped(1_200)]


def test_push_to_talk_finds_nothing() -> None:
    assert heard("100# 100.", None) == []


def test_forgotten_speech_has_no_stop_and_begins_anew() -> None:
    turns = Turns(USUAL)
    assert play(turns, [0.9] * 10) == [SpeechStarted(0)]
    before = turns.speaking
    turns.forget()
    assert (before, turns.speaking) == (True, False)
    assert turns.frame(0.0, start_ms=200, end_ms=220) == ()
    facts = [turns.frame(0.9, start_ms=at, end_ms=at + 20) for at in (220, 240, 260)]
    assert facts == [(), (), (SpeechStarted(220),)]


@given(
    st.lists(st.floats(0, 1), max_size=400),
    st.sampled_from([20.0, 32.0]),
    st.integers(0, 1_500),
    st.floats(0, 1),
)
def test_started_and_stopped_alternate_and_time_never_goes_back(
    ratings: list[float], frame_ms: float, silence_ms: int, threshold: float
) -> None:
    facts = play(
        Turns(TurnDetection(threshold=threshold, silence_duration_ms=silence_ms)), ratings, frame_ms=frame_ms
    )
    assert all(
        isinstance(fact, SpeechStarted if at % 2 == 0 else SpeechStopped) for at, fact in enumerate(facts)
    )
    times = [fact.at_ms for fact in facts]
    assert times == sorted(times)
    assert all(time <= len(ratings) * frame_ms for time in times)
