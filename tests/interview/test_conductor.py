"""What happens in an interview, through the real server: who says what, when, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from charye.assessment.failures import AssessorTimedOut
from charye.errors import ConnectionLost, LocalProtocolError
from charye.interview.closing import Ending
from charye.interview.configuring import Hands
from charye.interview.hearing import Control
from charye.interview.moves import (
    AskAgain,
    CheckMicrophone,
    ConfirmStop,
    Encourage,
    InviteKorean,
    MoveOn,
    Pause,
    Reason,
    Repeat,
    Rephrase,
    Resume,
    Slower,
)
from charye.interview.news import Advanced, Checkpoint, LearnerSaid
from charye.interview.outcome import InterviewOutcome
from charye.interview.progress import Awaiting
from charye.interview.transcript import Source, Speaker
from charye.session.events import LineUp
from charye.session.settings import LineSettings
from charye.testing import run_virtually
from tests.interview.stage import FRAME_MS, SILENCE, SYLLABLE_MS, VOICE, Stage, stage
from tests.interview.talk import plan

ANSWER = "저는 서울에 살아요. 서울은 아주 크고 재미있어요."
SPOKEN_MS = SYLLABLE_MS * len(ANSWER.replace(" ", ""))
MORE = "주말에 친구하고 공원에서 산책을 해요."


def now() -> float:
    return asyncio.get_running_loop().time()


def conducted(
    script: Callable[[Stage], Awaitable[object]], **options: Any
) -> tuple[Stage, InterviewOutcome | None]:
    """An interview that goes as the script has it; when the script is over, it is stopped, if it has not ended."""

    async def story() -> tuple[Stage, InterviewOutcome | None]:
        async with stage(**options) as on:
            running = asyncio.ensure_future(on.conductor.run())
            playing = asyncio.ensure_future(script(on))
            await asyncio.wait({running, playing}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                playing.cancel()
                await asyncio.wait({playing})
                return on, running.result()
            playing.result()
            if on.progress.closed:
                return on, await running
            running.cancel()
            await asyncio.wait({running})
            return on, None

    return run_virtually(story())


def kinds(on: Stage) -> list[str]:
    return [type(move).__name__ for move in on.asked]


# --- turns ----------------------------------------------------------------------------------------------------------


def test_each_answer_is_followed_by_the_next_question_and_both_are_written_down() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER, MORE)
        await on.turn()

    on, _ = conducted(script)
    assert kinds(on) == ["Ask", "Ask", "Ask"]
    said = on.conductor.checkpoint.transcript.utterances
    assert [u.speaker for u in said] == [Speaker.INTERVIEWER, Speaker.LEARNER] * 2 + [Speaker.INTERVIEWER]
    assert [u.text for u in said[1::2]] == [ANSWER, MORE]
    assert [u.text for u in said[::2]] == [move.say for move in on.asked]
    assert said[0].task == said[1].task != said[2].task == said[3].task
    question, answer = said[0], said[1]
    assert question.end_ms is not None
    assert answer.start_ms is not None
    assert answer.end_ms is not None
    assert answer.start_ms - question.end_ms == pytest.approx(750, abs=50), "latency, and a frame"
    assert answer.end_ms - answer.start_ms == pytest.approx(SPOKEN_MS, abs=300), (
        "without the silence that ended it"
    )
    assert on.progress.state.record[0].latency_ms == pytest.approx(750, abs=50)


def test_the_server_never_answers_by_itself() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER, MORE)
        await on.turn()

    on, _ = conducted(script)
    assert len(on.said("response.create")) == len(on.asked)
    assert len(on.said("response.created", by="<")) == len(on.asked)


def test_who_stops_to_think_has_given_one_answer() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        on.recogniser.delay_s = 3.0  # the words of the first half come while the second is spoken
        await on.speak("저는 서울에")
        await on.speak("살아요.", after_s=0.25)
        await on.turn()

    on, _ = conducted(script)
    assert kinds(on) == ["Ask", "Ask"]
    assert on.progress.state.turns == 1
    assert on.progress.state.record[0].words == 3


def test_who_goes_on_while_the_next_question_begins_goes_on_with_the_same_answer() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        await on.speak("저는 서울에 살아요.")
        await on.asked_of(2)
        await on.speak("아주 크고 재미있어요.", after_s=0.1)
        await on.turn()

    on, _ = conducted(script)
    record = on.progress.state.record
    assert [done.task for done in record] == [on.asked[0].task]  # type: ignore[union-attr]
    assert record[0].words == 6
    assert on.progress.state.turns == 1
    answers = [u for u in on.conductor.checkpoint.transcript.utterances if u.speaker is Speaker.LEARNER]
    assert {u.task for u in answers} == {record[0].task}
    assert len(answers) == 2


@pytest.mark.parametrize(
    ("words", "move"), [("다시 한번 말해 주세요.", Repeat), ("그만할래요.", ConfirmStop)]
)
def test_a_wish_in_the_first_moment_of_a_question_is_no_part_of_the_answer(words: str, move: type) -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER)
        await on.asked_of(2)
        await on.speak(words, after_s=0.1)
        await on.turn()

    on, _ = conducted(script)
    assert isinstance(on.asked[-1], move)
    assert on.progress.state.record[0].words == 7


def test_who_speaks_into_every_question_comes_to_an_end_all_the_same() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        for count in range(2, 12):
            await on.speak(MORE, after_s=0.1)
            await on.asked_of(count)

    on, _ = conducted(script)
    assert len(on.progress.state.record) >= 2


def test_who_answers_before_the_question_is_over_has_answered_it() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER)
        await on.asked_of(2)
        await asyncio.sleep(1.2)
        await on.speak(MORE, after_s=0)
        await on.turn()

    on, _ = conducted(script)
    assert [done.words for done in on.progress.state.record] == [7, 5]
    cut = on.conductor.checkpoint.transcript.utterances[2]
    assert cut.interrupted_at_ms is not None
    assert cut.start_ms is not None
    assert cut.interrupted_at_ms - cut.start_ms > 700


async def cough(on: Stage) -> None:
    on.recogniser.words.append("")
    await on.session.send_audio(VOICE)
    for _ in range(8):
        await on.session.send_audio(SILENCE)
        await asyncio.sleep(FRAME_MS / 1000)


def test_a_noise_while_somebody_thinks_is_nobodys_turn() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        await cough(on)
        await on.speak(ANSWER)
        await on.turn()

    on, _ = conducted(script)
    assert kinds(on) == ["Ask", "Ask"]
    assert on.progress.state.exchanges == 1


def test_a_question_that_a_noise_cut_off_is_asked_again_once() -> None:
    async def script(on: Stage) -> None:
        await on.asked_of(1)
        await asyncio.sleep(0.5)
        await cough(on)
        await on.turn()
        await on.turn()
        await on.speak(ANSWER)
        await on.turn()

    on, _ = conducted(script)
    assert [move.say for move in on.asked[:2]] == [on.asked[0].say] * 2
    assert len(on.asked) == 3
    assert on.progress.state.exchanges == 1


def test_what_no_recogniser_can_read_is_asked_for_again() -> None:
    async def script(on: Stage) -> None:
        await on.answer(None)
        await on.turn()

    on, _ = conducted(script)
    assert isinstance(on.asked[1], AskAgain)


def test_a_recogniser_that_never_answers_is_not_waited_for() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        on.recogniser.delay_s = 3600.0
        await on.speak(ANSWER)
        spoken_at = now()
        await on.turn()
        assert now() - spoken_at < 15

    on, _ = conducted(script)
    assert isinstance(on.asked[1], AskAgain)


def test_a_typed_answer_counts_and_has_no_times() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        on.conductor.write(ANSWER)
        await on.turn()

    on, _ = conducted(script)
    answer = on.conductor.checkpoint.transcript.utterances[1]
    assert (answer.text, answer.source) == (ANSWER, Source.TYPED)
    assert answer.start_ms is answer.end_ms is None
    assert on.progress.state.record[0].words == 7
    assert len(on.said("response.create")) == 2


# --- everything that is no answer -----------------------------------------------------------------------------------


def test_silence_is_borne_in_stages() -> None:
    at: list[float] = []

    async def script(on: Stage) -> None:
        await on.turn()
        for _ in range(3):
            begun = now()
            count = len(on.asked)
            await on.asked_of(count + 1)
            at.append(now() - begun)
            await on.turn()

    on, _ = conducted(script)
    assert kinds(on) == ["Ask", "Encourage", "Rephrase", "MoveOn"]
    assert at == pytest.approx([8.0, 4.0, 8.0], abs=0.2), "8, 12 and 20 s of silence in all"
    assert on.progress.state.record[0].score is None, "the warm-up is no examination"


def test_who_never_says_a_word_is_asked_about_the_microphone_and_let_go() -> None:
    async def script(on: Stage) -> None:
        while True:
            await on.turn()

    on, outcome = conducted(script)
    assert isinstance(on.asked[-2], CheckMicrophone)
    assert isinstance(on.asked[-1], ConfirmStop)
    assert outcome is not None
    assert (outcome.ending, outcome.reason) == (Ending.COMPLETE, Reason.INSUFFICIENT_SPEECH)


@pytest.mark.parametrize(
    ("words", "move"),
    [
        ("다시 한번 말해 주세요.", Repeat),
        ("무슨 뜻이에요?", Rephrase),
        ("한국어로 어떻게 말해요?", Rephrase),
        ("잠깐만요.", Encourage),
        ("제 한국어 맞아요?", Encourage),
        ("I live in a very big city.", InviteKorean),
        ("모르겠어요.", MoveOn),
        ("시청해 주셔서 감사합니다.", AskAgain),
        ("그만할래요.", ConfirmStop),
        ("잠깐 쉬고 싶어요.", Pause),
    ],
)
def test_each_wish_and_each_difficulty_has_its_line(words: str, move: type) -> None:
    async def script(on: Stage) -> None:
        await on.answer(words)
        await on.turn()

    on, _ = conducted(script)
    assert isinstance(on.asked[1], move), on.asked[1]
    spoken = on.conductor.checkpoint.transcript.utterances[-1]
    assert spoken.text == on.asked[1].say


def test_slow_speech_stays_slow() -> None:
    async def script(on: Stage) -> None:
        await on.answer("천천히 말해 주세요.", ANSWER, MORE)
        await on.turn()

    on, _ = conducted(script)
    assert isinstance(on.asked[1], Slower)
    assert [move.speed for move in on.asked] == [1.0, 0.8, 0.8, 0.8]
    speeds = [
        e["session"]["audio"]["output"]["speed"]
        for e in on.said("session.update")
        if "output" in e["session"].get("audio", {})
    ]
    assert speeds == [0.8]


def test_slow_speech_stays_slow_on_another_line() -> None:
    async def script(on: Stage) -> None:
        await on.answer("천천히 말해 주세요.", ANSWER)
        await on.turn()
        before = len(on.said("session.update"))
        lines = on.session.events(LineUp)
        await anext(lines)
        await asyncio.sleep(1)
        later = on.said("session.update")[before:]
        assert any(e["session"]["audio"].get("output", {}).get("speed") == 0.8 for e in later)

    conducted(script, max_session_s=320.0, line=LineSettings(renew_before_s=290.0))


def test_who_wants_to_stop_is_asked_once_and_has_a_report() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER, "그만할래요.", "네, 그만할게요.")
        await asyncio.sleep(3600)

    on, outcome = conducted(script)
    assert outcome is not None
    assert (outcome.ending, outcome.reason) == (Ending.COMPLETE, Reason.LEARNER_STOP)
    assert outcome.stored
    assert len(on.office.stored) == 1


def test_distress_ends_it_kindly_and_keeps_no_word_of_it() -> None:
    words = "요즘 죽고 싶어요."

    async def script(on: Stage) -> None:
        await on.answer(ANSWER, words)
        await asyncio.sleep(3600)

    on, outcome = conducted(script)
    assert outcome is not None
    assert outcome.ending is Ending.NEUTRAL
    assert [part.name for part in outcome.parts] == ["acknowledgement", "goodbye"]
    assert all(part.in_full for part in outcome.parts)
    kept = [u.text for u in on.office.assessed[0].transcript.utterances]
    assert words not in kept
    told = [u.text for news in on.news if isinstance(news, LearnerSaid) for u in news.utterances]
    assert told == [ANSWER]
    assert words not in str(outcome.checkpoint.to_json())
    assert on.office.summary not in [u.text for u in outcome.checkpoint.transcript.utterances]
    assert on.ready[0].stored


@pytest.mark.parametrize("by_button", [False, True])
def test_a_pause_stops_the_clock_until_the_learner_is_back(by_button: bool) -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER)
        await on.turn()
        if by_button:
            on.conductor.control(Control.PAUSE)
        else:
            await on.speak("잠깐 쉬고 싶어요.")
        await on.turn()
        assert on.progress.state.awaiting is Awaiting.RESUMPTION
        await asyncio.sleep(900)
        if by_button:
            on.conductor.control(Control.RESUME)
        else:
            await on.speak("다시 시작할게요.")
        await on.turn()
        await on.speak(MORE)
        await on.turn()

    on, _ = conducted(script)
    assert isinstance(on.asked[2], Pause)
    assert isinstance(on.asked[3], Resume)
    assert on.asked[1].task == on.asked[3].task  # type: ignore[union-attr]
    assert on.progress.state.elapsed_s < 60
    assert len(on.asked) == 5


def test_a_pause_that_lasts_too_long_suspends_the_interview() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        on.conductor.control(Control.PAUSE)
        await asyncio.sleep(3600)

    on, outcome = conducted(script)
    assert outcome is not None
    assert outcome.ending is Ending.SUSPENDED
    assert outcome.reason is None
    assert not on.office.assessed


@pytest.mark.parametrize(
    ("button", "move"),
    [
        (Control.REPEAT, Repeat),
        (Control.SLOWER, Slower),
        (Control.REPHRASE, Rephrase),
        (Control.STOP, ConfirmStop),
    ],
)
def test_a_button_is_heard_in_the_middle_of_a_question(button: Control, move: type) -> None:
    async def script(on: Stage) -> None:
        await on.asked_of(1)
        await asyncio.sleep(0.5)
        on.conductor.control(button)
        pressed_at = now()
        await on.asked_of(2)
        assert now() - pressed_at < 0.1
        await on.turn()

    on, _ = conducted(script)
    assert isinstance(on.asked[1], move)


def test_a_button_in_the_middle_of_an_answer_leaves_the_answer_alone() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        speaking = asyncio.ensure_future(on.speak(ANSWER))
        await asyncio.sleep(2.5)
        on.conductor.control(Control.SLOWER)
        await speaking
        await on.turn()

    on, _ = conducted(script)
    assert kinds(on) == ["Ask", "Ask"]
    assert on.asked[1].speed == 0.8
    assert on.progress.state.record[0].words == 7


def test_a_question_that_the_program_silenced_is_asked_again() -> None:
    async def script(on: Stage) -> None:
        await on.asked_of(1)
        await asyncio.sleep(0.5)
        on.session.interrupt()
        await on.asked_of(2)
        await on.turn()
        await on.turn()
        await on.speak(ANSWER)
        await on.turn()

    on, _ = conducted(script)
    assert on.asked[0] is on.asked[1]
    assert on.progress.state.exchanges == 1


def test_a_voice_that_knows_no_speed_goes_on_speaking() -> None:
    async def script(on: Stage) -> None:
        await on.answer("천천히 말해 주세요.")
        await on.turn()

    on, _ = conducted(script, slow_speed=9.0)
    assert kinds(on) == ["Ask", "Slower"]
    assert on.said("error", by="<")


def test_an_interviewer_without_a_voice_ends_it_with_a_report() -> None:
    async def script(on: Stage) -> None:
        await asyncio.sleep(3600)

    on, outcome = conducted(script, fault="failed_response:times=0:code=content_policy")
    assert outcome is not None
    assert (outcome.ending, outcome.reason) == (Ending.NOT_HEARD, Reason.TECHNICAL)
    assert len(on.asked) == 2
    assert outcome.stored
    assert {part.reason for part in outcome.parts} == {"failed"}


def test_the_time_limit_ends_it_while_nothing_happens() -> None:
    async def script(on: Stage) -> None:
        await asyncio.sleep(3600)

    on, outcome = conducted(script, max_s=7.0)
    assert outcome is not None
    assert outcome.ending is Ending.COMPLETE
    assert kinds(on) == ["Ask"]
    assert on.progress.state.exchanges == 1
    assert on.progress.state.elapsed_s == pytest.approx(7.0, abs=0.01)


def test_the_time_limit_ends_it_after_the_answer_that_is_under_way() -> None:
    async def script(on: Stage) -> None:
        while True:
            await on.turn()
            await on.speak(ANSWER, after_s=0.1, duration_ms=150_000)

    on, outcome = conducted(script)
    assert outcome is not None
    assert outcome.reason in (Reason.TIME_LIMIT, Reason.INSUFFICIENT_SPEECH)
    assert on.progress.state.elapsed_s < 900 + 180


# --- push-to-talk ---------------------------------------------------------------------------------------------------


def test_push_to_talk_has_the_same_interview() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER, "천천히 말해 주세요.", MORE)
        await on.turn()

    on, _ = conducted(script, hands=Hands.PUSH_TO_TALK)
    assert kinds(on) == ["Ask", "Ask", "Slower", "Ask"]
    said = on.conductor.checkpoint.transcript.utterances
    assert [u.text for u in said if u.speaker is Speaker.LEARNER] == [ANSWER, "천천히 말해 주세요.", MORE]
    assert len(on.said("response.create")) == len(on.asked), "no press asks for a reply"
    assert said[1].end_ms is not None
    assert said[1].start_ms is not None
    assert said[1].end_ms - said[1].start_ms == pytest.approx(SPOKEN_MS, abs=50)


def test_a_press_in_the_middle_of_a_question_silences_it() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER)
        await on.asked_of(2)
        await asyncio.sleep(1.5)
        await on.speak(MORE, after_s=0)
        await on.turn()

    on, _ = conducted(script, hands=Hands.PUSH_TO_TALK)
    assert on.conductor.checkpoint.transcript.utterances[2].interrupted_at_ms is not None
    assert len(on.progress.state.record) == 2


def test_a_short_press_and_a_failed_one_are_no_turns() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        async with on.conductor.push_to_talk() as send:
            await send(bytes(480))
        with pytest.raises(KeyError):  # noqa: PT012  (the block is what is left)
            async with on.conductor.push_to_talk() as send:
                await send(VOICE)
                raise KeyError
        await on.speak(ANSWER)
        await on.turn()

    on, _ = conducted(script, hands=Hands.PUSH_TO_TALK)
    assert kinds(on) == ["Ask", "Ask"]
    assert len(on.said("input_audio_buffer.commit")) == 1
    assert on.progress.state.exchanges == 1


def test_a_button_needs_a_session_without_open_microphone() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        with pytest.raises(LocalProtocolError):
            async with on.conductor.push_to_talk():
                pass

    conducted(script)


def test_after_a_short_press_the_silence_goes_on() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        async with on.conductor.push_to_talk() as send:
            await send(bytes(480))
        await on.turn()

    on, _ = conducted(script, hands=Hands.PUSH_TO_TALK)
    assert kinds(on) == ["Ask", "Encourage"]


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_line_that_is_lost_while_the_learner_speaks_is_apologised_for() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        await on.speak(ANSWER, duration_ms=8000)
        await on.turn()
        await on.speak(ANSWER)
        await on.turn()

    on, _ = conducted(script, fault="expiry:s=8")
    assert kinds(on)[:2] == ["Ask", "AskAgain"]
    assert len(on.said("session.created", by="<")) == 2
    assert ANSWER in [u.text for u in on.conductor.checkpoint.transcript.utterances]


def test_a_line_that_is_lost_in_a_question_has_it_said_again() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER, MORE)
        await on.turn()

    on, _ = conducted(script, fault="drop:at=audio")
    assert kinds(on) == ["Ask", "Ask", "Ask"]
    assert len(on.said("session.created", by="<")) == 2


def test_a_line_that_is_lost_for_good_still_has_a_report() -> None:
    kept: list[tuple[Stage, InterviewOutcome]] = []

    async def story() -> None:
        async with stage(fault="expiry:s=20", line=LineSettings(give_up_s=0.0)) as on:
            answering = asyncio.ensure_future(on.answer(ANSWER, MORE, ANSWER, MORE))
            kept.append((on, await on.conductor.run()))
            answering.cancel()

    with pytest.raises(ConnectionLost):  # from the session, when it is left
        run_virtually(story())
    on, outcome = kept[0]
    assert (outcome.ending, outcome.reason) == (Ending.NOT_HEARD, Reason.TECHNICAL)
    assert outcome.stored
    assert on.ready[0].stored
    assert {part.reason for part in outcome.parts} == {"the session is over"}
    assert outcome.checkpoint.progress.closed


def test_an_interview_goes_on_from_its_checkpoint_in_another_session() -> None:
    kept: list[tuple[bytes, bytes]] = []

    async def first(on: Stage) -> None:
        await on.answer(ANSWER, MORE)
        await on.turn()
        checkpoints = [news.checkpoint for news in on.news if isinstance(news, Advanced)]
        kept.append(checkpoints[-1].to_json())

    before, _ = conducted(first)
    resumed = Checkpoint.from_json(plan(), *kept[0])

    async def second(on: Stage) -> None:
        await on.turn()
        await on.speak(ANSWER)
        await on.turn()

    on, _ = conducted(second, resumed=resumed)
    assert isinstance(on.asked[0], Resume)
    assert on.asked[0].task == before.asked[-1].task  # type: ignore[union-attr]
    said = on.conductor.checkpoint.transcript.utterances
    assert [u.text for u in said if u.speaker is Speaker.LEARNER] == [ANSWER, MORE, ANSWER]
    starts = [u.start_ms for u in said if u.start_ms is not None]
    assert starts == sorted(starts)
    assert len({u.id for u in said}) == len(said)


def test_a_suspended_interview_is_not_assessed() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER)
        await on.turn()
        on.conductor.suspend()
        await asyncio.sleep(3600)

    on, outcome = conducted(script)
    assert outcome is not None
    assert outcome.ending is Ending.SUSPENDED
    assert not outcome.checkpoint.progress.closed
    assert not on.office.assessed


def test_an_interview_that_broke_off_in_its_closing_is_closed_again() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER, "그만할래요.", "네, 그만할게요.")
        await asyncio.sleep(3600)

    _, outcome = conducted(script)
    assert outcome is not None
    progress, transcript = outcome.checkpoint.to_json()

    async def nothing(on: Stage) -> None:
        await asyncio.sleep(3600)

    on, again = conducted(nothing, resumed=Checkpoint.from_json(plan(), progress, transcript))
    assert again is not None
    assert again.ending is Ending.COMPLETE
    assert len(on.office.stored) == 1


class Reader:
    def __init__(self, *, fails: bool = False, position: float = 2.0) -> None:
        self.fails, self.position = fails, position
        self.asked: list[tuple[str, str, object]] = []

    async def score_turn(
        self, turn: Any, *, question: str = "", level: Any = None, timeout_s: float = 1.0
    ) -> Any:
        self.asked.append((turn.text, question, level))
        if self.fails:
            raise AssessorTimedOut(timeout_s=timeout_s)

        class Reading:
            position = self.position

        return Reading()


def test_each_answer_is_read_by_the_assessor_and_nobody_waits_for_one_that_fails() -> None:
    async def script(on: Stage) -> None:
        await on.answer(ANSWER, MORE)
        await on.turn()

    bands = []
    for reader in (Reader(), Reader(fails=True), None):
        on, _ = conducted(script, reader=reader)
        assert kinds(on) == ["Ask", "Ask", "Ask"]
        bands.append([done.band for done in on.progress.state.record])
        if reader is not None:
            assert [text for text, _, _ in reader.asked] == [ANSWER, MORE]
            assert reader.asked[0][1] in on.asked[0].say
    assert bands[1] == bands[2] != bands[0]


def test_a_listener_that_fails_is_no_concern_of_the_interview(caplog: pytest.LogCaptureFixture) -> None:
    async def script(on: Stage) -> None:
        on.told.fails = True
        await on.answer(ANSWER)
        await on.turn()

    on, _ = conducted(script)
    assert kinds(on) == ["Ask", "Ask"]
    assert "a listener of the interview failed" in caplog.messages


def test_an_interview_is_conducted_once() -> None:
    async def script(on: Stage) -> None:
        await on.turn()
        with pytest.raises(LocalProtocolError):
            await on.conductor.run()

    conducted(script)
