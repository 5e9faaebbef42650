"""The door: every event in every state, the user's hand, tools, speakers, the mirror, and time that never sticks."""

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import cast, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.core.effects import AbandonTool, Note, Play, Reconnect, RunTool, Send, StopPlayback
from charye.core.floor import State
from charye.core.peer import Peer, Speaker
from charye.core.playout import Reporting
from charye.core.requests import (
    OnInterruption,
    OnReconnect,
    OnUserSpeech,
    Outcome,
    OutcomeKind,
    Priority,
    Progress,
    RequestId,
    Step,
)
from charye.core.settings import Patience, Settings, ToolPolicy
from charye.core.tools import Answer, Reply
from charye.core.turns import Turn
from charye.errors import LocalProtocolError
from charye.protocol import (
    NO_METADATA,
    OPENAI,
    AudioConfig,
    AudioPart,
    ConversationItemAdded,
    ConversationItemCreate,
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemTruncated,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    InputImage,
    InputText,
    MessageItem,
    OutputAudio,
    OutputAudioBufferClear,
    OutputAudioBufferCleared,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
    ResponseContentPartAdded,
    ResponseCreate,
    ResponseFunctionCallArgumentsDone,
    ServerEvent,
    Session,
    SessionCreated,
    SessionUpdated,
    TextPart,
    TurnDetection,
    decode_server_event,
)
from charye.protocol.server_events import KnownServerEvent
from charye.protocol.session import AudioFormat, AudioOutputConfig
from tests.core.bench import (
    IN_STATE,
    START,
    Bench,
    aside,
    cancels,
    claimed,
    creates,
    held,
    notes,
    outcome,
    sent,
    steps,
    told,
    want,
)
from tests.protocol.samples import SERVER_EVENTS, fixture_lines, server_lines

EVERY_EVENT: list[ServerEvent] = [
    decode_server_event(msgspec.json.encode({"type": name, "event_id": "e1", **fields}))
    for name, shapes in SERVER_EVENTS.items()
    for fields in shapes
]


def test_the_samples_are_all_there_is() -> None:
    assert {type(event) for event in EVERY_EVENT} == set(get_args(KnownServerEvent))


# what the server sends never raises


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("dialect", [OPENAI, NO_METADATA])
@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: str(event.type))
def test_no_event_raises_in_any_state(event: ServerEvent, state: State, dialect: object) -> None:
    bench = IN_STATE[state]()
    bench.hear(event)
    bench.hear(event)
    bench.tick(100.0)
    if state is State.OFFLINE:
        assert notes(bench.log)[:2] == ["an event of a connection that is given up"] * 2


@pytest.mark.parametrize("state", State)
def test_a_recorded_session_raises_in_no_state(state: State) -> None:
    bench = IN_STATE[state]()
    for line in server_lines():
        bench.hear(decode_server_event(line))
    assert fixture_lines()


def test_an_event_of_tomorrow_passes() -> None:
    bench = held()
    assert bench.hear(decode_server_event(b'{"type": "tomorrow", "response_id": "r1"}')) == []


RESPONSES = st.sampled_from([None, "r1", "r2", "r3"])
TOKENS = st.sampled_from([None, "c.1.1.1", "c.1.1.2", "c.1.2.1", "c.2.1.2", "c.1.3.1"])
MOVES: st.SearchStrategy[Callable[[Bench], object]] = st.one_of(
    st.builds(lambda r, t, o: lambda b: b.created(r, t, out_of_band=o), RESPONSES, TOKENS, st.booleans()),
    st.builds(
        lambda r, t, s, o: lambda b: b.done(r, t, status=s, error="server_error", out_of_band=o),
        RESPONSES,
        TOKENS,
        st.sampled_from(["completed", "cancelled", "failed"]),
        st.booleans(),
    ),
    st.builds(lambda r, t: lambda b: b.refused(r, t), RESPONSES, TOKENS),
    st.builds(lambda r: lambda b: b.not_active(r), RESPONSES),
    st.builds(lambda t: lambda b: b.error("invalid_value", t), TOKENS),
    st.builds(lambda r: lambda b: b.audio(r or "", 100.0), RESPONSES),
    st.builds(lambda r, c: lambda b: b.call_done(r or "", c), RESPONSES, st.sampled_from(["k1", "k2"])),
    st.builds(lambda r: lambda b: b.message_done(r or ""), RESPONSES),
    st.builds(
        lambda c, r: lambda b: b.tool_finished(c, Answer("1", reply=r, words="w")),
        st.sampled_from(["k1", "k2"]),
        st.sampled_from(list(Reply)),
    ),
    st.sampled_from(
        [
            Bench.speech_started,
            Bench.speech_stopped,
            Bench.committed,
            Bench.interrupt,
            Bench.drop,
            Bench.cancel,
            Bench.tick,
            lambda b: b.connect() if b.state() is State.OFFLINE else None,
            lambda b: b.press() if b.turn() is not Turn.PRESSED else b.release(),
            lambda b: b.tick_at_deadline() if b.peer.next_deadline(b.now) is not None else None,
            lambda b: b.ask(want(f"n{len(b.log)}.{b.turn()}", coalesce_key="k")),
            lambda b: b.ask(want(f"s{len(b.log)}", priority=Priority.SCRIPT, cuts_in=True)),
            lambda b: b.ask(want(f"o{len(b.log)}", conversation="none", expires_after_s=3.0)),
            lambda b: b.hold() if b.held() is None else b.let_go(),
            lambda b: b.ask(want(f"h{len(b.log)}", coalesce_key="k", hold=b.held())),
        ]
    ),
)


@given(
    moves=st.lists(MOVES, max_size=40),
    dialect=st.sampled_from([OPENAI, NO_METADATA]),
    reporting=st.sampled_from(list(Reporting)),
)
def test_whatever_happens_nothing_raises_each_ends_once_and_time_never_sticks(
    moves: list[Callable[[Bench], object]], dialect: object, reporting: Reporting
) -> None:
    bench = Bench(Settings(dialect=cast("type(OPENAI)", dialect), reporting=reporting))  # type: ignore[valid-type]
    for move in moves:
        move(bench)
        deadline = bench.peer.next_deadline(bench.now)
        assert deadline is None or deadline >= bench.now
    assert all(len(ends) == 1 for ends in bench.ends().values())
    # From here on only time passes: each tick at the deadline leads to a later one, until there is none.
    for _ in range(300):
        deadline = bench.peer.next_deadline(bench.now)
        if deadline is None:
            break
        bench.now = deadline
        bench.tick()
        after = bench.peer.next_deadline(bench.now)
        assert after is None or after > deadline
        if bench.state() is State.OFFLINE and after is None:
            break
    else:
        pytest.fail("time never comes to rest")
    assert all(len(ends) == 1 for ends in bench.ends().values())


