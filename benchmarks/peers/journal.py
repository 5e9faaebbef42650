"""What the server saw of a run, before any fault of the line: the truth that the figures are counted from."""

import time
from dataclasses import dataclass, field

from benchmarks.peers.marks import marks_in
from charye.protocol import (
    ErrorEvent,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputTextDelta,
)
from charye.server.effects import Effect, Send
from charye.server.faulting.line import Heard, Tap

__all__ = ["Journal", "Spoken"]

_REFUSAL = "conversation_already_has_active_response"
_APPEND = b'"input_audio_buffer.append"'


@dataclass(slots=True)
class Spoken:
    """One response in the conversation.

    Args:
        created_at, done_at: seconds of the machine's monotonic clock; None: it never ended.
        status: of its end.
        marks: what it carried, in order; partial ones with their `?`.
    """

    created_at: float
    done_at: float | None = None
    status: str = ""
    marks: tuple[str, ...] = ()


@dataclass(slots=True)
class Journal:
    """Of one run. Its three methods are what the server calls.

    Args:
        refusals: `conversation_already_has_active_response`, as sent.
        errors: codes of all other errors.
        connections: how many there were.
        strikes: faults, by name.
        moved_at: when anything but microphone audio was last on the wire.
    """

    responses: dict[str | None, Spoken] = field(default_factory=dict)
    refusals: int = 0
    errors: list[str] = field(default_factory=list)
    connections: int = 0
    strikes: list[str] = field(default_factory=list)
    moved_at: float = 0.0

    def observe(self, effect: Effect) -> None:
        """What a session decided, whether or not it arrives."""
        if not isinstance(effect, Send):
            return
        now = time.monotonic()
        match effect.event:
            case ResponseCreated(response=response) if response.conversation_id is not None:
                self.responses[response.id] = Spoken(now)
            case ResponseDone(response=response) if response.id in self.responses:
                spoken = self.responses[response.id]
                spoken.done_at, spoken.status = now, response.status or ""
            # Not from `response.done`: what a client has truncated is no longer in it, though it was said.
            case ResponseOutputAudioTranscriptDelta() | ResponseOutputTextDelta() as words:
                if words.response_id in self.responses:
                    self.responses[words.response_id].marks += tuple(marks_in(words.delta))
            case ErrorEvent(error=error) if error.code == _REFUSAL:
                self.refusals += 1
            case ErrorEvent(error=error):
                self.errors.append(error.code or error.type)
            case _:
                pass

    def tap(self, session: int) -> Tap:
        """What sees the wire of the n-th session."""
        self.connections = session

        def write(heard: Heard) -> None:
            if heard.mark == "!":
                self.strikes.append(heard.data.decode().split()[1])
            elif _APPEND not in heard.data[:64]:
                self.moved_at = time.monotonic()

        return write
