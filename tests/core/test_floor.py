"""Every (state, input) pair of the floor, by enumeration, against a table written down a second time."""

import pytest

from charye.core.floor import (
    CLAIMS,
    RUNS,
    TRANSITIONS,
    Action,
    Attempt,
    Floor,
    Input,
    State,
    Why,
    corrected,
    step,
)
from charye.errors import LocalProtocolError

# state | input | next state | actions in order. What is not here is illegal.
TABLE = """
OPEN                | CLAIM             | CLAIMED             | SEND_CREATE
HELD                | CLAIM_OVERDUE     | CONTESTED           | SEND_CREATE
CLAIMED             | CANCEL_CLAIM      | WITHDRAWN           |
CONTESTED           | CANCEL_CLAIM      | WITHDRAWN_CONTESTED |
CONTESTED           | CANCEL_RUNNING    | CONTESTED           | SEND_CANCEL
WITHDRAWN_CONTESTED | CANCEL_RUNNING    | WITHDRAWN_CONTESTED | SEND_CANCEL
HELD                | CANCEL_RUNNING    | YIELDING            | SEND_CANCEL
CLAIMED             | GRANTED           | HELD                | GRANT
CONTESTED           | GRANTED           | HELD                | OVERTAKEN GRANT
WITHDRAWN           | GRANTED           | YIELDING            | SEND_CANCEL
WITHDRAWN_CONTESTED | GRANTED           | YIELDING            | OVERTAKEN SEND_CANCEL
OPEN                | TAKEN             | HELD                |
CLAIMED             | TAKEN             | CONTESTED           |
CONTESTED           | TAKEN             | CONTESTED           | OVERTAKEN
WITHDRAWN           | TAKEN             | WITHDRAWN_CONTESTED |
WITHDRAWN_CONTESTED | TAKEN             | WITHDRAWN_CONTESTED | OVERTAKEN
HELD                | TAKEN             | HELD                | OVERTAKEN
YIELDING            | TAKEN             | HELD                | OVERTAKEN
BLOCKED             | TAKEN             | HELD                |
OPEN                | RETURNED          | HELD                | TAKE_BACK
CLAIMED             | RETURNED          | CONTESTED           | TAKE_BACK
CONTESTED           | RETURNED          | CONTESTED           | OVERTAKEN TAKE_BACK
WITHDRAWN           | RETURNED          | WITHDRAWN_CONTESTED | TAKE_BACK
WITHDRAWN_CONTESTED | RETURNED          | WITHDRAWN_CONTESTED | OVERTAKEN TAKE_BACK
HELD                | RETURNED          | HELD                | OVERTAKEN TAKE_BACK
YIELDING            | RETURNED          | HELD                | OVERTAKEN TAKE_BACK
BLOCKED             | RETURNED          | HELD                | TAKE_BACK
CLAIMED             | SURPLUS           | WITHDRAWN_CONTESTED | GRANT
CONTESTED           | SURPLUS           | WITHDRAWN_CONTESTED | OVERTAKEN GRANT
OPEN                | GHOST             | YIELDING            | SEND_CANCEL
CLAIMED             | GHOST             | CONTESTED           | SEND_CANCEL
CONTESTED           | GHOST             | CONTESTED           | OVERTAKEN SEND_CANCEL
WITHDRAWN           | GHOST             | WITHDRAWN_CONTESTED | SEND_CANCEL
WITHDRAWN_CONTESTED | GHOST             | WITHDRAWN_CONTESTED | OVERTAKEN SEND_CANCEL
HELD                | GHOST             | YIELDING            | OVERTAKEN SEND_CANCEL
YIELDING            | GHOST             | YIELDING            | OVERTAKEN SEND_CANCEL
BLOCKED             | GHOST             | YIELDING            | SEND_CANCEL
CLAIMED             | REFUSED_BY        | HELD                | REQUEUE
CONTESTED           | REFUSED_BY        | HELD                | REQUEUE
WITHDRAWN           | REFUSED_BY        | HELD                |
WITHDRAWN_CONTESTED | REFUSED_BY        | HELD                |
CLAIMED             | REFUSED_LATE      | OPEN                | REQUEUE
CONTESTED           | REFUSED_LATE      | HELD                | REQUEUE
WITHDRAWN           | REFUSED_LATE      | OPEN                |
WITHDRAWN_CONTESTED | REFUSED_LATE      | HELD                |
CLAIMED             | REFUSED_BLIND     | BLOCKED             | REQUEUE
CONTESTED           | REFUSED_BLIND     | HELD                | REQUEUE
WITHDRAWN           | REFUSED_BLIND     | BLOCKED             |
WITHDRAWN_CONTESTED | REFUSED_BLIND     | HELD                |
CLAIMED             | REFUSED_BY_ZOMBIE | OFFLINE             | REQUEUE LOSE RECONNECT
CONTESTED           | REFUSED_BY_ZOMBIE | HELD                | REQUEUE
WITHDRAWN           | REFUSED_BY_ZOMBIE | OFFLINE             | LOSE RECONNECT
WITHDRAWN_CONTESTED | REFUSED_BY_ZOMBIE | HELD                |
CLAIMED             | DENIED            | OPEN                | DENY
CONTESTED           | DENIED            | HELD                | DENY
WITHDRAWN           | DENIED            | OPEN                |
WITHDRAWN_CONTESTED | DENIED            | HELD                |
CONTESTED           | DONE              | CLAIMED             | FINISH
WITHDRAWN_CONTESTED | DONE              | WITHDRAWN           | FINISH
HELD                | DONE              | OPEN                | FINISH
YIELDING            | DONE              | OPEN                | FINISH
CLAIMED             | DONE_UNSEEN       | OPEN                | FINISH_CLAIM
CONTESTED           | DONE_UNSEEN       | OPEN                | OVERTAKEN FINISH_CLAIM
WITHDRAWN           | DONE_UNSEEN       | OPEN                |
WITHDRAWN_CONTESTED | DONE_UNSEEN       | OPEN                | OVERTAKEN
OPEN                | DONE_EARLIER      | OPEN                | FINISH_EARLIER
CLAIMED             | DONE_EARLIER      | CLAIMED             | FINISH_EARLIER
CONTESTED           | DONE_EARLIER      | CONTESTED           | FINISH_EARLIER
WITHDRAWN           | DONE_EARLIER      | WITHDRAWN           | FINISH_EARLIER
WITHDRAWN_CONTESTED | DONE_EARLIER      | WITHDRAWN_CONTESTED | FINISH_EARLIER
HELD                | DONE_EARLIER      | HELD                | FINISH_EARLIER
YIELDING            | DONE_EARLIER      | YIELDING            | FINISH_EARLIER
BLOCKED             | DONE_EARLIER      | OPEN                | FINISH_EARLIER
CLAIMED             | DONE_SURPLUS      | WITHDRAWN           | FINISH_EARLIER
CONTESTED           | DONE_SURPLUS      | WITHDRAWN_CONTESTED | FINISH_EARLIER
OPEN                | DONE_STRANGER     | OPEN                | NOTE
CLAIMED             | DONE_STRANGER     | CLAIMED             | NOTE
CONTESTED           | DONE_STRANGER     | CONTESTED           | NOTE
WITHDRAWN           | DONE_STRANGER     | WITHDRAWN           | NOTE
WITHDRAWN_CONTESTED | DONE_STRANGER     | WITHDRAWN_CONTESTED | NOTE
HELD                | DONE_STRANGER     | HELD                | NOTE
YIELDING            | DONE_STRANGER     | YIELDING            | NOTE
BLOCKED             | DONE_STRANGER     | OPEN                | NOTE
CONTESTED           | NOT_ACTIVE        | CLAIMED             | FINISH_UNSEEN
WITHDRAWN_CONTESTED | NOT_ACTIVE        | WITHDRAWN           | FINISH_UNSEEN
HELD                | NOT_ACTIVE        | OPEN                | FINISH_UNSEEN
YIELDING            | NOT_ACTIVE        | OPEN                | FINISH_UNSEEN
CLAIMED             | UNANSWERED        | OPEN                | REQUEUE_LOST
CONTESTED           | UNANSWERED        | HELD                | REQUEUE_LOST
WITHDRAWN           | UNANSWERED        | OPEN                |
WITHDRAWN_CONTESTED | UNANSWERED        | HELD                |
HELD                | STUCK             | YIELDING            | SEND_CANCEL
YIELDING            | DEAF              | OPEN                | RELEASE
BLOCKED             | RETRY             | OPEN                |
OFFLINE             | CONNECTED         | OPEN                |
OPEN                | LOST              | OFFLINE             | LOSE
CLAIMED             | LOST              | OFFLINE             | LOSE
CONTESTED           | LOST              | OFFLINE             | LOSE
WITHDRAWN           | LOST              | OFFLINE             | LOSE
WITHDRAWN_CONTESTED | LOST              | OFFLINE             | LOSE
HELD                | LOST              | OFFLINE             | LOSE
YIELDING            | LOST              | OFFLINE             | LOSE
BLOCKED             | LOST              | OFFLINE             | LOSE
OPEN                | GIVE_UP           | OFFLINE             | LOSE RECONNECT
CLAIMED             | GIVE_UP           | OFFLINE             | LOSE RECONNECT
CONTESTED           | GIVE_UP           | OFFLINE             | LOSE RECONNECT
WITHDRAWN           | GIVE_UP           | OFFLINE             | LOSE RECONNECT
WITHDRAWN_CONTESTED | GIVE_UP           | OFFLINE             | LOSE RECONNECT
HELD                | GIVE_UP           | OFFLINE             | LOSE RECONNECT
YIELDING            | GIVE_UP           | OFFLINE             | LOSE RECONNECT
BLOCKED             | GIVE_UP           | OFFLINE             | LOSE RECONNECT
"""

