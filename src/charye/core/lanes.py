"""Out-of-band responses (`conversation: "none"`): they take no floor and run beside it. A table each.

They are told apart by our token, so a dialect that does not echo metadata has no such lane. How many run at
once is bounded. One that speaks aloud takes the *audio* floor: the coordinator starts it only while nobody
holds the conversation's floor, and starts nobody else meanwhile; when the server begins to speak by itself, the
voice here is cut, because the user's reply goes first.

    asked -> running -> over, or withdrawn (cancelled while unanswered) -> cancelling -> over
"""

from dataclasses import dataclass, replace
from enum import Enum

from charye.core.evidence import remember
from charye.core.floor import Attempt, Why
from charye.core.requests import Ticket
from charye.core.settings import Patience
from charye.errors import LocalProtocolError

__all__ = ["LANES", "Lane", "LaneAction", "LaneInput", "LaneState", "Lanes"]


class LaneState(Enum):
    """Where an out-of-band response is."""

    ASKED = "asked"
    WITHDRAWN = "withdrawn"
    RUNNING = "running"
    CANCELLING = "cancelling"
    OVER = "over"


class LaneInput(Enum):
    """What can happen to it."""

    CREATED = "created"
    DENIED = "denied"
    REFUSED = "refused"  # by a server that has no parallel lane after all
    DONE = "done"
    CANCEL = "cancel"
    NOT_ACTIVE = "nothing to cancel"
    SILENT = "silent"


class LaneAction(Enum):
    """What a step calls for; `aside` does it."""

    GRANT = "grant"
    DENY = "deny"
    FINISH = "finish"
    FINISH_UNSEEN = "finish unseen"
    SEND_CANCEL = "send cancel"
    REQUEUE = "requeue, after a pause"
    REQUEUE_LOST = "requeue, count the loss"
    RELEASE = "release"


S, I, A = LaneState, LaneInput, LaneAction

LANES: dict[tuple[LaneState, LaneInput], tuple[LaneState, tuple[LaneAction, ...]]] = {
    (S.ASKED, I.CREATED): (S.RUNNING, (A.GRANT,)),
    (S.ASKED, I.DENIED): (S.OVER, (A.DENY,)),
    (S.ASKED, I.REFUSED): (S.OVER, (A.REQUEUE,)),
    (S.ASKED, I.DONE): (S.OVER, (A.FINISH,)),  # its created was lost
    (S.ASKED, I.CANCEL): (S.WITHDRAWN, ()),
    (S.ASKED, I.SILENT): (S.OVER, (A.REQUEUE_LOST,)),
    (S.WITHDRAWN, I.CREATED): (S.CANCELLING, (A.SEND_CANCEL,)),
    (S.WITHDRAWN, I.DENIED): (S.OVER, ()),
    (S.WITHDRAWN, I.REFUSED): (S.OVER, ()),
    (S.WITHDRAWN, I.DONE): (S.OVER, ()),
    (S.WITHDRAWN, I.CANCEL): (S.WITHDRAWN, ()),
    (S.WITHDRAWN, I.SILENT): (S.OVER, ()),
    (S.RUNNING, I.DONE): (S.OVER, (A.FINISH,)),
    (S.RUNNING, I.CANCEL): (S.CANCELLING, (A.SEND_CANCEL,)),
    (S.RUNNING, I.NOT_ACTIVE): (S.OVER, (A.FINISH_UNSEEN,)),
    (S.RUNNING, I.SILENT): (S.CANCELLING, (A.SEND_CANCEL,)),
    (S.CANCELLING, I.DONE): (S.OVER, (A.FINISH,)),
    (S.CANCELLING, I.CANCEL): (S.CANCELLING, ()),
    (S.CANCELLING, I.NOT_ACTIVE): (S.OVER, (A.FINISH_UNSEEN,)),
    (S.CANCELLING, I.SILENT): (S.OVER, (A.RELEASE,)),
}


@dataclass(frozen=True, slots=True)
class Lane:
    """One out-of-band response from its create to its end. `quiet_since`: the last word about it, seconds."""

    attempt: Attempt
    state: LaneState
    aloud: bool
    quiet_since: float
    response_id: str | None = None
    why: Why | None = None


