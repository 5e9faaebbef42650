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
    InputText,
    Item,
    MessageItem,
    OutputAudio,
    OutputText,
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

    def rebuild(self, epoch: int) -> list[ConversationItemCreate]:
        """The events that make an empty conversation say the same, and the mirror as it is after them.

        Left out: audio that was not recognised, calls without an output (their results come by `tools`), and
        items that only the server can make.
        """
        kept: list[Entry] = []
        calls = {
            entry.item.call_id: entry.item
            for entry in self.entries()
            if isinstance(entry.item, FunctionCallItem)
        }
        for entry in self.entries():
            kept += _renewed(entry, calls, epoch, len(kept))
        self._entries = {str(getattr(entry.item, "id", "")): entry for entry in kept}
        return [ConversationItemCreate(item=entry.item) for entry in kept]

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
    text = _text_of(entry)
    if not text:
        return []
    part = OutputText(text=text) if item.role == "assistant" else InputText(text=text)
    return [Entry(MessageItem(id=item_id, role=item.role, content=(part,)), heard_ms=entry.heard_ms)]


def _text_of(entry: Entry) -> str:
    """What is known to have been said; an assistant's turn that was cut off before it was heard says nothing."""
    if not isinstance(entry.item, MessageItem) or entry.heard_ms is not None:
        return ""
    words = [entry.transcript or ""]
    for part in entry.item.content:
        if isinstance(part, InputText | OutputText | TextPart):
            words.append(part.text)
        elif isinstance(part, InputAudio | OutputAudio | AudioPart) and not entry.transcript:
            words.append(part.transcript or "")
    return " ".join(word for word in words if word)
