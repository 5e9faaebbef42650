"""What comes in by ear: the input buffer, turns that voice detection or the client ends, and what was said in them.

    voice detection   speech_started {item} .. speech_stopped {item} .. committed {item} .. the item .. the reply
    push-to-talk      commit .. committed {item} .. the item; the client asks for the reply itself
    nobody speaks     timeout_triggered {item} .. a note to the model .. committed {item} .. the item .. the reply

Source: API reference, turn detection; recorded orders.
"""

from dataclasses import dataclass

from charye.protocol import (
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    InputAudio,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
    InputText,
    MessageItem,
    TranscriptionDuration,
    TurnDetection,
)
from charye.protocol.limits import COMMIT_MIN_MS
from charye.server import refusals
from charye.server.conversation import Conversation, Entry
from charye.server.effects import Attune, Forget, Hear, Transcribe
from charye.server.input_buffer import InputBuffer
from charye.server.outbox import Outbox
from charye.server.parts import (
    SpeechFact,
    SpeechStarted,
    TranscriptDelta,
    TranscriptDone,
    TranscriptFailed,
    TranscriptResult,
)
from charye.server.responses import Responses
from charye.server.session_config import Configuration
from charye.server.settings import ServerSettings
from charye.server.wire_audio import pcm_from_base64

__all__ = ["Listening"]

# semantic_vad has no field for it; the default of server_vad is as good.
_PADDING_MS = 300
_NOBODY_SPOKE = "(The user has said nothing for a while. No speech was detected.)"


@dataclass(frozen=True, slots=True)
class _Turn:
    """Speech that is going on. The item exists only when it is over, its id from the begin on."""

    item_id: str
    start_ms: int


