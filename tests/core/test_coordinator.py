"""The floor through the peer's door: the rules of asking, being refused, cancelling, waiting and recovering."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from charye.core.effects import Note, Reconnect, Send, StopPlayback, Tell
from charye.core.floor import State, Why
from charye.core.playout import Reporting
from charye.core.requests import (
    OnInterruption,
    OnReconnect,
    OnUserSpeech,
    Outcome,
    OutcomeKind,
    Priority,
    Progress,
    RequestId,
    Starts,
    Step,
)
from charye.core.settings import Patience, Settings
from charye.protocol import (
    NO_EVENT_ID,
    NO_METADATA,
    OPENAI,
    SUPERSEDES,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    ErrorDetail,
    ErrorEvent,
    ResponseCancel,
    ResponseCreate,
    ResponseOutputTextDelta,
    ResponseParams,
    TurnDetection,
)
from tests.core.bench import (
    IN_STATE,
    Bench,
    cancels,
    claimed,
    close_to,
    contested,
    creates,
    held,
    notes,
    outcome,
    sent,
    steps,
    told,
    want,
    withdrawn,
    withdrawn_contested,
    yielding,
)

DEVICE = Settings(reporting=Reporting.DEVICE)


def text(response_id: str) -> ResponseOutputTextDelta:
    return ResponseOutputTextDelta(response_id=response_id, item_id="item_1", delta="t")


@pytest.mark.parametrize("state", State)
def test_the_short_way_into_each_state_leads_there(state: State) -> None:
    assert IN_STATE[state]().state() is state


# 1. one create of ours is unanswered at most, and none is sent while a response runs


def test_a_request_is_sent_at_once_when_the_floor_is_open() -> None:
    bench = Bench()
    effects = bench.ask(want(parameters=ResponseParams(instructions="Hi.")))
    create = ResponseCreate(
        event_id="c.1.1.1", response=ResponseParams(instructions="Hi.", metadata={"charye": "c.1.1.1"})
    )
    assert effects == [
        Tell(RequestId("a"), Progress(Step.QUEUED, trigger="test:a")),
        Send(create),
        Tell(RequestId("a"), Progress(Step.SENT)),
    ]


def test_the_token_says_whose_which_connection_which_ticket_which_try() -> None:
    bench = Bench(Settings(name="me"))
    bench.drop()
    bench.ask(want("x"))
    bench.cancel("x")
    bench.ask(want("a"))
    assert creates(bench.connect()) == ["me.2.2.1"]
    assert creates(bench.refused("r9", "me.2.2.1")) == []
    assert creates(bench.done("r9")) == ["me.2.2.2"]


@pytest.mark.parametrize("state", [state for state in State if state is not State.OPEN])
def test_no_create_is_sent_while_the_floor_is_not_open(state: State) -> None:
    bench = IN_STATE[state]()
    assert creates(bench.ask(want("b"))) == []
    assert steps(bench.log, "b") == ["queued"]


def test_each_in_its_turn() -> None:
    bench = held()
    bench.ask(want("b"))
    bench.ask(want("c", priority=Priority.SCRIPT))
    assert creates(bench.done("r1")) == ["c.1.3.1"]
    bench.created("r3", "c.1.3.1")
    assert creates(bench.done("r3")) == ["c.1.2.1"]
    bench.created("r2", "c.1.2.1")
    assert creates(bench.done("r2")) == []
    assert bench.ends() == {"a": ["heard"], "c": ["heard"], "b": ["heard"]}


def test_the_whole_life_of_a_request_that_is_heard() -> None:
    bench = Bench(DEVICE)
    bench.speaking(want())
    bench.audio("r1", 500.0)
    bench.now += 2.0
    bench.done("r1")
    assert told(bench.log, "a") == [
        Progress(Step.QUEUED, trigger="test:a"),
        Progress(Step.SENT),
        Progress(Step.SPEAKING, response_id="r1"),
        Progress(Step.GENERATED, response_id="r1"),
    ]
    end = Outcome(OutcomeKind.HEARD, attempts=1)
    assert bench.played(500.0) == [Tell(RequestId("a"), end)]


# 2. only the done of the floor's own response opens it


def test_only_its_own_done_opens_the_floor() -> None:
    bench = held()
    bench.ask(want("b"))
    bench.message_done("r1")
    bench.hear(text("r1"))
    bench.error("server_error")
    bench.done("r7", out_of_band=True)
    assert notes(bench.done("r8")) == ["done of a response that we do not know"]
    assert bench.done("r8") == [Note("done for a response that is over", about="r8")]
    assert bench.state() is State.HELD
    assert creates(bench.done("r1")) == ["c.1.2.1"]


def test_a_doubled_done_is_noted_and_opens_nothing() -> None:
    bench = held()
    bench.done("r1")
    bench.speaking(want("b"), "r2")
    assert bench.done("r1") == [Note("done for a response that is over", about="r1")]
    assert bench.state() is State.HELD


def test_a_done_without_id_is_no_end_but_a_hint() -> None:
    bench = held()
    effects = bench.done(None)
    assert notes(effects) == ["done of a response that we do not know"]
    assert bench.state() is State.HELD
    effects = bench.tick()
    assert ConversationItemRetrieve(item_id="probe_1", event_id="probe_1") in sent(effects)


def test_a_done_for_an_unknown_id_is_no_hint() -> None:
    bench = held()
    bench.done("r9")
    assert bench.tick() == []


def test_a_server_without_response_ids_has_the_same_floor() -> None:
    bench = Bench()
    bench.ask(want())
    bench.created(None, "c.1.1.1")
    assert bench.peer.floor.response == ""
    bench.ask(want("b"))
    assert creates(bench.done(None, "c.1.1.1")) == ["c.1.2.1"]
    assert bench.ends() == {"a": ["heard"]}
    bench.created(None, "c.1.2.1")
    bench.done("known in the done only")
    assert bench.state() is State.OPEN
    assert bench.ends() == {"a": ["heard"], "b": ["heard"]}


def test_without_response_ids_a_stuck_one_does_not_shadow_those_that_follow() -> None:
    bench = Bench()
    bench.ask(want())
    bench.created(None, "c.1.1.1")
    effects = bench.cancel()
    assert ResponseCancel() in sent(effects)
    bench.tick_at_deadline()
    assert bench.state() is State.OPEN
    bench.ask(want("b"))
    bench.created(None, "c.1.2.1")
    assert bench.state() is State.HELD


def test_any_done_opens_a_blind_block() -> None:
    bench = IN_STATE[State.BLOCKED]()
    assert creates(bench.done("r9")) == ["c.1.1.2"]


# 3. the token decides whose a created is


def test_a_foreign_created_does_not_answer_our_create() -> None:
    bench = contested()
    assert creates(bench.done("r0")) == []
    assert bench.state() is State.CLAIMED
    bench.created("r1", "c.1.1.1")
    assert bench.peer.floor.owner == 1
    bench.done("r1")
    assert bench.ends() == {"a": ["heard"]}
    assert creates(bench.log) == ["c.1.1.1"]


def test_our_create_may_be_accepted_before_the_strangers_end_is_seen() -> None:
    bench = contested()
    effects = bench.created("r1", "c.1.1.1")
    assert "its end was not seen, but another response runs" in notes(effects)
    assert bench.state() is State.HELD
    assert bench.done("r0") == [Note("done for a response that is over", about="r0")]


def test_one_foreign_after_another_leaves_ours_unanswered() -> None:
    bench = contested()
    bench.created("r9")
    assert bench.state() is State.CONTESTED
    assert bench.peer.floor.response == "r9"
    assert bench.peer.floor.is_claim("c.1.1.1")


def test_a_doubled_created_is_nothing() -> None:
    bench = held()
    before = bench.peer.floor
    assert bench.created("r1", "c.1.1.1") == []
    assert bench.peer.floor == before


def test_a_created_for_a_response_that_is_over_is_noted() -> None:
    bench = held()
    bench.done("r1")
    assert notes(bench.created("r1", "c.1.1.1")) == ["created for a response that is over"]
    assert bench.state() is State.OPEN


def test_a_done_without_its_created_ends_the_request() -> None:
    bench = claimed()
    bench.done("r1", "c.1.1.1")
    assert bench.state() is State.OPEN
    assert bench.ends() == {"a": ["heard"]}


@pytest.mark.parametrize("make", [withdrawn, withdrawn_contested])
def test_a_done_without_its_created_after_the_cancel_opens_the_floor(make: Callable[[], Bench]) -> None:
    bench = make()
    bench.done("r1", "c.1.1.1")
    assert bench.state() is State.OPEN
    assert bench.ends() == {"a": ["cancelled"]}


def test_deltas_stand_for_a_lost_created_and_the_done_says_whose_it_was() -> None:
    bench = claimed()
    effects = bench.audio("r1", 100.0)
    assert notes(effects) == ["a response runs whose created was not seen"]
    assert len(effects) == 2, "and it is played"
    assert bench.state() is State.CONTESTED
    bench.done("r1", "c.1.1.1")
    assert bench.state() is State.OPEN
    assert steps(bench.log, "a")[-1] == "generated"
    bench.tick(1.0)
    assert bench.ends() == {"a": ["heard"]}


def test_without_echo_deltas_are_the_answer_to_our_create() -> None:
    bench = Bench(Settings(dialect=NO_METADATA))
    bench.ask(want())
    bench.audio("r1", 100.0)
    assert (bench.state(), bench.peer.floor.owner) == (State.HELD, 1)
    assert steps(bench.log, "a")[-1] == "speaking"


def test_without_echo_deltas_of_a_withdrawn_create_are_cancelled_and_not_played() -> None:
    bench = Bench(Settings(dialect=NO_METADATA))
    bench.ask(want())
    bench.cancel()
    effects = bench.audio("r1", 100.0)
    assert cancels(effects) == ["r1"]
    assert bench.peer.floor.why is Why.ASKER
    assert [type(effect).__name__ for effect in effects] == ["Note", "Send"]
    assert bench.interrupt() == [], "it is being cancelled already"


def test_without_echo_the_whole_conversation_is_ours() -> None:
    bench = Bench(Settings(dialect=NO_METADATA))
    bench.ask(want())
    bench.created("r1")
    bench.done("r1")
    assert bench.ends() == {"a": ["heard"]}


def test_a_stranger_seen_by_its_deltas_holds_the_floor() -> None:
    bench = Bench()
    bench.audio("r9", 100.0)
    assert bench.state() is State.HELD
    assert bench.peer.floor.owner is None


# 4. a refusal puts the same request back, whichever way it comes


@pytest.mark.parametrize("event_id", ["c.1.1.1", None])
@pytest.mark.parametrize("named", ["r0", None])
def test_a_refusal_before_the_winners_created(event_id: str | None, named: str | None) -> None:
    bench = claimed()
    effects = bench.refused(named, event_id)
    assert told(effects, "a") == [Progress(Step.QUEUED, "another response is running")]
    assert bench.state() is (State.HELD if named else State.BLOCKED)
    bench.created("r0")
    assert bench.state() is State.HELD
    assert creates(bench.done("r0")) == ["c.1.1.2"]


@pytest.mark.parametrize("event_id", ["c.1.1.1", None])
@pytest.mark.parametrize("named", ["r0", None])
def test_a_refusal_after_the_winners_created(event_id: str | None, named: str | None) -> None:
    bench = contested()
    bench.refused(named, event_id)
    assert (bench.state(), bench.peer.floor.response) == (State.HELD, "r0")
    assert creates(bench.done("r0")) == ["c.1.1.2"]


@pytest.mark.parametrize("event_id", ["c.1.1.1", None])
@pytest.mark.parametrize("named", ["r0", None])
def test_a_refusal_after_the_winners_done(event_id: str | None, named: str | None) -> None:
    bench = contested()
    bench.done("r0")
    assert creates(bench.refused(named, event_id)) == ["c.1.1.2"]


@pytest.mark.parametrize(
    "error",
    [
        ErrorDetail(type="conversation_already_has_active_response", message="No: r0."),
        ErrorDetail(message="Conversation already has an active response in progress: r0."),
    ],
)
def test_a_refusal_by_type_or_by_text_only(error: ErrorDetail) -> None:
    bench = claimed()
    bench.hear(ErrorEvent(error=error))
    assert bench.state() in (State.HELD, State.BLOCKED)
    assert steps(bench.log, "a")[-1] == "queued"
    assert creates(bench.done("r0")) == ["c.1.1.2"]


def test_a_refused_request_keeps_its_place() -> None:
    bench = claimed()
    bench.ask(want("b"))
    bench.refused("r0", "c.1.1.1")
    assert creates(bench.done("r0")) == ["c.1.1.2"]


def test_a_refused_request_asks_for_the_same() -> None:
    bench = Bench()
    bench.ask(want(parameters=ResponseParams(instructions="Hi.", tools=())))
    bench.refused("r0", "c.1.1.1")
    (create,) = sent(bench.done("r0"))
    assert isinstance(create, ResponseCreate)
    assert create.response == ResponseParams(instructions="Hi.", tools=(), metadata={"charye": "c.1.1.2"})


def test_a_refusal_of_nothing_of_ours_is_noted() -> None:
    bench = held()
    assert bench.refused("r1") == [Note("refusal of nothing of ours", about="r1")]
    assert bench.refused() == [Note("refusal of nothing of ours")]


def test_a_refusal_of_an_older_create_is_noted() -> None:
    bench = claimed()
    assert bench.refused("r0", "c.1.0.9") == [Note("refusal of an older create", about="c.1.0.9")]
    assert bench.state() is State.CLAIMED


def test_once_the_server_has_named_an_event_a_nameless_refusal_is_not_ours() -> None:
    bench = Bench()
    bench.ask(want())
    bench.refused("r0", "c.1.1.1")
    bench.done("r0")
    assert notes(bench.refused("r5")) == ["refusal of nothing of ours"]
    assert bench.state() is State.CLAIMED


@pytest.mark.parametrize("event_id", ["some event of the app", "c.1.0.9", "c.1.1.1"])
def test_an_error_of_another_kind_that_names_an_event_proves_nothing(event_id: str) -> None:
    """Servers have named the event in other errors, and not in refusals."""
    bench = claimed()
    bench.ask(want("b"))
    bench.error("whatever", event_id)
    bench.refused("r5")
    assert bench.state() is State.HELD


def test_a_refusal_that_names_no_event_of_ours_proves_nothing() -> None:
    bench = claimed()
    bench.refused("r0", "c.1.0.9")
    bench.refused("r5")
    assert bench.state() is State.HELD


def test_a_dialect_may_promise_it() -> None:
    bench = Bench(Settings(dialect=replace(OPENAI, echoes_event_id=True)))
    bench.ask(want())
    assert notes(bench.refused("r5")) == ["refusal of nothing of ours"]
    bench.drop()
    bench.connect()
    assert notes(bench.refused("r5")) == ["refusal of nothing of ours"]


def test_what_a_connection_has_proved_is_unknown_in_the_next() -> None:
    bench = claimed()
    bench.refused("r0", "c.1.1.1")
    bench.done("r0")
    assert bench.state() is State.CLAIMED
    bench.drop()
    bench.connect()
    bench.refused("r5")
    assert bench.state() is State.HELD


def test_after_a_nameless_refusal_the_older_try_may_still_be_accepted() -> None:
    bench = Bench(Settings(dialect=NO_EVENT_ID))
    bench.ask(want())
    bench.refused("r0")
    bench.created("r1", "c.1.1.1")
    assert steps(bench.log, "a")[-1] == "speaking"
    assert bench.peer.floor.owner == 1
    bench.done("r1")
    assert bench.ends() == {"a": ["heard"]}


def test_a_stranger_by_refusal_may_turn_out_to_be_ours() -> None:
    """The doubled create of a retrying network: it refuses itself."""
    bench = Bench(Settings(dialect=NO_EVENT_ID))
    bench.ask(want())
    bench.refused("r1")
    bench.created("r1", "c.1.1.1")
    assert (bench.state(), bench.peer.floor.owner) == (State.HELD, 1)
    assert steps(bench.log, "a")[-1] == "speaking"


def test_if_nobody_wants_it_any_more_it_is_cancelled() -> None:
    bench = Bench(Settings(dialect=NO_EVENT_ID))
    bench.ask(want())
    bench.refused("r1")
    bench.cancel()
    effects = bench.created("r1", "c.1.1.1")
    assert cancels(effects) == ["r1"]
    assert bench.peer.floor.why is Why.GHOST


def test_the_done_may_be_the_first_to_say_that_it_was_ours() -> None:
    bench = Bench(Settings(dialect=NO_EVENT_ID))
    bench.ask(want())
    bench.refused("r1")
    bench.done("r1", "c.1.1.1")
    assert bench.ends() == {"a": ["heard"]}
    assert bench.state() is State.OPEN


def deltas_of_an_older_try() -> Bench:
    """Two tries of `a`; the deltas of the first stand for its created, the second is unanswered."""
    bench = Bench(Settings(dialect=NO_EVENT_ID))
    bench.ask(want())
    bench.refused()
    assert creates(bench.tick(1.0)) == ["c.1.1.2"]
    bench.audio("r1", 100.0)
    assert bench.state() is State.CONTESTED
    return bench


def test_a_created_after_its_deltas_may_show_that_an_older_try_speaks() -> None:
    bench = deltas_of_an_older_try()
    effects = bench.created("r1", "c.1.1.1")
    assert told(effects, "a") == [Progress(Step.SPEAKING, response_id="r1")]
    assert (bench.state(), bench.peer.floor.owner) == (State.WITHDRAWN_CONTESTED, 1)
    bench.done("r1", "c.1.1.1")
    assert cancels(bench.created("r2", "c.1.1.2")) == ["r2"]


def test_a_done_after_its_deltas_may_show_it_too() -> None:
    bench = deltas_of_an_older_try()
    bench.done("r1", "c.1.1.1")
    assert bench.state() is State.WITHDRAWN
    bench.tick(1.0)
    assert bench.ends() == {"a": ["heard"]}


def test_after_max_attempts_it_is_exhausted() -> None:
    bench = Bench()
    bench.ask(want(max_attempts=2))
    bench.refused("r0", "c.1.1.1")
    bench.done("r0")
    effects = bench.refused("r5", "c.1.1.2")
    assert outcome(effects, "a") == Outcome(OutcomeKind.FAILED, "exhausted", attempts=2)


def test_an_invalid_create_is_denied_with_its_code() -> None:
    bench = claimed()
    bench.ask(want("b"))
    effects = bench.error("invalid_value", "c.1.1.1")
    assert outcome(effects, "a") == Outcome(
        OutcomeKind.DENIED, "refused by the server", code="invalid_value", attempts=1
    )
    assert creates(effects) == ["c.1.2.1"]


def test_where_there_is_no_code_the_type_is_told() -> None:
    bench = claimed()
    assert outcome(bench.error(None, "c.1.1.1"), "a").code == "invalid_request_error"


def test_an_invalid_create_after_a_foreign_created() -> None:
    bench = contested()
    bench.error("invalid_value", "c.1.1.1")
    assert bench.ends() == {"a": ["denied"]}
    assert bench.state() is State.HELD


@pytest.mark.parametrize(("make", "after"), [(withdrawn, State.OPEN), (withdrawn_contested, State.HELD)])
def test_an_invalid_create_that_was_cancelled(make: Callable[[], Bench], after: State) -> None:
    bench = make()
    bench.error("invalid_value", "c.1.1.1")
    assert bench.state() is after
    assert bench.ends() == {"a": ["cancelled"]}


# 5. the user


def test_nothing_is_asked_while_the_user_speaks_and_until_the_servers_reply_is_over() -> None:
    bench = Bench()
    bench.speech_started()
    assert creates(bench.ask(want())) == []
    assert creates(bench.speech_stopped()) == []
    assert creates(bench.committed()) == []
    assert creates(bench.created("r0")) == []
    assert creates(bench.done("r0")) == ["c.1.1.1"]


def test_a_noise_turn_gets_no_reply_and_is_waited_for_so_long() -> None:
    bench = Bench(Settings(patience=Patience(reply_s=2.0)))
    bench.speech_started()
    bench.committed()
    bench.ask(want())
    assert bench.peer.next_deadline(bench.now) == bench.now + 2.0
    assert bench.tick(1.999) == []
    effects = bench.tick(0.001)
    assert notes(effects) == ["no more is heard of the user's turn"]
    assert creates(effects) == ["c.1.1.1"]


def test_a_lost_end_of_speech_does_not_close_the_floor_for_ever() -> None:
    bench = Bench(Settings(patience=Patience(speech_s=60.0)))
    bench.speech_started()
    bench.ask(want())
    assert creates(bench.tick(59.9)) == []
    assert creates(bench.tick(0.1)) == ["c.1.1.1"]


@pytest.mark.parametrize("detection", [None, TurnDetection(create_response=False)])
def test_where_the_server_does_not_reply_nothing_is_waited_for(detection: TurnDetection | None) -> None:
    bench = Bench()
    bench.configured(detection)
    bench.ask(want())
    bench.refused("r9", "c.1.1.1")
    bench.done("r9")
    bench.cancel()
    bench.error("whatever", "c.1.1.2")
    bench.speech_started()
    bench.ask(want("b"))
    assert creates(bench.committed()) == ["c.1.2.1"]


def test_a_late_created_of_the_server_consumes_the_wait_though_its_refusal_came_first() -> None:
    bench = claimed()
    bench.committed()
    bench.refused("r0", "c.1.1.1")
    bench.created("r0")
    assert creates(bench.done("r0")) == ["c.1.1.2"]


def test_what_is_worth_nothing_once_the_user_speaks_is_dropped() -> None:
    bench = held()
    bench.ask(want("b", on_user_speech=OnUserSpeech.DROP))
    bench.ask(want("c"))
    effects = bench.speech_started()
    assert outcome(effects, "b") == Outcome(OutcomeKind.CANCELLED, "user spoke")
    assert steps(bench.log, "c") == ["queued"]


def test_one_that_is_unanswered_is_dropped_too() -> None:
    bench = Bench()
    bench.ask(want(on_user_speech=OnUserSpeech.DROP))
    bench.speech_started()
    assert bench.ends() == {"a": ["cancelled"]}
    assert bench.state() is State.WITHDRAWN


# 6. stuck is silent, not long


def test_a_silent_response_is_probed_cancelled_released() -> None:
    bench = held()
    bench.ask(want("b"))
    effects = bench.tick(15.0)
    assert effects == [
        Note("silence: asking whether the line lives", about="probe_1"),
        Send(ConversationItemRetrieve(item_id="probe_1", event_id="probe_1")),
    ]
    assert bench.error("item_retrieve_invalid_item_id", "probe_1") == []
    effects = bench.tick(5.0)
    assert effects == [
        Note("response silent", about="r1"),
        Send(ResponseCancel(response_id="r1", event_id="cancel.r1")),
    ]
    assert bench.ends() == {}
    effects = bench.tick(5.0)
    assert notes(effects) == ["cancel unanswered"]
    assert outcome(effects, "a") == Outcome(OutcomeKind.FAILED, "stuck", attempts=1)
    assert creates(effects) == ["c.1.2.1"]


@pytest.mark.parametrize("event_id", ["probe_1", None])
def test_a_probes_answer_is_known_by_id_or_by_the_item_that_it_names(event_id: str | None) -> None:
    bench = held()
    bench.tick(15.0)
    effects = bench.error(
        "item_retrieve_invalid_item_id", event_id, message="Error: the item with id 'probe_1' is unknown."
    )
    assert effects == []
    assert notes(bench.tick(5.0)) == ["response silent"]


def test_an_error_about_something_else_answers_no_probe() -> None:
    bench = held()
    bench.tick(15.0)
    assert notes(bench.error("item_retrieve_invalid_item_id", "other")) == ["error"]
    assert notes(bench.tick(5.0)) == ["silence: asking whether the line lives"]


def test_a_long_response_is_not_stuck() -> None:
    bench = held()
    for _ in range(10):
        bench.now += 14.0
        bench.hear(text("r1"))
        assert sent(bench.tick()) == []
    assert bench.state() is State.HELD


def test_a_dead_line_is_given_up_and_everything_follows_its_policy() -> None:
    bench = held()
    bench.ask(want("b"))
    bench.tick(15.0)
    bench.tick(5.0)
    effects = bench.tick(5.0)
    assert Reconnect("line dead") in effects
    assert "line dead" in notes(effects)
    assert bench.state() is State.OFFLINE
    assert told(effects, "a") == [Progress(Step.QUEUED, "connection lost")]
    assert creates(bench.connect()) == ["c.2.1.2"]


def test_a_create_that_is_lost_is_asked_again_and_after_three_losses_fails() -> None:
    bench = claimed()
    for attempt in (2, 3):
        bench.tick(10.0)
        bench.error("item_retrieve_invalid_item_id", f"probe_{attempt - 1}")
        effects = bench.tick(5.0)
        assert notes(effects) == ["create lost"]
        assert told(effects, "a")[0] == Progress(Step.QUEUED, "unanswered")
        assert creates(effects) == [f"c.1.1.{attempt}"]
    bench.tick(10.0)
    bench.error("item_retrieve_invalid_item_id", "probe_3")
    end = outcome(bench.tick(5.0), "a")
    assert (end.kind, end.reason, end.uncertain, end.attempts) == (OutcomeKind.FAILED, "unanswered", True, 3)
    assert bench.state() is State.OPEN


def lost_once() -> Bench:
    """The first create of `a` is given up, the second is unanswered."""
    bench = claimed()
    bench.tick(10.0)
    bench.error("item_retrieve_invalid_item_id", "probe_1")
    bench.tick(5.0)
    assert bench.state() is State.CLAIMED
    return bench


def test_a_late_created_of_an_older_try_speaks_and_the_newer_is_surplus() -> None:
    bench = lost_once()
    bench.created("r1", "c.1.1.1")
    assert (bench.state(), bench.peer.floor.owner) == (State.WITHDRAWN_CONTESTED, 1)
    assert steps(bench.log, "a")[-1] == "speaking"
    bench.done("r1")
    assert bench.state() is State.WITHDRAWN
    assert cancels(bench.created("r2", "c.1.1.2")) == ["r2"]
    bench.done("r2", status="cancelled")
    assert bench.state() is State.OPEN
    assert bench.ends() == {"a": ["heard"]}


def test_a_late_done_of_an_older_try_ends_the_request_and_the_newer_is_surplus() -> None:
    bench = lost_once()
    bench.done("r1", "c.1.1.1")
    assert bench.state() is State.WITHDRAWN
    assert bench.ends() == {"a": ["heard"]}


def test_a_late_created_of_one_that_has_ended_is_cancelled_by_id() -> None:
    bench = lost_once()
    bench.cancel()
    effects = bench.created("r1", "c.1.1.1")
    assert cancels(effects) == ["r1"]
    assert bench.peer.floor.why is Why.GHOST
    assert bench.audio("r1", 100.0) == [], "never a ghost's voice"


def test_a_late_created_of_one_that_waits_again_takes_it_from_the_line() -> None:
    bench = lost_once()
    bench.refused("r0", "c.1.1.2")
    effects = bench.created("r1", "c.1.1.1")
    assert told(effects, "a") == [Progress(Step.SPEAKING, response_id="r1")]
    assert creates(bench.done("r1")) == []
    assert bench.ends() == {"a": ["heard"]}


def test_a_late_done_of_one_that_waits_again_takes_it_from_the_line() -> None:
    bench = lost_once()
    bench.refused("r0", "c.1.1.2")
    bench.done("r1", "c.1.1.1")
    assert bench.ends() == {"a": ["heard"]}
    assert creates(bench.done("r0")) == []


def test_an_older_try_that_is_refused_after_all_is_nothing() -> None:
    bench = lost_once()
    assert notes(bench.refused("r0", "c.1.1.1")) == ["refusal of an older create"]
    assert notes(bench.created("r1", "c.1.1.1")) == []
    assert bench.peer.floor.owner is None, "answered once, so this is not its answer"


def test_a_cancelled_create_that_is_lost_leaves_nothing_behind() -> None:
    bench = withdrawn()
    bench.tick(10.0)
    bench.error("item_retrieve_invalid_item_id", "probe_1")
    bench.tick(5.0)
    assert bench.state() is State.OPEN
    assert cancels(bench.created("r1", "c.1.1.1")) == ["r1"]


def test_a_blind_refusal_is_asked_again_after_a_growing_pause() -> None:
    bench = claimed()
    pauses = []
    for attempt in range(1, 5):
        bench.refused(event_id=f"c.1.1.{attempt}")
        deadline = bench.peer.next_deadline(bench.now)
        assert deadline is not None
        pauses.append(deadline - bench.now)
        assert creates(bench.tick_at_deadline()) == [f"c.1.1.{attempt + 1}"]
    assert pauses == [1.0, 2.0, 4.0, 8.0]


def test_a_released_response_is_recognised_and_never_asked_against_for_ever() -> None:
    bench = yielding()
    bench.tick(5.0)
    assert bench.state() is State.OPEN
    assert bench.audio("r1", 100.0) == []
    assert notes(bench.created("r1")) == ["created for a response that is over"]
    bench.ask(want("b"))
    effects = bench.refused("r1", "c.1.2.1")
    assert [effect for effect in effects if isinstance(effect, Reconnect)] == [
        Reconnect("another response is running")
    ]
    assert told(effects, "b")[-1] == Progress(Step.QUEUED, "another response is running")
    assert bench.state() is State.OFFLINE


def test_a_released_response_that_swallows_the_servers_replies_is_left_by_reconnecting() -> None:
    bench = yielding()
    bench.tick(5.0)
    bench.committed()
    effects = bench.tick(2.0)
    assert Reconnect("a stuck response blocks the conversation") in effects


@pytest.mark.parametrize("released", [False, True])
def test_a_turn_that_ends_otherwise_reconnects_nothing(released: bool) -> None:
    bench = yielding() if released else Bench()
    if released:
        bench.tick(5.0)
        bench.speech_started()
        effects = bench.tick(60.0)
    else:
        bench.committed()
        effects = bench.tick(2.0)
    assert notes(effects) == ["no more is heard of the user's turn"]
    assert bench.state() is State.OPEN


def test_a_stuck_response_that_completed_before_our_cancel_was_generated() -> None:
    bench = held()
    bench.tick(15.0)
    bench.error("x", "probe_1")
    bench.tick(5.0)
    bench.done("r1")
    assert bench.ends() == {"a": ["heard"]}


def test_a_stuck_response_that_our_cancel_ends_has_failed() -> None:
    bench = held()
    bench.tick(15.0)
    bench.error("x", "probe_1")
    bench.tick(5.0)
    assert outcome(bench.done("r1", status="cancelled"), "a") == Outcome(
        OutcomeKind.FAILED, "stuck", attempts=1
    )


def test_a_stuck_response_whose_done_was_lost_was_generated_perhaps() -> None:
    bench = held()
    bench.tick(15.0)
    bench.error("x", "probe_1")
    bench.tick(5.0)
    end = outcome(bench.not_active("r1"), "a")
    assert (end.kind, end.uncertain) == (OutcomeKind.HEARD, True)
    assert bench.state() is State.OPEN


def test_a_stuck_response_that_another_follows_has_failed() -> None:
    bench = held()
    bench.tick(15.0)
    bench.error("x", "probe_1")
    bench.tick(5.0)
    assert outcome(bench.created("r9"), "a").reason == "stuck"


@pytest.mark.parametrize(("status", "uncertain"), [("completed", False), ("incomplete", True), (None, True)])
def test_a_lost_done_is_inferred_from_its_items(status: str | None, uncertain: bool) -> None:
    bench = held()
    if status is not None:
        bench.message_done("r1", status)
    effects = bench.created("r9")
    assert notes(effects)[0] == "its end was not seen, but another response runs"
    end = outcome(effects, "a")
    assert (end.kind, end.uncertain) == (OutcomeKind.HEARD, uncertain)


def test_the_items_of_another_response_are_no_evidence() -> None:
    bench = held()
    bench.message_done("r1")
    bench.done("r1")
    bench.speaking(want("b"), "r2")
    assert outcome(bench.created("r9"), "b").uncertain


def test_where_a_create_ends_the_running_response_what_runs_was_interrupted() -> None:
    bench = Bench(Settings(dialect=SUPERSEDES, reporting=Reporting.DEVICE))
    bench.speaking(want())
    bench.audio("r1", 500.0)
    bench.played(200.0)
    end = outcome(bench.created("r9"), "a")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, 200.0)


# 7. cancel by id


def test_a_waiting_request_is_cancelled_at_once() -> None:
    bench = held()
    bench.ask(want("b"))
    bench.now += 3.0
    assert bench.cancel("b") == [Tell(RequestId("b"), Outcome(OutcomeKind.CANCELLED, "asker", waited_s=3.0))]
    assert creates(bench.done("r1")) == []


def test_an_unanswered_request_ends_now_and_its_response_later() -> None:
    bench = withdrawn()
    assert bench.ends() == {"a": ["cancelled"]}
    assert cancels(bench.log) == []
    effects = bench.created("r1", "c.1.1.1")
    assert sent(effects) == [ResponseCancel(response_id="r1", event_id="cancel.r1")]
    assert (bench.state(), bench.peer.floor.why) == (State.YIELDING, Why.ASKER)
    assert bench.audio("r1", 100.0) == []


def test_a_speaking_request_ends_now_is_silent_now_and_its_memory_is_repaired_at_its_end() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    bench.now += 0.5
    effects = bench.cancel()
    assert effects == [
        StopPlayback(("r1",)),
        Tell(RequestId("a"), Outcome(OutcomeKind.CANCELLED, "asker", heard_ms=500.0, attempts=1)),
        Send(ResponseCancel(response_id="r1", event_id="cancel.r1")),
    ]
    assert bench.audio("r1", 100.0) == []
    assert sent(bench.done("r1", status="cancelled", reason="client_cancelled")) == [
        ConversationItemTruncate(item_id="item_1", content_index=0, audio_end_ms=500)
    ]
    assert bench.state() is State.OPEN


def test_a_request_that_is_being_heard_is_silent_now() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    bench.done("r1")
    bench.now += 0.25
    assert bench.cancel() == [
        StopPlayback(("r1",)),
        Send(ConversationItemTruncate(item_id="item_1", content_index=0, audio_end_ms=250)),
        Tell(RequestId("a"), Outcome(OutcomeKind.CANCELLED, "asker", heard_ms=250.0, attempts=1)),
    ]
    assert bench.ends() == {"a": ["cancelled"]}


def test_cancelling_what_has_ended_or_never_was_is_noted() -> None:
    bench = held()
    bench.done("r1")
    assert bench.cancel() == [Note("cancel of a request that has ended", about="a")]
    assert bench.cancel("x") == [Note("cancel of a request that has ended", about="x")]


def test_one_of_two_askers_cancels_and_the_response_goes_on() -> None:
    bench = held()
    bench.ask(want("b", coalesce_key="k"))
    bench.ask(want("c", coalesce_key="k"))
    assert outcome(bench.cancel("b"), "b").kind is OutcomeKind.CANCELLED
    assert creates(bench.done("r1")) == ["c.1.2.1"]
    bench.created("r2", "c.1.2.1")
    bench.done("r2")
    assert bench.ends() == {"a": ["heard"], "b": ["cancelled"], "c": ["heard"]}


def test_nothing_to_cancel_is_no_error_and_says_that_the_response_was_over() -> None:
    bench = yielding()
    bench.ask(want("b"))
    assert creates(bench.not_active("r1")) == ["c.1.2.1"]
    assert bench.done("r1") == [Note("done for a response that is over", about="r1")]


def test_a_late_not_active_without_event_id_is_not_read_as_the_present_ones() -> None:
    bench = yielding()
    bench.done("r1")
    bench.speaking(want("b"), "r2")
    bench.cancel("b")
    assert notes(bench.not_active()) == ["nothing to cancel"]
    assert bench.state() is State.YIELDING
    bench.not_active()
    assert bench.state() is State.OPEN


def test_an_end_as_cancelled_by_a_client_owes_no_not_active() -> None:
    bench = yielding()
    bench.done("r1", status="cancelled", reason="client_cancelled")
    bench.speaking(want("b"), "r2")
    bench.cancel("b")
    bench.not_active()
    assert bench.state() is State.OPEN


def test_an_end_by_the_users_voice_still_owes_one() -> None:
    bench = yielding()
    bench.done("r1", status="cancelled", reason="turn_detected")
    bench.speaking(want("b"), "r2")
    bench.cancel("b")
    bench.not_active()
    assert bench.state() is State.YIELDING


def test_a_not_active_that_names_something_else_is_not_ours() -> None:
    bench = yielding()
    assert bench.error("response_cancel_not_active", "an event of the app") == []
    assert bench.state() is State.YIELDING
    assert notes(bench.not_active("r9")) == ["nothing to cancel"]
    assert bench.state() is State.YIELDING


def test_a_cancel_of_the_running_one_while_another_is_unanswered() -> None:
    bench = Bench(Settings(dialect=NO_EVENT_ID))
    bench.ask(want())
    bench.refused("r0")
    bench.done("r0")
    assert creates(bench.log) == ["c.1.1.1", "c.1.1.2"]
    bench.refused("r5")
    bench.cancel("a")
    bench.ask(want("b"))
    bench.done("r5")
    bench.created("r1", "c.1.1.1")
    assert bench.state() is State.CONTESTED
    assert cancels(bench.log) == ["r1"]
    assert bench.peer.floor.is_claim("c.1.2.1")
    bench.not_active("r1")
    assert bench.state() is State.CLAIMED


# priorities, cutting in, starting when heard


def speaks(bench: Bench, priority: Priority = Priority.NOTICE) -> None:
    bench.speaking(want("low", priority=priority))
    bench.audio("r1", 1000.0)
    bench.now += 0.25


def test_a_higher_class_does_not_cut_in_unless_it_says_so() -> None:
    bench = Bench()
    speaks(bench)
    assert cancels(bench.ask(want("high", priority=Priority.SCRIPT))) == []


def test_cutting_in_over_a_running_response() -> None:
    bench = Bench()
    speaks(bench)
    effects = bench.ask(want("high", priority=Priority.SCRIPT, cuts_in=True))
    assert StopPlayback(("r1",)) in effects
    assert cancels(effects) == ["r1"]
    assert bench.peer.floor.why is Why.CUT_IN
    assert bench.ends() == {}
    effects = bench.done("r1", status="cancelled")
    end = outcome(effects, "low")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, 250.0)
    assert creates(effects) == ["c.1.2.1"]
    assert cancels(bench.log) == ["r1"]


def test_cutting_in_over_one_that_is_only_being_heard() -> None:
    bench = Bench()
    speaks(bench)
    bench.done("r1")
    effects = bench.ask(want("high", priority=Priority.SCRIPT, cuts_in=True))
    assert StopPlayback(("r1",)) in effects
    assert cancels(effects) == []
    assert outcome(effects, "low").kind is OutcomeKind.INTERRUPTED
    assert creates(effects) == ["c.1.2.1"]


@pytest.mark.parametrize(
    ("priority", "cuts"), [(Priority.SCRIPT, True), (Priority.USER, False), (Priority.TOOL, False)]
)
def test_the_servers_own_replies_are_of_the_users_class(priority: Priority, cuts: bool) -> None:
    bench = Bench()
    bench.created("r0")
    bench.audio("r0", 100.0)
    effects = bench.ask(want("high", priority=priority, cuts_in=True))
    assert cancels(effects) == (["r0"] if cuts else [])


@pytest.mark.parametrize("running", [Priority.SCRIPT, Priority.USER])
def test_nobody_cuts_in_over_the_same_or_a_higher_class(running: Priority) -> None:
    bench = Bench()
    speaks(bench, running)
    effects = bench.ask(want("high", priority=Priority.USER, cuts_in=True))
    assert cancels(effects) == []
    bench.done("r1")
    assert StopPlayback(("r1",)) not in bench.log


def test_cutting_in_over_a_stranger_while_another_create_is_unanswered() -> None:
    bench = contested()
    bench.audio("r0", 100.0)
    effects = bench.ask(want("high", priority=Priority.SCRIPT, cuts_in=True))
    assert cancels(effects) == ["r0"]
    assert StopPlayback(("r0",)) in effects
    assert bench.state() is State.CONTESTED
    assert cancels(bench.tick(0.1)) == []


def test_cutting_in_waits_for_the_user() -> None:
    bench = Bench()
    bench.configured(TurnDetection(interrupt_response=False))
    speaks(bench)
    bench.speech_started()
    assert cancels(bench.ask(want("high", priority=Priority.SCRIPT, cuts_in=True))) == []


def test_the_next_starts_without_a_gap_unless_it_wants_the_room_quiet() -> None:
    bench = Bench()
    speaks(bench)
    bench.ask(want("b", starts=Starts.AFTER_HEARD))
    assert creates(bench.done("r1")) == []
    bench.tick(0.7)
    assert creates(bench.log) == ["c.1.1.1"]
    effects = bench.tick(0.05)
    assert outcome(effects, "low").kind is OutcomeKind.HEARD
    assert creates(effects) == ["c.1.2.1"]


def test_the_next_starts_when_the_one_before_is_generated() -> None:
    bench = Bench()
    speaks(bench)
    bench.ask(want("b", starts=Starts.AFTER_GENERATED))
    assert creates(bench.done("r1")) == ["c.1.2.1"]


# endings by status, retries, interruptions


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("completed", None, Outcome(OutcomeKind.HEARD, attempts=1)),
        (
            "incomplete",
            "max_output_tokens",
            Outcome(OutcomeKind.HEARD, "max_output_tokens", attempts=1),
        ),
        ("incomplete", None, Outcome(OutcomeKind.HEARD, "incomplete", attempts=1)),
        ("cancelled", "turn_detected", Outcome(OutcomeKind.INTERRUPTED, heard_ms=0.0, attempts=1)),
        ("cancelled", "client_cancelled", Outcome(OutcomeKind.CANCELLED, "client_cancelled", attempts=1)),
        ("cancelled", None, Outcome(OutcomeKind.CANCELLED, "by the server", attempts=1)),
        ("failed", None, Outcome(OutcomeKind.FAILED, "failed", attempts=1)),
        ("whatever", None, Outcome(OutcomeKind.HEARD, uncertain=True, attempts=1)),
    ],
)
def test_what_a_status_means_for_the_asker(status: str, reason: str | None, expected: Outcome) -> None:
    bench = held()
    effects = bench.done("r1", status=status, reason=reason)
    assert outcome(effects, "a") == expected
    assert ("unknown response status" in notes(effects)) is (status == "whatever")
    assert bench.state() is State.OPEN


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "server_error"])
def test_a_failure_that_passes_is_retried_with_a_growing_pause_and_a_bound(code: str) -> None:
    bench = held()
    response = 1
    for attempt, pause_s in ((2, 1.0), (3, 2.0), (4, 4.0)):
        effects = bench.done(f"r{response}", status="failed", error=code)
        assert told(effects, "a") == [Progress(Step.QUEUED, "failed, tried again")]
        assert bench.peer.next_deadline(bench.now) == bench.now + pause_s
        assert creates(bench.tick(pause_s - 0.001)) == []
        assert creates(bench.tick(0.001)) == [f"c.1.1.{attempt}"]
        response += 1
        bench.created(f"r{response}", f"c.1.1.{attempt}")
    end = outcome(bench.done("r4", status="failed", error=code), "a")
    assert (end.kind, end.reason, end.code, end.attempts) == (OutcomeKind.FAILED, "failed", code, 4)


def test_a_failure_that_stays_is_told_at_once() -> None:
    bench = held()
    end = outcome(bench.done("r1", status="failed", error="content_policy"), "a")
    assert (end.kind, end.code) == (OutcomeKind.FAILED, "content_policy")


def test_others_go_on_while_one_rests() -> None:
    bench = held()
    bench.ask(want("b", priority=Priority.IDLE))
    assert creates(bench.done("r1", status="failed", error="server_error")) == ["c.1.2.1"]


def test_the_user_cuts_off_what_is_spoken_to_the_millisecond() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    bench.now += 0.375
    assert bench.speech_started() == [StopPlayback(("r1",))]
    effects = bench.done("r1", status="cancelled", reason="turn_detected")
    assert sent(effects) == [ConversationItemTruncate(item_id="item_1", content_index=0, audio_end_ms=375)]
    end = outcome(effects, "a")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, 375.0)


def test_the_user_cuts_off_what_is_only_being_heard() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    bench.done("r1")
    bench.now += 0.3
    effects = bench.speech_started()
    assert StopPlayback(("r1",)) in effects
    assert outcome(effects, "a").heard_ms == pytest.approx(300.0)


def test_where_the_server_does_not_interrupt_the_user_cuts_off_nothing() -> None:
    bench = Bench()
    bench.configured(TurnDetection(interrupt_response=False))
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    assert bench.speech_started() == []


@pytest.mark.parametrize("before_done", [True, False])
def test_what_resumes_is_asked_again_after_the_users_turn(before_done: bool) -> None:
    bench = Bench()
    bench.speaking(want(on_interruption=OnInterruption.RESUME))
    bench.audio("r1", 1000.0)
    if not before_done:
        bench.done("r1")
    bench.speech_started()
    if before_done:
        bench.done("r1", status="cancelled", reason="turn_detected")
    assert told(bench.log, "a")[-1] == Progress(Step.QUEUED, "interrupted")
    bench.committed()
    bench.created("r2")
    assert creates(bench.done("r2")) == ["c.1.1.2"]


def test_interrupting_stops_the_voice_and_the_generation() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    effects = bench.interrupt()
    assert effects == [
        StopPlayback(("r1",)),
        Send(ResponseCancel(response_id="r1", event_id="cancel.r1")),
    ]
    assert bench.peer.floor.why is Why.INTERRUPT
    effects = bench.done("r1", status="cancelled")
    assert sent(effects) == [ConversationItemDelete(item_id="item_1")]
    assert outcome(effects, "a").kind is OutcomeKind.INTERRUPTED


def test_interrupting_before_the_first_sound_lets_none_come() -> None:
    bench = held()
    assert cancels(bench.interrupt()) == ["r1"]
    assert bench.audio("r1", 100.0) == []


@pytest.mark.parametrize("state", State)
def test_interrupting_is_legal_in_every_state_and_once_is_enough(state: State) -> None:
    bench = IN_STATE[state]()
    bench.interrupt()
    assert sent(bench.interrupt()) == []


def test_an_interrupted_response_that_never_ends_is_released_as_interrupted() -> None:
    bench = held()
    bench.interrupt()
    end = outcome(bench.tick(5.0), "a")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, 0.0)


def test_a_cancel_of_what_is_being_interrupted_ends_the_handle_and_sends_nothing() -> None:
    bench = held()
    bench.interrupt()
    effects = bench.cancel()
    assert outcome(effects, "a").kind is OutcomeKind.CANCELLED
    assert sent(effects) == []
    assert bench.done("r1", status="cancelled") == []


# expiry


def test_a_request_expires_to_the_moment() -> None:
    bench = held()
    bench.ask(want("b", expires_after_s=3.0))
    assert bench.peer.next_deadline(bench.now) == bench.now + 3.0
    assert bench.tick(2.999) == []
    assert outcome(bench.tick(0.001), "b") == Outcome(
        OutcomeKind.EXPIRED, "waited too long", waited_s=close_to(3.0)
    )


def test_at_its_last_moment_a_request_may_still_be_sent() -> None:
    bench = held()
    bench.ask(want("b", expires_after_s=3.0))
    bench.now += 3.0
    assert creates(bench.done("r1")) == ["c.1.2.1"]


def test_after_its_last_moment_it_is_not_even_if_nobody_ticked() -> None:
    bench = held()
    bench.ask(want("b", expires_after_s=3.0))
    bench.now += 3.001
    effects = bench.done("r1")
    assert creates(effects) == []
    assert outcome(effects, "b").kind is OutcomeKind.EXPIRED


def test_expiry_counts_over_a_refusal() -> None:
    bench = Bench()
    bench.ask(want(expires_after_s=3.0))
    bench.now += 4.0
    effects = bench.refused("r0", "c.1.1.1")
    assert outcome(effects, "a").kind is OutcomeKind.EXPIRED


def test_now_or_never() -> None:
    assert creates(Bench().ask(want(expires_after_s=0.0))) == ["c.1.1.1"]
    bench = held()
    bench.ask(want("b", expires_after_s=0.0))
    assert bench.peer.next_deadline(bench.now) == bench.now
    assert outcome(bench.tick(), "b").kind is OutcomeKind.EXPIRED


# 9. a lost connection


@pytest.mark.parametrize("state", [State.CLAIMED, State.CONTESTED, State.HELD])
@pytest.mark.parametrize("policy", OnReconnect)
def test_what_was_on_its_way_follows_its_own_policy(state: State, policy: OnReconnect) -> None:
    bench = Bench()
    bench.ask(want(on_reconnect=policy))
    if state is State.CONTESTED:
        bench.created("r0")
    elif state is State.HELD:
        bench.created("r1", "c.1.1.1")
    effects = bench.drop()
    assert bench.state() is State.OFFLINE
    if policy is OnReconnect.REPLAY:
        assert told(effects, "a") == [Progress(Step.QUEUED, "connection lost")]
        assert creates(bench.connect()) == ["c.2.1.2"]
    else:
        assert outcome(effects, "a") == Outcome(
            OutcomeKind.DISCONNECTED, "connection lost", uncertain=True, attempts=1
        )
        assert bench.connect() == []


def test_the_line_stays_over_a_lost_connection() -> None:
    bench = held()
    bench.ask(want("b", on_reconnect=OnReconnect.FAIL))
    bench.drop()
    assert steps(bench.log, "b") == ["queued"]
    assert creates(bench.connect()) == ["c.2.1.2"]


def test_what_is_replayed_is_silenced_first() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    effects = bench.drop()
    assert StopPlayback(("r1",)) in effects
    assert sent(effects) == []


def test_what_is_not_replayed_is_heard_as_far_as_it_came() -> None:
    bench = Bench()
    bench.speaking(want(on_reconnect=OnReconnect.FAIL))
    bench.audio("r1", 1000.0)
    assert StopPlayback(("r1",)) not in bench.drop()


def test_what_was_generated_is_heard_over_a_lost_connection() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    bench.done("r1")
    bench.drop()
    assert bench.ends() == {}
    bench.tick(1.0)
    assert bench.ends() == {"a": ["heard"]}


def test_what_was_being_interrupted_when_the_line_broke_was_interrupted() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    bench.now += 0.2
    bench.interrupt()
    end = outcome(bench.drop(), "a")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, close_to(200.0))


def test_nothing_of_the_old_connection_is_sent_into_the_new_one() -> None:
    bench = yielding()
    bench.drop()
    assert bench.connect() == []
    assert bench.state() is State.OPEN
    assert bench.peer.next_deadline(bench.now) is None
    assert notes(bench.not_active("r1")) == ["nothing to cancel"]
    bench.created("r1")
    assert bench.state() is State.HELD, "an id of the old connection means nothing"


def test_losing_the_connection_twice_does_no_harm() -> None:
    bench = held()
    bench.drop()
    assert bench.drop() == []


def test_an_expired_session_is_left_at_once() -> None:
    bench = held()
    effects = bench.error("session_expired")
    assert Reconnect("the session has expired") in effects
    assert bench.state() is State.OFFLINE
    assert notes(bench.error("session_expired")) == ["an event of a connection that is given up"]


# details that a careless change would get wrong


@pytest.mark.parametrize("heard_only", [True, False])
@pytest.mark.parametrize(
    ("low", "high", "cuts"),
    [
        (Priority.NOTICE, Priority.TOOL, True),
        (Priority.TOOL, Priority.NOTICE, False),
        (Priority.SCRIPT, Priority.SCRIPT, False),
        (Priority.USER, Priority.SCRIPT, True),
    ],
)
def test_the_class_of_what_speaks_is_that_of_its_request(
    low: Priority, high: Priority, cuts: bool, heard_only: bool
) -> None:
    bench = Bench()
    speaks(bench, low)
    if heard_only:
        bench.done("r1")
    effects = bench.ask(want("high", priority=high, cuts_in=True))
    assert (StopPlayback(("r1",)) in effects) is cuts
    assert cancels(effects) == (["r1"] if cuts and not heard_only else [])


def test_cutting_in_over_one_that_has_not_made_a_sound_yet() -> None:
    bench = Bench()
    bench.speaking(want("low", priority=Priority.NOTICE))
    assert cancels(bench.ask(want("high", priority=Priority.TOOL, cuts_in=True))) == ["r1"]
    assert bench.audio("r1", 100.0) == []


def test_speech_silences_also_what_has_not_made_a_sound_yet() -> None:
    bench = held()
    bench.speech_started()
    assert bench.audio("r1", 100.0) == []


def test_audio_of_a_stranger_under_a_running_response_is_not_played_and_takes_nothing() -> None:
    bench = held()
    before = bench.peer.floor
    assert bench.audio("r9", 100.0) == []
    assert bench.peer.floor == before


def test_deltas_alone_do_not_say_that_it_is_ours() -> None:
    bench = claimed()
    bench.audio("r1", 100.0)
    assert bench.peer.floor.owner is None


def test_one_asker_of_several_is_told_why_it_ended() -> None:
    bench = held()
    bench.ask(want("b", coalesce_key="k"))
    bench.ask(want("c", coalesce_key="k"))
    assert outcome(bench.cancel("b"), "b").reason == "asker"


def test_what_is_noted_names_what_it_is_about() -> None:
    bench = held()
    bench.done("r1")
    assert bench.created("r1", "c.1.1.1") == [Note("created for a response that is over", about="r1")]
    assert bench.not_active() == [Note("nothing to cancel")]
    assert bench.not_active("r9") == [Note("nothing to cancel", about="r9")]


def test_a_done_without_its_created_is_remembered() -> None:
    bench = claimed()
    bench.done("r1", "c.1.1.1")
    assert bench.done("r1", "c.1.1.1") == [Note("done for a response that is over", about="r1")]


def test_a_failure_without_its_created_is_retried_too() -> None:
    bench = claimed()
    effects = bench.done("r1", "c.1.1.1", status="failed", error="server_error")
    assert told(effects, "a") == [Progress(Step.QUEUED, "failed, tried again")]
    assert bench.peer.next_deadline(bench.now) == bench.now + 1.0


def test_a_certain_refusal_is_the_answer_so_no_other_is_waited_for() -> None:
    bench = claimed()
    bench.refused("r0", "c.1.1.1")
    bench.done("r0")
    bench.created("r1", "c.1.1.1")
    assert bench.peer.floor.owner is None


def test_a_certain_refusal_by_one_believed_over_holds_the_floor_until_its_end() -> None:
    bench = Bench()
    bench.created("r0")
    bench.created("r9")
    bench.done("r9")
    bench.ask(want())
    bench.refused("r0", "c.1.1.1")
    assert (bench.state(), bench.peer.floor.response) == (State.HELD, "r0")
    assert creates(bench.done("r0")) == ["c.1.1.2"]


def test_a_denial_is_told_to_its_asker_and_noted_nowhere() -> None:
    assert notes(claimed().error("invalid_value", "c.1.1.1")) == []


def test_a_denial_of_an_older_try_is_its_answer() -> None:
    bench = lost_once()
    assert bench.ends() == {}
    bench.error("invalid_value", "c.1.1.1")
    assert bench.ends() == {}
    assert bench.state() is State.CLAIMED
    bench.created("r1", "c.1.1.1")
    assert bench.peer.floor.owner is None
