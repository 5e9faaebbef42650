"""The life of a session: begun whole or not at all, and ended so that nothing runs on.

    new -> open -> closing -> closed

Ending has an order, for each step may still need the next one: jobs, then what is still to be heard, then the engine
(who tells everybody that still waits), then tools and jobs that are left, then the watch and the I/O thread.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from enum import Enum
from typing import Any

from charye.errors import LocalProtocolError
from charye.session import io_thread
from charye.session.credit import Credit
from charye.session.crossing import Crossing, Mailbox
from charye.session.desk import Desk, in_tool
from charye.session.engine import Engine, Plan
from charye.session.lag import Blocked, LagWatch, Unblocked
from charye.session.tool_runner import ToolRunner

__all__ = ["Life", "Stage"]

log = logging.getLogger(__name__)

_CLEAN_UP_S = 0.5
"""For the program's tools and jobs, when they are called off at the end."""

_LONGEST_END_S = 5.0
"""For an end in a hurry; it takes less than a second where nothing is stuck."""


class Stage(Enum):
    """Where a session is in its life."""

    NEW = "new"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Life:
    """Of one session, from `begin` to `close`. Belongs to the loop on which it was made."""

    def __init__(self, plan: Plan, runner: ToolRunner) -> None:
        self._plan = plan
        home = Mailbox(asyncio.get_running_loop(), threading.get_ident())
        self._has_thread = plan.settings.io_thread
        there = io_thread.borrow() if self._has_thread else home
        self.crossing = Crossing(here=home, there=there)
        self.desk = Desk(home, runner, finished=self._finished, want=self._want)
        self.engine = Engine(plan, self.desk, there.post)
        self.credit = Credit(plan.settings.line.max_audio_bytes)
        self.holding = asyncio.Lock()
        self.stage = Stage.NEW
        self._hurry = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self._watch: LagWatch | None = None

    async def begin(self) -> None:
        """Connect. An error, or cancelling, leaves nothing open."""
        self.stage = Stage.OPEN
        try:
            await self.crossing.ask(self.engine.open)
        except BaseException:
            await self.close(drain=False)
            raise
        if self._plan.settings.lag_bound_s > 0:
            self._watch = LagWatch(
                self.desk.home.loop,
                self.desk.home.thread_id,
                bound_s=self._plan.settings.lag_bound_s,
                report=self._lagged,
            )
            if self._has_thread:
                self._watch.start_on(self.crossing.there.loop)
            else:
                self._watch.start()

    async def close(self, *, drain: bool) -> None:
        """End it. See `Session.close`."""
        tool = in_tool.get()
        if drain and tool is not None and tool[0] is self.desk:
            raise LocalProtocolError("a tool may not wait for the end of its session", given="close")
        if not drain:
            self._hurry.set()
        me = asyncio.current_task()
        self.desk.closes(me, now=True)
        try:
            if self._ending is None:
                self.stage = Stage.CLOSING
                self._ending = asyncio.ensure_future(self._end(me, drain=drain))
            await asyncio.shield(self._ending)
        except asyncio.CancelledError:
            # Whoever is called off has no time for the rest to be heard, but nothing may run on behind it.
            self._hurry.set()
            if self._ending is not None:
                await asyncio.wait({self._ending}, timeout=_LONGEST_END_S)
            raise
        finally:
            self.desk.closes(me, now=False)

    async def _end(self, me: "asyncio.Task[object] | None", *, drain: bool) -> None:
        try:
            if drain:
                await self._drain(me)
        finally:
            try:
                await self.crossing.ask(self.engine.close)
            finally:
                await self.desk.end(but=me, lets_finish=drain, patience_s=_CLEAN_UP_S)
                if self._watch is not None:
                    self._watch.stop()
                self.stage = Stage.CLOSED
                if self._has_thread:
                    io_thread.give_back()

    async def _drain(self, me: "asyncio.Task[object] | None") -> None:
        """Wait for all there is to do and to hear; not if the line is lost for good, not if somebody is in a hurry."""
        draining = asyncio.ensure_future(self._drained(me))
        cut_short = [asyncio.ensure_future(event.wait()) for event in (self._hurry, self.desk.ended)]
        done, _ = await asyncio.wait(
            {draining, *cut_short},
            timeout=self._plan.settings.drain_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in (draining, *cut_short):
            task.cancel()
        await asyncio.gather(draining, *cut_short, return_exceptions=True)
        if not done:
            log.warning(
                "the session is closed though not everything was heard", extra={"reason": "out of time"}
            )

    async def _drained(self, me: "asyncio.Task[object] | None") -> None:
        while True:
            await self.desk.jobs_done(but=me)
            await self.crossing.ask(self.engine.drain)
            if not self.desk.is_busy(but=me):
                return

    # from the desk to the engine

    def post(self, call: Callable[..., object], *args: Any) -> None:
        """Let the engine do this, after everything posted before. `call`: a method of `Engine`."""
        self.crossing.post(call, self.engine, *args)

    async def ask(self, call: Callable[..., Any], *args: Any) -> Any:
        """As `post`, and wait for what it gives or raises."""
        return await self.crossing.ask(call, self.engine, *args)

    def written(self, size_bytes: int) -> None:
        """From the engine: so much audio is on the wire."""
        self.desk.home.post(self.credit.give_back, size_bytes)

    # what the halves tell each other

    def _finished(self, call_id: str, answer: object) -> None:
        self.crossing.post(self.engine.tool_finished, call_id, answer)

    def _want(self, types: frozenset[type]) -> None:
        self.crossing.post(self.engine.want, types)

    def _lagged(self, what: Blocked | Unblocked) -> None:
        """From the watch's thread: somebody holds up the program's loop."""
        if isinstance(what, Blocked):
            log.warning(
                "the event loop is held up: %s",
                what.where,
                extra={"cause": what.cause.value, "where": what.where, "since_s": round(what.since_s, 3)},
            )
            self.post(Engine.note_lag, what.cause.value, what.where, what.since_s)
        else:
            log.warning(
                "the event loop goes on after %.1f s",
                what.lasted_s,
                extra={"cause": what.cause.value, "where": what.where, "lasted_s": round(what.lasted_s, 3)},
            )
            self.post(Engine.note_lag, f"{what.cause.value}, over", what.where, what.lasted_s)