# the line


def test_connecting_twice_is_illegal_and_changes_nothing() -> None:
    bench = Bench()
    with pytest.raises(LocalProtocolError):
        bench.connect()
    assert creates(bench.ask(want())) == ["c.1.1.1"]


def test_a_peer_needs_no_settings() -> None:
    peer = Peer()
    assert peer.connected(0.0) == []
    assert peer.floor.state is State.OPEN
    assert peer.turn is Turn.QUIET
    assert peer.items == []
    assert peer.next_deadline(0.0) is None


def test_a_duplicate_id_is_illegal_and_changes_nothing() -> None:
    bench = claimed()
    with pytest.raises(LocalProtocolError):
        bench.ask(want())
    assert bench.tick() == []


# push-to-talk


def test_a_press_silences_the_room_and_a_release_asks_for_the_reply() -> None:
    bench = Bench()
    bench.configured(None)
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    effects = bench.press()
    assert effects[0] == StopPlayback(("r1",))
    assert cancels(effects) == ["r1"]
    assert sent(effects)[-1] == InputAudioBufferClear()
    assert bench.turn() is Turn.PRESSED
    bench.done("r1", status="cancelled")
    effects = bench.release()
    commit, create = sent(effects)
    assert commit == InputAudioBufferCommit(event_id="commit")
    assert isinstance(create, ResponseCreate)
    assert steps(effects, "charye.user.2") == ["queued", "sent"]
    assert bench.committed() == []
    assert bench.turn() is Turn.QUIET


def test_a_press_drops_what_is_then_worth_nothing() -> None:
    bench = held()
    bench.ask(want("b", on_user_speech=OnUserSpeech.DROP))
    assert outcome(bench.press(), "b").reason == "user spoke"


def test_nothing_is_asked_while_the_button_is_held() -> None:
    bench = Bench()
    bench.press()
    assert creates(bench.ask(want())) == []
    bench.speech_started()
    bench.committed()
    assert creates(bench.tick(1000.0)) == []


def test_a_response_that_begins_under_the_button_is_silenced() -> None:
    bench = Bench()
    bench.press()
    assert cancels(bench.created("r1")) == ["r1"]
    assert bench.audio("r1", 100.0) == []
    assert bench.turn() is Turn.PRESSED


@pytest.mark.parametrize("begins", [Bench.press, Bench.speech_started])
def test_what_was_just_asked_for_waits_for_the_user_and_its_response_is_silenced(
    begins: Callable[[Bench], object],
) -> None:
    bench = claimed()
    begins(bench)
    assert bench.state() is State.WITHDRAWN
    assert steps(bench.log, "a") == ["queued", "sent", "queued"]
    assert "because the user" in bench.why()
    assert cancels(bench.created("r1", "c.1.1.1")) == ["r1"]
    assert bench.audio("r1", 100.0) == []
    bench.done("r1", status="cancelled")
    assert bench.ends() == {}
    if bench.turn() is Turn.PRESSED:
        bench.release(ms=0.0)
    else:
        bench.committed()
        bench.tick(2.0)
    assert creates(bench.log) == ["c.1.1.1", "c.1.1.2"]
    bench.created("r2", "c.1.1.2")
    bench.done("r2")
    assert bench.ends() == {"a": ["heard"]}


def test_where_speech_does_not_interrupt_what_was_just_asked_for_is_not_taken_back() -> None:
    bench = claimed()
    bench.configured(TurnDetection(interrupt_response=False))
    bench.speech_started()
    assert bench.state() is State.CLAIMED


@pytest.mark.parametrize("told_by", ["created", "audio"])
def test_without_metadata_a_late_response_is_cancelled_and_its_request_still_waits(told_by: str) -> None:
    bench = Bench(Settings(dialect=NO_METADATA))
    bench.configured(TurnDetection(create_response=False))
    bench.ask(want())
    bench.speech_started()
    effects = bench.created("r1") if told_by == "created" else bench.audio("r1", 100.0)
    assert not [effect for effect in effects if isinstance(effect, Play)]
    if told_by == "created":
        assert cancels(effects) == ["r1"]
    bench.done("r1", status="cancelled")
    assert bench.ends() == {}
    bench.committed()
    assert creates(bench.log) == ["c.1.1.1", "c.1.1.2"]


def test_an_interrupt_ends_what_was_just_asked_for() -> None:
    bench = claimed()
    end = outcome(bench.interrupt(), "a")
    assert (end.kind, end.heard_ms, end.attempts) == (OutcomeKind.INTERRUPTED, 0.0, 1)
    assert cancels(bench.created("r1", "c.1.1.1")) == ["r1"]
    assert bench.audio("r1", 100.0) == []
    bench.done("r1", status="cancelled")
    assert bench.state() is State.OPEN


def test_an_interrupt_with_resume_lets_it_wait_again() -> None:
    bench = Bench()
    bench.ask(want(on_interruption=OnInterruption.RESUME))
    assert steps(bench.interrupt(), "a") == ["queued"]
    bench.created("r1", "c.1.1.1")
    assert creates(bench.done("r1", status="cancelled")) == ["c.1.1.2"]


@pytest.mark.parametrize("interrupt", [True, False])
def test_a_contested_create_is_taken_back_and_the_other_speaker_is_silenced(*, interrupt: bool) -> None:
    bench = claimed()
    bench.created("r0")
    assert cancels(bench.interrupt() if interrupt else bench.press()) == ["r0"]
    assert bench.state() is State.WITHDRAWN_CONTESTED
    bench.done("r0", status="cancelled")
    assert bench.state() is State.WITHDRAWN
    assert cancels(bench.created("r1", "c.1.1.1")) == ["r1"]


