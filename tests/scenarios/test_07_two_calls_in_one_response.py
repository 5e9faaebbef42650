"""One response asks for two or three functions, and their results come when they come.

In the field each result sends its own `response.create`: two replies, or a refusal; or the reply goes out on half of
the results; or a call that never returns makes the silence last for ever; or a merger that joins "follow-ups" swallows
a request that has nothing to do with them.

Here outputs go to the server as they come, and one reply follows when the response is over and all of its calls are
answered, or when the slowest has had its time.
"""

from tests.transcripts.player import play

TWO_CALLS = """
        @ request question
        > response.create question
        < response.created r1 question
        < response.function_call_arguments.done r1 call_1 get_weather {"city":"Seoul"}
        ! run_tool call_1 get_weather {"city":"Seoul"}
        < response.function_call_arguments.done r1 call_2 get_time
        ! run_tool call_2 get_time
"""
ONE_REPLY = """
        < response.created r2 tool.r1.1
        < response.done r2 completed
        = question heard
        = tool.r1.1 heard attempts=1
        = open
        ~ 2min                                       # and nothing more
"""


def test_they_end_together() -> None:
    play(f"""
        {TWO_CALLS}
        < response.done r1 completed
        @ tool_finished call_1 {{"temperature":12}}
        > conversation.item.create out_call_1 call_id=call_1 output="{{\\"temperature\\":12}}"
        @ tool_finished call_2 {{"time":"noon"}}
        > conversation.item.create out_call_2 call_id=call_2
        > response.create tool.r1.1
        {ONE_REPLY}
    """)


def test_both_end_before_the_response_does() -> None:
    play(f"""
        {TWO_CALLS}
        @ tool_finished call_2
        > conversation.item.create out_call_2
        @ tool_finished call_1
        > conversation.item.create out_call_1
        = held r1 question
        < response.done r1 completed
        > response.create tool.r1.1
        {ONE_REPLY}
    """)


def test_one_ends_before_the_response_does() -> None:
    play(f"""
        {TWO_CALLS}
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < response.done r1 completed
        = open                                       # not on half of the results
        ~ 1s
        @ tool_finished call_2
        > conversation.item.create out_call_2
        > response.create tool.r1.1
        {ONE_REPLY}
    """)


def test_they_end_three_seconds_apart() -> None:
    play(f"""
        {TWO_CALLS}
        < response.done r1 completed
        ~ 1s
        @ tool_finished call_1
        > conversation.item.create out_call_1
        ~ 3s
        @ tool_finished call_2
        > conversation.item.create out_call_2
        > response.create tool.r1.1
        {ONE_REPLY}
    """)


def test_one_never_ends() -> None:
    play(f"""
        {TWO_CALLS}
        < response.done r1 completed
        @ tool_finished call_1
        > conversation.item.create out_call_1
        ~ 7900ms
        ~ 100ms
        > response.create tool.r1.1                  # what is there is told
        < response.created r2 tool.r1.1
        < response.done r2 completed
        ~ 52s
        ! abandon_tool call_2 "timed out"
        > conversation.item.create out_call_2 call_id=call_2
        > response.create tool.r1.2                  # and so is the failure
        < response.created r3 tool.r1.2
        < response.done r3 completed
        @ tool_finished call_2                       # after all: too late
        ! note "a tool's answer that nobody waits for" call_2
        = tool.r1.1 heard
        = tool.r1.2 heard
        = question heard
    """)


def test_all_never_end() -> None:
    play(f"""
        {TWO_CALLS}
        < response.done r1 completed
        ~ 60s
        ! abandon_tool call_1
        ! abandon_tool call_2
        > conversation.item.create out_call_1
        > conversation.item.create out_call_2
        > response.create tool.r1.1
        {ONE_REPLY}
    """)


def test_the_slow_one_ends_while_the_reply_about_the_fast_one_waits() -> None:
    play(f"""
        {TWO_CALLS}
        < response.done r1 completed
        @ tool_finished call_1
        > conversation.item.create out_call_1
        ~ 7s
        < speech_started
        ~ 1s
        = waiting tool.r1.1 "the user is speaking"
        @ tool_finished call_2
        > conversation.item.create out_call_2
        < speech_stopped
        < committed
        ~ 2s                                         # the server has nothing to say
        > response.create tool.r1.1                  # one reply for both
        {ONE_REPLY}
    """)


