"""The peer: the server half of a Realtime conversation, without any I/O.

Feed it what happened and the time; perform the effects that come out, in order:

    peer = Peer(ServerSettings(), Ids(random.Random(1)), now=clock(), unix_s=time.time())
    effects = peer.open(now)                           # the session begins
    effects = peer.receive(data, now)                  # what the client said
    effects = peer.heard(fact, now)                    # what the ears found in `Hear`
    effects = peer.transcribed(item_id, result, now)   # what they made of `Transcribe`
    effects = peer.mind(response_id, output, now)      # what the mind says to `StartResponse`
    effects = peer.stopped(response_id, now)           # mind and voice are at rest, asked to or not
    effects = peer.tick(now)                           # that `next_deadline` is met

`now` is seconds on any clock that does not go back; ids come from the generator given in. Nothing a client sends
raises: it is answered with an `error` event, nothing of it is applied, and the session lives. After `Close` every
input is noted and that is all. Not safe for several threads: one thread, or one loop, feeds it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from charye.protocol import (
    ClientEvent,
    ConversationCreated,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemDeleted,
    ConversationItemRetrieve,
    ConversationItemRetrieved,
    ConversationItemTruncate,
    ConversationItemTruncated,
    FunctionCallOutputItem,
    InputAudio,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    Item,
    MessageItem,
    OutputAudioBufferClear,
    ResponseCancel,
    ResponseCreate,
    ResponseParams,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
    Shape,
    TranscriptionSessionUpdate,
    TranscriptionSessionUpdated,
    audio_base64,
)
from charye.protocol import (
    Conversation as ConversationName,
)
from charye.protocol.limits import SERVER_FRAME_MAX_BYTES
from charye.protocol.wire import Json
from charye.server import refusals
from charye.server.client_items import settled
from charye.server.conversation import Conversation, Entry
from charye.server.effects import Close, Effect, Note
from charye.server.ids import Ids
from charye.server.listening import Listening
from charye.server.outbox import Outbox
from charye.server.parts import Context, MindOutput, SpeechFact, TranscriptResult
from charye.server.reading import Incoming
from charye.server.refusals import Refused
from charye.server.responses import Responses
from charye.server.session_config import Configuration
from charye.server.settings import ServerSettings
from charye.server.wire_audio import from_pcm

__all__ = ["Peer"]

JsonObject = dict[str, Json]

# Base64 is a third more, and the rest of the event needs some room.
_RETRIEVED_AUDIO_MAX_BYTES = SERVER_FRAME_MAX_BYTES * 3 // 4 - 16_384


class Peer:
    """One session. See the module for how to use it.

    Args:
        now: of the caller's clock; the session's lifetime counts from here.
        unix_s: the same moment as Unix time, for `session.expires_at`.
    Raises:
        Refused: `settings.session` is not what a session may be.
    """

    def __init__(self, settings: ServerSettings, ids: Ids, *, now: float, unix_s: float) -> None:
        self._settings = settings
        self._box = Outbox(ids, settings.dialect)
        self._config = Configuration(
            settings, session_id=ids.session(), expires_at=int(unix_s + settings.max_s)
        )
        self._conversation = Conversation(
            ids.conversation(),
            keep_audio_ms=settings.bounds.kept_audio_s * 1000,
            max_items=settings.bounds.items,
        )
        self._responses = Responses(settings, self._config, self._conversation, self._box)
        self._listening = Listening(settings, self._config, self._conversation, self._responses, self._box)
        self._expires = now + settings.max_s
        self._closed = False

    # the line

    def open(self, now: float) -> list[Effect]:
        """The session begins: its first events."""
        box = self._box
        box.send(SessionCreated(event_id=box.id(), session=self._config.session))
        if self._settings.dialect.shape is Shape.PREVIEW:
            # Recorded: never in GA, although it is in the published types.
            name = ConversationName(self._conversation.id)
            box.send(ConversationCreated(event_id=box.id(), conversation=name))
        self._listening.attune()
        return box.take()

    def receive(self, data: ClientEvent | bytes | str, now: float) -> list[Effect]:
        """What the client said: bytes in the session's dialect, or an event in the GA shape."""
        if self._closed:
            return [Note("received after the close")]
        incoming = Incoming(data, self._settings.dialect)
        try:
            event = incoming.read(transcribes_only=self._config.transcribes_only)
            _HANDLERS[type(event)](self, event, incoming.raw, now)
        except Refused as refused:
            self._box.error(refused, incoming.event_id)
        return self._box.take()

    def disconnected(self, now: float) -> list[Effect]:
        """The client is gone: what runs may stop. Nothing is sent any more."""
        self._closed = True
        self._responses.abandon()
        return self._box.take()

    # ears and mind

    def heard(self, fact: SpeechFact, now: float) -> list[Effect]:
        """What the ears found in the audio of a `Hear`."""
        if not self._closed:
            self._listening.heard(fact, now)
        return self._box.take()

    def transcribed(self, item_id: str, result: TranscriptResult, now: float) -> list[Effect]:
        """What the ears made of a turn."""
        if not self._closed:
            self._listening.transcribed(item_id, result)
        return self._box.take()

    def mind(self, response_id: str, output: MindOutput, now: float) -> list[Effect]:
        """What a mind says; in an audio response its words and, from the voice, its samples."""
        if not self._closed:
            self._responses.mind(response_id, output, now)
        return self._box.take()

    def stopped(self, response_id: str, now: float) -> list[Effect]:
        """Mind and voice of this response are at rest. To be said for every `StartResponse`, however it ended."""
        if not self._closed:
            self._responses.stopped(response_id, now)
        return self._box.take()

    # time

    @property
    def next_deadline(self) -> float | None:
        """When to call `tick`; None: there is nothing to wait for."""
        if self._closed:
            return None
        deadlines = (self._expires, self._listening.next_deadline, self._responses.next_deadline)
        return min(one for one in deadlines if one is not None)

    def tick(self, now: float) -> list[Effect]:
        """Time has passed. Earlier than the deadline it does nothing."""
        if self._closed:
            return []
        if now >= self._expires:
            refused = refusals.session_expired(self._settings.max_s / 60)
            self._box.error(refused, None)
            # Recorded: the reason of the close is the message of the error.
            self._box.do(Close(1001, str(refused)))
            return self._box.take() + self.disconnected(now)
        self._responses.tick(now)
        self._listening.tick(now)
        return self._box.take()

    # what the shell and the tests look at

    @property
    def session_id(self) -> str:
        """`sess_...`."""
        found = self._config.session.id
        return found if isinstance(found, str) else ""

    @property
    def responses(self) -> tuple[str, ...]:
        """The responses without a `response.done`."""
        return self._responses.running

    @property
    def floor(self) -> str | None:
        """The one of them that writes into the conversation."""
        return self._responses.holder

    @property
    def items(self) -> tuple[Item, ...]:
        """The conversation."""
        return tuple(entry.item for entry in self._conversation)

    def context(self, response_id: str) -> Context | None:
        """What the mind of this response is told, as it is known by now; None: it is over."""
        return self._responses.context(response_id)

    def unwritten(self, context: Context) -> bool:
        """Whether a transcript that this context would have may still come."""
        waiting = self._listening.unwritten
        return any(getattr(item, "id", None) in waiting for item in context.items)

    # what a client may say

    def _session_update(self, event: SessionUpdate, raw: JsonObject, now: float) -> None:
        self._update(raw)
        self._box.send(SessionUpdated(event_id=self._box.id(), session=self._config.session))
        self._listening.attune()

    def _transcription_session_update(
        self, event: TranscriptionSessionUpdate, raw: JsonObject, now: float
    ) -> None:
        self._update(raw)
        self._box.send(TranscriptionSessionUpdated(event_id=self._box.id(), session=self._config.session))
        self._listening.attune()

    def _update(self, raw: JsonObject) -> None:
        session = raw.get("session")
        self._config.update(session if isinstance(session, dict) else {}, spoken=self._responses.spoken)

    def _append(self, event: InputAudioBufferAppend, raw: JsonObject, now: float) -> None:
        self._listening.append(event.audio)

    def _commit(self, event: InputAudioBufferCommit, raw: JsonObject, now: float) -> None:
        self._listening.commit(now)

    def _clear(self, event: InputAudioBufferClear, raw: JsonObject, now: float) -> None:
        self._listening.clear()

    def _output_clear(self, event: OutputAudioBufferClear, raw: JsonObject, now: float) -> None:
        raise refusals.not_here(
            event.type, "It is only for WebRTC and SIP, where the server plays the audio."
        )

    def _item_create(self, event: ConversationItemCreate, raw: JsonObject, now: float) -> None:
        entry = settled(
            event.item,
            raw.get("item"),
            self._box.ids,
            audio_format=self._config.input_format,
            path="item",
        )
        self._conversation.check_room(entry.id, event.previous_item_id)
        item = entry.item
        if isinstance(item, FunctionCallOutputItem) and not self._conversation.has_call(item.call_id):
            raise refusals.call_unknown(item.call_id)
        previous = self._conversation.add(entry, event.previous_item_id)
        self._box.item_added(item, previous)
        self._box.item_done(item, previous)
        if entry.pcm and entry.transcript is None:
            self._listening.write_down(entry)

    def _item_retrieve(self, event: ConversationItemRetrieve, raw: JsonObject, now: float) -> None:
        entry = self._conversation.retrieve(event.item_id)
        self._box.send(ConversationItemRetrieved(event_id=self._box.id(), item=self._retrieved(entry)))

    def _retrieved(self, entry: Entry) -> Item:
        """With `object`, which is in no other event (recorded), and with the user's audio, if a frame can hold it."""
        item = entry.item
        if not isinstance(item, MessageItem):
            return replace(item, object="realtime.item") if hasattr(item, "object") else item
        audio = from_pcm(entry.pcm, self._config.input_format)
        if len(audio) > _RETRIEVED_AUDIO_MAX_BYTES:
            self._box.note("an item is retrieved without its audio: too long for a frame", entry.id)
            audio = b""
        spoken = InputAudio(audio=audio_base64(audio) if audio else None, transcript=entry.transcript)
        content = tuple(spoken if isinstance(part, InputAudio) else part for part in item.content)
        return replace(item, content=content, object="realtime.item")

    def _item_delete(self, event: ConversationItemDelete, raw: JsonObject, now: float) -> None:
        self._conversation.delete(event.item_id)
        self._box.send(ConversationItemDeleted(event_id=self._box.id(), item_id=event.item_id))

    def _item_truncate(self, event: ConversationItemTruncate, raw: JsonObject, now: float) -> None:
        self._conversation.truncate(event.item_id, event.content_index, event.audio_end_ms)
        self._box.send(
            ConversationItemTruncated(
                event_id=self._box.id(),
                item_id=event.item_id,
                content_index=event.content_index,
                audio_end_ms=event.audio_end_ms,
            )
        )

    def _response_create(self, event: ResponseCreate, raw: JsonObject, now: float) -> None:
        given = raw.get("response")
        params = event.response if isinstance(event.response, ResponseParams) else ResponseParams()
        self._responses.create(params, given if isinstance(given, dict) else {}, now)

    def _response_cancel(self, event: ResponseCancel, raw: JsonObject, now: float) -> None:
        self._responses.cancel(event.response_id, now)


_HANDLERS: Mapping[type, Callable[[Peer, Any, JsonObject, float], None]] = MappingProxyType(
    {
        SessionUpdate: Peer._session_update,
        TranscriptionSessionUpdate: Peer._transcription_session_update,
        InputAudioBufferAppend: Peer._append,
        InputAudioBufferCommit: Peer._commit,
        InputAudioBufferClear: Peer._clear,
        OutputAudioBufferClear: Peer._output_clear,
        ConversationItemCreate: Peer._item_create,
        ConversationItemRetrieve: Peer._item_retrieve,
        ConversationItemDelete: Peer._item_delete,
        ConversationItemTruncate: Peer._item_truncate,
        ResponseCreate: Peer._response_create,
        ResponseCancel: Peer._response_cancel,
    }
)
"""What is done about each event. `Incoming.read` lets no other through."""
