"""The watchdog: which silence means what, and when."""

import math
from dataclasses import replace

import pytest

from charye.core.floor import Attempt, Floor, Input, State
from charye.core.settings import Patience
from charye.core.watchdog import ON_DEADLINE, PROBE, WATCHED, Stage, Watchdog, Watched

PATIENCE = Patience(
    answer_s=10.0,
    silence_s=15.0,
    ending_s=2.0,
    probe_s=5.0,
    cancel_s=4.0,
    blocked_s=1.0,
    blocked_max_s=8.0,
)
CLAIM = Attempt(1, "t1")
FLOORS = {
    State.OPEN: Floor(State.OPEN),
    State.OFFLINE: Floor(State.OFFLINE),
    State.CLAIMED: Floor(State.CLAIMED, CLAIM),
    State.CONTESTED: Floor(State.CONTESTED, CLAIM, "r0"),
    State.WITHDRAWN: Floor(State.WITHDRAWN, CLAIM),
    State.WITHDRAWN_CONTESTED: Floor(State.WITHDRAWN_CONTESTED, CLAIM, "r0"),
    State.HELD: Floor(State.HELD, response="r1"),
    State.YIELDING: Floor(State.YIELDING, response="r1"),
    State.BLOCKED: Floor(State.BLOCKED),
}
HELD = FLOORS[State.HELD]
CLAIMING = (State.CLAIMED, State.CONTESTED, State.WITHDRAWN, State.WITHDRAWN_CONTESTED)


def watching(state: State, now: float = 0.0) -> Watchdog:
    watchdog = Watchdog(PATIENCE)
    watchdog.follow(FLOORS[state], now)
    return watchdog


def verdict_at(watchdog: Watchdog, at: float) -> Input | str | None:
    """What is due at exactly this moment, and not a moment before."""
    assert watchdog.deadline == at
    assert watchdog.due(at - 0.001) is None
    assert watchdog.deadline == at
    return watchdog.due(at)


def test_the_table_is_this_and_no_other() -> None:
    expected = {
        (Watched.BLIND, Stage.QUIET): (Stage.QUIET, Input.RETRY),
        (Watched.CANCEL, Stage.QUIET): (Stage.QUIET, Input.DEAF),
    }
    for watched, lost in ((Watched.CLAIM, Input.UNANSWERED), (Watched.RESPONSE, Input.STUCK)):
        expected[watched, Stage.QUIET] = (Stage.PROBING, PROBE)  # type: ignore[assignment]
        expected[watched, Stage.PROBING] = (Stage.PROBING_AGAIN, PROBE)  # type: ignore[assignment]
        expected[watched, Stage.PROBING_AGAIN] = (Stage.QUIET, Input.GIVE_UP)
        expected[watched, Stage.ANSWERED] = (Stage.QUIET, lost)
    assert expected == ON_DEADLINE


def test_every_state_of_the_floor_is_watched_for_one_thing() -> None:
    assert {state for state, watched in WATCHED.items() if watched is Watched.CLAIM} == set(CLAIMING)
    assert {state for state, watched in WATCHED.items() if watched is Watched.NOTHING} == {
        State.OPEN,
        State.OFFLINE,
    }
    assert WATCHED[State.HELD] is Watched.RESPONSE
    assert WATCHED[State.YIELDING] is Watched.CANCEL
    assert WATCHED[State.BLOCKED] is Watched.BLIND
    assert set(WATCHED) == set(State)


@pytest.mark.parametrize("state", [State.OPEN, State.OFFLINE])
def test_nothing_is_waited_for(state: State) -> None:
    watchdog = watching(state)
    assert watchdog.deadline is None
    assert watchdog.due(1e9) is None
    assert not watchdog.is_probing


def test_a_new_watchdog_waits_for_nothing() -> None:
    watchdog = Watchdog(PATIENCE)
    assert watchdog.deadline is None
    assert watchdog.probe_id() == "probe_0"
    assert not watchdog.is_probing


