"""A server and a session in one process, on one virtual clock, over real sockets; and everything that both of them did.

What goes wrong is in the server's hands (`charye.server.faults`) and, for what no server does, in those of the network
between (`Network`): a frame of which nobody has heard, or an end that does not read.
"""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import charye
from charye.core.requests import Outcome
from charye.protocol import OPENAI, Dialect, named
from charye.server.admission import Door
from charye.server.ears import LocalEars
from charye.server.faulting.line import Heard
from charye.server.faults import Faults
from charye.server.minds import Echo
from charye.server.outgoing import Pace
from charye.server.parts import Mind
from charye.server.serve import ServeSettings, serving
from charye.server.session import SessionParts
from charye.server.settings import ServerSettings
from charye.server.voice import ToneVoice
from charye.session.handles import Handle
from charye.session.journal import JournalSettings
from charye.session.redaction import Redaction
from charye.session.session import Session
from charye.session.settings import SessionSettings
from charye.transports.base import Line
from tests.e2e.account import Account, read
from tests.e2e.network import Network
from tests.e2e.room import Room
from tests.e2e.truth import Truth

__all__ = [
    "DECLARED",
    "ENDS_THE_LINE",
    "EVERYTHING",
    "Scene",
    "connected",
    "nothing_left",
    "on_stage",
    "served",
]

ENDS_THE_LINE = frozenset({"drop", "cut", "half_close", "hang_up", "expiry"})
"""On the first line of a session only: on every line, nothing could ever be finished."""

DECLARED = {"no_metadata": "no-metadata", "supersede": "supersedes"}
"""Promises that a client must be told of if they are not kept (`docs/reference/invariants.md`)."""

_LONGEST_S = 6 * 3600.0
"""Virtual. On a virtual clock a wait that never ends goes on for ever."""


@dataclass(slots=True)
class Scene:
    """What a workload plays in, and what the laws look at afterwards.

    Args:
        chance: of the workload, by the seed.
        faults: as the server was given them.
    """

    session: Session
    room: Room
    truth: Truth
    network: Network
    chance: Random
    faults: str
    seed: int
    wire: list[tuple[int, Heard]]
    trouble: list[str] = field(default_factory=list)
    handles: list[Handle] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def fault_names(self) -> frozenset[str]:
        """Those that were chosen, whether they struck or not."""
        return frozenset(word.split(":")[0] for word in self.faults.split(",") if word)

    def say(self, words: str, **wish: Any) -> Handle:
        """As `Session.say`; remembered."""
        return self.keep(self.session.say(words, **wish))

    def keep(self, handle: Handle) -> Handle:
        """Remember it: it must end."""
        self.handles.append(handle)
        return handle

    async def all_ended(self) -> list[Outcome]:
        """Wait for the end of everything that was asked for so far."""
        return [await handle for handle in self.handles]

    def account(self) -> Account:
        """What the session did."""
        return read(self.session.journal.lines())

    def end_of_wire(self, count: int = 40) -> str:
        """The last events, types and times only, audio left out; for who reads a failure."""
        told = []
        for number, heard in self.wire:
            kind = heard.data.decode(errors="replace")
            if heard.mark != "!":
                kind = _kind(heard.data)
            if "delta" not in kind and ".append" not in kind:
                told.append(f"{number}  {heard.at:10.3f} s  {heard.mark} {kind}")
        return "\n".join(told[-count:])


def _kind(data: bytes) -> str:
    start = data.find(b'"type":"')
    word = (
        data[start + 8 : data.find(b'"', start + 8)].decode(errors="replace") if start >= 0 else "(no event)"
    )
    for name in (b'"id":"resp_', b'"response_id":"resp_', b'"event_id":"c.', b'"status":"', b'"code":"'):
        at = data.find(name)
        if at >= 0:
            word += f" {data[at : at + 36].decode(errors='replace')}"
    return word


class _Endpoint:
    """Opens lines to a server: the first ones with all faults, later ones without those that end a line."""

    name = "e2e"

    def __init__(
        self, url: str, faults: Faults, network: Network, dialect: Dialect, broken_lines: int
    ) -> None:
        self._url = url
        self._network = network
        self._dialect = dialect
        first = faults.text
        later = ",".join(word for word in first.split(",") if word.split(":")[0] not in ENDS_THE_LINE)
        self._faults = [first] * broken_lines + [later]
        self._seed = faults.seed
        self._opened = 0

    @property
    def dialect(self) -> Dialect:
        """What the server is told to be."""
        return self._dialect

    async def open(self) -> Line:
        """See `Endpoint`."""
        faults = self._faults[min(self._opened, len(self._faults) - 1)]
        self._opened += 1
        query = {"fault": faults, "seed": str(self._seed + self._opened)} if faults else {}
        compatible = charye.Compatible(self._url, model="m", dialect=self._dialect, query=query)
        return self._network.between(await compatible.open())


