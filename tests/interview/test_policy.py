"""Every way of handling what is no plain answer, as a conversation."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from charye.interview.hearing import Control, Kind, TurnEvidence
from charye.interview.levels import Level
from charye.interview.moves import (
    Ask,
    AskAgain,
    CheckMicrophone,
    Close,
    ConfirmStop,
    Encourage,
    FollowUp,
    InviteKorean,
    Listen,
    MoveOn,
    Pause,
    Reason,
    Redirect,
    Repeat,
    Rephrase,
    Resume,
    Slower,
    WindDown,
)
from charye.interview.plan import Phase
from charye.interview.policy import TABLE, Progress, silence_deadline_ms, start, step
from charye.interview.progress import Awaiting, Flag, change
from charye.interview.surface import band_of, inspect
from charye.interview.turn_score import Signal, combined_band
from tests.interview.talk import checking, plan, say, silent

A2_ANSWER = "저는 버스를 타고 회사에 가요. 길이 막히면 지하철을 타는데 삼십 분쯤 걸려요."
LONG = " ".join(["사회의 변화에 따라 제도를 고쳐야 한다는 점에서 정부의 책임이 크다고 생각합니다."] * 6)


def last_score(progress: Progress) -> int | None:
    return progress.state.record[-1].score


def test_it_begins_with_a_greeting_and_a_small_question() -> None:
    progress, move = start(plan(), seed=3)
    assert isinstance(move, Ask)
    assert move.say.startswith("안녕하세요.")
    assert plan().tasks[move.task].level is Level.A1
    assert progress.state.phase is Phase.WARM_UP
    assert move == progress.state.last


def test_two_warm_up_questions_that_never_count() -> None:
    progress, _ = start(plan(), seed=3)
    progress, move = say(progress, "음...", "모르겠어요")
    assert [done.score for done in progress.state.record] == [None, None]
    assert progress.state.phase is Phase.LEVEL_CHECK
    assert progress.state.search.scores == ((),) * 6
    assert isinstance(move, MoveOn)


def test_the_warm_up_sets_the_start() -> None:
    progress, _ = start(plan(), seed=3, claimed=Level.B2)
    progress, _ = say(progress, "저는 마리아예요.", A2_ANSWER)
    assert progress.task is not None
    assert progress.task.level is Level.B1


def test_the_same_progress_and_evidence_give_the_same_step() -> None:
    progress, _ = checking()
    assert say(progress, A2_ANSWER) == say(progress, A2_ANSWER)


@pytest.mark.parametrize(("level", "first_ms"), [(Level.A2, 8000), (Level.B1, 6000)])
def test_silence_comes_in_stages(level: Level, first_ms: float) -> None:
    progress, _ = checking(level)
    assert silence_deadline_ms(progress) == first_ms
    progress, move = silent(progress, first_ms)
    assert isinstance(move, Encourage)
    assert move.say == "천천히 생각하셔도 돼요."
    assert silence_deadline_ms(progress) == 12_000
    progress, move = silent(progress, 12_000)
    task = progress.task
    assert task is not None
    assert isinstance(move, Rephrase)
    assert move.say == f"다시 여쭤볼게요. {task.simple}"
    progress, move = silent(progress, 20_000)
    assert isinstance(move, MoveOn)
    assert move.say.startswith("괜찮아요. 다른 이야기를 해 볼까요?")
    assert last_score(progress) == 0
    assert progress.state.record[-1].signals[0] is Signal.SILENT


def test_a_silence_that_was_not_long_enough_says_nothing() -> None:
    progress, _ = checking()
    progress, move = silent(progress, 3000)
    assert move == Listen(say="")
    progress, move = silent(progress, 8000)
    progress, move = silent(progress, 8100)
    assert isinstance(move, Listen)


def test_words_after_an_encouragement_are_an_answer() -> None:
    progress, _ = checking()
    progress, _ = silent(progress, 8000)
    progress, _ = say(progress, A2_ANSWER)
    assert last_score(progress) == 2
    assert silence_deadline_ms(progress) == 8000


def test_two_silent_tasks_check_the_microphone_and_then_offer_to_stop() -> None:
    progress, _ = checking()
    progress, _ = silent(progress, 20_000)
    progress, move = silent(progress, 20_000)
    assert isinstance(move, CheckMicrophone)
    assert move.say == "제 말이 잘 들리세요?"
    heard, after = say(progress, "네, 들려요")
    assert isinstance(after, Ask)
    assert heard.state.silent == 0
    progress, move = silent(progress, silence_deadline_ms(progress) or 0)
    assert isinstance(move, ConfirmStop)
    progress, move = silent(progress, silence_deadline_ms(progress) or 0)
    assert isinstance(move, Close)
    assert move.reason is Reason.INSUFFICIENT_SPEECH
    assert silence_deadline_ms(progress) is None


def test_another_language_is_invited_to_be_korean_once() -> None:
    progress, _ = checking()
    progress, move = say(progress, "I go to work by bus every day")
    assert isinstance(move, InviteKorean)
    assert move.say == "한국어로 말해 주시겠어요? 짧게 말해도 괜찮아요."
    korean, _ = say(progress, A2_ANSWER)
    assert last_score(korean) == 2
    progress, move = say(progress, "I take the bus, it is fast")
    assert isinstance(move, MoveOn)
    assert last_score(progress) == 0
    assert Flag.WRONG_LANGUAGE in progress.state.flags


def test_a_few_foreign_words_are_noted_and_the_korean_counts() -> None:
    progress, _ = checking()
    progress, _ = say(progress, "저는 bus를 타고 office에 가는데 길이 막히면 지하철을 타고 삼십 분쯤 걸려요.")
    assert last_score(progress) == 2
    assert Signal.CODE_MIX in progress.state.record[-1].signals


def test_not_knowing_changes_the_topic_once_and_then_counts() -> None:
    progress, _ = checking()
    before = progress.task
    progress, move = say(progress, "잘 모르겠어요")
    assert isinstance(move, MoveOn)
    assert move.say.startswith("그럼 이 주제는 어떠세요?")
    assert before is not None
    assert progress.task is not None
    assert progress.task.level is before.level
    assert progress.task.topic != before.topic
    assert last_score(progress) is None
    progress, _ = say(progress, "모르겠어요")
    assert last_score(progress) == 0


def test_not_having_the_words_makes_the_question_simpler_once() -> None:
    progress, _ = checking()
    task = progress.task
    assert task is not None
    progress, move = say(progress, "한국어로 못 하겠어요")
    assert isinstance(move, Rephrase)
    assert move.say.endswith(task.simple)
    progress, move = say(progress, "단어를 몰라요")
    assert last_score(progress) == 0
    assert isinstance(move, MoveOn)


def test_an_answer_about_something_else_is_led_back_once() -> None:
    progress, _ = checking(Level.B1)
    assert progress.task is not None
    progress, move = step(progress, TurnEvidence(text=A2_ANSWER, on_topic=False))
    assert isinstance(move, Redirect)
    assert progress.task is not None
    assert move.say.endswith(progress.task.ko)
    progress, move = step(progress, TurnEvidence(text=A2_ANSWER[:20], on_topic=False))
    assert isinstance(move, MoveOn)
    assert last_score(progress) == 0


def test_requests_are_granted_and_slow_stays_slow() -> None:
    progress, _ = checking(Level.A2)
    task = progress.task
    assert task is not None
    progress, move = say(progress, "다시 한번 말씀해 주세요")
    assert isinstance(move, Repeat)
    assert move.say.endswith(task.ko)
    progress, move = say(progress, "천천히 말해 주세요")
    assert isinstance(move, Slower)
    assert (move.speed, move.say) == (0.8, f"네, 천천히 말씀드릴게요. {task.simple}")
    progress, move = say(progress, "무슨 뜻이에요?")
    assert isinstance(move, Rephrase)
    progress, move = say(progress, A2_ANSWER)
    assert move.speed == 0.8
    assert progress.task is not None
    assert move.say.endswith(progress.task.simple)


def test_the_first_request_costs_nothing_and_the_third_is_noted() -> None:
    progress, _ = checking()
    once, _ = say(progress, "뭐라고요?", A2_ANSWER)
    assert last_score(once) == 2
    twice, _ = say(progress, "뭐라고요?", "뭐라고요?", A2_ANSWER)
    assert Signal.CLARIFIED_TWICE in twice.state.record[-1].signals
    assert last_score(twice) == 2  # one soft signal alone is no breakdown
    often, move = say(progress, *["뭐라고요?"] * 4)
    assert isinstance(move, MoveOn)
    assert last_score(often) == 0


def test_buttons_do_what_words_do() -> None:
    progress, _ = checking()
    _, move = step(progress, TurnEvidence(control=Control.SLOWER))
    assert isinstance(move, Slower)
    _, move = step(progress, TurnEvidence(control=Control.RESUME))
    assert isinstance(move, Resume)


@pytest.mark.parametrize(
    ("words", "answer"),
    [("제 문법이 맞아요?", "평가가 끝난 후에 알려 드릴게요."), ("잠깐만요", "천천히 생각하셔도 돼요.")],
)
def test_asides_leave_the_question_standing(words: str, answer: str) -> None:
    progress, _ = checking()
    after, move = say(progress, words)
    assert isinstance(move, Encourage)
    assert move.say == answer
    assert after.task == progress.task
    assert after.state.turns == progress.state.turns


def test_asking_for_help_is_noted_for_the_report() -> None:
    progress, _ = checking()
    progress, _ = say(progress, "힌트 주세요")
    assert Flag.ASSISTED in progress.state.flags


def test_stopping_is_confirmed_and_what_was_said_counts() -> None:
    progress, _ = checking()
    progress, _ = say(
        progress,
        A2_ANSWER,
        "주말에 친구를 만나서 영화를 보고 맛있는 음식도 먹었어요.",
        "우리 집은 작지만 창문이 커서 좋아요. 나중에 큰 집에서 살고 싶어요.",
    )
    progress, move = say(progress, "그만하고 싶어요")
    assert isinstance(move, ConfirmStop)
    assert move.say == "여기까지 할까요?"
    on, again = say(progress, "아니요, 계속할게요")
    assert isinstance(again, Resume)
    assert on.state.awaiting is Awaiting.ANSWER
    progress, move = say(progress, "네")
    assert isinstance(move, Close)
    assert move.reason is Reason.LEARNER_STOP
    assert "평가를 준비하고 있습니다" in move.say
    assert Flag.STOPPED_EARLY in progress.state.flags


def test_distress_ends_it_at_once_and_is_kept_nowhere() -> None:
    progress, _ = checking()
    progress, move = say(progress, "요즘 너무 힘들어서 죽고 싶어요")
    assert isinstance(move, Close)
    assert move.withhold
    assert move.say == "오늘은 여기까지 하겠습니다."
    assert b"\xec\xa3\xbd" not in progress.to_json()


def test_what_cannot_have_been_said_is_asked_again_and_then_skipped() -> None:
    progress, _ = checking()
    progress, move = say(progress, "시청해 주셔서 감사합니다.")
    assert isinstance(move, AskAgain)
    progress, move = say(progress, "시청해 주셔서 감사합니다.")
    assert isinstance(move, MoveOn)
    assert last_score(progress) is None
    assert Flag.ASR_DOUBT in progress.state.flags


def test_a_line_that_brings_only_noise_is_given_up() -> None:
    progress, _ = start(plan(), seed=1)
    progress, move = say(progress, *["시청해 주셔서 감사합니다."] * 6)
    assert isinstance(move, Close)
    assert move.reason is Reason.TECHNICAL


def test_a_monologue_is_heard_out_and_then_asked_about() -> None:
    progress, _ = checking()
    progress, _ = say(progress, A2_ANSWER)
    monologue = f"{LONG} 저는 두 나라의 협력을 만들고 싶습니다."
    progress, move = say(progress, monologue)
    assert isinstance(move, FollowUp)
    assert "‘협력’" in move.say
    assert Flag.MEMORISED in progress.state.flags
    assert "협력" not in progress.to_json().decode()
    words = progress.state.words
    freed, _ = say(progress, A2_ANSWER)
    assert Signal.REHEARSED in freed.state.record[-1].signals
    progress, _ = say(progress, monologue)
    assert last_score(progress) is None
    assert progress.state.words == words


def test_the_same_answer_twice_is_no_second_answer() -> None:
    progress, _ = checking()
    progress, _ = say(progress, A2_ANSWER)
    progress, move = say(progress, A2_ANSWER)
    assert isinstance(move, FollowUp)


def test_a_short_answer_is_asked_on_and_both_parts_count_together() -> None:
    progress, _ = checking(Level.B1)
    progress, move = say(progress, "좋아서 자주 가요.")
    assert progress.task is not None
    assert isinstance(move, FollowUp)
    assert move.say == f"조금 더 이야기해 주세요. {progress.task.follow_ups[0]}"
    more = "친구하고 같이 갔는데 처음에는 길을 몰라서 힘들었지만 도와주는 사람이 있어서 재미있게 놀다가 왔거든요."
    progress, _ = say(progress, more)
    assert progress.state.record[-1].words == 3 + 13
    assert last_score(progress) == 2


def test_a_short_but_complete_answer_to_a_small_question_is_enough() -> None:
    progress, _ = checking(Level.A1)
    progress, _ = say(progress, "학교에 가요.")
    assert last_score(progress) == 2


def test_a_pause_waits_for_ever_and_a_word_ends_it() -> None:
    progress, _ = checking()
    progress, move = say(progress, "잠깐 쉬고 싶어요")
    assert isinstance(move, Pause)
    assert silence_deadline_ms(progress) is None
    progress, move = silent(progress, 60_000)
    assert isinstance(move, Listen)
    progress, move = say(progress, "네, 이제 괜찮아요")
    assert isinstance(move, Resume)
    assert progress.task is not None
    assert move.say.endswith(progress.task.ko)


def test_the_last_question_is_easy_and_the_end_is_friendly() -> None:
    progress, move = start(plan(), seed=5, claimed=Level.A1)
    progress, _ = say(progress, "저는 안나예요.", "요즘 공부해요.")
    while not isinstance(move, WindDown):
        progress, move = say(progress, f"저는 {progress.state.turns}시에 가요.")
    assert move.say.startswith("이제 마지막 질문이에요.")
    assert plan().tasks[move.task].level is Level.A1
    progress, move = say(progress, "집에 가요")
    assert isinstance(move, Close)
    assert progress.closed
    assert say(progress, "감사합니다") == (progress, move)


def test_glosses_go_up_to_b1_in_the_language_of_the_learner() -> None:
    _, move = checking(language="en")
    assert move.gloss is not None
    _, move = start(plan(), seed=1, language="xx")
    assert move.gloss is None
    progress, _ = checking(Level.B2, language="en")
    _, move = say(progress, "다시 한번 말씀해 주세요")
    assert move.gloss is None


def test_time_runs_out_kindly() -> None:
    progress, _ = checking()
    progress, move = step(progress, TurnEvidence(text=A2_ANSWER, at_s=820.0))
    assert isinstance(move, WindDown)
    progress, move = step(progress, TurnEvidence(text="집에 갈 거예요", at_s=840.0))
    assert isinstance(move, Close)
    progress, _ = checking()
    progress, move = step(progress, TurnEvidence(text=A2_ANSWER, at_s=901.0))
    assert isinstance(move, Close)


def test_a_model_that_judges_moves_a_score_by_one() -> None:
    progress, _ = checking(Level.B1)
    for judged, score in ((0, 0), (1, 1), (2, 2)):
        after, _ = step(
            progress,
            TurnEvidence(text="저는 어제 친구를 만나서 밥을 먹고 영화를 보고 집에 갔어요.", judged=judged),
        )
        assert last_score(after) == score
    progress, _ = checking(Level.B2)
    after, _ = step(change_follow_ups(progress), TurnEvidence(text="좋아요. 편해요.", judged=2))
    assert last_score(after) == 1


def change_follow_ups(progress: Progress) -> Progress:
    return change(progress, follow_ups=progress.plan.limits.follow_ups)


def test_the_assessors_own_estimate_counts_as_much_as_the_spelling() -> None:
    progress, _ = checking(Level.B1)
    text = (
        "저는 작년에 친구하고 부산에 갔어요. 바다를 보고 사진을 많이 찍었어요. "
        "음식도 맛있고 사람들도 친절했어요. 또 가고 싶어요."
    )
    low, _ = step(progress, TurnEvidence(text=text, linguistic=0.8))
    high, _ = step(progress, TurnEvidence(text=text, linguistic=2.9))
    assert (last_score(low), last_score(high)) == (1, 2)


def test_the_table_has_a_row_for_everything_but_the_end() -> None:
    expected = {
        (awaiting, kind) for awaiting in Awaiting for kind in Kind if awaiting is not Awaiting.NOTHING
    }
    assert set(TABLE) == expected


def test_an_estimate_at_its_top_speaks_against_nobody() -> None:
    """The linguistic part sees nothing above B2, so it cannot hold back who stands higher."""
    surface = inspect(
        " ".join(
            ["그 제도의 한계와 모순을 고려하지 않는다면 공정성을 담보할 수 없다는 점에서 재검토해야 합니다."]
            * 2
        )
    )
    assert band_of(surface) > 3.5
    assert combined_band(surface, 3.0) == band_of(surface)
    assert combined_band(surface, 1.0) == pytest.approx((band_of(surface) + 1.0) / 2)


def test_a_phase_has_its_own_limit() -> None:
    limits = msgspec.structs.replace(plan().limits, phase_turns={Phase.LEVEL_CHECK: 1})
    progress, _ = checking()
    progress = Progress(dataclasses.replace(plan(), limits=limits), progress.state)
    progress, move = say(progress, A2_ANSWER)
    assert isinstance(move, WindDown)
    assert progress.state.ending is Reason.TURN_LIMIT


def test_the_last_question_is_not_dragged_out() -> None:
    progress, _ = checking()
    progress, move = step(progress, TurnEvidence(text=A2_ANSWER, at_s=820.0))
    assert isinstance(move, WindDown)
    progress, move = say(progress, "한국어로 어떻게 말해요?", "I have no idea")
    assert isinstance(move, Close)
    assert progress.state.record[-1].phase is Phase.WIND_DOWN
