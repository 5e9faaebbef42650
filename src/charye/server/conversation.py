"""The conversation as the server holds it: items in order, and of each what the wire does not show.

Source: API reference, `conversation.item.*`.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from charye.protocol import (
    FunctionCallItem,
    InputAudio,
    Item,
    Maybe,
    MessageItem,
    OutputAudio,
    Part,
)
from charye.server import refusals
from charye.server.wire_audio import BYTES_PER_MS, duration_ms

__all__ = ["Conversation", "Entry"]

FRONT = "root"


@dataclass(slots=True, eq=False)
class Entry:
    """An item, and what belongs to it.

    Args:
        item: as clients see it. Replaced when it changes: items are frozen.
        pcm: what the user said, for retrieve; emptied when too much is kept.
        audio_ms: length of the audio in it, the user's or the assistant's so far.
        transcript: what the ears made of `pcm`; the item itself keeps null (recorded sessions).
        heard: after a truncate, the words that were probably heard; the item itself has none any more.
        truncated_ms: where it was truncated.
    """

    item: Item
    pcm: bytes = field(default=b"", repr=False)
    audio_ms: float = 0.0
    transcript: str | None = field(default=None, repr=False)
    heard: str | None = field(default=None, repr=False)
    truncated_ms: int | None = None

    @property
    def id(self) -> str:
        """The item's id."""
        return getattr(self.item, "id", None) or ""

    def for_the_mind(self) -> Item:
        """The item with the words that are known of its audio."""
        item, words = self.item, self.heard if self.heard is not None else self.transcript
        if words is None or not isinstance(item, MessageItem):
            return item
        return replace(item, content=tuple(_with_words(part, words) for part in item.content))


def _with_words(part: Part, words: str) -> Part:
    return replace(part, transcript=words) if isinstance(part, InputAudio | OutputAudio) else part


class Conversation:
    """Items in order.

    Args:
        conversation_id: `conv_...`.
        keep_audio_ms: how much of the user's audio is kept; the oldest goes first.
        max_items: more are refused.
    """

    __slots__ = ("_audio", "_audio_bytes", "_by_id", "_keep_bytes", "_max_items", "_order", "id")

    def __init__(self, conversation_id: str, *, keep_audio_ms: float, max_items: int) -> None:
        self.id = conversation_id
        self._order: list[str] = []
        self._by_id: dict[str, Entry] = {}
        self._audio: deque[Entry] = deque()
        self._audio_bytes = 0
        self._keep_bytes = int(keep_audio_ms * BYTES_PER_MS)
        self._max_items = max_items

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Entry]:
        return (self._by_id[item_id] for item_id in self._order)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._by_id

    @property
    def last_id(self) -> str | None:
        """The id of the last item; None: it is empty."""
        return self._order[-1] if self._order else None

    def get(self, item_id: str) -> Entry | None:
        """The item of this id."""
        return self._by_id.get(item_id)

    def has_call(self, call_id: str) -> bool:
        """Whether a function call with this id is in it."""
        return any(
            isinstance(entry.item, FunctionCallItem) and entry.item.call_id == call_id for entry in self
        )

    def check_room(self, item_id: str, previous: Maybe[str]) -> None:
        """Whether `add` would be accepted.

        Raises:
            Refused: the id is taken, the previous item does not exist, or the conversation is full.
        """
        if item_id in self._by_id:
            raise refusals.item_exists(item_id)
        if isinstance(previous, str) and previous != FRONT and previous not in self._by_id:
            raise refusals.previous_unknown(previous)
        if len(self._order) >= self._max_items:
            raise refusals.too_many("item", len(self._order) + 1, self._max_items, "conversation")

    def add(self, entry: Entry, previous: Maybe[str] = None) -> str | None:
        """Put it behind `previous` (`root`: at the front; absent or None: at the end).

        Returns:
            the id of the item before it, None for the first.
        """
        if not isinstance(previous, str):
            at = len(self._order)
        else:
            at = 0 if previous == FRONT else self._order.index(previous) + 1
        self._order.insert(at, entry.id)
        self._by_id[entry.id] = entry
        self._keep(entry)
        return self._order[at - 1] if at else None

    def position(self, item_id: str) -> int:
        """0 for the first item."""
        return self._order.index(item_id)

    def retrieve(self, item_id: str) -> Entry:
        """The item of this id.

        Raises:
            Refused: there is none.
        """
        return self._existing("retrieve", item_id)

    def delete(self, item_id: str) -> None:
        """Take it out.

        Raises:
            Refused: there is none.
        """
        entry = self._existing("delete", item_id)
        self._order.remove(item_id)
        del self._by_id[item_id]
        self._audio_bytes -= len(entry.pcm)
        entry.pcm = b""

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut an assistant's audio, and drop its words: "the server cannot split text at an audio position".

        Raises:
            Refused: no such item, no audio of the assistant, cut before, or shorter than the cut.
        """
        entry = self._existing("truncate", item_id)
        item = entry.item
        if not isinstance(item, MessageItem) or item.role != "assistant" or not entry.audio_ms:
            raise refusals.cannot_cut()
        if content_index:
            raise refusals.out_of_range("content_index", content_index, at_least=0, at_most=0)
        if entry.truncated_ms is not None:
            raise refusals.already_truncated(item_id)
        if audio_end_ms > int(entry.audio_ms):
            raise refusals.audio_shorter(int(entry.audio_ms), audio_end_ms)
        share = audio_end_ms / entry.audio_ms
        entry.truncated_ms, entry.audio_ms = audio_end_ms, float(audio_end_ms)
        self.settle(entry, item, share)

    def settle(self, entry: Entry, item: Item, share: float | None = None) -> None:
        """The item has changed, or is final. The words of a truncated one stay dropped."""
        if entry.truncated_ms is None or not isinstance(item, MessageItem):
            entry.item = item
            return
        words = next((part.transcript or "" for part in item.content if isinstance(part, OutputAudio)), "")
        if share is not None:
            entry.heard = words[: round(len(words) * share)]
        entry.item = replace(
            item,
            content=tuple(OutputAudio() if isinstance(part, OutputAudio) else part for part in item.content),
        )

    def _existing(self, action: str, item_id: str) -> Entry:
        entry = self._by_id.get(item_id)
        if entry is None:
            raise refusals.item_unknown(action, item_id)
        return entry

    def _keep(self, entry: Entry) -> None:
        if not entry.pcm:
            return
        entry.audio_ms = duration_ms(entry.pcm)
        self._audio.append(entry)
        self._audio_bytes += len(entry.pcm)
        while self._audio_bytes > self._keep_bytes and self._audio:
            oldest = self._audio.popleft()
            self._audio_bytes -= len(oldest.pcm)
            oldest.pcm = b""
