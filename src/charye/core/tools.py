"""The ledger of tool calls: a table per call, and the one reply that the calls of a response earn.

Calls run at once, as soon as their arguments are complete, and their outputs go to the server as they come. A
create per output would collide, so there is ONE follow-up for a response: when it is over and all its calls are
answered, or when a cap on the slowest has passed; what comes later earns one more, by the same rule.

A result whose connection is gone has a call id that means nothing in the new one: call and output are then
written into the new conversation under fresh ids. If another response that already had the outputs before it
speaks in the meantime (the user asked on, the server replied), it has told them, and the follow-up is taken back.
"""

import json
from dataclasses import dataclass, field
from enum import Enum

from charye.core.effects import AbandonTool, Effect, Note, RunTool, Send
from charye.core.requests import Priority, RequestId, ResponseRequest
from charye.core.settings import ToolPolicy
from charye.protocol import ConversationItemCreate, FunctionCallItem, FunctionCallOutputItem, ResponseParams

__all__ = ["CALLS", "Answer", "CallInput", "CallState", "Reply", "Tools"]


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
    """The calls of one response. `follow_ups`: how many were asked for; `unseen`: outputs not in the conversation."""

    response_id: str
    calls: dict[str, Call] = field(default_factory=dict)
    spoke: bool = False
    over: bool = False
    follow_ups: int = 0
    cap_at: float | None = None
    unseen: set[str] = field(default_factory=set)
    asked: RequestId | None = None


