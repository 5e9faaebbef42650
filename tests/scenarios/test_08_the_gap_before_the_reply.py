"""The user has stopped, the audio is committed, and the server's own reply is not created yet: a gap.

A tool result or a button press sends its create into the gap, and it collides with the reply that was about to begin.
Clients that close a gate in the gap have the opposite fault: a noise turn never gets a reply, and the gate never opens.

Here the reply is awaited for a bounded time, and only where the session says that the server replies at all.
"""

import pytest

from tests.transcripts.player import play

TURN = """
        < speech_started item_u
        < speech_stopped item_u
        < committed item_u
        < conversation.item.added item_u
"""
REPLY_FIRST = """
        < response.created r1 vad
        = turn quiet
        < response.done r1 completed
        > response.create remark
        < response.created r2 remark
        < response.done r2 completed
        = remark heard attempts=1
"""


def test_a_request_in_the_gap_waits_for_the_reply() -> None:
    play(f"""
        {TURN}
        @ request remark
        = waiting remark "the server's own reply"
        {REPLY_FIRST}
    """)


def test_a_request_while_the_user_speaks_waits_for_the_reply() -> None:
    play(f"""
        < speech_started item_u
        @ request remark
        = speaker user
        = waiting remark "the user is speaking"
        ~ 20s
        < speech_stopped item_u
        = waiting remark "has just stopped"
        < committed item_u
        {REPLY_FIRST}
    """)


def test_a_tool_result_in_the_gap_waits_for_the_reply() -> None:
    play(f"""
        < response.created r0 vad
        < response.function_call_arguments.done r0 call_1 get_weather
        < response.done r0 completed
        {TURN}
        @ tool_finished call_1
        > conversation.item.create out_call_1
        = waiting tool.r0.1 "the server's own reply"
        < response.created r1 vad                    # it does not know of the output yet
        < conversation.item.added out_call_1
        < response.done r1 completed
        > response.create tool.r0.1
        < response.created r2 tool.r0.1
        < response.done r2 completed
        = tool.r0.1 heard attempts=1
    """)


def test_a_noise_turn_gets_no_reply() -> None:
    play(f"""
        {TURN}
        @ request remark
        ~ 1900ms
        = waiting remark
        ~ 100ms
        ! note "no more is heard of the user's turn"
        > response.create remark
        < response.created r1 remark
        < response.done r1 completed
        = remark heard attempts=1
    """)


def test_the_reply_comes_after_we_stopped_waiting_for_it() -> None:
    """The wait is courtesy; what keeps the request is the refusal."""
    play(f"""
        {TURN}
        @ request remark
        ~ 2s
        > response.create remark
        < response.created r1 vad
        < error conversation_already_has_active_response names=r1
        < response.done r1 completed
        > response.create remark
        < response.created r2 remark
        < response.done r2 completed
        = remark heard attempts=2
    """)


def test_the_user_speaks_on_in_the_gap() -> None:
    play("""
        < speech_started item_u
        < speech_stopped item_u
        < committed item_u
        @ request remark
        < speech_started item_v
        < response.created r1 vad                    # of the first half; it crosses the second
        = turn speaking
        < response.done r1 cancelled turn_detected
        = waiting remark "the user is speaking"
        < speech_stopped item_v
        < committed item_v
        < response.created r2 vad
        < response.done r2 completed
        > response.create remark
        < response.created r3 remark
        < response.done r3 completed
        = remark heard
    """)


@pytest.mark.parametrize("lost", ["speech_stopped", "committed"])
def test_the_end_of_the_turn_is_lost(lost: str) -> None:
    play(f"""
        < speech_started item_u
        {"< speech_stopped item_u" if lost == "committed" else ""}
        @ request remark
        ~ {"2s" if lost == "committed" else "60s"}
        > response.create remark
        < response.created r1 remark
        < response.done r1 completed
        = remark heard
    """)


