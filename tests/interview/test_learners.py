"""What the policy finds of people whose level is known: the figures in docs/reference/interview.md."""

from __future__ import annotations

from collections import Counter

import pytest

from charye.interview.hearing import TurnEvidence
from charye.interview.learners import MOODS, Moody, SimulatedLearner, converse
from charye.interview.levels import LEVELS, Level
from charye.interview.moves import Close, Move, Reason
from charye.interview.plan import Phase, Task
from charye.interview.policy import Progress
from charye.interview.progress import Flag
from tests.interview.talk import invented, plan, small_plan

SEEDS = 10
UP_TO_C1 = LEVELS[:-1]


def end_of(learner: SimulatedLearner | Moody, seed: int) -> tuple[Progress, Move]:
    *_, (progress, move, _) = converse(plan(), learner, seed=seed)
    return progress, move


def floors(level: Level, kind: type[SimulatedLearner] = SimulatedLearner) -> list[Progress]:
    return [end_of(kind(level, seed), seed)[0] for seed in range(SEEDS)]


class Stranger(SimulatedLearner):
    """Says what is said in the invented interviews of the assessor's tests, none of which was written for the policy.

    What they talk about has nothing to do with the question. The medians of those interviews were in view when the
    anchors of the surface were rounded, so this is another author's text, not an unseen test.
    """

    def _answer(self, level: Level, task: Task) -> str:
        texts = invented(level, half=2)
        left = [text for text in texts if text not in self._used] or list(texts)
        chosen = self._random.choice(left)
        self._used.add(chosen)
        return chosen

    def hear(self, move: Move, task: Task | None) -> TurnEvidence | None:
        said = super().hear(move, task)
        if said is None:
            return None
        return TurnEvidence(
            text=said.text, duration_ms=said.duration_ms, latency_ms=said.latency_ms, on_topic=True
        )


def table(kind: type[SimulatedLearner]) -> dict[Level, Counter[int]]:
    return {level: Counter(progress.outcome.floor for progress in floors(level, kind)) for level in UP_TO_C1}


@pytest.mark.parametrize("kind", [SimulatedLearner, Stranger])
def test_the_floor_is_found(kind: type[SimulatedLearner]) -> None:
    found = table(kind)
    assert all(abs(floor - level.step) <= 1 for level in UP_TO_C1 for floor in found[level])
    exact = sum(found[level][level.step] for level in UP_TO_C1)
    assert exact >= 0.8 * SEEDS * len(UP_TO_C1), found


@pytest.mark.parametrize("level", LEVELS)
def test_every_interview_is_short_and_ends_properly(level: Level) -> None:
    for seed in range(SEEDS):
        progress, move = end_of(SimulatedLearner(level, seed), seed)
        assert isinstance(move, Close)
        assert progress.state.turns <= 14
        assert progress.state.turns >= 6
        assert move.reason in (Reason.CEILING_FOUND, Reason.TOP_REACHED, Reason.TURN_LIMIT)
        assert progress.state.record[-1].phase is Phase.WIND_DOWN  # also when the turns ran out


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
    for seed in range(SEEDS):
        progress, move = end_of(Moody(mood, seed), seed)
        assert isinstance(move, Close)
        assert move.reason is reason
        assert flag is None or flag in progress.state.flags
        assert progress.state.turns <= 14
        assert progress.outcome.floor <= Level.A2.step


def test_a_learner_is_the_same_twice() -> None:
    once, again = (list(converse(plan(), SimulatedLearner(Level.B1, 4), seed=4)) for _ in range(2))
    assert once == again


def test_ten_interviews_in_a_row_do_not_repeat_a_task() -> None:
    for level in LEVELS:
        earlier: tuple[str, ...] = ()
        for seed in range(10):
            *_, (progress, _, _) = converse(plan(), SimulatedLearner(level, seed), seed=seed, earlier=earlier)
            asked = tuple(done.task for done in progress.state.record)
            assert not set(asked) & set(earlier)
            earlier += asked


@pytest.mark.parametrize("level", LEVELS)
def test_a_small_bank_is_asked_once_through_and_no_more(level: Level) -> None:
    for seed in range(SEEDS):
        *_, (progress, _, _) = converse(small_plan(), SimulatedLearner(level, seed), seed=seed)
        asked = [done.task for done in progress.state.record]
        assert len(asked) == len(set(asked))
        assert progress.closed