class Listening:
    """The ears' side of one session."""

    def __init__(
        self,
        settings: ServerSettings,
        config: Configuration,
        conversation: Conversation,
        responses: Responses,
        outbox: Outbox,
    ) -> None:
        self._replies = settings.dialect.server_replies
        self._silence_ms = int(settings.bounds.silence_s * 1000)
        self._config = config
        self._conversation = conversation
        self._responses = responses
        self._box = outbox
        self._buffer = InputBuffer(max_s=settings.bounds.buffer_s)
        self._odd = b""
        self._turn: _Turn | None = None
        self._attuned: TurnDetection | None = None
        self._told: dict[str, bool] = {}  # item that is being written down -> whether the client is told

    # the client's audio

    def append(self, audio: str) -> None:
        """More audio. Never answered.

        Raises:
            Refused: it is none, or too much is held.
        """
        pcm, odd = pcm_from_base64(audio, self._config.input_format, "audio", self._odd)
        self._buffer.append(pcm)
        self._odd = odd
        if self._attuned is not None and self._turn is None:
            self._buffer.drop_before(self._buffer.written_ms - self._silence_ms)
        if pcm:
            self._box.do(Hear(pcm))

    def commit(self, now: float) -> None:
        """The client ends the turn. It takes what is held, also while voice detection listens, and starts no reply.

        Raises:
            Refused: there is less than the minimum.
        """
        if (held_ms := self._buffer.held_ms) < COMMIT_MIN_MS:
            raise refusals.commit_too_short(held_ms)
        item_id = self._turn.item_id if self._turn else self._box.ids.item()
        self._forget()
        self._take_in(item_id, self._buffer.take())

    def clear(self) -> None:
        """The client takes back what it has not committed."""
        self._buffer.clear()
        self._forget()
        self._box.send(InputAudioBufferCleared(event_id=self._box.id()))

    def attune(self) -> None:
        """The session may have changed: listen accordingly. A turn that is going on is forgotten if it did."""
        detection = self._config.detection
        if detection != self._attuned:
            self._attuned = detection
            self._turn = None
            self._box.do(Attune(detection))

    # what the ears found

    def heard(self, fact: SpeechFact, now: float) -> None:
        """Speech began, or ended. What does not fit is noted: ears may be late after a commit or a new setting."""
        if self._attuned is None:
            self._box.note("the ears found speech in push-to-talk")
        elif isinstance(fact, SpeechStarted) and self._turn is None:
            self._speech_started(self._attuned, fact.at_ms, now)
        elif not isinstance(fact, SpeechStarted) and self._turn is not None:
            self._speech_stopped(self._attuned, self._turn, fact.at_ms, now)
        else:
            self._box.note("the ears found the same twice")

    def _speech_started(self, detection: TurnDetection, at_ms: int, now: float) -> None:
        padding = detection.prefix_padding_ms
        start_ms = at_ms - (padding if isinstance(padding, int) else _PADDING_MS)
        turn = self._turn = _Turn(self._box.ids.item(), max(start_ms, self._buffer.start_ms))
        self._responses.quiet_from = None
        self._box.send(
            InputAudioBufferSpeechStarted(
                event_id=self._box.id(), audio_start_ms=turn.start_ms, item_id=turn.item_id
            )
        )
        if detection.interrupts:
            self._responses.interrupt(now)

    def _speech_stopped(self, detection: TurnDetection, turn: _Turn, at_ms: int, now: float) -> None:
        self._turn = None
        self._box.send(
            InputAudioBufferSpeechStopped(event_id=self._box.id(), audio_end_ms=at_ms, item_id=turn.item_id)
        )
        self._take_in(turn.item_id, self._buffer.take(turn.start_ms, at_ms))
        self._reply(detection, now)

    def _reply(self, detection: TurnDetection, now: float) -> None:
        if detection.replies and self._replies and not self._config.transcribes_only:
            self._responses.reply(now=now)

    # nobody speaks

    @property
    def next_deadline(self) -> float | None:
        """When nobody has spoken for too long."""
        idle_ms = self._attuned.idle_timeout_ms if self._attuned else None
        quiet_from = self._responses.quiet_from
        if not isinstance(idle_ms, int) or quiet_from is None or self._turn is not None:
            return None
        return quiet_from + idle_ms / 1000

    def tick(self, now: float) -> None:
        """Time has passed."""
        deadline, detection = self.next_deadline, self._attuned
        if deadline is None or detection is None or now < deadline:
            return
        idle_ms = detection.idle_timeout_ms
        self._responses.quiet_from = None
        item_id, end_ms = self._box.ids.item(), self._buffer.written_ms
        start_ms = max(end_ms - (idle_ms if isinstance(idle_ms, int) else 0), 0)
        self._box.send(
            InputAudioBufferTimeoutTriggered(
                event_id=self._box.id(), audio_start_ms=start_ms, audio_end_ms=end_ms, item_id=item_id
            )
        )
        note = MessageItem(
            role="system",
            content=(InputText(_NOBODY_SPOKE),),
            id=self._box.ids.item(),
            status="completed",
        )
        self._enter(Entry(note))
        entry = self._commit(item_id, self._buffer.take(start_ms))
        entry.transcript = ""
        self._reply(detection, now)
        if self._config.transcription is not None:
            self._completed(item_id, "", 0)

    # turns become items

    def _take_in(self, item_id: str, pcm: bytes) -> None:
        self._responses.quiet_from = None
        self._commit(item_id, pcm)
        wish = self._config.transcription
        self._told[item_id] = wish is not None
        self._box.do(Transcribe(item_id, pcm, wish))

    def _commit(self, item_id: str, pcm: bytes) -> Entry:
        self._box.send(
            InputAudioBufferCommitted(
                event_id=self._box.id(), item_id=item_id, previous_item_id=self._conversation.last_id
            )
        )
        item = MessageItem(role="user", content=(InputAudio(),), id=item_id, status="completed")
        return self._enter(Entry(item, pcm=pcm))

    def _enter(self, entry: Entry) -> Entry:
        previous = self._conversation.add(entry)
        self._box.item_added(entry.item, previous)
        self._box.item_done(entry.item, previous)
        return entry

    def _forget(self) -> None:
        self._odd = b""
        self._turn = None
        self._box.do(Forget())

    # what was said in them

    def write_down(self, entry: Entry) -> None:
        """The client sent audio in an item of its own: the mind should know what is said in it. No event follows."""
        self._told[entry.id] = False
        self._box.do(Transcribe(entry.id, entry.pcm, None))

    @property
    def unwritten(self) -> frozenset[str]:
        """Items whose transcript may still come."""
        return frozenset(self._told)

    def transcribed(self, item_id: str, result: TranscriptResult) -> None:
        """The ears have words, or will have none. The client is told if it asked for them before the turn ended."""
        told = self._told.get(item_id)
        entry = self._conversation.get(item_id)
        if told is None:
            self._box.note("a transcript for nothing", item_id)
            return
        if not isinstance(result, TranscriptDelta):
            del self._told[item_id]
        match result:
            case TranscriptDelta(delta=delta) if told:
                self._box.send(
                    ConversationItemInputAudioTranscriptionDelta(
                        event_id=self._box.id(), item_id=item_id, delta=delta
                    )
                )
            case TranscriptDone(transcript=transcript):
                seconds = entry.audio_ms / 1000 if entry else 0.0
                if entry is not None:
                    entry.transcript = transcript
                if told:
                    self._completed(item_id, transcript, seconds)
            case TranscriptFailed(error=error) if told:
                self._box.send(
                    ConversationItemInputAudioTranscriptionFailed(
                        event_id=self._box.id(), item_id=item_id, error=error
                    )
                )
            case TranscriptFailed(error=error):
                self._box.note("a turn could not be written down", error.code or "")
            case _:
                pass

    def _completed(self, item_id: str, transcript: str, seconds: float) -> None:
        self._box.send(
            ConversationItemInputAudioTranscriptionCompleted(
                event_id=self._box.id(),
                item_id=item_id,
                transcript=transcript,
                usage=TranscriptionDuration(seconds),
            )
        )
