"""Timing: rates, pauses and latency from times; numbers are counted as they are read."""

from __future__ import annotations

import pytest

from charye.assessment.speech import Source, Speaker, Turn, Word
from charye.assessment.timing import read_timing, spoken_syllables


def said(text: str, start_s: float, end_s: float, *, source: Source = Source.SPEECH) -> Turn:
    return Turn(Speaker.LEARNER, text, start_s * 1000, end_s * 1000, source=source)


def asked(end_s: float, *, interrupted_s: float | None = None) -> Turn:
    interrupted_at = None if interrupted_s is None else interrupted_s * 1000
    return Turn(Speaker.INTERVIEWER, "뭐 했어요?", 0, end_s * 1000, interrupted_at_ms=interrupted_at)


def words(*timed: tuple[str, float, float]) -> Turn:
    return Turn(
        Speaker.LEARNER,
        " ".join(text for text, _, _ in timed),
        words=tuple(Word(text, start * 1000, end * 1000) for text, start, end in timed),
    )


@pytest.mark.parametrize(
    ("text", "syllables"),
    [
        ("안녕하세요", 5),
        ("3개", 2),  # 삼개
        ("10", 1),  # 십
        ("11", 2),  # 십일
        ("20", 2),  # 이십
        ("100", 1),  # 백
        ("2024", 5),  # 이천이십사
        ("10000", 2),  # 일만, or 만
        ("12345", 9),  # 일만이천삼백사십오
        ("100000000", 2),  # 일억
        ("010", 3),  # 공일공
        ("0", 1),
        ("", 0),
        ("hello", 0),
    ],
)
def test_syllables(text: str, syllables: int) -> None:
    assert spoken_syllables(text) == syllables


def test_without_times_there_is_nothing_to_say() -> None:
    assert read_timing((asked(1), Turn(Speaker.LEARNER, "학교에 갔어요."))) is None
    assert read_timing(()) is None


def test_rate_and_latency_from_the_ends_of_turns() -> None:
    timing = read_timing((asked(1), said("학교에 갔어요", 3, 5), asked(6), said("집에 갔어요", 7, 9)))
    assert timing is not None
    found = {reading.name: reading.value for reading in timing.readings}
    assert found == {"speech_rate": (6 + 5) / 4, "latency_s": 1.5}
    assert timing.articulation_rate is None
    assert (timing.turns, timing.speaking_s, timing.syllables) == (2, 4.0, 11)


def test_pauses_from_the_times_of_words() -> None:
    # 8 s in all; silent from 1 to 3 (long), from 4 to 4.5, and too short to count from 6 to 6.2
    timing = read_timing((words(("저는", 0, 1), ("학교에", 3, 4), ("어제", 4.5, 6), ("갔어요", 6.2, 8)),))
    assert timing is not None
    found = {reading.name: reading.value for reading in timing.readings}
    assert found["pause_ratio"] == pytest.approx(2.5 / 8, abs=1e-4)
    assert found["long_pauses"] == pytest.approx(60 / 8)
    assert found["mean_run"] == pytest.approx(10 / 3, abs=1e-4)
    assert found["speech_rate"] == pytest.approx(10 / 8)
    assert timing.articulation_rate == pytest.approx(10 / 5.5, abs=1e-4)


def test_an_interrupted_question_was_over_when_it_was_interrupted() -> None:
    timing = read_timing((asked(10, interrupted_s=4), said("네 알아요", 5, 6)))
    assert timing is not None
    assert {reading.name: reading.value for reading in timing.readings}["latency_s"] == 1.0


def test_an_answer_before_the_end_of_the_question_has_no_latency() -> None:
    timing = read_timing((asked(10), said("네 알아요", 5, 6)))
    assert timing is not None
    assert [reading.name for reading in timing.readings] == ["speech_rate"]


def test_typed_turns_and_turns_left_out_have_no_times() -> None:
    typed = said("학교에 갔어요", 3, 4, source=Source.TYPED)
    assert read_timing((asked(1), typed)) is None
    assert read_timing((asked(1), said("학교에 갔어요", 3, 4)), leave_out=[1]) is None


def test_faster_speech_and_fewer_pauses_stand_higher() -> None:
    slow = read_timing((asked(1), said("학교에 갔어요", 6, 12)))
    quick = read_timing((asked(1), said("학교에 갔어요", 1.5, 3)))
    assert slow is not None
    assert quick is not None
    assert slow.position == 0.5
    assert quick.position == 3.5
