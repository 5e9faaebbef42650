"""Faults of the words: promises that servers in the field do not keep, and errors that say less than they could."""

from collections.abc import Iterable
from typing import ClassVar

from charye.server.faulting.stage import Fault, In, Options, Out, Say, Step
from charye.server.faulting.wire import Wire

__all__ = ["CodeInType", "NoMetadata", "NullIds", "Supersede", "TextOnly"]


class _Errors(Fault):
    """Says errors in another way. By default all of them."""

    OPTIONS: ClassVar[Options] = {"times": 0.0}

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        if wire.kind == "error" and self._strikes():
            yield Say(wire.text("error", "code") or "")
            wire = wire.inside("error", **self._said(wire))
        yield Out(wire)

    def _said(self, wire: Wire) -> dict[str, str | None]:
        raise NotImplementedError


class NullIds(_Errors):
    """`error.event_id` is null, even where the client sent an id."""

    def _said(self, wire: Wire) -> dict[str, str | None]:
        return {"event_id": None}


class CodeInType(_Errors):
    """The code of an error stands in its `type`, and `code` is null."""

    def _said(self, wire: Wire) -> dict[str, str | None]:
        return {"type": wire.text("error", "code") or wire.text("error", "type"), "code": None}


class TextOnly(_Errors):
    """Errors have no code; a refusal is known by the short text of old servers, which names no response."""

    def _said(self, wire: Wire) -> dict[str, str | None]:
        if wire.refusal:
            return {"code": None, "message": "Conversation already has an active response"}
        return {"code": None}


class NoMetadata(Fault):
    """The metadata of a create does not come back: nothing tells whose a response is."""

    OPTIONS: ClassVar[Options] = {"times": 0.0}

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        if wire.object("response", "metadata") and self._strikes():
            yield Say(wire.text("response", "id") or "")
            wire = wire.inside("response", metadata=None)
        yield Out(wire)


class Supersede(Fault):
    """A create is never refused: it ends the response that runs, and begins when that one is over."""

    OPTIONS: ClassVar[Options] = {"times": 0.0}

    def set_up(self) -> None:
        super().set_up()
        self._waiting: list[Wire] = []
        self._ended: str | None = None

    def incoming(self, wire: Wire) -> Iterable[Step]:
        running = self._seen.floor
        asks = wire.kind == "response.create" and wire.in_band
        if not asks or running is None or not (self._waiting or self._strikes()):
            yield In(wire)
            return
        self._waiting.append(wire)
        if self._ended != running:
            self._ended = running
            yield Say(running)
            yield In(Wire.of({"type": "response.cancel", "response_id": running}))

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        # The error is the answer to a cancel of ours that came too late; the client knows nothing of that cancel.
        crossed = wire.text("error", "code") == "response_cancel_not_active" and self._ended is not None
        if not (crossed and wire.text("error", "event_id") is None and self._waiting):
            yield Out(wire)
        if self._waiting and self._seen.floor is None and wire.kind == "response.done":
            # One at a time: if another one waits, it ends this one in turn.
            yield In(self._waiting.pop(0))
        elif self._waiting and wire.kind == "response.created" and self._seen.floor != self._ended:
            self._ended = self._seen.floor
            yield In(Wire.of({"type": "response.cancel", "response_id": self._ended}))
