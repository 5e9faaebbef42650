"""When another connection can take over unheard, and what becomes of those who wait when it does."""

from collections.abc import Callable

import pytest

from charye.core.effects import Send, Tell
from charye.core.floor import State
from charye.core.playout import Reporting
from charye.core.settings import Settings
from charye.core.tools import Answer, Reply
from charye.protocol import (
    AudioConfig,
    AudioInputConfig,
    ConversationItemAdded,
    ConversationItemCreate,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionFailed,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    InputAudioBufferCommitted,
    MessageItem,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
    OutputText,
    ServerEvent,
    Session,
    SessionUpdated,
    Transcription,
    TurnDetection,
)
from tests.core.bench import IN_STATE, Bench, aside, creates, held, offline, sent, steps, want


def test_with_nothing_to_do_it_can() -> None:
    assert Bench().can_rotate()


def test_without_a_connection_there_is_none_to_change() -> None:
    assert not offline().can_rotate()


@pytest.mark.parametrize("state", State)
def test_only_while_the_floor_is_open(state: State) -> None:
    assert IN_STATE[state]().can_rotate() == (state is State.OPEN)


def test_not_while_the_user_has_the_floor_or_is_owed_a_reply() -> None:
    bench = Bench()
    for happens in (bench.speech_started, bench.speech_stopped, bench.committed):
        happens()
        assert not bench.can_rotate()
    bench.created("r0")
    assert not bench.can_rotate()
    bench.done("r0")
    assert bench.can_rotate()


def test_not_while_something_is_still_to_be_heard() -> None:
    bench = held()
    bench.audio("r1", 500.0)
    bench.done("r1")
    assert not bench.can_rotate()
    bench.tick(0.5)
    assert bench.can_rotate()


def test_not_while_the_server_plays() -> None:
    bench = Bench(Settings(reporting=Reporting.SERVER))
    bench.speaking(want())
    bench.hear(OutputAudioBufferStarted(response_id="r1"))
    bench.done("r1")
    assert not bench.can_rotate()
    bench.hear(OutputAudioBufferStopped(response_id="r1"))
    assert bench.can_rotate()


def test_not_while_a_response_beside_the_conversation_is_asked_for_or_runs() -> None:
    bench = Bench()
    bench.ask(aside())
    assert not bench.can_rotate()
    bench.created("o1", "c.1.1.1", out_of_band=True)
    assert not bench.can_rotate()
    bench.done("o1", "c.1.1.1", out_of_band=True)
    assert bench.can_rotate()


def test_not_while_one_beside_the_conversation_is_being_cancelled() -> None:
    bench = Bench()
    bench.ask(aside())
    bench.cancel()
    assert not bench.can_rotate()


def test_not_while_a_tool_is_at_work() -> None:
    bench = held()
    bench.call_done("r1", "call_1")
    bench.done("r1")
    assert not bench.can_rotate()
    bench.tool_finished("call_1", Answer("42", reply=Reply.SILENT))
    assert bench.can_rotate()


def by_hand() -> Bench:
    bench = Bench()
    bench.configured(None)
    return bench


def test_push_to_talk_from_the_press_to_the_servers_word() -> None:
    bench = by_hand()
    bench.press()
    assert not bench.can_rotate()
    bench.hold()  # else the reply would be asked for at once
    bench.release()
    assert not bench.can_rotate(), "our commit is unanswered"
    bench.committed()
    assert bench.can_rotate()


def test_a_press_that_was_too_short_leaves_nothing_behind() -> None:
    bench = by_hand()
    bench.press()
    bench.release(ms=10.0)
    assert bench.can_rotate()


def test_not_while_audio_is_uncommitted_where_the_hand_decides() -> None:
    bench = by_hand()
    bench.peer.microphone(20.0)
    assert not bench.can_rotate()
    bench.configured(TurnDetection())
    assert bench.can_rotate(), "the server listens, and has heard nobody"


def transcribing(transcription: Transcription | None = Transcription(model="m")) -> Bench:  # noqa: B008  frozen
    bench = Bench()
    detection = TurnDetection(create_response=False)
    audio = AudioConfig(input=AudioInputConfig(turn_detection=detection, transcription=transcription))
    bench.hear(SessionUpdated(session=Session(audio=audio)))
    return bench


