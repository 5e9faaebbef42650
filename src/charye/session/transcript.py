"""Who said what: the conversation in words, put together from the server's events.

Words come late and out of order: the transcript of what a user said may come after the whole reply. So an utterance is
there from the moment somebody speaks, in the order of the conversation, and is told again whenever more is known.
"""

from collections.abc import Callable
from dataclasses import replace

from charye.protocol import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemTruncated,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputText,
    Item,
    MessageItem,
    ResponseOutputAudioDelta,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
    ServerEvent,
)
from charye.session.events import Utterance

__all__ = ["Scribe"]


class Scribe:
    """Writes down one session.

    Args:
        began_at: on the clock of `now`; times of utterances count from here.
    """

    def __init__(self, began_at: float) -> None:
        self._began_at = began_at
        self._utterances: dict[str, Utterance] = {}
        self._spoken_at: dict[str, tuple[float, float | None]] = {}  # heard by the server, not yet an item
        self._again: set[str] = set()
        self._snapshot: tuple[Utterance, ...] | None = ()

    @property
    def utterances(self) -> tuple[Utterance, ...]:
        """All so far, in the order of the conversation; the same object until something changes."""
        if self._snapshot is None:
            self._snapshot = tuple(self._utterances.values())
        return self._snapshot

    def hear(self, event: ServerEvent, now: float) -> Utterance | None:
        """Take note of an event; gives the utterance that it changed."""
        handler = _HANDLERS.get(type(event))
        return handler(self, event, now - self._began_at) if handler is not None else None

    def sounds(self, event: ResponseOutputAudioDelta, now: float) -> Utterance | None:
        """The assistant's audio; only the first of an item tells something."""
        known = self._utterances.get(event.item_id)
        if known is not None and known.began_s is not None:
            return None
        return self._say(event.item_id, event.response_id, began_s=now - self._began_at)

    def typed(self, item_id: str, text: str, now: float) -> Utterance:
        """The user wrote instead of speaking."""
        at = now - self._began_at
        return self._put(Utterance(item_id, "user", text, began_s=at, ended_s=at, is_final=True))

    def renewed(self, item_id: str) -> None:
        """This item says again what was said before: the conversation is being built again."""
        self._again.add(item_id)

    def line_lost(self, now: float) -> list[Utterance]:
        """Nothing more will be told about what was being said. The assistant says it again on the next line, or not."""
        return [
            self._put(replace(each, ended_s=each.ended_s or now - self._began_at, is_final=True))
            for each in self.utterances
            if not each.is_final
        ]

    # the user

    def _started(self, event: InputAudioBufferSpeechStarted, at: float) -> Utterance | None:
        if event.item_id:
            self._spoken_at[event.item_id] = at, None
        return None

    def _stopped(self, event: InputAudioBufferSpeechStopped, at: float) -> Utterance | None:
        if event.item_id in self._spoken_at:
            self._spoken_at[event.item_id] = self._spoken_at[event.item_id][0], at
        return None

    def _committed(self, event: InputAudioBufferCommitted, at: float) -> Utterance:
        began, ended = self._spoken_at.pop(event.item_id, (None, at))
        known = self._utterances.get(event.item_id) or Utterance(event.item_id, "user")
        return self._put(replace(known, began_s=began, ended_s=ended if ended is not None else at))

    def _recognised(self, event: ConversationItemInputAudioTranscriptionCompleted, at: float) -> Utterance:
        known = self._utterances.get(event.item_id) or Utterance(event.item_id, "user", ended_s=at)
        return self._put(replace(known, private_text=event.transcript, is_final=True))

    def _not_recognised(
        self, event: ConversationItemInputAudioTranscriptionFailed, _at: float
    ) -> Utterance | None:
        known = self._utterances.get(event.item_id)
        return self._put(replace(known, is_final=True)) if known is not None else None

    def _item(
        self, event: ConversationItemAdded | ConversationItemCreated | ConversationItemDone, at: float
    ) -> Utterance | None:
        item = event.item
        if not isinstance(item, MessageItem) or item.role != "user" or not isinstance(item.id, str):
            return None
        text = _written(item)
        if item.id in self._utterances or item.id in self._again or not text:
            return None
        return self._put(Utterance(item.id, "user", text, began_s=at, ended_s=at, is_final=True))

    # the assistant

    def _more(
        self, event: ResponseOutputAudioTranscriptDelta | ResponseOutputTextDelta, at: float
    ) -> Utterance:
        known = self._utterances.get(event.item_id)
        text = (known.private_text if known is not None else "") + event.delta
        return self._say(event.item_id, event.response_id, text=text, began_s=at)

    def _said(self, event: ResponseOutputAudioTranscriptDone, at: float) -> Utterance:
        return self._say(event.item_id, event.response_id, text=event.transcript, began_s=at, ended_s=at)

    def _wrote(self, event: ResponseOutputTextDone, at: float) -> Utterance:
        return self._say(event.item_id, event.response_id, text=event.text, began_s=at, ended_s=at)

    def _over(self, event: ResponseOutputItemDone, _at: float) -> Utterance | None:
        item_id = getattr(event.item, "id", None)
        known = self._utterances.get(item_id) if isinstance(item_id, str) else None
        return self._put(replace(known, is_final=True)) if known is not None and not known.is_final else None

    def _cut(self, event: ConversationItemTruncated, at: float) -> Utterance | None:
        known = self._utterances.get(event.item_id)
        if known is None:
            return None
        return self._put(
            replace(
                known, heard_ms=float(event.audio_end_ms or 0), ended_s=known.ended_s or at, is_final=True
            )
        )

    def _unsaid(self, event: ConversationItemDeleted, at: float) -> Utterance | None:
        """An assistant's item that is deleted was not heard at all; a user's is taken back."""
        known = self._utterances.get(event.item_id)
        if known is None:
            return None
        return self._put(replace(known, heard_ms=0.0, ended_s=known.ended_s or at, is_final=True))

    def _say(
        self,
        item_id: str,
        response_id: str,
        *,
        text: str | None = None,
        began_s: float,
        ended_s: float | None = None,
    ) -> Utterance:
        known = self._utterances.get(item_id) or Utterance(item_id, "assistant", response_id=response_id)
        if known.began_s is None:
            known = replace(known, began_s=began_s)
        if known.is_final and text is not None:
            return known  # cut off before; what the server still says about it was not heard
        return self._put(
            replace(
                known,
                private_text=known.private_text if text is None else text,
                ended_s=ended_s or known.ended_s,
                is_final=known.is_final,
            )
        )

    def _put(self, utterance: Utterance) -> Utterance:
        self._utterances[utterance.item_id] = utterance
        self._snapshot = None
        return utterance


def _written(item: Item) -> str:
    if not isinstance(item, MessageItem):
        return ""
    return " ".join(part.text for part in item.content if isinstance(part, InputText))


# What each event means to the transcript. The keys are the argument types of the values.
_HANDLERS: dict[type, Callable[..., Utterance | None]] = {
    InputAudioBufferSpeechStarted: Scribe._started,
    InputAudioBufferSpeechStopped: Scribe._stopped,
    InputAudioBufferCommitted: Scribe._committed,
    ConversationItemInputAudioTranscriptionCompleted: Scribe._recognised,
    ConversationItemInputAudioTranscriptionFailed: Scribe._not_recognised,
    ConversationItemAdded: Scribe._item,
    ConversationItemCreated: Scribe._item,
    ConversationItemDone: Scribe._item,
    ResponseOutputAudioTranscriptDelta: Scribe._more,
    ResponseOutputTextDelta: Scribe._more,
    ResponseOutputAudioTranscriptDone: Scribe._said,
    ResponseOutputTextDone: Scribe._wrote,
    ResponseOutputItemDone: Scribe._over,
    ConversationItemTruncated: Scribe._cut,
    ConversationItemDeleted: Scribe._unsaid,
}
