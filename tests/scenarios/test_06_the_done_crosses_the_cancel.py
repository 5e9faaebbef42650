"""`response.done` and our `response.cancel` cross on the wire, and `response_cancel_not_active` comes, sooner or later.

In the field that error tears the session down, or, when it comes after the next response began, is taken for the end of
that one. The other half of the trap is a cancel without a `response_id`: it hits whatever runs when it arrives, so the
right answer is killed.

Here every cancel names its response, and "nothing to cancel" is the answer to one cancel: the one that it names, else
the oldest without an answer. It is never an error of the session.
"""

import pytest

from tests.transcripts.player import play

CROSSED = """
        @ request answer
        > response.create answer
        < response.created r1 answer
        @ cancel answer
        > response.cancel r1 event_id=cancel.r1
        < response.done r1 completed
        = answer cancelled
        = open
"""


@pytest.mark.parametrize("unscoped", ["", "event_id=null"])
def test_at_once(unscoped: str) -> None:
    play(f"""
        {CROSSED}
        < error response_cancel_not_active {unscoped}
        ! note "nothing to cancel" r1
        = open
    """)


@pytest.mark.parametrize("unscoped", ["", "event_id=null"])
def test_after_the_next_response_began(unscoped: str) -> None:
    play(f"""
        {CROSSED}
        @ request second
        > response.create second
        < response.created r2 second
        < error response_cancel_not_active {unscoped}
        ! note "nothing to cancel" r1
        = held r2 second
        < response.done r2 completed
        = second heard
    """)


@pytest.mark.parametrize("unscoped", ["to=r1", "event_id=null"])
def test_after_the_next_response_is_being_cancelled_too(unscoped: str) -> None:
    """Read as the second one's it would open the floor under a speaker."""
    play(f"""
        {CROSSED}
        @ request second
        > response.create second
        < response.created r2 second
        @ cancel second
        > response.cancel r2
        @ request third
        < error response_cancel_not_active {unscoped}
        ! note "nothing to cancel" r1
        = yielding r2
        < response.done r2 cancelled
        > response.create third
        < response.created r3 third
        < response.done r3 completed
        = second cancelled
        = third heard attempts=1
    """)


@pytest.mark.parametrize("unscoped", ["", "event_id=null"])
def test_in_a_connection_that_knows_nothing_of_the_cancel(unscoped: str) -> None:
    play(f"""
        {CROSSED}
        @ disconnect
        @ connect
        @ request second
        > response.create second
        < response.created r2 second
        < error response_cancel_not_active {unscoped}
        ! note "nothing to cancel"
        = held r2 second
        < response.done r2 completed
        = second heard
    """)


def test_nobody_has_cancelled_anything() -> None:
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        < error response_cancel_not_active event_id=null
        ! note "nothing to cancel"
        = held r1 answer
        < response.done r1 completed
        = answer heard
    """)


@pytest.mark.parametrize("unscoped", ["", "event_id=null"])
def test_it_comes_instead_of_the_done(unscoped: str) -> None:
    """The done was lost: the answer to the cancel is the only proof that the response is over."""
    play(f"""
        @ request answer
        > response.create answer
        < response.created r1 answer
        @ request second
        @ cancel answer
        > response.cancel r1
        < error response_cancel_not_active {unscoped}
        > response.create second
        < response.done r1 completed                 # and comes late: it is nobody's end now
        = claimed second
        < response.created r2 second
        < response.done r2 completed
        = second heard
    """)


def test_it_comes_before_the_done() -> None:
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        @ interrupt
        > response.cancel r1
        < error response_cancel_not_active
        = open
        = answer interrupted 0ms
        < response.done r1 completed
        ! note "done for a response that is over" r1
        = open
    """)


def test_a_cancel_that_worked_leaves_no_answer_open() -> None:
    """A later "not active" is then not for it, and must not be spent on it."""
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        @ cancel answer
        > response.cancel r1
        < response.done r1 cancelled client_cancelled
        @ request second
        > response.create second
        < response.created r2 second
        @ cancel second
        > response.cancel r2
        @ request third
        < error response_cancel_not_active event_id=null
        > response.create third
        < response.created r3 third
        < response.done r3 completed
        = third heard
    """)
