"""Holding the floor: while a hold stands, only its own requests are asked for; when it ends, nobody is forgotten."""

from typing import Any

import pytest

from charye.core.effects import Note
from charye.core.floor import State
from charye.core.requests import OutcomeKind, Priority, ResponseRequest, SameKey
from charye.core.settings import Settings
from charye.core.tools import Answer
from charye.core.waiting import WhenFull
from charye.errors import LocalProtocolError
from tests.core.bench import (
    IN_STATE,
    Bench,
    aside,
    cancels,
    close_to,
    creates,
    held,
    notes,
    outcome,
    steps,
    told,
    want,
)


def of_it(name: str = "mine", **wish: Any) -> ResponseRequest:
    """A request that belongs to the hold `h`."""
    return want(name, hold="h", **wish)


def holding(settings: Settings | None = None, *, online: bool = True) -> Bench:
    bench = Bench(settings, online=online)
    bench.hold()
    return bench


def served(bench: Bench, count: int) -> list[str | None]:
    """`r1` runs: the creates that go out as it ends, and so many after it."""
    tokens: list[str | None] = []
    for number in range(1, count + 1):
        (token,) = creates(bench.done(f"r{number}"))
        bench.created(f"r{number + 1}", token)
        tokens.append(token)
    return tokens


# who is asked for


def test_only_who_belongs_to_the_hold_is_asked_for_whatever_the_class_of_the_others() -> None:
    bench = holding()
    for priority in Priority:
        assert creates(bench.ask(want(priority.name, priority=priority))) == []
    assert creates(bench.ask(of_it(priority=Priority.IDLE))) == ["c.1.6.1"]
    assert steps(bench.log, "SCRIPT") == ["queued"]


def test_among_those_of_the_hold_class_and_age_decide() -> None:
    bench = held()
    bench.hold()
    bench.ask(of_it("first", priority=Priority.TOOL))
    bench.ask(of_it("second", priority=Priority.TOOL))
    bench.ask(of_it("urgent", priority=Priority.SCRIPT))
    assert served(bench, 3) == ["c.1.4.1", "c.1.2.1", "c.1.3.1"]


def test_who_speaks_when_it_begins_is_not_cancelled_and_the_hold_waits_for_the_end() -> None:
    bench = held()
    assert bench.hold() == [Note("the floor is held", about="h")]
    assert bench.ask(of_it())[1:] == []
    effects = bench.done("r1")
    assert outcome(effects, "a").kind is OutcomeKind.HEARD
    assert creates(effects) == ["c.1.2.1"]


def test_what_is_asked_for_when_it_begins_speaks_as_ever() -> None:
    bench = IN_STATE[State.CLAIMED]()
    bench.hold()
    assert steps(bench.created("r1", "c.1.1.1"), "a") == ["speaking"]


def test_who_was_asked_for_and_is_refused_while_the_floor_is_held_is_asked_for_again_in_the_hold() -> None:
    bench = IN_STATE[State.CONTESTED]()
    bench.hold()
    bench.ask(of_it("b"))
    bench.refused("r0", "c.1.1.1")
    assert creates(bench.done("r0")) == ["c.1.1.2"], "it was there before the others of the hold"


def test_who_spoke_when_it_began_and_lost_its_line_speaks_again_in_the_hold() -> None:
    bench = held()
    bench.hold()
    bench.ask(of_it("b"))
    bench.drop()
    assert creates(bench.connect()) == ["c.2.1.2"]
    assert creates(bench.let_go()) == []


def test_a_reply_of_the_servers_own_is_treated_as_ever() -> None:
    bench = holding()
    bench.created("r0")
    assert bench.ask(of_it())[1:] == []
    assert cancels(bench.log) == []
    assert creates(bench.done("r0")) == ["c.1.1.1"]


def test_the_follow_up_of_a_tool_waits_for_the_end_of_the_hold() -> None:
    bench = held()
    bench.call_done("r1", "call_1")
    bench.done("r1")
    bench.hold()
    assert creates(bench.tool_finished("call_1", Answer("42"))) == []
    assert creates(bench.let_go()) == ["c.1.2.1"]


