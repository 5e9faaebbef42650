"""What each server event means to the machines: one function an event, found by its type.

Only events that matter to who speaks are here. The others (deltas of text and of arguments, whatever is yet to
be invented) still show that their response is not silent, and are the application's business otherwise.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from charye.core.effects import Note, Play
from charye.core.floor import State
from charye.core.machines import USER_TURN, Machines
from charye.core.turns import TurnInput
from charye.protocol import (
    AudioConfig,
    AudioFormat,
    AudioInputConfig,
    AudioOutputConfig,
    AudioPart,
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemTruncated,
    ErrorEvent,
    ErrorKind,
    FunctionCallItem,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    MessageItem,
    OutputAudioBufferCleared,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
    ResponseContentPartAdded,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    Transcription,
    audio_length_bytes,
    kind_of,
    named_response,
)
from charye.protocol.limits import G711_SAMPLE_RATE_HZ, PCM_SAMPLE_RATE_HZ

__all__ = ["hear", "play"]

E = TypeVar("E")
CANCEL_PREFIX = "cancel."


def play(machines: Machines, event: ResponseOutputAudioDelta, now: float) -> bool:
    """Audio: to the loudspeaker, unless its response was cut or is not one that may speak. The hot path.

    Gives whether the machines must settle. Audio of the running response is news for the loudspeaker alone, so
    they need not, unless something before it has been heard to its end by now.
    """
    response_id, playout = event.response_id, machines.playout
    of_the_running = response_id == machines.coordinator.floor.response
    if machines.coordinator.activity(response_id, now) and not playout.is_cut(response_id):
        duration_ms = audio_length_bytes(event.delta) / machines.bytes_per_ms
        # Items of a response beside the conversation are in no conversation, so there is nothing to truncate.
        beside = response_id != machines.coordinator.floor.response
        playout.append(response_id, event.item_id, event.content_index, duration_ms, now, beside=beside)
        machines.out.append(Play(event, duration_ms))
    return not of_the_running or playout.has_news


def hear(machines: Machines, event: ServerEvent, now: float) -> None:
    """Any other event."""
    handler = HANDLERS.get(type(event))
    if handler is not None:
        handler(machines, event, now)
        return
    response_id = getattr(event, "response_id", None)
    if isinstance(response_id, str):
        machines.coordinator.activity(response_id, now)


# responses


def _created(machines: Machines, event: ResponseCreated, now: float) -> None:
    coordinator = machines.coordinator
    before = coordinator.floor.response
    coordinator.created(event.response, now)
    floor = coordinator.floor
    if floor.response == (event.response.id or "") != before and floor.why is None:
        ours = coordinator.tickets.numbered(floor.owner)
        if floor.owner is None or (ours is not None and ours.request.coalesce_key == USER_TURN):
            machines.tools.may_tell(event.response.id or "")


def _done(machines: Machines, event: ResponseDone, now: float) -> None:
    response = event.response
    if response.status == "completed" and response.id == machines.coordinator.floor.response:
        for item in response.output:  # whose own events were lost
            if isinstance(item, MessageItem):
                machines.tools.spoke(response.id or "")
            _run(machines, response.id or "", item, now)
    was_heard = response.status == "completed" and not machines.playout.is_cut(response.id or "")
    machines.coordinator.done(response, now)
    for request_id in machines.tools.told_by(response.id or "", completed=was_heard):
        machines.coordinator.cancel(request_id, now, reason="answered by another response")


def _output_item_added(machines: Machines, event: ResponseOutputItemAdded, now: float) -> None:
    coordinator = machines.coordinator
    if coordinator.activity(event.response_id, now) and event.response_id == coordinator.floor.response:
        coordinator.keeper.shown.added(getattr(event.item, "id", None) or "")


def _output_item_done(machines: Machines, event: ResponseOutputItemDone, now: float) -> None:
    if not machines.coordinator.activity(event.response_id, now):
        return
    if event.response_id != machines.coordinator.floor.response:
        return  # out of band: its items are in no conversation, so an output could not refer to them
    item, shown = event.item, machines.coordinator.keeper.shown
    shown.done(getattr(item, "id", None) or "")
    if isinstance(item, FunctionCallItem | MessageItem):
        shown.status = item.status
    if isinstance(item, MessageItem):
        machines.tools.spoke(event.response_id)
    else:
        _run(machines, event.response_id, item, now)


def _arguments_done(machines: Machines, event: ResponseFunctionCallArgumentsDone, now: float) -> None:
    if not machines.coordinator.activity(event.response_id, now):
        return
    # The name is missing in older servers; the item's own done, which follows, has it.
    if event.response_id == machines.coordinator.floor.response and event.call_id and event.name:
        machines.tools.asked(event.response_id, event.call_id, event.name, event.arguments or "", now)


def _run(machines: Machines, response_id: str, item: object, now: float) -> None:
    if isinstance(item, FunctionCallItem) and item.call_id and item.status != "incomplete":
        machines.tools.asked(response_id, item.call_id, item.name or "", item.arguments or "", now)


def _content_part_added(machines: Machines, event: ResponseContentPartAdded, now: float) -> None:
    if machines.coordinator.activity(event.response_id, now) and isinstance(event.part, AudioPart):
        machines.playout.speaks(event.response_id)


# items


def _item_entered(
    machines: Machines,
    event: ConversationItemAdded | ConversationItemCreated | ConversationItemDone,
    now: float,
) -> None:
    # Trust `added` for the place: `done` has been seen with a null `previous_item_id` (recorded sessions).
    previous = event.previous_item_id
    machines.conversation.put(event.item, previous if isinstance(previous, str) else None)
    item_id = getattr(event.item, "id", None)
    if isinstance(item_id, str):
        machines.tools.seen(item_id)


def _item_deleted(machines: Machines, event: ConversationItemDeleted, now: float) -> None:
    machines.conversation.delete(event.item_id)


def _item_truncated(machines: Machines, event: ConversationItemTruncated, now: float) -> None:
    machines.conversation.truncate(event.item_id, event.audio_end_ms or 0)


def _transcribed(
    machines: Machines, event: ConversationItemInputAudioTranscriptionCompleted, now: float
) -> None:
    machines.conversation.transcribe(event.item_id, event.transcript)
    _written_down(machines, event.item_id)


def _not_transcribed(
    machines: Machines, event: ConversationItemInputAudioTranscriptionFailed, now: float
) -> None:
    _written_down(machines, event.item_id)


def _written_down(machines: Machines, item_id: str) -> None:
    if item_id == machines.untranscribed:
        machines.untranscribed = None


# the user


def _speech_started(machines: Machines, event: InputAudioBufferSpeechStarted, now: float) -> None:
    machines.turns.step(TurnInput.STARTED, now)
    machines.coordinator.user_spoke(now)
    if machines.turns.interrupts:
        # The server cancels what runs; what it has generated before, only we can stop.
        machines.coordinator.make_room(now, cancel=False)


def _speech_stopped(machines: Machines, event: InputAudioBufferSpeechStopped, now: float) -> None:
    machines.turns.step(TurnInput.ENDED, now)


def _committed(machines: Machines, event: InputAudioBufferCommitted, now: float) -> None:
    if machines.transcribes:
        machines.untranscribed = event.item_id or None  # one without a name would never be seen again
    if machines.commits:
        machines.commits -= 1  # a client's commit never starts a response
        machines.turns.step(TurnInput.COMMITTED_ONLY, now)
    elif machines.turns.server_replies:
        # A reply of the server's own that meets a running response is left out without a word.
        free = machines.coordinator.floor.state is State.OPEN
        machines.turns.step(TurnInput.COMMITTED if free else TurnInput.COMMITTED_INTO, now)
    else:
        machines.turns.step(TurnInput.COMMITTED_ONLY, now)
        if machines.settings.asks_for_replies:
            machines.coordinator.request(machines.reply_request("vad"), now)


# session, loudspeaker, errors


def _session(machines: Machines, event: SessionCreated | SessionUpdated, now: float) -> None:
    machines.turns.configure(event.session)
    if machines.turns.server_replies and not machines.settings.dialect.echoes_metadata:
        machines.out.append(Note("the server replies by itself and does not say whose a response is"))
    audio = event.session.audio
    heard = audio.input if isinstance(audio, AudioConfig) else None
    if isinstance(heard, AudioInputConfig) and isinstance(heard.transcription, Transcription | None):
        machines.transcribes = heard.transcription is not None
    output = audio.output if isinstance(audio, AudioConfig) else None
    if isinstance(output, AudioOutputConfig) and isinstance(output.format, AudioFormat):
        machines.bytes_per_ms = _bytes_per_ms(output.format)


def _bytes_per_ms(output: AudioFormat) -> float:
    """G.711 has one rate; a server that does not say that of PCM16 has the API's (API reference, `audio/pcm`)."""
    if output.type != "audio/pcm":
        return G711_SAMPLE_RATE_HZ / 1000
    said = output.rate if isinstance(output.rate, int) and output.rate > 0 else PCM_SAMPLE_RATE_HZ
    return said * 2 / 1000


