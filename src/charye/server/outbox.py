"""What one input leads to, gathered in order; and the events that several modules send."""

from charye.protocol import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDone,
    Dialect,
    ErrorEvent,
    Item,
    RefusalCode,
    ServerEvent,
)
from charye.protocol.error import ErrorDetail
from charye.server.effects import Effect, Note, Send
from charye.server.ids import Ids
from charye.server.refusals import Refused

__all__ = ["Outbox"]


class Outbox:
    """The effects of the input that is being worked on.

    Args:
        ids: where ids come from; `id()` is one for an event.
        dialect: decides how an item enters, and what an error says.
    """

    __slots__ = ("_dialect", "_effects", "id", "ids")

    def __init__(self, ids: Ids, dialect: Dialect) -> None:
        self.ids = ids
        self.id = ids.event
        self._dialect = dialect
        self._effects: list[Effect] = []

    def take(self) -> list[Effect]:
        """All there is, oldest first; afterwards it is empty."""
        effects, self._effects = self._effects, []
        return effects

    def send(self, event: ServerEvent) -> None:
        """Say it to the client."""
        self._effects.append(Send(event))

    def do(self, effect: Effect) -> None:
        """Have something else done."""
        self._effects.append(effect)

    def note(self, what: str, about: str = "") -> None:
        """Write it into the journal."""
        self._effects.append(Note(what, about))

    def item_added(self, item: Item, previous_item_id: str | None) -> None:
        """An item has entered the conversation; older dialects say it once, with another name."""
        kind = ConversationItemAdded if self._dialect.item_added else ConversationItemCreated
        self.send(kind(event_id=self.id(), item=item, previous_item_id=previous_item_id))

    def item_done(self, item: Item, previous_item_id: str | None) -> None:
        """An item is final. Older dialects do not say it."""
        if self._dialect.item_added:
            self.send(ConversationItemDone(event_id=self.id(), item=item, previous_item_id=previous_item_id))

    def error(self, refused: Refused, event_id: str | None) -> None:
        """Answer the client event `event_id` with an error, in the dialect's way of saying it."""
        dialect = self._dialect
        detail = refused.detail(event_id if dialect.echoes_event_id is not False else None)
        if dialect.refusal_code is RefusalCode.IN_TYPE:
            detail = ErrorDetail(
                detail.code or detail.type, detail.message, None, detail.param, detail.event_id
            )
        elif dialect.refusal_code is RefusalCode.TEXT_ONLY:
            detail = ErrorDetail(detail.type, detail.message, None, detail.param, detail.event_id)
        self.send(ErrorEvent(event_id=self.id(), error=detail))