@pytest.mark.parametrize(("ms", "enough"), [(0.0, False), (99.9, False), (100.0, True), (5000.0, True)])
def test_a_press_that_was_too_short_asks_for_nothing(ms: float, enough: bool) -> None:
    bench = Bench()
    bench.press()
    effects = bench.release(ms=ms)
    if enough:
        assert sent(effects)[0] == InputAudioBufferCommit(event_id="commit")
    else:
        assert effects == [
            Note("pressed for too short a time", about=f"{ms:.0f} ms"),
            Send(InputAudioBufferClear()),
        ]
    assert bench.turn() is Turn.QUIET


def test_the_microphone_adds_up_and_each_press_counts_anew() -> None:
    bench = Bench()
    bench.press()
    bench.peer.microphone(60.0)
    assert creates(bench.release(ms=60.0)) == ["c.1.1.1"]
    bench.press()
    assert notes(bench.release(ms=60.0)) == ["pressed for too short a time"]


@pytest.mark.parametrize("online", [True, False])
def test_a_press_that_is_taken_back_has_not_taken_place(*, online: bool) -> None:
    bench = Bench(online=online)
    bench.press()
    bench.peer.microphone(500.0)
    effects = bench.did(bench.peer.take_back(bench.now))
    assert effects == ([Send(InputAudioBufferClear())] if online else [])
    assert bench.turn() is Turn.QUIET
    with pytest.raises(LocalProtocolError):
        bench.peer.take_back(bench.now)
    if online:
        bench.press()
        assert notes(bench.release(ms=60.0)) == ["pressed for too short a time"], "nothing of it is left"


def test_without_a_connection_nobody_listens() -> None:
    bench = Bench(online=False)
    assert bench.press() == []
    offline = "nothing was listening: there is no connection"
    assert bench.release() == [Note(offline, about="500 ms")]
    bench.press()
    assert bench.release(ms=0.0) == [Note(offline, about="0 ms")]
    assert bench.connect() == []


@pytest.mark.parametrize("online", [True, False])
def test_a_reply_of_ones_own_to_nothing_is_denied_with_the_reason(*, online: bool) -> None:
    bench = Bench(online=online)
    bench.press()
    effects = bench.release(want("mine"), ms=99.0)
    reason = "pressed for too short a time" if online else "nothing was listening: there is no connection"
    assert notes(effects) == [reason]
    assert outcome(effects, "mine") == Outcome(OutcomeKind.DENIED, reason)
    assert creates(bench.log) == []
    assert bench.turn() is Turn.QUIET
    assert bench.is_idle()


def test_what_the_microphone_gave_is_gone_with_the_connection() -> None:
    bench = Bench()
    bench.press()
    bench.peer.microphone(5000.0)
    bench.drop()
    bench.connect()
    assert notes(bench.release(ms=99.0)) == ["pressed for too short a time"]


@pytest.mark.parametrize("request_id", ["charye.user.1", "charye.", "tool.r1.1", "tool."])
def test_an_id_like_the_cores_own_is_illegal_and_changes_nothing(request_id: str) -> None:
    bench = Bench()
    with pytest.raises(LocalProtocolError, match=r"^ids of this form are the core's own"):
        bench.ask(want(request_id))
    bench.press()
    with pytest.raises(LocalProtocolError, match=r"^ids of this form are the core's own"):
        bench.release(want(request_id))
    assert bench.turn() is Turn.PRESSED
    assert bench.tick() == []
    assert steps(bench.log, request_id) == []


@pytest.mark.parametrize("request_id", ["charye", "tool", "my.tool.1", "tools.1"])
def test_an_id_that_only_looks_like_one_is_the_apps(request_id: str) -> None:
    assert creates(Bench().ask(want(request_id))) == ["c.1.1.1"]


def test_rapid_presses_are_answered_by_one_reply() -> None:
    bench = Bench()
    bench.configured(None)
    bench.created("r0")
    for _ in range(3):
        bench.press()
        bench.release()
    assert creates(bench.log) == []
    assert creates(bench.done("r0", status="cancelled")) == ["c.1.1.1"]
    bench.created("r1", "c.1.1.1")
    bench.done("r1")
    assert bench.ends() == {f"charye.user.{number}": ["heard"] for number in (1, 2, 3)}


def test_a_request_that_the_core_makes_says_at_its_first_step_what_it_is_for() -> None:
    bench = Bench()
    bench.configured(None)
    bench.press()
    bench.release()
    bench.created("r1", "c.1.1.1")
    bench.call_done("r1", "call_1")
    bench.done("r1")
    bench.tool_finished("call_1", Answer("42"))
    for name, trigger in (("charye.user.1", "user:ptt"), ("tool.r1.1", "tool:look")):
        first, *later = [change for change in told(bench.log, name) if isinstance(change, Progress)]
        assert first == Progress(Step.QUEUED, trigger=trigger)
        assert {change.trigger for change in later} == {""}


def test_a_reply_of_ones_own() -> None:
    bench = Bench()
    bench.press()
    assert steps(bench.release(want("mine")), "mine") == ["queued", "sent"]


@pytest.mark.parametrize("pressed", [True, False])
def test_a_hand_that_does_what_it_cannot_changes_nothing(pressed: bool) -> None:
    bench = Bench()
    if pressed:
        bench.press()
    with pytest.raises(LocalProtocolError):
        bench.press() if pressed else bench.release()
    assert bench.tick() == []
    assert bench.turn() is (Turn.PRESSED if pressed else Turn.QUIET)


def test_a_reply_whose_id_lives_changes_nothing() -> None:
    bench = held()
    bench.press()
    with pytest.raises(LocalProtocolError):
        bench.release(want("a"))
    assert bench.turn() is Turn.PRESSED
    assert sent(bench.tick()) == []


def test_a_commit_of_ours_never_starts_a_reply_of_the_servers() -> None:
    bench = Bench()
    bench.press()
    bench.release()
    bench.created("r1", "c.1.1.1")
    bench.done("r1")
    bench.committed()
    assert bench.turn() is Turn.QUIET
    bench.committed()
    assert bench.turn() is Turn.AWAITED