@pytest.mark.parametrize("state", CLAIMING)
def test_a_create_without_an_answer_is_probed_twice_and_then_the_line_is_dead(state: State) -> None:
    watchdog = watching(state, 100.0)
    assert verdict_at(watchdog, 110.0) == PROBE
    assert (watchdog.probe_id(), watchdog.is_probing) == ("probe_1", True)
    assert verdict_at(watchdog, 115.0) == PROBE
    assert (watchdog.probe_id(), watchdog.is_probing) == ("probe_2", True)
    assert verdict_at(watchdog, 120.0) is Input.GIVE_UP
    assert not watchdog.is_probing


@pytest.mark.parametrize(
    ("state", "limit_s", "lost"), [(State.CLAIMED, 10.0, Input.UNANSWERED), (State.HELD, 15.0, Input.STUCK)]
)
@pytest.mark.parametrize("probes", [1, 2])
def test_where_the_line_lives_the_answer_is_lost(
    state: State, limit_s: float, lost: Input, probes: int
) -> None:
    watchdog = watching(state, 100.0)
    at = 100.0 + limit_s
    for _ in range(probes):
        assert verdict_at(watchdog, at) == PROBE
        at += 5.0
    watchdog.answered(at - 2.0)
    assert not watchdog.is_probing
    assert verdict_at(watchdog, at + 3.0) is lost


def test_a_silent_response_is_probed_twice_and_then_the_line_is_dead() -> None:
    watchdog = watching(State.HELD, 100.0)
    assert verdict_at(watchdog, 115.0) == PROBE
    assert verdict_at(watchdog, 120.0) == PROBE
    assert verdict_at(watchdog, 125.0) is Input.GIVE_UP


def test_our_cancel_without_an_answer() -> None:
    watchdog = watching(State.YIELDING, 100.0)
    assert verdict_at(watchdog, 104.0) is Input.DEAF


def test_a_response_is_stuck_when_it_is_silent_not_when_it_is_long() -> None:
    watchdog = watching(State.HELD, 100.0)
    watchdog.heard(114.0)
    assert watchdog.deadline == 115.0, "moved when it is met, not before"
    assert watchdog.due(115.0) is None
    assert verdict_at(watchdog, 129.0) == PROBE


def test_silence_of_exactly_the_limit_is_silence() -> None:
    watchdog = watching(State.HELD, 100.0)
    watchdog.heard(100.0)
    assert watchdog.due(115.0) == PROBE


@pytest.mark.parametrize("probes", [1, 2])
def test_any_word_of_the_response_ends_the_suspicion_at_every_stage(probes: int) -> None:
    watchdog = watching(State.HELD, 100.0)
    at = 115.0
    for _ in range(probes):
        assert verdict_at(watchdog, at) == PROBE
        at += 5.0
    watchdog.heard(at - 1.0)
    assert watchdog.due(at) is None
    assert not watchdog.is_probing
    assert verdict_at(watchdog, at - 1.0 + 15.0) == PROBE


def test_a_word_after_the_probes_answer_ends_the_suspicion_too() -> None:
    watchdog = watching(State.HELD, 100.0)
    assert verdict_at(watchdog, 115.0) == PROBE
    watchdog.answered(116.0)
    watchdog.heard(117.0)
    assert watchdog.due(121.0) is None
    assert verdict_at(watchdog, 132.0) == PROBE


def test_a_word_of_a_response_is_no_answer_to_a_create() -> None:
    watchdog = watching(State.CONTESTED, 100.0)
    watchdog.heard(109.0)
    assert verdict_at(watchdog, 110.0) == PROBE


def test_the_same_wait_is_not_begun_anew() -> None:
    watchdog = watching(State.CLAIMED, 100.0)
    watchdog.follow(FLOORS[State.CONTESTED], 105.0)
    assert watchdog.deadline == 110.0
    assert watchdog.due(110.0) == PROBE
    watchdog.follow(FLOORS[State.WITHDRAWN], 111.0)
    assert watchdog.is_probing
    assert watchdog.deadline == 115.0


