"""The floor: who holds the one voice of a conversation. A table, and nothing else.

Theory. A conversation runs one response at a time; a `response.create` that meets a running one is refused and
forgotten by the server. What we know of the server is late, so the floor keeps two things apart that a flag
confuses: **our create is unanswered** (`claim`), and **a response runs** (`response`). Both can be true, and
then the claim outlives the other speaker: our create may reach the server after the other's end and be
accepted, so it is neither sent again nor given up before it is answered (the state `contested`).

    claim?  response?   asker still wants it      asker has cancelled it
    no      no          open, blocked, offline
    yes     no          claimed                   withdrawn
    yes     yes         contested                 withdrawn_contested
    no      yes         held                      yielding (our cancel is on its way)

`blocked` is a refusal that named nobody while nobody was known. What is known besides (finished and released
responses, older tries, cancels on their way) is in `evidence`; whether the user speaks is in `turns`. Both only
decide which `Input` an event is. This module then says what becomes of the floor.

The table is small because every response that is not ours is told apart by its missing token; for servers that
do not echo metadata nobody but us creates responses (decision 0002).
"""

from dataclasses import dataclass, replace
from enum import Enum

from charye.errors import LocalProtocolError

__all__ = ["TRANSITIONS", "Action", "Attempt", "Floor", "Input", "State", "Why", "corrected", "step"]


class State(Enum):
    """Where the floor is; the table above says what is known in each."""

    OPEN = "open"
    CLAIMED = "claimed"
    CONTESTED = "contested"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_CONTESTED = "withdrawn_contested"
    HELD = "held"
    YIELDING = "yielding"
    BLOCKED = "blocked"
    OFFLINE = "offline"


class Input(Enum):
    """What can happen to the floor, already attributed."""

    # what we do
    CLAIM = "claim"  # a request is chosen
    CLAIM_OVERDUE = "claim: the end is overdue"  # of the running one: the answer tells whether it still runs
    CANCEL_CLAIM = "cancel of the claim"  # its asker does not want it any more
    CANCEL_RUNNING = "cancel of the running"  # by its asker, a higher class, or the user
    # what the server says
    GRANTED = "created: ours"  # it carries the token of the present try
    TAKEN = "created: theirs"  # the server's own reply, or somebody else's
    RETURNED = "created: older try"  # of a request that waits again
    SURPLUS = "created: older try of the claim"  # so the claim is one too many
    GHOST = "created: nobody wants it"  # an older try of a request that has ended or speaks already
    REFUSED_BY = "refused by a named response"  # that runs, as far as we know
    REFUSED_LATE = "refused, that response is over"  # it ended after our create was sent
    REFUSED_BLIND = "refused by nobody we know"  # no id in the error, and none known
    REFUSED_BY_ZOMBIE = "refused by a released response"  # it ignored our cancel and still runs
    DENIED = "create is invalid"  # an error about what it asks for, not about turns
    DONE = "done: the running"
    DONE_UNSEEN = "done: ours, created was lost"
    DONE_EARLIER = "done: older try"  # of a request that waits again
    DONE_SURPLUS = "done: older try of the claim"  # so the claim is one too many
    DONE_STRANGER = "done: unknown"  # nobody that we know of
    NOT_ACTIVE = "nothing to cancel"  # it was over before our cancel arrived
    # what time says
    UNANSWERED = "create lost"  # the line lives, the answer does not come
    STUCK = "response silent"  # the line lives, the response does not
    DEAF = "cancel unanswered"  # the response ignores it
    RETRY = "ask again"  # after a blind refusal
    # what the line does
    CONNECTED = "connected"
    LOST = "connection lost"
    GIVE_UP = "line dead"  # or worth nothing any more