@pytest.mark.parametrize("code", ["input_audio_buffer_commit_empty", "something else"])
def test_a_commit_that_was_refused_is_not_waited_for(code: str) -> None:
    bench = Bench()
    bench.press()
    bench.release()
    bench.error(code, "commit")
    bench.committed()
    refused = code == "input_audio_buffer_commit_empty"
    assert bench.state() is State.CLAIMED
    assert bench.turn() is (Turn.DOUBTED if refused else Turn.QUIET)


def test_an_empty_commit_that_is_none_of_ours_takes_nothing_away() -> None:
    bench = Bench()
    assert notes(bench.error("input_audio_buffer_commit_empty", "of the app")) == ["error"]
    bench.press()
    bench.release()
    bench.committed()
    assert bench.turn() is Turn.QUIET


def test_commits_of_the_old_connection_are_not_waited_for() -> None:
    bench = Bench()
    bench.press()
    bench.release()
    bench.drop()
    bench.connect()
    assert bench.state() is State.CLAIMED
    bench.committed()
    assert bench.turn() is Turn.DOUBTED


# replies that we ask for ourselves


def asking() -> Bench:
    bench = Bench(Settings(asks_for_replies=True))
    bench.configured(TurnDetection(create_response=False))
    return bench


def test_where_we_ask_for_the_replies_each_commit_asks_for_one() -> None:
    bench = asking()
    bench.speech_started()
    bench.speech_stopped()
    effects = bench.committed()
    assert steps(effects, "charye.user.1") == ["queued", "sent"]


def test_two_turns_in_a_row_are_answered_by_one_reply() -> None:
    bench = asking()
    bench.created("r0")
    bench.committed()
    bench.committed()
    assert creates(bench.done("r0")) == ["c.1.1.1"]


def test_where_the_server_replies_or_nobody_asked_for_it_none_is_asked_for() -> None:
    bench = Bench(Settings(asks_for_replies=True))
    assert creates(bench.committed()) == []
    bench = Bench()
    bench.configured(TurnDetection(create_response=False))
    assert bench.committed() == []


def test_a_server_that_replies_and_does_not_say_whose_a_response_is_gets_a_note() -> None:
    bench = Bench(Settings(dialect=NO_METADATA))
    warning = ["the server replies by itself and does not say whose a response is"]
    assert notes(bench.configured(TurnDetection())) == warning
    assert notes(bench.configured(TurnDetection(create_response=False))) == []
    assert notes(Bench().configured(TurnDetection())) == []


def test_a_reply_that_the_server_left_out_is_asked_for() -> None:
    bench = Bench()
    bench.configured(TurnDetection(interrupt_response=False))
    bench.created("r0")
    bench.speech_started()
    bench.committed()
    assert bench.turn() is Turn.DOUBTED
    assert steps(bench.tick(2.0), "charye.user.1") == ["queued"]
    assert bench.turn() is Turn.QUIET
    assert creates(bench.done("r0")) == ["c.1.1.1"]
    bench.tick(2.0)
    assert list(bench.ends()) == []
    bench.created("r1", "c.1.1.1")
    bench.done("r1")
    assert bench.ends() == {"charye.user.1": ["heard"]}


def test_a_reply_that_the_server_did_not_leave_out_is_not_asked_for() -> None:
    bench = Bench()
    bench.configured(TurnDetection(interrupt_response=False))
    bench.created("r0")
    bench.committed()
    bench.done("r0")
    bench.created("r1")
    assert bench.turn() is Turn.QUIET
    bench.done("r1")
    assert creates(bench.tick(10.0)) == []


@pytest.mark.parametrize("state", [state for state in State if state is not State.OFFLINE])
def test_only_while_nobody_runs_or_is_asked_for_the_reply_is_sure_to_come(state: State) -> None:
    bench = IN_STATE[state]()
    bench.committed()
    assert bench.turn() is (Turn.AWAITED if state is State.OPEN else Turn.DOUBTED)


@pytest.mark.parametrize("interrupts", [True, False])
def test_a_noise_turn_is_not_asked_about(*, interrupts: bool) -> None:
    bench = Bench()
    bench.configured(TurnDetection(interrupt_response=interrupts))
    bench.committed()
    assert bench.turn() is Turn.AWAITED
    bench.tick(2.0)
    assert steps(bench.log, "charye.user.1") == []


def test_a_doubted_turn_is_over_with_its_connection() -> None:
    bench = Bench()
    bench.configured(TurnDetection(interrupt_response=False))
    bench.created("r0")
    bench.committed()
    bench.drop()
    bench.connect()
    assert creates(bench.tick(10.0)) == []


# audio


@pytest.mark.parametrize(
    ("format_", "bytes_per_ms"),
    [
        (None, 48),
        (AudioFormat(type="audio/pcm"), 48),
        (AudioFormat(type="audio/pcm", rate=24_000), 48),
        (AudioFormat(type="audio/pcm", rate=16_000), 32),
        (AudioFormat(type="audio/pcm", rate=0), 48),
        (AudioFormat(type="audio/pcmu"), 8),
        (AudioFormat(type="audio/pcma", rate=8_000), 8),
    ],
)
@pytest.mark.parametrize("told_by", [SessionCreated, SessionUpdated])
def test_audio_is_as_long_as_its_format_says(
    format_: AudioFormat | None, bytes_per_ms: int, told_by: type[SessionCreated | SessionUpdated]
) -> None:
    bench = Bench()
    if format_ is not None:
        audio = AudioConfig(output=AudioOutputConfig(format=format_))
        bench.hear(told_by(session=Session(audio=audio)))
    bench.speaking(want())
    (play,) = bench.audio("r1", 100.0)
    assert isinstance(play, Play)
    assert play.duration_ms == 100.0 * 48 / bytes_per_ms


def test_a_session_that_says_nothing_of_audio_changes_no_format() -> None:
    bench = Bench()
    audio = AudioConfig(output=AudioOutputConfig(format=AudioFormat(type="audio/pcmu")))
    bench.hear(SessionCreated(session=Session(audio=audio)))
    bench.hear(SessionCreated(session=Session()))
    bench.speaking(want())
    (play,) = bench.audio("r1", 48.0)
    assert isinstance(play, Play)
    assert play.duration_ms == 288.0