@pytest.mark.parametrize(
    ("first", "then", "deadline"),
    [
        (FLOORS[State.CLAIMED], Floor(State.CLAIMED, Attempt(1, "t2")), 117.0),
        (FLOORS[State.HELD], Floor(State.HELD, response="r2"), 122.0),
        (FLOORS[State.HELD], FLOORS[State.YIELDING], 111.0),
        (FLOORS[State.CLAIMED], FLOORS[State.HELD], 122.0),
        (FLOORS[State.CLAIMED], FLOORS[State.OPEN], None),
    ],
)
def test_another_wait_begins_at_its_beginning(first: Floor, then: Floor, deadline: float | None) -> None:
    watchdog = Watchdog(PATIENCE)
    watchdog.follow(first, 90.0)
    watchdog.due(110.0)
    watchdog.follow(then, 107.0)
    assert watchdog.deadline == deadline
    assert not watchdog.is_probing


def test_a_new_response_is_not_silent_since_the_one_before() -> None:
    watchdog = watching(State.HELD, 100.0)
    watchdog.follow(Floor(State.HELD, response="r2"), 110.0)
    assert watchdog.due(124.9) is None
    assert watchdog.due(125.0) == PROBE


def test_the_pause_after_a_blind_refusal_doubles_up_to_its_bound_and_falls_back_when_somebody_speaks() -> (
    None
):
    watchdog = Watchdog(PATIENCE)
    pauses = []
    for _ in range(5):
        watchdog.follow(FLOORS[State.BLOCKED], 100.0)
        assert watchdog.deadline is not None
        pauses.append(watchdog.deadline - 100.0)
        assert watchdog.due(watchdog.deadline) is Input.RETRY
        watchdog.follow(FLOORS[State.OPEN], 200.0)
        watchdog.follow(FLOORS[State.CLAIMED], 200.0)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 8.0]
    watchdog.follow(FLOORS[State.HELD], 300.0)
    watchdog.follow(FLOORS[State.BLOCKED], 400.0)
    assert watchdog.deadline == 401.0


def test_a_hint_asks_the_line_at_once() -> None:
    watchdog = watching(State.HELD, 100.0)
    watchdog.heard(107.0)
    watchdog.hasten(108.0)
    assert watchdog.deadline == 108.0
    assert watchdog.due(108.0) == PROBE
    watchdog.hasten(109.0)
    assert watchdog.deadline == 113.0, "it has been asked"


@pytest.mark.parametrize("state", [State.OPEN, State.CLAIMED, State.YIELDING, State.BLOCKED])
def test_a_hint_about_a_response_is_none_where_no_response_is_watched(state: State) -> None:
    watchdog = watching(state, 100.0)
    before = watchdog.deadline
    watchdog.hasten(100.5)
    assert watchdog.deadline == before


def owing(now: float = 100.0, *, patience: Patience = PATIENCE) -> Watchdog:
    """A response that has shown one item, complete at this moment."""
    watchdog = Watchdog(patience)
    watchdog.follow(HELD, now)
    watchdog.heard(now)
    watchdog.follow(HELD, now, complete=True)
    return watchdog


def test_an_end_is_overdue_after_a_short_silence_and_silence_is_probed_as_ever() -> None:
    watchdog = owing(100.0)
    assert watchdog.deadline == 102.0
    assert not watchdog.is_overdue("r1", 101.999)
    assert watchdog.due(102.0) is None
    assert watchdog.is_overdue("r1", 102.0)
    assert watchdog.is_overdue("r1", 114.0)
    watchdog.follow(HELD, 102.0, complete=True)
    assert verdict_at(watchdog, 115.0) == PROBE


def test_a_response_with_an_open_item_is_not_overdue() -> None:
    watchdog = watching(State.HELD, 100.0)
    assert not watchdog.is_overdue("r1", 114.0)
    assert watchdog.deadline == 115.0


