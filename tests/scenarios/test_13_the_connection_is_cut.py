"""The connection drops, or the server closes it after its sixty minutes, in the middle of something.

In the field what waited is lost in silence; or all is flushed into the new session, stale creates, cancels and tool
results with `call_id`s that mean nothing there.

Here the queue stays, and what was on its way follows its own policy: `replay` asks again (at least once), `fail` ends
as `disconnected` (at most once). The conversation is built again from what was told, under new ids, and nothing that
carries an id of the old connection is sent into the new one.
"""

import pytest

from tests.transcripts.player import play

POLICIES = pytest.mark.parametrize("policy", ["replay", "fail"])
SAID_AGAIN = """
        > response.create answer event_id=c.2.1.2
        < response.created r1 answer                 # ids may repeat: it is another connection
        < response.done r1 completed
        = answer heard attempts=2
"""
NOT_SAID_AGAIN = """
        = answer disconnected reason="connection lost" uncertain=yes attempts=1
        = open
"""


def after(policy: str) -> str:
    return SAID_AGAIN if policy == "replay" else NOT_SAID_AGAIN


@POLICIES
def test_while_it_waits(policy: str) -> None:
    """It was never sent, so there is nothing to decide."""
    play(f"""
        < response.created r9 vad
        @ request answer on_reconnect={policy}
        @ disconnect
        = offline
        = waiting answer "no connection"
        @ connect
        > response.create answer
        < response.created r1 answer
        < response.done r1 completed
        = answer heard attempts=1
    """)


@POLICIES
def test_while_its_create_is_unanswered(policy: str) -> None:
    play(f"""
        @ request answer on_reconnect={policy}
        > response.create answer event_id=c.1.1.1
        @ disconnect
        @ connect
        {after(policy)}
    """)


@POLICIES
def test_while_it_is_streaming(policy: str) -> None:
    play(f"""
        @ request answer on_reconnect={policy}
        > response.create answer
        < response.created r1 answer
        < response.output_audio.delta r1 item1 2s
        ~ 500ms
        @ disconnect
        ! {"stop_playback r1" if policy == "replay" else "no stop_playback"}
        @ connect
        {after(policy)}
    """)


@POLICIES
def test_while_it_is_being_cancelled(policy: str) -> None:
    """Its handle has ended; the cancel is not sent again."""
    play(f"""
        @ request answer on_reconnect={policy}
        > response.create answer
        < response.created r1 answer
        @ cancel answer
        > response.cancel r1
        @ disconnect
        @ connect
        = answer cancelled
        = open
    """)


@POLICIES
def test_while_the_user_had_just_interrupted_it(policy: str) -> None:
    """Interrupted it is, whatever the policy: the user did not want to hear it, and shall not twice."""
    play(f"""
        @ request answer on_reconnect={policy}
        > response.create answer
        < response.created r1 answer
        < response.output_audio.delta r1 item1 2s
        ~ 500ms
        < speech_started
        @ disconnect
        = answer interrupted 500ms
        @ connect                                    # no truncate: the item is not there
        = open
    """)


@POLICIES
def test_while_a_response_beside_runs(policy: str) -> None:
    play(f"""
        @ request answer conversation=none output_modalities=["text"] on_reconnect={policy}
        > response.create answer
        < response.created r1 answer
        @ disconnect
        @ connect
        {after(policy)}
    """)


@POLICIES
def test_while_a_tool_runs(policy: str) -> None:
    """The work goes on; call and result are told to the new conversation under ids of its own."""
    play(f"""
        @ request question on_reconnect={policy}
        > response.create question
        < response.created r1 question
        < response.output_item.done r1 fc_1 call call_1 get_weather
        ! run_tool call_1
        < response.done r1 completed
        = question heard
        @ disconnect
        ! no abandon_tool
        @ connect
        @ tool_finished call_1 {{"temperature":12}}
        > conversation.item.create fc_call_1_t1 call_id=call_1_t1 name=get_weather arguments="{{}}"
        > conversation.item.create out_call_1_t1 call_id=call_1_t1 output="{{\\"temperature\\":12}}"
        > response.create tool.r1.1
        < response.created r1 tool.r1.1
        < response.done r1 completed
        = tool.r1.1 heard
    """)