def test_every_delta_is_played_once_in_order() -> None:
    bench = held()
    first, second = bench.audio("r1", 20.0), bench.audio("r1", 30.0)
    assert [type(effect) for effect in first + second] == [Play, Play]
    assert [cast("Play", effect).duration_ms for effect in first + second] == [20.0, 30.0]


def test_audio_tells_what_the_room_has_heard_by_then() -> None:
    bench = Bench()
    bench.speaking(want())
    bench.audio("r1", 100.0)
    bench.done("r1")
    bench.speaking(want("b"), "r2")
    bench.now += 0.2
    assert outcome(bench.audio("r2", 100.0, "item_2"), "a").kind is OutcomeKind.HEARD


def test_audio_of_a_response_that_is_over_is_not_played() -> None:
    bench = held()
    bench.done("r1")
    assert bench.audio("r1", 100.0) == []


def test_the_server_as_loudspeaker() -> None:
    bench = Bench(Settings(reporting=Reporting.SERVER))
    bench.speaking(want())
    part = ResponseContentPartAdded(response_id="r1", item_id="item_1", part=AudioPart())
    bench.hear(part)
    bench.hear(OutputAudioBufferStarted(response_id="r1"))
    bench.done("r1")
    assert bench.ends() == {}
    assert bench.speaker() is Speaker.OURS
    bench.now += 2.0
    end = outcome(bench.hear(OutputAudioBufferStopped(response_id="r1")), "a")
    assert end.kind is OutcomeKind.HEARD
    assert bench.speaker() is Speaker.NOBODY


def test_the_server_as_loudspeaker_is_cut_off_by_the_user() -> None:
    bench = Bench(Settings(reporting=Reporting.SERVER))
    bench.speaking(want())
    bench.hear(OutputAudioBufferStarted(response_id="r1"))
    bench.now += 0.5
    bench.speech_started()
    bench.hear(OutputAudioBufferCleared(response_id="r1"))
    end = outcome(bench.done("r1", status="cancelled", reason="turn_detected"), "a")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, 500.0)


def test_the_server_as_loudspeaker_is_silenced_when_it_begins_after_the_cut() -> None:
    bench = Bench(Settings(reporting=Reporting.SERVER))
    bench.speaking(want())
    bench.speech_started()
    effects = bench.hear(OutputAudioBufferStarted(response_id="r1"))
    assert effects == [StopPlayback(("r1",)), Send(OutputAudioBufferClear())]
    end = outcome(bench.done("r1", status="cancelled", reason="turn_detected"), "a")
    assert (end.kind, end.heard_ms) == (OutcomeKind.INTERRUPTED, 0.0)


@pytest.mark.parametrize("response_id", ["r1", "r7"])
def test_the_server_as_loudspeaker_of_what_is_over_is_only_noted(response_id: str) -> None:
    bench = Bench(Settings(reporting=Reporting.SERVER))
    bench.speaking(want())
    bench.done("r1")
    bench.speaking(want("b"), "r2")
    effects = bench.hear(OutputAudioBufferStarted(response_id=response_id))
    assert effects == [Note("sound of a response that is over", about=response_id)]
    bench.done("r2")
    assert bench.is_idle()


def test_a_text_part_promises_no_audio() -> None:
    bench = Bench(Settings(reporting=Reporting.SERVER))
    bench.speaking(want())
    bench.hear(ResponseContentPartAdded(response_id="r1", item_id="item_1", part=TextPart(text="")))
    assert outcome(bench.done("r1"), "a").kind is OutcomeKind.HEARD


def test_a_report_that_does_not_come_makes_the_end_uncertain() -> None:
    bench = Bench(Settings(reporting=Reporting.DEVICE, patience=Patience(playout_s=3.0)))
    bench.speaking(want())
    bench.audio("r1", 1000.0)
    bench.done("r1")
    assert bench.peer.next_deadline(bench.now) == bench.now + 4.0
    effects = bench.tick(4.0)
    assert notes(effects) == ["no playout report in time"]
    assert outcome(effects, "a") == Outcome(OutcomeKind.HEARD, uncertain=True, attempts=1)


# who speaks


def test_who_has_the_floor() -> None:
    bench = Bench()
    assert bench.speaker() is Speaker.NOBODY
    bench.ask(want())
    assert bench.speaker() is Speaker.NOBODY
    bench.created("r1", "c.1.1.1")
    assert bench.speaker() is Speaker.OURS
    bench.audio("r1", 1000.0)
    bench.done("r1")
    assert bench.speaker() is Speaker.OURS, "it is still being heard"
    bench.tick(1.0)
    assert bench.speaker() is Speaker.NOBODY
    bench.created("r0")
    assert bench.speaker() is Speaker.SERVER
    bench.audio("r0", 1000.0)
    bench.done("r0")
    assert bench.speaker() is Speaker.SERVER
    bench.speech_started()
    assert bench.speaker() is Speaker.USER


def test_it_is_idle_when_nothing_is_asked_runs_sounds_or_is_worked_on() -> None:
    bench = Bench()
    assert bench.is_idle()
    bench.ask(want())
    assert not bench.is_idle()
    bench.created("r1", "c.1.1.1")
    bench.call_done("r1", "call_1")
    bench.audio("r1", 1000.0)
    bench.done("r1")
    assert not bench.is_idle()
    bench.tick(1.0)
    assert bench.ends() == {"a": ["heard"]}
    assert not bench.is_idle(), "a tool is at work"
    bench.tool_finished("call_1", Answer("42", reply=Reply.SILENT))
    assert bench.is_idle()
    bench.created("r0")
    assert not bench.is_idle()
    bench.audio("r0", 1000.0)
    bench.done("r0")
    assert not bench.is_idle(), "it is still being heard"
    bench.tick(1.0)
    bench.speech_started()
    assert not bench.is_idle()
    bench.drop()
    assert bench.is_idle()


# the end


def busy() -> Bench:
    """One is heard, one speaks with a call at work, one waits, one is beside."""
    bench = Bench()
    bench.speaking(want("heard"))
    bench.audio("r1", 1000.0)
    bench.done("r1")
    bench.speaking(want("speaks", on_reconnect=OnReconnect.FAIL), "r2")
    bench.audio("r2", 1000.0, "item_2")
    bench.call_done("r2", "call_1")
    bench.ask(want("waits"))
    bench.ask(aside("beside", on_reconnect=OnReconnect.FAIL))
    return bench


