"""The book of requests: each ends once, for every asker."""

import pytest

from charye.core.effects import Effect, Tell
from charye.core.requests import Outcome, OutcomeKind, Progress, RequestId, Stage, Step
from charye.core.tickets import ENDED_REMEMBERED, Tickets
from charye.errors import LocalProtocolError
from tests.core.bench import told, want


def test_an_opened_ticket_is_found_and_its_asker_is_told_that_it_waits() -> None:
    out: list[Effect] = []
    tickets = Tickets(out)
    ticket = tickets.open(want("a"), 5.0)
    assert (ticket.number, ticket.age, ticket.asked_at, ticket.askers) == (1, 1, 5.0, ["a"])
    assert tickets.get(RequestId("a")) is ticket
    assert tickets.numbered(1) is ticket
    assert tickets.all() == [ticket]
    assert (len(tickets), tickets.count) == (1, 1)
    assert out == [Tell(RequestId("a"), Progress(Step.QUEUED, trigger="test:a"))]


@pytest.mark.parametrize(("after_s", "at"), [(None, None), (0.0, 5.0), (2.5, 7.5)])
def test_a_ticket_expires_so_long_after_it_was_asked_for(after_s: float | None, at: float | None) -> None:
    assert Tickets([]).open(want("a", expires_after_s=after_s), 5.0).expires_at == at


def test_nobody_is_found_who_is_not_there() -> None:
    tickets = Tickets([])
    assert tickets.get(RequestId("a")) is None
    assert tickets.numbered(None) is None
    assert tickets.numbered(1) is None
    assert tickets.outcome(RequestId("a")) is None
    assert (tickets.all(), len(tickets), tickets.count) == ([], 0, 0)


def test_a_living_id_is_not_given_twice_and_the_attempt_changes_nothing() -> None:
    out: list[Effect] = []
    tickets = Tickets(out)
    tickets.open(want("a"), 0.0)
    with pytest.raises(LocalProtocolError, match=r"^a request with this id is not ended yet$"):
        tickets.open(want("a"), 0.0)
    assert (tickets.count, len(tickets), len(out)) == (1, 1, 1)


def test_an_id_is_free_again_once_its_request_has_ended_but_numbers_are_not() -> None:
    tickets = Tickets([])
    tickets.end(tickets.open(want("a"), 0.0), OutcomeKind.EXPIRED, 0.0)
    assert tickets.open(want("a"), 0.0).number == 2
    assert tickets.count == 2


def test_an_end_is_told_with_everything_that_is_known() -> None:
    out: list[Effect] = []
    tickets = Tickets(out)
    ticket = tickets.open(want("a"), 5.0)
    ticket.attempts, ticket.sent_at = 3, 7.0
    tickets.end(ticket, OutcomeKind.FAILED, 9.0, reason="stuck", code="c", heard_ms=12.0, uncertain=True)
    end = Outcome(
        OutcomeKind.FAILED, "stuck", code="c", heard_ms=12.0, uncertain=True, attempts=3, waited_s=2.0
    )
    assert out[1:] == [Tell(RequestId("a"), end)]
    assert ticket.stage is Stage.ENDED
    assert tickets.get(RequestId("a")) is None
    assert tickets.numbered(1) is None
    assert tickets.outcome(RequestId("a")) == end


def test_the_wait_of_one_that_was_never_sent_lasts_until_its_end() -> None:
    out: list[Effect] = []
    tickets = Tickets(out)
    tickets.end(tickets.open(want("a"), 5.0), OutcomeKind.CANCELLED, 9.0)
    assert told(out, "a")[-1] == Outcome(OutcomeKind.CANCELLED, waited_s=4.0)


def test_a_doubt_of_the_ticket_is_a_doubt_of_its_end() -> None:
    out: list[Effect] = []
    tickets = Tickets(out)
    ticket = tickets.open(want("a"), 0.0)
    ticket.uncertain = True
    tickets.end(ticket, OutcomeKind.HEARD, 0.0)
    assert told(out, "a")[-1] == Outcome(OutcomeKind.HEARD, uncertain=True)


def test_those_who_joined_are_told_everything_and_end_together() -> None:
    out: list[Effect] = []
    tickets = Tickets(out)
    first, second = tickets.open(want("a"), 0.0), tickets.open(want("b"), 0.0)
    tickets.join(first, second)
    assert tickets.get(RequestId("b")) is first
    assert tickets.all() == [first]
    assert tickets.numbered(2) is None
    assert (second.stage, second.askers, first.askers) == (Stage.ENDED, [], ["a", "b"])
    out.clear()
    tickets.tell(first, Progress(Step.SENT))
    tickets.end(first, OutcomeKind.HEARD, 0.0)
    end = Outcome(OutcomeKind.HEARD)
    assert out == [
        Tell(RequestId("a"), Progress(Step.SENT)),
        Tell(RequestId("b"), Progress(Step.SENT)),
        Tell(RequestId("a"), end),
        Tell(RequestId("b"), end),
    ]
    assert len(tickets) == 0


def test_one_may_leave_without_the_others() -> None:
    out: list[Effect] = []
    tickets = Tickets(out)
    first = tickets.open(want("a"), 0.0)
    tickets.join(first, tickets.open(want("b"), 0.0))
    out.clear()
    end = Outcome(OutcomeKind.CANCELLED, "asker")
    tickets.leave(first, RequestId("a"), end)
    assert out == [Tell(RequestId("a"), end)]
    assert first.askers == ["b"]
    assert tickets.get(RequestId("a")) is None
    assert tickets.outcome(RequestId("a")) == end
    assert tickets.get(RequestId("b")) is first


def test_a_ticket_whose_askers_have_all_left_ends_in_silence() -> None:
    out: list[Effect] = []
    tickets = Tickets(out)
    ticket = tickets.open(want("a"), 0.0)
    tickets.leave(ticket, RequestId("a"), Outcome(OutcomeKind.CANCELLED))
    out.clear()
    tickets.end(ticket, OutcomeKind.HEARD, 0.0)
    assert out == []


def test_the_last_ends_are_remembered_and_no_more() -> None:
    tickets = Tickets([])
    for number in range(ENDED_REMEMBERED + 1):
        tickets.end(tickets.open(want(f"a{number}"), 0.0), OutcomeKind.HEARD, 0.0)
    assert tickets.outcome(RequestId("a0")) is None
    assert tickets.outcome(RequestId("a1")) == Outcome(OutcomeKind.HEARD)
