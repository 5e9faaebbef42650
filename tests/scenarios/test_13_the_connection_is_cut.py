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
