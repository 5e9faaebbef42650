"""`response.cancel`, and at once the item and the `response.create` of the correction.

The cancelled response runs until its `response.done`, so the create is refused, and what should have been said instead
of it (a guardrail, a correction) is never spoken.

Here a cancelled response holds the floor until it has ended; the handle of the cancelled request does not wait, and its
voice stops at once. The correction goes out at the done.
"""

from tests.transcripts.player import play

SPEAKING = """
        @ request answer
        > response.create answer
        < response.created r1 answer
        < response.output_audio.delta r1 item1 800ms
        ! play r1 item1 800ms
        ~ 300ms
"""


def test_the_correction_waits_for_the_end_of_what_it_corrects() -> None:
    play(f"""
        {SPEAKING}
        @ cancel answer
        ! stop_playback r1
        > response.cancel r1
        = answer cancelled 300ms
        @ add_item fix "Say that the price is 20 euros."
        > conversation.item.create fix
        @ request correction
        = yielding r1
        = waiting correction "being cancelled"
        < response.output_audio.delta r1 item1 200ms
        ! no play
        < response.done r1 cancelled
        > conversation.item.truncate item1 300ms
        > response.create correction
        < response.created r2 correction
        < response.done r2 completed
        = correction heard attempts=1
    """)


def test_the_correction_cuts_in_by_itself() -> None:
    play(f"""
        {SPEAKING}
        @ request correction priority=script cuts_in=yes
        ! stop_playback r1
        > response.cancel r1
        < response.done r1 cancelled
        > conversation.item.truncate item1 300ms
        > response.create correction
        = answer interrupted 300ms
        < response.created r2 correction
        < response.done r2 completed
        = correction heard attempts=1
    """)


def test_a_lower_class_cannot_cut_in() -> None:
    play(f"""
        {SPEAKING}
        @ request remark priority=idle cuts_in=yes
        = waiting remark "another response is running"
        < response.done r1 completed
        > response.create remark
        ! no stop_playback
        < response.created r2 remark
        < response.done r2 completed
        ~ 500ms
        = answer heard
        = remark heard
    """)


def test_the_cancelled_response_never_ends() -> None:
    """It ignores the cancel. The floor is taken all the same; when it still stands in the way, the line is changed."""
    play(f"""
        {SPEAKING}
        @ cancel answer
        > response.cancel r1
        @ request correction
        ~ 5s
        ! note "cancel unanswered" r1
        > conversation.item.truncate item1 300ms
        > response.create correction
        < error conversation_already_has_active_response names=r1
        ! reconnect
        @ disconnect
        @ connect
        > response.create correction
        < response.created r1 correction
        < response.done r1 completed
        = correction heard attempts=2
    """)


def test_the_cancel_is_for_what_is_not_created_yet() -> None:
    play("""
        @ request answer
        > response.create answer
        @ cancel answer
        @ request correction
        = withdrawn answer
        < response.created r1 answer
        > response.cancel r1
        < response.done r1 cancelled
        > response.create correction
        < response.created r2 correction
        < response.done r2 completed
        = answer cancelled
        = correction heard attempts=1
    """)
