"""Faults of the way between client and server: late, stalled, cut, closed, and bytes that are no event."""

from collections.abc import Iterable
from typing import ClassVar

from charye.server import refusals
from charye.server.effects import Close
from charye.server.faulting.stage import Cut, Fault, HalfClose, In, Options, Out, Say, Shut, Step, Wake
from charye.server.faulting.wire import Wire, error_event

__all__ = [
    "CutAtByte",
    "Drop",
    "Expiry",
    "Garbage",
    "HalfClosed",
    "HangUp",
    "Latency",
    "Reordered",
    "Stall",
]


class Latency(Fault):
    """Every event is late, in its order: `out_ms` to the client, `in_ms` to the server, and up to `jitter_ms` more."""

    OPTIONS: ClassVar[Options] = {"out_ms": 100.0, "in_ms": 0.0, "jitter_ms": 0.0}

    _out_at = 0.0
    _in_at = 0.0

    def begin(self) -> Iterable[Step]:
        yield Say()

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        # Nothing overtakes: it is one TCP connection.
        self._out_at = max(self._out_at, self._arrives("out_ms"))
        yield Out(wire, self._out_at)

    def incoming(self, wire: Wire) -> Iterable[Step]:
        self._in_at = max(self._in_at, self._arrives("in_ms"))
        yield In(wire, self._in_at)

    def _arrives(self, direction: str) -> float:
        late_ms = self._number(direction) + self.chance.random() * self._number("jitter_ms")
        return self._in_s(late_ms / 1000)


class Stall(Fault):
    """From the `nth` event on nothing reaches the client for `s` seconds; then all of it at once."""

    OPTIONS: ClassVar[Options] = {"s": 5.0, "nth": 10.0}

    _until = 0.0

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        if self._strikes():
            self._until = self._in_s(self._number("s"))
            yield Say(wire.kind)
        yield Out(wire, self._until)


class CutAtByte(Fault):
    """The connection breaks in the middle of a frame: behind byte `at_byte` of the WebSocket frames to the client."""

    OPTIONS: ClassVar[Options] = {"at_byte": 5000.0}

    _sent = 0

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        frame = text_frame(wire.raw)
        left = int(self._number("at_byte")) - self._sent
        self._sent += len(frame)
        if left >= len(frame):
            yield Out(wire)
        elif left >= 0:
            yield Say(wire.kind)
            yield Cut(frame[:left])
            self._sent = int(self._number("at_byte")) + 1  # never again


def text_frame(payload: bytes) -> bytes:
    """The bytes of a server's frame with this text. Source: RFC 6455, 5.2; servers do not mask."""
    length = len(payload)
    if length < 126:
        head = bytes((0x81, length))
    elif length < 1 << 16:
        head = b"\x81\x7e" + length.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + length.to_bytes(8, "big")
    return head + payload


class HalfClosed(Fault):
    """Behind the `nth` event the server's half of the connection ends without a close; it still reads."""

    OPTIONS: ClassVar[Options] = {"nth": 10.0}

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        yield Out(wire)
        if self._strikes():
            yield Say(wire.kind)
            yield HalfClose()


class Garbage(Fault):
    """Behind the `nth` event comes a frame that is no event: half of one, another JSON value, or no JSON."""

    OPTIONS: ClassVar[Options] = {"nth": 3.0}

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        yield Out(wire)
        if self._strikes():
            half = wire.raw[: len(wire.raw) // 2].decode(errors="ignore").encode()
            nonsense = self.chance.choice(
                (half, b"null", b"[]", b'{"event_id":"event_0"}', b'{"type":7}', b"\x00\x01")
            )
            yield Say(wire.kind)
            yield Out(Wire(nonsense))


class Reordered(Fault):
    """An event leaves behind the one that follows it within 100 ms. `chance` is for each event."""

    OPTIONS: ClassVar[Options] = {"times": 0.0, "chance": 0.05}

    _kept: Wire | None = None
    _until = 0.0

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        if self._kept is not None:
            yield Out(wire)
            yield Out(self._kept)
            self._kept = None
        elif wire.kind != "session.created" and self._strikes():
            yield Say(wire.kind)
            self._kept = wire
            self._until = self._in_s(0.1)
            yield Wake(self._until)
        else:
            yield Out(wire)

    def awake(self) -> Iterable[Step]:
        if self._kept is not None and self._until <= self._seen.now:
            yield Out(self._kept)
            self._kept = None


class Expiry(Fault):
    """The session expires after `s` seconds: `session_expired`, then close 1001."""

    OPTIONS: ClassVar[Options] = {"s": 60.0}

    def begin(self) -> Iterable[Step]:
        at = self._in_s(self._number("s"))
        refused = refusals.session_expired(self._number("s") / 60)
        yield Say("session_expired")
        yield Out(error_event(self.chance, refused.code, str(refused)), at)
        yield Shut(Close(1001, str(refused)), at)


class Drop(Fault):
    """The connection breaks without a close, `at` a moment: create, created, audio, call, speech, or any of them.

    create: a `response.create` has arrived and is not answered. created: it is accepted. audio: the answer is being
    spoken. call: a function call has just been made. speech: the user is speaking.
    """

    MOMENTS: ClassVar[dict[str, tuple[str, ...]]] = {
        "created": ("response.created",),
        "audio": ("response.output_audio.delta", "response.audio.delta", "response.output_text.delta"),
        "call": ("response.function_call_arguments.done",),
        "speech": ("input_audio_buffer.speech_started",),
    }
    OPTIONS: ClassVar[Options] = {"at": "any"}

    _moment = ""

    def begin(self) -> Iterable[Step]:
        at = self._word("at")
        # "call" and "speech" may never come, so chance does not choose them.
        self._moment = self.chance.choice(("create", "created", "audio")) if at == "any" else at
        return ()

    def incoming(self, wire: Wire) -> Iterable[Step]:
        if self._moment == "create" and wire.kind == "response.create" and self._strikes():
            yield Say(self._moment)
            yield Cut(b"")
        else:
            yield In(wire)

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        yield Out(wire)
        if wire.kind in self.MOMENTS.get(self._moment, ()) and self._strikes():
            yield Say(self._moment)
            yield Cut(b"")


class HangUp(Fault):
    """The server closes with 1000 at the very moment a response is generated, long before it is heard."""

    def outgoing(self, wire: Wire) -> Iterable[Step]:
        yield Out(wire)
        if wire.kind == "response.done" and wire.in_band and self._strikes():
            yield Say(wire.text("response", "id") or "")
            yield Shut(Close(1000, "the call has ended"))
