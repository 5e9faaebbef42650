"""Faults of hearing: turns nobody spoke, speech at the worst moment, truncates that are refused, two voices at once."""

from collections.abc import Iterable
from typing import ClassVar

from charye.protocol import audio_base64
from charye.server import refusals
from charye.server.faulting.stage import Fault, In, Options, Out, Say, Speech, Step, Wake
from charye.server.faulting.wire import Wire, error_event, server_event
from charye.server.ids import Ids

__all__ = ["AsideFirst", "BargeInAfterDone", "BargeInOnTool", "NoiseTurn", "TruncateRefused"]

_NOISE_MS = 300


class NoiseTurn(Fault):
    """`after_ms` after a response is done, a noise is taken for a turn of the user.

    No response is ever created for it.
    """

    OPTIONS: ClassVar[Options] = {"after_ms": 200.0}

    def set_up(self) -> None:
        self._items: set[str] = set()

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        item_id = wire.text("item", "id")
        if wire.kind in ("conversation.item.added", "conversation.item.created") and item_id in self._items:
            self._items.discard(item_id)
            yield from self._turn(item_id, wire)
        yield Out(wire)
        if wire.kind == "response.done" and wire.in_band and self._strikes():
            yield Wake(self._in_s(self._number("after_ms") / 1000))

    def awake(self) -> Iterable[Step]:
        # The item enters through the peer, so it is in the conversation, and can be retrieved and deleted.
        item_id = Ids(self.chance).item()
        self._items.add(item_id)
        sound = {"type": "input_audio", "audio": audio_base64(bytes(_NOISE_MS * 48))}
        item = {"id": item_id, "type": "message", "role": "user", "content": [sound]}
        yield Say(item_id)
        yield In(Wire.of({"type": "conversation.item.create", "item": item}))

    def _turn(self, item_id: str, added: Wire) -> Iterable[Step]:
        kinds = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
        yield Out(server_event(kinds[0], self.chance, audio_start_ms=0, item_id=item_id))
        yield Out(server_event(kinds[1], self.chance, audio_end_ms=_NOISE_MS, item_id=item_id))
        previous = added.text("previous_item_id")
        committed = "input_audio_buffer.committed"
        yield Out(server_event(committed, self.chance, item_id=item_id, previous_item_id=previous))


class TruncateRefused(Fault):
    """A truncate is refused: the audio is said to be shorter than what was heard."""

    def incoming(self, wire: Wire) -> Iterable[Step]:
        if wire.kind == "conversation.item.truncate" and self._strikes():
            yield from _too_short(self, wire)
        else:
            yield In(wire)


def _too_short(fault: Fault, truncate: Wire) -> Iterable[Step]:
    wanted_ms = int(truncate.number("audio_end_ms") or 0)
    refused = refusals.audio_shorter(max(wanted_ms - 85, 0), wanted_ms)
    yield Say(truncate.text("item_id") or "")
    yield Out(error_event(fault.chance, refused.code, str(refused), event_id=truncate.text("event_id")))


class BargeInAfterDone(Fault):
    """A response is generated and still being played: `after_ms` later the user speaks for `for_ms`.

    The truncate that the client answers with is refused, as in `truncate_refused`; `truncate=1` accepts it.
    """

    OPTIONS: ClassVar[Options] = {"after_ms": 200.0, "for_ms": 600.0, "truncate": 0.0}

    def set_up(self) -> None:
        self._spoken: set[str] = set()
        self._barged = False

    def incoming(self, wire: Wire) -> Iterable[Step]:
        if self._barged and not self._number("truncate") and wire.kind == "conversation.item.truncate":
            self._barged = False
            yield from _too_short(self, wire)
        else:
            yield In(wire)

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        yield Out(wire)
        response_id = self._seen.response_of(wire) or ""
        if wire.kind in ("response.output_audio.delta", "response.audio.delta"):
            self._spoken.add(response_id)
        if wire.kind == "response.done" and wire.in_band and response_id in self._spoken and self._strikes():
            self._barged = True
            yield Say(response_id)
            begins = self._in_s(self._number("after_ms") / 1000)
            yield Speech(True, begins)
            yield Speech(False, begins + self._number("for_ms") / 1000)


class BargeInOnTool(Fault):
    """While the client's tool runs, `after_ms` after the call, the user speaks for `for_ms`."""

    OPTIONS: ClassVar[Options] = {"after_ms": 100.0, "for_ms": 600.0}

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        yield Out(wire)
        if wire.kind != "response.done" or not wire.in_band:
            return
        output = wire.list("response", "output")
        calls = [item for item in output if isinstance(item, dict) and item.get("type") == "function_call"]
        if calls and self._strikes():
            yield Say(str(calls[0].get("call_id")))
            begins = self._in_s(self._number("after_ms") / 1000)
            yield Speech(True, begins)
            yield Speech(False, begins + self._number("for_ms") / 1000)


class AsideFirst(Fault):
    """An out-of-band response overtakes the one in the conversation, its events between the other's, and is done first.

    The response in the conversation waits up to `s` seconds for one.
    """

    OPTIONS: ClassVar[Options] = {"s": 2.0}

    def set_up(self) -> None:
        self._main: str | None = None
        self._kept: list[Wire] = []

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        if self._main is None:
            yield Out(wire)
            if wire.kind == "response.created" and wire.in_band and self._strikes():
                self._main = wire.text("response", "id")
                yield Say(self._main or "")
                yield Wake(self._in_s(self._number("s")))
            return
        response_id = self._seen.response_of(wire)
        if response_id is None or response_id == self._main or wire.in_band:
            self._kept.append(wire)
            return
        yield Out(wire)
        if wire.kind == "response.done":
            yield from self._let_go()
        elif self._kept and self._kept[0].kind != "response.done":
            yield Out(self._kept.pop(0))

    def awake(self) -> Iterable[Step]:
        return self._let_go()

    def _let_go(self) -> Iterable[Step]:
        self._main = None
        kept, self._kept = self._kept, []
        yield from (Out(wire) for wire in kept)
