"""`response.done` never comes, or comes broken, or twice; or an error that has nothing to do with it comes instead.

A lane that only a done opens is then locked for ever. A watchdog that kills what is long instead of what is silent cuts
healthy answers of ninety seconds in the middle.

Here a malformed done is still a done, a second one is nothing, and silence, not length, is asked about: first the line,
then the response, by cancelling it; the answer to that says whether it was over long ago. A response all of whose items
are complete owes nothing but its done: two seconds later whoever waits is asked for, and the answer says whether it is
over. A create harms nobody: the server refuses it while a response runs.
"""

import pytest

from tests.transcripts.player import play

RUNNING = """
        @ request answer
        > response.create answer
        < response.created r1 answer
        @ request next
"""
SPOKEN = """
        @ request answer
        > response.create answer
        < response.created r1 answer
        < response.output_item.added r1 item1 message
        < response.output_item.done r1 item1 message
        @ request next
"""
NEXT = """
        > response.create next
        < response.created r2 next
        < response.done r2 completed
        = next heard
"""


def test_it_is_lost_after_its_last_item() -> None:
    """Two seconds, where a probe and a cancel take twenty."""
    play(f"""
        {SPOKEN}
        ~ 1.9s
        = held r1 answer
        ~ 0.1s
        ! note "its end is overdue: asking for the next" r1
        > response.create next
        = contested r1 next
        < response.created r2 next
        = answer heard
        = next speaking
        < response.done r2 completed
        = next heard waited_s=2.0
    """)


def test_it_is_not_lost_the_model_thinks_before_its_next_item() -> None:
    play(f"""
        {SPOKEN}
        ~ 2s
        > response.create next
        < error conversation_already_has_active_response names=r1
        = held r1 answer
        ~ 10s
        < response.output_item.added r1 item2 message
        ~ 10s
        < response.output_item.done r1 item2 message
        ~ 10s
        < response.done r1 completed
        = answer heard
        > response.create next
        < response.created r2 next
        < response.done r2 completed
        = next heard attempts=2
    """)


def test_it_is_lost_and_nobody_waits() -> None:
    """So nothing hurries, until somebody comes."""
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        < response.output_item.done r1 item1 message
        ~ 8s
        = held r1 answer
        @ request next
        > response.create next
        < response.created r2 next
        = answer heard
        < response.done r2 completed
        = next heard
    """)


def test_it_is_lost_and_the_response_hangs_after_its_last_item() -> None:
    play(f"""
        {SPOKEN}
        ~ 2s
        > response.create next
        < error conversation_already_has_active_response names=r1
        ~ 15s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id
        ~ 5s
        > response.cancel r1
        < response.done r1 cancelled
        = answer failed reason=stuck
        {NEXT}
    """)


def test_a_server_that_supersedes_is_not_asked_whether_it_runs() -> None:
    """There the create would end it."""
    play(f"""
        settings: dialect=supersedes
        {SPOKEN}
        ~ 15s
        > conversation.item.retrieve probe_1
        < response.done r1 completed
        = answer heard
        {NEXT}
    """)


def test_it_is_lost_and_the_response_was_over() -> None:
    play(f"""
        {RUNNING}
        ~ 15s
        ! note "silence: asking whether the line lives"
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id
        ~ 5s
        > response.cancel r1
        < error response_cancel_not_active
        = answer heard uncertain=yes
        {NEXT}
    """)


def test_it_is_lost_and_the_response_hangs() -> None:
    play(f"""
        {RUNNING}
        ~ 15s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id event_id=null
        ~ 5s
        > response.cancel r1
        < response.done r1 cancelled
        = answer failed reason=stuck
        {NEXT}
    """)


def test_it_is_lost_and_the_line_is_dead() -> None:
    play(f"""
        {RUNNING}
        ~ 25s
        > conversation.item.retrieve probe_1
        > conversation.item.retrieve probe_2
        ! reconnect "line dead"
        = offline
        @ disconnect
        @ connect
        > response.create answer                     # its policy is to be replayed
        < response.created r1 answer
        < response.done r1 completed
        = answer heard attempts=2
        {NEXT}
    """)


def test_it_is_lost_and_the_next_created_shows_that_it_is_over() -> None:
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        < response.output_item.done r1 item1 message
        < response.created r2 vad
        ! note "its end was not seen, but another response runs" r1
        = answer heard                               # its item was complete
        < response.done r2 completed
    """)


def test_it_is_lost_after_the_user_may_have_interrupted_it() -> None:
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        < response.created r2 vad
        = answer heard uncertain=yes
        < response.done r2 completed
    """)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("< response.done r1 completed output=7", id="output is no list"),
        pytest.param("< response.done r1 completed output=[7,null]", id="items are no objects"),
        pytest.param('< response.done r1 completed usage="many"', id="usage is text"),
        pytest.param("< response.done r1 completed metadata=[1]", id="metadata is a list"),
        pytest.param('< response.done r1 completed status_details="fine"', id="details are text"),
        pytest.param("< response.done r1 completed event_id=5 response.object=5", id="numbers for texts"),
        pytest.param(
            "< response.done r1 completed metadata=absent conversation_id=absent", id="fields missing"
        ),
        pytest.param('< {"type":"response.done","response":{"id":"r1","status":"completed"}}', id="bare"),
    ],
)
def test_it_is_malformed(broken: str) -> None:
    play(f"""
        {RUNNING}
        {broken}
        = answer heard
        {NEXT}
    """)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("< response.done r1 completed response=null", id="no response"),
        pytest.param("< response.done r1 completed response=absent", id="response missing"),
        pytest.param("< response.done r1 completed response.id=absent metadata=absent", id="no id"),
        pytest.param('< {"type":"response.done"}', id="nothing at all"),
    ],
)
def test_it_does_not_say_whose_end_it_is(broken: str) -> None:
    """It may be the running one's: the line is asked at once, not after a silence."""
    play(f"""
        {RUNNING}
        {broken}
        ! note "done of a response that we do not know"
        = held r1 answer
        ~ 0s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id
        ~ 5s
        > response.cancel r1
        < error response_cancel_not_active
        = answer heard uncertain=yes
        {NEXT}
    """)


