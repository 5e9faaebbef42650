"""A tool runs, the user speaks into the silence ("are you still there?"), and the result comes during or after it.

In the field the result is dropped because "the turn was interrupted", or it is told twice: by the server's reply to the
user, which had the output before it, and by the follow-up that the client asks for; or the handle stays in limbo.

Here the output goes to the server at once. The follow-up waits for the user and for the server's reply, and is taken
back when that reply had the output before it and was spoken to its end.
"""

from tests.transcripts.player import play

TOOL_RUNS = """
        @ request question
        > response.create question
        < response.created r1 question
        < response.function_call_arguments.done r1 call_1 get_weather
        ! run_tool call_1
        < response.done r1 completed
        = question heard
"""


def test_the_result_comes_during_the_turn_and_the_reply_tells_it() -> None:
    play(f"""
        {TOOL_RUNS}
        < speech_started item_u
        ! no abandon_tool
        @ tool_finished call_1 {{"temperature":12}}
        > conversation.item.create out_call_1
        = waiting tool.r1.1 "the user is speaking"
        < conversation.item.added out_call_1
        < speech_stopped item_u
        < committed item_u
        < response.created r2 vad
        = waiting tool.r1.1 "another response is running"    # that one may fail yet
        < response.done r2 completed
        = tool.r1.1 cancelled reason="answered by another response" attempts=0
        = open                                       # not answered twice
    """)


def test_the_result_comes_in_the_gap_before_the_reply() -> None:
    play(f"""
        {TOOL_RUNS}
        < speech_started item_u
        < speech_stopped item_u
        < committed item_u
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < conversation.item.added out_call_1
        < response.created r2 vad
        < response.done r2 completed
        = tool.r1.1 cancelled reason="answered by another response"
        = open
    """)


REPLY_WITH_THE_RESULT = f"""
        {TOOL_RUNS}
        < speech_started item_u
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < conversation.item.added out_call_1
        < speech_stopped item_u
        < committed item_u
        < response.created r2 vad
        = waiting tool.r1.1
"""
TOLD_BY_US = """
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = tool.r1.1 heard attempts=1
        = open
"""


def test_the_reply_fails() -> None:
    play(f"""
        {REPLY_WITH_THE_RESULT}
        < response.done r2 failed
        {TOLD_BY_US}
    """)


def test_the_reply_is_not_spoken_to_its_end() -> None:
    play(f"""
        {REPLY_WITH_THE_RESULT}
        < response.done r2 incomplete max_output_tokens
        {TOLD_BY_US}
    """)


def test_the_reply_is_cut_by_the_app() -> None:
    play(f"""
        {REPLY_WITH_THE_RESULT}
        @ interrupt
        > response.cancel r2
        < response.done r2 completed                 # it crossed the cancel, but nobody heard it
        {TOLD_BY_US}
    """)


def test_the_user_cuts_the_reply_and_hears_the_result_in_the_next() -> None:
    play(f"""
        {REPLY_WITH_THE_RESULT}
        < speech_started item_v
        < response.done r2 cancelled turn_detected
        = waiting tool.r1.1 "the user is speaking"
        < speech_stopped item_v
        < committed item_v
        < response.created r3 vad
        < response.done r3 completed
        = tool.r1.1 cancelled reason="answered by another response"
        = open
    """)


def test_the_end_of_the_reply_is_lost() -> None:
    play(f"""
        {REPLY_WITH_THE_RESULT}
        ~ 15s
        > conversation.item.retrieve probe_1
        < error item_retrieve_invalid_item_id
        ~ 5s
        > response.cancel r2
        < error response_cancel_not_active to=r2
        {TOLD_BY_US}
    """)


def test_the_connection_goes_while_the_reply_speaks() -> None:
    play(f"""
        {REPLY_WITH_THE_RESULT}
        @ disconnect
        @ connect
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = tool.r1.1 heard
    """)


def test_the_reply_had_begun_before_the_output_was_there() -> None:
    """ "Still there?" "Yes, one moment." And then the result."""
    play(f"""
        {TOOL_RUNS}
        < speech_started item_u
        < speech_stopped item_u
        < committed item_u
        < response.created r2 vad
        @ tool_finished call_1
        > conversation.item.create out_call_1
        = waiting tool.r1.1 "another response is running"
        < conversation.item.added out_call_1
        < response.done r2 completed
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = tool.r1.1 heard
    """)


def test_the_reply_and_the_output_cross() -> None:
    """The server has not said that it has the output, so it may not have known."""
    play(f"""
        {TOOL_RUNS}
        < speech_started item_u
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < speech_stopped item_u
        < committed item_u
        < response.created r2 vad
        < conversation.item.added out_call_1
        < response.done r2 completed
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = tool.r1.1 heard
    """)