@pytest.mark.parametrize(
    "session", ["server_vad create_response=no", "semantic_vad create_response=no", "push_to_talk"]
)
def test_a_server_that_does_not_reply_is_not_awaited(session: str) -> None:
    play(f"""
        < session.updated {session}
        < speech_started
        @ request remark
        = waiting remark
        < speech_stopped
        < committed
        > response.create remark
        < response.created r1 remark
        < response.done r1 completed
        = remark heard
    """)


def test_semantic_vad_is_awaited() -> None:
    play(f"""
        < session.created semantic_vad
        {TURN}
        @ request remark
        {REPLY_FIRST}
    """)


def test_we_ask_for_the_reply_where_the_server_does_not() -> None:
    play("""
        settings: dialect=compatible asks_for_replies=yes
        < session.updated server_vad create_response=no
        < speech_started
        < speech_stopped
        @ request remark priority=tool
        < committed
        > response.create charye.user.2
        < response.created r1 vad
        = held r1 charye.user.2                      # nobody else creates: it is ours
        < response.done r1 completed
        > response.create remark
        < response.created r2 vad
        < response.done r2 completed
        = charye.user.2 heard
        = remark heard
    """)


PRESSED = """
        @ press
        > input_audio_buffer.clear
        @ microphone 800ms
"""


def test_push_to_talk_does_not_wait() -> None:
    play(f"""
        < session.updated push_to_talk
        {PRESSED}
        = speaker user
        @ release
        > input_audio_buffer.commit
        > response.create charye.user.1
        < committed item_u
        < response.created r1 charye.user.1
        < response.done r1 completed
        = charye.user.1 heard
    """)


def test_push_to_talk_collides_and_is_asked_again() -> None:
    play(f"""
        {PRESSED}
        @ release
        > input_audio_buffer.commit
        > response.create charye.user.1
        < response.created r1 vad
        < error conversation_already_has_active_response names=r1
        < response.done r1 completed
        > response.create charye.user.1
        < response.created r2 charye.user.1
        < response.done r2 completed
        = charye.user.1 heard attempts=2
    """)


def test_presses_in_quick_succession_get_one_reply() -> None:
    """The second press finds the create of the first unanswered: what comes of it would speak over the user."""
    play(f"""
        < session.updated push_to_talk
        {PRESSED}
        @ release
        > input_audio_buffer.commit
        > response.create charye.user.1
        {PRESSED}
        = waiting charye.user.1 "push-to-talk"
        < response.created r1 charye.user.1
        > response.cancel r1
        < response.output_audio.delta r1 item1 100ms
        ! no play
        @ release
        > input_audio_buffer.commit
        < response.done r1 cancelled
        > response.create charye.user.1 charye.user.2
        < response.created r2 charye.user.1
        < response.done r2 completed
        = charye.user.1 heard attempts=2
        = charye.user.2 heard attempts=2
        = open
    """)


def test_presses_while_an_answer_was_just_asked_for() -> None:
    """It waits for both presses, and is asked for again before the reply to them: it is older."""
    play(f"""
        < session.updated push_to_talk
        @ request answer
        > response.create answer
        {PRESSED}
        @ release
        > input_audio_buffer.commit
        {PRESSED}
        @ release
        > input_audio_buffer.commit
        = waiting answer
        < response.created r1 answer
        > response.cancel r1
        < response.done r1 cancelled
        > response.create answer
        < response.created r2 answer
        < response.done r2 completed
        > response.create charye.user.2 charye.user.3
        < response.created r3 charye.user.2
        < response.done r3 completed
        = answer heard attempts=2
        = charye.user.2 heard
        = charye.user.3 heard
    """)


def test_the_user_speaks_before_our_create_is_answered() -> None:
    play("""
        @ request remark
        > response.create remark
        < speech_started item_u
        = remark queued "the user speaks"
        = waiting remark "the user is speaking"
        < response.created r1 remark
        > response.cancel r1
        < response.output_audio.delta r1 item1 100ms
        ! no play
        < response.done r1 cancelled turn_detected   # the server was faster
        < error response_cancel_not_active to=r1
        ! note "nothing to cancel" r1
        < speech_stopped item_u
        < committed item_u
        < response.created r2 vad
        < response.done r2 completed
        > response.create remark
        < response.created r3 remark
        < response.done r3 completed
        = remark heard attempts=2
    """)


