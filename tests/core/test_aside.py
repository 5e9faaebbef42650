"""Out-of-band responses through the peer's door: beside the floor, never on it."""

import pytest

from charye.core.effects import Note, StopPlayback
from charye.core.floor import State
from charye.core.peer import Speaker
from charye.core.requests import OnReconnect, Outcome, OutcomeKind, Priority, Progress, Step
from charye.core.settings import Settings
from charye.protocol import COMPATIBLE, ResponseCancel, ResponseCreate, ResponseParams
from tests.core.bench import (
    IN_STATE,
    Bench,
    aside,
    cancels,
    creates,
    held,
    notes,
    outcome,
    sent,
    steps,
    told,
    want,
)


def running(name: str = "a", **wish: object) -> Bench:
    """One silent response runs out of band."""
    bench = Bench()
    bench.ask(aside(name, **wish))
    bench.created("o1", "c.1.1.1", out_of_band=True)
    return bench


def speaking_aside() -> Bench:
    """One runs that may speak aloud, and does."""
    bench = Bench()
    bench.ask(want("voice", conversation="none"))
    bench.created("o1", "c.1.1.1", out_of_band=True)
    bench.audio("o1", 1000.0)
    return bench


@pytest.mark.parametrize("state", [state for state in State if state is not State.OFFLINE])
def test_a_silent_one_is_asked_for_in_every_state_of_the_floor_and_changes_none(state: State) -> None:
    bench = IN_STATE[state]()
    before = bench.peer.floor
    (token,) = creates(bench.ask(aside("o")))
    bench.created("o1", token, out_of_band=True)
    assert bench.peer.floor == before
    assert outcome(bench.done("o1", token, out_of_band=True), "o").kind is OutcomeKind.HEARD
    assert bench.peer.floor == before


def test_its_whole_life() -> None:
    bench = running()
    (create,) = sent(bench.log)
    assert isinstance(create, ResponseCreate)
    assert create.response == ResponseParams(
        conversation="none", output_modalities=("text",), metadata={"charye": "c.1.1.1"}
    )
    bench.done("o1", "c.1.1.1", out_of_band=True)
    assert told(bench.log, "a") == [
        Progress(Step.QUEUED, trigger="test:a"),
        Progress(Step.SENT),
        Progress(Step.SPEAKING, response_id="o1"),
        Progress(Step.GENERATED, response_id="o1"),
        Outcome(OutcomeKind.HEARD, attempts=1),
    ]


def test_so_many_run_at_once_and_the_next_when_one_is_over() -> None:
    bench = Bench(Settings(max_out_of_band=2))
    for name in ("a", "b", "c"):
        bench.ask(aside(name))
    assert creates(bench.log) == ["c.1.1.1", "c.1.2.1"]
    bench.created("o1", "c.1.1.1", out_of_band=True)
    assert creates(bench.done("o1", out_of_band=True)) == ["c.1.3.1"]


def test_its_done_may_be_all_that_is_seen_of_it() -> None:
    bench = Bench()
    bench.ask(aside())
    assert outcome(bench.done("o1", "c.1.1.1", out_of_band=True), "a").kind is OutcomeKind.HEARD


def test_what_is_told_twice_is_nothing() -> None:
    bench = running()
    assert bench.created("o1", "c.1.1.1", out_of_band=True) == []
    bench.done("o1", "c.1.1.1", out_of_band=True)
    bench.done("o1", "c.1.1.1", out_of_band=True)
    bench.created("o1", "c.1.1.1", out_of_band=True)
    assert bench.state() is State.OPEN
    assert bench.ends() == {"a": ["heard"]}
    assert steps(bench.log, "a").count("speaking") == 1


def test_an_invalid_create_is_denied() -> None:
    bench = Bench()
    bench.ask(aside())
    assert outcome(bench.error("invalid_value", "c.1.1.1"), "a") == Outcome(
        OutcomeKind.DENIED, "refused by the server", code="invalid_value", attempts=1
    )


