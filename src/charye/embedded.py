"""Our own Realtime server as an endpoint, in this process and without a network.

    async with charye.connect(charye.Embedded()) as session: ...

Each line is a server session of its own, on the loop that opens it. By default it has an echo for a mind and beeps
for a voice. Give it espeak-ng (extra `voice`) to hear words.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from charye.protocol import OPENAI, Dialect
from charye.server.ears import LocalEars
from charye.server.faulting.line import Tap
from charye.server.faults import Faults
from charye.server.minds import Echo, mind_of
from charye.server.parts import Ears, Mind, Voice
from charye.server.session import SessionParts, embedded
from charye.server.settings import ServerSettings
from charye.server.voice import ToneVoice
from charye.transports.base import Line
from charye.transports.in_process import End

__all__ = ["Embedded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A Realtime server of our own, opened with the line and ended with it.

    Args:
        mind: makes what answers in a session; or a scenario, as a file or as TOML text.
        voice: what speaks.
        ears: makes what hears in a session; None from it: nothing is heard.
        settings: of each server session.
        faults: what goes wrong, for tests; also as `charye faults` lists it.
        seed: of all chance; the n-th line has the seed plus n - 1, so that no two are called the same.
        tap: sees every event, both ways.
    """

    mind: Callable[[], Mind] | str | Path = Echo
    voice: Voice = field(default_factory=ToneVoice)
    ears: Callable[[], Ears | None] = LocalEars
    settings: ServerSettings = field(default_factory=ServerSettings)
    faults: Faults | str | None = None
    seed: int = 0
    tap: Tap | None = None
    _lines: Iterator[int] = field(default_factory=count, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """`embedded`."""
        return "embedded"

    @property
    def dialect(self) -> Dialect:
        """As OpenAI speaks."""
        return OPENAI

    async def open(self) -> Line:
        """A new session of the server.

        Raises:
            ConfigurationError: there is no such fault, or the scenario is none.
        """
        seed = self.seed + next(self._lines)
        faults = Faults.parse(self.faults, seed=seed) if isinstance(self.faults, str) else self.faults
        parts = SessionParts(mind=mind_of(self.mind)(), voice=self.voice, ears=self.ears())
        serving = embedded(parts, settings=self.settings, seed=seed, faults=faults, tap=self.tap)
        return _Line(await serving.__aenter__(), lambda: serving.__aexit__(None, None, None))


class _Line:
    """The client's end; closing it ends the server's session too."""

    def __init__(self, end: End, leave: Callable[[], Awaitable[object]]) -> None:
        self._end = end
        self._leave = leave
        self._leaving: asyncio.Future[object] | None = None

    async def send(self, data: bytes) -> None:
        """As `Line.send`."""
        await self._end.send(data)

    async def receive(self) -> bytes:
        """As `Line.receive`."""
        return await self._end.receive()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """As `Line.close`; waits for the server's session to end."""
        await self._end.close(code, reason)
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self._leave())
        await asyncio.shield(self._leaving)