def test_the_user_speaks_and_our_create_is_refused() -> None:
    play("""
        @ request remark
        > response.create remark
        < speech_started item_u
        < speech_stopped item_u
        < committed item_u
        < response.created r1 vad
        < error conversation_already_has_active_response names=r1
        = held r1 vad
        < response.done r1 completed
        > response.create remark
        < response.created r2 remark
        < response.done r2 completed
        = remark heard attempts=2
    """)


def test_silence_is_asked_for_before_our_create_is_answered() -> None:
    play("""
        @ request remark
        > response.create remark
        @ interrupt
        = remark interrupted 0ms attempts=1
        = withdrawn
        < response.created r1 remark
        > response.cancel r1
        < response.output_audio.delta r1 item1 100ms
        ! no play
        < response.done r1 cancelled
        = open
    """)


def test_silence_is_asked_for_and_the_remark_is_to_be_resumed() -> None:
    play("""
        @ request remark on_interruption=resume
        > response.create remark
        @ interrupt
        = remark queued interrupted
        < response.created r1 remark
        > response.cancel r1
        < response.done r1 cancelled
        > response.create remark
        < response.created r2 remark
        < response.done r2 completed
        = remark heard attempts=2
    """)


NO_INTERRUPTION = """
        < session.updated server_vad interrupt_response=no
        < response.created r0 vad
        < speech_started item_u
        < speech_stopped item_u
        < committed item_u
        = turn doubted
"""


def test_the_server_leaves_its_reply_out_because_another_runs_and_we_ask_for_it() -> None:
    play(f"""
        {NO_INTERRUPTION}
        ~ 2s
        ! note "no more is heard of the user's turn"
        = turn quiet
        = waiting charye.user.1 "another response is running"
        < response.done r0 completed
        > response.create charye.user.1
        < response.created r1 charye.user.1
        < response.done r1 completed
        = charye.user.1 heard attempts=1
        ~ 1min                                       # and nothing more
    """)


def test_the_server_replies_after_all() -> None:
    play(f"""
        {NO_INTERRUPTION}
        @ request remark
        < response.done r0 completed
        = waiting remark "the server may yet reply"
        < response.created r1 vad
        = turn quiet
        < response.done r1 completed
        > response.create remark
        < response.created r2 remark
        < response.done r2 completed
        = remark heard
        ~ 1min
    """)


def test_two_turns_that_the_server_left_out_get_one_reply() -> None:
    play(f"""
        {NO_INTERRUPTION}
        ~ 2s
        < speech_started item_v
        < speech_stopped item_v
        < committed item_v
        ~ 2s
        < response.done r0 completed
        > response.create charye.user.1 charye.user.2
        < response.created r1 charye.user.1
        < response.done r1 completed
        = charye.user.1 heard
        = charye.user.2 heard
    """)


def test_turn_detection_is_switched_off_while_the_user_speaks() -> None:
    """Nobody will say when that turn is over."""
    play("""
        < speech_started item_u
        @ request remark
        = waiting remark "the user is speaking"
        < session.updated push_to_talk
        = turn quiet
        > response.create remark
        < response.created r1 remark
        < response.done r1 completed
        = remark heard
    """)


def test_a_press_that_was_too_short_asks_for_nothing() -> None:
    play("""
        < session.updated push_to_talk
        @ press
        > input_audio_buffer.clear
        @ microphone 60ms
        @ release
        ! note "pressed for too short a time"
        > input_audio_buffer.clear
        = speaker nobody
    """)


def test_a_press_that_was_too_short_with_a_reply_of_ones_own_tells_it() -> None:
    play("""
        < session.updated push_to_talk
        @ press
        > input_audio_buffer.clear
        @ microphone 60ms
        @ release answer
        ! note "pressed for too short a time"
        > input_audio_buffer.clear
        = answer denied reason="pressed for too short a time" attempts=0
    """)