class Action(Enum):
    """What a step calls for; `keeper` does it."""

    SEND_CREATE = "send create"  # with a fresh token as event id and metadata
    SEND_CANCEL = "send cancel"  # of the running response, by its id
    GRANT = "grant"  # the claim's request speaks
    TAKE_BACK = "take back"  # the owner's request leaves the queue and speaks
    REQUEUE = "requeue"  # the claim's request waits again, at its old place
    REQUEUE_LOST = "requeue, count the loss"  # three losses of one request are its end
    DENY = "deny"  # the claim's request ends: the server will never have it
    FINISH = "finish"  # the owner's request, by the response's status
    FINISH_CLAIM = "finish claim"  # the claim's request, by the response's status
    FINISH_EARLIER = "finish earlier"  # the older try's request, by the response's status
    FINISH_UNSEEN = "finish unseen"  # it was over before our cancel arrived, and its done was lost
    OVERTAKEN = "overtaken"  # another runs, so the one before is over: its done was lost
    RELEASE = "release"  # give the response up; it may still run
    RECONNECT = "reconnect"  # ask the shell for another connection
    LOSE = "lose"  # everything of this connection
    NOTE = "note"  # for the journal; nothing changes


class Why(Enum):
    """Why a response is being cancelled."""

    ASKER = "asker"
    CUT_IN = "cut in"
    INTERRUPT = "interrupt"
    GHOST = "ghost"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One create: the number of the ticket it is for and the token that it carries."""

    number: int
    token: str


@dataclass(frozen=True, slots=True)
class Floor:
    """The state and its data.

    Args:
        claim: our unanswered create; None in states without one.
        response: the running response's id, "" when the server gave none; None in states without one.
        owner: the number of the ticket it answers; None: not one of ours.
        why: in `yielding`, and wherever a cancel of `response` is on its way.
    """

    state: State = State.OFFLINE
    claim: Attempt | None = None
    response: str | None = None
    owner: int | None = None
    why: Why | None = None

    def is_claim(self, token: str | None) -> bool:
        """Whether this is the token of our unanswered create."""
        return self.claim is not None and self.claim.token == token


S, I, A = State, Input, Action
Row = tuple[State, tuple[Action, ...]]
CLAIMS = frozenset({S.CLAIMED, S.CONTESTED, S.WITHDRAWN, S.WITHDRAWN_CONTESTED})
RUNS = frozenset({S.CONTESTED, S.WITHDRAWN_CONTESTED, S.HELD, S.YIELDING})


def _same(states: tuple[State, ...], what: Input, *actions: Action) -> dict[tuple[State, Input], Row]:
    return {(state, what): (state, actions) for state in states}


def _running(what: Input, *last: Action) -> dict[tuple[State, Input], Row]:
    """Another response was created: it runs, and one that we knew before is over."""
    return {
        (S.OPEN, what): (S.HELD, last),
        (S.BLOCKED, what): (S.HELD, last),
        (S.HELD, what): (S.HELD, (A.OVERTAKEN, *last)),
        (S.YIELDING, what): (S.HELD, (A.OVERTAKEN, *last)),
        # Not requeued: our create may yet be accepted, after this one's end (trap: two creates unanswered).
        (S.CLAIMED, what): (S.CONTESTED, last),
        (S.CONTESTED, what): (S.CONTESTED, (A.OVERTAKEN, *last)),
        (S.WITHDRAWN, what): (S.WITHDRAWN_CONTESTED, last),
        (S.WITHDRAWN_CONTESTED, what): (S.WITHDRAWN_CONTESTED, (A.OVERTAKEN, *last)),
    }


def _refused(what: Input, alone: State, *last: Action) -> dict[tuple[State, Input], Row]:
    """Our create was refused. With a known speaker it is that one's floor; `alone`: where nobody was known."""
    return {
        (S.CLAIMED, what): (alone, (A.REQUEUE, *last)),
        (S.CONTESTED, what): (S.HELD, (A.REQUEUE,)),
        (S.WITHDRAWN, what): (alone, last),
        (S.WITHDRAWN_CONTESTED, what): (S.HELD, ()),
    }


