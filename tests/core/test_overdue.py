"""A response owes only its end and does not give it: who waits is asked for, and the answer tells whether it runs."""

import math

import pytest

from charye.core.floor import State
from charye.core.requests import Outcome, OutcomeKind, Progress, Step
from charye.core.settings import Patience, Settings
from charye.protocol import NO_METADATA, SUPERSEDES, ConversationItemRetrieve
from tests.core.bench import Bench, cancels, creates, notes, outcome, owing_its_end, sent, steps, told, want

OVERDUE = "its end is overdue: asking for the next"
TOKEN = "c.1.2.1"


def asked_about() -> Bench:
    """`a` owes its end, and `b` was asked for to learn whether it has come."""
    bench = owing_its_end()
    bench.ask(want("b"))
    assert creates(bench.tick(2.0)) == [TOKEN]
    return bench


def test_whoever_waits_is_asked_for_once_when_the_end_is_overdue() -> None:
    bench = owing_its_end()
    assert creates(bench.ask(want("b"))) == []
    assert bench.tick(1.999) == []
    effects = bench.tick_at_deadline()
    assert (creates(effects), cancels(effects), notes(effects)) == ([TOKEN], [], [OVERDUE])
    assert bench.state() is State.CONTESTED


def test_accepted_it_was_over_and_its_done_is_lost() -> None:
    bench = asked_about()
    effects = bench.created("r2", TOKEN)
    assert bench.state() is State.HELD
    assert outcome(effects, "a") == Outcome(OutcomeKind.HEARD, attempts=1, waited_s=0.0)
    assert steps(effects, "b") == ["speaking"]
    bench.done("r2")
    assert bench.ends() == {"a": ["heard"], "b": ["heard"]}


def test_accepted_after_an_item_that_was_cut_off_it_is_uncertain_what_was_heard() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.message_done("r1", status="incomplete")
    bench.ask(want("b"))
    assert creates(bench.tick(2.0)) == [TOKEN]
    assert outcome(bench.created("r2", TOKEN), "a").uncertain


@pytest.mark.parametrize("named", ["r1", None])
def test_refused_it_runs_and_all_is_as_before(named: str | None) -> None:
    bench = asked_about()
    effects = bench.refused(named, TOKEN)
    assert (sent(effects), bench.state()) == ([], State.HELD)
    assert told(effects, "b") == [Progress(Step.QUEUED, "another response is running")]
    bench.message_added("r1", "item_2")
    bench.message_done("r1", item_id="item_2")
    assert creates(bench.done("r1")) == ["c.1.2.2"]
    bench.created("r2", "c.1.2.2")
    bench.done("r2")
    assert bench.ends() == {"a": ["heard"], "b": ["heard"]}


def test_refused_it_is_not_asked_about_again_but_probed_after_a_silence() -> None:
    bench = asked_about()
    bench.refused("r1", TOKEN)
    assert bench.tick(14.999) == []
    effects = bench.tick_at_deadline()
    assert [type(event) for event in sent(effects)] == [ConversationItemRetrieve]
    bench.error("item_retrieve_invalid_item_id", "probe_1")
    assert cancels(bench.tick(5.0)) == ["r1"]


def test_a_response_that_thinks_between_two_items_is_left_alone() -> None:
    bench = owing_its_end()
    bench.ask(want("b"))
    for number in range(2, 6):
        bench.now += 1.9
        bench.message_added("r1", f"item_{number}")
        assert sent(bench.tick(14.0)) == []
        bench.message_done("r1", item_id=f"item_{number}")
    assert bench.state() is State.HELD
    assert creates(bench.done("r1")) == [TOKEN]


def test_where_nobody_waits_nothing_is_asked_and_nobody_wakes_again_and_again() -> None:
    bench = owing_its_end()
    assert bench.tick_at_deadline() == []
    assert bench.peer.next_deadline(bench.now) == bench.now + 13.0


def test_who_comes_when_the_end_is_overdue_is_asked_for_at_once() -> None:
    bench = owing_its_end()
    bench.tick(2.0)
    bench.now += 5.0
    assert creates(bench.ask(want("b"))) == [TOKEN]


def test_its_done_may_still_come() -> None:
    bench = asked_about()
    assert outcome(bench.done("r1"), "a").kind is OutcomeKind.HEARD
    assert bench.state() is State.CLAIMED
    assert creates(bench.refused("r1", TOKEN)) == ["c.1.2.2"], "it ended in between"