Row = tuple[State, Input, State, tuple[Action, ...]]


def read(line: str) -> Row:
    state, what, after, actions = (column.strip() for column in line.split("|"))
    return State[state], Input[what], State[after], tuple(Action[name] for name in actions.split())


ROWS = [read(line) for line in TABLE.strip().splitlines()]
LEGAL = {(state, what) for state, what, _, _ in ROWS}
ILLEGAL = [(state, what) for state in State for what in Input if (state, what) not in LEGAL]

OLD_CLAIM, NEW_CLAIM = Attempt(7, "old"), Attempt(8, "new")
CHOOSES = {Input.CLAIM, Input.CLAIM_OVERDUE}
CLAIMING = {State.CLAIMED, State.CONTESTED, State.WITHDRAWN, State.WITHDRAWN_CONTESTED}
RUNNING = {State.CONTESTED, State.WITHDRAWN_CONTESTED, State.HELD, State.YIELDING}


def floor_in(state: State, why: Why | None = None) -> Floor:
    """The floor of this state, with all the data that it may have."""
    return Floor(
        state=state,
        claim=OLD_CLAIM if state in CLAIMING else None,
        response="r_old" if state in RUNNING else None,
        owner=5 if state in RUNNING else None,
        why=why if state in RUNNING else None,
    )


