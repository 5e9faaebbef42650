"""The stage between a server's peer and the wire, on which the faults play. No I/O, no clock; chance is seeded.

    peer  -- outgoing -->  fault 1  -->  fault 2  -->  wire
    peer  <-- incoming --  fault 1  <--  fault 2  <--  wire

A fault sees one event at a time and says in `Step`s what becomes of it: passed on, changed, held back, kept for later,
swallowed, with others before or behind it. What a step lets out is seen by the next fault on that way. So faults can
be combined, and none knows of another.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, TypeAlias

from charye.server.effects import Close, Note
from charye.server.faulting.wire import Wire
from charye.server.parts import Context, MindOutput

__all__ = [
    "Act",
    "Cut",
    "Fault",
    "HalfClose",
    "In",
    "Option",
    "Options",
    "Out",
    "Pause",
    "Say",
    "Seen",
    "Shut",
    "Speech",
    "Stage",
    "Step",
    "Wake",
]

Option: TypeAlias = float | str
Options: TypeAlias = dict[str, Option]


@dataclass(frozen=True, slots=True)
class Out:
    """On to the client. `at`: not before that time; what comes behind it does not wait."""

    wire: Wire
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class In:
    """On to the peer."""

    wire: Wire
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Speech:
    """The ears hear a voice begin, or end, though nobody spoke."""

    begins: bool
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks, without a close, behind these bytes of a frame."""

    partial: bytes
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Nothing more is sent, not even a close; what the client sends is still read."""

    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Shut:
    """The server closes."""

    close: Close
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Wake:
    """Call `Fault.awake` at that time."""

    at: float


@dataclass(frozen=True, slots=True)
class Say:
    """The fault has struck: for the journal.

    Args:
        about: an id, or the type of an event; never what a person said.
    """

    about: str = ""


Step: TypeAlias = Out | In | Speech | Cut | HalfClose | Shut | Wake | Say
Act: TypeAlias = Out | In | Speech | Cut | HalfClose | Close | Note
"""What the runtime performs, at once and in order. `Out` is for the wire, `In` for the peer."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A mind says nothing for so long."""

    seconds: float


class Seen:
    """What the peer has said so far: the facts that faults decide by.

    Attributes:
        session_id: once the session has begun.
        now: the time of the input that is being worked on.
        floor: the response that holds the floor.
        detects: voice detection is on. `replies`: and answers by itself.
    """

    def __init__(self) -> None:
        self.session_id = ""
        self.now = 0.0
        self.floor: str | None = None
        self.detects = False
        self.replies = False
        self._items: dict[str, str] = {}

    def outgoing(self, wire: Wire) -> None:
        """The peer sends this."""
        match wire.kind:
            case "session.created" | "session.updated":
                self.session_id = wire.text("session", "id") or self.session_id
                detection = wire.object("session", "audio", "input", "turn_detection") or wire.object(
                    "session", "turn_detection"
                )
                self.detects = bool(detection)
                self.replies = self.detects and detection.get("create_response") is not False
            case "response.created" if wire.in_band:
                self.floor = wire.text("response", "id")
            case "response.output_item.added":
                item_id, response_id = wire.text("item", "id"), wire.text("response_id")
                if item_id and response_id:
                    self._items[item_id] = response_id
            case "response.done" if wire.text("response", "id") == self.floor:
                self.floor = None

    def response_of(self, wire: Wire) -> str | None:
        """The response that this event of the server belongs to, its items' events included."""
        found = wire.text("response_id") or wire.text("response", "id")
        if found is None and wire.kind.startswith("conversation.item."):
            found = self._items.get(wire.text("item", "id") or wire.text("item_id") or "")
        return found


