"""The assessor's process: answers, is replaced when it dies or hangs, refuses what is too much, and always ends."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from charye.assessment.failures import (
    AssessorBusy,
    AssessorDied,
    AssessorFailed,
    AssessorTimedOut,
    AssessorUnavailable,
)
from charye.assessment.linguistic import assess
from charye.assessment.live import score_turn
from charye.assessment.morphology import Kiwi
from charye.assessment.rubric import Level
from charye.assessment.speech import Speaker, Turn
from charye.assessment.worker import AssessorSettings, LinguisticAssessor, State
from charye.errors import CharyeError, LocalProtocolError, MissingExtra
from tests.assessment.talks import interviews, talk

FAKE = str(Path(__file__).with_name("fake_process.py"))
SECRET = "할머니가 아프세요"
Story = Callable[[LinguisticAssessor], Awaitable[None]]


def said(text: str) -> Turn:
    return Turn(Speaker.LEARNER, text)


def play(
    tmp_path: Path,
    story: Story,
    *,
    mode: str = "well",
    most_waiting: int = 64,
    work_s: float = 30.0,
    load_s: float = 60.0,
) -> list[int]:
    """Tell a story of an assessor with a made-up process. Gives the ids of all processes that were started."""
    starts = tmp_path / "starts"
    starts.touch()
    settings = AssessorSettings(
        most_waiting=most_waiting,
        load_s=load_s,
        work_s=work_s,
        restart_after_s=(0.0, 0.0),
        stop_s=0.2,
        command=(sys.executable, FAKE, mode, str(starts)),
    )

    async def run() -> None:
        async with LinguisticAssessor(settings) as assessor:
            await story(assessor)
        assert assessor.state is State.STOPPED or assessor.state is State.FAILED

    asyncio.run(run())
    pids = [int(line) for line in starts.read_text(encoding="ascii").split()]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    return pids


def test_the_real_process_answers_as_the_functions_do(kiwi: Kiwi) -> None:
    interview = next(one for one in interviews() if one.id == "b1-02")
    question, turn = interview.turns[:2]

    async def run() -> None:
        async with LinguisticAssessor() as assessor:
            whole, one = await asyncio.gather(
                assessor.assess(interview.turns),
                assessor.score_turn(turn, question=question.text, level=Level.B1, timeout_s=60),
            )
            ready = await assessor.wait_ready()
            state = assessor.state
        assert state is State.READY
        assert ready.load_s > 0
        assert whole == assess(interview.turns, kiwi=kiwi)
        assert one == score_turn(turn, question=question.text, level=Level.B1, kiwi=kiwi)

    asyncio.run(run())


def test_requests_before_it_is_ready_wait(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        assert assessor.state is State.LOADING
        found = await asyncio.gather(*(assessor.score_turn(said("네 " * n), timeout_s=60) for n in range(5)))
        assert [reading.eojeols for reading in found] == [0, 1, 2, 3, 4]

    assert len(play(tmp_path, story)) == 1


def test_answers_of_a_running_interview_go_first(tmp_path: Path) -> None:
    order: list[str] = []

    async def story(assessor: LinguisticAssessor) -> None:
        async def whole(name: str) -> None:
            await assessor.assess(talk("L 네"))
            order.append(name)

        async def one() -> None:
            await assessor.score_turn(said("네"), timeout_s=60)
            order.append("turn")

        await asyncio.gather(whole("first"), whole("second"), one())

    play(tmp_path, story)
    assert order == ["turn", "first", "second"]


def test_one_more_than_may_wait_is_refused_at_once(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        waiting = [asyncio.ensure_future(assessor.assess(talk("L 네"))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(AssessorBusy) as raised:
            await assessor.assess(talk("L 네"))
        assert raised.value.waiting == 2
        await asyncio.gather(*waiting)
        await assessor.assess(talk("L 네"))

    play(tmp_path, story, most_waiting=2)


def test_who_gave_up_waits_no_more(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        waiting = asyncio.ensure_future(assessor.score_turn(said("죽어"), timeout_s=60))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await assessor.score_turn(said("네"), timeout_s=60)).eojeols == 1

    # Nobody asked any more, so the process was never told to die.
    assert len(play(tmp_path, story, most_waiting=1)) == 1


def test_an_answer_that_nobody_waits_for_is_not_given_to_the_next(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        await assessor.wait_ready()
        waiting = asyncio.ensure_future(assessor.score_turn(said("하나 둘 셋"), timeout_s=60))
        for _ in range(5):  # far enough to have been sent
            await asyncio.sleep(0)
        waiting.cancel()
        assert (await assessor.score_turn(said("네"), timeout_s=60)).eojeols == 1

    play(tmp_path, story)


def test_a_process_that_dies_is_replaced_and_the_request_tried_again_once(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        with pytest.raises(AssessorDied) as raised:
            await assessor.score_turn(said("죽어"), timeout_s=60)
        assert raised.value.exit_code == 7
        assert (await assessor.score_turn(said("네"), timeout_s=60)).eojeols == 1

    assert len(play(tmp_path, story)) == 3


def test_a_process_that_is_killed_while_idle_is_replaced(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        await assessor.wait_ready()
        os.kill(int((tmp_path / "starts").read_text(encoding="ascii")), 9)
        while assessor.state is State.READY:  # noqa: ASYNC110  # until the system has told the loop
            await asyncio.sleep(0)
        assert (await assessor.score_turn(said("네"), timeout_s=60)).eojeols == 1

    assert len(play(tmp_path, story)) == 2


def test_a_process_that_hangs_is_killed_and_replaced(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        with pytest.raises(AssessorDied) as raised:
            await assessor.score_turn(said("멈춰"), timeout_s=60)
        assert raised.value.exit_code is None

    assert len(play(tmp_path, story, work_s=0.1)) >= 2


def test_a_time_out_is_for_the_asker_only(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        await assessor.wait_ready()
        with pytest.raises(AssessorTimedOut) as raised:
            await assessor.score_turn(said("멈춰"), timeout_s=0.05)
        assert raised.value.timeout_s == 0.05
        assert assessor.state is State.READY

    assert len(play(tmp_path, story)) == 1


def test_a_start_in_vain_is_tried_again(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        await assessor.wait_ready()

    assert len(play(tmp_path, story, mode="dies_first")) == 2


@pytest.mark.parametrize(("mode", "exit_code"), [("broken", 3), ("nonsense", None)])
def test_it_gives_up_after_some_starts_in_vain(mode: str, exit_code: int | None, tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        waiting = asyncio.ensure_future(assessor.assess(talk("L 네")))
        for ask in (waiting, assessor.wait_ready(), assessor.score_turn(said("네"))):
            with pytest.raises(AssessorUnavailable) as raised:
                await ask
            assert raised.value.starts == 3
            assert raised.value.exit_code == exit_code
        assert assessor.state is State.FAILED

    assert len(play(tmp_path, story, mode=mode)) == 3


def test_processes_that_load_and_end_without_work_are_not_replaced_for_ever(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        (working,) = (task for task in asyncio.all_tasks() if task.get_name() == "charye-assessor")
        await working
        with pytest.raises(AssessorUnavailable) as raised:
            await assessor.score_turn(said("네"))
        assert (raised.value.starts, raised.value.exit_code) == (3, 5)

    assert len(play(tmp_path, story, mode="idle_end")) == 3


def test_one_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        with pytest.raises(AssessorUnavailable):
            await assessor.wait_ready()

    play(tmp_path, story, mode="mute", load_s=0.1)


def test_a_missing_extra_is_named_and_not_tried_again(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        with pytest.raises(MissingExtra) as raised:
            await assessor.score_turn(said("네"), timeout_s=60)
        assert raised.value.extra == "korean"

    assert len(play(tmp_path, story, mode="no_extra")) == 1


def test_a_program_that_is_not_there_is_unavailable() -> None:
    async def run() -> None:
        settings = AssessorSettings(restart_after_s=(), command=("/no/such/program",))
        async with LinguisticAssessor(settings) as assessor:
            with pytest.raises(AssessorUnavailable):
                await assessor.wait_ready()

    asyncio.run(run())


def test_speech_that_cannot_be_read_harms_nobody_else(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        with pytest.raises(AssessorFailed) as raised:
            await assessor.score_turn(said("틀려"), timeout_s=60)
        assert raised.value.exception_type == "ValueError"
        assert (await assessor.score_turn(said("네"), timeout_s=60)).eojeols == 1

    assert len(play(tmp_path, story)) == 1


def test_stopping_tells_all_who_wait(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        await assessor.wait_ready()
        waiting = [asyncio.ensure_future(assessor.score_turn(said("멈춰"), timeout_s=60)) for _ in range(3)]
        for _ in range(5):
            await asyncio.sleep(0)
        await assessor.stop()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in found] == [AssessorUnavailable] * 3
        await assessor.stop()
        with pytest.raises(AssessorUnavailable):
            await assessor.assess(())

    play(tmp_path, story)


def test_stopping_may_be_cancelled_and_the_process_ends_all_the_same(tmp_path: Path) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        await assessor.wait_ready()
        stopping = asyncio.ensure_future(assessor.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping

    play(tmp_path, story)


def test_it_is_started_once_and_before_it_is_asked(tmp_path: Path) -> None:
    async def run() -> None:
        assessor = LinguisticAssessor()
        with pytest.raises(LocalProtocolError):
            await assessor.assess(())
        await assessor.stop()
        with pytest.raises(LocalProtocolError):
            assessor.start()

    asyncio.run(run())


def test_what_a_person_said_is_in_no_log_and_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(assessor: LinguisticAssessor) -> None:
        for text in ("죽어", "틀려"):
            with pytest.raises(CharyeError) as raised:
                await assessor.score_turn(said(text), question=SECRET, timeout_s=60)
            error = raised.value
            shown = repr(error) + str(error) + "".join(error.__notes__ if hasattr(error, "__notes__") else [])
            assert text not in shown
            assert SECRET not in shown

    caplog.set_level(logging.DEBUG)
    play(tmp_path, story)
    assert SECRET not in caplog.text
    assert "죽어" not in caplog.text
    assert [record.message for record in caplog.records if record.name.startswith("charye")] == [
        "assessor process ended",
        "assessor process ended",
    ]
