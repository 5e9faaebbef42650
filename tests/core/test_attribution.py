"""Which input of the floor an event is: pure, so every case is a line."""

import pytest

from charye.core.attribution import Verdict, created, done, refused, token_of
from charye.core.evidence import Evidence
from charye.core.floor import Attempt, Floor, Input, State
from charye.core.requests import OutcomeKind, Stage
from charye.core.tickets import Tickets
from charye.protocol import NO_METADATA, OPENAI, Response
from tests.core.bench import want

CLAIM = Attempt(1, "t1")
CLAIMING = (State.CLAIMED, State.CONTESTED, State.WITHDRAWN, State.WITHDRAWN_CONTESTED)
NOT_CLAIMING = tuple(state for state in State if state not in CLAIMING)


def floor_in(state: State) -> Floor:
    runs = state in (State.CONTESTED, State.WITHDRAWN_CONTESTED, State.HELD, State.YIELDING)
    return Floor(state, CLAIM if state in CLAIMING else None, "r0" if runs else None)


def book(*stages: Stage) -> Tickets:
    """Tickets 1, 2, ... in these stages."""
    tickets = Tickets([])
    for number, stage in enumerate(stages):
        ticket = tickets.open(want(f"a{number}"), 0.0)
        ticket.stage = stage
        if stage is Stage.ENDED:
            tickets.end(ticket, OutcomeKind.CANCELLED, 0.0)
    return tickets


def older_try(number: int = 1, token: str = "t0") -> Evidence:
    evidence = Evidence()
    evidence.unsettle(Attempt(number, token))
    return evidence


def test_the_token_is_in_the_metadata_under_our_key() -> None:
    assert token_of(Response(metadata={"charye": "t1", "other": "x"})) == "t1"
    assert token_of(Response(metadata={"other": "x"})) is None
    assert token_of(Response(metadata={})) is None
    assert token_of(Response(metadata=None)) is None


@pytest.mark.parametrize("state", CLAIMING)
def test_the_token_of_our_claim_is_the_answer_to_it(state: State) -> None:
    tickets = book(Stage.ASKED)
    assert created(floor_in(state), Evidence(), tickets, OPENAI, "t1") == Verdict(Input.GRANTED, 1)
    assert done(floor_in(state), Evidence(), OPENAI, "t1") == Verdict(Input.DONE_UNSEEN, 1)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("token", [None, "foreign"])
def test_without_a_token_of_ours_it_is_a_strangers(state: State, token: str | None) -> None:
    evidence = older_try()
    tickets = book(Stage.WAITING)
    assert created(floor_in(state), evidence, tickets, OPENAI, token) == Verdict(Input.TAKEN)
    assert done(floor_in(state), evidence, OPENAI, token) == Verdict(Input.DONE_STRANGER)
    assert evidence.unsettled == {"t0": 1}


@pytest.mark.parametrize("state", State)
def test_an_older_try_of_a_request_that_waits_again_has_returned(state: State) -> None:
    evidence = older_try(2)
    tickets = book(Stage.ASKED, Stage.WAITING)
    assert created(floor_in(state), evidence, tickets, OPENAI, "t0") == Verdict(Input.RETURNED, 2)
    assert evidence.unsettled == {}, "it is answered now"


@pytest.mark.parametrize(
    ("state", "what"),
    [(state, Input.SURPLUS) for state in (State.CLAIMED, State.CONTESTED)]
    + [(state, Input.GHOST) for state in State if state not in (State.CLAIMED, State.CONTESTED)],
)
def test_an_older_try_of_the_claim_itself_makes_the_claim_surplus(state: State, what: Input) -> None:
    number = 1 if what is Input.SURPLUS else None
    verdict = created(floor_in(state), older_try(), book(Stage.ASKED), OPENAI, "t0")
    assert verdict == Verdict(what, number)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("stage", [Stage.ENDED, Stage.SPEAKING, Stage.HEARING])
def test_an_older_try_that_nobody_wants_any_more_is_a_ghost(state: State, stage: Stage) -> None:
    assert created(floor_in(state), older_try(), book(stage), OPENAI, "t0") == Verdict(Input.GHOST)


@pytest.mark.parametrize("state", State)
def test_the_end_of_an_older_try(state: State) -> None:
    wanted = state in (State.CLAIMED, State.CONTESTED)
    evidence = older_try(1)
    what = Input.DONE_SURPLUS if wanted else Input.DONE_EARLIER
    assert done(floor_in(state), evidence, OPENAI, "t0") == Verdict(what, 1)
    assert evidence.unsettled == {}
    other = done(floor_in(state), older_try(2), OPENAI, "t0")
    assert other == Verdict(Input.DONE_EARLIER, 2)


