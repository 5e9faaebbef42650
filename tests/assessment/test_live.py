"""One answer, as the policy reads it while the interview goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charye.assessment.live import Signal, score_turn
from charye.assessment.rubric import Level
from charye.assessment.speech import Speaker, Turn
from charye.assessment.sufficiency import Doubt
from tests.assessment.talks import interviews

if TYPE_CHECKING:
    from charye.assessment.live import TurnReading
    from charye.assessment.morphology import Kiwi


def read(text: str, kiwi: Kiwi, *, level: Level | None = Level.A2, question: str = "") -> TurnReading:
    return score_turn(Turn(Speaker.LEARNER, text), question=question, level=level, kiwi=kiwi)


@pytest.mark.parametrize(
    ("said", "level", "signal"),
    [
        ("", Level.A1, Signal.NO_KOREAN),
        ("I do not know Korean", Level.A1, Signal.OTHER_LANGUAGE),
        ("my hobby is 축구", Level.A1, Signal.OTHER_LANGUAGE),
        ("모르겠어요.", Level.B1, Signal.DONT_KNOW_CONTENT),
        ("음... 그건 잘 모르겠어요. 죄송합니다.", Level.B1, Signal.DONT_KNOW_CONTENT),
        ("무슨 말인지 모르겠어요.", Level.B1, Signal.DONT_KNOW_LANGUAGE),
        ("무슨 뜻이에요?", Level.B1, Signal.DONT_KNOW_LANGUAGE),
        ("주말, 영화, 친구", Level.A2, Signal.SINGLE_WORDS),
        ("좋은 점이 많다고 생각해요.", Level.B2, Signal.NO_PARAGRAPH),
    ],
)
def test_a_breakdown(said: str, level: Level, signal: Signal, kiwi: Kiwi) -> None:
    reading = read(said, kiwi, level=level)
    assert signal in reading.signals
    assert reading.score == 0


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("글쎄요... 저는 김밥을 좋아해요.", Level.A1),
        ("저는 학교을 가요.", Level.A1),
        ("네 명이에요.", Level.A1),
        ("영화, 음악", Level.A1),
        (
            "토요일에 친구하고 명동에 갔어요. 옷이 너무 비싸서 안 샀지만 떡볶이를 먹어서 기분이 좋았어요.",
            Level.A2,
        ),
    ],
)
def test_no_breakdown(said: str, level: Level, kiwi: Kiwi) -> None:
    reading = read(said, kiwi, level=level)
    assert reading.score == 2
    assert reading.signals == ()


def test_not_knowing_one_thing_inside_of_an_answer_is_no_breakdown(kiwi: Kiwi) -> None:
    reading = read(
        "이름은 모르겠어요. 그런데 그 식당은 학교 앞에 있어요. 음식이 싸고 맛있어서 자주 가요.", kiwi
    )
    assert reading.signals == ()


def test_a_short_answer_is_partial_and_marked_for_after_a_follow_up(kiwi: Kiwi) -> None:
    reading = read("영화를 봤어요.", kiwi, level=Level.B1)
    assert reading.score == 1
    assert reading.signals == (Signal.VERY_SHORT,)


def test_two_soft_signals_are_one_breakdown(kiwi: Kiwi) -> None:
    reading = read("음 어 저는 어제 친구를— 음 어 저는 시장에서— 음 밥을 먹었어요.", kiwi)
    assert {Signal.HESITATING, Signal.ABANDONING} <= set(reading.signals)
    assert reading.abandoned == 2
    assert reading.score == 0


def test_the_words_of_the_question_are_no_answer(kiwi: Kiwi) -> None:
    question = "지난 주말에 친구하고 무엇을 했어요?"
    reading = read("지난 주말에 친구하고 무엇을 했어요 네 좋아요", kiwi, level=Level.A1, question=question)
    assert Signal.ECHO in reading.signals
    assert reading.score == 1
    assert reading.eojeols == 2


def test_shared_words_tell_that_it_is_on_topic(kiwi: Kiwi) -> None:
    question = "무슨 음식을 좋아해요?"
    assert read("저는 매운 음식을 좋아해요.", kiwi, question=question).shared_words == 2
    assert read("비가 왔어요.", kiwi, question=question).shared_words == 0


def test_a_transcript_in_doubt_is_not_scored(kiwi: Kiwi) -> None:
    reading = read("시청해 주셔서 감사합니다.", kiwi)
    assert reading.doubt is Doubt.STOCK_PHRASE
    assert reading.score is None


def test_without_a_task_there_is_no_score(kiwi: Kiwi) -> None:
    reading = read("저는 학교에 갔어요.", kiwi, level=None)
    assert reading.score is None
    assert reading.eojeols == 3
    assert reading.position is not None


def test_answers_sustain_tasks_of_their_own_level_and_seldom_break_down(kiwi: Kiwi) -> None:
    scores: dict[Level, list[int]] = {level: [] for level in Level}
    beginners_above = []
    for interview in interviews():
        for question, answer in zip(interview.turns[::2], interview.turns[1::2], strict=True):
            reading = score_turn(answer, question=question.text, level=interview.level, kiwi=kiwi)
            assert reading.score is not None
            scores[interview.level].append(reading.score)
            if interview.level is Level.A1:
                beginners_above.append(
                    score_turn(answer, question=question.text, level=Level.B1, kiwi=kiwi).score
                )
    for level, found in scores.items():
        assert 0 not in found
        assert sum(score == 2 for score in found) / len(found) >= 0.6, level
    assert 2 not in beginners_above