def test_another_item_ends_the_short_patience() -> None:
    watchdog = owing(100.0)
    watchdog.heard(101.0)
    watchdog.follow(HELD, 101.0, complete=False)
    assert watchdog.due(102.0) is None
    assert watchdog.deadline == 116.0
    assert not watchdog.is_overdue("r1", 103.0)


def test_any_word_begins_the_short_patience_anew() -> None:
    watchdog = owing(100.0)
    watchdog.heard(101.5)
    assert watchdog.due(102.0) is None
    assert not watchdog.is_overdue("r1", 102.0)
    assert watchdog.deadline == 103.5
    assert watchdog.due(103.5) is None
    assert watchdog.is_overdue("r1", 103.5)


def test_the_same_response_is_asked_about_once() -> None:
    watchdog = owing(100.0)
    watchdog.due(102.0)
    watchdog.asked()
    assert not watchdog.is_overdue("r1", 102.0)
    watchdog.follow(Floor(State.CONTESTED, CLAIM, "r1"), 102.0, complete=True)
    watchdog.follow(HELD, 102.5, complete=True)
    assert not watchdog.is_overdue("r1", 110.0)
    assert verdict_at(watchdog, 117.5) == PROBE


def test_the_next_response_may_be_asked_about_again() -> None:
    watchdog = owing(100.0)
    watchdog.asked()
    watchdog.follow(Floor(State.HELD, response="r2"), 102.0, complete=False)
    watchdog.follow(Floor(State.HELD, response="r2"), 103.0, complete=True)
    assert watchdog.deadline == 104.0
    assert watchdog.is_overdue("r2", 104.0)


def test_only_the_response_that_is_watched_is_overdue() -> None:
    watchdog = owing(100.0)
    assert not watchdog.is_overdue("r2", 110.0)


@pytest.mark.parametrize("state", [state for state in State if state is not State.HELD])
def test_nothing_is_overdue_where_no_response_is_watched(state: State) -> None:
    watchdog = Watchdog(PATIENCE)
    watchdog.follow(FLOORS[state], 100.0, complete=True)
    assert watchdog.deadline == watching(state, 100.0).deadline
    assert not watchdog.is_overdue(FLOORS[state].response, 1e9)


def test_a_hint_makes_what_owes_only_its_end_overdue_at_once() -> None:
    watchdog = owing(100.0)
    watchdog.hasten(100.5)
    assert watchdog.is_overdue("r1", 100.5)


def test_an_answered_probe_is_not_judged_earlier_for_an_item_that_was_complete_long_ago() -> None:
    watchdog = owing(100.0)
    watchdog.due(102.0)
    assert verdict_at(watchdog, 115.0) == PROBE
    watchdog.answered(116.0)
    watchdog.follow(HELD, 116.0, complete=True)
    assert verdict_at(watchdog, 121.0) is Input.STUCK


def test_an_item_that_ends_while_the_line_is_asked_makes_the_end_overdue_soon() -> None:
    watchdog = watching(State.HELD, 100.0)
    assert verdict_at(watchdog, 115.0) == PROBE
    watchdog.heard(116.0)
    watchdog.follow(HELD, 116.0, complete=True)
    assert watchdog.deadline == 118.0
    assert watchdog.due(118.0) is None
    assert watchdog.is_overdue("r1", 118.0)
    assert not watchdog.is_probing


@pytest.mark.parametrize("ending_s", [math.inf, 30.0])
def test_a_long_patience_with_endings_is_none(ending_s: float) -> None:
    watchdog = owing(100.0, patience=replace(PATIENCE, ending_s=ending_s))
    assert verdict_at(watchdog, 115.0) == PROBE
    assert not watchdog.is_overdue("r1", 119.0)


def test_no_patience_with_endings_is_no_reason_to_spin() -> None:
    watchdog = owing(100.0, patience=replace(PATIENCE, ending_s=0.0))
    assert watchdog.is_overdue("r1", 100.0)
    assert watchdog.deadline == 115.0
