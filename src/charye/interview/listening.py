"""What the learner says, put together from the events of a session. Pure: the caller brings the time.

A turn detector cuts where somebody stops to think, and the words come later than the speech, so several pieces may be
under way at once. They are taken together when nobody speaks and all of them are written down, or have been waited for
long enough: a recogniser that does not answer, and a line that is lost, must not end a conversation.
"""

from dataclasses import dataclass

from charye.assessment.speech import Source
from charye.protocol import (
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
)
from charye.session.events import LineLost, Utterance, UtteranceChanged

__all__ = ["EVENTS", "Listening", "Patience", "Piece", "Said"]

EVENTS = (
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferCommitted,
    LineLost,
    UtteranceChanged,
)
"""What `Listening.hear` wants to know of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited, in seconds.

    Args:
        end_of_turn_s: of silence, after which the turn detector says that the speech has ended.
        transcript_s: for the words, from the end of the speech.
        speech_s: for the end of a speech.
    """

    end_of_turn_s: float = 1.5
    transcript_s: float = 10.0
    speech_s: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Piece:
    """What was said without a break. Times are seconds of the caller's clock.

    Args:
        text: the words; empty if there are none.
        source: where they come from.
        began_s, ended_s: first and last voice; None where that is not known, and for what was typed.
    """

    item_id: str
    text: str
    source: Source = Source.SPEECH
    began_s: float | None = None
    ended_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Said:
    """A turn of the learner's: one piece, or several that belong together."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """All words."""
        return " ".join(piece.text for piece in self.pieces if piece.text)

    @property
    def source(self) -> Source:
        """Speech, unless all of it was typed."""
        typed = all(piece.source is Source.TYPED for piece in self.pieces)
        return Source.TYPED if typed else Source.SPEECH

    @property
    def began_s(self) -> float | None:
        """The first voice."""
        return self.pieces[0].began_s

    @property
    def duration_ms(self) -> float | None:
        """Of the speech without the breaks between the pieces; None if a time is missing."""
        spans = [(piece.began_s, piece.ended_s) for piece in self.pieces if piece.source is not Source.TYPED]
        known = [(ended - began) * 1000 for began, ended in spans if began is not None and ended is not None]
        return sum(known) if known and len(known) == len(spans) else None

    def __add__(self, more: "Said") -> "Said":
        """The learner went on."""
        return Said(pieces=(*self.pieces, *more.pieces))

    def __repr__(self) -> str:
        """Without the words."""
        return f"Said({len(self.pieces)} pieces, {len(self.text)} characters)"


@dataclass(slots=True)
class _Pending:
    began_s: float | None
    ended_s: float | None
    due_s: float
    source: Source = Source.SPEECH
    text: str | None = None


class Listening:
    """Of one interview.

    Args:
        patience: see there.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._speaking_since: float | None = None
        self._pressed_at: float | None = None
        self._began: dict[str, float] = {}
        self._pending: dict[str, _Pending] = {}
        self._known: set[str] = set()

    @property
    def is_speaking(self) -> bool:
        """The learner speaks, or holds the button."""
        return self._speaking_since is not None or self._pressed_at is not None

    @property
    def is_busy(self) -> bool:
        """The learner speaks, or has spoken and it is not taken yet."""
        return self.is_speaking or bool(self._pending)

    @property
    def deadline_s(self) -> float | None:
        """When `give_up` has something to do."""
        times = [pending.due_s for pending in self._pending.values() if pending.text is None]
        if self._speaking_since is not None:
            times.append(self._speaking_since + self._patience.speech_s)
        return min(times, default=None)

    def hear(self, event: object, now_s: float) -> None:
        """Something happened."""
        match event:
            case InputAudioBufferSpeechStarted(item_id=item_id):
                self._speaking_since = now_s
                self._began.setdefault(item_id, now_s)
            case InputAudioBufferSpeechStopped(item_id=item_id):
                self._stopped(item_id, now_s)
            case InputAudioBufferCommitted(item_id=item_id):
                self._committed(item_id, now_s)
            case UtteranceChanged(utterance=utterance) if utterance.speaker == "user" and utterance.is_final:
                self._written(utterance)
            case LineLost():
                self._lost(now_s)

    def press(self, now_s: float) -> None:
        """The learner holds the button."""
        self._pressed_at = now_s

    def release(self, now_s: float, *, kept: bool) -> None:
        """The learner lets it go.

        Args:
            kept: what was said goes to the server, which will name it.
        """
        began_s, self._pressed_at = self._pressed_at, None
        if kept and began_s is not None:
            # A nameless piece, until the server commits it; so nothing is missed if it never does.
            self._pending[""] = _Pending(began_s, now_s, now_s + self._patience.transcript_s)

    def give_up(self, now_s: float) -> None:
        """What is overdue will not come any more: it was said, and not understood."""
        if self._speaking_since is not None and now_s >= self._speaking_since + self._patience.speech_s:
            self._speaking_since = None
            self._pending.setdefault("", _Pending(None, None, now_s))
        for pending in self._pending.values():
            if pending.text is None and now_s >= pending.due_s:
                pending.text = ""

    def take(self) -> Said | None:
        """What was said, once nobody speaks and all of it is known."""
        if self.is_speaking or not self._pending:
            return None
        if any(pending.text is None for pending in self._pending.values()):
            return None
        pieces = tuple(
            Piece(
                item_id=item_id,
                text=pending.text or "",
                source=pending.source,
                began_s=pending.began_s,
                ended_s=pending.ended_s,
            )
            for item_id, pending in self._pending.items()
        )
        self._pending.clear()
        return Said(pieces=pieces)

    def forget(self) -> None:
        """What is under way is not wanted."""
        self._speaking_since = self._pressed_at = None
        self._pending.clear()

    def _stopped(self, item_id: str, now_s: float) -> None:
        """From here on there is something to wait for, also if the commit that should follow is lost."""
        self._speaking_since = None
        began_s = self._began.pop(item_id, None)
        ended_s = now_s - self._patience.end_of_turn_s
        if item_id not in self._known:
            self._known.add(item_id)
            self._wait_for(item_id, began_s, ended_s if began_s is None else max(ended_s, began_s), now_s)

    def _wait_for(self, item_id: str, began_s: float | None, ended_s: float | None, now_s: float) -> None:
        self._pending.setdefault(item_id, _Pending(began_s, ended_s, now_s + self._patience.transcript_s))

    def _committed(self, item_id: str, now_s: float) -> None:
        self._speaking_since = None
        if item_id in self._known:
            return
        self._known.add(item_id)
        by_hand = self._pending.pop("", None)
        self._began.pop(item_id, None)
        if by_hand is None:
            self._wait_for(item_id, None, None, now_s)
        else:
            self._wait_for(item_id, by_hand.began_s, by_hand.ended_s, now_s)

    def _written(self, utterance: Utterance) -> None:
        pending = self._pending.get(utterance.item_id)
        if pending is not None:
            pending.text = pending.text or utterance.text.strip()
            return
        if utterance.item_id in self._known or not utterance.text.strip():
            return  # late: it was given up, and the conversation has gone on
        self._known.add(utterance.item_id)
        # What is typed begins and ends at once; words whose speech was never announced have no beginning.
        typed = utterance.began_s is not None and utterance.began_s == utterance.ended_s
        source = Source.TYPED if typed else Source.SPEECH
        self._pending[utterance.item_id] = _Pending(None, None, 0.0, source, utterance.text.strip())

    def _lost(self, now_s: float) -> None:
        """Whatever the server had of it is gone. A button that is held is held on."""
        if self._speaking_since is not None:
            self._speaking_since = None
            self._pending.setdefault("", _Pending(None, None, now_s))
        for pending in self._pending.values():
            if pending.text is None:
                pending.text = ""
