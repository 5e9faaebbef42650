"""One event on its way, as a fault sees it: the bytes, and what is in them if somebody looks.

Faults work on what is on the wire, not on the peer's structs: the same fault then serves both generations of the API,
and what no fault touches leaves as the bytes it came as.
"""

from collections.abc import Mapping
from random import Random

import msgspec

from charye.protocol.wire import Json
from charye.server.ids import Ids

__all__ = ["Fields", "Wire", "error_event", "server_event"]

Fields = dict[str, Json]


class Wire:
    """An event. What is no JSON object has no fields, and the kind is empty.

    Args:
        raw: the bytes; the only thing that counts.
    """

    __slots__ = ("_fields", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._fields: Fields | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Json]) -> "Wire":
        """An event with these fields."""
        return cls(msgspec.json.encode(fields))

    @property
    def fields(self) -> Fields:
        """What is in it; a copy may be changed and given to `of`."""
        if self._fields is None:
            try:
                found: Json = msgspec.json.decode(self.raw)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                found = None
            self._fields = found if isinstance(found, dict) else {}
        return self._fields

    @property
    def kind(self) -> str:
        """Its `type`."""
        return self.text("type") or ""

    def text(self, *path: str) -> str | None:
        """The text at this place; None if there is none."""
        found = self._at(path)
        return found if isinstance(found, str) else None

    def object(self, *path: str) -> Fields:
        """The object at this place; empty if there is none."""
        found = self._at(path)
        return found if isinstance(found, dict) else {}

    def number(self, *path: str) -> float | None:
        """The number at this place."""
        found = self._at(path)
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None

    def list(self, *path: str) -> "list[Json]":
        """The list at this place; empty if there is none."""
        found = self._at(path)
        return found if isinstance(found, list) else []

    def inside(self, name: str, **changed: Json) -> "Wire":
        """The same event with these fields of its object `name` replaced."""
        return Wire.of(self.fields | {name: self.object(name) | changed})

    @property
    def in_band(self) -> bool:
        """Whether a `response.create` wants the floor, or a response writes into the conversation."""
        response = self.object("response")
        if self.kind == "response.create":
            return response.get("conversation") != "none"
        return isinstance(response.get("conversation_id"), str)

    @property
    def refusal(self) -> bool:
        """It is the error about a response that runs already."""
        return (
            self.kind == "error" and self.text("error", "code") == "conversation_already_has_active_response"
        )

    def _at(self, path: tuple[str, ...]) -> Json:
        found: Json = self.fields
        for name in path:
            if not isinstance(found, dict):
                return None
            found = found.get(name)
        return found

    def __repr__(self) -> str:
        # Not the bytes: they may be what somebody said.
        return f"Wire({self.kind!r}, {len(self.raw)} bytes)"


def server_event(kind: str, chance: Random, **fields: Json) -> Wire:
    """An event of the server that its peer did not send."""
    return Wire.of({"type": kind, "event_id": Ids(chance).event(), **fields})


def error_event(
    chance: Random,
    code: str | None,
    message: str,
    *,
    event_id: str | None = None,
    kind: str = "invalid_request_error",
) -> Wire:
    """An `error`.

    Args:
        event_id: of the client's event that it is about.
        kind: `error.type`.
    """
    error = {"type": kind, "code": code, "message": message, "param": None, "event_id": event_id}
    return server_event("error", chance, error=error)
