"""An offline Realtime server for anybody's tests: misbehaves on request, keeps a journal, and its clock can be skipped.

    with offline_server(fault="lost_done", seed=7) as server:        # sockets: any client, sync or async
        client = openai.OpenAI(base_url=server.url, api_key=server.key)
        ...
        server.skip(3600)                                            # the session expires now
        assert server.said_by_client("response.create")

    async def story() -> None:                                       # in process, on a virtual clock: no waiting at all
        async with in_process(fault="created_late:s=12") as talk:
            await talk.say("response.create")
            await talk.until("response.done")
    run_virtually(story())

With pytest there is the fixture `realtime_server` (see `charye.pytest_plugin`). Needs the extra `server`.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from charye.server.admission import Door
from charye.server.clock import LoopClock, run_virtually
from charye.server.ears import LocalEars
from charye.server.faulting.line import Heard, Tap
from charye.server.faults import Faults
from charye.server.minds import Echo, mind_of
from charye.server.parts import Ears, Mind, Voice
from charye.server.serve import ServeSettings, serving
from charye.server.session import SessionParts, embedded
from charye.server.settings import ServerSettings
from charye.server.voice import ToneVoice
from charye.transports.in_process import End

__all__ = [
    "KEY",
    "Entry",
    "Event",
    "Journal",
    "OfflineServer",
    "Talk",
    "in_process",
    "offline_server",
    "run_virtually",
]

KEY = "sk-offline"
"""The key that an offline server lets in, if none is given."""

Event = dict[str, Any]
"""An event as JSON says it."""

MindOf = Callable[[], Mind]
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal.

    Args:
        session: counts from 1.
        at_s: on the server's clock.
        mark: `>` the client said it, `<` the server said it, `!` a fault struck.
        data: the bytes; for `!` the name of the fault and what it is about.
    """

    session: int
    at_s: float
    mark: str
    data: bytes

    @property
    def event(self) -> Event:
        """As JSON; empty for what is none."""
        try:
            found = json.loads(self.data)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def kind(self) -> str:
        """The type of the event, or what struck."""
        if self.mark == "!":
            return self.data.decode()
        return str(self.event.get("type", "(no event)"))


class Journal:
    """Everything on the wire, both ways, and every strike of a fault. May be read from any thread."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def tap(self, session: int) -> Tap:
        """What writes the events of one session into it."""

        def write(heard: Heard) -> None:
            self._entries.append(Entry(session, heard.at, heard.mark, heard.data))

        return write

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All so far, oldest first."""
        return tuple(self._entries)

    def said_by_client(self, kind: str | None = None) -> list[Event]:
        """What clients said; only events of this type, if one is given."""
        return self._said(">", kind)

    def said_by_server(self, kind: str | None = None) -> list[Event]:
        """What the server said."""
        return self._said("<", kind)

    def strikes(self) -> list[str]:
        """The names of the faults that struck, in order."""
        return [entry.kind.split()[1] for entry in self.entries if entry.mark == "!"]

    def text(self) -> str:
        """Types and times only, for people: never what was said."""
        return "\n".join(
            f"{entry.session}  {entry.at_s:10.3f} s  {entry.mark} {entry.kind}" for entry in self.entries
        )

    def _said(self, mark: str, kind: str | None) -> list[Event]:
        return [entry.event for entry in self.entries if entry.mark == mark and kind in (None, entry.kind)]


# --- over sockets ----------------------------------------------------------------------------------------------------


class _SkippingClock(LoopClock):
    """The clock of the loop, and a test may put it forward."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._skipped = asyncio.Event()

    def now(self) -> float:
        """Seconds."""
        return super().now() + self._ahead_s

    async def sleep(self, seconds: float) -> None:
        """Wait, less if somebody skips."""
        until = self.now() + seconds
        await asyncio.sleep(0)
        while (left := until - self.now()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._skipped.wait()
            except TimeoutError:
                pass

    async def skip(self, seconds: float) -> None:
        """Put it forward."""
        self._ahead_s += seconds
        self._skipped.set()
        self._skipped = asyncio.Event()


class OfflineServer(Journal):
    """A server on a port of this machine. Made by `offline_server`.

    Attributes:
        url: for the `base_url` of an SDK.
        websocket_url: for a client that speaks the protocol by itself; add `?model=...`.
        key: that is let in.
        faults: as they can be given again.
        seed: of all chance.
    """

    def __init__(self, settings: ServeSettings, *, key: str) -> None:
        super().__init__()
        self._settings = settings
        self.url = ""
        self.websocket_url = ""
        self.key = key
        self.faults = settings.faults.text
        self.seed = settings.faults.seed
        self._clock: _SkippingClock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def skip(self, seconds: float) -> None:
        """Put the server's clock forward: what would happen in that time happens now. From any other thread."""
        if self._loop is None or self._clock is None:
            raise RuntimeError("the server is not running")
        asyncio.run_coroutine_threadsafe(self._clock.skip(seconds), self._loop).result(_START_S)

    async def _run(self, make: Callable[[], SessionParts], ready: threading.Event) -> None:
        self._loop, self._stop, self._clock = asyncio.get_running_loop(), asyncio.Event(), _SkippingClock()
        settings = replace(self._settings, tap=self.tap, clock=self._clock)
        try:
            async with serving(make, settings=settings) as address:
                self.url = address.base_url
                self.websocket_url = f"{address.base_url.replace('http', 'ws', 1)}/realtime"
                ready.set()
                await self._stop.wait()
        finally:
            self._loop = None

    def _end(self) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)


