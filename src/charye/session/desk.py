"""The desk: the half of a session that is the program's. Handles, listeners, tools and jobs; on the program's own loop.

The engine calls `told`, `run_tool`, `abandon_tool`, `publish` and `lost` from its loop; each only puts a letter into
the mailbox of this one.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from charye.core.calls import Answer
from charye.core.effects import RunTool
from charye.core.requests import Outcome, OutcomeKind, Progress, RequestId
from charye.session.crossing import Mailbox
from charye.session.events import MAX_UNREAD, SessionEvent, Subscription
from charye.session.handles import Handles
from charye.session.jobs import Jobs
from charye.session.tool_runner import ToolRunner

__all__ = ["Desk", "begun_by", "in_tool"]

in_tool: ContextVar["tuple[Desk, str] | None"] = ContextVar("charye_in_tool", default=None)
"""The call that this code is run by, and whose; in a tool's thread too."""

begun_by: ContextVar["tuple[Desk, str] | None"] = ContextVar("charye_begun_by", default=None)
"""The call whose tool began this job."""


class Desk:
    """Of one session.

    Args:
        finished: is told the answer of a tool: (call_id, answer).
        want: is told what types of events somebody listens to.
    """

    def __init__(
        self,
        home: Mailbox,
        runner: ToolRunner,
        *,
        finished: Callable[[str, Answer], object],
        want: Callable[[frozenset[type]], object],
    ) -> None:
        self.home = home
        self.handles = Handles()
        self.jobs = Jobs()
        self.runner = runner
        self.ended = asyncio.Event()
        """Set when the session cannot go on: closed, or the line is lost for good."""
        self.error: BaseException | None = None
        self._finished = finished
        self._want = want
        self._wanted: frozenset[type] = frozenset()
        self._subscriptions: WeakSet[Subscription[Any]] = WeakSet()
        self._listening = asyncio.Event()
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._published = 0  # written by the engine's thread only
        self._delivered = 0  # written here only
        self._missed = 0

    # called by the engine, on its loop

    def told(self, request_id: RequestId, change: Progress | Outcome) -> None:
        """What became of a request."""
        self.home.post(self.handles.tell, request_id, change)

    def run_tool(self, call: RunTool) -> None:
        """A call is to be run."""
        self.home.post(self._run_tool, call)

    def abandon_tool(self, call_id: str) -> None:
        """Nobody waits for this call any more."""
        self.home.post(self._abandon_tool, call_id)

    def publish(self, event: SessionEvent) -> None:
        """Something that somebody listens to. While the program's loop is blocked, only so much can wait for it."""
        if self._published - self._delivered >= MAX_UNREAD:
            self._missed += 1
            return
        self._published += 1
        if self._missed:
            missed, self._missed = self._missed, 0
            self.home.post(self._miss, missed)
        self.home.post(self._deliver, event)

    def lost(self, error: BaseException) -> None:
        """The line is lost for good."""
        self.home.post(self._lose, error)

    # on the program's loop

    def subscribe(self, types: Iterable[type]) -> Subscription[Any]:
        """From now on."""
        subscription: Subscription[Any] = Subscription(types, self._listening.set)
        if self.ended.is_set():
            subscription.end(self.error)
            return subscription
        self._subscriptions.add(subscription)
        self._listen()
        return subscription

    async def jobs_done(self, *, but: "asyncio.Task[object] | None") -> None:
        """Wait until every job has ended, or does nothing but listen. Who asks is not waited for."""
        while busy := self._busy(but):
            self._listening.clear()
            listening = asyncio.ensure_future(self._listening.wait())
            try:
                await asyncio.wait({*busy, listening}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                listening.cancel()

    def closes(self, task: "asyncio.Task[object] | None", *, now: bool) -> None:
        """This task begins to wait for the end of the session, or waits no more."""
        if now:
            self.jobs.closers.add(task)
            self._listening.set()
        else:
            self.jobs.closers.discard(task)

    def is_busy(self, *, but: "asyncio.Task[object] | None") -> bool:
        """Whether a job has something to do."""
        return bool(self._busy(but))

    def _busy(self, but: "asyncio.Task[object] | None") -> set[asyncio.Task[Any]]:
        readers = {subscription.reader for subscription in self._subscriptions}
        return {job for job in self.jobs.running(but=but) if job not in readers}

    async def end(self, *, but: "asyncio.Task[object] | None", lets_finish: bool, patience_s: float) -> None:
        """Tell everybody, and stop everything that runs here. The engine has stopped already.

        Args:
            lets_finish: jobs that only listened may come to their own end.
        """
        for task in self._calls.values():
            task.cancel()
        if self._calls:
            await asyncio.wait(self._calls.values(), timeout=patience_s)
        await self.runner.close()
        self.handles.end_all(Outcome(OutcomeKind.DISCONNECTED, reason="the session is over"))
        self.ended.set()
        for subscription in list(self._subscriptions):
            subscription.end(self.error)
        await self.jobs.end(but=but, lets_finish=lets_finish, patience_s=patience_s)

    def _run_tool(self, call: RunTool) -> None:
        task = asyncio.create_task(self._call(call), name=f"tool:{call.name}")
        self._calls[call.call_id] = task

    async def _call(self, call: RunTool) -> None:
        in_tool.set((self, call.call_id))  # of this task, and of what it starts
        try:
            answer = await self.runner.run(call)
        finally:
            self._calls.pop(call.call_id, None)
        self._finished(call.call_id, answer)

    def _abandon_tool(self, call_id: str) -> None:
        task = self._calls.get(call_id)
        if task is not None:
            task.cancel()

    def _deliver(self, event: SessionEvent) -> None:
        self._delivered += 1
        wanted = [subscription.put(event) for subscription in self._subscriptions]
        if not any(wanted):
            self._listen()  # whoever wanted it has gone

    def _miss(self, count: int) -> None:
        for subscription in self._subscriptions:
            subscription.miss(count)

    def _types(self) -> frozenset[type]:
        return frozenset[type]().union(*(subscription.types for subscription in self._subscriptions))

    def _listen(self) -> None:
        types = self._types()
        if types != self._wanted:
            self._wanted = types
            self._want(types)

    def _lose(self, error: BaseException) -> None:
        self.error = error
        self.ended.set()
        for subscription in list(self._subscriptions):
            subscription.end(error)
