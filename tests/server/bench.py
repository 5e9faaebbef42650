"""A server peer on the bench: every event it sends is checked against the published union before a test sees it."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from openai.types.beta.realtime import RealtimeServerEvent as PreviewServerEvent
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from charye.protocol import (
    OPENAI,
    Dialect,
    ErrorEvent,
    ServerEvent,
    Session,
    Shape,
    TranscriptionSessionUpdated,
    audio_base64,
    encode,
)
from charye.server.effects import (
    Attune,
    Close,
    Effect,
    Forget,
    Hear,
    Note,
    Send,
    StartResponse,
    StopResponse,
    Transcribe,
)
from charye.server.ids import Ids
from charye.server.parts import (
    Audio,
    Finished,
    MindOutput,
    SpeechStarted,
    SpeechStopped,
    Text,
    TranscriptResult,
)
from charye.server.peer import Peer
from charye.server.settings import ServerSettings

PUBLISHED: TypeAdapter[object] = TypeAdapter(RealtimeServerEvent)
PUBLISHED_PREVIEW: TypeAdapter[object] = TypeAdapter(PreviewServerEvent)
UNIX_S = 1_790_000_000.0

E = TypeVar("E")


def checked(event: ServerEvent, dialect: Dialect = OPENAI) -> ServerEvent:
    """The event, if the published types of the API know it in this form: those of its generation, and those of GA."""
    # The one event that only the preview has, and whose published type wants the `client_secret` of another endpoint.
    if isinstance(event, TranscriptionSessionUpdated):
        return event
    fits(ID.sub(b'"id_x"', encode(event)))
    if dialect.shape is Shape.PREVIEW:
        fits_preview(ID.sub(b'"id_x"', encode(event, dialect)))
    return event


# To the published types an id is any text. So two events that differ only in ids are checked once: a fifth of the time.
ID = re.compile(rb'"[a-z]+_[0-9A-Za-z]{21}"')


@lru_cache(maxsize=4096)
def fits(data: bytes) -> None:
    PUBLISHED.validate_json(data)


@lru_cache(maxsize=4096)
def fits_preview(data: bytes) -> None:
    PUBLISHED_PREVIEW.validate_json(data)


def pcm(ms: float) -> bytes:
    """Samples that last this long at 24 kHz."""
    return b"\x10\x00" * int(ms * 24)


@dataclass
class Bench:
    """A peer whose effects are kept by kind. `say` is the client, the other verbs are the shell."""

    settings: ServerSettings = field(default_factory=ServerSettings)
    seed: int = 1
    now: float = 100.0

    def __post_init__(self) -> None:
        self.peer = Peer(self.settings, Ids(random.Random(self.seed)), now=self.now, unix_s=UNIX_S)
        self.sent: list[ServerEvent] = []
        self.started: list[StartResponse] = []
        self.stopping: list[str] = []
        self.transcribing: list[Transcribe] = []
        self.heard_pcm: list[bytes] = []
        self.attuned: list[Attune] = []
        self.forgot = 0
        self.notes: list[Note] = []
        self.closed: Close | None = None
        self.opening = self._take(self.peer.open(self.now))

    # the client

    def say(self, kind: str | dict[str, Any] | bytes, **fields: Any) -> list[ServerEvent]:
        """The client sends this; what the server says to it."""
        if isinstance(kind, str):
            kind = {"type": kind, **fields}
        data = kind if isinstance(kind, bytes) else json.dumps(kind).encode()
        return self._take(self.peer.receive(data, self.now))

    def configure(self, **session: Any) -> Session:
        """`session.update`, accepted."""
        (event,) = self.say("session.update", session={"type": "realtime", **session})
        assert event.type == "session.updated", event
        session_now: Session = event.session  # type: ignore[union-attr]
        return session_now

    def listen(self, **detection: Any) -> Session:
        """`session.update` of the turn detection; without fields: push-to-talk."""
        return self.configure(audio={"input": {"turn_detection": detection or None}})

    def user(self, text: str = "Hello.", **fields: Any) -> list[ServerEvent]:
        """A written message of the user."""
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        return self.say("conversation.item.create", item=item | fields)

    def append(self, ms: float = 200) -> list[ServerEvent]:
        """Audio of the user."""
        return self.say("input_audio_buffer.append", audio=audio_base64(pcm(ms)))

    def create(self, event_id: str | None = None, **response: Any) -> str:
        """`response.create`, accepted: the id."""
        before = len(self.started)
        more = {"event_id": event_id} if event_id else {}
        events = self.say("response.create", response=response, **more)
        assert [event.type for event in events] == ["response.created"], events
        return self.started[before].response_id

    def refused(self, kind: str | dict[str, Any] | bytes, **fields: Any) -> dict[str, Any]:
        """The client sends this and is answered by one error; its inside."""
        (event,) = self.say(kind, **fields)
        assert isinstance(event, ErrorEvent), event
        error: dict[str, Any] = json.loads(encode(event))["error"]
        return error

    # the shell

    def heard(self, started: int | None = None, stopped: int | None = None) -> list[ServerEvent]:
        """The ears found speech at these milliseconds."""
        events: list[ServerEvent] = []
        if started is not None:
            events += self._take(self.peer.heard(SpeechStarted(started), self.now))
        if stopped is not None:
            events += self._take(self.peer.heard(SpeechStopped(stopped), self.now))
        return events

    def transcribed(self, item_id: str, result: TranscriptResult) -> list[ServerEvent]:
        return self._take(self.peer.transcribed(item_id, result, self.now))

    def mind(self, *outputs: MindOutput, to: str | None = None) -> list[ServerEvent]:
        """The mind of the last response, or of `to`, says this."""
        events: list[ServerEvent] = []
        for output in outputs:
            response_id = to or self.started[-1].response_id
            events += self._take(self.peer.mind(response_id, output, self.now))
        return events

    def answer(self, text: str = "Hi there.", ms: float = 0, to: str | None = None) -> list[ServerEvent]:
        """The mind says this and is finished."""
        sound: list[MindOutput] = [Audio(pcm(ms))] if ms else []
        return self.mind(Text(text), *sound, Finished(), to=to)

    def stopped(self, response_id: str | None = None) -> list[ServerEvent]:
        """Mind and voice are at rest."""
        return self._take(self.peer.stopped(response_id or self.stopping[-1], self.now))

    def wait(self, seconds: float) -> list[ServerEvent]:
        """Time passes; deadlines are met as they come."""
        until = self.now + seconds
        events: list[ServerEvent] = []
        while (deadline := self.peer.next_deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            events += self._take(self.peer.tick(self.now))
        self.now = until
        return events + self._take(self.peer.tick(self.now))

    def items(self) -> list[str]:
        """The ids in the conversation."""
        return [str(getattr(item, "id", None)) for item in self.peer.items]

    def _take(self, effects: list[Effect]) -> list[ServerEvent]:
        events = []
        for effect in effects:
            match effect:
                case Send(event=event):
                    assert self.closed is None, "sent after the close"
                    events.append(checked(event, self.settings.dialect))
                case StartResponse():
                    self.started.append(effect)
                case StopResponse(response_id=response_id):
                    self.stopping.append(response_id)
                case Transcribe():
                    self.transcribing.append(effect)
                case Hear(pcm=samples):
                    self.heard_pcm.append(samples)
                case Attune():
                    self.attuned.append(effect)
                case Forget():
                    self.forgot += 1
                case Note():
                    self.notes.append(effect)
                case Close():
                    self.closed = effect
        self.sent += events
        return events


def types(events: list[ServerEvent]) -> list[str]:
    return [event.type for event in events]


def one(events: list[ServerEvent], kind: type[E]) -> E:
    """The only event of this class."""
    (found,) = [event for event in events if isinstance(event, kind)]
    return found


def plain(event: ServerEvent) -> dict[str, Any]:
    """The event as JSON."""
    value: dict[str, Any] = json.loads(encode(event))
    return value
