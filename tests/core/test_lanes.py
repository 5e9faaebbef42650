"""Out-of-band lanes: every pair by enumeration, and who is silent for too long."""

import pytest

from charye.core.floor import Attempt, Why
from charye.core.lanes import LANES, Lane, LaneAction, LaneInput, Lanes, LaneState
from charye.core.requests import ResponseRequest, Ticket
from charye.core.settings import Patience
from charye.errors import LocalProtocolError
from tests.core.bench import aside, want

TABLE = """
ASKED      | CREATED    | RUNNING    | GRANT
ASKED      | DENIED     | OVER       | DENY
ASKED      | REFUSED    | OVER       | REQUEUE
ASKED      | DONE       | OVER       | FINISH
ASKED      | CANCEL     | WITHDRAWN  |
ASKED      | SILENT     | OVER       | REQUEUE_LOST
WITHDRAWN  | CREATED    | CANCELLING | SEND_CANCEL
WITHDRAWN  | DENIED     | OVER       |
WITHDRAWN  | REFUSED    | OVER       |
WITHDRAWN  | DONE       | OVER       |
WITHDRAWN  | CANCEL     | WITHDRAWN  |
WITHDRAWN  | SILENT     | OVER       |
RUNNING    | DONE       | OVER       | FINISH
RUNNING    | CANCEL     | CANCELLING | SEND_CANCEL
RUNNING    | NOT_ACTIVE | OVER       | FINISH_UNSEEN
RUNNING    | SILENT     | CANCELLING | SEND_CANCEL
CANCELLING | DONE       | OVER       | FINISH
CANCELLING | CANCEL     | CANCELLING |
CANCELLING | NOT_ACTIVE | OVER       | FINISH_UNSEEN
CANCELLING | SILENT     | OVER       | RELEASE
"""
Row = tuple[LaneState, LaneInput, LaneState, tuple[LaneAction, ...]]


def read(line: str) -> Row:
    state, what, after, actions = (column.strip() for column in line.split("|"))
    return (
        LaneState[state],
        LaneInput[what],
        LaneState[after],
        tuple(LaneAction[name] for name in actions.split()),
    )


ROWS = [read(line) for line in TABLE.strip().splitlines()]
LEGAL = {(state, what) for state, what, _, _ in ROWS}
ILLEGAL = [(s, w) for s in LaneState for w in LaneInput if s is not LaneState.OVER and (s, w) not in LEGAL]
PATIENCE = Patience(answer_s=10.0, silence_s=15.0, probe_s=5.0, cancel_s=4.0)

INTO: dict[LaneState, tuple[LaneInput, ...]] = {
    LaneState.ASKED: (),
    LaneState.WITHDRAWN: (LaneInput.CANCEL,),
    LaneState.RUNNING: (LaneInput.CREATED,),
    LaneState.CANCELLING: (LaneInput.CREATED, LaneInput.CANCEL),
}


def ticket(number: int = 1, request: ResponseRequest | None = None) -> Ticket:
    return Ticket(request=request or aside(), number=number, age=number, asked_at=0.0)


def lanes_in(state: LaneState, now: float = 0.0) -> tuple[Lanes, Lane]:
    lanes = Lanes(PATIENCE, bound=4)
    lanes.ask(ticket(), "t1", now)
    lane = lanes.find(token="t1")
    assert lane is not None
    for what in INTO[state]:
        response_id = "r1" if what is LaneInput.CREATED else None
        lane, _ = lanes.step(lane, what, now, response_id=response_id)
    assert lane.state is state
    return lanes, lane


def test_the_table_is_this_and_no_other() -> None:
    assert {(state, what): (after, actions) for state, what, after, actions in ROWS} == LANES


@pytest.mark.parametrize(("state", "what", "after", "actions"), ROWS)
def test_a_legal_pair(
    state: LaneState, what: LaneInput, after: LaneState, actions: tuple[LaneAction, ...]
) -> None:
    lanes, lane = lanes_in(state)
    moved, done = lanes.step(lane, what, 7.0, response_id="r1", why=Why.ASKER)
    assert (moved.state, done) == (after, actions)
    assert moved == Lane(Attempt(1, "t1"), after, False, 7.0, "r1", Why.ASKER)
    assert lanes.find(token="t1") == (None if after is LaneState.OVER else moved)
    assert lanes.is_older_try("t1") is (
        what is LaneInput.SILENT and state in (LaneState.ASKED, LaneState.WITHDRAWN)
    )