ONLINE = tuple(state for state in State if state is not S.OFFLINE)

TRANSITIONS: dict[tuple[State, Input], Row] = {
    (S.OPEN, I.CLAIM): (S.CLAIMED, (A.SEND_CREATE,)),
    # Accepted, the other was over and its done is lost; refused, all is as before (decision 0007).
    (S.HELD, I.CLAIM_OVERDUE): (S.CONTESTED, (A.SEND_CREATE,)),
    (S.CLAIMED, I.GRANTED): (S.HELD, (A.GRANT,)),
    (S.CONTESTED, I.GRANTED): (S.HELD, (A.OVERTAKEN, A.GRANT)),
    (S.WITHDRAWN, I.GRANTED): (S.YIELDING, (A.SEND_CANCEL,)),
    (S.WITHDRAWN_CONTESTED, I.GRANTED): (S.YIELDING, (A.OVERTAKEN, A.SEND_CANCEL)),
    **_running(I.TAKEN),
    **_running(I.RETURNED, A.TAKE_BACK),
    **_running(I.GHOST, A.SEND_CANCEL),
    (S.OPEN, I.GHOST): (S.YIELDING, (A.SEND_CANCEL,)),
    (S.BLOCKED, I.GHOST): (S.YIELDING, (A.SEND_CANCEL,)),
    (S.HELD, I.GHOST): (S.YIELDING, (A.OVERTAKEN, A.SEND_CANCEL)),
    (S.YIELDING, I.GHOST): (S.YIELDING, (A.OVERTAKEN, A.SEND_CANCEL)),
    (S.CLAIMED, I.SURPLUS): (S.WITHDRAWN_CONTESTED, (A.GRANT,)),
    (S.CONTESTED, I.SURPLUS): (S.WITHDRAWN_CONTESTED, (A.OVERTAKEN, A.GRANT)),
    **_refused(I.REFUSED_BY, S.HELD),
    **_refused(I.REFUSED_LATE, S.OPEN),
    **_refused(I.REFUSED_BLIND, S.BLOCKED),
    # It ignored our cancel and still runs: asking again would be refused for ever, and innocent requests with it.
    **_refused(I.REFUSED_BY_ZOMBIE, S.OFFLINE, A.LOSE, A.RECONNECT),
    (S.CLAIMED, I.DENIED): (S.OPEN, (A.DENY,)),
    (S.CONTESTED, I.DENIED): (S.HELD, (A.DENY,)),
    (S.WITHDRAWN, I.DENIED): (S.OPEN, ()),
    (S.WITHDRAWN_CONTESTED, I.DENIED): (S.HELD, ()),
    (S.HELD, I.DONE): (S.OPEN, (A.FINISH,)),
    (S.YIELDING, I.DONE): (S.OPEN, (A.FINISH,)),
    (S.CONTESTED, I.DONE): (S.CLAIMED, (A.FINISH,)),  # still unanswered
    (S.WITHDRAWN_CONTESTED, I.DONE): (S.WITHDRAWN, (A.FINISH,)),
    (S.CLAIMED, I.DONE_UNSEEN): (S.OPEN, (A.FINISH_CLAIM,)),
    (S.CONTESTED, I.DONE_UNSEEN): (S.OPEN, (A.OVERTAKEN, A.FINISH_CLAIM)),
    (S.WITHDRAWN, I.DONE_UNSEEN): (S.OPEN, ()),
    (S.WITHDRAWN_CONTESTED, I.DONE_UNSEEN): (S.OPEN, (A.OVERTAKEN,)),
    **_same(ONLINE, I.DONE_EARLIER, A.FINISH_EARLIER),
    (S.BLOCKED, I.DONE_EARLIER): (S.OPEN, (A.FINISH_EARLIER,)),
    (S.CLAIMED, I.DONE_SURPLUS): (S.WITHDRAWN, (A.FINISH_EARLIER,)),
    (S.CONTESTED, I.DONE_SURPLUS): (S.WITHDRAWN_CONTESTED, (A.FINISH_EARLIER,)),
    **_same(ONLINE, I.DONE_STRANGER, A.NOTE),
    (S.BLOCKED, I.DONE_STRANGER): (S.OPEN, (A.NOTE,)),
    # The handle has ended at the cancel; the floor waits for the answer.
    (S.CLAIMED, I.CANCEL_CLAIM): (S.WITHDRAWN, ()),
    (S.CONTESTED, I.CANCEL_CLAIM): (S.WITHDRAWN_CONTESTED, ()),
    (S.HELD, I.CANCEL_RUNNING): (S.YIELDING, (A.SEND_CANCEL,)),
    (S.CONTESTED, I.CANCEL_RUNNING): (S.CONTESTED, (A.SEND_CANCEL,)),
    (S.WITHDRAWN_CONTESTED, I.CANCEL_RUNNING): (S.WITHDRAWN_CONTESTED, (A.SEND_CANCEL,)),
    (S.HELD, I.NOT_ACTIVE): (S.OPEN, (A.FINISH_UNSEEN,)),
    (S.YIELDING, I.NOT_ACTIVE): (S.OPEN, (A.FINISH_UNSEEN,)),
    (S.CONTESTED, I.NOT_ACTIVE): (S.CLAIMED, (A.FINISH_UNSEEN,)),
    (S.WITHDRAWN_CONTESTED, I.NOT_ACTIVE): (S.WITHDRAWN, (A.FINISH_UNSEEN,)),
    (S.CLAIMED, I.UNANSWERED): (S.OPEN, (A.REQUEUE_LOST,)),
    (S.CONTESTED, I.UNANSWERED): (S.HELD, (A.REQUEUE_LOST,)),
    (S.WITHDRAWN, I.UNANSWERED): (S.OPEN, ()),
    (S.WITHDRAWN_CONTESTED, I.UNANSWERED): (S.HELD, ()),
    (S.HELD, I.STUCK): (S.YIELDING, (A.SEND_CANCEL,)),
    (S.YIELDING, I.DEAF): (S.OPEN, (A.RELEASE,)),
    (S.BLOCKED, I.RETRY): (S.OPEN, ()),
    **{(state, I.GIVE_UP): (S.OFFLINE, (A.LOSE, A.RECONNECT)) for state in ONLINE},
    **{(state, I.LOST): (S.OFFLINE, (A.LOSE,)) for state in ONLINE},
    (S.OFFLINE, I.CONNECTED): (S.OPEN, ()),
}


