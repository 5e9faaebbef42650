"""The refusal overtakes nothing: it comes after the winner's `response.done`.

A client that parks its request "until the running response is done" then waits for a done that has already come, for
ever. The same shape in reverse is as bad: a client that takes every done for a free floor sends a second create while
the first is still unanswered.

Here a create stays unanswered until it is answered, and a refusal by a response that is known to be over opens the
floor at once.
"""

import pytest

from tests.transcripts.player import play


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param("names=r1", id="named"),
        pytest.param("names=r1 event_id=null", id="named, no event id"),
        pytest.param("", id="not named"),
        pytest.param("event_id=null", id="not named, no event id"),
    ],
)
def test_it_is_sent_again_at_the_refusal(refusal: str) -> None:
    play(f"""
        @ request greeting
        > response.create greeting
        < response.created r1 vad
        < response.done r1 completed
        = claimed greeting
        < error conversation_already_has_active_response {refusal}
        > response.create greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=2
    """)


@pytest.mark.parametrize("event_id", ["", "event_id=null"])
def test_nothing_but_its_end_was_seen_of_the_winner(event_id: str) -> None:
    play(f"""
        @ request greeting
        > response.create greeting
        < response.done r1 completed
        = claimed greeting
        < error conversation_already_has_active_response names=r1 {event_id}
        > response.create greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=2
    """)


def test_a_refusal_by_what_had_ended_before_we_asked_is_not_ours() -> None:
    """A server that reports a blocked reply of its own with the same error, and names no client event."""
    play("""
        settings: dialect=no-event-id
        < response.created r1 vad
        < response.done r1 completed
        @ request greeting
        > response.create greeting
        < error conversation_already_has_active_response names=r1
        ! note "refusal of nothing of ours" r1
        = claimed greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=1
    """)


def test_the_refused_one_has_been_cancelled_meanwhile() -> None:
    play("""
        @ request greeting
        > response.create greeting
        < response.created r1 vad
        @ cancel greeting
        @ request correction
        < response.done r1 completed
        = withdrawn greeting
        < error conversation_already_has_active_response names=r1
        > response.create correction
        < response.created r2 correction
        < response.done r2 completed
        = greeting cancelled
        = correction heard attempts=1
    """)
