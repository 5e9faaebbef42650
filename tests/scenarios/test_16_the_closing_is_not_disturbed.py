"""The interview closes: an acknowledgement, the assessment in the background, a spoken summary, the goodbye.

Between the parts nobody speaks for seconds, and the floor is open. A tool's result that comes now, a notice of the
application's, a question at the push of the button would be asked for in that gap, and the goodbye would come after a
new topic. A client that empties its queue first loses them; one that counts "parts still to come" counts wrong when one
of them is refused or asked again.

Here the application holds the floor: only what belongs to the hold is asked for. The others wait, and nobody is lost.
"""

from tests.transcripts.player import play

CLOSING = """
        settings: reporting=device
        @ hold closing
        = hold closing
        @ request thanks hold=closing
        > response.create thanks
        < response.created r1 thanks
        < response.output_audio.delta r1 item1 1s
        < response.done r1 completed
        ~ 1s
        @ played item1 1s
        = thanks heard
        = open                                       # the assessment is at work, and nobody speaks
"""

GOODBYE = """
        @ request goodbye hold=closing starts=after_heard
        > response.create goodbye
        < response.created r2 goodbye
        < response.output_audio.delta r2 item2 1s
        < response.done r2 completed
        ~ 1s
        @ played item2 1s
        = goodbye heard
"""


def test_in_the_pause_nobody_else_is_asked_for() -> None:
    play(f"""
        {CLOSING}
        @ request notice priority=script cuts_in=yes
        = waiting notice "the floor is held by closing"
        ~ 30s
        = waiting notice
        {GOODBYE}
        = open
        @ let_go closing
        > response.create notice
        = hold nobody
        < response.created r3 notice
        < response.done r3 completed
        = notice heard
    """)


def test_the_result_of_a_tool_waits_until_the_goodbye_was_said() -> None:
    play(f"""
        {CLOSING}
        < response.created r0 vad
        < response.function_call_arguments.done r0 call_1 get_weather
        ! run_tool call_1
        < response.done r0 completed
        @ tool_finished call_1
        > conversation.item.create out_call_1
        = waiting tool.r0.1 "the floor is held by closing"
        {GOODBYE}
        @ let_go closing
        > response.create tool.r0.1
        < response.created r3 tool.r0.1
        < response.done r3 completed
        = tool.r0.1 heard
    """)


def test_what_is_said_when_the_closing_begins_is_said_to_its_end() -> None:
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        @ request question
        @ hold closing
        @ request thanks hold=closing priority=idle
        = waiting thanks "another response is running"
        < response.done r1 completed
        = answer heard
        > response.create thanks
        < response.created r2 thanks
        < response.done r2 completed
        = thanks heard
        = waiting question
        @ let_go closing
        > response.create question
        < response.created r3 question
        < response.done r3 completed
        = question heard
    """)


def test_a_part_that_is_refused_keeps_its_place_before_everybody() -> None:
    play("""
        @ hold closing
        @ request question priority=script
        @ request thanks hold=closing
        > response.create thanks
        < response.created r0 vad
        < error conversation_already_has_active_response names=r0
        = waiting thanks "another response is running"
        < response.done r0 completed
        > response.create thanks
        < response.created r1 thanks
        < response.done r1 completed
        = thanks heard attempts=2
        = waiting question
        ...
    """)


def test_the_connection_is_cut_in_the_closing() -> None:
    play("""
        @ hold closing
        @ request thanks hold=closing
        > response.create thanks
        @ request question priority=script
        @ disconnect
        = hold closing
        @ connect
        > response.create thanks
        < response.created r1 thanks
        < response.done r1 completed
        = waiting question "the floor is held by closing"
        @ let_go closing
        > response.create question
        < response.created r2 question
        < response.done r2 completed
        = question heard
    """)


def test_at_the_end_of_the_session_who_still_waits_is_told() -> None:
    play(f"""
        {CLOSING}
        @ request notice
        {GOODBYE}
        @ close
        = hold nobody
        = notice disconnected reason=closed
    """)
