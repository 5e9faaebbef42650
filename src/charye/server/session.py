"""A server session at work: drives one peer with a mind, a voice, ears, a clock and a line to the client.

The reader hands over what the client says, the writer what the peer says; each response and each transcription is a
task of its own. So reading goes on while a response is generated, and a cancel takes effect in the middle of it.
Nothing here decides: that is `peer`. What a part raises ends its own piece of work and is logged.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random

from charye.errors import ConnectionLost
from charye.protocol import ResponseError, encode
from charye.server.clock import LoopClock
from charye.server.effects import (
    Attune,
    Close,
    Effect,
    Forget,
    Hear,
    Note,
    Send,
    StartResponse,
    StopResponse,
    Transcribe,
)
from charye.server.faulting.line import Tap, wired
from charye.server.faults import Faults
from charye.server.ids import Ids
from charye.server.outgoing import Line, Outgoing, Pace
from charye.server.parts import (
    Clock,
    Context,
    Ears,
    Failed,
    Mind,
    MindOutput,
    TranscriptDelta,
    TranscriptFailed,
    TranscriptResult,
    Voice,
)
from charye.server.peer import Peer
from charye.server.settings import ServerSettings
from charye.server.thinking import think
from charye.transports.in_process import End, pair

__all__ = ["Line", "Pace", "ServerSession", "SessionParts", "embedded"]

log = logging.getLogger(__name__)

_BROKEN = ResponseError(
    type="server_error", code="server_error", message="The server had an error while processing your request."
)
_NO_TRANSCRIPT = ResponseError(
    type="server_error", code="transcription_failed", message="Input transcription failed."
)
# After so many messages in a row the others get a turn, even if more are waiting.
_FAIR_SHARE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParts:
    """What a session is put together from.

    Args:
        mind: of this session alone.
        voice: None: audio responses have words and no sound.
        ears: of this session alone; None: nothing is heard, and transcriptions fail.
    """

    mind: Mind
    voice: Voice | None = None
    ears: Ears | None = None


class ServerSession:
    """One session.

    Args:
        ids: where its ids come from.
        unix_s: now, as Unix time.
        observe: is called with every effect before it is performed, for metrics and journals; must not block.
    Raises:
        Refused: `settings.session` is not what a session may be.
    """

    def __init__(
        self,
        line: Line,
        parts: SessionParts,
        *,
        settings: ServerSettings,
        ids: Ids,
        clock: Clock | None = None,
        pace: Pace | None = None,
        unix_s: float | None = None,
        observe: Callable[[Effect], None] | None = None,
    ) -> None:
        self._line = line
        self._parts = parts
        self._dialect = settings.dialect
        self._clock: Clock = clock or LoopClock()
        self._pace = pace or Pace()
        self._observe = observe
        self.peer = Peer(
            settings, ids, now=self._clock.now(), unix_s=time.time() if unix_s is None else unix_s
        )
        self._outgoing = Outgoing(line, self._pace)
        self._minds: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard_more = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        self._deadline: float | None = None

    async def run(self) -> None:
        """Serve the client until one side closes. Cancelling closes with 1001, `going away`."""
        code, reason = 1000, ""
        writer = asyncio.ensure_future(self._outgoing.run())
        reader = asyncio.ensure_future(self._read())
        try:
            self._perform(self.peer.open(self._clock.now()))
            await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
            # A fault of ours, whatever it is, is raised below; the client is told that it was not the client's.
            code, reason = 1011, "internal error"
            if reader.done():
                reader.result()
            code, reason = writer.result() if writer.done() else (1000, "")
        except asyncio.CancelledError:
            code, reason = 1001, "going away"
            raise
        finally:
            self._perform(self.peer.disconnected(self._clock.now()))
            tasks = [writer, reader, *self._minds.values(), *self._tasks]
            if self._ticking is not None:
                tasks.append(self._ticking)
            for task in tasks:
                task.cancel()
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:  # also if the server shuts down just now, and cancels us here: the line has tasks of its own
                try:
                    await asyncio.wait_for(self._line.close(code, reason), self._pace.close_s)
                except TimeoutError:
                    log.info("a line did not close in time", extra={"session_id": self.peer.session_id})

    # in and out

    async def _read(self) -> None:
        count = 0
        while True:
            try:
                data = await self._line.receive()
            except ConnectionLost:
                return
            self._perform(self.peer.receive(data, self._clock.now()))
            count += 1
            if count % _FAIR_SHARE == 0:
                await asyncio.sleep(0)

    # effects

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if self._observe is not None:
                self._observe(effect)
            self._do(effect)
        self._wind()

    def _do(self, effect: Effect) -> None:
        match effect:
            case Send(event=event):
                if not self._outgoing.put(encode(event, self._dialect)):
                    log.warning("a slow reader is given up", extra={"session_id": self.peer.session_id})
            case StartResponse():
                self._start(effect)
            case StopResponse(response_id=response_id):
                if (running := self._minds.get(response_id)) is not None:
                    running.cancel()
            case Hear(pcm=pcm):
                self._hear(pcm)
            case Attune() | Forget():
                self._tell_ears(effect)
            case Transcribe():
                self._background(self._transcribe(effect))
            case Close():
                self._outgoing.close(effect)
            case Note(what=what, about=about):
                log.debug("server note", extra={"what": what, "about": about})

    def _background(self, work: Coroutine[None, None, None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # time

    def _wind(self) -> None:
        """Set the alarm, if the next deadline is another one."""
        deadline = self.peer.next_deadline
        if deadline == self._deadline:
            return
        self._deadline = deadline
        if self._ticking is not None:
            self._ticking.cancel()
        self._ticking = None
        if deadline is not None:
            self._ticking = asyncio.ensure_future(self._tick_at(deadline))

    async def _tick_at(self, deadline: float) -> None:
        while (remaining := deadline - self._clock.now()) > 0:
            await self._clock.sleep(remaining)
        self._ticking, self._deadline = None, None
        self._perform(self.peer.tick(self._clock.now()))

    # responses

    def _start(self, start: StartResponse) -> None:
        task = asyncio.ensure_future(self._respond(start))
        self._minds[start.response_id] = task

        # Not at the end of `_respond`: a task that is cancelled before it began runs none of it.
        def stopped(_: object) -> None:
            self._minds.pop(start.response_id, None)
            self._perform(self.peer.stopped(start.response_id, self._clock.now()))

        task.add_done_callback(stopped)

    async def _respond(self, start: StartResponse) -> None:
        response_id = start.response_id

        async def tell(output: MindOutput) -> None:
            await self._outgoing.room()
            self._perform(self.peer.mind(response_id, output, self._clock.now()))

        try:
            context = await self._context(start)
            await think(
                context, self._parts.mind, self._parts.voice, tell, name=start.voice, speed=start.speed
            )
        except Exception:
            log.exception("a response could not be finished", extra={"response_id": response_id})
            self._perform(self.peer.mind(response_id, Failed(_BROKEN), self._clock.now()))

    async def _context(self, start: StartResponse) -> Context:
        """The context, with the words of what was said, if they come in time."""
        until = self._clock.now() + self._pace.transcript_s
        while self.peer.unwritten(start.context) and (left := until - self._clock.now()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._heard_more.wait()
            except TimeoutError:
                log.info("a mind answers without transcript", extra={"response_id": start.response_id})
        return self.peer.context(start.response_id) or start.context

    # ears

    def _hear(self, pcm: bytes) -> None:
        if self._parts.ears is None:
            return
        try:
            facts = self._parts.ears.hear(pcm)
        except Exception:
            log.exception("the ears failed", extra={"session_id": self.peer.session_id})
            return
        for fact in facts:
            self._perform(self.peer.heard(fact, self._clock.now()))

    def _tell_ears(self, effect: Attune | Forget) -> None:
        if self._parts.ears is None:
            return
        try:
            if isinstance(effect, Attune):
                self._parts.ears.attune(effect.detection)
            else:
                self._parts.ears.forget()
        except Exception:
            log.exception("the ears failed", extra={"session_id": self.peer.session_id})

    async def _transcribe(self, effect: Transcribe) -> None:
        last: TranscriptResult = TranscriptFailed(_NO_TRANSCRIPT)
        try:
            if self._parts.ears is not None:
                async for result in self._parts.ears.transcribe(effect.pcm, effect.wish):
                    if not isinstance(result, TranscriptDelta):
                        last = result
                        break
                    self._transcribed(effect.item_id, result)
        except Exception:
            log.exception("a turn could not be written down", extra={"item_id": effect.item_id})
        if isinstance(last, TranscriptFailed) and last.error.message is None:
            message = f"Input transcription failed for item '{effect.item_id}'."
            last = TranscriptFailed(
                ResponseError(last.error.type or "server_error", last.error.code, message, last.error.param)
            )
        self._transcribed(effect.item_id, last)

    def _transcribed(self, item_id: str, result: TranscriptResult) -> None:
        self._perform(self.peer.transcribed(item_id, result, self._clock.now()))
        self._heard_more.set()
        self._heard_more = asyncio.Event()


@asynccontextmanager
async def embedded(
    parts: SessionParts,
    *,
    settings: ServerSettings | None = None,
    seed: int = 0,
    clock: Clock | None = None,
    pace: Pace | None = None,
    observe: Callable[[Effect], None] | None = None,
    faults: Faults | None = None,
    tap: Tap | None = None,
) -> AsyncIterator[End]:
    """A server in this process: the client's end of the line to it. Leaving ends the session.

    Args:
        seed: makes the ids of the session, and so the run, repeatable.
        faults: what goes wrong. The client may also ask for it with its first event.
        tap: sees every event that is on the wire, both ways, and every strike of a fault.
    """
    client, server = pair()
    clock = clock or LoopClock()
    line, parts = wired(server, parts, clock=clock, faults=faults, ask=True, tap=tap, observe=observe)
    session = ServerSession(
        line,
        parts,
        settings=replace(settings) if settings else ServerSettings(),
        ids=Ids(Random(seed)),
        clock=clock,
        pace=pace,
        observe=observe,
    )
    serving = asyncio.ensure_future(session.run())
    try:
        yield client
    finally:
        await client.close()
        await serving
