"""Whole interviews with simulated learners who speak, through the real embedded server."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

import charye
from charye.assessment.report import Report, from_json, to_json
from charye.assessment.worker import LinguisticAssessor
from charye.embedded import Embedded
from charye.interview.assessing import ReportMaker
from charye.interview.closing import Ending
from charye.interview.conductor import Conductor
from charye.interview.hearing import Control
from charye.interview.learners import MOODS, Moody, SimulatedLearner
from charye.interview.levels import LEVELS, Level
from charye.interview.moves import Reason
from charye.interview.news import Asked, News, YourTurn
from charye.interview.outcome import InterviewOutcome
from charye.interview.progress import Flag
from charye.interview.transcript import Source
from charye.server.ears import LocalEars
from charye.server.voice import ToneVoice
from charye.testing import run_virtually
from tests.interview.stage import interviewed, stage
from tests.interview.talk import plan

SEEDS = 10
UP_TO_C1 = LEVELS[:-1]


def whole(learner: SimulatedLearner | Moody, seed: int) -> InterviewOutcome:
    async def story() -> InterviewOutcome:
        async with stage(seed=seed, claimed=learner.claimed) as on:
            return await interviewed(on, learner)

    return run_virtually(story())


@pytest.fixture(scope="module")
def outcomes() -> dict[Level, list[InterviewOutcome]]:
    """A1 to C1, ten learners each, one turn in ten not like them."""
    return {
        level: [whole(SimulatedLearner(level, seed), seed) for seed in range(SEEDS)] for level in UP_TO_C1
    }


def test_the_floor_is_found(outcomes: dict[Level, list[InterviewOutcome]]) -> None:
    off = {
        level: Counter(one.checkpoint.progress.outcome.floor - level.step for one in of_level)
        for level, of_level in outcomes.items()
    }
    assert all(abs(steps) <= 1 for found in off.values() for steps in found), off
    assert sum(found[0] for found in off.values()) >= 0.8 * SEEDS * len(UP_TO_C1), off


@pytest.mark.parametrize("level", UP_TO_C1)
def test_every_interview_is_short_and_ends_properly(
    level: Level, outcomes: dict[Level, list[InterviewOutcome]]
) -> None:
    for outcome in outcomes[level]:
        assert outcome.ending is Ending.COMPLETE
        assert outcome.reason in (Reason.CEILING_FOUND, Reason.TOP_REACHED, Reason.TURN_LIMIT)
        assert outcome.stored
        assert [part.name for part in outcome.parts] == ["acknowledgement", "summary", "goodbye"]
        assert all(part.in_full and part.tries == 1 for part in outcome.parts)
        assert 6 <= outcome.checkpoint.progress.state.turns <= 14
        times = [
            u for u in outcome.checkpoint.transcript.utterances if u.start_ms is None or u.end_ms is None
        ]
        assert not times


@pytest.mark.parametrize(
    ("mood", "reason", "flag"),
    [
        ("silent", Reason.INSUFFICIENT_SPEECH, Flag.SILENCE),
        ("english", Reason.INSUFFICIENT_SPEECH, Flag.WRONG_LANGUAGE),
        ("dont_know", Reason.INSUFFICIENT_SPEECH, None),
        ("monologue", Reason.INSUFFICIENT_SPEECH, Flag.MEMORISED),
        ("stops_early", Reason.LEARNER_STOP, Flag.STOPPED_EARLY),
    ],
)
def test_moods_end_properly(mood: str, reason: Reason, flag: Flag | None) -> None:
    assert mood in MOODS
    for seed in range(2):
        outcome = whole(Moody(mood, seed), seed)
        assert (outcome.ending, outcome.reason) == (Ending.COMPLETE, reason)
        assert flag is None or flag in outcome.checkpoint.progress.state.flags
        assert outcome.checkpoint.progress.state.turns <= 14


def test_the_same_learner_has_the_same_interview_twice() -> None:
    once, again = (whole(SimulatedLearner(Level.B1, 4), 4) for _ in range(2))
    assert once.checkpoint.to_json() == again.checkpoint.to_json()


@dataclass
class Shelf:
    """Keeps reports as a store does: as bytes."""

    reports: list[bytes] = field(default_factory=list)

    async def save(self, report: Report) -> None:
        self.reports.append(to_json(report))


def test_an_interview_with_the_real_assessor_in_its_process_ends_with_a_real_report() -> None:
    """In real time: so the answers are typed, and the interviewer speaks very fast."""

    async def story() -> tuple[InterviewOutcome, Shelf]:
        asked: asyncio.Queue[News] = asyncio.Queue()
        shelf, learner = Shelf(), SimulatedLearner(Level.B1, 2, noise=0.0)
        endpoint = Embedded(voice=ToneVoice(syllable_ms=2.0), ears=LocalEars)
        async with (
            LinguisticAssessor() as linguistic,
            charye.connect(endpoint) as session,
            asyncio.timeout(60),
        ):
            await linguistic.wait_ready()
            conductor = Conductor(
                session,
                plan(),
                assessor=ReportMaker(
                    linguistic=linguistic,
                    report_id="r-1",
                    clock=lambda: datetime(2026, 11, 20, tzinfo=UTC),
                ),
                store=shelf,
                reader=linguistic,
                claimed=learner.claimed,
                seed=2,
                tell=asked.put_nowait,
            )

            async def answer() -> None:
                move = None
                while True:
                    news = await asked.get()
                    if isinstance(news, Asked):
                        move = news.move
                    elif isinstance(news, YourTurn) and move is not None:
                        said = learner.hear(move, conductor.checkpoint.progress.task)
                        if said is None:
                            conductor.control(Control.REPEAT)
                        else:
                            conductor.write(said.text)

            answering = asyncio.ensure_future(answer())
            try:
                return await conductor.run(), shelf
            finally:
                answering.cancel()

    outcome, shelf = asyncio.run(story())
    assert outcome.ending is Ending.COMPLETE
    (kept,) = shelf.reports
    report = from_json(kept)
    assert report == outcome.report
    assert report.overall is not None
    assert abs(report.overall.level.step - Level.B1.step) <= 1
    assert report.interview is not None
    assert report.interview.ending.value == outcome.reason
    assert report.bracket is not None
    assert len(report.timeline) == len(outcome.checkpoint.progress.state.record)
    assert all(
        turn.source is not Source.SPEECH for turn in report.transcript if turn.speaker.value == "learner"
    )
    said = [u.text for u in outcome.checkpoint.transcript.utterances]
    assert report.spoken.text in said