class _Trouble(logging.Handler):
    """Whatever is logged as an error is one, and so is what the loop has nobody to tell."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._found.append(
            f"logged: {record.getMessage()} {error!r}" if error else f"logged: {record.getMessage()}"
        )

    def loop(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._found.append(f"on the loop: {context.get('message')} {context.get('exception')!r}")


@asynccontextmanager
async def on_stage(
    *,
    faults: str,
    seed: int,
    mind: Callable[[], Mind] = Echo,
    ping_timeout_s: float | None = None,
    is_gated: bool = False,
    **options: Any,
) -> AsyncIterator[Scene]:
    """A scene on a virtual clock. Leaving it drains and closes the session, then the server; see `Scene.trouble`.

    Args:
        faults: as `Faults.parse` reads them.
        ping_timeout_s: see `ServeSettings`.
        is_gated: the network can stop reading; it costs two sockets and a copy.
        options: of `charye.connect`.
    """
    trouble: list[str] = []
    truth, wire, network = Truth(), list[tuple[int, Heard]](), Network(is_gated=is_gated)
    settings = SessionSettings(io_thread=False, lag_bound_s=0, seed=seed, journal=EVERYTHING)
    async with nothing_left(trouble):
        async with (
            asyncio.timeout(_LONGEST_S),
            served(truth, wire, mind=mind, seed=seed, ping_timeout_s=ping_timeout_s) as address,
            network.gate(address.host, address.port) as url,
        ):
            room = Room(reports=bool(seed % 2))
            async with connected(url, faults, seed, network, room, settings, **options) as session:
                yield Scene(session, room, truth, network, Random(seed), faults, seed, wire, trouble)
        await asyncio.sleep(60)  # virtual: what is still to end has had its time


EVERYTHING = JournalSettings(keep_bytes=256 << 20, private=Redaction.NOTHING)
"""A journal that hides and forgets nothing."""


def served(
    truth: Truth,
    wire: list[tuple[int, Heard]],
    *,
    mind: Callable[[], Mind],
    seed: int,
    ping_timeout_s: float | None,
    syllable_ms: float = 200.0,
    max_session_s: float = 3600.0,
) -> AbstractAsyncContextManager[Any]:
    """A server for one scene."""
    settings = ServeSettings(
        door=Door(template=ServerSettings(max_s=max_session_s)),
        seed=seed,
        observe=truth.observe,
        tap=lambda number: lambda heard: wire.append((number, heard)),
        pace=Pace(stall_s=60.0),
        ping_timeout_s=ping_timeout_s,
    )
    voice = ToneVoice(syllable_ms=syllable_ms)
    return serving(lambda: SessionParts(mind=mind(), voice=voice, ears=LocalEars()), settings=settings)


def connected(
    url: str,
    faults: str,
    seed: int,
    network: Network,
    room: Room,
    settings: SessionSettings,
    *,
    broken_lines: int = 1,
    **options: Any,
) -> Session:
    """A session with the server of this scene, in whose room we listen.

    Args:
        broken_lines: how many may be ended by a fault.
    """
    names = {word.split(":")[0] for word in faults.split(",")}
    told = next((DECLARED[name] for name in sorted(names) if name in DECLARED), OPENAI.name)
    return charye.connect(
        _Endpoint(url, Faults.parse(faults, seed=seed), network, named(told), broken_lines),
        loudspeaker=room,
        playout="device" if room.reports else "clock",
        settings=settings,
        **options,
    )


@asynccontextmanager
async def nothing_left(trouble: list[str]) -> AsyncIterator[None]:
    """Nothing is left behind that was not there before, and nobody has logged an error; else it is in `trouble`."""
    loop = asyncio.get_running_loop()
    watch = _Trouble(trouble)
    files, tasks, threads = _open_files(), asyncio.all_tasks(), frozenset(threading.enumerate())
    logging.getLogger("charye").addHandler(watch)
    loop.set_exception_handler(watch.loop)
    try:
        yield
        trouble.extend(f"left behind: {task!r}" for task in asyncio.all_tasks() - tasks)
        trouble.extend(f"left behind: {thread!r}" for thread in frozenset(threading.enumerate()) - threads)
        if _open_files() > files:
            trouble.append(f"left behind: {_open_files() - files} open files")
    finally:
        logging.getLogger("charye").removeHandler(watch)
        loop.set_exception_handler(None)


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