@pytest.mark.parametrize("drops_first", [True, False])
def test_at_the_close_everybody_is_told_what_sounds_stops_and_tools_are_let_go(*, drops_first: bool) -> None:
    bench = busy()
    if drops_first:
        bench.drop()
    effects = bench.close()
    names = ["heard", "waits"] + ([] if drops_first else ["speaks", "beside"])
    for name in names:
        end = outcome(effects, name)
        assert (end.kind, end.reason) == (OutcomeKind.DISCONNECTED, "closed")
    if drops_first:
        # Its calls go on over the loss, so it is still being heard.
        assert outcome(bench.log, "beside").reason == "connection lost"
        assert outcome(effects, "speaks").reason == "closed"
    assert StopPlayback(("r1", "r2")) in effects
    assert AbandonTool("call_1", "closed") in effects
    assert sent(effects) == []
    assert bench.state() is State.OFFLINE
    assert bench.is_idle()
    assert bench.peer.next_deadline(bench.now) is None
    assert bench.close() == []
    assert all(len(ends) == 1 for ends in bench.ends().values())


@pytest.mark.parametrize("state", State)
def test_a_close_is_harmless_in_every_state(state: State) -> None:
    bench = IN_STATE[state]()
    assert sent(bench.close()) == []
    assert bench.close() == []
    assert bench.is_idle()
    assert all(len(ends) == 1 for ends in bench.ends().values())
    assert bench.peer.next_deadline(bench.now) is None


# a long life


def sizes(thing: object, seen: set[int] | None = None) -> int:
    """How many things there are in all registers of the core that can be reached from here."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    if isinstance(thing, dict):
        return len(thing) + sum(sizes(each, seen) for each in thing.values())
    if isinstance(thing, list | tuple | set | frozenset | deque):
        return len(thing) + sum(sizes(each, seen) for each in thing)
    if not type(thing).__module__.startswith("charye.core") or isinstance(thing, Enum):
        return 0
    names = [name for each in type(thing).__mro__ for name in getattr(each, "__slots__", ())]
    names += list(getattr(thing, "__dict__", {}))
    return sum(sizes(getattr(thing, name, None), seen) for name in names)


def lost_done(bench: Bench, number: int) -> None:
    """Its end is never told, and neither is the answer to our cancel."""
    bench.created(f"r{number}", creates(bench.ask(aside(f"a{number}")))[0], out_of_band=True)
    bench.tick(20.0)
    bench.tick(5.0)


def lost_create(bench: Bench, number: int) -> None:
    bench.ask(aside(f"a{number}"))
    for _ in range(3):
        bench.tick(15.0)


def stranger(bench: Bench, number: int) -> None:
    """Somebody else's beside the conversation, without an end."""
    bench.created(f"s{number}", out_of_band=True)


def lost_in_band(bench: Bench, number: int) -> None:
    """It ignores our cancel, and the next reply shows that it is over."""
    bench.created(f"v{number}")
    bench.interrupt()


@pytest.mark.parametrize("life", [lost_done, lost_create, stranger, lost_in_band])
def test_nothing_grows_without_end(life: Callable[[Bench, int], None]) -> None:
    bench = Bench()
    for number in range(1000):
        life(bench, number)
    after_a_thousand = sizes(bench.peer)
    for number in range(1000, 2000):
        life(bench, number)
        bench.log.clear()
    assert sizes(bench.peer) <= after_a_thousand + 4
    assert after_a_thousand < 2000


# tools


def test_a_call_from_its_arguments_to_the_spoken_answer() -> None:
    bench = held()
    assert bench.call_done("r1", "call_1") == [RunTool("call_1", "look", '{"x": 1}', "r1")]
    bench.done("r1")
    effects = bench.tool_finished("call_1", Answer("42"))
    output, create = sent(effects)
    assert isinstance(output, ConversationItemCreate)
    assert isinstance(output.item, FunctionCallOutputItem)
    assert isinstance(create, ResponseCreate)
    assert steps(effects, "tool.r1.1") == ["queued", "sent"]


def arguments_done(name: str = "look", call_id: str = "call_1", response_id: str = "r1") -> ServerEvent:
    return ResponseFunctionCallArgumentsDone(
        response_id=response_id, item_id="fc", call_id=call_id, name=name, arguments="{}"
    )


def test_the_arguments_may_be_told_in_three_places_and_the_call_runs_once() -> None:
    bench = held()
    assert bench.hear(arguments_done()) == [RunTool("call_1", "look", "{}", "r1")]
    assert bench.call_done("r1", "call_1") == []
    call = FunctionCallItem(name="look", arguments="{}", call_id="call_1", id="fc")
    assert not [effect for effect in bench.done("r1", output=(call,)) if isinstance(effect, RunTool)]


@pytest.mark.parametrize(("name", "call_id"), [("", "call_1"), ("look", "")])
def test_arguments_without_a_name_or_an_id_wait_for_the_item(name: str, call_id: str) -> None:
    bench = held()
    assert bench.hear(arguments_done(name, call_id)) == []
    assert bench.call_done("r1", "call_1") == [RunTool("call_1", "look", '{"x": 1}', "r1")]


def test_a_call_that_is_told_in_the_done_only() -> None:
    bench = held()
    call = FunctionCallItem(name="look", arguments="", call_id="call_1", id="fc", status="completed")
    effects = bench.done("r1", output=(call,))
    assert RunTool("call_1", "look", "", "r1") in effects


@pytest.mark.parametrize("status", ["cancelled", "incomplete", "failed"])
def test_calls_in_the_done_of_a_response_that_was_not_completed_are_not_run(status: str) -> None:
    bench = held()
    call = FunctionCallItem(name="look", arguments="", call_id="call_1", id="fc")
    assert not [e for e in bench.done("r1", status=status, output=(call,)) if isinstance(e, RunTool)]


def test_a_call_that_is_not_complete_or_has_no_id_is_not_run() -> None:
    bench = held()
    assert bench.call_done("r1", "call_1", status="incomplete") == []
    assert bench.call_done("r1", "") == []


