"""The mirror: the server's conversation as far as we were told, so that it can be built again.

Items keep the order of `previous_item_id`. What we send ourselves is in it at once, because a connection may be
lost before the server says that it has it. A rebuild names every item anew: no id of the old connection, and no
call id, is ever sent into the next one.
"""

from dataclasses import dataclass

from charye.protocol import (
    AudioPart,
    ConversationItemCreate,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    InputImage,
    InputText,
    Item,
    MessageItem,
    OutputAudio,
    OutputText,
    Part,
    TextPart,
)

__all__ = ["Conversation", "Entry"]


@dataclass(slots=True)
class Entry:
    """One item as last told.

    Args:
        transcript: of the user's audio, once it was recognised.
        heard_ms: where the item was truncated; None: it was not.
    """

    item: Item
    transcript: str | None = None
    heard_ms: int | None = None


class Conversation:
    """The items in order, the oldest forgotten first when there are too many."""

    __slots__ = ("_bound", "_entries")

    def __init__(self, *, bound: int) -> None:
        self._bound = bound
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> list[Entry]:
        """All of them, in order."""
        return list(self._entries.values())

    def get(self, item_id: str) -> Entry | None:
        """The item of this id."""
        return self._entries.get(item_id)

    def put(self, item: Item, previous_item_id: str | None = None) -> None:
        """An item entered, or is told anew. After `previous_item_id`; at the end where that is not known."""
        item_id = getattr(item, "id", None)
        if not isinstance(item_id, str):
            return
        known = self._entries.get(item_id)
        if known is not None:
            known.item = item
            return
        self._entries[item_id] = Entry(item)
        if previous_item_id in self._entries and previous_item_id != next(reversed(self._entries)):
            self._move_after(item_id, previous_item_id)
        if len(self._entries) > self._bound:
            del self._entries[next(iter(self._entries))]

    def delete(self, item_id: str) -> None:
        """An item is gone. One that we do not know may be."""
        self._entries.pop(item_id, None)

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """An assistant item was cut: the server has dropped its whole text (API reference, truncate)."""
        entry = self._entries.get(item_id)
        if entry is not None:
            entry.heard_ms = heard_ms

    def transcribe(self, item_id: str, transcript: str) -> None:
        """What the user said in this item. It may come after the whole reply."""
        entry = self._entries.get(item_id)
        if entry is not None:
            entry.transcript = transcript

    def rebuild(self, epoch: int) -> tuple[list[ConversationItemCreate], list[str]]:
        """The events that make an empty conversation say the same, and the mirror as it is after them.

        Returns:
            The events, and the ids of items that cannot be said again: audio that was not recognised, what was
            not heard, and items that only the server can make. Calls without an output are in neither: their
            results come by `tools`.
        """
        kept: list[Entry] = []
        left_out: list[str] = []
        calls = {
            entry.item.call_id: entry.item
            for entry in self.entries()
            if isinstance(entry.item, FunctionCallItem)
        }
        for item_id, entry in self._entries.items():
            renewed = _renewed(entry, calls, epoch, len(kept))
            kept += renewed
            if not renewed and not isinstance(entry.item, FunctionCallItem):
                left_out.append(item_id)
        self._entries = {str(getattr(entry.item, "id", "")): entry for entry in kept}
        return [ConversationItemCreate(item=entry.item) for entry in kept], left_out

    def _move_after(self, item_id: str, previous_item_id: str | None) -> None:
        moved = self._entries.pop(item_id)
        entries, self._entries = self._entries, {}
        for other_id, entry in entries.items():
            self._entries[other_id] = entry
            if other_id == previous_item_id:
                self._entries[item_id] = moved


def _renewed(entry: Entry, calls: dict[str, FunctionCallItem], epoch: int, count: int) -> list[Entry]:
    item, item_id = entry.item, f"r{epoch}_{count}"
    if isinstance(item, FunctionCallOutputItem):
        call = calls.get(item.call_id)
        if call is None:
            return []
        call_id = f"call_{epoch}_{count}"
        again = FunctionCallItem(id=item_id, call_id=call_id, name=call.name, arguments=call.arguments)
        output = FunctionCallOutputItem(id=f"r{epoch}_{count + 1}", call_id=call_id, output=item.output)
        return [Entry(again), Entry(output)]
    if not isinstance(item, MessageItem):
        return []
    content = _content_of(item, entry)
    if not content:
        return []
    return [Entry(MessageItem(id=item_id, role=item.role, content=content), heard_ms=entry.heard_ms)]


def _content_of(item: MessageItem, entry: Entry) -> tuple[Part, ...]:
    """What is known to have been said, as text, and pictures as they are.

    An assistant's turn that was cut off before it was heard says nothing.
    """
    if entry.heard_ms is not None:
        return ()
    pictures = tuple(part for part in item.content if isinstance(part, InputImage))
    words = [entry.transcript or ""]
    for part in item.content:
        if isinstance(part, InputText | OutputText | TextPart):
            words.append(part.text)
        elif isinstance(part, InputAudio | OutputAudio | AudioPart) and not entry.transcript:
            words.append(part.transcript or "")
    text = " ".join(word for word in words if word)
    if not text:
        return pictures
    return (OutputText(text=text) if item.role == "assistant" else InputText(text=text), *pictures)
