"""Wrong rules, planted one at a time, to see the laws fail. A law that no mutant breaks would be no law.

Each names the world that catches it. Rows of the tables are changed in the tables; what is not a row (a register,
a guard) is switched off where it lives.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from charye.core import calls, keeper, tools, turns
from charye.core.admission import Admission
from charye.core.aside import Aside
from charye.core.coordinator import Coordinator
from charye.core.effects import Effect, StopPlayback, Tell
from charye.core.endings import Endings
from charye.core.evidence import Cancels, Evidence, Shown
from charye.core.floor import RUNS, TRANSITIONS, Action, Floor, Input, State
from charye.core.grants import Grants
from charye.core.playout import Playout
from charye.core.requests import Outcome, OutcomeKind, RequestId, Stage, Ticket
from charye.core.tickets import Tickets
from charye.core.turns import Turn, TurnInput
from charye.core.waiting import Waiting
from charye.core.watchdog import Watchdog
from charye.protocol import Response

__all__ = ["MUTANTS", "Mutant"]

S, A = State, Action


@dataclass(frozen=True, slots=True)
class Planted:
    """Something to set for a while: an entry of a mapping, or an attribute."""

    where: Any
    key: Any
    value: Any

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """The wrong rule holds inside."""
        if isinstance(self.where, dict):
            before, there = self.where.get(self.key), self.key in self.where
            self.where[self.key] = self.value
            try:
                yield
            finally:
                if there:
                    self.where[self.key] = before
                else:
                    del self.where[self.key]
            return
        before = getattr(self.where, self.key)
        setattr(self.where, self.key, self.value)
        try:
            yield
        finally:
            setattr(self.where, self.key, before)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong rule, and the world in which it shows."""

    name: str
    world: str
    planted: Planted


def _any_done(self: Coordinator, response: Response, now: float) -> None:
    if self.floor.state in RUNS:
        response = replace(response, id=self.floor.response)
        self.keeper.evidence.finished.pop(self.floor.response or "", None)
    _done(self, response, now)


_done = Coordinator.done


def _forget_request(keeper_: object, before: Floor, facts: object) -> None:
    """A refusal drops the request."""


def _newest_cancel(self: Cancels, response_id: str | None) -> str | None:
    sent = self._sent
    return response_id if response_id is not None else next(reversed(sent), None)


def _same_epoch(self: Coordinator, now: float) -> None:
    self._epoch = 0
    _connected(self, now)


_connected = Coordinator.connected


def _at_once(self: tools.Tools, round_: calls.Round, now: float) -> None:
    round_.cap_at = now
    _settle(self, round_, now)


_settle = tools.Tools._settle


def _denied(self: keeper.Keeper, before: Floor, facts: keeper.Facts) -> None:
    ticket = self._tickets.numbered(before.claim.number if before.claim else None)
    self._endings.denied(ticket, facts.code, facts.now)


def _gives_up_at_once(self: Endings, ticket: Ticket | None, now: float) -> None:
    if ticket is not None:
        self._tickets.end(ticket, OutcomeKind.FAILED, now, reason="unanswered", uncertain=True)


def _always_replays(self: Endings, ticket: Ticket, now: float) -> None:
    self._admission.requeue(ticket, "connection lost", now)


def _never_replays(self: Endings, ticket: Ticket, now: float) -> None:
    self._tickets.end(ticket, OutcomeKind.DISCONNECTED, now, reason="connection lost", uncertain=True)


def _never_resumes(self: Endings, ticket: Ticket, heard_ms: float, now: float) -> None:
    self._tickets.end(ticket, OutcomeKind.INTERRUPTED, now, heard_ms=heard_ms)


def _to_the_back(self: Admission, ticket: Ticket, reason: str, now: float) -> None:
    ticket.age += 1000
    _requeue(self, ticket, reason, now)


_requeue = Admission.requeue


def _tells_twice(self: Tickets, ticket: Ticket, request_id: RequestId, outcome: Outcome) -> None:
    _leave(self, ticket, request_id, outcome)
    self._out.append(Tell(request_id, outcome))


_leave = Tickets.leave


def _nothing(*_: object) -> None:
    """Left out."""


def _exhausted(self: Admission, ticket: Ticket, reason: str, now: float) -> None:
    self.tickets.end(ticket, OutcomeKind.FAILED, now, reason="exhausted")


def _heard_at_done(self: Endings, ticket: Ticket | None, response_id: str, now: float, **how: Any) -> None:
    if ticket is not None and ticket.stage is not Stage.ENDED:
        ticket.response_id = response_id
        self._tickets.end(ticket, OutcomeKind.HEARD, now)