@POLICIES
def test_while_a_response_speaks_whose_tool_is_at_work(policy: str) -> None:
    """Asked again it would call again, and the tool would run twice. The call goes on, its follow-up is the answer."""
    play(f"""
        @ request question on_reconnect={policy}
        > response.create question
        < response.created r1 question
        < response.output_item.done r1 fc_1 call call_1 get_weather
        ! run_tool call_1
        @ disconnect
        ! no abandon_tool
        = question heard uncertain=yes attempts=1
        @ connect
        @ tool_finished call_1 {{"temperature":12}}
        > conversation.item.create fc_call_1_t1 call_id=call_1_t1 name=get_weather arguments="{{}}"
        > conversation.item.create out_call_1_t1 call_id=call_1_t1 output="{{\\"temperature\\":12}}"
        > response.create tool.r1.1
        < response.created r1 tool.r1.1
        < response.done r1 completed
        = tool.r1.1 heard
        = open
    """)


@POLICIES
def test_while_a_response_is_still_heard_whose_tool_is_at_work(policy: str) -> None:
    play(f"""
        @ request question on_reconnect={policy}
        > response.create question
        < response.created r1 question
        < response.output_audio.delta r1 item1 1s
        < response.output_item.done r1 fc_1 call call_1 get_weather
        ~ 400ms
        @ disconnect
        ! no stop_playback
        = question generated
        @ tool_finished call_1
        = waiting tool.r1.1 "no connection"
        ~ 600ms
        = question heard uncertain=yes
        @ connect
        > conversation.item.create r2_0 name=get_weather
        > conversation.item.create r2_1
        > response.create tool.r1.1
        < response.created r1 tool.r1.1
        < response.done r1 completed
        = tool.r1.1 heard
    """)


def test_a_tool_ends_while_there_is_no_connection() -> None:
    play("""
        @ request question
        > response.create question
        < response.created r1 question
        < response.output_item.done r1 fc_1 call call_1 get_weather
        < response.done r1 completed
        @ disconnect
        @ tool_finished call_1 {"temperature":12}
        @ connect
        > conversation.item.create name=get_weather
        > conversation.item.create output="{\\"temperature\\":12}"
        > response.create tool.r1.1
        < response.created r1 tool.r1.1
        < response.done r1 completed
        = question heard
        = tool.r1.1 heard
    """)


def test_a_tools_result_was_sent_but_not_spoken_about() -> None:
    play("""
        @ request question
        > response.create question
        < response.created r1 question
        < conversation.item.added fc_1 assistant
        < response.output_item.done r1 fc_1 call call_1 get_weather
        < conversation.item.done fc_1
        < response.done r1 completed
        @ tool_finished call_1 {"temperature":12}
        > conversation.item.create out_call_1 call_id=call_1
        > response.create tool.r1.1
        @ disconnect
        @ connect
        > conversation.item.create r2_0 name=get_weather call_id=call_2_0
        > conversation.item.create r2_1 call_id=call_2_0 output="{\\"temperature\\":12}"
        > response.create tool.r1.1
        < response.created r1 tool.r1.1
        < response.done r1 completed
        = question heard
        = tool.r1.1 heard attempts=2
    """)


def test_while_the_user_speaks() -> None:
    """The server's ears are gone, and so is half a sentence; the floor is not closed by it."""
    play("""
        < speech_started item_u
        @ request remark
        = waiting remark "the user is speaking"
        @ disconnect
        @ connect
        = turn quiet
        > response.create remark
        < response.created r1 remark
        < response.done r1 completed
        = remark heard
    """)


def test_while_the_button_is_held() -> None:
    """The hand decides, over the drop too; what was said before it is lost, what comes after is not."""
    play("""
        @ press
        > input_audio_buffer.clear
        @ microphone 500ms
        @ disconnect
        @ connect
        = turn pressed
        @ microphone 500ms
        @ release
        > input_audio_buffer.commit
        > response.create charye.user.1
        < response.created r1 charye.user.1
        < response.done r1 completed
        = charye.user.1 heard
    """)


