"""Wrong rules, planted one at a time, to see the laws fail. A law that no mutant breaks would be no law.

Each names the world that catches it. Rows of the tables are changed in the tables; what is not a row (a register,
a guard) is switched off where it lives.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from charye.core import calls, keeper, tools, turns
from charye.core.aside import Aside
from charye.core.coordinator import Coordinator
from charye.core.evidence import Cancels, Evidence
from charye.core.floor import RUNS, TRANSITIONS, Action, Floor, Input, State
from charye.core.playout import Playout
from charye.core.turns import Turn, TurnInput
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


def _row(state: State, what: Input, after: State, *actions: Action) -> Planted:
    return Planted(TRANSITIONS, (state, what), (after, actions))


PLAIN = "2 requests, 2 turns"
CANCEL = "3 requests in 2 classes, 1 turn, 1 cancel"
LATE = "no event ids, 1 turn, 2 cancels, errors late"
NAMELESS = "no event ids, blocked replies make errors, 2 turns"
STUCK = "a response is stuck and deaf, 2 requests, 1 turn, 1 cancel"

MUTANTS = (
    Mutant("a refusal drops the request", PLAIN, Planted(keeper.ENACT, A.REQUEUE, _forget_request)),
    Mutant(
        "any done opens the floor",
        "one event doubled, 2 requests, 1 turn, 1 cancel",
        Planted(Coordinator, "done", _any_done),
    ),
    Mutant("cancel forgets an unanswered create", CANCEL, _row(S.CLAIMED, Input.CANCEL_CLAIM, S.OPEN)),
    Mutant("requeued at a foreign created", PLAIN, _row(S.CLAIMED, Input.TAKEN, S.HELD, A.REQUEUE)),
    Mutant(
        "the foreign done reopens a contested floor",
        PLAIN,
        _row(S.CONTESTED, Input.DONE, S.OPEN, A.FINISH, A.REQUEUE),
    ),
    Mutant(
        "a finished winner is adopted",
        "refusal form CODE, late, 2 requests, 1 turn, 1 cancel",
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
        "one event lost, 2 requests, 1 turn, 1 cancel",
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
)