def test_the_table_has_no_row_that_is_not_written_here() -> None:
    assert set(TRANSITIONS) == LEGAL
    assert len(ROWS) == len(LEGAL) == 111


def test_which_states_have_a_claim_and_which_a_response() -> None:
    assert CLAIMS == CLAIMING
    assert RUNS == RUNNING


@pytest.mark.parametrize(("state", "what", "after", "actions"), ROWS)
def test_a_legal_pair(state: State, what: Input, after: State, actions: tuple[Action, ...]) -> None:
    before = floor_in(state, Why.CUT_IN)
    floor, done = step(before, what, claim=NEW_CLAIM if what in CHOOSES else None)
    assert floor.state is after
    assert done == actions
    # Without news about a response the known one stays, with its owner and the cancel that is on its way.
    assert floor.response == ("r_old" if after in RUNNING and state in RUNNING else None)
    assert floor.owner == (5 if after in RUNNING and state in RUNNING else None)
    assert floor.why is (Why.CUT_IN if after in RUNNING and state in RUNNING else None)
    if after not in CLAIMING:
        assert floor.claim is None
    else:
        assert floor.claim == (NEW_CLAIM if what in CHOOSES else OLD_CLAIM)


@pytest.mark.parametrize(("state", "what", "after", "actions"), ROWS)
def test_a_response_that_is_news_replaces_the_known_one_with_all_its_data(
    state: State, what: Input, after: State, actions: tuple[Action, ...]
) -> None:
    before = floor_in(state, Why.CUT_IN)
    floor, done = step(before, what, response="r_new", owner=6, why=Why.GHOST)
    runs = after in RUNNING
    assert done == actions
    assert floor == Floor(
        state=after,
        claim=OLD_CLAIM if state in CLAIMING and after in CLAIMING else None,
        response="r_new" if runs else None,
        owner=6 if runs else None,
        why=Why.GHOST if runs else None,
    )
    stranger, _ = step(before, what, response="r_new")
    assert (stranger.owner, stranger.why) == (None, None)


