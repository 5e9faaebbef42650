"""An event whose `type` is not in our tables."""

from dataclasses import dataclass, field

__all__ = ["UnknownEvent"]


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """Something new: passed on, never an error.

    Args:
        response_id: of the response that it is about, where it says so in the usual place.
        data: the event as it came, in UTF-8; `codec.encode` gives it back unchanged. Not in the repr, because
            it may be what somebody said.
    """

    type: str
    event_id: str | None
    data: bytes = field(repr=False)
    response_id: str | None = None
