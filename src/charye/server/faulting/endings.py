"""Faults at the end of a response: `response.done` lost, doubled, late or unreadable, and errors about nothing."""

from collections.abc import Iterable
from typing import ClassVar

from charye.server.faulting.stage import Fault, Options, Out, Say, Step
from charye.server.faulting.wire import Wire, error_event

__all__ = ["DoubledDone", "GarbledDone", "LateDone", "LostDone", "StrayError"]


class _Done(Fault):
    """Does something to the `response.done` of a response in the conversation."""

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        if wire.kind == "response.done" and wire.in_band and self._strikes():
            yield Say(wire.text("response", "id") or "")
            yield from self._instead(wire)
        else:
            yield Out(wire)

    def _instead(self, done: Wire) -> Iterable[Step]:
        raise NotImplementedError


class LostDone(_Done):
    """`response.done` never arrives; for the server the response is over."""

    def _instead(self, done: Wire) -> Iterable[Step]:
        return ()


class DoubledDone(_Done):
    """`response.done` arrives twice, the second time `ms` milliseconds later."""

    OPTIONS: ClassVar[Options] = {"ms": 0.0}

    def _instead(self, done: Wire) -> Iterable[Step]:
        yield Out(done)
        yield Out(done, self._in_s(self._number("ms") / 1000))


class LateDone(_Done):
    """`response.done` arrives `ms` milliseconds late; what comes behind it does not wait."""

    OPTIONS: ClassVar[Options] = {"ms": 2000.0}

    def _instead(self, done: Wire) -> Iterable[Step]:
        yield Out(done, self._in_s(self._number("ms") / 1000))


class GarbledDone(_Done):
    """`response.done` arrives, but is cut off in the middle: no JSON."""

    def _instead(self, done: Wire) -> Iterable[Step]:
        yield Out(Wire(done.raw[: len(done.raw) // 2].decode(errors="ignore").encode()))


class StrayError(Fault):
    """Behind `response.created` comes an error that is about nothing the client did; the response goes on.

    With `fatal=1` it does not go on: nothing more of it arrives, its `response.done` neither.
    """

    OPTIONS: ClassVar[Options] = {"fatal": 0.0}

    _silent: str | None = None

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        if self._silent is not None and self._seen.response_of(wire) == self._silent:
            return
        yield Out(wire)
        if wire.kind == "response.created" and wire.in_band and self._strikes():
            response_id = wire.text("response", "id") or ""
            yield Say(response_id)
            message = "The server had an error while processing your request. Sorry about that!"
            yield Out(error_event(self.chance, None, message, kind="server_error"))
            if self._number("fatal"):
                self._silent = response_id
