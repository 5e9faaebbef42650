"""Why is my request not speaking? Each sentence, word for word."""

from collections.abc import Callable

import pytest

from charye.core.effects import Effect
from charye.core.floor import State
from charye.core.requests import Priority, Starts
from charye.core.settings import Settings
from tests.core.bench import (
    IN_STATE,
    TEXT_ONLY,
    Bench,
    aside,
    claimed,
    contested,
    held,
    want,
    withdrawn,
    withdrawn_contested,
    yielding,
)


def waits(reason: str, after_s: str = "0.0") -> str:
    return f"It waits since {after_s} s, because {reason}."


def test_one_that_nobody_knows() -> None:
    assert Bench().why("x") == "No request of this id is known."


def test_one_that_has_ended() -> None:
    bench = held()
    bench.done("r1")
    assert bench.why() == "It has ended as heard."
    bench = withdrawn()
    assert bench.why() == "It has ended as cancelled: asker."


def test_one_that_is_on_its_way() -> None:
    bench = claimed()
    assert bench.why() == "It was sent and the server has not answered yet."
    bench.created("r1", "c.1.1.1")
    assert bench.why() == "It is speaking now."
    bench.audio("r1", 100.0)
    bench.done("r1")
    assert bench.why() == "It was generated and is still being heard."


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (IN_STATE[State.OFFLINE], "there is no connection"),
        (claimed, "another request was just sent and its answer is awaited"),
        (contested, "another request was just sent, while a response runs"),
        (withdrawn, "a cancelled request is still unanswered"),
        (withdrawn_contested, "a response runs and a cancelled request is still unanswered"),
        (held, "another response is running"),
        (yielding, "a response is being cancelled and has not ended yet"),
    ],
)
def test_the_floor_is_not_open(make: Callable[[], Bench], reason: str) -> None:
    bench = make()
    bench.ask(want("b"))
    bench.now += 1.26
    assert bench.why("b") == waits(reason, "1.3")


def test_a_blind_refusal() -> None:
    bench = IN_STATE[State.BLOCKED]()
    assert bench.why() == waits(
        "it was refused by a response that we do not know, and will be asked again shortly"
    )


@pytest.mark.parametrize(
    ("enter", "reason"),
    [
        (Bench.speech_started, "the user is speaking"),
        (Bench.speech_stopped, "the user has just stopped speaking"),
        (Bench.committed, "the server's own reply to the user is awaited"),
        (Bench.press, "the user holds the push-to-talk button"),
    ],
)
def test_the_user_has_the_floor(enter: Callable[[Bench], list[Effect]], reason: str) -> None:
    bench = Bench()
    enter(bench)
    bench.ask(want())
    assert bench.why() == waits(reason)


def test_others_go_first() -> None:
    bench = held()
    bench.ask(want("b"))
    bench.ask(want("c"))
    bench.ask(want("d", priority=Priority.IDLE))
    assert bench.why("b") == waits("another response is running")
    assert bench.why("c") == waits("1 more urgent or older request goes first")
    assert bench.why("d") == waits("2 more urgent or older requests go first")


def test_it_rests_after_a_failure() -> None:
    bench = held()
    bench.done("r1", status="failed", error="server_error")
    bench.now += 0.4
    assert bench.why() == waits("its response failed and it is tried again in 0.6 s", "0.4")
    bench.drop()
    assert bench.why() == waits("its response failed and it is tried again in 0.6 s", "0.4")


def test_as_many_as_are_allowed_run_beside_the_conversation() -> None:
    bench = Bench(Settings(max_out_of_band=1))
    bench.ask(aside("a"))
    bench.ask(aside("b"))
    assert bench.why("b") == waits("as many out-of-band responses run as are allowed")


def test_a_voice_beside_the_conversation() -> None:
    bench = Bench()
    bench.ask(want("voice", conversation="none"))
    bench.ask(want("b"))
    assert bench.why("b") == waits("an out-of-band response is speaking aloud")


def test_it_wants_the_room_quiet() -> None:
    bench = held()
    bench.audio("r1", 1000.0)
    bench.done("r1")
    bench.ask(want("b", starts=Starts.AFTER_HEARD))
    assert bench.why("b") == waits("it starts when what is playing now has been heard")


def test_its_moment_has_come_but_nobody_has_looked_yet() -> None:
    bench = held()
    bench.done("r1", status="failed", error="server_error")
    bench.now += 1.0
    assert bench.why() == waits("it is about to be sent", "1.0")


def test_asking_why_changes_nothing() -> None:
    bench = held()
    bench.ask(want("b", parameters=TEXT_ONLY))
    bench.why("b")
    assert bench.tick() == []
