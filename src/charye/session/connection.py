"""The line to the server, kept: opened, watched, changed before the server's time limit, opened again when it is lost.

    open -> proved by the server's first event -> told what the session is to be -> at work
         -> lost: wait a little, longer each time, and open again; the core builds the conversation up again
         -> its time is nearly up: open another one beside it, and change over in a moment in which nobody speaks

Nothing of a line that is gone is ever sent into the next one: its outbox is thrown away with it, and the core names
everything anew. Runs on the engine's loop.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from charye.errors import ConnectionLost, HostUnreachable, MalformedEvent, RealtimeError
from charye.protocol import SessionCreated, decode_server_event
from charye.session.driver import Driver
from charye.session.events import LineLost, LineUp
from charye.session.outbox import Outbox
from charye.session.settings import LineSettings
from charye.transports.base import Endpoint, Line, each
from charye.transports.greeting import greet

__all__ = ["Connection", "Opened", "open_line"]

log = logging.getLogger(__name__)

_LONGEST_SESSION_S = 24 * 3600.0
"""A time limit further away than this is not one: the server's clock and ours disagree."""

_SHORT_LIFE_S = 30.0
"""A line that lived shorter than this does not prove that the trouble is over."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A line, and the event by which the server proved that we are let in. It is still to be heard by the core."""

    line: Line
    first: bytes

    @property
    def left_s(self) -> float | None:
        """Until the server ends the session; None: it does not say."""
        try:
            event = decode_server_event(self.first)
        except MalformedEvent:
            return None
        until = event.session.expires_at if isinstance(event, SessionCreated) else None
        left_s = until - time.time() if isinstance(until, int) else 0.0
        return left_s if 0 < left_s < _LONGEST_SESSION_S else None


async def open_line(endpoint: Endpoint, settings: LineSettings) -> Opened:
    """A new line on which the server has said its first word. Cancelling leaves nothing open.

    Raises:
        RealtimeError: which one, says why not.
        ConfigurationError: something needed was not given.
    """
    try:
        async with asyncio.timeout(settings.open_s):
            line = await endpoint.open()
    except TimeoutError:
        raise HostUnreachable from None
    try:
        return Opened(line, await greet(line, patience_s=settings.open_s))
    except BaseException:
        await line.close()
        raise