def test_the_result_comes_long_after_the_turn() -> None:
    play(f"""
        {TOOL_RUNS}
        < speech_started item_u
        < speech_stopped item_u
        < committed item_u
        < response.created r2 vad
        < response.done r2 completed
        ~ 10s
        @ tool_finished call_1
        > conversation.item.create out_call_1
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = tool.r1.1 heard
    """)


def test_it_was_noise_and_nobody_replies() -> None:
    play(f"""
        {TOOL_RUNS}
        < speech_started item_u
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < conversation.item.added out_call_1
        < speech_stopped item_u
        < committed item_u
        ~ 2s
        > response.create tool.r1.1
        < response.created r2 tool.r1.1
        < response.done r2 completed
        = tool.r1.1 heard
    """)


def test_the_reply_comes_while_the_follow_up_is_on_its_way() -> None:
    """The refused follow-up is told by the winner, so it is not asked for again."""
    play(f"""
        {TOOL_RUNS}
        @ tool_finished call_1
        > conversation.item.create out_call_1
        > response.create tool.r1.1
        < conversation.item.added out_call_1
        < response.created r2 vad
        < error conversation_already_has_active_response names=r2
        = waiting tool.r1.1
        < response.done r2 completed
        = tool.r1.1 cancelled reason="answered by another response"
        = open
    """)


def test_the_call_itself_was_interrupted_and_its_result_is_told() -> None:
    """The model's words were cut off, its wish to know was not."""
    play("""
        @ request question
        > response.create question
        < response.created r1 question
        < response.output_audio.delta r1 item1 1s
        < response.function_call_arguments.done r1 call_1 get_weather
        ~ 400ms
        < speech_started item_u
        < response.done r1 cancelled turn_detected
        > conversation.item.truncate item1 400ms
        ! no abandon_tool
        = question interrupted 400ms
        < speech_stopped item_u
        < committed item_u
        < response.created r2 vad
        < response.done r2 completed
        @ tool_finished call_1
        > conversation.item.create out_call_1
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = tool.r1.1 heard
    """)


def test_words_of_its_own_are_said_whatever_the_reply_was() -> None:
    play(f"""
        {TOOL_RUNS}
        < speech_started item_u
        @ tool_finished call_1 say="Your report is being prepared."
        > conversation.item.create out_call_1
        < conversation.item.added out_call_1
        < speech_stopped item_u
        < committed item_u
        < response.created r2 vad
        = waiting tool.r1.1
        < response.done r2 completed
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = tool.r1.1 heard
    """)


def test_of_two_results_the_reply_tells_one() -> None:
    play("""
        @ request question
        > response.create question
        < response.created r1 question
        < response.function_call_arguments.done r1 call_1 get_weather
        < response.function_call_arguments.done r1 call_2 get_time
        < response.done r1 completed
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < conversation.item.added out_call_1
        < speech_started item_u
        < speech_stopped item_u
        < committed item_u
        < response.created r2 vad
        < response.done r2 completed
        ~ 20s                                        # the first is told; its cap earns nothing
        @ tool_finished call_2
        > conversation.item.create out_call_2
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = question heard
        = tool.r1.1 heard
    """)


def test_the_button_is_pressed_while_the_tool_runs() -> None:
    """The reply to the user is asked for by us, after the output: it tells the result, and one reply is enough."""
    play(f"""
        < session.updated push_to_talk
        {TOOL_RUNS}
        @ press
        > input_audio_buffer.clear
        @ microphone 1s
        @ tool_finished call_1
        > conversation.item.create out_call_1
        = waiting tool.r1.1 "push-to-talk"
        < conversation.item.added out_call_1
        @ release
        > input_audio_buffer.commit
        > response.create charye.user.3
        < committed item_u
        < response.created r2 charye.user.3
        = waiting tool.r1.1
        < response.done r2 completed
        = tool.r1.1 cancelled reason="answered by another response"
        = charye.user.3 heard
        = open
    """)


def test_the_reply_is_asked_for_by_us_where_the_server_does_not_reply() -> None:
    play(f"""
        settings: dialect=compatible asks_for_replies=yes
        < session.updated server_vad create_response=no
        {TOOL_RUNS}
        < speech_started item_u
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < conversation.item.added out_call_1
        < speech_stopped item_u
        < committed item_u
        > response.create charye.user.3
        < response.created r2 charye.user.3
        = waiting tool.r1.1
        < response.done r2 completed
        = tool.r1.1 cancelled reason="answered by another response"
        = charye.user.3 heard
        = open
    """)


def test_a_sentence_of_the_apps_is_no_reply_to_the_user() -> None:
    """It has the output before it, but it was asked to say something else."""
    play(f"""
        {TOOL_RUNS}
        @ request announcement instructions="Say that the line is recorded."
        > response.create announcement
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < conversation.item.added out_call_1
        < response.created r2 announcement
        < response.done r2 completed
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = announcement heard
        = tool.r1.1 heard
    """)
