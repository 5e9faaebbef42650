"""What every struct of the wire shares.

Three things can be said about a field, and the API tells them apart: a value, `null`, or nothing at all
(`turn_detection: null` switches it off, leaving it out keeps it). `Maybe[T]` is the type of such a field, `UNSET`
its default; an `UNSET` field is not written.
"""

from typing import TypeAlias, TypeVar

from msgspec import UNSET, Struct, UnsetType

__all__ = ["UNKNOWN_TAG", "UNSET", "Json", "Maybe", "ServerEventBase", "Tagged", "Unknown", "UnsetType"]

T = TypeVar("T")

Maybe: TypeAlias = T | UnsetType | None
"""A value, `None` for the wire's null, or `UNSET` for absent."""

Json: TypeAlias = object
"""Any JSON value, not looked into. An alias, because a field may itself be called `object`."""

UNKNOWN_TAG = "charye.unknown"
"""Stands for a `type` we do not know, inside the process only; the codec puts it on and takes it off."""


class Tagged(Struct, frozen=True, tag_field="type"):
    """A struct that the wire names by its `type`."""

    @property
    def type(self) -> str:
        """The name on the wire, such as `response.create` or `input_text`."""
        return str(self.__struct_config__.tag)


class ServerEventBase(Tagged, frozen=True, kw_only=True):
    """What every server event has: an id of the server's own. None: this server gives none."""

    event_id: str | None = None


class Unknown(Tagged, frozen=True):
    """An object of a `type` that is not in our tables, or that does not fit what its `type` promises.

    Args:
        fields: the whole object as it came, `type` included; `codec.encode` writes it so again.
    """

    fields: dict[str, Json]

    @property
    def type(self) -> str:
        """The `type` it came with; empty if that was no text."""
        return self._text("type") or ""

    @property
    def id(self) -> str | None:
        """Its id, if it has one."""
        return self._text("id")

    def _text(self, name: str) -> str | None:
        value = self.fields.get(name)
        return value if isinstance(value, str) else None
