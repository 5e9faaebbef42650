"""Whatever arrives, in whatever order: an interview ends properly within its limits, and no task is asked twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from charye.interview.hearing import Control, TurnEvidence
from charye.interview.levels import LEVELS
from charye.interview.moves import Close, Move
from charye.interview.plan import Phase
from charye.interview.policy import Progress, start, step
from tests.interview.talk import invented, plan, small_plan
from tests.interview.test_hearing import WORDS

SAID = [text for texts in WORDS.values() for text in texts] + [
    text for level in LEVELS for text in invented(level)[:8]
]

text = st.one_of(st.sampled_from(SAID), st.text(max_size=60), st.just(""))
evidence = st.builds(
    TurnEvidence,
    text=text,
    silence_ms=st.sampled_from([0.0, 3000.0, 6000.0, 8000.0, 12_000.0, 20_000.0, 1e9]),
    duration_ms=st.none() | st.floats(0, 120_000),
    latency_ms=st.none() | st.floats(0, 20_000),
    at_s=st.none() | st.floats(0, 1000),
    confidence=st.none() | st.floats(0, 1),
    linguistic=st.none() | st.floats(0, 3),
    judged=st.none() | st.integers(0, 2),
    on_topic=st.none() | st.booleans(),
    control=st.none() | st.none() | st.sampled_from(Control),
)


def check(progress: Progress, move: Move) -> None:
    state, limits = progress.state, progress.plan.limits
    assert state.turns <= limits.max_turns
    assert state.exchanges <= limits.max_exchanges
    assert all(turns <= limits.phase_turns[phase] for phase, turns in state.phase_turns.items())
    assert state.search.floor < state.search.ceiling
    asked = [done.task for done in state.record] + ([state.on.task] if state.on else [])
    assert len(asked) == len(set(asked))
    assert progress.closed == isinstance(move, Close)
    assert progress.closed == (state.phase is Phase.CLOSED)
    if isinstance(move, Close):
        assert move.say
        assert move.reason is state.reason


@settings(max_examples=150, deadline=None)
@given(
    heard=st.lists(evidence, min_size=1, max_size=60),
    seed=st.integers(0, 2**32),
    claimed=st.none() | st.sampled_from(LEVELS),
)
def test_any_sequence_keeps_the_limits(heard: list[TurnEvidence], seed: int, claimed: None) -> None:
    progress, move = start(plan(), seed=seed, claimed=claimed, language="en")
    check(progress, move)
    for one in heard:
        progress, move = step(progress, one)
        check(progress, move)
    assert Progress.from_json(plan(), progress.to_json()) == progress


@settings(max_examples=60, deadline=None)
@given(cycle=st.lists(evidence, min_size=1, max_size=4), seed=st.integers(0, 2**16))
def test_any_habit_kept_up_for_ever_ends(cycle: list[TurnEvidence], seed: int) -> None:
    progress, move = start(plan(), seed=seed)
    for number in range(plan().limits.max_exchanges):
        progress, move = step(progress, cycle[number % len(cycle)])
        check(progress, move)
    assert progress.closed


@settings(max_examples=40, deadline=None)
@given(heard=st.lists(evidence, min_size=1, max_size=48), seed=st.integers(0, 2**16))
def test_a_bank_that_runs_dry_ends_the_interview(heard: list[TurnEvidence], seed: int) -> None:
    progress, move = start(small_plan(), seed=seed)
    for one in heard:
        progress, move = step(progress, one)
        check(progress, move)
