"""The refusal is there, but not as the reference draws it: no event id, the code in `type`, or a text and nothing else.

Clients that look for one exact shape do not recognise it. The request is then lost in silence, or a wedge: the client
waits for an answer that was given. Reported for the first releases of the API, for compatible servers, and whenever the
client library itself sends no event ids, which makes the echoed one null.

Here a refusal is known by its code, else its type, else its text; and whose it is by the event id, else by what it can
be about: at most one create of ours is ever unanswered.
"""

import pytest

from tests.transcripts.player import play

LONG = '"Conversation already has an active response in progress: r1. Wait until the response is finished."'
SHORT = '"Conversation already has an active response"'

NAMED = [
    pytest.param("names=r1 event_id=null", id="no event id"),
    pytest.param("names=r1 code=null type=conversation_already_has_active_response", id="code in type"),
    pytest.param(
        "names=r1 code=null type=conversation_already_has_active_response event_id=null",
        id="code in type, no event id",
    ),
    pytest.param(f"code=null message={LONG}", id="long text only"),
    pytest.param(f"code=null message={LONG} event_id=null", id="long text only, no event id"),
    pytest.param(f"code=null type=absent param=absent message={LONG} event_id=absent", id="fields left out"),
    pytest.param(f"code=invalid_value message={LONG} event_id=null", id="a code that means many things"),
]
UNNAMED = [
    pytest.param("", id="nobody named"),
    pytest.param("event_id=null", id="nobody named, no event id"),
    pytest.param(f"code=null message={SHORT}", id="short text only"),
    pytest.param(f"code=null message={SHORT} event_id=null", id="short text only, no event id"),
    pytest.param("code=null type=conversation_already_has_active_response message=absent", id="only a type"),
]


@pytest.mark.parametrize("refusal", [*NAMED, *UNNAMED])
def test_after_the_winner_began(refusal: str) -> None:
    play(f"""
        @ request greeting
        > response.create greeting
        < response.created r1 vad
        < error conversation_already_has_active_response {refusal}
        = held r1 vad
        = waiting greeting
        < response.done r1 completed
        > response.create greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=2
    """)


@pytest.mark.parametrize("refusal", NAMED)
def test_before_the_winner_is_seen_and_it_is_named(refusal: str) -> None:
    play(f"""
        @ request greeting
        > response.create greeting
        < error conversation_already_has_active_response {refusal}
        = held r1 vad
        < response.created r1 vad
        < response.done r1 completed
        > response.create greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=2
    """)


@pytest.mark.parametrize("refusal", UNNAMED)
def test_before_the_winner_is_seen_and_nobody_is_named(refusal: str) -> None:
    play(f"""
        @ request greeting
        > response.create greeting
        < error conversation_already_has_active_response {refusal}
        = blocked
        = waiting greeting "a response that we do not know"
        < response.created r1 vad
        = held r1 vad
        < response.done r1 completed
        > response.create greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=2
    """)


@pytest.mark.parametrize("refusal", UNNAMED)
def test_after_the_winner_has_ended(refusal: str) -> None:
    play(f"""
        @ request greeting
        > response.create greeting
        < response.created r1 vad
        < response.done r1 completed
        < error conversation_already_has_active_response {refusal}
        > response.create greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=2
    """)


def test_nobody_is_named_and_nobody_is_ever_seen() -> None:
    """Asked again after a pause that doubles: never lost, and never a storm."""
    play("""
        @ request greeting
        > response.create greeting
        < error conversation_already_has_active_response event_id=null code=null
        ~ 900ms
        ~ 100ms
        > response.create greeting
        < error conversation_already_has_active_response event_id=null code=null
        ~ 1900ms
        ~ 100ms
        > response.create greeting
        < response.created r1 greeting
        < response.done r1 completed
        = greeting heard attempts=3
    """)


@pytest.mark.parametrize("dialect", ["azure", "code-in-type", "no-event-id", "no-metadata", "compatible"])
def test_every_dialect_has_its_own_refusal(dialect: str) -> None:
    """Without a metadata echo nobody but us creates responses, so the other speaker is one of ours that we gave up."""
    play(f"""
        settings: dialect={dialect}
        @ request greeting
        > response.create greeting
        < error conversation_already_has_active_response names=r1
        = held r1 vad
        < response.done r1 completed
        > response.create greeting
        < response.created r2 greeting
        < response.done r2 completed
        = greeting heard attempts=2
    """)


def test_a_server_that_does_name_events_does_not_refuse_us_without_one() -> None:
    """Its own reply was blocked by ours. Ours is on its way to be accepted."""
    play("""
        @ request first
        > response.create first
        < response.created r1 vad
        < error conversation_already_has_active_response names=r1
        < response.done r1 completed
        > response.create first
        < error conversation_already_has_active_response names=r2 event_id=null
        ! note "refusal of nothing of ours" r2
        < response.created r2 first
        < response.done r2 completed
        = first heard attempts=2
    """)