def _buffer_started(machines: Machines, event: OutputAudioBufferStarted, now: float) -> None:
    runs = machines.coordinator.activity(event.response_id, now)
    machines.out += machines.playout.buffer_started(event.response_id, now, runs=runs)


def _buffer_ended(
    machines: Machines, event: OutputAudioBufferStopped | OutputAudioBufferCleared, now: float
) -> None:
    machines.playout.buffer_ended(event.response_id, now)


def _error(machines: Machines, event: ErrorEvent, now: float) -> None:
    error, coordinator = event.error, machines.coordinator
    kind = kind_of(error)
    code = error.code or error.type
    if kind is ErrorKind.ACTIVE_RESPONSE:
        coordinator.refused(error, named_response(error), now)
    elif kind is ErrorKind.CANCEL_NOT_ACTIVE:
        named = error.event_id or ""
        if error.event_id is None or named.startswith(CANCEL_PREFIX):
            coordinator.not_active(named.removeprefix(CANCEL_PREFIX) or None, now)
    elif coordinator.denied(error, now) or coordinator.probe_answered(error, now):
        pass
    elif kind is ErrorKind.SESSION_EXPIRED:
        coordinator.give_up("the session has expired", now)
    else:
        if kind is ErrorKind.COMMIT_EMPTY and machines.commits:
            machines.commits -= 1
        machines.out.append(Note("error", about=code))


HANDLERS: Mapping[type, Callable[..., None]] = MappingProxyType(
    {
        ResponseCreated: _created,
        ResponseDone: _done,
        ResponseOutputItemAdded: _output_item_added,
        ResponseOutputItemDone: _output_item_done,
        ResponseFunctionCallArgumentsDone: _arguments_done,
        ResponseContentPartAdded: _content_part_added,
        ConversationItemAdded: _item_entered,
        ConversationItemCreated: _item_entered,
        ConversationItemDone: _item_entered,
        ConversationItemDeleted: _item_deleted,
        ConversationItemTruncated: _item_truncated,
        ConversationItemInputAudioTranscriptionCompleted: _transcribed,
        ConversationItemInputAudioTranscriptionFailed: _not_transcribed,
        InputAudioBufferSpeechStarted: _speech_started,
        InputAudioBufferSpeechStopped: _speech_stopped,
        InputAudioBufferCommitted: _committed,
        SessionCreated: _session,
        SessionUpdated: _session,
        OutputAudioBufferStarted: _buffer_started,
        OutputAudioBufferStopped: _buffer_ended,
        OutputAudioBufferCleared: _buffer_ended,
        ErrorEvent: _error,
    }
)