class Fault:
    """One thing that goes wrong. By itself it does nothing; a subclass overrides what it needs.

    Every fault has three options about when it strikes, counted in the occasions it waits for:

        nth      the first occasion that counts; 1 is the very first
        times    how many of them; 0: all
        chance   of each, from 0 to 1, by the seed

    Args:
        given: the options that were set; the rest is in `OPTIONS`.
        chance: where its chance comes from.
        seen: what the peer has said, shared with the others of the stage.
    """

    OPTIONS: ClassVar[Options] = {}
    STRIKES: ClassVar[Options] = {"nth": 1.0, "times": 1.0, "chance": 1.0}

    def __init__(self, given: Options, chance: Random, seen: Seen) -> None:
        self._options: Options = self.STRIKES | self.OPTIONS | given
        self.chance = chance
        self._seen = seen
        self._occasions = 0
        self.set_up()

    def set_up(self) -> None:
        """What it remembers, empty."""

    def begin(self) -> Iterable[Step]:
        """The session begins, or the fault was asked for just now."""
        return ()

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        """The server says this."""
        return (Out(wire),)

    def incoming(self, wire: Wire) -> Iterable[Step]:
        """The client says this."""
        return (In(wire),)

    def awake(self) -> Iterable[Step]:
        """A `Wake` is over."""
        return ()

    def answer(self, context: Context) -> Sequence[MindOutput | Pause] | None:
        """What the mind says instead of what it would; None: let it think."""
        return None

    def _in_s(self, seconds: float) -> float:
        return self._seen.now + seconds

    def _number(self, name: str) -> float:
        return float(self._options[name])

    def _word(self, name: str) -> str:
        return str(self._options[name])

    def _strikes(self) -> bool:
        """Here is an occasion: take it?"""
        self._occasions += 1
        first, times = int(self._number("nth")), int(self._number("times"))
        if self._occasions < first or (times and self._occasions >= first + times):
            return False
        share = self._number("chance")
        return share >= 1 or self.chance.random() < share


class Stage:
    """Faults in a row.

    Args:
        faults: with their names; the first is nearest to the peer.
        seen: the same that they were made with.
    """

    def __init__(self, faults: Sequence[tuple[str, Fault]], seen: Seen) -> None:
        self._faults = faults
        self.seen = seen
        self._later: list[tuple[float, int, int, Step]] = []
        self._order = 0
        self._acts: list[Act] = []

    def begin(self, now: float) -> list[Act]:
        """Once, before everything else."""
        self.seen.now = now
        for index, (_, fault) in enumerate(self._faults):
            self._take(index, fault.begin(), now)
        return self._taken()

    def outgoing(self, data: bytes, now: float) -> list[Act]:
        """The peer says this."""
        self.seen.now = now
        wire = Wire(data)
        self.seen.outgoing(wire)
        self._out(wire, 0, now)
        return self._taken()

    def incoming(self, data: bytes, now: float) -> list[Act]:
        """The client says this."""
        self.seen.now = now
        self._in(Wire(data), len(self._faults) - 1, now)
        return self._taken()

    def answer(self, context: Context) -> Sequence[MindOutput | Pause] | None:
        """What the mind says instead, if a fault wants it so."""
        for _, fault in self._faults:
            if (instead := fault.answer(context)) is not None:
                return instead
        return None

    @property
    def next_deadline(self) -> float | None:
        """When to call `tick`."""
        return self._later[0][0] if self._later else None

    def last_out(self) -> float | None:
        """When the last event that is kept for later will have left; None: there is none."""
        return max((at for at, _, _, step in self._later if isinstance(step, Out)), default=None)

    def tick(self, now: float) -> list[Act]:
        """Time has passed."""
        while self._later and self._later[0][0] <= now:
            at, _, index, step = heapq.heappop(self._later)
            self.seen.now = at
            self._do(index, step, at)
        return self._taken()

    def _taken(self) -> list[Act]:
        acts, self._acts = self._acts, []
        return acts

    def _out(self, wire: Wire, index: int, now: float) -> None:
        if index == len(self._faults):
            self._acts.append(Out(wire))
        else:
            self._take(index, self._faults[index][1].outgoing(wire), now)

    def _in(self, wire: Wire, index: int, now: float) -> None:
        if index < 0:
            self._acts.append(In(wire))
        else:
            self._take(index, self._faults[index][1].incoming(wire), now)

    def _take(self, index: int, steps: Iterable[Step], now: float) -> None:
        for step in steps:
            if not isinstance(step, Say) and step.at > now:
                self._order += 1
                heapq.heappush(self._later, (step.at, self._order, index, step))
            else:
                self._do(index, step, now)

    def _do(self, index: int, step: Step, now: float) -> None:
        match step:
            case Out(wire=wire):
                self._out(wire, index + 1, now)
            case In(wire=wire):
                self._in(wire, index - 1, now)
            case Wake():
                self._take(index, self._faults[index][1].awake(), now)
            case Say(about=about):
                self._acts.append(Note(f"fault {self._faults[index][0]}", about))
            case Shut(close=close):
                last = self.last_out()
                if last is not None and last > now:
                    # A close waits for what was sent before it; a cut does not.
                    self._take(index, (replace(step, at=last),), now)
                else:
                    self._acts.append(close)
            case _:
                self._acts.append(step)