def _asked_again(self: Endings, ticket: Ticket | None, response_id: str, now: float, **how: Any) -> None:
    if ticket is not None and ticket.stage is not Stage.ENDED and ticket.attempts == 1:
        self._admission.requeue(ticket, "once more", now)
    else:
        _generated(self, ticket, response_id, now, **how)


def _expires_all_the_same(
    self: Endings, ticket: Ticket | None, response_id: str, now: float, **how: Any
) -> None:
    if ticket is not None and ticket.stage is not Stage.ENDED and ticket.expires_at is not None:
        self._tickets.end(ticket, OutcomeKind.EXPIRED, now, reason="waited too long")
    else:
        _generated(self, ticket, response_id, now, **how)


_generated = Endings.generated


def _failed_is_heard(self: Endings, ticket: Ticket, error: object, now: float) -> None:
    self._tickets.end(ticket, OutcomeKind.HEARD, now)


def _failed_at_once(self: Endings, ticket: Ticket, error: object, now: float) -> None:
    self._tickets.end(ticket, OutcomeKind.FAILED, now, reason="failed")


def _certain(self: Endings, ticket: Ticket | None, response_id: str, now: float, *, doubtful: bool) -> None:
    _inferred(self, ticket, response_id, now, doubtful=False)


_inferred = Endings.inferred


def _only_told(self: tools.Tools, item: object) -> None:
    """What a tool has answered is not sent."""


def _twice(self: tools.Tools, item: Any) -> None:
    _write(self, item)
    _write(self, item)


_write = tools.Tools._write


def _forgets_that_ids_are_dead(self: tools.Tools, now: float) -> None:
    _lose(self, now)
    for round_ in self._rounds.values():
        for call in round_.calls.values():
            call.orphaned = False


_lose = tools.Tools.lose


def _repairs_what_is_gone(self: Playout) -> Any:
    unsent = _disconnect(self)
    for track in self._tracks:
        track.beside = False
    return unsent


_disconnect = Playout.disconnect


def _only_notes(self: Playout, now: float, response_ids: Collection[str]) -> list[Effect]:
    return [each for each in _cut(self, now, response_ids) if not isinstance(each, StopPlayback)]


_cut = Playout.cut


def _leaves_it(self: Coordinator, now: float, *, cancel: bool) -> None:
    """The user's press stops nothing."""


def _forgets_who_waited(self: Admission, name: str, now: float) -> None:
    self.held = None


def _lets_go_when_lost(self: Endings, now: float) -> None:
    _lose_all(self, now)
    # If nobody else waited, only the app would notice: it may not ask any more.
    if self._admission.held is not None and len(self._admission.floor):
        self._admission.let_go(self._admission.held, now)


_lose_all = Endings.lose


def _joins_anybody(self: Admission, line: Waiting, other: Ticket | None, ticket: Ticket, now: float) -> None:
    of_the_hold = self.holding.same_key(ticket.request.coalesce_key)
    _enter(self, line if of_the_hold is None else self.holding, of_the_hold or other, ticket, now)


_enter = Admission._enter


def _others_cut_in(self: Grants, epoch: int, now: float) -> None:
    best = self._admission.floor.best(now)
    if best is not None and best.request.cuts_in and self._turns.is_quiet:
        self._cut_in(best.request.priority, now)
    _pump(self, epoch, now)


def _waits_for_the_others(self: Grants, epoch: int, now: float) -> None:
    if self._admission.held is None or not len(self._admission.floor):
        _pump(self, epoch, now)


_pump = Grants.pump


def _overdue_at_once(self: Watchdog, response: str | None, now: float) -> bool:
    return self._may_be_overdue and response == self._subject


def _asks_everybody(self: Grants, now: float) -> Input | None:
    self._asks_about_ends = True
    return _claim_now(self, now)


_claim_now = Grants._claim_now


def _row(state: State, what: Input, after: State, *actions: Action) -> Planted:
    return Planted(TRANSITIONS, (state, what), (after, actions))


PLAIN = "2 requests, 2 turns"
PRESS_TO_TALK = "3 requests in 2 classes, push-to-talk, 2 cancels"
SLOW = "refusal form CODE, late, 2 requests, 1 turn, 1 cancel"
LOST = "one event lost, 1 request, 1 turn, a late reply"
CANCEL = "3 requests in 2 classes, 1 turn, 1 cancel"
LATE = "no event ids, 1 turn, 2 cancels, errors late"
NAMELESS = "no event ids, blocked replies make errors, 2 turns, a late reply"
STUCK = "a response is stuck and deaf, push-to-talk"
PAUSES = "two items each and pauses, push-to-talk, 2 cancels"
HOLD = "a hold of lower class, 3 requests, one of them of it, 1 turn"

