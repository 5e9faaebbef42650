"""The stage at work: a line, a mind and ears that look like those of any session, with faults between.

The session and its peer know nothing of it. What the stage lets through waits in order for the one task that writes
to the real line; what is kept for later waits on the session's clock.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from charye.audio.pcm import WIRE_RATE_HZ, duration_ms
from charye.errors import ConfigurationError, ConnectionLost
from charye.protocol import Transcription, TurnDetection, audio_base64
from charye.server.effects import Close, Note
from charye.server.faulting.stage import Act, Cut, HalfClose, In, Out, Pause, Speech, Stage
from charye.server.faulting.wire import Wire, error_event
from charye.server.faults import FIRST_EVENT, Faults
from charye.server.outgoing import Line
from charye.server.parts import (
    Clock,
    Context,
    Ears,
    Mind,
    MindOutput,
    SpeechFact,
    SpeechStarted,
    SpeechStopped,
    TranscriptDone,
    TranscriptResult,
)

if TYPE_CHECKING:
    from charye.server.session import SessionParts

__all__ = ["BreakableLine", "FaultyEars", "FaultyLine", "FaultyMind", "Heard", "Tap", "wired"]

log = logging.getLogger(__name__)

_MAX_UNSENT_BYTES = 8 * 1024 * 1024
_BEGINS_MS, _ENDS_MS = 100, 500  # what the ears are given of a voice that is not there


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as it was on the wire.

    Args:
        at: seconds on the session's clock.
        mark: `>` the client said it, `<` the server said it, `!` a fault struck.
        data: the bytes; for `!` the name of the fault and what it is about.
    """

    at: float
    mark: str
    data: bytes


Tap = Callable[[Heard], None]


@runtime_checkable
class BreakableLine(Line, Protocol):
    """A line that can break as a connection does. Others are closed with 1006 instead."""

    async def cut(self, partial: bytes) -> None:
        """Break off behind these bytes of a frame; never raises."""
        ...

    async def half_close(self) -> None:
        """End the way to the client without a close; what the client sends is still received. Never raises."""
        ...


