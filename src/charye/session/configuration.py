"""What the session is to be like on the server: told on every new connection, changed in between, silenced by a hold.

The wish is ours and outlives connections; what is in force is the server's word. A change is answered by
`session.updated` or by an error that names our event; where a server gives neither, patience ends the wait.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from msgspec import UNSET, Struct
from msgspec.structs import replace

from charye.errors import ServerError
from charye.protocol import (
    AudioConfig,
    AudioFormat,
    AudioInputConfig,
    Dialect,
    ErrorEvent,
    Session,
    SessionConfig,
    SessionUpdate,
    TurnDetection,
)

__all__ = ["Change", "Configuration", "log_refusal", "merged"]

log = logging.getLogger(__name__)

_NESTED = ("audio", "input", "output")


@dataclass(frozen=True, slots=True)
class Change:
    """An update to be sent, and its answer: done when the server took it, or when the line is lost.

    The answer is a `ServerError` where the server refuses it.
    """

    event: SessionUpdate
    answer: asyncio.Future[None]


def merged(old: SessionConfig, new: SessionConfig) -> SessionConfig:
    """`old`, changed by everything that `new` says; `audio` is merged field by field, as the server does."""
    return replace(old, **_changes(old, new))


def _changes(old: Struct, new: Struct) -> dict[str, object]:
    changes: dict[str, object] = {}
    for name in new.__struct_fields__:
        value = getattr(new, name)
        if value is UNSET:
            continue
        before = getattr(old, name)
        if name in _NESTED and isinstance(value, Struct) and type(before) is type(value):
            value = replace(before, **_changes(before, value))
        changes[name] = value
    return changes


@dataclass(frozen=True, slots=True)
class _Asked:
    """An update without an answer. `change`: what becomes part of the wish unless it is refused."""

    event_id: str
    answer: asyncio.Future[None]
    change: SessionConfig | None


class Configuration:
    """Of one session. On the engine's loop.

    Args:
        wish: what the program asks for.
    """

    def __init__(self, wish: SessionConfig) -> None:
        self._agreed = wish
        self._effective = Session()
        self._is_held = False
        self._before_hold: TurnDetection | None = None
        self._count = 0
        self._unanswered: deque[_Asked] = deque()

    @property
    def effective(self) -> Session:
        """The session as the server last said it."""
        return self._effective

    @property
    def input_format(self) -> AudioFormat:
        """Of the user's voice, as the server last said it."""
        audio = self._effective.audio
        heard = audio.input if isinstance(audio, AudioConfig) else None
        form = heard.format if isinstance(heard, AudioInputConfig) else None
        return form if isinstance(form, AudioFormat) else AudioFormat(type="audio/pcm")

    @property
    def latest(self) -> asyncio.Future[None] | None:
        """The answer to the newest update that has none yet."""
        return self._unanswered[-1].answer if self._unanswered else None

    def adapt(self, dialect: Dialect) -> bool:
        """Once the dialect is known. True: the replies to the user's turns have to be asked for by us.

        A server that does not echo metadata and replies by itself leaves open whose a response is. So it is told not
        to.
        """
        if dialect.echoes_metadata or not dialect.server_replies:
            return False
        detection = self._wish.turn_detection
        if detection is None:
            return False
        if isinstance(detection, TurnDetection) and not detection.replies:
            return False  # the program wants no replies, or asks for them itself
        told = detection if isinstance(detection, TurnDetection) else TurnDetection()
        self._agreed = merged(self._agreed, _detecting(replace(told, create_response=False)))
        return True

    def whole(self) -> Change | None:
        """What a new connection is to be told; None: nothing, the server's defaults will do."""
        self.line_lost()
        whole = self._with_hold(self._wish)
        return self._update(whole) if whole != SessionConfig() else None

    def change(self, change: SessionConfig) -> Change:
        """From now on, and on every later connection, unless the server refuses it."""
        return self._update(self._with_hold(change), change)

    def hold(self, *, is_held: bool) -> Change | None:
        """While the floor is held the server neither replies nor can be interrupted. None: it does not reply anyway."""
        usual = self._usual_detection()
        self._is_held, self._before_hold = is_held, usual if is_held else None
        if usual is None:
            return None
        return self._update(_detecting(_silenced(usual) if is_held else usual))

    # what the server says

    def updated(self, session: Session, *, is_answer: bool) -> None:
        """`session.created` or, as the answer to an update, `session.updated`."""
        self._effective = session
        if is_answer and self._unanswered:
            self._settle(self._unanswered.popleft())

    def refused(self, event: ErrorEvent) -> bool:
        """An error; whether it was the answer to one of our updates."""
        for at, asked in enumerate(self._unanswered):
            if asked.event_id == event.error.event_id:
                del self._unanswered[at]
                if not asked.answer.done():
                    asked.answer.set_exception(
                        ServerError(
                            error_type=event.error.type,
                            code=event.error.code,
                            param=event.error.param,
                            client_event_id=asked.event_id,
                            private_message=event.error.message,
                        )
                    )
                    asked.answer.exception()  # nobody may be waiting
                return True
        return False

    def line_lost(self) -> None:
        """Nobody will answer any more; the next connection is told everything anew."""
        while self._unanswered:
            self._settle(self._unanswered.popleft())

    @property
    def _wish(self) -> SessionConfig:
        """What was agreed, with what was asked for since."""
        wish = self._agreed
        for asked in self._unanswered:
            wish = merged(wish, asked.change) if asked.change is not None else wish
        return wish

    def _settle(self, asked: _Asked) -> None:
        """It was taken, or nobody will ever say that it was not."""
        if asked.change is not None:
            self._agreed = merged(self._agreed, asked.change)
        if not asked.answer.done():
            asked.answer.set_result(None)

    def _update(self, config: SessionConfig, change: SessionConfig | None = None) -> Change:
        self._count += 1
        event_id = f"charye.session.{self._count}"
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unanswered.append(_Asked(event_id, answer, change))
        return Change(SessionUpdate(event_id=event_id, session=config), answer)

    def _usual_detection(self) -> TurnDetection | None:
        """What holds when nothing is held: our wish, or else what the server had in force when the hold began."""
        wished = self._wish.turn_detection
        if wished is None or isinstance(wished, TurnDetection):
            return wished
        if self._before_hold is not None:
            return self._before_hold
        in_force = self._effective.turn_detection
        return in_force if isinstance(in_force, TurnDetection) else None

    def _with_hold(self, config: SessionConfig) -> SessionConfig:
        if not self._is_held:
            return config
        detection = config.turn_detection
        usual = detection if isinstance(detection, TurnDetection) else self._usual_detection()
        return merged(config, _detecting(_silenced(usual))) if usual is not None else config


def _detecting(detection: TurnDetection) -> SessionConfig:
    return SessionConfig(audio=AudioConfig(input=AudioInputConfig(turn_detection=detection)))


def _silenced(detection: TurnDetection) -> TurnDetection:
    return replace(detection, create_response=False, interrupt_response=False)


def log_refusal(answer: asyncio.Future[None]) -> None:
    """For an answer that nobody waits for."""
    error = None if answer.cancelled() else answer.exception()
    if isinstance(error, ServerError):
        log.error(
            "the server refuses a change of the session", extra={"code": error.code, "param": error.param}
        )
