"""A handle: what an asker holds of its request, from the moment of asking to the one end.

    queued -> sent -> speaking -> generated -> heard
                                            or cancelled, interrupted, expired, denied, failed, disconnected

Each step can be awaited. A request that is refused by the server falls back to *queued* and is sent again; a step that
was reached once stays reached.
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from charye.core.requests import Outcome, OutcomeKind, Progress, RequestId, Step
from charye.errors import (
    Cancelled,
    Denied,
    Disconnected,
    Expired,
    Failed,
    Interrupted,
    LocalProtocolError,
    RequestEnded,
    ResponseFailed,
    ResponseRefused,
)

__all__ = ["Handle", "Handles", "error_of"]

_RANK = {Step.QUEUED: 0, Step.SENT: 1, Step.SPEAKING: 2, Step.GENERATED: 3}
_HEARD = 4

_ERRORS: dict[OutcomeKind, type[RequestEnded]] = {
    OutcomeKind.CANCELLED: Cancelled,
    OutcomeKind.EXPIRED: Expired,
    OutcomeKind.DENIED: Denied,
    OutcomeKind.FAILED: Failed,
    OutcomeKind.DISCONNECTED: Disconnected,
}


def error_of(request_id: str, outcome: Outcome) -> RequestEnded:
    """The error that says the same as an outcome which is not `HEARD`. The server's code is in its `__cause__`."""
    error: RequestEnded
    if outcome.kind is OutcomeKind.INTERRUPTED:
        error = Interrupted(
            request_id=request_id,
            heard_ms=outcome.heard_ms or 0.0,
            reason=outcome.reason,
            attempts=outcome.attempts,
            waited_s=outcome.waited_s,
            uncertain=outcome.uncertain,
        )
    else:
        error = _ERRORS[outcome.kind](
            request_id=request_id,
            reason=outcome.reason,
            code=outcome.code,
            attempts=outcome.attempts,
            waited_s=outcome.waited_s,
            uncertain=outcome.uncertain,
        )
    if outcome.code is not None:
        is_refused = outcome.kind is OutcomeKind.DENIED
        error.__cause__ = (
            ResponseRefused(code=outcome.code) if is_refused else ResponseFailed(code=outcome.code)
        )
    return error


class Handle:
    """One request for a response. Await it for its `Outcome`; await a step to go on as soon as that is reached.

        outcome = await handle              # the end, whatever it is; never raises for it
        await handle.heard()                # raises a `RequestEnded` if it was not heard in full

    Cancelling the wait does not cancel the request: `cancel()` does. Waiting is for the session's own loop; from
    another thread use `session.threads()`.
    """

    __slots__ = (
        "_ask_cancel",
        "_ask_explain",
        "_loop",
        "_outcome",
        "_rank",
        "_waiters",
        "id",
        "reason",
        "response_id",
        "step",
        "trigger",
    )

    def __init__(
        self,
        request_id: RequestId,
        trigger: str,
        *,
        loop: asyncio.AbstractEventLoop,
        cancel: Callable[[RequestId], object],
        explain: Callable[[RequestId], Any],
    ) -> None:
        self.id = request_id
        self.trigger = trigger
        self.step = Step.QUEUED
        """Where it stands now; may fall back to `QUEUED`."""
        self.reason = ""
        """Why it fell back, last."""
        self.response_id: str | None = None
        """Of its latest response."""
        self._loop = loop
        self._ask_cancel = cancel
        self._ask_explain = explain
        self._rank = 0
        self._outcome: Outcome | None = None
        self._waiters: set[asyncio.Future[None]] = set()

    def __repr__(self) -> str:
        state = self._outcome.kind.value if self._outcome is not None else self.step.value
        return f"<Handle {self.id} {self.trigger}: {state}>"

    @property
    def outcome(self) -> Outcome | None:
        """The end; None while there is none."""
        return self._outcome

    async def sent(self) -> None:
        """When it has been asked for on the wire.

        Raises:
            RequestEnded: it ended before.
        """
        await self._reach(_RANK[Step.SENT])

    async def speaking(self) -> None:
        """When the server has begun its response. Raises as `sent`."""
        await self._reach(_RANK[Step.SPEAKING])

    async def generated(self) -> None:
        """When the server has generated all of it; somebody may still be listening. Raises as `sent`."""
        await self._reach(_RANK[Step.GENERATED])

    async def heard(self) -> None:
        """When all of it was heard. Raises as `sent`."""
        await self._reach(_HEARD)

    def __await__(self) -> Generator[Any, None, Outcome]:
        return self.ended().__await__()

    async def ended(self) -> Outcome:
        """The end, whatever it is. As awaiting the handle itself."""
        while self._outcome is None:
            await self._move()
        return self._outcome

    def cancel(self) -> None:
        """Take it back: it ends as cancelled, its voice stops. After the end it does nothing. From any thread."""
        if self._outcome is None:
            self._ask_cancel(self.id)

    async def explain(self) -> str:
        """One sentence: why it is not speaking now."""
        return str(await self._ask_explain(self.id))

    def tell(self, change: Progress | Outcome) -> None:
        """What became of it. For the session; on the session's loop."""
        if isinstance(change, Outcome):
            self._outcome = change
            if change.kind is OutcomeKind.HEARD:
                self._rank = _HEARD
        else:
            self.step = change.step
            self.reason = change.reason or self.reason
            self.response_id = change.response_id or self.response_id
            self._rank = max(self._rank, _RANK[change.step])
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _reach(self, rank: int) -> None:
        while self._rank < rank and self._outcome is None:
            await self._move()
        if self._rank < rank and self._outcome is not None:
            raise error_of(self.id, self._outcome)

    async def _move(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise LocalProtocolError(
                "a handle is awaited on its session's loop; elsewhere use `session.threads()`"
            )
        waiter = self._loop.create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)


class Handles:
    """All requests that live, those the core makes by itself too. On the session's loop, but for `add`."""

    __slots__ = ("_handles",)

    def __init__(self) -> None:
        self._handles: dict[RequestId, Handle] = {}

    def __len__(self) -> int:
        return len(self._handles)

    def add(self, handle: Handle) -> Handle:
        """Before its request is posted, so that the first word about it finds it."""
        self._handles[handle.id] = handle
        return handle

    def tell(self, request_id: RequestId, change: Progress | Outcome) -> None:
        """Hand on what became of a request. One that nobody holds a handle of is nobody's."""
        handle = self._handles.get(request_id)
        if handle is None:
            return
        handle.tell(change)
        if isinstance(change, Outcome):
            del self._handles[request_id]

    def end_all(self, outcome: Outcome) -> None:
        """The engine is gone and will tell nothing more."""
        for request_id in list(self._handles):
            self.tell(request_id, outcome)
