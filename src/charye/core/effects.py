"""What the core wants done: frozen data, performed by the shell in the order given.

The shell performs each effect and tells the peer when it could not (`Peer.disconnected`, `Peer.tool_finished`
with an error). Perform all effects of one call before the next call: they are in order, and a loudspeaker that
reports from inside `Play` would break it. Nothing is dropped in silence: a refusal, a requeue, an ignored event is
a `Note` at least.
"""

from dataclasses import dataclass

from charye.core.requests import Outcome, Progress, RequestId
from charye.protocol import ClientEvent, ResponseOutputAudioDelta

__all__ = ["AbandonTool", "Effect", "Note", "Play", "Reconnect", "RunTool", "Send", "StopPlayback", "Tell"]


@dataclass(frozen=True, slots=True)
class Send:
    """Put this event on the wire, after every earlier one."""

    event: ClientEvent


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the asker of `request_id`. After an `Outcome` nothing more is told about it."""

    request_id: RequestId
    change: Progress | Outcome


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run this tool now; several run at once. Answer with `Peer.tool_finished(call_id, ...)`.

    Args:
        arguments: the model's JSON text as it came: not checked, perhaps not valid, perhaps empty.
    """

    call_id: str
    name: str
    arguments: str
    response_id: str


@dataclass(frozen=True, slots=True)
class AbandonTool:
    """Nobody waits for this call any more; stopping its work is allowed, a late answer is noted and dropped."""

    call_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Play:
    """Append the event's audio (still base64) to the loudspeaker's queue."""

    event: ResponseOutputAudioDelta
    duration_ms: float


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Silence now: drop what the loudspeaker has queued for these responses, at once."""

    response_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Give this connection up and open another; nothing of the old one is to be fed to the peer any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """A fact for the journal: what was ignored, waited for, or recovered from.

    Args:
        what: constant text, can be counted.
        about: the id it is about, or an error code; never what a person said.
    """

    what: str
    about: str = ""


Effect = Send | Tell | RunTool | AbandonTool | Play | StopPlayback | Reconnect | Note
