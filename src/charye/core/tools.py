"""The ledger of tool calls: a table per call, and the one reply that the calls of a response earn.

Calls run at once, as soon as their arguments are complete, and their outputs go to the server as they come. A
create per output would collide, so there is ONE follow-up for a response: when it is over and all its calls are
answered, or when a cap on the slowest has passed; what comes later earns one more, by the same rule.

A result whose connection is gone has a call id that means nothing in the new one: call and output are then
written into the new conversation under fresh ids, now or with its rebuild. If another response that already had
the outputs before it speaks in the meantime (the user asked on, the server replied), it has told them, and the
follow-up is taken back.
"""

from charye.core.calls import CALLS, Answer, Call, CallInput, CallState, Reply, Round
from charye.core.conversation import Conversation
from charye.core.effects import AbandonTool, Effect, Note, RunTool, Send
from charye.core.requests import Priority, RequestId, ResponseRequest
from charye.core.settings import ToolPolicy
from charye.protocol import ConversationItemCreate, FunctionCallItem, FunctionCallOutputItem, ResponseParams

__all__ = ["CALLS", "Answer", "CallInput", "CallState", "Reply", "Tools"]


class Tools:
    """All calls that are not yet spoken about, by response.

    `on_their_way`: follow-ups whose create was sent. The server reads in order, so what comes now is not in them.
    """

    __slots__ = (
        "_conversation",
        "_epoch",
        "_is_online",
        "_opened",
        "_out",
        "_policy",
        "_renewed",
        "_rounds",
        "_teller",
        "on_their_way",
        "wanted",
    )

    def __init__(self, policy: ToolPolicy, conversation: Conversation, out: list[Effect]) -> None:
        self._policy = policy
        self._conversation = conversation
        self._out = out
        self._is_online = False
        self._rounds: dict[str, Round] = {}
        self._epoch = 0
        self._opened = 0
        self._renewed = 0
        self.on_their_way: set[RequestId] = set()
        self.wanted: list[ResponseRequest] = []
        self._teller: tuple[str, list[Call]] | None = None

    # what the server says

    def asked(self, response_id: str, call_id: str, name: str, arguments: str, now: float) -> None:
        """A call's arguments are complete. Told twice (arguments done, item done, response done), it runs once."""
        round_ = self._round(response_id)
        if call_id in round_.calls or round_.over:
            return
        round_.calls[call_id] = Call(call_id, name, arguments, deadline=now + self._policy.timeout_s)
        self._out.append(RunTool(call_id, name, arguments, response_id))

    def spoke(self, response_id: str) -> None:
        """The response has a message too."""
        self._round(response_id).spoke = True

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
        if not response_id:
            self._set_apart(round_)
        self._settle(round_, now)

    def seen(self, item_id: str) -> None:
        """An item is in the conversation; perhaps one of our outputs."""
        for round_ in self._rounds.values():
            round_.unseen.discard(item_id)

    def may_tell(self, response_id: str) -> None:
        """A reply to the user begins. It has before it all outputs that are in the conversation by now."""
        seen = [
            call
            for round_ in self._rounds.values()
            if not round_.unseen
            for call in round_.calls.values()
            if call.answer is not None and call.answer.reply is not Reply.SAY_NOW
        ]
        self._teller = (response_id, seen)

    def told_by(self, response_id: str, *, completed: bool) -> list[RequestId]:
        """That reply is over. Spoken to its end, it has told what it could; gives the follow-ups to cancel."""
        if self._teller is None or self._teller[0] != response_id:
            return []
        seen, self._teller = self._teller[1], None
        needless: list[RequestId] = []
        for round_ in list(self._rounds.values()) if completed else ():
            answered = [call for call in round_.calls.values() if call.answer is not None]
            told = [call for call in answered if any(call is each for each in seen)]
            for call in told:
                call.spoken = True
            if told and len(told) == len(answered):
                needless += round_.asked
                round_.asked.clear()
                self._close(round_)
        return needless

    def has_calls(self, response_id: str) -> bool:
        """Whether calls of this response are at work, or their results are still to be told."""
        round_ = self._rounds.get(response_id)
        return round_ is not None and bool(round_.calls)

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

    @property
    def is_idle(self) -> bool:
        """Whether every call has been answered and spoken about."""
        return not self._rounds

    @property
    def is_running(self) -> bool:
        """Whether a call is at work."""
        return any(
            call.state is CallState.RUNNING
            for round_ in self._rounds.values()
            for call in round_.calls.values()
        )

    def awaited(self) -> list[RequestId]:
        """The follow-ups that were asked for and do not speak yet."""
        return [request_id for round_ in self._rounds.values() for request_id in round_.asked]

    def told(self, request_id: RequestId) -> None:
        """A follow-up is being spoken, or has ended: what it is about is told."""
        for round_ in list(self._rounds.values()):
            if request_id in round_.asked:
                del round_.asked[request_id]
                self._close(round_)

    # what time and the line say

    def tick(self, now: float) -> None:
        """Time out slow calls; speak about what is there when the slowest takes too long."""
        for round_ in list(self._rounds.values()):
            for call in list(round_.calls.values()):
                if call.state is CallState.RUNNING and call.deadline <= now:
                    self._out.append(AbandonTool(call.call_id, "timed out"))
                    failure = Answer(TIMED_OUT, failed=True)
                    self._answer(round_, call, CallInput.TIME_OUT, failure, now)
            if round_.response_id in self._rounds:
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

    def connected(self) -> None:
        """A connection stands."""
        self._is_online = True

    def lose(self, now: float) -> None:
        """The connection is gone: calls run on, their ids are dead."""
        self._is_online = False
        self._teller = None
        self._epoch += 1
        for round_ in list(self._rounds.values()):
            self._set_apart(round_)
            for call in round_.calls.values():
                call.orphaned = True
            round_.unseen.clear()
            round_.over = True
            self._settle(round_, now)

    def close(self) -> None:
        """Nobody will hear a result any more."""
        for round_ in self._rounds.values():
            for call in round_.calls.values():
                self._abandon(call, "closed")
        self._rounds.clear()

    # inside

    def owes_reply(self, call_id: str) -> bool:
        """Whether the follow-up about this call is still to come: it runs, or nobody has begun to speak about it."""
        for round_ in self._rounds.values():
            call = round_.calls.get(call_id)
            if call is not None:
                return not call.spoken or bool(round_.asked)
        return False

    def _round(self, response_id: str) -> Round:
        """The calls of this response of the present connection."""
        known = self._rounds.get(response_id)
        if known is not None:
            return known
        self._opened += 1
        is_unique = response_id != "" and self._epoch == 0
        name = response_id if is_unique else f"{response_id}~{self._opened}"
        round_ = self._rounds[response_id] = Round(response_id, name)
        return round_

    def _set_apart(self, round_: Round) -> None:
        """Its response is over, and the next one may be called the same."""
        del self._rounds[round_.response_id]
        round_.response_id = f"~{round_.name}"
        self._rounds[round_.response_id] = round_

    def _answer(self, round_: Round, call: Call, what: CallInput, answer: Answer, now: float) -> None:
        call.state, call.answer = CALLS[call.state, what], answer
        call_id = call.call_id
        if call.orphaned:
            self._renewed += 1
            call_id = f"call_{self._epoch}_t{self._renewed}"
            again = FunctionCallItem(
                id=f"fc_{call_id}", call_id=call_id, name=call.name, arguments=call.arguments
            )
            self._write(again)
        tail = "".join(
            each if each.isascii() and (each.isalnum() or each in "-_") else "-" for each in call_id[-28:]
        )
        item_id = f"out_{tail}"  # 32 characters at most, of a narrow alphabet; the tail is what differs
        if self._is_online:
            round_.unseen.add(item_id)
        self._write(FunctionCallOutputItem(id=item_id, call_id=call_id, output=answer.output))
        self._settle(round_, now)

    def _write(self, item: FunctionCallItem | FunctionCallOutputItem) -> None:
        """Into the conversation; without a connection into its mirror only, and the rebuild sends it."""
        self._conversation.put(item)
        if self._is_online:
            self._out.append(Send(ConversationItemCreate(item=item, event_id=f"item.{item.id}")))

    def _settle(self, round_: Round, now: float) -> None:
        """Ask for the follow-up when it is time. One at a time: what comes while it waits joins it."""
        if not round_.over:
            return
        running = any(call.state is CallState.RUNNING for call in round_.calls.values())
        untold = [call for call in round_.calls.values() if call.answer is not None and not call.spoken]
        if not untold:
            round_.cap_at = None
            if not running and not round_.asked:
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
        joins = any(may and asked not in self.on_their_way for asked, may in round_.asked.items())
        if request is not None and (request.coalesce_key is None or not joins):
            round_.follow_ups += 1
            round_.asked[request.id] = request.coalesce_key is not None
            self.wanted.append(request)
        elif not running and not round_.asked:
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
            id=RequestId(f"tool.{round_.name}.{round_.follow_ups + 1}"),
            trigger="tool:" + ",".join(call.name for call in untold),
            priority=Priority.TOOL,
            parameters=parameters,
            coalesce_key=None if words else "tool",
        )

    def _close(self, round_: Round) -> None:
        running = any(call.state is CallState.RUNNING for call in round_.calls.values())
        if round_.over and not running and not round_.asked:
            del self._rounds[round_.response_id]

    def _abandon(self, call: Call, reason: str) -> None:
        if (call.state, CallInput.ABANDON) in CALLS:
            call.state = CALLS[call.state, CallInput.ABANDON]
            self._out.append(AbandonTool(call.call_id, reason))


SHORTEN = "You have already begun to answer aloud. Add only what the tool results make new; repeat nothing."

TIMED_OUT = '{"error": {"type": "timed_out", "message": "the tool took too long"}}'
"""What the model reads when a tool has no result in time."""
