"""What a session tells besides the server's own events, and who listens.

`Session.events()` gives both: the frozen events of `charye.protocol`, and these. Who names the types it wants gets only
those, and nothing else crosses over from the engine for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast, get_args

from charye.core.peer import Speaker
from charye.core.requests import Outcome, Progress
from charye.errors import DeviceError
from charye.protocol import ResponseOutputAudioDelta, ServerEvent

__all__ = [
    "Audio",
    "FloorChanged",
    "LineLost",
    "LineUp",
    "Missed",
    "PlaybackStopped",
    "RequestChanged",
    "SessionEvent",
    "SoundFailed",
    "Subscription",
    "Utterance",
    "UtteranceChanged",
]


E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Audio:
    """Samples to play, in the session's output format; everything before is to be played first.

    Args:
        content_index: which part of the item; `Session.played` counts for each part from its start.
    """

    response_id: str
    item_id: str
    content_index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PlaybackStopped:
    """Silence now: drop what is queued of these responses."""

    response_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FloorChanged:
    """Somebody else has the floor now."""

    speaker: Speaker


@dataclass(frozen=True, slots=True)
class SoundFailed:
    """The microphone or the loudspeaker of the session has failed; the conversation goes on without it.

    Args:
        device: `microphone` or `loudspeaker`.
    """

    device: str
    error: DeviceError


@dataclass(frozen=True, slots=True)
class LineUp:
    """A connection stands; the first is number 1. The conversation has been built again on later ones."""

    number: int


@dataclass(frozen=True, slots=True)
class LineLost:
    """The connection is gone. Another is tried, unless the session ends.

    Args:
        reason: constant text; `renewed` is a planned change before the server's time limit.
    """

    reason: str
    close_code: int | None = None


@dataclass(frozen=True, slots=True)
class RequestChanged:
    """What became of a request, those that the session makes by itself included.

    Args:
        trigger: why it was made: `tool:get_weather`, `say`, `ptt`, ...
    """

    request_id: str
    trigger: str
    change: Progress | Outcome


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one side said in one go, as far as it is known.

    Args:
        item_id: names it; one utterance is told again each time more is known about it.
        speaker: `user` or `assistant`.
        private_text: the words.
        began_s, ended_s: since the session began; None: not known yet. The user's: when the server heard them. The
            assistant's: when the first sound was ours to play, and when the words were complete.
        heard_ms: where the assistant was cut off; None: it was not.
        response_id: of the assistant's.
        is_final: no more words will come.
    """

    item_id: str
    speaker: str
    private_text: str = ""
    began_s: float | None = None
    ended_s: float | None = None
    heard_ms: float | None = None
    response_id: str | None = None
    is_final: bool = False

    @property
    def text(self) -> str:
        """The words."""
        return self.private_text

    def __repr__(self) -> str:
        # A transcript in a log by mistake should not be somebody's words.
        return f"Utterance({self.item_id!r}, {self.speaker!r}, {len(self.private_text)} chars)"


@dataclass(frozen=True, slots=True)
class UtteranceChanged:
    """There is more to the transcript: a new utterance, or more is known about one."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Missed:
    """This listener was too slow, and so many of the oldest events that it had not taken were dropped."""

    count: int


SessionEvent: TypeAlias = (
    Audio
    | PlaybackStopped
    | FloorChanged
    | SoundFailed
    | LineUp
    | LineLost
    | RequestChanged
    | UtteranceChanged
    | Missed
    | ServerEvent
)

OWN: frozenset[type] = frozenset(
    {Missed, PlaybackStopped, FloorChanged, SoundFailed, LineUp, LineLost, RequestChanged, UtteranceChanged}
)
_SERVER: frozenset[type] = frozenset(get_args(ServerEvent))
EVERYTHING_BUT_AUDIO: frozenset[type] = (OWN | _SERVER) - {ResponseOutputAudioDelta}
"""What a listener gets that names no types."""

MAX_UNREAD = 10_000


class Subscription(Generic[E]):
    """One listener's queue. An async iterator; it ends with the session. On the session's loop.

    A listener that is too slow misses the oldest events. That is counted (`missed`), and told by a `Missed` where that
    is among the types, or no types were named.

    Args:
        waits: is called when somebody begins to wait for the next event.
    """

    def __init__(self, types: Iterable[type], waits: Callable[[], object]) -> None:
        self.types = frozenset(types) or EVERYTHING_BUT_AUDIO
        self.reader: asyncio.Task[object] | None = None
        """Who waits for the next event; None: whoever reads it has something to do."""
        self._waits = waits
        self._events: deque[Any] = deque()
        self._untold = 0
        self.missed = 0
        """Events that were dropped so far."""
        self._changed = asyncio.Event()
        self._ended = False
        self._error: BaseException | None = None

    def __aiter__(self) -> "Subscription[E]":
        return self

    async def __anext__(self) -> E:
        while True:
            if self._untold and Missed in self.types:
                event, self._untold = Missed(self._untold), 0
                return cast("E", event)
            if self._events:
                return cast("E", self._events.popleft())
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            self.reader = asyncio.current_task()
            self._waits()
            try:
                await self._changed.wait()
            finally:
                self.reader = None

    def put(self, event: SessionEvent) -> bool:
        """One more; whether it is wanted."""
        if type(event) not in self.types:
            return False
        if len(self._events) >= MAX_UNREAD:
            self._events.popleft()
            self.miss(1)
        self._events.append(event)
        self._changed.set()
        return True

    def miss(self, count: int) -> None:
        """So many events did not even get here."""
        self.missed += count
        self._untold += count
        self._changed.set()

    def end(self, error: BaseException | None = None) -> None:
        """There will be no more."""
        self._ended, self._error = True, error
        self._changed.set()