def test_the_slow_one_ends_while_the_reply_about_the_fast_one_runs() -> None:
    """That reply did not have its output before it: one more is due."""
    play(f"""
        {TWO_CALLS}
        < response.done r1 completed
        @ tool_finished call_1
        > conversation.item.create out_call_1
        ~ 8s
        > response.create tool.r1.1
        < response.created r2 tool.r1.1
        @ tool_finished call_2
        > conversation.item.create out_call_2
        = tool.r1.1 speaking
        < response.done r2 completed
        > response.create tool.r1.2
        < response.created r3 tool.r1.2
        < response.done r3 completed
        = question heard
        = tool.r1.1 heard
        = tool.r1.2 heard
    """)


def test_the_slow_one_ends_while_the_create_about_the_fast_one_is_unanswered() -> None:
    """The server reads in order: that reply was asked for before the second output was there."""
    play(f"""
        {TWO_CALLS}
        < response.done r1 completed
        @ tool_finished call_1
        > conversation.item.create out_call_1
        ~ 8s
        > response.create tool.r1.1
        @ tool_finished call_2
        > conversation.item.create out_call_2
        < response.created r2 tool.r1.1
        < response.done r2 completed
        > response.create tool.r1.2
        < response.created r3 tool.r1.2
        < response.done r3 completed
        = question heard
        = tool.r1.1 heard
        = tool.r1.2 heard
    """)


def test_the_reply_does_not_swallow_a_request_that_waits() -> None:
    play(f"""
        {TWO_CALLS}
        @ request reminder
        @ tool_finished call_1
        > conversation.item.create out_call_1
        @ tool_finished call_2
        > conversation.item.create out_call_2
        < response.done r1 completed
        > response.create reminder                   # of a higher class
        < response.created r2 reminder
        < response.done r2 completed
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = question heard
        = reminder heard
        = tool.r1.1 heard
    """)


def test_three_calls_told_in_three_ways_run_once_each() -> None:
    """Arguments done, item done, and the output of the response: a server says it up to three times, or once."""
    call = '{"type":"function_call","id":"fc_3","call_id":"call_3","name":"get_news","arguments":"{}"}'
    play(f"""
        @ request question
        > response.create question
        < response.created r1 question
        < response.function_call_arguments.done r1 call_1 get_weather
        ! run_tool call_1 get_weather
        < response.output_item.done r1 fc_call_1 call call_1 get_weather
        ! no run_tool
        < response.output_item.done r1 fc_call_2 call call_2 get_time
        ! run_tool call_2 get_time
        < response.done r1 completed output=[{call}]
        ! run_tool call_3 get_news
        ! no run_tool
        @ tool_finished call_1
        > conversation.item.create out_call_1
        @ tool_finished call_2
        > conversation.item.create out_call_2
        @ tool_finished call_2                       # told twice
        ! note "a tool's answer that nobody waits for" call_2
        @ tool_finished call_3
        > conversation.item.create out_call_3
        > response.create tool.r1.1
        {ONE_REPLY}
    """)


def test_one_is_silent_and_one_has_words_of_its_own() -> None:
    play(f"""
        {TWO_CALLS}
        < response.done r1 completed
        @ tool_finished call_1 reply=silent
        > conversation.item.create out_call_1
        @ tool_finished call_2 say="One moment."
        > conversation.item.create out_call_2
        > response.create tool.r1.1 instructions="Say exactly this, and nothing else: One moment."
        {ONE_REPLY}
    """)


def test_all_are_silent() -> None:
    play(f"""
        {TWO_CALLS}
        < response.done r1 completed
        @ tool_finished call_1 reply=silent
        > conversation.item.create out_call_1
        @ tool_finished call_2 reply=silent
        > conversation.item.create out_call_2
        = question heard
        = open
    """)


def test_the_response_is_cancelled_by_its_asker() -> None:
    play(f"""
        {TWO_CALLS}
        @ cancel question
        > response.cancel r1
        < response.done r1 cancelled
        ! abandon_tool call_1
        ! abandon_tool call_2
        @ tool_finished call_1
        = question cancelled
        = open
    """)