# a server that does not echo metadata


@pytest.mark.parametrize("state", CLAIMING)
def test_without_echo_the_unanswered_create_is_answered(state: State) -> None:
    tickets = book(Stage.ASKED)
    assert created(floor_in(state), Evidence(), tickets, NO_METADATA, None) == Verdict(Input.GRANTED, 1)


@pytest.mark.parametrize("state", NOT_CLAIMING)
def test_without_echo_else_the_oldest_that_we_stopped_waiting_for(state: State) -> None:
    evidence = older_try(1)
    evidence.unsettle(Attempt(2, "later"))
    tickets = book(Stage.WAITING, Stage.WAITING)
    assert created(floor_in(state), evidence, tickets, NO_METADATA, None) == Verdict(Input.RETURNED, 1)
    assert created(floor_in(state), evidence, tickets, NO_METADATA, None) == Verdict(Input.RETURNED, 2)
    assert created(floor_in(state), evidence, tickets, NO_METADATA, None) == Verdict(Input.TAKEN)


@pytest.mark.parametrize("state", State)
def test_without_echo_a_done_is_ours_only_while_nobody_else_is_known_to_run(state: State) -> None:
    alone = state in (State.CLAIMED, State.WITHDRAWN)
    verdict = done(floor_in(state), Evidence(), NO_METADATA, None)
    assert verdict == (Verdict(Input.DONE_UNSEEN, 1) if alone else Verdict(Input.DONE_STRANGER))


def test_where_a_token_comes_back_after_all_it_counts() -> None:
    evidence = older_try(2)
    tickets = book(Stage.ASKED, Stage.WAITING)
    floor = floor_in(State.CLAIMED)
    assert created(floor, evidence, tickets, NO_METADATA, "t0") == Verdict(Input.RETURNED, 2)


# refusals


@pytest.mark.parametrize("state", NOT_CLAIMING)
@pytest.mark.parametrize("certain", [False, True])
def test_where_nothing_is_unanswered_nothing_of_ours_is_refused(state: State, certain: bool) -> None:
    assert refused(floor_in(state), Evidence(), certain=certain, named="r0") is None


@pytest.mark.parametrize("state", CLAIMING)
@pytest.mark.parametrize("certain", [False, True])
def test_a_refusal_by_one_we_did_not_know(state: State, certain: bool) -> None:
    assert refused(floor_in(state), Evidence(), certain=certain, named="r5") is Input.REFUSED_BY
    assert refused(floor_in(state), Evidence(), certain=certain, named=None) is Input.REFUSED_BLIND


@pytest.mark.parametrize("state", CLAIMING)
def test_a_refusal_without_event_id_is_not_ours_where_the_server_names_events(state: State) -> None:
    evidence = Evidence(ids_proven=True)
    assert refused(floor_in(state), evidence, certain=False, named="r5") is None
    assert refused(floor_in(state), evidence, certain=True, named="r5") is Input.REFUSED_BY


def test_a_refusal_that_names_what_was_over_before_our_create_is_not_ours() -> None:
    evidence = Evidence()
    evidence.finish("r5")
    evidence.sending()
    floor = floor_in(State.CLAIMED)
    assert refused(floor, evidence, certain=False, named="r5") is None
    assert refused(floor, evidence, certain=False, named=None) is Input.REFUSED_BLIND


def test_a_certain_refusal_by_what_was_over_before_our_create_shows_that_it_is_not_over() -> None:
    evidence = Evidence()
    evidence.finish("r5")
    evidence.sending()
    assert refused(floor_in(State.CLAIMED), evidence, certain=True, named="r5") is Input.REFUSED_BY


def test_a_refusal_after_the_winners_end() -> None:
    evidence = Evidence()
    evidence.sending()
    evidence.finish("r5")
    floor = floor_in(State.CLAIMED)
    assert refused(floor, evidence, certain=False, named="r5") is Input.REFUSED_LATE
    assert refused(floor, evidence, certain=False, named=None) is Input.REFUSED_LATE
    assert refused(floor, evidence, certain=False, named="r6") is Input.REFUSED_BY


def test_a_refusal_by_one_that_ignored_our_cancel() -> None:
    evidence = Evidence()
    evidence.release("r5")
    floor = floor_in(State.CLAIMED)
    assert refused(floor, evidence, certain=False, named="r5") is Input.REFUSED_BY_ZOMBIE
    assert refused(floor, evidence, certain=True, named=None) is Input.REFUSED_BY_ZOMBIE
    assert refused(floor, evidence, certain=True, named="r6") is Input.REFUSED_BY
    evidence.finish("r6")
    assert refused(floor, evidence, certain=True, named=None) is Input.REFUSED_LATE