WRITTEN_DOWN = ConversationItemInputAudioTranscriptionCompleted(item_id="u1", transcript="네.")
NOT_WRITTEN_DOWN = ConversationItemInputAudioTranscriptionFailed(item_id="u1")


@pytest.mark.parametrize("ends", [WRITTEN_DOWN, NOT_WRITTEN_DOWN])
def test_not_before_the_users_words_are_written_down(ends: ServerEvent) -> None:
    bench = transcribing()
    bench.hear(InputAudioBufferCommitted(item_id="u0"))
    bench.hear(InputAudioBufferCommitted(item_id="u1"))
    bench.hear(ConversationItemInputAudioTranscriptionCompleted(item_id="u0", transcript="Hm."))
    assert not bench.can_rotate()
    bench.configured(TurnDetection(create_response=False))  # says nothing of it
    assert not bench.can_rotate()
    bench.hear(ends)
    assert bench.can_rotate()


def test_where_nobody_writes_down_nothing_is_waited_for() -> None:
    bench = transcribing(None)
    bench.configured(TurnDetection(create_response=False))  # says nothing of it
    bench.hear(InputAudioBufferCommitted(item_id="u1"))
    assert bench.can_rotate()
    bench = transcribing()
    bench.hear(InputAudioBufferCommitted())
    assert bench.can_rotate(), "a turn without a name would be waited for for ever"


def test_what_was_not_written_down_is_not_waited_for_on_another_connection() -> None:
    bench = transcribing()
    bench.hear(InputAudioBufferCommitted(item_id="u1"))
    bench.drop()
    bench.connect()
    assert bench.can_rotate()


# the change itself


def rests(bench: Bench) -> None:
    bench.speaking(want("rests"))
    bench.done("r1", status="failed", error="server_error")


def waits_in_a_hold(bench: Bench) -> None:
    bench.hold()
    bench.ask(want("waits"))


@pytest.mark.parametrize("enter", [rests, waits_in_a_hold])
def test_who_waits_does_not_prevent_it_and_is_asked_for_on_the_new_line(
    enter: Callable[[Bench], None],
) -> None:
    bench = Bench()
    enter(bench)
    assert bench.can_rotate()
    told_before = [effect for effect in bench.log if isinstance(effect, Tell)]
    effects = bench.drop() + bench.connect()
    assert sent(effects) == []
    assert [effect for effect in bench.log if isinstance(effect, Tell)] == told_before
    if bench.held():
        assert creates(bench.let_go()) == ["c.2.1.1"]
    else:
        assert creates(bench.tick_at_deadline()) == ["c.2.1.2"]


def test_what_was_said_and_called_is_built_again_and_nothing_is_asked_again() -> None:
    bench = transcribing()
    bench.hear(InputAudioBufferCommitted(item_id="u1"))
    bench.hear(ConversationItemAdded(item=MessageItem(id="u1", role="user", content=(InputAudio(),))))
    bench.hear(WRITTEN_DOWN)
    bench.speaking(want())
    bench.hear(
        ConversationItemAdded(item=MessageItem(id="a1", role="assistant", content=(OutputText(text="Ja."),)))
    )
    bench.hear(
        ConversationItemAdded(item=FunctionCallItem(id="f1", call_id="call_1", name="look", arguments="{}"))
    )
    bench.call_done("r1", "call_1")
    bench.done("r1")
    bench.hold()
    bench.tool_finished("call_1", Answer("42"))
    assert bench.can_rotate()
    assert bench.drop() == []
    effects = bench.connect()
    again = [event.item for event in sent(effects) if isinstance(event, ConversationItemCreate)]
    assert [Send(ConversationItemCreate(item=item)) for item in again] == effects
    assert [type(item) for item in again] == [
        MessageItem,
        MessageItem,
        FunctionCallItem,
        FunctionCallOutputItem,
    ]
    assert creates(bench.let_go()) == ["c.2.2.1"]
    assert steps(bench.log, "tool.r1.1") == ["queued", "sent"]
    assert bench.ends() == {"a": ["heard"]}