@contextmanager
def offline_server(
    *,
    fault: str = "",
    seed: int = 0,
    mind: MindOf | str | Path = Echo,
    voice: Voice | None = None,
    ears: Callable[[], Ears | None] = LocalEars,
    key: str = KEY,
    max_session_s: float = 3600.0,
    ping_timeout_s: float | None = None,
) -> Iterator[OfflineServer]:
    """A server in a thread of its own, so that any client can talk to it from this one.

    Args:
        fault: as `charye faults` lists them: `lost_done:nth=2,latency:out_ms=200`. A session may ask for its own.
        seed: makes faults and ids the same each time.
        mind: makes what answers in a session; or a scenario, as a file or as TOML text. By default an echo.
        voice: by default beeps as long as speech would be.
        ears: makes what hears in a session; by default turns by loudness, and no words.
        ping_timeout_s: hang up on a client that does not answer a ping in this time. None: it is not pinged.
    Raises:
        ConfigurationError: there is no such fault, or the scenario is none.
    """
    settings = ServeSettings(
        door=Door(api_keys=frozenset({key}), template=ServerSettings(max_s=max_session_s)),
        seed=seed,
        faults=Faults.parse(fault, seed=seed),
        ping_timeout_s=ping_timeout_s,
    )
    make = _parts(mind, voice, ears)
    server = OfflineServer(settings, key=key)
    ready = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(server._run(make, ready))  # noqa: SLF001
        except BaseException as error:  # noqa: BLE001  (raised again in the thread that waits)
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="charye-offline-server", daemon=True)
    thread.start()
    ready.wait(_START_S)
    if failed:
        raise failed[0]
    try:
        yield server
    finally:
        server._end()  # noqa: SLF001
        thread.join(_START_S)


# --- in process ------------------------------------------------------------------------------------------------------


class Talk(Journal):
    """A session in this process, and the client's side of it in three words: say, next, until. See `in_process`."""

    def __init__(self) -> None:
        super().__init__()
        self.end: End | None = None
        """The line itself, for a client that takes one."""

    async def say(self, kind: str, **fields: Any) -> None:
        """Send an event of this type."""
        await self._line().send(json.dumps({"type": kind, **fields}).encode())

    async def next(self) -> Event:
        """The next event of the server.

        Raises:
            ConnectionLost: there will be none; `close_code` says why.
            ValueError: it is no JSON: a fault.
        """
        event: Event = json.loads(await self._line().receive())
        return event

    async def until(self, kind: str) -> Event:
        """The next event of this type; others are passed over, and are in the journal."""
        while (event := await self.next()).get("type") != kind:
            pass
        return event

    def _line(self) -> End:
        if self.end is None:
            raise RuntimeError("the session has not begun")
        return self.end


@asynccontextmanager
async def in_process(
    *,
    fault: str = "",
    seed: int = 0,
    mind: MindOf | str | Path = Echo,
    voice: Voice | None = None,
    ears: Callable[[], Ears | None] = LocalEars,
    max_session_s: float = 3600.0,
) -> AsyncIterator[Talk]:
    """One session without sockets, on the clock of the running loop. See `offline_server` for the arguments.

    Under `run_virtually` nobody ever waits, an hour takes milliseconds, and each run takes the same course.
    """
    talk = Talk()
    async with embedded(
        _parts(mind, voice, ears)(),
        settings=ServerSettings(max_s=max_session_s),
        seed=seed,
        faults=Faults.parse(fault, seed=seed),
        tap=talk.tap(1),
    ) as end:
        talk.end = end
        yield talk


def _parts(
    mind: MindOf | str | Path, voice: Voice | None, ears: Callable[[], Ears | None]
) -> Callable[[], SessionParts]:
    speaks = voice or ToneVoice()
    thinks = mind_of(mind)
    return lambda: SessionParts(mind=thinks(), voice=speaks, ears=ears())
