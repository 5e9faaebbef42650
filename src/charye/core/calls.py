"""Tool calls as data: what a tool answers, where a call is, and the calls of one response."""

from dataclasses import dataclass, field
from enum import Enum

from charye.core.requests import RequestId

__all__ = ["CALLS", "Answer", "Call", "CallInput", "CallState", "Reply", "Round"]


class Reply(Enum):
    """What the model is to do about an answer."""

    NORMAL = "normal"  # speak about it
    SILENT = "silent"  # know it
    SAY_NOW = "say now"  # say the given words


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool gives back.

    Args:
        output: what the model reads, usually JSON.
        words: what is said, with `SAY_NOW`.
        failed: the output describes a failure.
    """

    output: str
    reply: Reply = Reply.NORMAL
    words: str = ""
    failed: bool = False


class CallState(Enum):
    """Where a call is."""

    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    ABANDONED = "abandoned"


class CallInput(Enum):
    """What can happen to it."""

    ANSWER = "answer"
    FAIL = "fail"
    TIME_OUT = "time out"
    ABANDON = "abandon"


S, I = CallState, CallInput
CALLS: dict[tuple[CallState, CallInput], CallState] = {
    (S.RUNNING, I.ANSWER): S.ANSWERED,
    (S.RUNNING, I.FAIL): S.FAILED,
    (S.RUNNING, I.TIME_OUT): S.TIMED_OUT,
    (S.RUNNING, I.ABANDON): S.ABANDONED,
}
"""A call that is not running has had its answer; whatever comes after it is noted and dropped."""


@dataclass(slots=True)
class Call:
    """One call. `orphaned`: its connection is gone. `spoken`: a follow-up about it was asked for."""

    call_id: str
    name: str
    arguments: str
    deadline: float
    state: CallState = CallState.RUNNING
    answer: Answer | None = None
    orphaned: bool = False
    spoken: bool = False


@dataclass(slots=True)
class Round:
    """The calls of one response.

    Args:
        response_id: while its connection stands; after it, something that no response is called.
        name: what its follow-ups are called by. A server may count its responses per connection, or not name them.
        follow_ups: how many were asked for.
        unseen: outputs that are not known to be in the conversation.
        asked: follow-ups that do not speak yet, each with whether later results may join it while it waits.
    """

    response_id: str
    name: str
    calls: dict[str, Call] = field(default_factory=dict)
    spoke: bool = False
    over: bool = False
    follow_ups: int = 0
    cap_at: float | None = None
    unseen: set[str] = field(default_factory=set)
    asked: dict[RequestId, bool] = field(default_factory=dict)