def test_an_error_about_one_that_runs_denies_nothing() -> None:
    bench = running()
    assert notes(bench.error("invalid_value", "c.1.1.1")) == ["error"]
    assert bench.ends() == {}


def test_a_refusal_by_the_conversations_speaker_is_not_the_end_either() -> None:
    bench = Bench()
    bench.ask(aside())
    assert steps(bench.refused("r0", "c.1.1.1"), "a") == ["queued"]
    assert bench.state() is State.OPEN
    assert creates(bench.tick(0.9)) == []
    assert creates(bench.tick(0.1)) == ["c.1.1.2"]
    assert steps(bench.refused("r0", "c.1.1.2"), "a") == ["queued"]
    assert creates(bench.tick(1.9)) == []  # a server without parallel responses is not asked in a hurry
    assert creates(bench.tick(0.1)) == ["c.1.1.3"]
    assert steps(bench.created("r2", "c.1.1.3", out_of_band=True), "a") == ["speaking"]


def test_a_refusal_of_a_cancelled_one_leaves_nothing_behind() -> None:
    bench = Bench()
    bench.ask(aside())
    bench.cancel("a")
    bench.refused("r0", "c.1.1.1")
    assert bench.peer.next_deadline(bench.now) is None


def test_a_higher_class_cuts_in_over_a_lower_voice_beside_the_conversation() -> None:
    bench = Bench()
    bench.ask(aside("a", priority=Priority.NOTICE, parameters=ResponseParams()))
    bench.created("r1", "c.1.1.1", out_of_band=True)
    bench.ask(want("same", priority=Priority.NOTICE, cuts_in=True))
    assert cancels(bench.tick(0.0)) == []
    assert cancels(bench.ask(want("b", priority=Priority.SCRIPT, cuts_in=True))) == ["r1"]


# cancel


def test_a_running_one_is_cancelled_by_id() -> None:
    bench = running()
    effects = bench.cancel()
    assert outcome(effects, "a").kind is OutcomeKind.CANCELLED
    assert sent(effects) == [ResponseCancel(response_id="o1", event_id="cancel.o1")]
    assert bench.done("o1", status="cancelled", out_of_band=True) == []


def test_an_unanswered_one_is_cancelled_when_it_is_created() -> None:
    bench = Bench()
    bench.ask(aside())
    assert cancels(bench.cancel()) == []
    assert cancels(bench.created("o1", "c.1.1.1", out_of_band=True)) == ["o1"]
    assert bench.audio("o1", 100.0) == []
    bench.not_active("o1")
    assert bench.peer.next_deadline(bench.now) is None


def test_a_nameless_not_active_is_for_the_oldest_cancel_floor_or_lane() -> None:
    bench = held()
    bench.ask(aside("o"))
    bench.created("o1", "c.1.2.1", out_of_band=True)
    bench.cancel("o")
    bench.cancel("a")
    bench.not_active()
    assert bench.state() is State.YIELDING
    bench.not_active()
    assert bench.state() is State.OPEN


# silence


def test_a_silent_lane_that_was_answered_is_cancelled_and_then_given_up() -> None:
    bench = running()
    effects = bench.tick(20.0)
    assert effects[0] == Note("an out-of-band response is silent", about="o1")
    assert cancels(effects) == ["o1"]
    effects = bench.tick(5.0)
    assert outcome(effects, "a") == Outcome(OutcomeKind.FAILED, "stuck", attempts=1)
    assert bench.peer.next_deadline(bench.now) is None


def test_one_that_says_something_is_not_silent() -> None:
    bench = running()
    bench.now += 19.0
    bench.audio("o1", 1.0)
    assert notes(bench.tick(2.0)) == []


def test_a_silent_one_that_our_cancel_ends_has_failed() -> None:
    bench = running()
    bench.tick(20.0)
    assert outcome(bench.done("o1", status="cancelled", out_of_band=True), "a").reason == "stuck"


