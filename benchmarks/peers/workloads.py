"""The scripts, the same for all clients, and the verbs a client is driven with.

Everything that is asked for goes through `Script`, which notes when, so that the figures compare what was asked with
what the server said. A client's verb returns when there is nothing more that its user could await.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from benchmarks.peers.marks import Asked, mark, tone

__all__ = ["SILENCE_MS", "WORKLOADS", "Client", "Desk", "NotSaid", "Script", "Setup", "Workload"]

FRAME_MS = 20
_BYTES_A_MS = 48


class NotSaid(Exception):
    """The client told its user that this will not be said."""


class Client(Protocol):
    """A client of the Realtime API, in a session. A workload uses some of these."""

    async def say(self, mark: str) -> None:
        """The program wants the assistant to say this now.

        Raises:
            Exception: the client says that it will not be said.
        """
        ...

    async def write(self, mark: str) -> None:
        """The user writes this, and is to be answered."""
        ...

    async def hear(self, pcm: bytes) -> None:
        """20 ms of the microphone, in real time."""
        ...

    async def press(self, pcm: bytes) -> None:
        """The user held the push-to-talk key while saying this, and lets it go."""
        ...

    async def finish(self) -> None:
        """Wait for everything that was asked for and not awaited yet, if the client offers that."""
        ...


class Desk:
    """The tools: what all calls of one message find is ready at the same moment.

    Args:
        tools: how many there are, and how many calls a message makes.
        threads: each has a thread of its own, and all end in the same millisecond; else all end in the same tick.
    """

    def __init__(self, tools: int, *, threads: bool) -> None:
        self.names = [f"look_{number}" for number in range(tools)]
        self._pool = ThreadPoolExecutor(tools) if threads else None
        self._barrier = threading.Barrier(tools) if threads else None
        self._present: dict[str, int] = {}
        self._all_here: dict[str, asyncio.Event] = {}

    async def look(self, mark: str) -> str:
        """The work of one call. A client that runs calls one after the other is not kept waiting for ever."""
        if self._pool is not None and self._barrier is not None:
            barrier = self._barrier
            await asyncio.get_running_loop().run_in_executor(self._pool, lambda: _meet(barrier))
            return f"{mark} is fine"
        event = self._all_here.setdefault(mark, asyncio.Event())
        self._present[mark] = self._present.get(mark, 0) + 1
        if self._present[mark] == len(self.names):
            event.set()
        try:
            async with asyncio.timeout(1.0):
                await event.wait()
        except TimeoutError:
            pass
        return f"{mark} is fine"


def _meet(barrier: threading.Barrier) -> None:
    try:
        barrier.wait(1.0)
    except threading.BrokenBarrierError:
        barrier.reset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a client is opened with.

    Args:
        base_url: as SDKs want it; `websocket_url`: the endpoint itself.
        push_to_talk: turn detection is off. Else it is `server_vad` with `SILENCE_MS`, replies and barge-in included.
        gone: the client has told its user that the session has ended, so that nothing more will be said.
    """

    base_url: str
    websocket_url: str
    key: str
    desk: Desk
    push_to_talk: bool = False
    gone: Callable[[], None]


@dataclass(slots=True)
class Script:
    """Drives a client.

    Args:
        note: is told of everything that is asked for, at that moment.
        lost: is told of what the client says will not be said.
    """

    client: Client
    note: Callable[[Asked], None]
    lost: Callable[[str, BaseException], None]
    _waiting: set[asyncio.Task[None]] = field(default_factory=set)

    def asks(self, mark: str) -> None:
        """From now on this is waited for."""
        self.note(Asked(mark, time.monotonic()))

    def do(self, mark: str, verb: Callable[[], Awaitable[None]]) -> None:
        """Ask for it, and do not wait for what becomes of it."""
        self.asks(mark)
        task = asyncio.ensure_future(self._done(mark, verb))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    def say(self, mark: str) -> None:
        self.do(mark, lambda: self.client.say(mark))

    async def over(self) -> None:
        """Until every verb has returned, and the client has nothing left to wait for."""
        while self._waiting:
            await asyncio.wait(self._waiting)
        await self.client.finish()

    async def _done(self, mark: str, verb: Callable[[], Awaitable[None]]) -> None:
        try:
            await verb()
        except Exception as error:  # noqa: BLE001  (whatever it is, the asker was told)
            self.lost(mark, error)