class Tools:
    """All calls that are not yet spoken about, by response."""

    __slots__ = ("_epoch", "_out", "_policy", "_renewed", "_rounds", "wanted", "withdrawn")

    def __init__(self, policy: ToolPolicy, out: list[Effect]) -> None:
        self._policy = policy
        self._out = out
        self._rounds: dict[str, Round] = {}
        self._epoch = 0
        self._renewed = 0
        self.wanted: list[ResponseRequest] = []
        self.withdrawn: list[RequestId] = []

    # what the server says

    def asked(self, response_id: str, call_id: str, name: str, arguments: str, now: float) -> None:
        """A call's arguments are complete. Told twice (arguments done, item done, response done), it runs once."""
        round_ = self._rounds.setdefault(response_id, Round(response_id))
        if call_id in round_.calls or round_.over:
            return
        round_.calls[call_id] = Call(call_id, name, arguments, deadline=now + self._policy.timeout_s)
        self._out.append(RunTool(call_id, name, arguments, response_id))

    def spoke(self, response_id: str) -> None:
        """The response has a message too."""
        self._rounds.setdefault(response_id, Round(response_id)).spoke = True

    def response_over(self, response_id: str, now: float, *, wanted: bool = True) -> None:
        """No further calls come from it. `wanted=False`: it failed or was cancelled, so will be its calls."""
        round_ = self._rounds.get(response_id)
        if round_ is None or round_.over:
            return
        round_.over = True
        if not wanted:
            for call in round_.calls.values():
                self._abandon(call, "its response is not wanted")
            del self._rounds[response_id]
            return
        self._settle(round_, now)

    def seen(self, item_id: str) -> None:
        """An item is in the conversation; perhaps one of our outputs."""
        for round_ in self._rounds.values():
            round_.unseen.discard(item_id)

    def answered_by_another(self) -> None:
        """A response that is not ours begins: it has before it all outputs that are in the conversation."""
        for round_ in list(self._rounds.values()):
            telling = any(
                call.answer is not None and call.answer.reply is Reply.SAY_NOW
                for call in round_.calls.values()
            )
            if round_.asked is not None and not round_.unseen and not telling:
                self.withdrawn.append(round_.asked)
                self._close(round_)

    # what the app says

    def finished(self, call_id: str, answer: Answer, now: float) -> None:
        """A call has its answer. Late ones (timed out, abandoned, unknown) are noted and dropped."""
        found = next((r for r in self._rounds.values() if call_id in r.calls), None)
        call = found.calls[call_id] if found else None
        what = CallInput.FAIL if answer.failed else CallInput.ANSWER
        if found is None or call is None or (call.state, what) not in CALLS:
            self._out.append(Note("a tool's answer that nobody waits for", about=call_id))
            return
        self._answer(found, call, what, answer, now)

    def awaited(self) -> list[RequestId]:
        """The follow-ups that were asked for and do not speak yet."""
        return [round_.asked for round_ in self._rounds.values() if round_.asked is not None]

    def told(self, request_id: RequestId) -> None:
        """A follow-up is being spoken, or has ended: what it is about is told."""
        for round_ in list(self._rounds.values()):
            if round_.asked == request_id:
                self._close(round_)

    # what time and the line say

    def tick(self, now: float) -> None:
        """Time out slow calls; speak about what is there when the slowest takes too long."""
        for round_ in list(self._rounds.values()):
            for call in list(round_.calls.values()):
                if call.state is CallState.RUNNING and call.deadline <= now:
                    self._out.append(AbandonTool(call.call_id, "timed out"))
                    failure = Answer(_failure("timed_out", "the tool took too long"), failed=True)
                    self._answer(round_, call, CallInput.TIME_OUT, failure, now)
            self._settle(round_, now)

    def next_deadline(self) -> float | None:
        """The next time-out or cap."""
        times = [
            call.deadline
            for round_ in self._rounds.values()
            for call in round_.calls.values()
            if call.state is CallState.RUNNING
        ]
        times += [round_.cap_at for round_ in self._rounds.values() if round_.cap_at is not None]
        return min(times, default=None)

    def lose(self, now: float) -> None:
        """The connection is gone: calls run on, their ids are dead."""
        self._epoch += 1
        for round_ in list(self._rounds.values()):
            for call in round_.calls.values():
                call.orphaned = True
            round_.unseen.clear()
            round_.over = True
            self._settle(round_, now)

    # inside

    def _answer(self, round_: Round, call: Call, what: CallInput, answer: Answer, now: float) -> None:
        call.state, call.answer = CALLS[call.state, what], answer
        call_id = call.call_id
        if call.orphaned:
            self._renewed += 1
            call_id = f"call_{self._epoch}_t{self._renewed}"
            again = FunctionCallItem(
                id=f"fc_{call_id}", call_id=call_id, name=call.name, arguments=call.arguments
            )
            self._out.append(Send(ConversationItemCreate(item=again, event_id=f"item.{again.id}")))
        item_id = f"out_{call_id}"[:32]
        output = FunctionCallOutputItem(id=item_id, call_id=call_id, output=answer.output)
        round_.unseen.add(item_id)
        self._out.append(Send(ConversationItemCreate(item=output, event_id=f"item.{item_id}")))
        self._settle(round_, now)

    def _settle(self, round_: Round, now: float) -> None:
        """Ask for the follow-up when it is time. One at a time: what comes while it waits joins it."""
        if not round_.over:
            return
        running = any(call.state is CallState.RUNNING for call in round_.calls.values())
        untold = [call for call in round_.calls.values() if call.answer is not None and not call.spoken]
        if not untold:
            round_.cap_at = None
            if not running and round_.asked is None:
                del self._rounds[round_.response_id]
            return
        if running:
            round_.cap_at = now + self._policy.cap_s if round_.cap_at is None else round_.cap_at
            if now < round_.cap_at:
                return
        round_.cap_at = None
        for call in untold:
            call.spoken = True
        request = self._follow_up(round_, untold)
        if request is not None and (round_.asked is None or request.coalesce_key is None):
            round_.follow_ups += 1
            round_.asked = request.id
            self.wanted.append(request)
        elif not running and round_.asked is None:
            del self._rounds[round_.response_id]

    def _follow_up(self, round_: Round, untold: list[Call]) -> ResponseRequest | None:
        answers = [call.answer for call in untold if call.answer is not None]
        words = [answer.words for answer in answers if answer.reply is Reply.SAY_NOW]
        parameters = ResponseParams()
        if words:
            parameters = ResponseParams(instructions=f"Say exactly this, and nothing else: {' '.join(words)}")
        elif all(answer.reply is Reply.SILENT for answer in answers) or (
            round_.spoke and self._policy.after_message == "skip"
        ):
            return None
        elif round_.spoke and self._policy.after_message == "shorten":
            parameters = ResponseParams(instructions=SHORTEN)
        return ResponseRequest(
            id=RequestId(f"tool.{round_.response_id}.{round_.follow_ups + 1}"),
            trigger="tool:" + ",".join(call.name for call in untold),
            priority=Priority.TOOL,
            parameters=parameters,
            coalesce_key=None if words else "tool",
        )

    def _close(self, round_: Round) -> None:
        round_.asked = None
        if round_.over and not any(call.state is CallState.RUNNING for call in round_.calls.values()):
            del self._rounds[round_.response_id]

    def _abandon(self, call: Call, reason: str) -> None:
        if (call.state, CallInput.ABANDON) in CALLS:
            call.state = CALLS[call.state, CallInput.ABANDON]
            self._out.append(AbandonTool(call.call_id, reason))


SHORTEN = "You have already begun to answer aloud. Add only what the tool results make new; repeat nothing."


def _failure(kind: str, message: str) -> str:
    """What the model reads when a tool has no result."""
    return json.dumps({"error": {"type": kind, "message": message}})
