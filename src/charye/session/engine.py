"""The engine: the half of a session that answers the server. It lives on one loop, perhaps in a thread of its own.

It puts the driver, the connection and the sound together, and is what the desk's calls end up at.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Protocol

from charye.audio.sound import Capture, Loudspeaker
from charye.core.calls import Answer
from charye.core.peer import Peer
from charye.core.playout import Reporting
from charye.core.requests import Outcome, OutcomeKind, RequestId, ResponseRequest
from charye.core.turns import Turn
from charye.errors import DeviceError, LocalProtocolError
from charye.protocol import (
    AudioFormat,
    ClientEvent,
    InputAudioBufferAppend,
    Item,
    SessionConfig,
    audio_base64,
    encode,
)
from charye.session.configuration import Change, Configuration, log_refusal
from charye.session.connection import Connection, open_line
from charye.session.driver import Driver
from charye.session.driver import Owner as DriverOwner
from charye.session.events import SoundFailed, Utterance
from charye.session.journal import Journal
from charye.session.settings import SessionSettings
from charye.transports.base import Endpoint
from charye.transports.greeting import detected

__all__ = ["Engine", "Owner", "Plan"]

log = logging.getLogger(__name__)

_PCM = AudioFormat(type="audio/pcm")

_SILENCE_AFTER_MS = 1500
"""Sent when the microphone closes in the middle of the user's words, so that the server's ears find their end. Longer
than the silence that any model waits for by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that an engine is made of.

    Args:
        wish: what the session is to be on the server.
        reporting: who knows what was heard.
    """

    endpoint: Endpoint
    wish: SessionConfig
    settings: SessionSettings
    reporting: Reporting
    loudspeaker: Loudspeaker | None
    microphone: Capture | None


class Owner(DriverOwner, Protocol):
    """Whom the engine works for. None of these may block, or call back into the engine."""

    def lost(self, error: BaseException) -> object:
        """The line is lost for good. Not called when the session is closed."""
        ...


class Engine:
    """One session's. All methods are called on its loop; `post` brings calls from elsewhere there."""

    def __init__(self, plan: Plan, owner: Owner, post: Callable[..., object]) -> None:
        self._plan = plan
        self._owner = owner
        self._post = post
        self._opening: asyncio.Task[object] | None = None
        self._driver: Driver | None = None
        self._running: asyncio.Task[None] | None = None
        self._is_listening = False

    # begin and end

    async def open(self) -> None:
        """Connect, and tell the server what the session is to be.

        Cancelling leaves nothing open, and neither does an error.

        Raises:
            RealtimeError: no session came about; or `ServerError`: the server refuses the configuration.
            DeviceError: the microphone or the loudspeaker cannot be had.
        """
        plan, self._opening = self._plan, asyncio.current_task()
        try:
            opened = await open_line(plan.endpoint, plan.settings.line)
            self._driver = driver = self._driver_of(opened.first)
            connection = Connection(plan.endpoint, driver, plan.settings.line, Random(plan.settings.seed))
            self._running = asyncio.ensure_future(connection.run(opened))
            self._running.add_done_callback(self._over)
            await driver.until(lambda: driver.outbox is not None)
            await self._answered(driver.configuration.latest)
            self._start_sound(driver)
        except BaseException:
            self._opening = None
            await self.close()
            raise

    async def close(self) -> None:
        """Tell whoever still waits, send what is unsent, hang up. Again does no harm."""
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
            await asyncio.wait({self._opening})
        self._stop_listening()
        running, self._running = self._running, None
        driver = self._driver
        if driver is not None and running is not None:
            if not running.done():
                driver.close()
                await self._flush(driver)
                running.cancel()
                await asyncio.wait({running})
            driver.journal.close()
        if self._plan.loudspeaker is not None:
            self._plan.loudspeaker.close()

    async def drain(self) -> None:
        """Wait until everything that was asked for was heard, or has ended. The user has said the last word."""
        driver = self._at_work()
        self._stop_listening()
        if driver.peer.turn in (Turn.SPEAKING, Turn.STOPPED):
            self.audio(bytes(int(_SILENCE_AFTER_MS * self._bytes_per_ms())))
        await driver.until(lambda: driver.peer.is_idle or self._running is None or self._running.done())

    async def idle(self) -> None:
        """Wait until nothing that was asked for is left."""
        driver = self._at_work()
        await driver.until(lambda: driver.peer.is_idle or not self._is_at_work())

    # what the desk asks for

    def request(self, request: ResponseRequest) -> None:
        """Ask for a response. Where there is nobody to ask, it ends at once."""
        self._feed_request("request", request)

    def cancel(self, request_id: RequestId) -> None:
        """Take a request back."""
        if self._is_at_work():
            self._at_work().feed("cancel", request_id)

    def interrupt(self) -> None:
        """Silence now."""
        if self._is_at_work():
            self._at_work().feed("interrupt")

    def explain(self, request_id: RequestId) -> str:
        """Why it does not speak."""
        driver = self._at_work()
        return driver.peer.explain(request_id, asyncio.get_running_loop().time())

    def press(self) -> None:
        """Push-to-talk: the user's turn begins.

        Raises:
            LocalProtocolError: it is pressed already, or the server's ears decide (turn detection is on).
        """
        driver = self._at_work()
        if driver.configuration.effective.turn_detection:
            raise LocalProtocolError("push-to-talk needs a session without turn detection", given="press")
        driver.feed("press")

    def release(self, reply: ResponseRequest) -> None:
        """Push-to-talk: the user's turn is over, and is to be answered."""
        self._feed_request("release", reply)

    def take_back(self) -> None:
        """Push-to-talk: the user's turn did not take place."""
        if self._is_at_work():
            self._at_work().feed("take_back")

    def add_item(self, item: Item, typed: str = "") -> None:
        """Into the conversation; `typed`: what the user wrote in it, for the transcript."""
        driver = self._at_work()
        driver.feed("add_item", item)
        item_id = getattr(item, "id", None)
        if typed and isinstance(item_id, str):
            driver.typed(item_id, typed)

    def tool_finished(self, call_id: str, answer: Answer) -> None:
        """A tool is through. After the end nobody waits for it."""
        if self._is_at_work():
            self._at_work().feed("tool_finished", call_id, answer)

    def played(self, item_id: str, content_index: int, played_ms: float) -> None:
        """A loudspeaker's report."""
        if self._is_at_work():
            self._at_work().feed("played", item_id, played_ms, content_index)

    def audio(self, data: bytes, written: Callable[[], object] | None = None) -> None:
        """The user's voice, in the session's input format.

        Args:
            written: is called, on this loop, when it is on the wire or was thrown away: nobody is listening.
        """
        outbox = self._driver.outbox if self._driver is not None else None
        if self._driver is None or outbox is None:
            if written is not None:
                written()
            return
        event = InputAudioBufferAppend(audio=audio_base64(data))
        dropped = outbox.put_audio(encode(event, self._driver.dialect), written)
        self._driver.microphone(len(data) / self._bytes_per_ms())
        if dropped:
            self._driver.journal.noted("audio dropped: the server does not read", self._now(), frames=dropped)

    async def configure(self, config: SessionConfig) -> None:
        """Change the session on the server, and on every later connection.

        Raises:
            ServerError: the server refuses it.
        """
        driver = self._at_work()
        await self._send_change(driver, driver.configuration.change(config))

    def configure_soon(self, config: SessionConfig) -> None:
        """As `configure`, for who cannot wait; a refusal is logged."""
        if not self._is_at_work():
            return
        driver = self._at_work()
        change = driver.configuration.change(config)
        change.answer.add_done_callback(log_refusal)
        driver.send(change.event)

    async def hold(self, name: str, after_call: str | None) -> None:
        """Nobody but the requests of this hold speaks; the server does not reply by itself. Cancel: `let_go`.

        Args:
            after_call: the reply about this tool call comes first.
        """
        driver = self._at_work()
        if after_call is not None:
            await driver.until(lambda: not self._is_at_work() or not driver.peer.owes_reply(after_call))
            driver = self._at_work()
        driver.feed("hold", name)
        await self._send_change(driver, driver.configuration.hold(is_held=True))

    def let_go(self, name: str) -> None:
        """The end of a hold. After the session's end it does nothing."""
        if self._is_at_work() and self._at_work().peer.held == name:
            driver = self._at_work()
            driver.feed("let_go", name)
            change = driver.configuration.hold(is_held=False)
            if change is not None:
                driver.send(change.event)

    def send(self, event: ClientEvent) -> None:
        """An event of the program's own, as it is."""
        self._at_work().send(event)

    def want(self, types: frozenset[type]) -> None:
        """Publish these from now on."""
        if self._driver is not None:
            self._driver.want(types)

    def note(self, what: str, **fields: object) -> None:
        """Into the journal."""
        if self._driver is not None:
            self._driver.journal.noted(what, self._now(), **fields)

    def note_lag(self, cause: str, where: str, seconds: float) -> None:
        """The program's loop is held up, or no longer."""
        self.note(
            "the program's event loop does not answer", cause=cause, where=where, seconds=round(seconds, 3)
        )

    # what is known; to be read from any thread

    @property
    def transcript(self) -> tuple[Utterance, ...]:
        """What was said so far; a frozen value."""
        return self._driver.scribe.utterances if self._driver is not None else ()

    @property
    def journal(self) -> Journal:
        """The journal.

        Raises:
            LocalProtocolError: there was no session.
        """
        if self._driver is None:
            raise LocalProtocolError("the session has not begun", state="new")
        return self._driver.journal

    # inside

    def _driver_of(self, first: bytes) -> Driver:
        plan = self._plan
        dialect = plan.endpoint.dialect or detected(first)
        configuration = Configuration(plan.wish)
        asks = configuration.adapt(dialect)
        core = replace(
            plan.settings.core,
            dialect=dialect,
            reporting=plan.reporting,
            asks_for_replies=asks or plan.settings.core.asks_for_replies,
        )
        journal = Journal(plan.settings.journal, clock=asyncio.get_running_loop().time)
        journal.began(core, endpoint=plan.endpoint.name)
        return Driver(
            Peer(core),
            self._owner,
            dialect=dialect,
            configuration=configuration,
            journal=journal,
            loudspeaker=plan.loudspeaker,
        )

    def _feed_request(self, method: str, request: ResponseRequest) -> None:
        """Whatever is wrong with it, its handle hears of it."""
        if not self._is_at_work():
            self._owner.told(request.id, Outcome(OutcomeKind.DENIED, reason="the session is over"))
            return
        try:
            self._at_work().feed(method, request)
        except LocalProtocolError as error:
            self._owner.told(request.id, Outcome(OutcomeKind.DENIED, reason=error.message))

    def _is_at_work(self) -> bool:
        return self._driver is not None and self._running is not None and not self._running.done()

    def _at_work(self) -> Driver:
        """The driver.

        Raises:
            LocalProtocolError: the session has not begun, or is over.
        """
        if self._driver is None or not self._is_at_work():
            raise LocalProtocolError("the session is not open", state="closed")
        return self._driver

    async def _send_change(self, driver: Driver, change: Change | None) -> None:
        if change is None:
            return
        driver.send(change.event)
        await self._answered(change.answer)

    async def _answered(self, answer: asyncio.Future[None] | None) -> None:
        if answer is None:
            return
        running = self._running
        waiting: set[asyncio.Future[None]] = {answer} if running is None else {answer, running}
        done, _ = await asyncio.wait(
            waiting,
            timeout=self._plan.settings.line.configure_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if running in done and running is not None:
            running.result()
        if answer not in done:
            self.note("no answer to a session.update")
            return
        answer.result()

    def _over(self, running: asyncio.Task[None]) -> None:
        """The connection's task has ended: called off by `close`, or because the line is lost for good."""
        if running.cancelled() or self._driver is None:
            return
        error = running.exception()
        self._stop_listening()
        self._driver.close()
        if error is not None:
            self._owner.lost(error)

    async def _flush(self, driver: Driver) -> None:
        if driver.outbox is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._plan.settings.line.flush_s):
                    await driver.outbox.flush()

    # sound

    def _start_sound(self, driver: Driver) -> None:
        if self._plan.loudspeaker is not None:
            self._plan.loudspeaker.start(self._report, fail=partial(self._sound_failed, "loudspeaker"))
        if self._plan.microphone is not None:
            self._is_listening = True
            self._plan.microphone.start(self._captured, fail=partial(self._sound_failed, "microphone"))

    def _report(self, item_id: str, content_index: int, played_ms: float) -> None:
        """From the loudspeaker's thread."""
        self._post(self.played, item_id, content_index, played_ms)

    def _captured(self, pcm: bytes) -> None:
        """From the microphone's thread."""
        self._post(self._captured_here, pcm)

    def _sound_failed(self, device: str, error: DeviceError) -> None:
        """From any thread."""
        self._post(self._sound_failed_here, device, error)

    def _sound_failed_here(self, device: str, error: DeviceError) -> None:
        log.error("a sound device has failed", extra={"device": device, "error": error.message})
        self.note("a sound device has failed", device=device)
        if self._driver is not None:
            self._driver.publish(SoundFailed(device, error))

    def _captured_here(self, pcm: bytes) -> None:
        if self._is_listening:
            self.audio(pcm)

    def _stop_listening(self) -> None:
        self._is_listening = False
        if self._plan.microphone is not None:
            self._plan.microphone.close()

    def _bytes_per_ms(self) -> float:
        form = self._driver.configuration.input_format if self._driver is not None else _PCM
        return form.bytes_per_ms

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