async def at_once(script: Script) -> None:
    """Fifty utterances, as fast as the API takes them."""
    for number in range(50):
        script.say(mark("u", number))


async def parallel_tools(script: Script) -> None:
    """Twenty messages; each is answered with five calls, whose results are there in the same tick."""
    await _messages(script, 20)


async def threads(script: Script) -> None:
    """Five messages; each is answered with eight calls, which end in eight OS threads in the same millisecond."""
    await _messages(script, 5)


async def _messages(script: Script, times: int) -> None:
    for number in range(times):
        one = mark("c", number)
        script.do(one, lambda one=one: script.client.write(one))  # type: ignore[misc]
        await asyncio.sleep(0.8)


SILENCE_MS = 500
"""After so much of it the server's VAD ends a turn. Each client sets it, because their defaults differ."""

# Of a turn by voice. What is left of it after the end is long enough for the reply and three utterances.
_TURN_MS, _SPEECH_MS = 2000, 400
_COMMIT_MS = _SPEECH_MS + SILENCE_MS


async def races(script: Script) -> None:
    """Thirty utterances against ten turns of the user: asked for just before, at and after the server's own reply."""
    begun = time.monotonic()

    async def user() -> None:
        for number in range(10):
            one = mark("t", number)
            pcm = tone(one, _SPEECH_MS, quiet_ms=_TURN_MS - _SPEECH_MS)
            for at_ms in range(0, _TURN_MS, FRAME_MS):
                if at_ms == _COMMIT_MS:
                    script.asks(one)
                await _until(begun, number * _TURN_MS + at_ms)
                await script.client.hear(pcm[at_ms * _BYTES_A_MS : (at_ms + FRAME_MS) * _BYTES_A_MS])

    async def program() -> None:
        for number in range(30):
            turn, place = divmod(number, 3)
            # Each turn a little later than in the one before, so that every order of the two is met.
            await _until(begun, turn * _TURN_MS + _COMMIT_MS + 40 * (place - 1) + 4 * turn)
            script.say(mark("u", number))

    async with asyncio.TaskGroup() as both:
        both.create_task(user())
        both.create_task(program())


async def _until(begun: float, ms: float) -> None:
    await asyncio.sleep(begun + ms / 1000 - time.monotonic())


async def presses(script: Script) -> None:
    """Twenty push-to-talk presses, one each 130 ms; an answer takes 150 to 300 ms."""
    pcm = {mark("p", number): tone(mark("p", number), 100, quiet_ms=40) for number in range(20)}
    for one, samples in pcm.items():
        script.do(one, lambda samples=samples: script.client.press(samples))  # type: ignore[misc]
        await asyncio.sleep(0.13)


async def spaced(script: Script) -> None:
    """Ten utterances, one each half second, so that by themselves they never meet."""
    for number in range(10):
        script.say(mark("u", number))
        await asyncio.sleep(0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One of those that all clients run.

    Args:
        asks: what the script does.
        fault: what the server does in the middle of it.
        tools, threads: as in `Desk`.
    """

    title: str
    asks: Callable[[Script], Awaitable[None]]
    fault: str = ""
    tools: int = 0
    threads: bool = False
    push_to_talk: bool = False

    def desk(self) -> Desk:
        return Desk(self.tools, threads=self.threads)


WORKLOADS: Mapping[str, Workload] = MappingProxyType(
    {
        "W1": Workload(title="fifty utterances at once", asks=at_once),
        "W2": Workload(title="twenty turns with five parallel tools", asks=parallel_tools, tools=5),
        "W4": Workload(title="thirty utterances against ten turns by voice", asks=races),
        "W5": Workload(
            title="a lost `response.done` in ten utterances", asks=spaced, fault="lost_done:nth=5"
        ),
        "W6": Workload(title="the line cut in ten utterances", asks=spaced, fault="drop:at=created:nth=6"),
        "W8": Workload(title="twenty rapid push-to-talk presses", asks=presses, push_to_talk=True),
        "W9": Workload(title="five turns with eight tools in threads", asks=threads, tools=8, threads=True),
    }
)
