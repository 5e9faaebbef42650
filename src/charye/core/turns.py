"""Turns: whether the user has the floor. A table; courtesy, not safety.

The server refuses what must not be; this machine only keeps us from talking over people and from asking while
the server is about to reply by itself. Its deadlines open the floor again when a speech event was lost or a
noise turn got no reply.

`pressed` is push-to-talk: the user holds the button, the server knows nothing of it. A reply that was created
ends only `awaited`: one that crosses the start of new speech must not clear `speaking`, or our next create
would go out over the user.
"""

from enum import Enum

from charye.core.settings import Patience
from charye.errors import LocalProtocolError
from charye.protocol import AudioConfig, AudioInputConfig, Session, TurnDetection

__all__ = ["TURNS", "Turn", "TurnInput", "Turns"]


class Turn(Enum):
    """Where the user's turn is."""

    QUIET = "quiet"
    SPEAKING = "speaking"
    STOPPED = "stopped"  # speech has ended, its item is not committed yet
    AWAITED = "awaited"  # the server's reply is due
    DOUBTED = "doubted"  # as awaited, but a response was running, so the server may have left its reply out
    PRESSED = "pressed"


class TurnInput(Enum):
    """What can happen to it."""

    STARTED = "speech started"
    ENDED = "speech stopped"
    COMMITTED = "committed, the server replies"
    COMMITTED_INTO = "committed, into a running response"
    COMMITTED_ONLY = "committed, no reply by itself"
    REPLIED = "the server's reply is created"
    EXPIRED = "deadline"
    PRESS = "press"
    RELEASE = "release"
    LOST = "connection lost"


T, I = Turn, TurnInput
VAD_STATES = (T.QUIET, T.SPEAKING, T.STOPPED, T.AWAITED, T.DOUBTED)

TURNS: dict[tuple[Turn, TurnInput], Turn] = {
    **{(turn, I.STARTED): T.SPEAKING for turn in VAD_STATES},
    **{(turn, I.ENDED): T.STOPPED for turn in VAD_STATES},
    **{(turn, I.COMMITTED): T.AWAITED for turn in VAD_STATES},
    **{(turn, I.COMMITTED_INTO): T.DOUBTED for turn in VAD_STATES},
    **{(turn, I.COMMITTED_ONLY): T.QUIET for turn in VAD_STATES},
    **{(turn, I.REPLIED): turn for turn in Turn},
    (T.AWAITED, I.REPLIED): T.QUIET,
    (T.DOUBTED, I.REPLIED): T.QUIET,
    **{(turn, I.EXPIRED): T.QUIET for turn in VAD_STATES},
    **{(turn, I.PRESS): T.PRESSED for turn in VAD_STATES},
    (T.PRESSED, I.RELEASE): T.QUIET,
    **{(turn, I.LOST): T.QUIET for turn in VAD_STATES},
    # While the button is held, the hand decides, not the server's ears; also over a dropped connection.
    **{(T.PRESSED, what): T.PRESSED for what in TurnInput if what not in (I.RELEASE, I.PRESS)},
}


class Turns:
    """The user's side of the floor, and what the session's turn detection means for it."""

    __slots__ = ("_patience", "deadline", "detects", "interrupts", "server_replies", "turn")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.turn = Turn.QUIET
        self.deadline: float | None = None
        self.detects = True
        self.server_replies = True
        self.interrupts = True

    @property
    def is_quiet(self) -> bool:
        """Whether a create may go out as far as the user is concerned."""
        return self.turn is Turn.QUIET

    @property
    def is_users(self) -> bool:
        """Whether the user has the floor now."""
        return self.turn in (Turn.SPEAKING, Turn.STOPPED, Turn.PRESSED)

    def configure(self, session: Session) -> None:
        """Take over what `session.created` or `session.updated` says; what it leaves out stays.

        No turn detection is push-to-talk: the server neither replies nor interrupts by itself. Server and
        semantic VAD do both unless told otherwise (API reference, `turn_detection`).
        """
        heard = session.audio.input if isinstance(session.audio, AudioConfig) else None
        if not isinstance(heard, AudioInputConfig):
            return
        detection = heard.turn_detection
        if detection is None:
            self.detects = self.server_replies = self.interrupts = False
            if self.turn is not Turn.PRESSED:
                self.turn, self.deadline = Turn.QUIET, None  # nobody will say how that turn went on
        elif isinstance(detection, TurnDetection):
            self.detects = True
            self.server_replies = detection.replies
            self.interrupts = detection.interrupts

    def step(self, what: TurnInput, now: float) -> Turn:
        """Move and set the deadline; gives the turn that was before.

        Raises:
            LocalProtocolError: `PRESS` while pressed, `RELEASE` while not; nothing has changed.
        """
        before = self.turn
        after = TURNS.get((before, what))
        if after is None:
            raise LocalProtocolError("turns: no such row", state=before.name, given=what.name)
        self.turn = after
        if what is TurnInput.REPLIED and after is before:
            return before  # no word of the user's: no time is won by it
        if after is Turn.SPEAKING:
            self.deadline = now + self._patience.speech_s
        elif after in (Turn.STOPPED, Turn.AWAITED, Turn.DOUBTED):
            self.deadline = now + self._patience.reply_s
        else:
            self.deadline = None
        return before

    def expires(self, now: float) -> bool:
        """Whether the deadline is met."""
        return self.deadline is not None and now >= self.deadline