def test_a_silent_one_whose_done_was_lost_was_generated_perhaps() -> None:
    bench = running()
    bench.tick(20.0)
    end = outcome(bench.not_active("o1"), "a")
    assert (end.kind, end.uncertain) == (OutcomeKind.HEARD, True)


def test_a_silent_one_that_completed_before_our_cancel_was_generated() -> None:
    bench = running()
    bench.tick(20.0)
    assert outcome(bench.done("o1", out_of_band=True), "a").kind is OutcomeKind.HEARD


def test_a_lost_create_is_asked_again_and_its_late_answer_is_cancelled() -> None:
    bench = Bench()
    bench.ask(aside())
    effects = bench.tick(15.0)
    assert notes(effects) == ["an out-of-band response is silent"]
    assert creates(effects) == ["c.1.1.2"]
    assert cancels(bench.created("o1", "c.1.1.1", out_of_band=True)) == ["o1"]
    bench.done("o1", "c.1.1.1", status="cancelled", out_of_band=True)
    bench.created("o2", "c.1.1.2", out_of_band=True)
    bench.done("o2", "c.1.1.2", out_of_band=True)
    assert bench.ends() == {"a": ["heard"]}


def test_the_late_done_of_a_lost_create_is_nobodys() -> None:
    bench = Bench()
    bench.ask(aside())
    bench.tick(15.0)
    assert bench.done("o1", "c.1.1.1", out_of_band=True) == []
    assert bench.ends() == {}


def test_after_so_many_losses_it_has_failed() -> None:
    bench = Bench()
    bench.ask(aside())
    bench.tick(15.0)
    bench.tick(15.0)
    end = outcome(bench.tick(15.0), "a")
    assert (end.reason, end.uncertain, end.attempts) == ("unanswered", True, 3)


# strangers


def test_somebody_elses_is_noted_and_takes_no_floor() -> None:
    bench = Bench()
    assert bench.created("o9", out_of_band=True) == [
        Note("an out-of-band response of somebody else", about="o9")
    ]
    assert bench.audio("o9", 100.0) == []
    assert bench.done("o9", out_of_band=True) == []
    assert bench.done("o8", out_of_band=True) == []
    assert bench.state() is State.OPEN


def test_where_there_are_no_lanes_a_null_conversation_means_nothing() -> None:
    bench = Bench(Settings(dialect=COMPATIBLE))
    bench.created("r9", out_of_band=True)
    assert bench.state() is State.HELD
    bench.done("r9", out_of_band=True)
    assert bench.state() is State.OPEN


# a voice beside the conversation: one audio floor


def test_a_voice_waits_for_the_floor_and_keeps_others_waiting() -> None:
    bench = held()
    assert creates(bench.ask(want("voice", conversation="none"))) == []
    assert creates(bench.done("r1")) == ["c.1.2.1"]
    assert creates(bench.ask(want("b"))) == []
    assert creates(bench.ask(aside("o"))) == ["c.1.4.1"], "silent ones keep nobody waiting"
    bench.created("o1", "c.1.2.1", out_of_band=True)
    assert bench.state() is State.OPEN
    effects = bench.audio("o1", 100.0)
    assert [type(effect).__name__ for effect in effects] == ["Play"]
    assert creates(bench.done("o1", out_of_band=True)) == ["c.1.3.1"]


def test_a_voice_waits_for_a_free_lane() -> None:
    bench = Bench(Settings(max_out_of_band=1))
    bench.ask(aside("o"))
    assert creates(bench.ask(want("voice", conversation="none"))) == []
    bench.created("o1", "c.1.1.1", out_of_band=True)
    assert creates(bench.done("o1", out_of_band=True)) == ["c.1.2.1"]