MUTANTS = (
    Mutant("a refusal drops the request", SLOW, Planted(keeper.ENACT, A.REQUEUE, _forget_request)),
    Mutant(
        "any done opens the floor",
        "one event doubled, 2 requests, 1 turn, 1 cancel",
        Planted(Coordinator, "done", _any_done),
    ),
    Mutant("cancel forgets an unanswered create", CANCEL, _row(S.CLAIMED, Input.CANCEL_CLAIM, S.OPEN)),
    Mutant("requeued at a foreign created", SLOW, _row(S.CLAIMED, Input.TAKEN, S.HELD, A.REQUEUE)),
    Mutant(
        "the foreign done reopens a contested floor",
        SLOW,
        _row(S.CONTESTED, Input.DONE, S.OPEN, A.FINISH, A.REQUEUE),
    ),
    Mutant(
        "a finished winner is adopted",
        SLOW,
        _row(S.CLAIMED, Input.REFUSED_LATE, S.HELD, A.REQUEUE),
    ),
    Mutant("a cancelled create is granted", CANCEL, _row(S.WITHDRAWN, Input.GRANTED, S.HELD)),
    Mutant("stale is off", NAMELESS, Planted(Evidence, "is_stale", lambda self, response_id: False)),
    Mutant("released is off", STUCK, Planted(Evidence, "release", lambda self, response_id: None)),
    Mutant("cancels are off", LATE, Planted(Cancels, "not_active", _newest_cancel)),
    Mutant(
        "a created consumes speaking",
        PLAIN,
        Planted(turns.TURNS, (Turn.SPEAKING, TurnInput.REPLIED), Turn.QUIET),
    ),
    Mutant(
        "out-of-band is taken for in-band",
        "2 in-band + 1 out-of-band, 1 turn, 1 cancel",
        Planted(Aside, "created", lambda self, response, token, now: False),
    ),
    Mutant(
        "cancelled audio is played",
        "heard from a device, 2 requests, 1 turn, 1 cancel",
        Planted(Playout, "is_cut", lambda self, response_id: False),
    ),
    Mutant(
        "tokens outlive the connection",
        "a cut, replayed, 1 turn, 1 cancel",
        Planted(Coordinator, "connected", _same_epoch),
    ),
    Mutant(
        "a lost create is not missed",
        LOST,
        _row(S.CLAIMED, Input.UNANSWERED, S.CLAIMED),
    ),
    Mutant(
        "a silent response is waited for",
        "one event lost, 2 requests, 1 turn, 1 cancel",
        _row(S.HELD, Input.STUCK, S.HELD),
    ),
    Mutant(
        "a blind refusal is not asked again",
        "two events lost, errors unnamed",
        _row(S.BLOCKED, Input.RETRY, S.BLOCKED),
    ),
    Mutant(
        "a follow-up for each call",
        "a round with two calls, 1 turn",
        Planted(tools.Tools, "_settle", _at_once),
    ),
    Mutant(
        "a lost connection forgets who was asked",
        "a cut, replayed, 1 turn, 1 cancel",
        Planted(keeper.ENACT, A.LOSE, _forget_request),
    ),
    Mutant("a refusal is a denial", SLOW, Planted(keeper.ENACT, A.REQUEUE, _denied)),
    Mutant(
        "one lost answer is the end",
        LOST,
        Planted(Endings, "unanswered", _gives_up_at_once),
    ),
    Mutant("a refused request goes to the back", SLOW, Planted(Admission, "requeue", _to_the_back)),
    Mutant("an end is told twice", PLAIN, Planted(Tickets, "leave", _tells_twice)),
    Mutant("nobody is asked", PLAIN, Planted(Grants, "pump", _nothing)),
    Mutant(
        "what was heard is not noticed",
        "heard from a device, 2 requests, 1 turn, 1 cancel",
        Planted(Endings, "listen", _nothing),
    ),
    Mutant("one refusal is too many", PLAIN, Planted(Admission, "requeue", _exhausted)),
    Mutant(
        "one failure is too many",
        "failed with backoff, 2 requests, 1 turn, 1 cancel",
        Planted(Endings, "_failed", _failed_at_once),
    ),
    Mutant(
        "a request that resumes is dropped",
        "half played, resumed when interrupted",
        Planted(Endings, "interrupted", _never_resumes),
    ),
    Mutant(
        "replay is ignored",
        "a cut, replayed, 1 turn, 1 cancel",
        Planted(Endings, "disconnected", _never_replays),
    ),
    Mutant("fail is ignored", "a cut, not replayed", Planted(Endings, "disconnected", _always_replays)),
    Mutant(
        "generated is heard",
        "heard from a device, 2 requests, 1 turn, 1 cancel",
        Planted(Endings, "generated", _heard_at_done),
    ),
    Mutant(
        "classes are ignored",
        "3 requests in 2 classes, 1 turn",
        Planted(Waiting, "rank", lambda self, ticket, now: 0),
    ),
    Mutant(
        "no follow-up is asked for",
        "a round with two calls and another request, 1 cancel",
        Planted(tools.Tools, "_follow_up", lambda self, round_, untold: None),
    ),
    Mutant(
        "the result of a call is kept back",
        "a round with two calls, 1 turn",
        Planted(tools.Tools, "_write", _only_told),
    ),
    Mutant(
        "the result of a call is sent twice",
        "a round with two calls, 1 turn",
        Planted(tools.Tools, "_write", _twice),
    ),
    Mutant(
        "a dead call id is sent",
        "a round with two calls, a cut",
        Planted(tools.Tools, "lose", _forgets_that_ids_are_dead),
    ),
    Mutant(
        "a press stops nothing",
        "two presses over audio, 1 request",
        Planted(Coordinator, "make_room", _leaves_it),
    ),
    Mutant(
        "a ghost is let speak",
        "one event late, 2 requests, 1 turn, 1 cancel",
        _row(S.WITHDRAWN_CONTESTED, Input.GRANTED, S.HELD, A.OVERTAKEN),
    ),
    Mutant(
        "a cancel does not stop the loudspeaker",
        "a higher class cuts in, 1 turn",
        Planted(Playout, "cut", _only_notes),
    ),
    Mutant(
        "repairs outlive the connection",
        "played on over a cut, 1 cancel",
        Planted(Playout, "disconnect", _repairs_what_is_gone),
    ),
    Mutant(
        "what was inferred is certain",
        "failed, and the end of it lost",
        Planted(Endings, "inferred", _certain),
    ),
    Mutant(
        "a contested cancel goes to the other",
        SLOW,
        _row(S.CONTESTED, Input.CANCEL_CLAIM, S.WITHDRAWN_CONTESTED, A.SEND_CANCEL),
    ),
    Mutant(
        "who is granted is cancelled",
        PLAIN,
        _row(S.CLAIMED, Input.GRANTED, S.YIELDING, A.GRANT, A.SEND_CANCEL),
    ),
    Mutant("what was generated is asked again", PRESS_TO_TALK, Planted(Endings, "generated", _asked_again)),
    Mutant(
        "failed is heard",
        "failed with backoff, 2 requests, 1 turn, 1 cancel",
        Planted(Endings, "_failed", _failed_is_heard),
    ),
    Mutant("a hold is ignored", HOLD, Planted(Admission, "next_line", property(lambda self: self.floor))),
    Mutant("a hold waits for those before it", HOLD, Planted(Grants, "pump", _waits_for_the_others)),
    Mutant(
        "who waits when the hold ends is forgotten", HOLD, Planted(Admission, "let_go", _forgets_who_waited)
    ),
    Mutant(
        "a lost connection ends the hold",
        "two holds, push-to-talk, 1 cancel, a cut",
        Planted(Endings, "lose", _lets_go_when_lost),
    ),
    Mutant(
        "one of its key joins the hold",
        "a hold with others of its key, and a voice out of band",
        Planted(Admission, "_enter", _joins_anybody),
    ),
    Mutant(
        "the others cut into a hold",
        "a hold that a higher class would cut into",
        Planted(Grants, "pump", _others_cut_in),
    ),
    Mutant(
        "what is spoken expires",
        "one that expires, 1 turn without a reply, 1 cancel",
        Planted(Endings, "generated", _expires_all_the_same),
    ),
    Mutant("an overdue end is not waited for", PAUSES, Planted(Watchdog, "is_overdue", _overdue_at_once)),
    Mutant(
        "an item that is open is no matter",
        PAUSES,
        Planted(Shown, "is_complete", property(lambda self: True)),
    ),
    Mutant("it is asked again and again whether one runs", PAUSES, Planted(Watchdog, "asked", _nothing)),
    Mutant(
        "a server that supersedes is asked whether one runs",
        "one item each and a pause, a server that supersedes, 1 turn",
        Planted(Grants, "_claim_now", _asks_everybody),
    ),
    Mutant("a pause is an end", PAUSES, _row(S.HELD, Input.CLAIM_OVERDUE, S.YIELDING, A.SEND_CANCEL)),
    Mutant("a refused question is an end", PAUSES, _row(S.CONTESTED, Input.REFUSED_BY, S.OPEN, A.REQUEUE)),
)