def test_the_reply_to_the_user_waits_for_the_end_of_the_hold() -> None:
    bench = holding()
    bench.configured(None)
    bench.press()
    assert creates(bench.release()) == []
    assert creates(bench.let_go()) == ["c.1.1.1"]


def test_a_voice_out_of_band_waits_and_silent_ones_run_on() -> None:
    bench = holding()
    assert creates(bench.ask(want("voice", conversation="none"))) == []
    assert creates(bench.ask(aside("silent"))) == ["c.1.2.1"]
    assert creates(bench.ask(of_it("own voice", conversation="none"))) == ["c.1.3.1"]
    bench.done("o3", "c.1.3.1", out_of_band=True)
    assert creates(bench.let_go()) == ["c.1.1.1"]


def test_to_a_silent_out_of_band_request_a_hold_means_nothing() -> None:
    bench = holding(Settings(max_out_of_band=1))
    bench.ask(aside("runs"))
    bench.ask(aside("mine", hold="h", coalesce_key="k"))
    assert notes(bench.ask(aside("other", coalesce_key="k"))) == ["joined a waiting request"]


def test_who_does_not_belong_to_the_hold_cuts_nobody_off() -> None:
    bench = holding()
    bench.speaking(of_it(priority=Priority.IDLE))
    bench.audio("r1", 1000.0)
    assert cancels(bench.ask(want("script", priority=Priority.SCRIPT, cuts_in=True))) == []
    assert cancels(bench.let_go()) == ["r1"]


def test_one_of_the_hold_may_cut_in() -> None:
    bench = held()
    bench.hold()
    assert cancels(bench.ask(of_it(priority=Priority.SCRIPT, cuts_in=True))) == ["r1"]


# keys


@pytest.mark.parametrize("same_key", SameKey)
@pytest.mark.parametrize("hold_first", [True, False])
def test_keys_of_the_hold_and_of_the_others_do_not_meet(same_key: SameKey, *, hold_first: bool) -> None:
    bench = held()
    bench.hold()
    pair = [of_it(coalesce_key="k", same_key=same_key), want("other", coalesce_key="k", same_key=same_key)]
    for request in pair if hold_first else pair[::-1]:
        assert notes(bench.ask(request)) == []
    assert steps(bench.done("r1"), "mine") == ["sent"]
    assert steps(bench.log, "other") == ["queued"]


def test_two_of_one_key_in_the_hold_are_one() -> None:
    bench = held()
    bench.hold()
    bench.ask(of_it("first", coalesce_key="k"))
    bench.ask(of_it("second", coalesce_key="k"))
    assert creates(bench.done("r1")) == ["c.1.2.1"]
    assert steps(bench.log, "second") == ["queued", "sent"]


def test_who_waits_with_the_same_key_when_the_hold_ends_is_joined() -> None:
    bench = held()
    bench.ask(want("older", coalesce_key="k"))
    bench.hold()
    bench.ask(of_it("younger", coalesce_key="k"))
    assert notes(bench.let_go()) == ["the floor is let go", "joined a waiting request"]
    effects = bench.done("r1")
    assert creates(effects) == ["c.1.2.1"]
    assert (steps(effects, "older"), steps(effects, "younger")) == (["sent"], ["sent"])


# waiting


def test_who_waits_keeps_age_and_class_and_goes_on_in_order_afterwards() -> None:
    bench = holding()
    bench.speaking(of_it())
    bench.ask(want("older", priority=Priority.TOOL))
    bench.ask(want("younger", priority=Priority.TOOL))
    bench.ask(want("higher"))
    bench.let_go()
    assert served(bench, 3) == ["c.1.4.1", "c.1.2.1", "c.1.3.1"]


def test_waiting_in_a_hold_raises_the_class() -> None:
    bench = holding(Settings(ageing_s=10.0))
    bench.ask(want("old", priority=Priority.TOOL))
    bench.tick(20.0)
    bench.ask(want("new", priority=Priority.USER))
    assert creates(bench.let_go()) == ["c.1.1.1"]


