"""The core as a graph of its own: its states, met once each, and what every input does in them.

The core is deterministic, so a step from a known state with a known input is done once and remembered, however
many states of the world it occurs in.
"""

from dataclasses import dataclass
from typing import NamedTuple

from charye.core.effects import Effect
from charye.core.floor import Floor
from charye.core.peer import Peer
from charye.core.requests import RequestId, ResponseRequest, Starts
from charye.core.settings import Settings
from charye.core.tools import Answer
from charye.core.turns import Turn
from tests.model.events import event
from tests.model.freeze import Photographer, freeze
from tests.model.server import Form, Message

__all__ = ["HOLD", "Core", "Facts", "Input", "Walked"]

Input = tuple[object, ...]
"""("connect",) ("cut",) ("tick",) ("hear", message) ("ask", index) ("cancel", id) ("tool", call) ("played", item)
("half", item) ("press",) ("release",) ("hold",) ("let_go",)"""

HOLD = "h"
"""The name of every hold of the floor; the requests of a world that name one belong to the one that stands."""


class Facts(NamedTuple):
    """What the laws look at.

    Args:
        idle: nothing waits that might be asked.
        due: seconds until the next deadline.
        reply_is_due_next: that deadline is the end of the wait for the server's reply to the user.
        end_is_due_next: that deadline is the moment from which the end of the running response is overdue.
    """

    floor: Floor
    online: bool
    quiet: bool
    pressed: bool
    idle: bool
    due: float | None
    reply_is_due_next: bool
    end_is_due_next: bool


@dataclass(slots=True)
class Known:
    """One state: its picture, and the time at which it was taken."""

    picture: bytes
    now: float
    facts: Facts


class Core:
    """All states of the core that were met in one world."""

    def __init__(self, settings: Settings, asks: tuple[ResponseRequest, ...], form: Form) -> None:
        self._asks = asks
        self._form = form
        self._photographer = Photographer(settings)
        self._states: list[Known] = []
        self._numbers: dict[object, int] = {}
        self._steps: dict[tuple[int, Input], tuple[int, tuple[Effect, ...]]] = {}
        self.start = self._meet(Peer(settings), 0.0)

    def __len__(self) -> int:
        return len(self._states)

    def facts(self, state: int) -> Facts:
        """What is true in this state."""
        return self._states[state].facts

    def step(self, state: int, what: Input) -> tuple[int, tuple[Effect, ...]]:
        """The state after this input, and the effects."""
        known = self._steps.get((state, what))
        if known is None:
            before = self._states[state]
            peer = self._photographer.develop(before.picture)
            now = before.now
            if what == ("tick",):
                now += max(0.0, before.facts.due or 0.0)
            effects = tuple(perform(peer, what, now, self._asks, self._form))
            known = self._steps[state, what] = (self._meet(peer, now), effects)
        return known

    def _meet(self, peer: Peer, now: float) -> int:
        value = freeze(peer, now)
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self._states)
            self._states.append(Known(self._photographer.take(peer), now, _facts(peer, now)))
        return number


class Walked:
    """The core on one way only: nothing is remembered, so the state is always the last one."""

    def __init__(self, settings: Settings, asks: tuple[ResponseRequest, ...], form: Form) -> None:
        self._peer = Peer(settings)
        self._asks = asks
        self._form = form
        self._now = 0.0
        self._facts = _facts(self._peer, 0.0)
        self.start = 0

    def facts(self, state: int) -> Facts:
        """What is true now."""
        return self._facts

    def step(self, state: int, what: Input) -> tuple[int, tuple[Effect, ...]]:
        """Take the input; the state is the next."""
        if what == ("tick",):
            self._now += max(0.0, self._facts.due or 0.0)
        effects = tuple(perform(self._peer, what, self._now, self._asks, self._form))
        self._facts = _facts(self._peer, self._now)
        return state + 1, effects


def perform(  # noqa: C901, PLR0911, PLR0912  one return an input
    peer: Peer, what: Input, now: float, asks: tuple[ResponseRequest, ...], form: Form
) -> list[Effect]:
    """Do to the core what this input says."""
    match what:
        case ("connect",):
            return peer.connected(now)
        case ("cut",):
            return peer.disconnected(now)
        case ("tick",):
            return peer.tick(now)
        case ("hear", tuple(message)):
            return peer.receive(event(_message(message), form), now)
        case ("ask", int(index)):
            return peer.request(asks[index], now)
        case ("cancel", str(request_id)):
            return peer.cancel(RequestId(request_id), now)
        case ("tool", str(call_id)):
            return peer.tool_finished(call_id, Answer("{}"), now)
        case ("press",):
            return peer.press(now)
        case ("hold",):
            return peer.hold(HOLD, now)
        case ("let_go",):
            return peer.let_go(HOLD, now)
        case ("release",):
            peer.microphone(200.0)
            return peer.release(now)
        case ("played", str(item_id)):
            return peer.played(item_id, 100.0, now)
        case ("half", str(item_id)):
            return peer.played(item_id, 50.0, now)
    raise AssertionError(what)


def _message(message: tuple[object, ...]) -> Message:
    return message


def _facts(peer: Peer, now: float) -> Facts:
    machines = peer._machines
    coordinator = machines.coordinator
    lines = coordinator.admission
    best = (lines.floor if peer.held is None else lines.holding).best(now)
    due = peer.next_deadline(now)
    held_back = coordinator.aside.voice or (
        best is not None
        and (
            best.request.conversation == "none"
            or (best.request.starts is Starts.AFTER_HEARD and not machines.playout.is_quiet)
        )
    )
    return Facts(
        floor=coordinator.floor,
        online=machines.is_online,
        quiet=machines.turns.is_quiet,
        pressed=machines.turns.turn is Turn.PRESSED,
        idle=(best is None or held_back) and (lines.aside.best(now) is None or coordinator.aside.is_full),
        due=None if due is None else round(due - now, 6),
        reply_is_due_next=machines.turns.turn in (Turn.AWAITED, Turn.DOUBTED)
        and due == machines.turns.deadline,
        end_is_due_next=coordinator.watchdog._may_be_overdue
        and due == coordinator.watchdog._overdue_at
        and due != machines.turns.deadline,
    )
