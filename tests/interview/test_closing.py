"""The end of an interview, and what can go wrong on the way: the assessor, store, room, line and server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from charye.errors import ConnectionLost
from charye.interview.closing import Ending
from charye.interview.configuring import Hands, Manner
from charye.interview.hearing import TurnEvidence
from charye.interview.moves import ConfirmStop, Reason
from charye.interview.news import Checkpoint, Ready
from charye.interview.outcome import InterviewOutcome
from charye.interview.policy import start, step
from charye.interview.transcript import Speaker, Transcript, Utterance
from charye.server.faults import FAULTS
from charye.server.minds import Echo
from charye.session.settings import LineSettings
from charye.testing import run_virtually
from tests.interview.stage import SILENCE, SUMMARY, VOICE, Office, Stage, stage
from tests.interview.talk import plan
from tests.interview.test_conductor_model import Reading


@cache
def over() -> Checkpoint:
    """An interview that is over and has not been closed."""
    progress, _ = start(plan(), seed=1)
    words = ("저는 안나예요.", "요즘 한국어를 공부해요.", "그만할래요.", "네, 그만할게요.")
    said = []
    for number, text in enumerate(words):
        progress, _ = step(progress, TurnEvidence(text=text))
        said.append(Utterance(id=f"u{number}", speaker=Speaker.LEARNER, text=text))
    assert progress.closed
    return Checkpoint(progress, Transcript(utterances=tuple(said)))


async def nobody(on: Stage) -> None:
    """Nothing else happens."""


def closed(
    meanwhile: Callable[[Stage], Awaitable[object]] = nobody, **options: Any
) -> tuple[Stage, InterviewOutcome]:
    kept: list[tuple[Stage, InterviewOutcome]] = []

    async def story() -> None:
        options.setdefault("resumed", over())
        async with stage(**options) as on:
            playing = asyncio.ensure_future(meanwhile(on))
            kept.append((on, await on.conductor.run()))
            playing.cancel()
            await asyncio.wait({playing})
            if not playing.cancelled():
                playing.result()

    run_virtually(story())
    return kept[0]


def names(outcome: InterviewOutcome) -> list[str]:
    return [part.name for part in outcome.parts]


def spoken(on: Stage) -> list[str]:
    return [u.text for u in on.session.transcript if u.speaker == "assistant" and u.heard_ms is None]


# --- when all goes well ---------------------------------------------------------------------------------------------


def test_the_report_is_stored_and_delivered_before_a_word_of_it_is_spoken() -> None:
    began: list[float] = []

    async def listen(on: Stage) -> None:
        await on.part("summary")
        began.append(asyncio.get_running_loop().time())
        assert on.ready == [Ready(on.office.stored[0], True)]

    on, outcome = closed(listen)
    assert outcome.ending is Ending.COMPLETE
    assert (outcome.stored, outcome.failure) == (True, "")
    assert names(outcome) == ["acknowledgement", "summary", "goodbye"]
    assert all(part.in_full and part.tries == 1 for part in outcome.parts)
    assert on.office.stored_at_s is not None
    assert on.office.stored_at_s <= began[0]
    assert spoken(on)[1] == SUMMARY
    assert len(spoken(on)) == 3


def test_the_assessment_runs_while_the_acknowledgement_is_spoken() -> None:
    on, _ = closed(office=Office(takes_s=2.0))
    began = [u.began_s for u in on.session.transcript if u.text == SUMMARY]
    assert began[0] is not None
    assert began[0] < 5.5, "the acknowledgement takes some 5 s, and nobody waits on top of it"


def test_the_summary_is_the_reports_own_whatever_its_language() -> None:
    on, outcome = closed(office=Office(summary="Your level is A two. Well done."))
    assert outcome.ending is Ending.COMPLETE
    assert spoken(on)[1] == "Your level is A two. Well done."


@pytest.mark.parametrize("hands", list(Hands))
def test_nobody_is_answered_or_interrupts_while_the_result_is_spoken(hands: Hands) -> None:
    async def talk_into_it(on: Stage) -> None:
        await on.part("summary")
        for frame in (VOICE, VOICE, SILENCE, SILENCE, SILENCE, SILENCE, SILENCE, SILENCE, SILENCE):
            await on.session.send_audio(frame)
            await asyncio.sleep(0.05)
        on.conductor.write("잠깐만요, 질문이 있어요.")

    on, outcome = closed(talk_into_it, hands=hands)
    assert outcome.ending is Ending.COMPLETE
    assert len(on.said("response.create")) == 3


# --- the assessor and the store -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("office", "failure"),
    [
        (Office(assessing=[ValueError("secret")]), "ValueError"),
        (Office(takes_s=10_000.0), "timed_out"),
    ],
)
def test_an_assessment_that_fails_is_apologised_for(office: Office, failure: str) -> None:
    office = replace(office, assessing=list(office.assessing))
    on, outcome = closed(office=office)
    assert (outcome.ending, outcome.failure) == (Ending.NO_REPORT, failure)
    assert names(outcome)[0] == "acknowledgement"
    assert names(outcome)[-2:] == ["no_report", "goodbye"]
    assert all(part.in_full for part in outcome.parts)
    assert outcome.report is None
    assert not on.ready
    assert outcome.checkpoint.progress.closed, "it can be assessed again from here"


def test_a_slow_assessment_is_waited_for_with_a_kind_word_twice_at_most() -> None:
    _, outcome = closed(office=Office(takes_s=50.0))
    assert outcome.ending is Ending.COMPLETE
    assert names(outcome) == ["acknowledgement", "please_wait", "please_wait", "summary", "goodbye"]


def test_a_store_that_fails_once_is_asked_again() -> None:
    on, outcome = closed(office=Office(saving=[OSError("disk"), OSError("disk")]))
    assert outcome.ending is Ending.COMPLETE
    assert len(on.office.stored) == len(on.ready) == 1


def test_a_report_that_cannot_be_stored_is_delivered_and_nobody_is_told_otherwise() -> None:
    on, outcome = closed(office=Office(saving=[OSError("disk")] * 9))
    assert (outcome.ending, outcome.failure) == (Ending.NOT_STORED, "OSError")
    assert names(outcome) == ["acknowledgement", "not_stored", "goodbye"]
    assert SUMMARY not in spoken(on), "what is not stored is not spoken"
    assert outcome.report is on.ready[0].report
    assert not on.ready[0].stored


def test_a_store_that_hangs_is_not_waited_for() -> None:
    class Hanging(Office):
        async def save(self, report: Any) -> None:
            await asyncio.sleep(10_000)

    on, outcome = closed(office=Hanging())
    assert (outcome.ending, outcome.failure) == (Ending.NOT_STORED, "timed_out")
    assert on.ready[0].report is outcome.report


def test_who_calls_it_off_while_the_report_is_stored_has_it_stored() -> None:
    async def story() -> None:
        office = Office(takes_s=0.5, saving=[OSError("disk")])
        async with stage(resumed=over(), office=office) as on:
            running = asyncio.ensure_future(on.conductor.run())
            await asyncio.sleep(0.6)
            assert not office.saving, "it has failed once, and is tried again after a pause"
            assert not office.stored
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert len(office.stored) == len(on.ready) == 1

    run_virtually(story())


def test_who_calls_it_off_while_it_is_assessed_can_go_on_later() -> None:
    async def story() -> None:
        async with stage(resumed=over(), office=Office(takes_s=20.0)) as on:
            running = asyncio.ensure_future(on.conductor.run())
            await asyncio.sleep(3)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert not on.office.stored
            assert on.conductor.checkpoint.progress.closed

    run_virtually(story())


# --- the room and the line ------------------------------------------------------------------------------------------


def test_a_part_that_is_cut_off_is_said_once_more() -> None:
    async def interrupt(on: Stage) -> None:
        await on.part("summary")
        await asyncio.sleep(1.0)
        on.session.interrupt()

    _, outcome = closed(interrupt)
    assert outcome.ending is Ending.COMPLETE
    assert [part.tries for part in outcome.parts] == [1, 2, 1]


def test_who_wants_to_hear_none_of_it_is_let_go_and_has_the_report() -> None:
    async def interrupt(on: Stage) -> None:
        await on.part("summary")
        for _ in range(2):
            await asyncio.sleep(1.0)
            on.session.interrupt()

    on, outcome = closed(interrupt)
    assert outcome.ending is Ending.NOT_HEARD
    summary = outcome.parts[1]
    assert (summary.name, summary.in_full, summary.reason) == ("summary", False, "interrupted")
    assert summary.heard_ms is not None
    assert outcome.parts[2].name == "goodbye"
    assert outcome.stored
    assert on.ready


@pytest.mark.parametrize("at_s", [0.5, 2.0, 4.5, 6.0, 8.0])
def test_a_line_that_is_lost_on_the_way_loses_nothing(at_s: float) -> None:
    on, outcome = closed(fault=f"expiry:s={at_s}")
    assert outcome.ending is Ending.COMPLETE
    assert len(on.office.stored) == 1
    assert set(spoken(on)) >= {SUMMARY}


@pytest.mark.parametrize("at_s", [0.5, 2.0, 4.5, 6.0])
def test_a_line_that_is_lost_for_good_loses_no_report(at_s: float) -> None:
    kept: list[tuple[Stage, InterviewOutcome]] = []

    async def story() -> None:
        line = LineSettings(give_up_s=0.0)
        async with stage(fault=f"expiry:s={at_s}", line=line, resumed=over()) as on:
            kept.append((on, await on.conductor.run()))

    with pytest.raises(ConnectionLost):  # from the session, when it is left
        run_virtually(story())
    on, outcome = kept[0]
    assert outcome.ending is Ending.NOT_HEARD
    assert outcome.stored
    assert on.ready[0].report is outcome.report
    missing = [part for part in outcome.parts if not part.in_full]
    assert missing
    assert all(part.reason for part in missing)


def test_a_session_that_is_closed_under_it_still_has_its_report() -> None:
    async def close(on: Stage) -> None:
        await asyncio.sleep(2)
        await on.session.close(drain=False)

    on, outcome = closed(close)
    assert outcome.ending is Ending.NOT_HEARD
    assert outcome.stored
    assert on.ready


# --- the server -----------------------------------------------------------------------------------------------------

# A line that nobody would notice is lost at once.
OPTIONS = {"expiry": "s=3", "latency": "out_ms=300"}
NOBODY_HEARD = {"no_metadata"}
"""A server that does not do what its dialect promises is not understood; nothing it says is ours."""


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("fault", list(FAULTS))
def test_whatever_the_server_does_the_report_is_stored_and_its_summary_is_heard(fault: str, nth: int) -> None:
    text = ":".join(part for part in (fault, OPTIONS.get(fault, ""), f"nth={nth}") if part)
    on, outcome = closed(fault=text)
    check(on, outcome, fault)


@pytest.mark.parametrize(
    ("manner", "hands"),
    [(Manner.VERBATIM, Hands.OPEN), (Manner.VERBATIM, Hands.PUSH_TO_TALK), (Manner.MODEL, Hands.OPEN)],
)
@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_whole_interview_ends_properly_whatever_the_server_does(
    fault: str, manner: Manner, hands: Hands
) -> None:
    async def learner(on: Stage) -> None:
        answers = iter(("저는 안나예요. 서울에 살아요.", "요즘 한국어를 공부해요.", "주말에 친구를 만나요."))
        while True:
            if isinstance(await on.turn(), ConfirmStop):
                await on.speak("네, 그만할게요.")
            else:
                await on.speak(next(answers, "그만할래요."))

    mind = Reading() if manner is Manner.MODEL else Echo()
    on, outcome = closed(learner, fault=fault, manner=manner, hands=hands, mind=lambda: mind, resumed=None)
    check(on, outcome, fault)
    if fault not in NOBODY_HEARD:
        assert outcome.reason is Reason.LEARNER_STOP
        assert outcome.checkpoint.progress.state.words >= 6


def check(on: Stage, outcome: InterviewOutcome, fault: str) -> None:
    assert len(on.office.stored) == 1
    assert [ready.stored for ready in on.ready] == [True]
    assert outcome.stored
    assert names(outcome) == ["acknowledgement", "summary", "goodbye"]
    if fault in NOBODY_HEARD:
        assert outcome.ending is Ending.NOT_HEARD
        assert all(part.reason for part in outcome.parts if not part.in_full)
    else:
        assert outcome.ending is Ending.COMPLETE, outcome.parts
        assert all(part.in_full for part in outcome.parts)
        assert SUMMARY in spoken(on)