@pytest.mark.parametrize(("state", "what"), ILLEGAL)
def test_an_illegal_pair_raises_and_changes_nothing(state: LaneState, what: LaneInput) -> None:
    lanes, lane = lanes_in(state)
    with pytest.raises(LocalProtocolError) as caught:
        lanes.step(lane, what, 7.0, response_id="other", why=Why.STUCK)
    assert str(caught.value) == "lanes: no such row"
    assert (caught.value.state, caught.value.given) == (state.name, what.name)
    assert lanes.find(token="t1") == lane


def test_what_is_known_stays_unless_there_is_news() -> None:
    lanes, lane = lanes_in(LaneState.RUNNING)
    moved, _ = lanes.step(lane, LaneInput.SILENT, 1.0, why=Why.STUCK)
    assert (moved.response_id, moved.why) == ("r1", Why.STUCK)
    moved, _ = lanes.step(moved, LaneInput.CANCEL, 2.0)
    assert (moved.response_id, moved.why) == ("r1", Why.STUCK)


def test_a_lane_is_found_by_token_by_response_and_by_ticket() -> None:
    lanes, lane = lanes_in(LaneState.RUNNING)
    assert lanes.find(token="t1") == lane
    assert lanes.find(token="t1", response_id="other") == lane
    assert lanes.find(token="unknown", response_id="r1") == lane
    assert lanes.find(response_id="r1") == lane
    assert lanes.of_ticket(1) == lane
    assert lanes.find() is None
    assert lanes.find(token="unknown") is None
    assert lanes.find(response_id="unknown") is None
    assert lanes.of_ticket(2) is None


def test_a_lane_whose_response_is_not_known_is_not_found_by_none() -> None:
    lanes, _ = lanes_in(LaneState.ASKED)
    assert lanes.find(response_id=None) is None


@pytest.mark.parametrize("bound", [1, 2])
def test_so_many_run_at_once_and_no_more(bound: int) -> None:
    lanes = Lanes(PATIENCE, bound=bound)
    for number in range(bound):
        assert not lanes.is_full
        lanes.ask(ticket(number), f"t{number}", 0.0)
    assert lanes.is_full


def test_the_voice_is_the_one_that_may_speak_aloud() -> None:
    lanes = Lanes(PATIENCE, bound=4)
    lanes.ask(ticket(1), "t1", 0.0)
    assert lanes.voice is None
    lanes.ask(ticket(2, want("b", conversation="none")), "t2", 0.0)
    assert lanes.voice == Lane(Attempt(2, "t2"), LaneState.ASKED, True, 0.0)


def test_a_late_response_of_an_older_try_gets_a_silent_lane_to_be_cancelled_in() -> None:
    lanes, lane = lanes_in(LaneState.ASKED)
    lanes.step(lane, LaneInput.SILENT, 20.0)
    assert lanes.is_older_try("t1")
    ghost = lanes.adopt_ghost("t1", "r9", 21.0)
    assert ghost == Lane(Attempt(0, "t1"), LaneState.RUNNING, False, 21.0, "r9")
    assert lanes.find(token="t1") == ghost
    assert not lanes.is_older_try("t1")
    assert not lanes.is_older_try(None)


@pytest.mark.parametrize(
    ("state", "limit_s"),
    [
        (LaneState.ASKED, 15.0),
        (LaneState.WITHDRAWN, 15.0),
        (LaneState.RUNNING, 20.0),
        (LaneState.CANCELLING, 4.0),
    ],
)
def test_how_long_silence_is_borne(state: LaneState, limit_s: float) -> None:
    lanes, lane = lanes_in(state, 100.0)
    assert lanes.deadline() == 100.0 + limit_s
    assert lanes.silent(100.0 + limit_s - 0.001) == []
    assert lanes.silent(100.0 + limit_s) == [lane]


def test_a_word_of_the_response_ends_its_silence() -> None:
    lanes, _ = lanes_in(LaneState.RUNNING, 100.0)
    assert lanes.heard("unknown", 105.0) is None
    assert lanes.deadline() == 120.0
    assert lanes.heard("r1", 105.0) is not None
    assert lanes.deadline() == 125.0


def test_without_lanes_nothing_is_waited_for() -> None:
    lanes = Lanes(PATIENCE, bound=4)
    assert lanes.deadline() is None
    assert lanes.silent(1e9) == []
    assert lanes.heard("r1", 0.0) is None


def test_the_first_of_several_deadlines() -> None:
    lanes, _ = lanes_in(LaneState.RUNNING, 100.0)
    lanes.ask(ticket(2), "t2", 101.0)
    assert lanes.deadline() == 116.0