def test_a_voice_makes_way_for_the_servers_reply() -> None:
    bench = speaking_aside()
    bench.now += 0.25
    effects = bench.created("r0")
    assert StopPlayback(("o1",)) in effects
    assert cancels(effects) == ["o1"]
    assert bench.audio("o1", 100.0) == []
    end = outcome(bench.done("o1", status="cancelled", out_of_band=True), "voice")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, 250.0)


def test_a_voice_that_was_not_answered_yet_makes_way_and_is_asked_again() -> None:
    bench = Bench()
    bench.ask(want("voice", conversation="none"))
    effects = bench.created("r0")
    assert told(effects, "voice") == [Progress(Step.QUEUED, "made way for the server's reply")]
    assert cancels(bench.created("o1", "c.1.1.1", out_of_band=True)) == ["o1"]
    bench.done("r0")
    assert creates(bench.done("o1", status="cancelled", out_of_band=True)) == ["c.1.1.2"]


def test_a_voice_makes_way_once() -> None:
    bench = speaking_aside()
    bench.created("r0")
    bench.done("r0")
    assert cancels(bench.created("r9")) == []


def test_a_silent_one_makes_no_way() -> None:
    bench = running()
    assert cancels(bench.created("r0")) == []


def test_a_voice_that_was_cut_and_never_ends_was_interrupted() -> None:
    bench = speaking_aside()
    bench.now += 0.25
    bench.created("r0")
    end = outcome(bench.tick(5.0), "voice")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, 250.0)


@pytest.mark.parametrize("press", [True, False])
def test_a_voice_makes_way_for_the_user(press: bool) -> None:
    bench = speaking_aside()
    bench.now += 0.25
    effects = bench.press() if press else bench.speech_started()
    assert StopPlayback(("o1",)) in effects
    assert cancels(effects) == ["o1"]
    end = outcome(bench.done("o1", status="cancelled", out_of_band=True), "voice")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, 250.0)


def test_a_voice_beside_the_conversation_is_nobody_on_the_floor() -> None:
    assert speaking_aside().speaker() is not Speaker.USER


def test_calls_of_a_response_beside_the_conversation_are_not_run() -> None:
    bench = running()
    assert bench.call_done("o1", "call_1") == []


@pytest.mark.parametrize("policy", OnReconnect)
@pytest.mark.parametrize("answered", [True, False])
def test_a_lost_connection(policy: OnReconnect, answered: bool) -> None:
    bench = Bench()
    bench.ask(aside(on_reconnect=policy))
    if answered:
        bench.created("o1", "c.1.1.1", out_of_band=True)
    bench.drop()
    assert creates(bench.connect()) == (["c.2.1.2"] if policy is OnReconnect.REPLAY else [])
    assert bench.ends() == ({} if policy is OnReconnect.REPLAY else {"a": ["disconnected"]})


def test_those_who_wait_for_a_lane_go_by_class() -> None:
    bench = Bench(Settings(max_out_of_band=1))
    bench.ask(aside("a"))
    bench.ask(aside("low", priority=Priority.IDLE))
    bench.ask(aside("high", priority=Priority.SCRIPT))
    bench.created("o1", "c.1.1.1", out_of_band=True)
    assert creates(bench.done("o1", out_of_band=True)) == ["c.1.3.1"]


def test_a_voice_that_was_not_answered_yet_makes_way_for_the_user_and_is_asked_again() -> None:
    bench = Bench()
    bench.ask(want("voice", conversation="none"))
    assert told(bench.press(), "voice") == [Progress(Step.QUEUED, "made way for the user")]


def test_a_failure_that_passes_is_retried_in_its_own_lane() -> None:
    bench = running()
    effects = bench.done("o1", "c.1.1.1", status="failed", error="server_error", out_of_band=True)
    assert told(effects, "a") == [Progress(Step.QUEUED, "failed, tried again")]
    assert creates(bench.tick(0.999)) == []
    assert creates(bench.tick(0.001)) == ["c.1.1.2"]