def test_calls_of_a_response_that_is_being_cancelled_are_not_run() -> None:
    bench = held()
    bench.cancel()
    assert bench.call_done("r1", "call_1") == []
    assert bench.hear(arguments_done()) == []


@pytest.mark.parametrize(
    ("status", "reason", "wanted"),
    [
        ("completed", None, True),
        ("incomplete", "max_output_tokens", True),
        ("cancelled", "turn_detected", True),
        ("cancelled", "client_cancelled", False),
        ("cancelled", None, False),
        ("failed", None, False),
    ],
)
def test_which_calls_are_still_to_be_spoken_about(status: str, reason: str | None, wanted: bool) -> None:
    bench = held()
    bench.call_done("r1", "call_1")
    effects = bench.done("r1", status=status, reason=reason)
    abandoned = [effect for effect in effects if isinstance(effect, AbandonTool)]
    assert abandoned == ([] if wanted else [AbandonTool("call_1", "its response is not wanted")])
    assert bool(creates(bench.tool_finished("call_1", Answer("42")))) is wanted


def test_the_calls_of_a_stuck_response_are_abandoned() -> None:
    bench = held()
    bench.call_done("r1", "call_1")
    bench.interrupt()
    assert AbandonTool("call_1", "its response is not wanted") in bench.tick(5.0)


def follow_up_waits() -> Bench:
    """A tool has answered while the user speaks, and the server has the output."""
    bench = held()
    bench.call_done("r1", "call_1")
    bench.done("r1")
    bench.speech_started()
    effects = bench.tool_finished("call_1", Answer("42"))
    (event,) = sent(effects)
    assert isinstance(event, ConversationItemCreate)
    bench.hear(ConversationItemAdded(item=event.item))
    return bench


def test_the_servers_reply_tells_the_result_and_the_follow_up_is_taken_back() -> None:
    bench = follow_up_waits()
    bench.committed()
    assert steps(bench.created("r2"), "tool.r1.1") == []
    effects = bench.done("r2")
    end = outcome(effects, "tool.r1.1")
    assert (end.kind, end.reason) == (OutcomeKind.CANCELLED, "answered by another response")
    assert creates(effects) == []
    assert bench.is_idle()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("failed", None),
        ("cancelled", "client_cancelled"),
        ("cancelled", "turn_detected"),
        ("incomplete", "max_output_tokens"),
    ],
)
def test_a_reply_that_was_not_completed_tells_nothing(status: str, reason: str | None) -> None:
    bench = follow_up_waits()
    bench.committed()
    bench.created("r2")
    assert creates(bench.done("r2", status=status, reason=reason)) == ["c.1.2.1"]


def test_a_reply_that_was_cut_tells_nothing_though_it_was_generated() -> None:
    bench = follow_up_waits()
    bench.committed()
    bench.created("r2")
    bench.audio("r2", 1000.0)
    bench.interrupt()
    assert creates(bench.done("r2")) == ["c.1.2.1"]


def test_if_the_server_does_not_reply_the_follow_up_tells_it() -> None:
    bench = follow_up_waits()
    bench.committed()
    assert creates(bench.tick(2.0)) == ["c.1.2.1"]


def test_a_follow_up_that_speaks_is_not_taken_back() -> None:
    bench = follow_up_waits()
    bench.committed()
    bench.tick(2.0)
    bench.created("r2", "c.1.2.1")
    bench.created("r3")
    assert bench.ends()["tool.r1.1"] == ["heard"]


def test_what_comes_while_the_create_is_on_its_way_is_told_by_another() -> None:
    bench = Bench(Settings(tools=ToolPolicy(cap_s=1.0)))
    bench.speaking(want())
    bench.call_done("r1", "call_1")
    bench.call_done("r1", "call_2")
    bench.done("r1")
    bench.tool_finished("call_1", Answer("1"))
    assert creates(bench.tick(1.0)) == ["c.1.2.1"]
    bench.tool_finished("call_2", Answer("2"))
    bench.created("r2", "c.1.2.1")
    assert creates(bench.done("r2")) == ["c.1.3.1"]


def test_a_tool_times_out_by_itself() -> None:
    bench = Bench(Settings(tools=ToolPolicy(timeout_s=5.0)))
    bench.speaking(want())
    bench.call_done("r1", "call_1")
    bench.done("r1")
    assert bench.peer.next_deadline(bench.now) == bench.now + 5.0
    effects = bench.tick(5.0)
    assert AbandonTool("call_1", "timed out") in effects
    assert len(creates(effects)) == 1


def test_a_message_beside_a_call_with_skip_earns_no_follow_up() -> None:
    bench = Bench(Settings(tools=ToolPolicy(after_message="skip", timeout_s=5.0)))
    bench.speaking(want())
    bench.message_done("r1")
    bench.call_done("r1", "call_1")
    bench.done("r1")
    assert creates(bench.tick(5.0)) == []
    assert bench.peer.next_deadline(bench.now) is None


@pytest.mark.parametrize("told_in_the_done", [True, False])
def test_a_message_counts_wherever_it_is_told(told_in_the_done: bool) -> None:
    bench = Bench(Settings(tools=ToolPolicy(after_message="skip")))
    bench.speaking(want())
    message = MessageItem(id="item_1", role="assistant", content=(OutputAudio(transcript="Hm."),))
    bench.call_done("r1", "call_1")
    bench.done("r1", output=(message,) if told_in_the_done else ())
    assert bool(creates(bench.tool_finished("call_1", Answer("42")))) is not told_in_the_done


def test_a_result_without_a_connection_is_in_the_rebuild_before_the_follow_up() -> None:
    bench = held()
    bench.call_done("r1", "call_1")
    bench.done("r1")
    bench.drop()
    assert sent(bench.tool_finished("call_1", Answer("42"))) == []
    call, output, create = sent(bench.connect())
    assert isinstance(call, ConversationItemCreate)
    assert isinstance(output, ConversationItemCreate)
    assert isinstance(call.item, FunctionCallItem)
    assert isinstance(output.item, FunctionCallOutputItem)
    assert call.item.call_id == output.item.call_id != "call_1"
    assert isinstance(create, ResponseCreate)


