"""What the server's peer wants done: frozen data, performed by the shell in the order given."""

from dataclasses import dataclass, field

from charye.protocol import ServerEvent, Transcription, TurnDetection
from charye.server.parts import Context

__all__ = [
    "Attune",
    "Close",
    "Effect",
    "Forget",
    "Hear",
    "Note",
    "Send",
    "StartResponse",
    "StopResponse",
    "Transcribe",
]


@dataclass(frozen=True, slots=True)
class Send:
    """Put this event on the wire, after every earlier one, in the session's dialect."""

    event: ServerEvent


@dataclass(frozen=True, slots=True)
class StartResponse:
    """Ask the mind; answer with `Peer.mind(response_id, ...)` and, when it is over, `Peer.stopped(response_id)`.

    Args:
        context: as it is now. Transcripts that come later are in `Peer.context(response_id)`.
        voice, speed: what speaks it, if it is to be heard.
    """

    response_id: str
    context: Context
    voice: str
    speed: float


@dataclass(frozen=True, slots=True)
class StopResponse:
    """Stop the mind and the voice of this response. What still comes of it is noted or dropped.

    Answer with `Peer.stopped(response_id)` when it has stopped.
    """

    response_id: str


@dataclass(frozen=True, slots=True)
class Attune:
    """Tell the ears which turn detection is in force; None is push-to-talk."""

    detection: TurnDetection | None


@dataclass(frozen=True, slots=True)
class Hear:
    """Let the ears hear these samples (24 kHz PCM16); answer with `Peer.heard`, before anything else is received."""

    pcm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Forget:
    """Tell the ears that the speech that is going on, if any, is over without an end."""


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Write down a turn of the user; answer with `Peer.transcribed(item_id, ...)`.

    Args:
        wish: as the session says; None: for the mind only, no event is sent.
    """

    item_id: str
    pcm: bytes = field(repr=False)
    wish: Transcription | None


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection, after everything that was sent; nothing may be sent any more."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """A fact for the journal.

    Args:
        what: constant text, can be counted.
        about: the id it is about, or an error code; never what a person said.
    """

    what: str
    about: str = ""


Effect = Send | StartResponse | StopResponse | Attune | Hear | Forget | Transcribe | Close | Note