class FaultyLine:
    """A `Line` before another one. Without faults it passes everything through.

    Args:
        faults: those to begin with.
        ask: the client may ask for faults with its first event.
        tap: sees everything that is on the wire.
        observe: is told of every strike.
    """

    def __init__(
        self,
        line: Line,
        *,
        clock: Clock,
        faults: Faults,
        ask: bool = True,
        tap: Tap | None = None,
        observe: Callable[[Note], None] | None = None,
    ) -> None:
        self._line = line
        self._clock = clock
        self._ask = ask
        self._tap = tap
        self._observe = observe
        self._seed = faults.seed
        self.stage: Stage | None = None
        self.ears: FaultyEars | None = None
        self._opening: bytes | None = None
        self._inbox: deque[bytes] = deque()
        self._outbox: deque[bytes | Close | Cut | HalfClose] = deque()
        self._unsent_bytes = 0
        self._changed = asyncio.Event()
        self._reading: asyncio.Future[bytes | str] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._deadline: float | None = None
        self._mute = False
        self._gone = False
        self._lost: ConnectionLost | None = None
        if faults:
            self._arm(faults)

    # as a line

    async def send(self, data: bytes) -> None:
        """See `charye.server.outgoing.Line.send`."""
        if self.stage is None:
            # The first event of all tells faults that are asked for later how the session is set up.
            self._opening = self._opening or data
            self._heard("<", data)
            await self._line.send(data)
            return
        while self._unsent_bytes > _MAX_UNSENT_BYTES and self._lost is None:
            await self._changed.wait()
        if self._lost is not None:
            raise self._lost
        self._perform(self.stage.outgoing(data, self._clock.now()))

    async def receive(self) -> bytes | str:
        """See `charye.server.outgoing.Line.receive`. Cancelling loses nothing."""
        while not self._inbox:
            if self.stage is None:
                data = await self._line.receive()
                self._heard(">", data)
                if not self._asked(data):
                    return data
                continue
            await self._read_or_change()
        return self._inbox.popleft()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `charye.server.outgoing.Line.close`. What is still to leave leaves before."""
        try:
            if self.stage is not None and not self._gone:
                last = self.stage.last_out()
                if last is not None:
                    await self._clock.sleep(last - self._clock.now())
                    self._tick()
                self._put(Close(code, reason))
                while self._lost is None:
                    await self._changed.wait()
        finally:
            tasks = [task for task in (self._pump, self._timer, self._reading) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._line.close(code, reason)

    # faults

    def _asked(self, data: bytes | str) -> bool:
        """Whether this, the first event, was for us and not for the peer."""
        if not self._ask:
            return False
        self._ask = False
        raw = data.encode() if isinstance(data, str) else data
        if FIRST_EVENT.encode() not in raw[:4096]:
            return False
        wire = Wire(raw)
        if wire.kind != FIRST_EVENT:
            return False
        try:
            seed = wire.number("seed")
            faults = Faults.parse(wire.text("fault") or "", seed=self._seed if seed is None else int(seed))
        except ConfigurationError as error:
            event_id = wire.text("event_id")
            message = f"{error}: '{error.option}'."
            refused = error_event(Random(self._seed), "invalid_value", message, event_id=event_id)
            self._background_send(refused.raw)
            return True
        self._arm(faults)
        return True

    def _arm(self, faults: Faults) -> None:
        log.info("faults are on", extra={"faults": faults.text, "seed": faults.seed})
        now = self._clock.now()
        self._seed = faults.seed
        self.stage = faults.stage()
        if self._opening is not None:
            self.stage.seen.outgoing(Wire(self._opening))
        self._perform(self.stage.begin(now))

    def _background_send(self, data: bytes) -> None:
        """A stage without faults, because only the pump may write beside the session."""
        self._arm(Faults(seed=self._seed))
        self._put(data)

    def _perform(self, acts: Sequence[Act]) -> None:
        for act in acts:
            match act:
                case Out(wire=wire):
                    self._put(wire.raw)
                case In(wire=wire):
                    self._inbox.append(wire.raw)
                    self._wake()
                case Speech(begins=begins):
                    self._speak(begins)
                case Note(what=what, about=about):
                    self._heard("!", f"{what} {about}".encode())
                    self._struck(act)
                case _:
                    self._put(act)
        self._wind()

    def _struck(self, note: Note) -> None:
        log.info(
            "a fault strikes",
            extra={
                "fault": note.what,
                "about": note.about,
                "seed": self._seed,
                "session_id": self.stage.seen.session_id if self.stage else "",
            },
        )
        if self._observe is not None:
            self._observe(note)

    def _speak(self, begins: bool) -> None:
        if self.ears is not None:
            self.ears.pretend(begins)
        silence = audio_base64(bytes((_BEGINS_MS if begins else _ENDS_MS) * 48))
        append = {"type": "input_audio_buffer.append", "audio": silence}
        self._inbox.append(msgspec.json.encode(append))
        self._wake()

    # time

    def _wind(self) -> None:
        deadline = self.stage.next_deadline if self.stage else None
        if deadline == self._deadline:
            return
        self._deadline = deadline
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if deadline is not None:
            self._timer = asyncio.ensure_future(self._tick_at(deadline))

    async def _tick_at(self, deadline: float) -> None:
        while (remaining := deadline - self._clock.now()) > 0:
            await self._clock.sleep(remaining)
        self._timer, self._deadline = None, None
        self._tick()

    def _tick(self) -> None:
        if self.stage is not None:
            self._perform(self.stage.tick(self._clock.now()))

    # in and out

    def _heard(self, mark: str, data: bytes | str) -> None:
        if self._tap is not None:
            self._tap(Heard(self._clock.now(), mark, data.encode() if isinstance(data, str) else data))

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _put(self, what: bytes | Close | Cut | HalfClose) -> None:
        self._outbox.append(what)
        if isinstance(what, bytes):
            self._unsent_bytes += len(what)
        if self._pump is None:
            self._pump = asyncio.ensure_future(self._write())
        self._wake()

    async def _write(self) -> None:
        try:
            while True:
                while not self._outbox:
                    await self._changed.wait()
                what = self._outbox.popleft()
                if isinstance(what, bytes):
                    self._unsent_bytes -= len(what)
                    if not self._mute:
                        self._heard("<", what)
                        await self._line.send(what)
                elif isinstance(what, HalfClose):
                    await self._half_close()
                else:
                    await self._end(what)
                if self._lost is not None:
                    return
                self._wake()
        except ConnectionLost as lost:
            self._lost = lost
        finally:
            self._wake()

    async def _half_close(self) -> None:
        if isinstance(self._line, BreakableLine):
            self._mute = True
            await self._line.half_close()
        else:
            await self._end(Cut(b""))

    async def _end(self, how: Close | Cut) -> None:
        code, reason = (how.code, how.reason) if isinstance(how, Close) else (1006, "")
        if isinstance(how, Cut) and isinstance(self._line, BreakableLine):
            await self._line.cut(how.partial)
        else:
            await self._line.close(code, reason)
        self._lost = ConnectionLost(close_code=code)

    async def _read_or_change(self) -> None:
        """Until something was read and went over the stage, or the stage has moved by itself."""
        if self._lost is not None:
            raise self._lost
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._line.receive())
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            waited: set[asyncio.Future[Any]] = {self._reading, changed}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
        if not self._reading.done():
            return
        reading, self._reading = self._reading, None
        try:
            data = reading.result()
        except ConnectionLost:
            self._gone = True
            raise
        raw = data.encode() if isinstance(data, str) else data
        self._heard(">", raw)
        if not self._asked(raw) and self.stage is not None:
            self._perform(self.stage.incoming(raw, self._clock.now()))


class FaultyMind:
    """A mind that sometimes says something else."""

    def __init__(self, inner: Mind, line: FaultyLine, clock: Clock) -> None:
        self._inner = inner
        self._line = line
        self._clock = clock

    def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        """See `charye.server.parts.Mind.answer`."""
        instead = self._line.stage.answer(context) if self._line.stage else None
        return self._inner.answer(context) if instead is None else self._say(instead)

    async def _say(self, script: Sequence[MindOutput | Pause]) -> AsyncIterator[MindOutput]:
        for step in script:
            if not isinstance(step, Pause):
                yield step
            elif math.isinf(step.seconds):
                await asyncio.get_running_loop().create_future()
            else:
                await self._clock.sleep(step.seconds)


class FaultyEars:
    """Ears that sometimes hear a voice where there is none. Without ears behind them they hear nothing else."""

    def __init__(self, inner: Ears | None) -> None:
        self._inner = inner
        self._heard_ms = 0.0
        self._pretended: deque[bool] = deque()

    def pretend(self, begins: bool) -> None:
        """In what comes next, a voice begins or ends."""
        self._pretended.append(begins)

    def attune(self, detection: TurnDetection | None) -> None:
        """See `charye.server.parts.Ears.attune`."""
        if self._inner is not None:
            self._inner.attune(detection)

    def hear(self, pcm: bytes) -> tuple[SpeechFact, ...]:
        """See `charye.server.parts.Ears.hear`."""
        before_ms = int(self._heard_ms)
        self._heard_ms += duration_ms(pcm, sample_rate_hz=WIRE_RATE_HZ)
        facts = self._inner.hear(pcm) if self._inner is not None else ()
        if self._pretended:
            begins = self._pretended.popleft()
            fact = SpeechStarted(before_ms) if begins else SpeechStopped(int(self._heard_ms))
            return fact, *facts
        return facts

    def forget(self) -> None:
        """See `charye.server.parts.Ears.forget`."""
        if self._inner is not None:
            self._inner.forget()

    async def transcribe(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        """See `charye.server.parts.Ears.transcribe`."""
        if not any(pcm):
            yield TranscriptDone("")
        elif self._inner is not None:
            async for result in self._inner.transcribe(pcm, wish):
                yield result


def wired(
    line: Line,
    parts: "SessionParts",
    *,
    clock: Clock,
    faults: Faults | None = None,
    ask: bool = False,
    tap: Tap | None = None,
    observe: Callable[[Note], None] | None = None,
) -> "tuple[Line, SessionParts]":
    """What to make a session of, so that faults can strike; the same as given where none ever can. See `FaultyLine`."""
    if not faults and not ask and tap is None:
        return line, parts
    faulty = FaultyLine(line, clock=clock, faults=faults or Faults(), ask=ask, tap=tap, observe=observe)
    faulty.ears = FaultyEars(parts.ears)
    return faulty, replace(parts, mind=FaultyMind(parts.mind, faulty, clock), ears=faulty.ears)