class Lanes:
    """The lanes of one connection, by token. Deciding is here, performing is the coordinator's."""

    __slots__ = ("_bound", "_by_token", "_patience", "_unsettled")

    def __init__(self, patience: Patience, *, bound: int) -> None:
        self._patience = patience
        self._bound = bound
        self._by_token: dict[str, Lane] = {}
        self._unsettled: dict[str, None] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is none."""
        return not self._by_token

    @property
    def is_full(self) -> bool:
        """Whether no further one may be asked for now."""
        return len(self._by_token) >= self._bound

    @property
    def voice(self) -> Lane | None:
        """The one that may speak aloud now."""
        return next((lane for lane in self._by_token.values() if lane.aloud), None)

    def ask(self, ticket: Ticket, token: str, now: float) -> None:
        """A create was sent for it."""
        aloud = ticket.request.speaks_aloud
        self._by_token[token] = Lane(Attempt(ticket.number, token), LaneState.ASKED, aloud, now)

    def find(self, *, token: str | None = None, response_id: str | None = None) -> Lane | None:
        """The lane of this create or response."""
        if token is not None and token in self._by_token:
            return self._by_token[token]
        if response_id is None:
            return None
        return next((lane for lane in self._by_token.values() if lane.response_id == response_id), None)

    def of_ticket(self, number: int) -> Lane | None:
        """The lane of this ticket."""
        return next((lane for lane in self._by_token.values() if lane.attempt.number == number), None)

    def is_older_try(self, token: str | None) -> bool:
        """Whether this is a create that we stopped waiting for; its response is nobody's any more."""
        return token in self._unsettled

    def adopt_ghost(self, token: str, response_id: str, now: float) -> Lane:
        """A late response of an older try: it gets a lane only to be cancelled in."""
        del self._unsettled[token]
        lane = Lane(Attempt(0, token), LaneState.RUNNING, False, now, response_id)
        self._by_token[token] = lane
        return lane

    def step(
        self,
        lane: Lane,
        what: LaneInput,
        now: float,
        *,
        response_id: str | None = None,
        why: Why | None = None,
    ) -> tuple[Lane, tuple[LaneAction, ...]]:
        """Move one lane; gives it as it is now, and what is to be done.

        Raises:
            LocalProtocolError: no such row; nothing has changed.
        """
        row = LANES.get((lane.state, what))
        if row is None:
            raise LocalProtocolError("lanes: no such row", state=lane.state.name, given=what.name)
        state, actions = row
        after = replace(
            lane,
            state=state,
            quiet_since=now,
            response_id=lane.response_id if response_id is None else response_id,
            why=why or lane.why,
        )
        token = lane.attempt.token
        if state is LaneState.OVER:
            del self._by_token[token]
            if what is LaneInput.SILENT and lane.response_id is None:
                remember(self._unsettled, token)
        else:
            self._by_token[token] = after
        return after, actions

    def heard(self, response_id: str, now: float) -> Lane | None:
        """The response said something; gives its lane."""
        lane = self.find(response_id=response_id) if self._by_token else None
        if lane is not None:
            self._by_token[lane.attempt.token] = replace(lane, quiet_since=now)
        return lane

    def deadline(self) -> float | None:
        """When the next silence has lasted long enough."""
        return min((self._limit(lane) for lane in self._by_token.values()), default=None)

    def silent(self, now: float) -> list[Lane]:
        """Those whose silence has."""
        return [lane for lane in self._by_token.values() if self._limit(lane) <= now]

    def _limit(self, lane: Lane) -> float:
        patience = self._patience
        waits = {
            LaneState.ASKED: patience.answer_s + patience.probe_s,
            LaneState.WITHDRAWN: patience.answer_s + patience.probe_s,
            LaneState.RUNNING: patience.silence_s + patience.probe_s,
            LaneState.CANCELLING: patience.cancel_s,
        }
        return lane.quiet_since + waits[lane.state]