def test_a_server_that_counts_its_responses_anew_mixes_nothing_up() -> None:
    bench = held()
    bench.call_done("r1", "call_1")
    bench.done("r1")
    bench.drop()
    bench.connect()
    bench.speaking(want("b"))
    assert bench.call_done("r1", "call_2") == [RunTool("call_2", "look", '{"x": 1}', "r1")]
    bench.done("r1")
    bench.tool_finished("call_1", Answer("1"))
    bench.tool_finished("call_2", Answer("2"))
    assert steps(bench.log, "tool.r1.1") == ["queued", "sent"]


# the mirror


def test_items_of_the_app_are_sent_and_kept_over_a_reconnect() -> None:
    bench = Bench()
    item = MessageItem(id="mine", role="user", content=(InputText(text="hello"),))
    assert bench.did(bench.peer.add_item(item, bench.now)) == [Send(ConversationItemCreate(item=item))]
    bench.drop()
    other = MessageItem(id="other", role="user", content=(InputText(text="again"),))
    assert bench.did(bench.peer.add_item(other, bench.now)) == []
    assert [entry.item for entry in bench.peer.items] == [item, other]
    rebuilt = sent(bench.connect())
    assert [cast("ConversationItemCreate", event).item for event in rebuilt] == [
        MessageItem(id="r2_0", role="user", content=(InputText(text="hello"),)),
        MessageItem(id="r2_1", role="user", content=(InputText(text="again"),)),
    ]


@pytest.mark.parametrize("kind", [ConversationItemAdded, ConversationItemCreated, ConversationItemDone])
def test_the_servers_items_are_mirrored(
    kind: type[ConversationItemAdded | ConversationItemCreated | ConversationItemDone],
) -> None:
    bench = Bench()
    for name, previous in (("a", None), ("b", "a"), ("c", "a")):
        content = (OutputAudio(transcript=name),)
        item = MessageItem(id=name, role="assistant", content=content)
        bench.hear(kind(item=item, previous_item_id=previous))
    assert [getattr(entry.item, "id", None) for entry in bench.peer.items] == ["a", "c", "b"]
    bench.hear(ConversationItemDeleted(item_id="a"))
    bench.hear(ConversationItemTruncated(item_id="c", audio_end_ms=700))
    bench.hear(ConversationItemTruncated(item_id="b"))
    bench.hear(ConversationItemInputAudioTranscriptionCompleted(item_id="b", transcript="네."))
    assert [(entry.heard_ms, entry.transcript) for entry in bench.peer.items] == [(700, None), (0, "네.")]


def spoken(bench: Bench, *item_ids: str) -> None:
    """A response that is generated, with a second of audio an item; half of the first is heard by now."""
    bench.speaking(want(on_reconnect=OnReconnect.FAIL))
    for item_id in item_ids:
        item = MessageItem(id=item_id, role="assistant", content=(OutputAudio(transcript=item_id),))
        bench.hear(ConversationItemAdded(item=item))
        bench.audio("r1", 1000.0, item_id)
    bench.now += 0.5


def heard_of(bench: Bench) -> list[tuple[str | None, int | None]]:
    return [(getattr(entry.item, "id", None), entry.heard_ms) for entry in bench.peer.items]


def test_what_is_cut_is_mirrored_when_the_server_is_told() -> None:
    bench = Bench()
    spoken(bench, "i1", "i2")
    bench.done("r1")
    bench.speech_started()
    assert heard_of(bench) == [("i1", 500)]
    bench.drop()
    assert notes(bench.connect()) == ["an item cannot be said again"]
    assert bench.peer.items == []


def test_what_was_cut_but_could_not_be_told_is_mirrored_when_the_connection_goes() -> None:
    bench = Bench()
    spoken(bench, "i1", "i2")
    bench.speech_started()
    assert heard_of(bench) == [("i1", None), ("i2", None)], "its repairs wait for its end"
    assert sent(bench.drop()) == []
    assert heard_of(bench) == [("i1", 500)]
    effects = bench.connect()
    assert effects == [Note("an item cannot be said again", about="i1")]


def test_a_picture_is_shown_again() -> None:
    bench = Bench()
    picture = InputImage(image_url="data:,")
    bench.did(
        bench.peer.add_item(
            MessageItem(id="mine", role="user", content=(InputText(text="look"), picture)), bench.now
        )
    )
    bench.drop()
    item = MessageItem(id="r2_0", role="user", content=(InputText(text="look"), picture))
    assert bench.connect() == [Send(ConversationItemCreate(item=item))]


def test_an_item_without_an_id_is_not_mirrored() -> None:
    bench = Bench()
    item = MessageItem(role="user", content=(InputText(text="hello"),))
    assert bench.hear(ConversationItemAdded(item=item)) == []
    assert bench.peer.items == []


def test_the_mirror_is_as_long_as_it_may_be() -> None:
    bench = Bench(Settings(mirror_items=1))
    for name in ("a", "b"):
        item = MessageItem(id=name, role="user", content=(InputText(text=name),))
        bench.hear(ConversationItemAdded(item=item))
    assert len(bench.peer.items) == 1


# errors that are nobody's


def test_an_error_about_something_else_is_noted_with_its_code_and_ends_nothing() -> None:
    bench = held()
    assert bench.error("invalid_value", "of the app") == [Note("error", about="invalid_value")]
    assert bench.error(None) == [Note("error", about="invalid_request_error")]
    assert bench.state() is State.HELD


def test_after_giving_up_nothing_more_is_heard_until_the_next_connection() -> None:
    bench = held()
    bench.error("session_expired")
    assert bench.created("r9") == [
        Note("an event of a connection that is given up", about="response.created")
    ]
    assert bench.drop() == []
    assert creates(bench.connect()) == ["c.2.1.2"]


def test_a_request_without_a_connection_waits_for_one() -> None:
    bench = Bench(online=False)
    assert steps(bench.ask(want()), "a") == ["queued"]
    assert creates(bench.connect()) == ["c.1.1.1"]
    assert bench.now == START
    assert not [effect for effect in bench.log if isinstance(effect, Reconnect)]
    assert bench.peer.explain(RequestId("a"), bench.now).startswith("It was sent")
