"""Faults around the floor: who is created, who is refused, and in which order the client learns of it."""

from collections.abc import Iterable
from typing import ClassVar

from charye.server import refusals
from charye.server.faulting.stage import Fault, In, Options, Out, Say, Speech, Step, Wake
from charye.server.faulting.wire import Wire, error_event

__all__ = [
    "AnonymousRefusal",
    "CreatedLate",
    "CrossedCancel",
    "Refused",
    "RefusedAfterDone",
    "RefusedBeforeCreated",
    "ReplyGap",
    "SlowCancel",
    "VadWins",
]


class VadWins(Fault):
    """Just before a create is handled, voice detection hears a turn and the server's own reply takes the floor.

    In a session without voice detection or without replies of the server, it is a create of somebody else's.
    """

    def incoming(self, wire: Wire) -> Iterable[Step]:
        wins = wire.kind == "response.create" and wire.in_band and self._seen.floor is None
        if wins and self._strikes():
            yield Say(wire.text("event_id") or wire.kind)
            if self._seen.replies:
                yield Speech(begins=True)
                yield Speech(begins=False)
            else:
                yield In(Wire.of({"type": "response.create"}))
        yield In(wire)


class _LostRace(VadWins):
    """Knows the refusal that the race leads to, and the response that won it."""

    def set_up(self) -> None:
        super().set_up()
        self._racing = False

    def incoming(self, wire: Wire) -> Iterable[Step]:
        for step in super().incoming(wire):
            self._racing = self._racing or isinstance(step, Say)
            yield step

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        if self._racing and wire.refusal:
            self._racing = False
            yield from self._refused(wire)
        else:
            yield from self._other(wire)

    def _refused(self, refusal: Wire) -> Iterable[Step]:
        yield Out(refusal)

    def _other(self, wire: Wire) -> Iterable[Step]:
        yield Out(wire)


class RefusedAfterDone(_LostRace):
    """As `vad_wins`, but the refusal comes behind the `response.done` of the response that won."""

    _refusal: Wire | None = None

    def _refused(self, refusal: Wire) -> Iterable[Step]:
        self._refusal = refusal
        return ()

    def _other(self, wire: Wire) -> Iterable[Step]:
        yield Out(wire)
        if wire.kind == "response.done" and wire.in_band and self._refusal is not None:
            yield Out(self._refusal)
            self._refusal = None


class RefusedBeforeCreated(_LostRace):
    """As `vad_wins`, but the refusal comes before the `response.created` of the response that won."""

    def set_up(self) -> None:
        super().set_up()
        self._kept: list[Wire] = []

    def _refused(self, refusal: Wire) -> Iterable[Step]:
        yield Out(refusal)
        yield from (Out(wire) for wire in self._kept)
        self._kept = []

    def _other(self, wire: Wire) -> Iterable[Step]:
        if self._racing and (self._kept or wire.kind == "response.created"):
            self._kept.append(wire)
        else:
            yield Out(wire)


class AnonymousRefusal(_LostRace):
    """As `vad_wins`, but the refusal cannot be matched: `how` is null_id, code_in_type, text_only, or any."""

    OPTIONS: ClassVar[Options] = {"how": "any"}
    HOW: ClassVar[tuple[str, ...]] = ("null_id", "code_in_type", "text_only")

    def _refused(self, refusal: Wire) -> Iterable[Step]:
        how = self._word("how")
        if how == "any":
            how = self.chance.choice(self.HOW)
        yield Say(how)
        if how == "code_in_type":
            refusal = refusal.inside("error", type=refusal.text("error", "code"), code=None)
        elif how == "text_only":
            message = "Conversation already has an active response"
            refusal = refusal.inside("error", code=None, message=message, event_id=None)
        else:
            refusal = refusal.inside("error", event_id=None)
        yield Out(refusal)


class Refused(Fault):
    """A create is refused though nothing runs that the client could know of."""

    def incoming(self, wire: Wire) -> Iterable[Step]:
        if wire.kind == "response.create" and wire.in_band and self._strikes():
            yield Say(wire.text("event_id") or wire.kind)
            yield Out(_refusal(self, wire, self._seen.floor or "resp_000000000000000000000"))
        else:
            yield In(wire)


class CreatedLate(Fault):
    """A create is accepted at once, but nothing of its response arrives for `s` seconds."""

    OPTIONS: ClassVar[Options] = {"s": 12.0}

    def set_up(self) -> None:
        super().set_up()
        self._late: dict[str, float] = {}

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        response_id = self._seen.response_of(wire) or ""
        if wire.kind == "response.created" and self._concerns(wire) and self._strikes():
            self._late[response_id] = self._in_s(self._number("s"))
            yield Say(response_id)
        yield Out(wire, self._late.get(response_id, 0.0))

    def _concerns(self, wire: Wire) -> bool:
        return wire.in_band


class ReplyGap(CreatedLate):
    """After the user's turn the server's reply has the floor at once, but is seen only after `s` seconds."""

    OPTIONS: ClassVar[Options] = {"s": 0.5}

    _own = False

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        if wire.kind == "input_audio_buffer.speech_stopped":
            self._own = True
        yield from super().outgoing(wire)
        if wire.kind == "response.created":
            self._own = False

    def _concerns(self, wire: Wire) -> bool:
        return wire.in_band and self._own


class SlowCancel(Fault):
    """A cancelled response ends `ms` milliseconds late; a create in the meantime is refused."""

    OPTIONS: ClassVar[Options] = {"ms": 500.0, "times": 0.0}

    def set_up(self) -> None:
        super().set_up()
        self._slow: str | None = None
        self._kept: list[Wire] = []

    def incoming(self, wire: Wire) -> Iterable[Step]:
        if wire.kind == "response.cancel" and self._slow is None:
            wanted = wire.text("response_id") or self._seen.floor
            if wanted is not None and wanted == self._seen.floor and self._strikes():
                self._slow = wanted
                yield Say(wanted)
                yield Wake(self._in_s(self._number("ms") / 1000))
        if self._slow is not None and wire.kind == "response.create" and wire.in_band:
            yield Out(_refusal(self, wire, self._slow))
        else:
            yield In(wire)

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        ends = self._slow is not None and wire.kind == "response.done" and wire.in_band
        if ends or self._kept:
            self._kept.append(wire)
        else:
            yield Out(wire)

    def awake(self) -> Iterable[Step]:
        self._slow = None
        kept, self._kept = self._kept, []
        yield from (Out(wire) for wire in kept)


class CrossedCancel(Fault):
    """A cancel arrives only `ms` milliseconds after its response is done: refused, or it hits the next response."""

    OPTIONS: ClassVar[Options] = {"ms": 300.0}

    def set_up(self) -> None:
        super().set_up()
        self._crossing: list[Wire] = []

    def incoming(self, wire: Wire) -> Iterable[Step]:
        if wire.kind == "response.cancel" and self._seen.floor is not None and self._strikes():
            yield Say(self._seen.floor)
            self._crossing.append(wire)
        else:
            yield In(wire)

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        yield Out(wire)
        if wire.kind == "response.done" and wire.in_band:
            crossing, self._crossing = self._crossing, []
            yield from (In(one, self._in_s(self._number("ms") / 1000)) for one in crossing)


def _refusal(fault: Fault, create: Wire, running: str) -> Wire:
    refused = refusals.active_response(running)
    return error_event(fault.chance, refused.code, str(refused), event_id=create.text("event_id"))