def test_who_waits_expires_in_a_hold_too() -> None:
    bench = held()
    bench.hold()
    bench.ask(want("other", expires_after_s=2.0))
    bench.ask(of_it(expires_after_s=3.0))
    assert bench.peer.next_deadline(bench.now) == bench.now + 2.0
    assert outcome(bench.tick_at_deadline(), "other").kind is OutcomeKind.EXPIRED
    assert outcome(bench.tick_at_deadline(), "mine").kind is OutcomeKind.EXPIRED


def test_who_waits_can_be_cancelled() -> None:
    bench = held()
    bench.hold()
    bench.ask(want("other"))
    bench.ask(of_it())
    assert outcome(bench.cancel("other"), "other").kind is OutcomeKind.CANCELLED
    assert outcome(bench.cancel("mine"), "mine").kind is OutcomeKind.CANCELLED
    bench.done("r1")
    assert bench.is_idle()


def test_one_of_the_hold_that_failed_rests_and_nobody_else_takes_its_place() -> None:
    bench = holding()
    bench.speaking(of_it())
    bench.ask(want("other"))
    assert creates(bench.done("r1", status="failed", error="server_error")) == []
    assert creates(bench.tick_at_deadline()) == ["c.1.1.2"]


def test_the_lines_have_a_bound_each() -> None:
    bench = Bench(Settings(max_waiting=1, when_full=WhenFull.REFUSE))
    bench.speaking(want())
    bench.hold()
    bench.ask(want("other"))
    assert steps(bench.ask(of_it()), "mine") == ["queued"]
    assert outcome(bench.ask(of_it("one more")), "one more").reason == "queue full"
    bench.let_go()
    assert bench.ends() == {"one more": ["denied"]}, "nobody that was accepted is put out"


# the end of the hold


def test_what_still_waits_when_the_hold_ends_is_like_any_other() -> None:
    bench = held()
    bench.ask(want("older"))
    bench.hold()
    bench.ask(of_it())
    bench.let_go()
    bench.ask(want("younger"))
    assert served(bench, 3) == ["c.1.2.1", "c.1.3.1", "c.1.4.1"]


def test_the_next_hold_of_the_same_name_takes_nobody_over() -> None:
    bench = held()
    bench.hold()
    bench.ask(of_it())
    bench.let_go()
    bench.hold()
    assert creates(bench.done("r1")) == []
    assert creates(bench.let_go()) == ["c.1.2.1"]


def test_who_was_asked_for_when_the_hold_ended_comes_back_as_any_other() -> None:
    bench = holding()
    bench.ask(of_it())
    bench.let_go()
    bench.refused("r0", "c.1.1.1")
    assert creates(bench.done("r0")) == ["c.1.1.2"]
    bench.drop()
    assert creates(bench.connect()) == ["c.2.1.3"]


def test_a_hold_may_end_before_or_after_what_it_said() -> None:
    bench = holding()
    bench.speaking(of_it())
    bench.ask(want("other"))
    assert bench.let_go() == [Note("the floor is let go", about="h")]
    assert creates(bench.done("r1")) == ["c.1.2.1"]


def test_letting_go_twice_is_only_noted() -> None:
    bench = holding()
    bench.let_go()
    assert bench.let_go() == [Note("let go of a hold that has ended", about="h")]


# what is illegal


@pytest.mark.parametrize("name", ["h", "other"])
def test_a_second_hold_is_illegal_and_changes_nothing(name: str) -> None:
    bench = holding()
    with pytest.raises(LocalProtocolError, match="held already") as error:
        bench.hold(name)
    assert (error.value.state, error.value.given) == ("h", name)
    assert bench.held() == "h"
    assert bench.let_go() == [Note("the floor is let go", about="h")]


def test_letting_go_of_another_hold_is_illegal_and_changes_nothing() -> None:
    bench = holding()
    bench.ask(want())
    with pytest.raises(LocalProtocolError, match="another hold stands") as error:
        bench.let_go("other")
    assert (error.value.state, error.value.given) == ("h", "other")
    assert bench.held() == "h"
    assert creates(bench.tick()) == []


