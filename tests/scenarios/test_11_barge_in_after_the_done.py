"""The user speaks into a response that is generated to its end but still being played.

For the server it is over, so nothing is interrupted there: unless the client stops its loudspeaker and truncates, the
model believes it said what nobody heard. And a truncate is easily refused: beyond the audio that the server counts, or
of an item of which nothing was played. A client that waits for its answer is then silent.

Here what was heard is known by whoever plays: a sound card, the server (WebRTC, SIP), or a clock. The item that was
playing is truncated within what the server has, items that nobody heard are deleted, and nothing waits for the answers.
"""

import pytest

from tests.transcripts.player import play

THREE_ITEMS = """
        @ request story
        > response.create story
        < response.created r1 story
        < response.output_audio.delta r1 item1 1s
        < response.output_audio.delta r1 item2 1s
        < response.output_audio.delta r1 item3 1s
"""
GENERATED = f"""
        {THREE_ITEMS}
        < response.done r1 completed
        = story generated
        = speaker ours
"""


def test_the_one_that_plays_is_truncated_and_the_rest_deleted() -> None:
    play(f"""
        {GENERATED}
        ~ 1500ms
        < speech_started
        ! stop_playback r1
        > conversation.item.truncate item2 500ms content_index=0
        > conversation.item.delete item3
        = story interrupted 1500ms
        = speaker user
    """)


def test_the_sound_card_knows_better_than_the_clock() -> None:
    play(f"""
        settings: reporting=device
        {GENERATED}
        ~ 1500ms
        @ played item1 700ms                         # the device began late
        < speech_started
        ! stop_playback r1
        > conversation.item.truncate item1 700ms
        > conversation.item.delete item2
        > conversation.item.delete item3
        = story interrupted 700ms
    """)


def test_nothing_was_played() -> None:
    play(f"""
        settings: reporting=device
        {GENERATED}
        < speech_started
        > conversation.item.delete item1
        > conversation.item.delete item2
        > conversation.item.delete item3
        = story interrupted 0ms
    """)


def test_the_server_counts_a_little_less_than_it_sent() -> None:
    """Played 990 of 1000 ms; the server may hold only 915 of them, and refuses a truncate beyond."""
    play("""
        settings: reporting=device
        @ request story
        > response.create story
        < response.created r1 story
        < response.output_audio.delta r1 item1 1s
        < response.done r1 completed
        @ played item1 990ms
        < speech_started
        > conversation.item.truncate item1 900ms
        = story interrupted 990ms
    """)


def test_more_is_reported_than_there_is() -> None:
    play("""
        settings: reporting=device
        @ request story
        > response.create story
        < response.created r1 story
        < response.output_audio.delta r1 item1 1s
        @ played item1 5s
        < speech_started
        < response.done r1 cancelled turn_detected
        > conversation.item.truncate item1 900ms
        = story interrupted 1s
    """)


def test_while_it_is_still_generated_the_repair_waits_for_its_end() -> None:
    play(f"""
        {THREE_ITEMS}
        ~ 1200ms
        < speech_started
        ! stop_playback r1
        < response.output_audio.delta r1 item3 1s
        ! no play
        < response.done r1 cancelled turn_detected
        > conversation.item.truncate item2 200ms
        > conversation.item.delete item3
        = story interrupted 1200ms
    """)


@pytest.mark.parametrize(
    "refusal",
    [
        "item_truncate_invalid_item_id",
        'invalid_value message="Audio content of 900ms is already shorter than 985ms" param=audio_end_ms',
        'invalid_value message="Only model output audio messages can be truncated"',
        "item_delete_invalid_item_id",
    ],
)
def test_a_refused_repair_stops_nobody(refusal: str) -> None:
    play(f"""
        {GENERATED}
        ~ 1500ms
        < speech_started
        > conversation.item.truncate item2 500ms
        > conversation.item.delete item3
        < error {refusal}
        @ request answer
        < speech_stopped
        < committed
        < response.created r2 vad
        < response.output_audio.delta r2 item4 200ms
        ! play r2 item4
        < response.done r2 completed
        > response.create answer
        < response.created r3 answer
        < response.done r3 completed
        ~ 200ms
        = answer heard
    """)


def test_over_the_telephone_the_server_plays_and_repairs() -> None:
    """SIP and WebRTC: the audio is not on our wire, its beginning and end are told."""
    play("""
        settings: reporting=server
        @ request story
        > response.create story
        < response.created r1 story
        < response.content_part.added r1 item1
        < output_audio_buffer.started r1
        < response.done r1 completed
        = story generated
        ~ 1700ms
        < speech_started
        ! stop_playback r1
        > output_audio_buffer.clear
        < output_audio_buffer.cleared r1
        < conversation.item.truncated item1 1700ms
        = story interrupted 1700ms
    """)


def test_over_the_telephone_it_is_heard_when_the_buffer_has_stopped() -> None:
    play("""
        settings: reporting=server
        @ request story
        > response.create story
        < response.created r1 story
        < response.content_part.added r1 item1
        < output_audio_buffer.started r1
        < response.done r1 completed
        ~ 9s
        = story generated
        < output_audio_buffer.stopped r1
        = story heard
    """)


def test_a_telephone_line_has_other_samples() -> None:
    play("""
        < session.updated server_vad format=audio/pcmu
        @ request story
        > response.create story
        < response.created r1 story
        < response.output_audio.delta r1 item1 1s
        ! play r1 item1 1000ms
        < response.done r1 completed
        ~ 400ms
        < speech_started
        > conversation.item.truncate item1 400ms
        = story interrupted 400ms
    """)


def test_it_is_resumed_if_it_wishes() -> None:
    play("""
        @ request story on_interruption=resume
        > response.create story
        < response.created r1 story
        < response.output_audio.delta r1 item1 1s
        < response.done r1 completed
        ~ 400ms
        < speech_started
        > conversation.item.truncate item1 400ms
        = waiting story "the user is speaking"
        < speech_stopped
        < committed
        < response.created r2 vad
        < response.done r2 completed
        > response.create story
        < response.created r3 story
        < response.done r3 completed
        = story heard attempts=2
    """)


def test_where_speech_does_not_interrupt_it_is_heard_to_its_end() -> None:
    play(f"""
        < session.updated server_vad interrupt_response=no
        {GENERATED}
        ~ 1s
        < speech_started
        ! no stop_playback
        ~ 2s
        = story heard
    """)


def test_two_responses_are_queued_and_one_has_been_heard() -> None:
    play("""
        @ request first
        > response.create first
        < response.created r1 first
        < response.output_audio.delta r1 item1 1s
        < response.done r1 completed
        @ request second
        > response.create second                     # generated behind what still plays: no gap
        < response.created r2 second
        < response.output_audio.delta r2 item2 1s
        < response.done r2 completed
        ~ 1300ms
        = first heard
        < speech_started
        > conversation.item.truncate item2 300ms
        = second interrupted 300ms
    """)
