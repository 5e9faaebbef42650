"""One response says something aloud **and** calls a function; then the result comes.

In the field the result earns a reply as usual, so the agent answers the same turn twice; and a client that cancels
whatever speaks before it asks clips the first answer in the middle.

What is right depends on the application, so it says so: `speak` asks as usual, `shorten` asks for only what is new,
`skip` asks for nothing. Whichever it is, the first answer is heard to its end.
"""

import pytest

from tests.transcripts.player import play

SPOKE_AND_CALLED = """
        @ request question
        > response.create question
        < response.created r1 question
        < response.output_audio.delta r1 item1 2s
        < response.output_item.done r1 item1 message
        < response.output_item.done r1 fc_1 call call_1 get_weather
        ! run_tool call_1
        < response.done r1 completed
        = question generated
        ~ 500ms
        @ tool_finished call_1
        > conversation.item.create out_call_1
"""
SECOND_ANSWER = """
        ! no stop_playback
        < response.created r2 tool.r1.1
        < response.output_audio.delta r2 item2 1s
        ! play r2 item2
        < response.done r2 completed
        ~ 1500ms
        = question heard                             # not clipped
        = tool.r1.1 generated
        ~ 1s
        = tool.r1.1 heard
"""

ONLY_WHAT_IS_NEW = (
    "You have already begun to answer aloud. Add only what the tool results make new; repeat nothing."
)


def test_speak() -> None:
    play(f"""
        {SPOKE_AND_CALLED}
        > response.create tool.r1.1 instructions=absent
        {SECOND_ANSWER}
    """)


def test_shorten() -> None:
    play(f"""
        settings: tools.after_message=shorten
        {SPOKE_AND_CALLED}
        > response.create tool.r1.1 instructions="{ONLY_WHAT_IS_NEW}"
        {SECOND_ANSWER}
    """)


def test_skip() -> None:
    play(f"""
        settings: tools.after_message=skip
        {SPOKE_AND_CALLED}
        = open
        ! no stop_playback
        ~ 1500ms
        = question heard
    """)


@pytest.mark.parametrize("policy", ["speak", "shorten", "skip"])
def test_a_response_that_only_called_is_always_spoken_about(policy: str) -> None:
    play(f"""
        settings: tools.after_message={policy}
        @ request question
        > response.create question
        < response.created r1 question
        < response.output_item.done r1 fc_1 call call_1 get_weather
        < response.done r1 completed
        @ tool_finished call_1
        > conversation.item.create out_call_1
        > response.create tool.r1.1 instructions=absent
        < response.created r2 tool.r1.1
        < response.done r2 completed
        = question heard
        = tool.r1.1 heard
    """)


@pytest.mark.parametrize("policy", ["speak", "shorten", "skip"])
def test_words_of_the_tools_own_are_always_said(policy: str) -> None:
    play(f"""
        settings: tools.after_message={policy}
        @ request question
        > response.create question
        < response.created r1 question
        < response.output_item.done r1 item1 message
        < response.output_item.done r1 fc_1 call call_1 book
        < response.done r1 completed
        @ tool_finished call_1 say="It is booked."
        > conversation.item.create out_call_1
        > response.create tool.r1.1 instructions="Say exactly this, and nothing else: It is booked."
        < response.created r2 tool.r1.1
        < response.done r2 completed
        = question heard
        = tool.r1.1 heard
    """)


@pytest.mark.parametrize("policy", ["speak", "shorten", "skip"])
def test_the_message_is_interrupted_before_the_result_is_there(policy: str) -> None:
    """The user's turn is answered by the server; what follows about the result follows the policy."""
    follow_up = (
        ""
        if policy == "skip"
        else """
        > response.create tool.r1.1
        < response.created r3 tool.r1.1
        < response.done r3 completed
        = tool.r1.1 heard
    """
    )
    play(f"""
        settings: tools.after_message={policy}
        @ request question
        > response.create question
        < response.created r1 question
        < response.output_audio.delta r1 item1 2s
        < response.output_item.done r1 item1 message
        < response.output_item.done r1 fc_1 call call_1 get_weather
        < response.done r1 completed
        ~ 500ms
        < speech_started
        > conversation.item.truncate item1 500ms
        = question interrupted 500ms
        < speech_stopped
        < committed
        < response.created r2 vad
        < response.done r2 completed
        @ tool_finished call_1
        > conversation.item.create out_call_1
        {follow_up}
        = open
    """)


def test_the_message_comes_after_the_call() -> None:
    play("""
        settings: tools.after_message=skip
        @ request question
        > response.create question
        < response.created r1 question
        < response.output_item.done r1 fc_1 call call_1 get_weather
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < response.output_item.done r1 item1 message
        < response.done r1 completed
        = question heard
        = open
    """)


def test_the_message_was_told_only_in_the_done() -> None:
    message = '{"type":"message","id":"item1","role":"assistant","status":"completed","content":[]}'
    call = '{"type":"function_call","id":"fc_1","call_id":"call_1","name":"get_weather","arguments":"{}"}'
    play(f"""
        settings: tools.after_message=skip
        @ request question
        > response.create question
        < response.created r1 question
        < response.done r1 completed output=[{message},{call}]
        ! run_tool call_1
        @ tool_finished call_1
        > conversation.item.create out_call_1
        = question heard
        = open
    """)