def test_the_session_has_expired() -> None:
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        < error session_expired
        ! reconnect "the session has expired"
        = offline
        < response.done r1 completed                 # of a connection that is given up
        ! note "an event of a connection that is given up"
        @ disconnect                                 # told again by the socket
        @ connect
        > response.create answer
        < response.created r2 answer
        < response.done r2 completed
        = answer heard attempts=2
    """)


def test_the_conversation_is_built_again() -> None:
    play("""
        @ add_item rules "Speak Korean." role=system
        > conversation.item.create rules
        < conversation.item.added rules
        < conversation.item.added item_u
        < conversation.item.input_audio_transcription.completed item_u "안녕하세요"
        < conversation.item.added item_noise
        = items rules item_u item_noise
        @ disconnect
        @ connect
        > conversation.item.create r2_0 item.role=system
        > conversation.item.create r2_1 item.role=user content=[{"type":"input_text","text":"안녕하세요"}]
        = items r2_0 r2_1
    """)


def test_what_has_waited_too_long_meanwhile_is_not_said() -> None:
    play("""
        start: offline
        @ request news expires_after_s=30s
        ~ 30s
        = news expired attempts=0
        @ connect
        = open
    """)


def test_dropped_again_and_again() -> None:
    play("""
        @ request answer
        > response.create answer
        @ disconnect
        @ connect
        > response.create answer
        < response.created r1 answer
        @ disconnect
        @ disconnect
        @ connect
        > response.create answer
        < response.created r1 answer
        < response.done r1 completed
        = answer heard attempts=3
    """)


def test_what_was_said_to_nobody_is_not_answered() -> None:
    play("""
        start: offline
        @ press
        @ microphone 2s
        @ release
        ! note "nothing was listening: there is no connection"
        @ connect
        = open
    """)


def test_what_was_said_to_nobody_is_not_answered_by_a_reply_of_ones_own() -> None:
    play("""
        start: offline
        @ press
        @ microphone 2s
        @ release answer
        ! note "nothing was listening: there is no connection"
        = answer denied reason="nothing was listening: there is no connection" attempts=0
        @ connect
        = open
    """)


def test_what_was_said_before_the_drop_is_no_part_of_the_press() -> None:
    play("""
        @ press
        > input_audio_buffer.clear
        @ microphone 5s
        @ disconnect
        @ connect
        @ microphone 60ms
        @ release
        ! note "pressed for too short a time"
        > input_audio_buffer.clear
        = open
    """)


def test_an_item_that_was_cut_is_not_said_again() -> None:
    """The server could not be told of the cut any more, but the mirror knows."""
    play("""
        @ add_item hello "Hello."
        > conversation.item.create hello
        @ request answer on_reconnect=fail
        > response.create answer
        < response.created r1 answer
        < conversation.item.added item1 assistant
        < response.output_audio.delta r1 item1 2s
        ~ 500ms
        < speech_started item_u
        @ disconnect
        = answer interrupted 500ms
        @ connect
        > conversation.item.create r2_0 item.role=user
        ! note "an item cannot be said again" item1
        = items r2_0
    """)


def test_it_is_closed_for_good() -> None:
    play("""
        @ request answer
        > response.create answer
        < response.created r1 answer
        < response.output_audio.delta r1 item1 2s
        < response.output_item.done r1 fc_1 call call_1 get_weather
        @ request waits
        ~ 500ms
        @ close
        ! stop_playback r1
        ! abandon_tool call_1 closed
        = answer disconnected reason=closed
        = waits disconnected reason=closed attempts=0
        = offline
        @ close                                      # twice does no harm
        ~ 60min
        @ tool_finished call_1
        ! note "a tool's answer that nobody waits for"
    """)


@pytest.mark.parametrize("act", ["disconnect", "close"])
def test_it_is_closed_without_a_connection(act: str) -> None:
    play(f"""
        @ request waits
        > response.create waits
        @ {act}
        @ close
        = waits disconnected reason=closed attempts=1
        @ close
        ~ 60min
    """)


def test_while_a_voice_beside_speaks() -> None:
    play("""
        @ request aside conversation=none on_reconnect=fail
        > response.create aside
        < response.created r1 aside
        < response.output_audio.delta r1 item1 1s
        @ request next
        @ disconnect
        = aside disconnected uncertain=yes
        @ connect
        > response.create next
        < response.created r1 next
        < response.done r1 completed
        ~ 1s
        = next heard
    """)
