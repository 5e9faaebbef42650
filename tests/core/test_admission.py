"""Who gets into the line, and who comes back to it: policies, keys, joining, parting, expiry."""

import pytest

from charye.core.admission import Admission, create_event
from charye.core.effects import Effect, Note, Send, Tell
from charye.core.requests import (
    OnUserSpeech,
    Outcome,
    OutcomeKind,
    Priority,
    Progress,
    RequestId,
    ResponseRequest,
    SameKey,
    Stage,
    Step,
    Ticket,
)
from charye.core.settings import Settings
from charye.core.tickets import Tickets
from charye.core.waiting import WhenFull
from charye.errors import LocalProtocolError
from charye.protocol import COMPATIBLE, ResponseCreate, ResponseParams
from tests.core.bench import TEXT_ONLY, aside, outcome, steps, told, want


class Desk:
    """An admission with its book and its effects."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.out: list[Effect] = []
        self.tickets = Tickets(self.out)
        self.admission = Admission(settings or Settings(), self.tickets, self.out)

    def admit(self, request: ResponseRequest, now: float = 0.0) -> Ticket | None:
        self.admission.admit(request, now)
        return self.tickets.get(request.id)

    def taken(self, request: ResponseRequest, now: float = 0.0) -> Ticket:
        """Admitted, and out of the line again, as one whose create was sent."""
        ticket = self.admit(request, now)
        assert ticket is not None
        self.admission.leave(ticket)
        ticket.stage = Stage.ASKED
        return ticket

    def waiting(self) -> list[str]:
        return [ticket.request.id for ticket in self.admission.floor]


def full(policy: WhenFull, *requests: ResponseRequest, bound: int = 2) -> Desk:
    desk = Desk(Settings(max_waiting=bound, when_full=policy))
    for request in requests:
        desk.admit(request)
    return desk


def test_a_request_waits_in_the_line_that_fits() -> None:
    desk = Desk()
    desk.admit(want("floor"))
    desk.admit(want("voice", conversation="none"))
    desk.admit(aside("silent"))
    assert desk.waiting() == ["floor", "voice"]
    assert [ticket.request.id for ticket in desk.admission.aside] == ["silent"]
    assert desk.admission.line_of(want()) is desk.admission.floor
    assert desk.admission.line_of(want(parameters=TEXT_ONLY)) is desk.admission.floor


def test_where_there_is_no_out_of_band_lane_it_is_denied_with_the_reason() -> None:
    desk = Desk(Settings(dialect=COMPATIBLE))
    for request in (aside("silent"), want("voice", conversation="none")):
        assert desk.admit(request, 3.0) is None
        assert outcome(desk.out, request.id) == Outcome(OutcomeKind.DENIED, "no out-of-band lane")
    assert desk.admit(want("floor")) is not None


def test_a_living_id_raises_and_changes_nothing() -> None:
    desk = Desk()
    desk.admit(want("a"))
    before = list(desk.out)
    with pytest.raises(LocalProtocolError):
        desk.admission.admit(want("a"), 0.0)
    assert desk.out == before
    assert desk.waiting() == ["a"]


# the three policies of a full line


def test_a_line_is_full_with_its_last_place_taken() -> None:
    desk = full(WhenFull.REFUSE, want("a"), want("b"))
    assert desk.waiting() == ["a", "b"]
    assert desk.admit(want("c"), 7.0) is None
    assert outcome(desk.out, "c") == Outcome(OutcomeKind.DENIED, "queue full")
    assert desk.waiting() == ["a", "b"]


def test_each_line_has_its_own_bound() -> None:
    desk = full(WhenFull.REFUSE, want("a"), want("b"))
    assert desk.admit(aside("x")) is not None
    assert desk.admit(aside("y")) is not None
    assert desk.admit(aside("z")) is None


def test_those_who_joined_count() -> None:
    desk = full(WhenFull.REFUSE, want("a", coalesce_key="k"), want("b", coalesce_key="k"))
    assert desk.admit(want("c", coalesce_key="k")) is None
    assert outcome(desk.out, "c").reason == "queue full"


@pytest.mark.parametrize("priority", [Priority.NOTICE, Priority.USER, Priority.SCRIPT])
def test_dropping_the_oldest_of_the_lowest_class_makes_room(priority: Priority) -> None:
    desk = full(
        WhenFull.DROP_OLDEST,
        want("user", priority=Priority.USER),
        want("old", priority=Priority.NOTICE),
        want("young", priority=Priority.NOTICE),
        bound=3,
    )
    assert desk.admit(want("new", priority=priority), 7.0) is not None
    assert outcome(desk.out, "old") == Outcome(OutcomeKind.DENIED, "dropped for a newer one", waited_s=7.0)
    assert sorted(desk.waiting()) == ["new", "user", "young"]


def test_a_lower_class_drops_nobody() -> None:
    desk = full(WhenFull.DROP_OLDEST, want("a", priority=Priority.NOTICE), want("b", priority=Priority.USER))
    assert desk.admit(want("new", priority=Priority.IDLE)) is None
    assert outcome(desk.out, "new").reason == "queue full"
    assert desk.waiting() == ["b", "a"]


def test_one_that_finds_its_key_after_the_dropping_joins_it() -> None:
    desk = full(WhenFull.DROP_OLDEST, want("a"), want("b", coalesce_key="k"))
    desk.admit(want("c", coalesce_key="k"))
    assert outcome(desk.out, "a").kind is OutcomeKind.DENIED
    ticket = desk.tickets.get(RequestId("c"))
    assert ticket is not None
    assert ticket.askers == ["b", "c"]


def test_one_whose_key_was_dropped_waits_alone() -> None:
    desk = full(WhenFull.DROP_OLDEST, want("a", coalesce_key="k"), want("b"))
    ticket = desk.admit(want("c", coalesce_key="k"))
    assert ticket is not None
    assert ticket.askers == ["c"]
    assert outcome(desk.out, "a").reason == "dropped for a newer one"
    assert desk.waiting() == ["b", "c"]


def test_a_line_with_no_room_at_all_drops_nobody() -> None:
    desk = full(WhenFull.DROP_OLDEST, bound=0)
    assert desk.admit(want("a")) is None
    assert outcome(desk.out, "a").reason == "queue full"


def test_the_same_key_may_be_replaced_in_a_full_line_even_if_it_would_rather_join() -> None:
    desk = full(WhenFull.REPLACE_SAME_KEY, want("a", coalesce_key="k"), want("b"))
    assert desk.admit(want("c", coalesce_key="k"), 7.0) is not None
    assert outcome(desk.out, "a") == Outcome(OutcomeKind.CANCELLED, "replaced", waited_s=7.0)
    assert desk.waiting() == ["c", "b"], "it has taken the place"


def test_without_the_same_key_a_full_line_refuses() -> None:
    desk = full(WhenFull.REPLACE_SAME_KEY, want("a", coalesce_key="k"), want("b"))
    assert desk.admit(want("c", coalesce_key="other")) is None
    assert desk.admit(want("d")) is None
    assert outcome(desk.out, "c").reason == outcome(desk.out, "d").reason == "queue full"


def test_a_line_that_is_not_full_replaces_nobody_who_joins() -> None:
    desk = full(WhenFull.REPLACE_SAME_KEY, want("a", coalesce_key="k"))
    desk.admit(want("b", coalesce_key="k"))
    ticket = desk.tickets.get(RequestId("a"))
    assert ticket is not None
    assert ticket.askers == ["a", "b"]


# the same key


def test_joining_takes_the_age_of_the_older_the_wish_of_the_newer_and_the_higher_class() -> None:
    desk = Desk()
    desk.admit(want("a", coalesce_key="k", priority=Priority.TOOL), 1.0)
    desk.admit(want("between", priority=Priority.TOOL), 2.0)
    newer = want(
        "b",
        coalesce_key="k",
        priority=Priority.NOTICE,
        parameters=ResponseParams(instructions="new"),
        max_attempts=3,
        expires_after_s=9.0,
    )
    desk.admit(newer, 3.0)
    ticket = desk.tickets.get(RequestId("b"))
    assert ticket is not None
    assert ticket is desk.tickets.get(RequestId("a"))
    assert (ticket.number, ticket.age, ticket.asked_at) == (1, 1, 1.0)
    assert ticket.request.id == "a"
    assert ticket.request.priority is Priority.TOOL
    assert ticket.request.parameters.instructions == "new"
    assert ticket.request.max_attempts == 3
    assert ticket.expires_at is None, "the older has no limit, so it waits on"
    assert ticket.askers == ["a", "b"]
    assert desk.waiting() == ["a", "between"]
    assert desk.admission.floor.askers == 3
    assert desk.out[-1] == Note("joined a waiting request", about="a")


@pytest.mark.parametrize(
    ("older_s", "newer_s", "expires_at"),
    [
        (5.0, 9.0, 12.0),
        (20.0, 9.0, 21.0),
        (None, 9.0, None),
        (5.0, None, None),
        (None, None, None),
    ],
)
def test_those_who_join_wait_as_long_as_the_longest_limit(
    older_s: float | None, newer_s: float | None, expires_at: float | None
) -> None:
    desk = Desk()
    desk.admit(want("a", coalesce_key="k", expires_after_s=older_s), 1.0)
    desk.admit(want("b", coalesce_key="k", expires_after_s=newer_s), 3.0)
    ticket = desk.tickets.get(RequestId("a"))
    assert ticket is not None
    assert ticket.expires_at == expires_at
    assert desk.admission.floor.next_expiry() == expires_at


def test_a_newer_of_a_higher_class_lifts_the_older() -> None:
    desk = Desk()
    desk.admit(want("a", coalesce_key="k", priority=Priority.IDLE))
    desk.admit(want("other", priority=Priority.TOOL))
    desk.admit(want("b", coalesce_key="k", priority=Priority.USER))
    assert desk.waiting() == ["a", "other"]


def test_replacing_ends_the_older_and_takes_its_place_in_the_line() -> None:
    desk = Desk()
    desk.admit(want("a", coalesce_key="k"), 1.0)
    desk.admit(want("between"), 2.0)
    desk.admit(want("b", coalesce_key="k", same_key=SameKey.REPLACE), 3.0)
    assert outcome(desk.out, "a") == Outcome(OutcomeKind.CANCELLED, "replaced", waited_s=2.0)
    assert desk.waiting() == ["b", "between"]
    ticket = desk.tickets.get(RequestId("b"))
    assert ticket is not None
    assert (ticket.number, ticket.age, ticket.asked_at) == (3, 1, 3.0)


def test_another_key_and_no_key_are_nobody_s_key() -> None:
    desk = Desk()
    desk.admit(want("a", coalesce_key="k"))
    desk.admit(want("b", coalesce_key="other", same_key=SameKey.REPLACE))
    desk.admit(want("c", same_key=SameKey.REPLACE))
    assert desk.waiting() == ["a", "b", "c"]


# coming back


def test_a_refused_request_returns_to_its_place_and_is_told_why() -> None:
    desk = Desk()
    ticket = desk.taken(want("a"))
    desk.admit(want("b"))
    ticket.response_id = "r1"
    desk.admission.requeue(ticket, "another response is running", 5.0)
    assert desk.waiting() == ["a", "b"]
    head = next(iter(desk.admission.floor))
    assert head is ticket
    assert (head.stage, head.response_id) == (Stage.WAITING, None)
    assert told(desk.out, "a")[-1] == Progress(Step.QUEUED, "another response is running")


@pytest.mark.parametrize(("attempts", "ends"), [(2, False), (3, True), (4, True)])
def test_after_so_many_creates_it_is_exhausted(attempts: int, ends: bool) -> None:
    desk = Desk()
    ticket = desk.taken(want("a", max_attempts=3))
    ticket.attempts = attempts
    desk.admission.requeue(ticket, "refused", 5.0)
    if ends:
        expected = Outcome(OutcomeKind.FAILED, "exhausted", attempts=attempts, waited_s=5.0)
        assert outcome(desk.out, "a") == expected
        assert desk.waiting() == []
    else:
        assert desk.waiting() == ["a"]


def test_one_that_has_ended_does_not_come_back() -> None:
    desk = Desk()
    ticket = desk.taken(want("a"))
    desk.tickets.end(ticket, OutcomeKind.CANCELLED, 0.0)
    before = list(desk.out)
    desk.admission.requeue(ticket, "refused", 5.0)
    assert desk.out == before
    assert desk.waiting() == []


@pytest.mark.parametrize("who_returns", ["a", "b"])
def test_one_that_finds_its_key_waiting_joins_it_whichever_is_older(who_returns: str) -> None:
    desk = Desk()
    requests = {
        "a": want("a", coalesce_key="k", parameters=ResponseParams(instructions="old")),
        "b": want("b", coalesce_key="k", parameters=ResponseParams(instructions="new")),
    }
    taken = None
    for name, request in requests.items():
        if name == who_returns:
            taken = desk.taken(request)
        else:
            desk.admit(request)
    assert taken is not None
    desk.admission.requeue(taken, "refused", 5.0)
    (ticket,) = desk.admission.floor
    assert (ticket.number, ticket.stage, ticket.askers) == (1, Stage.WAITING, ["a", "b"])
    assert ticket.request.parameters.instructions == "new"
    assert desk.admission.floor.askers == 2


def test_one_that_comes_back_to_a_replacement_is_replaced() -> None:
    desk = Desk()
    taken = desk.taken(want("a", coalesce_key="k"))
    desk.admit(want("b", coalesce_key="k", same_key=SameKey.REPLACE))
    desk.admission.requeue(taken, "refused", 5.0)
    assert steps(desk.out, "a")[-1] == "cancelled"
    assert outcome(desk.out, "a").reason == "replaced"
    (ticket,) = desk.admission.floor
    assert (ticket.request.id, ticket.age) == ("b", 1)


def test_a_silent_one_comes_back_to_the_lane_line() -> None:
    desk = Desk()
    ticket = desk.taken(aside("a"))
    desk.admission.requeue(ticket, "refused", 5.0)
    assert [each.request.id for each in desk.admission.aside] == ["a"]
    assert desk.waiting() == []


# parting, expiry, speech


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.ASKED])
def test_one_of_several_askers_parts_and_the_others_stay(stage: Stage) -> None:
    desk = Desk()
    desk.admit(want("a", coalesce_key="k"), 1.0)
    desk.admit(want("b", coalesce_key="k"), 2.0)
    ticket = desk.tickets.get(RequestId("a"))
    assert ticket is not None
    if stage is Stage.ASKED:
        desk.admission.leave(ticket)
        ticket.stage, ticket.attempts = stage, 1
    desk.admission.part(ticket, RequestId("a"), "asker", 6.0)
    expected = Outcome(OutcomeKind.CANCELLED, "asker", attempts=ticket.attempts, waited_s=5.0)
    assert outcome(desk.out, "a") == expected
    assert ticket.askers == ["b"]
    assert len(desk.admission.floor) == (1 if stage is Stage.WAITING else 0)
    assert desk.admission.floor.askers == (1 if stage is Stage.WAITING else 0)


@pytest.mark.parametrize(
    ("now", "at_the_limit", "ends"),
    [(3.999, True, False), (4.0, True, True), (4.001, True, True), (4.0, False, False), (4.001, False, True)],
)
def test_expiry_to_the_exact_moment(now: float, at_the_limit: bool, ends: bool) -> None:
    desk = Desk()
    desk.admit(want("a", expires_after_s=3.0), 1.0)
    desk.admit(aside("b", expires_after_s=3.0), 1.0)
    desk.admission.expire(now, at_the_limit=at_the_limit)
    for name in ("a", "b"):
        if ends:
            expected = Outcome(OutcomeKind.EXPIRED, "waited too long", waited_s=now - 1.0)
            assert outcome(desk.out, name) == expected
        else:
            assert steps(desk.out, name) == ["queued"]
    assert len(desk.admission.floor) == len(desk.admission.aside) == (0 if ends else 1)


def test_the_next_deadline_is_the_first_expiry_or_rest_of_either_line() -> None:
    desk = Desk()
    assert desk.admission.next_deadline(0.0) is None
    desk.admit(want("a", expires_after_s=9.0))
    assert desk.admission.next_deadline(0.0) == 9.0
    desk.admit(aside("b", expires_after_s=7.0))
    assert desk.admission.next_deadline(0.0) == 7.0
    ticket = desk.taken(aside("c", priority=Priority.SCRIPT))
    ticket.resting_until = 5.0
    desk.admission.requeue(ticket, "failed", 0.0)
    assert desk.admission.next_deadline(0.0) == 5.0
    assert desk.admission.next_deadline(5.0) == 7.0


def test_what_is_worth_nothing_once_the_user_speaks() -> None:
    desk = Desk()
    drop = {"on_user_speech": OnUserSpeech.DROP}
    desk.admit(want("waiting", coalesce_key="k", **drop))
    desk.admit(want("joined", coalesce_key="k", **drop))
    desk.taken(want("asked", **drop))
    desk.taken(want("speaking", **drop)).stage = Stage.SPEAKING
    desk.taken(want("hearing", **drop)).stage = Stage.HEARING
    desk.admit(want("kept"))
    assert desk.admission.dropped_by_speech() == ["waiting", "joined", "asked"]


# the create


def test_a_create_carries_the_token_twice_and_the_wish_once() -> None:
    parameters = ResponseParams(instructions="Hi.", metadata={"k": "v"})
    ticket = Ticket(request=want(parameters=parameters), number=1, age=1, asked_at=0.0)
    assert create_event(ticket, "t1", 4.0) == Send(
        ResponseCreate(
            event_id="t1",
            response=ResponseParams(instructions="Hi.", metadata={"k": "v", "charye": "t1"}),
        )
    )
    assert (ticket.attempts, ticket.sent_at, ticket.stage) == (1, 4.0, Stage.ASKED)
    create_event(ticket, "t2", 5.0)
    assert (ticket.attempts, ticket.sent_at) == (2, 5.0)


def test_an_out_of_band_create_says_so() -> None:
    ticket = Ticket(request=aside(), number=1, age=1, asked_at=0.0)
    event = create_event(ticket, "t1", 0.0).event
    assert isinstance(event, ResponseCreate)
    assert isinstance(event.response, ResponseParams)
    assert event.response.conversation == "none"
    assert event.response.output_modalities == ("text",)


def test_everybody_is_told_of_being_admitted() -> None:
    desk = Desk()
    desk.admit(want("a"))
    assert desk.out == [Tell(RequestId("a"), Progress(Step.QUEUED, trigger="test:a"))]