def test_who_is_asked_for_may_be_cancelled() -> None:
    bench = asked_about()
    assert bench.cancel("b") != []
    assert bench.state() is State.WITHDRAWN_CONTESTED
    assert cancels(bench.created("r2", TOKEN)) == ["r2"]
    bench.done("r2", status="cancelled", reason="client_cancelled")
    assert bench.ends() == {"a": ["heard"], "b": ["cancelled"]}


def test_an_answer_that_is_lost_is_missed() -> None:
    bench = asked_about()
    bench.tick(10.0)
    bench.error("item_retrieve_invalid_item_id", "probe_1")
    effects = bench.tick(5.0)
    assert told(effects, "b")[0] == Progress(Step.QUEUED, "unanswered")
    assert (bench.state(), creates(effects)) == (State.HELD, [])


def test_the_servers_own_reply_is_asked_about_too() -> None:
    bench = Bench()
    bench.created("r1")
    bench.message_done("r1")
    bench.ask(want("b"))
    assert creates(bench.tick(2.0)) == ["c.1.1.1"]
    bench.created("r2", "c.1.1.1")
    assert bench.state() is State.HELD


def test_not_while_the_user_speaks() -> None:
    bench = owing_its_end()
    bench.ask(want("b"))
    bench.speech_started()
    assert creates(bench.tick(5.0)) == []


def test_not_where_a_create_ends_the_other() -> None:
    bench = owing_its_end(Settings(dialect=SUPERSEDES))
    bench.ask(want("b"))
    assert creates(bench.tick(5.0)) == []
    assert [type(event) for event in sent(bench.tick(10.0))] == [ConversationItemRetrieve]


def test_not_with_a_voice_beside_the_conversation_which_would_be_no_answer() -> None:
    bench = owing_its_end()
    bench.ask(want("b", conversation="none"))
    assert creates(bench.tick(5.0)) == []


def test_not_with_a_last_attempt() -> None:
    bench = owing_its_end()
    bench.ask(want("b", max_attempts=1))
    assert creates(bench.tick(5.0)) == []
    bench.done("r1")
    assert bench.state() is State.CLAIMED


def test_not_with_somebody_else_while_the_floor_is_held() -> None:
    bench = owing_its_end()
    bench.ask(want("b"))
    bench.hold()
    assert creates(bench.tick(5.0)) == []
    assert creates(bench.let_go()) == [TOKEN]


def test_not_while_an_item_is_open() -> None:
    bench = owing_its_end()
    bench.message_added("r1", "item_2")
    bench.ask(want("b"))
    assert creates(bench.tick(14.0)) == []


def test_not_of_a_response_that_has_shown_nothing() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.ask(want("b"))
    assert creates(bench.tick(14.0)) == []


def test_not_where_there_is_no_end_of_patience() -> None:
    bench = owing_its_end(Settings(patience=Patience(ending_s=math.inf)))
    bench.ask(want("b"))
    assert creates(bench.tick(14.0)) == []


def test_another_response_than_the_one_that_owed_its_end_is_not_asked_about() -> None:
    bench = owing_its_end()
    bench.ask(want("b"))
    bench.now += 5.0
    assert creates(bench.created("r2")) == [], "the first word after five seconds is another response"
    assert bench.ends() == {"a": ["heard"]}
    assert creates(bench.tick(14.0)) == []


def test_a_done_that_does_not_say_whose_it_is_makes_it_overdue_at_once() -> None:
    bench = owing_its_end()
    bench.ask(want("b"))
    assert creates(bench.done(None)) == [TOKEN]


def test_a_server_that_does_not_say_whose_a_response_is() -> None:
    bench = owing_its_end(Settings(dialect=NO_METADATA))
    bench.ask(want("b"))
    assert creates(bench.tick(2.0)) == [TOKEN]
    bench.created("r2")
    assert bench.ends() == {"a": ["heard"]}
    bench.done("r2")
    assert bench.ends() == {"a": ["heard"], "b": ["heard"]}


def test_the_calls_of_a_response_whose_done_is_lost_get_their_reply_after_who_waited() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.call_done("r1", "call_1")
    bench.ask(want("b"))
    assert creates(bench.tick(2.0)) == [TOKEN]
    bench.created("r2", TOKEN)
    assert bench.peer.owes_reply("call_1")
    assert not bench.is_idle()