@pytest.mark.parametrize(("state", "what"), ILLEGAL)
def test_an_illegal_pair_raises_and_changes_nothing(state: State, what: Input) -> None:
    before = floor_in(state)
    with pytest.raises(LocalProtocolError) as caught:
        step(before, what, claim=NEW_CLAIM, response="r_new", owner=6, why=Why.GHOST)
    assert str(caught.value) == "floor: no such row"
    assert (caught.value.state, caught.value.given) == (state.name, what.name)
    assert before == floor_in(state)


@pytest.mark.parametrize("state", [s for s in State if s in RUNNING and s is not State.YIELDING])
def test_a_cancel_says_why_and_keeps_whose_response_it_is(state: State) -> None:
    floor, actions = step(floor_in(state), Input.CANCEL_RUNNING, why=Why.ASKER)
    assert actions == (Action.SEND_CANCEL,)
    assert (floor.response, floor.owner, floor.why) == ("r_old", 5, Why.ASKER)
    assert floor.claim == floor_in(state).claim


def test_a_second_reason_to_cancel_replaces_the_first() -> None:
    floor, _ = step(floor_in(State.HELD, Why.INTERRUPT), Input.STUCK, why=Why.STUCK)
    assert floor.why is Why.STUCK


def test_a_response_without_an_id_is_a_response() -> None:
    floor, _ = step(floor_in(State.CLAIMED), Input.TAKEN, response="")
    assert (floor.state, floor.response) == (State.CONTESTED, "")


def test_a_step_that_changes_nothing_gives_the_same_value() -> None:
    before = floor_in(State.HELD, Why.ASKER)
    assert step(before, Input.DONE_STRANGER)[0] is before


def test_a_new_floor_is_offline_and_knows_nothing() -> None:
    assert Floor() == Floor(State.OFFLINE, None, None, None, None)


def test_the_token_of_the_claim() -> None:
    assert floor_in(State.CLAIMED).is_claim("old")
    assert not floor_in(State.CLAIMED).is_claim(None)
    assert not floor_in(State.HELD).is_claim("old")
    assert not floor_in(State.HELD).is_claim(None)


def test_a_correction_changes_the_owner_only() -> None:
    assert corrected(floor_in(State.HELD), 9) == Floor(State.HELD, None, "r_old", 9, None)
