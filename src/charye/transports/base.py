"""A line to a Realtime server, and what opens one: the two interfaces of this layer, and all that they promise.

    Endpoint   where to, how, and as whom; frozen; opens any number of lines
    Line       one connection; messages in order, both ways, until it is closed

Every implementation passes the suite in `transports.conformance`, which others may run over their own.
"""

from collections.abc import Callable
from typing import NoReturn, Protocol, runtime_checkable

from charye.protocol import Dialect

__all__ = ["Endpoint", "Line", "Pushing", "each"]


@runtime_checkable
class Line(Protocol):
    """One connection. Used from one event loop. Whoever has it closes it, also when it is lost.

    Promises:
        Order: messages arrive in the order in which they were sent, each once, or the line is lost.
        Whole: a message is one event; neither splitting nor joining is seen.
        One end: after `ConnectionLost` every later call raises it again, with the same code and reason.
        Nothing left: after `close` no task, socket or timer of the line is there.
        No secret in any error, log or repr.
    """

    async def send(self, data: bytes) -> None:
        """Put one event (UTF-8 JSON) on its way; waits while the other end has too much unread.

        Cancelling while it waits sends nothing. That it came back does not say that the event arrived.

        Raises:
            ConnectionLost: the line is closed, by either side; or nothing of what was sent moves any more.
        """
        ...

    async def receive(self) -> bytes:
        """The next event. Cancelling loses nothing. One reader at a time.

        Raises:
            ConnectionLost: the line is closed, and everything that came before was received. `SessionExpired`, one of
                its kinds, if the server says that this is why.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End it, after what was sent is on its way. The first close counts; again does no harm.

        Never raises; returns within a bounded time, whatever the other end does. Whoever waits in `send` or `receive`
        gets `ConnectionLost` with this code. Cancelling it does not keep the line open.
        """
        ...


@runtime_checkable
class Pushing(Protocol):
    """A line that can also hand out events by itself. Not asked of a line; it is cheaper for those who have it."""

    async def each(self, take: Callable[[bytes], object]) -> NoReturn:
        """Call `take` with every event, in order, until it is cancelled. Instead of `receive`, not beside it.

        Cancelling loses nothing. What `take` raises ends it and is raised here; the line is good for nothing then.

        Raises:
            ConnectionLost: as `receive`.
        """
        ...


async def each(line: Line, take: Callable[[bytes], object]) -> NoReturn:
    """As `Pushing.each`, over any line."""
    if isinstance(line, Pushing):
        await line.each(take)
    while True:
        take(await line.receive())


@runtime_checkable
class Endpoint(Protocol):
    """Where a session is, and who asks for it. Immutable; its `repr` shows no secret."""

    @property
    def name(self) -> str:
        """For logs: `openai`, `azure`, `compatible`, `embedded`, ... Never a key, never a whole URL."""
        ...

    @property
    def dialect(self) -> Dialect | None:
        """How the server speaks. None: look at its first event (`transports.greeting.detected`)."""
        ...

    async def open(self) -> Line:
        """A new line. That it stands does not prove that we are let in: the server's first event does (`greeting`).

        Cancelling leaves nothing open.

        Raises:
            ConnectionFailed: one of its subclasses; `is_retryable` on the error says whether trying again can help.
            QuotaExhausted: the account is at its limit.
            ConfigurationError: something needed was not given.
            MissingExtra: the credential needs a package that is not installed.
        """
        ...
