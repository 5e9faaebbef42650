"""What a server really did, before any fault could touch it: the other half of every law."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from charye.audio.pcm import WIRE_RATE_HZ, duration_ms
from charye.core.requests import TOKEN_KEY
from charye.protocol import (
    ErrorEvent,
    InputAudioBufferSpeechStarted,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    audio_bytes,
)
from charye.server.effects import Effect, Note, Send

__all__ = ["Spoken", "Truth"]


@dataclass(slots=True)
class Spoken:
    """One response in the conversation, as it was generated.

    Args:
        token: of the create that it answers; None: it is the server's own.
        audio_ms: how long it is.
        status: empty while it runs.
    """

    response_id: str
    token: str | None
    audio_ms: float = 0.0
    status: str = ""

    @property
    def is_whole(self) -> bool:
        """It was generated to its end."""
        return self.status in ("completed", "incomplete")


@dataclass(slots=True)
class Truth:
    """Sees every effect of every session of one server (`ServeSettings.observe`).

    Args:
        spoken: responses, in the order of their creation.
        errors: codes of what the server itself refused.
        strikes: names of the faults that struck.
        calls: function calls that were made whole.
        turns: how often the ears heard somebody begin to speak.
    """

    spoken: dict[str, Spoken] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    strikes: Counter[str] = field(default_factory=Counter)
    calls: list[ResponseFunctionCallArgumentsDone] = field(default_factory=list)
    turns: int = 0

    def observe(self, effect: Effect) -> None:
        """One effect."""
        match effect:
            case Send(event=ResponseCreated(response=response)):
                token = (response.metadata or {}).get(TOKEN_KEY)
                response_id = str(response.id)
                self.spoken[response_id] = Spoken(response_id, token)
            case Send(event=ResponseDone(response=response)):
                self.spoken[str(response.id)].status = str(response.status)
            case Send(event=ResponseOutputAudioDelta() as delta):
                ms = duration_ms(audio_bytes(delta), sample_rate_hz=WIRE_RATE_HZ)
                self.spoken[delta.response_id].audio_ms += ms
            case Send(event=ErrorEvent(error=error)):
                self.errors[str(error.code)] += 1
            case Send(event=ResponseFunctionCallArgumentsDone() as call):
                self.calls.append(call)
            case Send(event=InputAudioBufferSpeechStarted()):
                self.turns += 1
            case Note(what=what) if what.startswith("fault "):
                self.strikes[what.removeprefix("fault ")] += 1

    def answers(self) -> dict[str, list[Spoken]]:
        """Responses by the token that they answer."""
        found: dict[str, list[Spoken]] = defaultdict(list)
        for one in self.spoken.values():
            if one.token is not None:
                found[one.token].append(one)
        return found
