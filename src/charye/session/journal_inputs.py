"""What can be told to the core but what the server says: one row for each method of `Peer` that is an input.

The journal writes the arguments under these names, the replay reads them with these types. A new method of `Peer`
needs a row here; a test compares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from charye.core.effects import Effect
from charye.core.peer import Peer
from charye.core.requests import RequestId, ResponseRequest
from charye.core.tools import Answer
from charye.protocol import Item

__all__ = ["INPUTS", "Row", "feed"]


@dataclass(frozen=True, slots=True)
class Row:
    """One input.

    Args:
        takes: names and types of its arguments but `now`, in the order of the method's signature.
        by_name: those of them that are given by keyword.
        timed: whether it takes `now`.
    """

    takes: Mapping[str, Any] = field(default_factory=dict)
    by_name: frozenset[str] = frozenset()
    timed: bool = True

    @property
    def needs(self) -> tuple[str, ...]:
        """The arguments that must be there: those by keyword have a default."""
        return tuple(name for name in self.takes if name not in self.by_name)


INPUTS: Mapping[str, Row] = MappingProxyType(
    {
        "connected": Row(),
        "disconnected": Row(),
        "close": Row(),
        "request": Row({"request": ResponseRequest}),
        "cancel": Row({"request_id": RequestId}),
        "interrupt": Row(),
        "hold": Row({"name": str}),
        "let_go": Row({"name": str}),
        "press": Row(),
        "microphone": Row({"duration_ms": float}, timed=False),
        "release": Row({"reply": ResponseRequest | None}, by_name=frozenset({"reply"})),
        "take_back": Row(),
        "add_item": Row({"item": Item}),
        "tool_finished": Row({"call_id": str, "answer": Answer}),
        "played": Row(
            {"item_id": str, "played_ms": float, "content_index": int}, by_name=frozenset({"content_index"})
        ),
        "tick": Row(),
    }
)


def feed(peer: Peer, method: str, given: Mapping[str, object], now: float) -> list[Effect]:
    """Tell the peer, as the row says. `given`: the arguments by name, all but those by keyword.

    Raises:
        LocalProtocolError: the core calls it illegal; nothing has changed.
    """
    row = INPUTS[method]
    in_order = [given[name] for name in row.needs]
    by_name = {name: value for name, value in given.items() if name in row.by_name}
    effects = getattr(peer, method)(*in_order, *((now,) if row.timed else ()), **by_name)
    return effects or []
