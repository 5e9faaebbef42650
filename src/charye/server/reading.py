"""What a client sent, checked: an event that fits, or the error that says what is wrong with it.

Unlike the client's side, which guesses what a sloppy server means, a server answers: unknown fields, wrong types and
values are refused by name, and nothing of the event is applied. Source: API reference, "errors".
"""

import msgspec

from charye.errors import MalformedEvent
from charye.protocol import (
    OPENAI,
    ClientEvent,
    Dialect,
    InputAudioBufferAppend,
    Shape,
    UnknownEvent,
    decode_client_event,
    encode,
)
from charye.protocol.preview import to_ga
from charye.protocol.wire import Json
from charye.server import refusals
from charye.server.shapes import EVENTS, PREVIEW_TRANSCRIPTION_SESSION, SESSIONS, TRANSCRIPTION_EVENTS

__all__ = ["Incoming", "check_session"]

JsonObject = dict[str, Json]
_NOT_JSON = "The event is not a valid JSON object."


class Incoming:
    """One message of a client.

    Args:
        data: as it came, in the dialect; an event is taken in the GA shape whatever the dialect.

    Attributes:
        event_id: the client's; None as long as it is not known, or if it has none.
        raw: the JSON object in the GA shape, after `read`.
    """

    __slots__ = ("_data", "_dialect", "event_id", "raw")

    def __init__(self, data: ClientEvent | bytes | str, dialect: Dialect) -> None:
        self._data = data
        self._dialect = dialect if isinstance(data, bytes | str) else OPENAI
        self.event_id: str | None = None
        self.raw: JsonObject = {}

    def read(self, *, transcribes_only: bool) -> ClientEvent:
        """The event, of one of the known types; it fits in every field.

        Args:
            transcribes_only: the session is of the type `transcription`.
        Raises:
            Refused: with `event_id` set if there is one.
        """
        data = self._data
        if isinstance(data, InputAudioBufferAppend):
            self.event_id = data.event_id
            return data
        if not isinstance(data, bytes | str):
            try:
                data = encode(data)
            except UnicodeEncodeError:
                raise refusals.no_event(_NOT_JSON) from None
        event = self._decode(data)
        # An audio frame every 20 ms: its one field is checked where it is decoded.
        if isinstance(event, InputAudioBufferAppend):
            self.event_id = event.event_id
            return event
        raw = self._parse(data)
        self._check(raw, transcribes_only=transcribes_only)
        if event is None or isinstance(event, UnknownEvent):
            raise refusals.no_event("The event does not fit its type.")
        self.raw = raw if self._dialect.shape is Shape.GA else to_ga(raw)
        return event

    def _decode(self, data: bytes | str) -> ClientEvent | None:
        try:
            return decode_client_event(data, self._dialect)
        except MalformedEvent:
            return None  # what is wrong is found below, with its name

    def _parse(self, data: bytes | str) -> JsonObject:
        try:
            value = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise refusals.no_event(_NOT_JSON) from None
        if not isinstance(value, dict):
            raise refusals.no_event(_NOT_JSON)
        if isinstance(event_id := value.get("event_id"), str):
            self.event_id = event_id
        return value

    def _check(self, raw: JsonObject, *, transcribes_only: bool) -> None:
        kind = raw.get("type")
        if not isinstance(kind, str):
            raise refusals.no_event()
        shape = self._dialect.shape
        known = EVENTS[shape]
        supported = tuple(name for name in known if not transcribes_only or name in TRANSCRIPTION_EVENTS)
        if kind not in supported:
            raise refusals.unsupported_value("type", kind, supported)
        known[kind](raw, "")
        if kind == "session.update":
            SESSIONS[shape, "transcription" if transcribes_only else "realtime"](raw["session"], "session")
        elif kind == "transcription_session.update":
            PREVIEW_TRANSCRIPTION_SESSION(raw["session"], "session")


def check_session(session: Json) -> None:
    """Whether this is what a `session.update` of the GA shape may hold: for client secrets and configurations.

    Raises:
        Refused: it is not.
    """
    if not isinstance(session, dict):
        raise refusals.invalid_type("session", "an object", session)
    kind = "transcription" if session.get("type") == "transcription" else "realtime"
    SESSIONS[Shape.GA, kind](session, "session")