def test_it_has_no_response_but_its_id() -> None:
    play(f"""
        {RUNNING}
        < {{"type":"response.done","response_id":"r1","response":"gone"}}
        ! note "unknown response status" r1
        = answer heard uncertain=yes
        {NEXT}
    """)


def test_it_cannot_be_read_at_all() -> None:
    play(f"""
        {RUNNING}
        < {{"type":"response.done","response":{{"id":"r1"
        = held r1 answer
        ~ 15s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id
        ~ 5s
        > response.cancel r1
        < error response_cancel_not_active
        = answer heard uncertain=yes
        {NEXT}
    """)


def test_it_comes_twice() -> None:
    play(f"""
        {RUNNING}
        < response.done r1 completed
        > response.create next
        < response.done r1 completed
        ! note "done for a response that is over" r1
        = claimed next
        < response.created r2 next
        < response.done r1 completed
        = held r2 next
        < response.done r2 completed
        = answer heard
        = next heard attempts=1
    """)


def test_its_created_comes_twice_or_late() -> None:
    play(f"""
        {RUNNING}
        < response.created r1 answer
        = held r1 answer
        < response.done r1 completed
        > response.create next
        < response.created r1 answer
        ! note "created for a response that is over" r1
        = claimed next
        < response.created r2 next
        < response.done r2 completed
        = answer heard
        = next heard
    """)


def test_its_created_was_lost() -> None:
    play("""
        @ request answer
        > response.create answer
        @ request next
        < response.done r1 completed by=answer
        = answer heard
        > response.create next
        < response.created r2 next
        < response.done r2 completed
        = next heard
    """)


@pytest.mark.parametrize("dialect", ["openai", "no-metadata"])
def test_its_created_was_lost_and_its_voice_is_heard(dialect: str) -> None:
    play(f"""
        settings: dialect={dialect}
        @ request answer
        > response.create answer
        < response.output_audio.delta r1 item1 1s
        ! note "a response runs whose created was not seen" r1
        ! play r1 item1
        < response.done r1 completed by=answer
        ~ 1s
        = answer heard
    """)


@pytest.mark.parametrize(
    "error", ["server_error", "invalid_value", "rate_limit_exceeded", "item_truncate_invalid_item_id"]
)
def test_an_unrelated_error_is_no_end(error: str) -> None:
    play(f"""
        {RUNNING}
        < error {error}
        ! note error {error}
        = held r1 answer
        < response.done r1 completed
        = answer heard
        {NEXT}
    """)


def test_an_unrelated_error_and_then_nothing() -> None:
    play(f"""
        {RUNNING}
        < error server_error
        ~ 15s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id
        ~ 5s
        > response.cancel r1
        < response.done r1 cancelled
        = answer failed reason=stuck
        {NEXT}
    """)


def test_a_long_answer_is_left_alone() -> None:
    """Ninety seconds of it, with pauses of fourteen."""
    sound = "< response.output_audio.delta r1 item1 15s\n        ~ 14s\n        "
    play(f"""
        @ request answer
        > response.create answer
        < response.created r1 answer
        {sound * 6}
        < response.done r1 completed
        = answer generated
        ~ 6s
        = answer heard
    """)


def test_any_sign_of_life_counts() -> None:
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        ~ 14s
        < {"type":"response.output_audio_transcript.delta","response_id":"r1","item_id":"item1","delta":"."}
        ~ 14s
        < {"type":"response.brand_new.delta","response_id":"r1"}
        ~ 14s
        < response.done r1 completed
        = answer heard
    """)


def test_it_speaks_again_while_it_is_asked_about() -> None:
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        ~ 15s
        > conversation.item.retrieve probe_1
        < response.output_audio.delta r1 item1 1s
        < error item_retrieve_invalid_item_id
        ~ 14s
        < response.done r1 completed
        = answer heard
    """)


def test_the_servers_own_reply_hangs() -> None:
    play("""
        < speech_started
        < speech_stopped
        < committed
        < response.created r1 vad
        @ request next
        ~ 15s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id
        ~ 5s
        > response.cancel r1
        < response.done r1 cancelled
        > response.create next
        < response.created r2 next
        < response.done r2 completed
        = next heard
    """)


def test_a_hung_response_swallows_the_servers_replies() -> None:
    """It ignored the cancel, so every reply to the user is refused inside the server: the line is changed."""
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        ~ 15s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id
        ~ 5s
        > response.cancel r1
        ~ 5s
        = answer failed reason=stuck
        = open
        < speech_started
        < speech_stopped
        < committed
        ~ 2s
        ! reconnect "a stuck response blocks the conversation"
        = offline
    """)
