"""What is asked for, and what can become of it.

A `ResponseRequest` is what an asker wants; a `Ticket` is its place in the world, from the moment it is
accepted until its one `Outcome`. Steps on the way are `Progress`; both reach the asker as `effects.Tell`.
"""

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Literal, NewType

from charye.protocol import ResponseParams
from charye.protocol.limits import METADATA_MAX_PAIRS

__all__ = [
    "TOKEN_KEY",
    "OnInterruption",
    "OnReconnect",
    "OnUserSpeech",
    "Outcome",
    "OutcomeKind",
    "Priority",
    "Progress",
    "RequestId",
    "ResponseRequest",
    "SameKey",
    "Stage",
    "Starts",
    "Step",
    "Ticket",
]

RequestId = NewType("RequestId", str)

TOKEN_KEY = "charye"
"""The metadata key under which a create carries its token. One of the sixteen pairs is therefore ours."""


class Priority(IntEnum):
    """Classes of requests; a lower number speaks first, age breaks ties. Waiting raises a request (`Waiting`)."""

    SCRIPT = 0
    USER = 1
    TOOL = 2
    NOTICE = 3
    IDLE = 4


class OnUserSpeech(Enum):
    """What a request that is not speaking yet does when the user starts to speak."""

    KEEP = "keep"
    DROP = "drop"


class OnInterruption(Enum):
    """What a request does that was cut off while it was speaking, or before all of it was heard."""

    DROP = "drop"
    RESUME = "resume"


class OnReconnect(Enum):
    """What a request does whose response was asked for, or was running, when the connection was lost.

    REPLAY asks again: at least once, perhaps twice. FAIL ends it as `disconnected`: at most once.
    """

    REPLAY = "replay"
    FAIL = "fail"


class Starts(Enum):
    """When a request may start, after the one before it."""

    AFTER_GENERATED = "generated"  # no gap: its audio queues up behind what is still playing
    AFTER_HEARD = "heard"  # the room is quiet first


class SameKey(Enum):
    """What a request does with a waiting one of the same coalesce key."""

    JOIN = "join"  # both are served by one response and end alike
    REPLACE = "replace"  # the older ends as cancelled, the newer takes its place in the line


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRequest:
    """One wish for one response.

    Args:
        id: unique among all requests of a peer; the asker's choice.
        trigger: why, for people: `tool:get_weather`, `say:summary`, `user:ptt`. Never what was said.
        parameters: sent as they are, but for our token in `metadata`.
        coalesce_key: requests of the same key are one while they wait, see `SameKey`.
        expires_after_s: longest wait before the create is sent; counts from the request, also over a refusal.
        max_attempts: creates sent in all, before it ends as `failed(exhausted)`.
        cuts_in: may cancel a running response of a lower class.
        hold: the hold of the floor that it belongs to (`Peer.hold`); that hold must stand when it is asked for. Silent
            out-of-band requests take no floor, so it means nothing to them.

    Raises:
        ValueError: the metadata leaves no room for the token, or a number is out of range.
    """

    id: RequestId
    trigger: str
    priority: Priority = Priority.USER
    conversation: Literal["auto", "none"] = "auto"
    parameters: ResponseParams = field(default_factory=ResponseParams)
    coalesce_key: str | None = None
    same_key: SameKey = SameKey.JOIN
    expires_after_s: float | None = None
    max_attempts: int = 20
    on_user_speech: OnUserSpeech = OnUserSpeech.KEEP
    on_interruption: OnInterruption = OnInterruption.DROP
    on_reconnect: OnReconnect = OnReconnect.REPLAY
    starts: Starts = Starts.AFTER_GENERATED
    cuts_in: bool = False
    hold: str | None = None

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValueError("max_attempts is at least 1")
        if self.expires_after_s is not None and self.expires_after_s < 0:
            raise ValueError("expires_after_s is not negative")
        if len(self.metadata) >= METADATA_MAX_PAIRS:
            raise ValueError(f"metadata has {METADATA_MAX_PAIRS} pairs at most, one of them is ours")

    @property
    def metadata(self) -> dict[str, str]:
        """The asker's own metadata, without our token; empty when there is none."""
        given = self.parameters.metadata
        return dict(given) if isinstance(given, dict) else {}

    @property
    def speaks_aloud(self) -> bool:
        """Whether the response may carry audio. What the session's default is, is not known here: assume so."""
        given = self.parameters.output_modalities
        return not isinstance(given, list | tuple) or "audio" in given


class Step(Enum):
    """Where a request stands, for its asker. It may fall back to QUEUED; the reason is told."""

    QUEUED = "queued"
    SENT = "sent"
    SPEAKING = "speaking"
    GENERATED = "generated"


@dataclass(frozen=True, slots=True)
class Progress:
    """A step that is not the end.

    Args:
        reason: why it fell back to QUEUED; how it is incomplete, with GENERATED.
        trigger: the request's own, on its first step only. So the shell learns of requests that the core has made.
    """

    step: Step
    reason: str = ""
    response_id: str | None = None
    trigger: str = ""


class OutcomeKind(Enum):
    """The ends, one of which every accepted request reaches exactly once."""

    HEARD = "heard"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    EXPIRED = "expired"
    DENIED = "denied"
    FAILED = "failed"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a request.

    Args:
        reason: a constant for people and programs, such as `asker`, `queue full`, `stuck`, `max_output_tokens`.
        code: the server's error code, where it gave one.
        heard_ms: how much of the audio was heard, where that is not all of it.
        uncertain: the evidence was lost on the way; `docs/reference/invariants.md` names the cases.
        attempts: creates sent for it.
        waited_s: seconds between the request and its last create; until the end, when none was sent.
    """

    kind: OutcomeKind
    reason: str = ""
    code: str | None = None
    heard_ms: float | None = None
    uncertain: bool = False
    attempts: int = 0
    waited_s: float = 0.0


class Stage(Enum):
    """Where a ticket stands, for the coordinator."""

    WAITING = "waiting"
    ASKED = "asked"  # a create is unanswered
    SPEAKING = "speaking"  # its response runs
    HEARING = "hearing"  # generated, not yet heard
    ENDED = "ended"


@dataclass(slots=True)
class Ticket:
    """The place of one accepted request: mutable, owned by the coordinator, gone when the request ends.

    Args:
        number: its identity; never used twice.
        age: its place in the line; lower asked earlier. A refused request keeps it, a replacing one takes it over.
        stage: moved by the coordinator and the lanes only.
        response_id: of its latest response.
        ending: how its response was incomplete, if it was.
        expires_at: seconds on the caller's clock after which it is not sent any more; None: never.
        sent_at: when its last create went out.
        resting_until: not asked before this time (backoff after a retryable failure).
        askers: the requests it serves; more than one after coalescing, none when all have cancelled.
        uncertain: the end of its response was inferred, not seen.
    """

    request: ResponseRequest
    number: int
    age: int
    asked_at: float
    stage: Stage = Stage.WAITING
    sent_at: float | None = None
    attempts: int = 0
    unanswered: int = 0
    failures: int = 0
    resting_until: float = 0.0
    askers: list[RequestId] = field(default_factory=list)
    response_id: str | None = None
    uncertain: bool = False
    ending: str = ""
    expires_at: float | None = None
