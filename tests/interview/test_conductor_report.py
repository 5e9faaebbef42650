"""From an interview to its report, with whichever assessors there are."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import pytest

from charye.assessment.failures import AssessorUnavailable
from charye.assessment.judge_outcome import JudgeOutcome, JudgeStatus
from charye.assessment.linguistic import LinguisticResult, assess
from charye.assessment.morphology import load_kiwi
from charye.assessment.report import Learner
from charye.assessment.speech import Turn
from charye.errors import LocalProtocolError
from charye.interview.assessing import ReportMaker, evidence_of
from charye.interview.learners import SimulatedLearner, converse
from charye.interview.levels import Level
from charye.interview.policy import start
from charye.interview.reporting import Interviewed
from charye.interview.transcript import Speaker, Transcript, Utterance
from charye.testing import run_virtually
from tests.interview.talk import plan

T = TypeVar("T")
AT = datetime(2026, 11, 20, tzinfo=UTC)


def interviewed(level: Level = Level.A2) -> Interviewed:
    said = []
    steps = list(converse(plan(), SimulatedLearner(level, 1), seed=1))
    for number, (_, move, evidence) in enumerate(steps):
        said += [
            Utterance(id=f"l{number}", speaker=Speaker.LEARNER, text=evidence.text),
            Utterance(id=f"i{number}", speaker=Speaker.INTERVIEWER, text=move.say),
        ]
    transcript = Transcript(utterances=tuple(utterance for utterance in said if utterance.text))
    return Interviewed(transcript=transcript, progress=steps[-1][0], setting="embedded", started_at=AT)


def run(story: Coroutine[Any, Any, T]) -> T:
    return run_virtually(story)


kiwi = cache(load_kiwi)


class Linguistic:
    async def assess(self, turns: tuple[Turn, ...], *, timeout_s: float = 60.0) -> LinguisticResult:
        return assess(turns, kiwi=kiwi())


class Broken:
    async def assess(self, turns: tuple[Turn, ...], *, timeout_s: float = 60.0) -> LinguisticResult:
        raise AssessorUnavailable


class Judge:
    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.names: tuple[str, ...] = ()

    async def assess(self, turns: tuple[Turn, ...], *, names: tuple[str, ...] = ()) -> JudgeOutcome:
        self.names = names
        await asyncio.sleep(self.takes_s)
        return JudgeOutcome(status=JudgeStatus.UNREACHABLE)


def test_the_report_is_about_this_interview() -> None:
    interview = interviewed()
    maker = ReportMaker(linguistic=Linguistic(), report_id="r-1", clock=lambda: AT)
    report = run(maker.assess(interview))
    assert (report.id, report.made_at) == ("r-1", AT)
    assert report.overall is not None
    assert report.overall.level.value == "A2"
    assert report.bracket is not None
    assert report.bracket.floor.step == interview.progress.outcome.floor
    assert report.interview is not None
    assert (report.interview.setting, report.interview.started_at) == ("embedded", AT)
    assert [entry.task for entry in report.timeline] == [
        done.task for done in interview.progress.state.record
    ]
    assert report == run(
        ReportMaker(linguistic=Linguistic(), report_id="r-1", clock=lambda: AT).assess(interview)
    )


@pytest.mark.parametrize("linguistic", [None, Broken()])
def test_without_the_offline_assessor_the_interview_speaks(linguistic: Broken | None) -> None:
    report = run(ReportMaker(linguistic=linguistic, clock=lambda: AT).assess(interviewed()))
    assert [opinion.assessor.value for opinion in report.opinions if opinion.level is not None] in (
        ["interview"],
        [],
    )
    assert report.spoken.text
    assert report.transcript


def test_a_judge_that_is_too_slow_is_left_out_and_the_report_says_so() -> None:
    judge = Judge(takes_s=1000.0)
    maker = ReportMaker(linguistic=Linguistic(), judge=judge, learner=Learner(name="Anna"), clock=lambda: AT)

    async def story() -> float:
        loop = asyncio.get_running_loop()
        report = await maker.assess(interviewed())
        (opinion,) = (one for one in report.opinions if one.assessor.value == "judge")
        assert opinion.status == JudgeStatus.TIMED_OUT
        assert report.overall is not None
        return loop.time()

    assert run(story()) == pytest.approx(45.0)
    assert judge.names == ("Anna",), "so that it can be hidden"


def test_a_judge_that_fails_costs_nothing() -> None:
    report = run(ReportMaker(linguistic=Linguistic(), judge=Judge(), clock=lambda: AT).assess(interviewed()))
    (opinion,) = (one for one in report.opinions if one.assessor.value == "judge")
    assert opinion.status == JudgeStatus.UNREACHABLE
    assert report.overall is not None


def test_two_reports_have_two_names() -> None:
    one, other = (run(ReportMaker(clock=lambda: AT).assess(interviewed())) for _ in range(2))
    assert one.id != other.id


def test_what_is_not_over_cannot_be_assessed() -> None:
    progress, _ = start(plan(), seed=1)
    with pytest.raises(LocalProtocolError):
        evidence_of(Interviewed(transcript=Transcript(), progress=progress, setting="embedded"))


def test_the_bank_is_told_apart_from_another() -> None:
    evidence = evidence_of(interviewed())
    assert evidence.bank == evidence_of(interviewed(Level.B1)).bank
    assert evidence.bank is not None
    assert evidence.bank.startswith(f"{len(plan().tasks)}-")
