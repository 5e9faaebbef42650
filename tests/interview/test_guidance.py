from __future__ import annotations

import json

import pytest

from charye.interview import prompts
from charye.interview.guidance import Keep, guidance, may_close, must_close, on_assessment_call, on_model_turn
from charye.interview.learners import SimulatedLearner, converse
from charye.interview.levels import LEVELS, Level
from charye.interview.moves import Close, Listen, Reason
from charye.interview.plan import Phase
from charye.interview.policy import Progress, start
from tests.interview.talk import checking, plan, say, silent


def last_question() -> Progress:
    for progress, _, _ in converse(plan(), SimulatedLearner(Level.A2, 0, noise=0.0), seed=0):
        if progress.state.phase is Phase.WIND_DOWN:
            return progress
    raise AssertionError("there was no last question")


def over() -> Progress:
    *_, (progress, _, _) = converse(plan(), SimulatedLearner(Level.A2, 0, noise=0.0), seed=0)
    return progress


def test_guidance_says_what_the_interviewer_would_say() -> None:
    progress, move = start(plan(), seed=1)
    given = guidance(progress)
    assert given["say"] == move.say
    assert given["over"] is False
    assert given["turns_left"] == 14
    json.dumps(given)


def test_reading_it_twice_changes_nothing() -> None:
    progress, _ = checking()
    assert guidance(progress) == guidance(progress)


def test_it_never_names_a_level() -> None:
    for level in LEVELS:
        for progress, _, _ in converse(plan(), SimulatedLearner(level, 1), seed=1):
            shown = json.dumps(guidance(progress), ensure_ascii=False)
            assert not any(name.value in shown for name in LEVELS)


def test_what_the_learner_said_is_not_in_it() -> None:
    progress, _ = checking()
    monologue = " ".join(
        ["사회의 변화에 따라 제도를 고쳐야 한다는 점에서 정부의 책임이 크다고 생각합니다."] * 6
    )
    progress, move = say(
        progress, "저는 버스를 타고 회사에 가는데 조금 멀어요.", f"{monologue} 저는 미래를 봅니다."
    )
    assert "미래" in move.say
    assert "미래" not in guidance(progress)["say"]


def test_after_a_move_without_words_the_question_stands() -> None:
    progress, _ = checking()
    progress, move = silent(progress, 100)
    assert isinstance(move, Listen)
    assert progress.task is not None
    assert guidance(progress)["say"] == progress.task.ko


def test_slow_speech_is_handed_on() -> None:
    progress, _ = checking(Level.B1)
    progress, _ = say(progress, "천천히 말해 주세요")
    given = guidance(progress)
    assert given["slow"] is True
    assert "at most 8 words a sentence" in given["how"]


def test_at_the_end_it_names_the_reason() -> None:
    progress = over()
    assert isinstance(progress.state.last, Close)
    assert guidance(progress) == {
        "over": True,
        "reason": "ceiling_found",
        "say": progress.state.last.say,
    }


def test_when_it_may_and_must_close() -> None:
    progress, _ = checking()
    assert not may_close(progress)
    assert must_close(progress, 10.0) is None
    assert must_close(progress, 900.0) is Reason.TIME_LIMIT
    assert may_close(last_question())
    assert must_close(last_question(), 10.0) is None
    assert may_close(over())
    assert must_close(over(), 10.0) is Reason.CEILING_FOUND


def test_a_call_that_comes_too_early_gets_the_next_question() -> None:
    progress, _ = checking()
    answer = on_assessment_call(progress, elapsed_s=60.0, begun=False)
    assert not answer.begin
    assert answer.output is not None
    assert guidance(progress)["say"] in answer.output


def test_a_call_in_time_begins_the_closing_once() -> None:
    answer = on_assessment_call(last_question(), elapsed_s=300.0, begun=False)
    assert (answer.begin, answer.reason, answer.output) == (True, Reason.CEILING_FOUND, None)
    again = on_assessment_call(over(), elapsed_s=310.0, begun=True)
    assert not again.begin
    assert again.output == prompts.already()
    late = on_assessment_call(checking()[0], elapsed_s=2000.0, begun=False)
    assert late.reason is Reason.TIME_LIMIT


@pytest.mark.parametrize(
    ("unguided", "keep"), [(0, Keep.TRUST), (1, Keep.REMIND), (2, Keep.SPEAK), (7, Keep.SPEAK)]
)
def test_a_model_that_asks_questions_of_its_own_is_reminded_and_then_replaced(
    unguided: int, keep: Keep
) -> None:
    progress, _ = checking()
    assert on_model_turn(progress, elapsed_s=60.0, unguided=unguided) is keep


def test_a_model_that_never_ends_it_is_ended() -> None:
    assert on_model_turn(over(), elapsed_s=60.0, unguided=0) is Keep.CLOSE
    assert on_model_turn(checking()[0], elapsed_s=901.0, unguided=0) is Keep.CLOSE


def test_the_tools_are_named_and_take_what_is_promised() -> None:
    ask, end = prompts.tools()
    assert (ask["name"], end["name"]) == ("interview_guidance", "trigger_assessment")
    parameters = end["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["properties"]["reason"]["enum"] == [reason.value for reason in Reason]
    for name in ("interview_guidance", "trigger_assessment"):
        assert name in prompts.instructions()
    assert "{" not in prompts.instructions()
    assert prompts.reminder("안녕?").endswith("안녕?")
