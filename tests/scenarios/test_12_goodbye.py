"""The goodbye is generated (`response.done`), and the application hangs up.

Three seconds of it were still in the loudspeaker. Clients that wait for "audio done" have the other fault: a last
turn that only calls a tool has no audio, so the call never ends; or its zero frames make the client forget the goodbye
before it.

Here a request ends as `heard` when the last of it was played, and only then; one without audio ends with its response.
"Hang up after goodbye" is: wait for that outcome.
"""

from tests.transcripts.player import play

GOODBYE = """
        @ request goodbye priority=script starts=after_heard
        > response.create goodbye
        < response.created r1 goodbye
        < response.output_audio.delta r1 item1 3s
        < response.done r1 completed
"""


def test_it_is_over_when_it_has_been_heard() -> None:
    play(f"""
        {GOODBYE}
        = goodbye generated
        = open
        = speaker ours
        ~ 2900ms
        = goodbye generated
        ~ 100ms
        = goodbye heard
        = speaker nobody
    """)


def test_the_loudspeaker_says_when() -> None:
    play(f"""
        settings: reporting=device
        {GOODBYE}
        ~ 5s
        = goodbye generated                          # a slow device
        @ played item1 3s
        = goodbye heard
    """)


def test_the_loudspeaker_says_nothing() -> None:
    play(f"""
        settings: reporting=device
        {GOODBYE}
        ~ 7900ms
        = goodbye generated
        ~ 100ms
        ! note "no playout report in time" device
        = goodbye heard uncertain=yes
    """)


def test_the_summary_is_heard_before_the_goodbye_starts() -> None:
    play("""
        @ request summary priority=script
        > response.create summary
        @ request goodbye priority=script starts=after_heard
        < response.created r1 summary
        < response.output_audio.delta r1 item1 2s
        < response.done r1 completed
        = waiting goodbye "has been heard"
        ~ 1900ms
        = waiting goodbye
        ~ 100ms
        = summary heard
        > response.create goodbye
        < response.created r2 goodbye
        < response.output_audio.delta r2 item2 1s
        < response.done r2 completed
        ~ 1s
        = goodbye heard
    """)


def test_the_last_turn_only_calls_a_tool() -> None:
    play("""
        @ request last priority=script
        > response.create last
        < response.created r1 last
        < response.function_call_arguments.done r1 call_1 end_call
        ! run_tool call_1 end_call
        < response.done r1 completed
        = last heard                                 # there is nothing to hear
        @ tool_finished call_1 reply=silent
        > conversation.item.create out_call_1
        = open
    """)


def test_a_turn_without_a_sound_does_not_end_the_goodbye_before_it() -> None:
    play(f"""
        {GOODBYE}
        ~ 1s
        @ request last
        > response.create last
        < response.created r2 last
        < response.function_call_arguments.done r2 call_1 end_call
        ! run_tool call_1
        < response.done r2 completed
        = last heard
        = goodbye generated
        @ tool_finished call_1 reply=silent
        > conversation.item.create out_call_1
        ~ 1900ms
        = goodbye generated
        ~ 100ms
        = goodbye heard
    """)


def test_a_result_from_the_background_does_not_cut_it() -> None:
    """The goodbye is out; the report that comes now is spoken behind it, not into it."""
    play("""
        < response.created r0 vad
        < response.function_call_arguments.done r0 call_1 assess
        < response.done r0 completed
        @ request goodbye priority=script starts=after_heard
        > response.create goodbye
        < response.created r1 goodbye
        < response.output_audio.delta r1 item1 3s
        @ tool_finished call_1
        > conversation.item.create out_call_1
        < response.done r1 completed
        > response.create tool.r0.1
        ! no stop_playback
        < response.created r2 tool.r0.1
        < response.output_audio.delta r2 item2 1s
        < response.done r2 completed
        ~ 3s
        = goodbye heard
        = tool.r0.1 generated
        ~ 1s
        = tool.r0.1 heard
    """)


def test_the_user_interrupts_it() -> None:
    play(f"""
        {GOODBYE}
        ~ 1s
        < speech_started
        > conversation.item.truncate item1 1000ms
        = goodbye interrupted 1s                     # whoever waits for `heard` knows that it was not
        < speech_stopped
        < committed
        < response.created r2 vad
        < response.done r2 completed
    """)


def test_the_user_interrupts_it_and_it_is_said_again() -> None:
    play("""
        @ request goodbye priority=script starts=after_heard on_interruption=resume
        > response.create goodbye
        < response.created r1 goodbye
        < response.output_audio.delta r1 item1 3s
        < response.done r1 completed
        ~ 1s
        < speech_started
        > conversation.item.truncate item1 1000ms
        < speech_stopped
        < committed
        < response.created r2 vad
        < response.output_audio.delta r2 item2 1s
        < response.done r2 completed
        = waiting goodbye "has been heard"
        ~ 1s
        > response.create goodbye
        < response.created r3 goodbye
        < response.output_audio.delta r3 item3 3s
        < response.done r3 completed
        ~ 3s
        = goodbye heard attempts=2
    """)


def test_the_user_interrupts_it_before_a_sound_was_made() -> None:
    play("""
        @ request goodbye priority=script
        > response.create goodbye
        < response.created r1 goodbye
        < speech_started
        < response.done r1 cancelled turn_detected
        = goodbye interrupted 0ms
    """)


def test_the_connection_ends_while_it_is_still_being_heard() -> None:
    """What the loudspeaker has, it has."""
    play(f"""
        {GOODBYE}
        ~ 1s
        @ disconnect
        = goodbye generated
        ! no stop_playback
        ~ 2s
        = goodbye heard
    """)


def test_it_ends_early_and_says_so() -> None:
    play("""
        @ request goodbye priority=script
        > response.create goodbye
        < response.created r1 goodbye
        < response.output_audio.delta r1 item1 1s
        < response.done r1 incomplete max_output_tokens
        ~ 1s
        = goodbye heard reason=max_output_tokens
    """)