@pytest.mark.parametrize("request_", [of_it(), aside("mine", hold="h")])
@pytest.mark.parametrize("stands", [None, "other"])
def test_a_request_of_a_hold_that_does_not_stand_is_illegal_and_changes_nothing(
    request_: ResponseRequest, stands: str | None
) -> None:
    bench = Bench()
    if stands is not None:
        bench.hold(stands)
    with pytest.raises(LocalProtocolError, match="does not stand") as error:
        bench.ask(request_)
    assert error.value.given == "h"
    assert bench.is_idle()
    assert told(bench.tick(), "mine") == []


def test_a_reply_of_a_hold_that_does_not_stand_is_illegal_and_the_button_stays_pressed() -> None:
    bench = Bench()
    bench.configured(None)
    bench.press()
    with pytest.raises(LocalProtocolError, match="does not stand"):
        bench.release(of_it())
    assert steps(bench.release(), "charye.user.1") == ["queued", "sent"]


# the line, the end, what is shown


def test_a_hold_outlives_the_connection() -> None:
    bench = holding()
    bench.speaking(of_it())
    bench.ask(want("other"))
    bench.drop()
    assert bench.held() == "h"
    assert creates(bench.connect()) == ["c.2.1.2"]
    bench.created("r1", "c.2.1.2")
    assert creates(bench.done("r1")) == []
    assert creates(bench.let_go()) == ["c.2.2.1"]


def test_a_hold_may_begin_and_end_without_a_connection() -> None:
    bench = holding(online=False)
    bench.ask(want())
    bench.ask(of_it())
    bench.let_go()
    assert creates(bench.connect()) == ["c.1.1.1"]


def test_a_close_ends_the_hold_and_everybody_is_told() -> None:
    bench = held()
    bench.hold()
    bench.ask(of_it("mine", coalesce_key="k", same_key=SameKey.REPLACE))
    bench.ask(want("other", coalesce_key="k", same_key=SameKey.REPLACE))
    effects = bench.close()
    assert bench.held() is None
    assert {outcome(effects, name).reason for name in ("a", "mine", "other")} == {"closed"}
    assert notes(bench.let_go()) == ["let go of a hold that has ended"]


def test_who_holds_the_floor_is_known() -> None:
    bench = Bench()
    assert bench.held() is None
    bench.hold()
    assert bench.held() == "h"
    assert bench.is_idle(), "a hold alone is nothing to wait for"
    bench.ask(want())
    assert not bench.is_idle()


def test_why_a_request_does_not_speak() -> None:
    bench = holding(Settings(max_out_of_band=1))
    bench.ask(want("other"))
    bench.ask(of_it("first"))
    bench.ask(of_it("second"))
    bench.ask(of_it("third"))
    bench.ask(aside("runs"))
    bench.ask(aside("silent"))
    assert bench.why("other") == "It waits since 0.0 s, because the floor is held by h."
    assert bench.why("third") == "It waits since 0.0 s, because 1 more urgent or older request goes first."
    assert bench.why("second").endswith("because another request was just sent and its answer is awaited.")
    assert bench.why("silent").endswith("because as many out-of-band responses run as are allowed.")
    bench.drop()
    assert bench.why("other").endswith("because the floor is held by h.")
    assert bench.why("second").endswith("because there is no connection.")


def test_the_time_in_a_hold_counts_as_waiting() -> None:
    bench = holding()
    bench.ask(want())
    bench.now += 3.0
    bench.let_go()
    bench.created("r1", "c.1.1.1")
    assert outcome(bench.done("r1"), "a").waited_s == close_to(3.0)


def test_who_was_there_before_the_hold_goes_first_in_it_and_has_its_class_back_after_it() -> None:
    bench = Bench()
    bench.ask(want("tool", priority=Priority.TOOL))
    bench.hold()
    bench.ask(of_it("b", priority=Priority.SCRIPT))
    bench.drop()
    assert creates(bench.connect()) == ["c.2.1.2"]
    bench.drop()
    bench.let_go()
    bench.ask(want("user", priority=Priority.USER))
    assert creates(bench.connect()) == ["c.3.2.1"], "the class of `b` is the highest"
    bench.created("r3", "c.3.2.1")
    assert creates(bench.done("r3")) == ["c.3.3.1"], "and that of `tool` is lower than the user's again"
