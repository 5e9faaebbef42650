"""What is asked for: the defaults, and what is refused at once."""

from typing import Any

import pytest

from charye.core.requests import (
    TOKEN_KEY,
    OnInterruption,
    OnReconnect,
    OnUserSpeech,
    Outcome,
    OutcomeKind,
    Priority,
    SameKey,
    Stage,
    Starts,
    Ticket,
)
from charye.protocol import ResponseParams
from tests.core.bench import want


def test_the_classes_in_the_order_in_which_they_speak() -> None:
    assert sorted(Priority) == [
        Priority.SCRIPT,
        Priority.USER,
        Priority.TOOL,
        Priority.NOTICE,
        Priority.IDLE,
    ]


def test_the_defaults_keep_a_request_as_long_as_possible() -> None:
    request = want()
    assert request.priority is Priority.USER
    assert request.conversation == "auto"
    assert request.parameters == ResponseParams()
    assert request.coalesce_key is None
    assert request.same_key is SameKey.JOIN
    assert request.expires_after_s is None
    assert request.max_attempts == 20
    assert request.on_user_speech is OnUserSpeech.KEEP
    assert request.on_interruption is OnInterruption.DROP
    assert request.on_reconnect is OnReconnect.REPLAY
    assert request.starts is Starts.AFTER_GENERATED
    assert request.cuts_in is False


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"max_attempts": 0}, "max_attempts is at least 1"),
        ({"max_attempts": -1}, "max_attempts is at least 1"),
        ({"expires_after_s": -0.001}, "expires_after_s is not negative"),
        (
            {"parameters": ResponseParams(metadata={str(n): "v" for n in range(16)})},
            "metadata has 16 pairs at most, one of them is ours",
        ),
    ],
)
def test_a_number_out_of_range_is_refused(wish: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        want(**wish)


def test_the_numbers_at_the_edge_are_taken() -> None:
    assert want(max_attempts=1).max_attempts == 1
    assert want(expires_after_s=0.0).expires_after_s == 0.0
    fifteen = {str(n): "v" for n in range(15)}
    assert want(parameters=ResponseParams(metadata=fifteen)).metadata == fifteen


def test_metadata_is_a_copy_and_empty_where_there_is_none() -> None:
    given = {"k": "v"}
    request = want(parameters=ResponseParams(metadata=given))
    request.metadata["other"] = "x"
    assert given == {"k": "v"}
    assert want().metadata == {}
    assert want(parameters=ResponseParams(metadata=None)).metadata == {}


@pytest.mark.parametrize(
    ("modalities", "aloud"),
    [(("audio",), True), (("text", "audio"), True), (("text",), False), ((), False), (None, True)],
)
def test_what_may_carry_audio_speaks_aloud(modalities: tuple[str, ...] | None, aloud: bool) -> None:
    assert want(parameters=ResponseParams(output_modalities=modalities)).speaks_aloud is aloud


def test_where_the_modality_is_the_sessions_it_may_be_audio() -> None:
    assert want().speaks_aloud


def test_a_new_ticket_waits_and_has_been_nowhere() -> None:
    ticket = Ticket(request=want(), number=1, age=1, asked_at=5.0)
    assert ticket.stage is Stage.WAITING
    assert (ticket.attempts, ticket.unanswered, ticket.failures) == (0, 0, 0)
    assert (ticket.sent_at, ticket.response_id, ticket.expires_at) == (None, None, None)
    assert (ticket.resting_until, ticket.uncertain, ticket.ending, ticket.askers) == (0.0, False, "", [])


def test_an_outcome_says_nothing_that_it_does_not_know() -> None:
    assert Outcome(OutcomeKind.HEARD) == Outcome(OutcomeKind.HEARD, "", None, None, False, 0, 0.0)


def test_the_token_travels_under_one_key_of_the_metadata() -> None:
    assert TOKEN_KEY == "charye"