class Connection:
    """Keeps the driver connected."""

    def __init__(self, endpoint: Endpoint, driver: Driver, settings: LineSettings, random: Random) -> None:
        self._endpoint = endpoint
        self._driver = driver
        self._settings = settings
        self._random = random
        self._loop = asyncio.get_running_loop()
        self._number = 0
        self._wait_s = settings.first_wait_s
        self._leaving: set[asyncio.Task[None]] = set()

    async def run(self, first: Opened) -> None:
        """Work until cancelled; then the line is closed.

        Raises:
            RealtimeError: the line is lost and cannot be had again.
        """
        opened = first
        try:
            while True:
                began = self._loop.time()
                next_one = await self._work(opened)
                if isinstance(next_one, RealtimeError):
                    if self._loop.time() - began > _SHORT_LIFE_S:
                        self._wait_s = self._settings.first_wait_s
                    next_one = await self._again(next_one)
                opened = next_one
        finally:
            self._driver.detach()
            if self._leaving:
                _, slow = await asyncio.wait(self._leaving, timeout=self._settings.leave_s)
                for task in slow:
                    task.cancel()
                await asyncio.gather(*slow, return_exceptions=True)

    # one line

    async def _work(self, opened: Opened) -> Opened | RealtimeError:
        """One line, until it is lost, or until the next one is there to change over to."""
        given_up: asyncio.Future[str] = self._loop.create_future()

        def give_up(reason: str) -> None:
            if not given_up.done():
                given_up.set_result(reason)

        outbox = Outbox(max_audio_bytes=self._settings.max_audio_bytes, sent=self._sent)
        tasks = [
            asyncio.ensure_future(each(opened.line, self._driver.hear)),
            asyncio.ensure_future(outbox.run(opened.line)),
        ]
        renewal = asyncio.ensure_future(self._renew(opened.left_s))
        handed_on = False
        try:
            self._number += 1
            self._driver.journal.noted("the line stands", self._loop.time(), number=self._number)
            self._driver.attach(outbox, give_up)
            self._driver.publish(LineUp(self._number))
            self._driver.hear(opened.first)
            ends: set[asyncio.Future[Any]] = {*tasks, renewal, given_up}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if renewal.done():
                self._driver.publish(LineLost("renewed"))
                spare, handed_on = renewal.result(), True
                return spare
            return self._why(tasks, given_up)
        finally:
            self._driver.detach()
            for task in (*tasks, renewal):
                task.cancel()
            await asyncio.wait({*tasks, renewal})
            self._leave(opened.line)
            if not handed_on and not renewal.cancelled() and renewal.exception() is None:
                self._leave(renewal.result().line)  # it came in the moment of our end

    def _sent(self, data: bytes) -> None:
        self._driver.journal.sent(data, self._loop.time())

    def _why(self, tasks: list[asyncio.Task[None]], given_up: asyncio.Future[str]) -> RealtimeError:
        """What ended the line. What the server said about it comes before what we then met when writing."""
        error: BaseException | None = None
        for task in tasks:
            if task.done() and error is None:
                error = task.exception()
        if error is None:
            error = ConnectionLost(reason=given_up.result())
        if not isinstance(error, RealtimeError):
            raise error  # a fault of ours: nothing is mended by connecting again
        reason = error.reason if isinstance(error, ConnectionLost) else error.message
        code = error.close_code if isinstance(error, ConnectionLost) else None
        log.info("the line is lost", extra={"close_code": code, "reason": reason})
        self._driver.journal.noted("the line is lost", self._loop.time(), close_code=code)
        self._driver.publish(LineLost(error.message, code))
        return error

    def _leave(self, line: Line) -> None:
        """Close it behind our back: a server that does not answer must not hold up the next line."""
        task = asyncio.ensure_future(line.close())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    # the next line

    async def _again(self, error: RealtimeError) -> Opened:
        """Wait and try, until it stands, or it makes no sense any more; then the last error is raised."""
        until = self._loop.time() + self._settings.give_up_s
        while True:
            if not getattr(error, "is_retryable", True) or self._loop.time() >= until:
                raise error
            pause_s = max(
                self._wait_s * (1 + self._random.random()) / 2, getattr(error, "retry_after_s", None) or 0.0
            )
            self._wait_s = min(self._wait_s * 2, self._settings.longest_wait_s)
            self._driver.journal.noted("connecting again", self._loop.time(), after_s=round(pause_s, 3))
            await asyncio.sleep(pause_s)
            try:
                return await open_line(self._endpoint, self._settings)
            except RealtimeError as failure:
                error = failure

    async def _renew(self, left_s: float | None) -> Opened:
        """Before the time is up, and in a quiet moment: the next line. From its return on the old one is not used."""
        if left_s is None:
            await asyncio.get_running_loop().create_future()  # for ever
            raise AssertionError
        # A session of a few minutes is not changed all the time.
        await asyncio.sleep(max(left_s - self._settings.renew_before_s, left_s * 3 / 4))
        wait_s = self._settings.first_wait_s
        while True:
            await self._driver.until(self._is_quiet)
            try:
                spare = await open_line(self._endpoint, self._settings)
            except RealtimeError as error:
                log.info("the line cannot be renewed yet", extra={"error": type(error).__name__})
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, self._settings.longest_wait_s)
                continue
            if self._is_quiet():
                self._driver.detach()
                return spare
            self._leave(spare.line)

    def _is_quiet(self) -> bool:
        return self._driver.peer.can_rotate