def step(
    floor: Floor,
    what: Input,
    *,
    claim: Attempt | None = None,
    response: str | None = None,
    owner: int | None = None,
    why: Why | None = None,
) -> tuple[Floor, tuple[Action, ...]]:
    """Look the pair up and carry the data over.

    Args:
        claim: the new claim, for `CLAIM` and `CLAIM_OVERDUE`.
        response, owner: a response that was not known before, and whose it is; the known one stays without.
        why: for inputs that cancel.
    Returns:
        The floor after it, and what is to be done, in order.
    Raises:
        LocalProtocolError: no such row; nothing has changed.
    """
    row = TRANSITIONS.get((floor.state, what))
    if row is None:
        raise LocalProtocolError("floor: no such row", state=floor.state.name, given=what.name)
    state, actions = row
    if state is floor.state and response is None and why is None:
        return floor, actions
    fresh = response is not None
    after = Floor(
        state=state,
        claim=(claim or floor.claim) if state in CLAIMS else None,
        response=(response if fresh else floor.response) if state in RUNS else None,
        owner=(owner if fresh else floor.owner) if state in RUNS else None,
        why=(why if fresh else why or floor.why) if state in RUNS else None,
    )
    return after, actions


def corrected(floor: Floor, owner: int) -> Floor:
    """The same floor, with what a token has shown: the running response answers this request."""
    return replace(floor, owner=owner)
