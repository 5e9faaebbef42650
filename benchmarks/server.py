"""What the server can bear and how quick it is: `python -m benchmarks.server`.

The server is a process of its own on a core of its own; the clients are in this process, on the other cores. Loopback
only. The bounds are promises: exit status 1 says that one is missed. What is measured, and the latest figures:
docs/reference/benchmarks-server.md.
"""

import argparse
import asyncio
import json
import math
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass
from time import perf_counter

from benchmarks.callers import Phone, append, dialling, process, two_sides
from benchmarks.core import Row, machine, status, table
from benchmarks.timing import compare

__all__ = ["Effort", "main", "run"]

PARROT = ("-m", "benchmarks.server_process", "parrot")
BARE = ("-m", "benchmarks.server_process", "bare")
# What the command `charye` does, where it may not be installed. Its mind is an echo, its voice espeak-ng.
_CHARYE = "from charye.cli.main import main; main()"
SERVE = ("-c", _CHARYE, "serve", "--quiet", "--port", "0", "--voice", "espeak")
SENTENCE = "안녕하세요, 오늘 면접에 와 주셔서 정말 감사합니다."

MAX_DELAY_MS = 50.0
# Above it the clients, which share one core of theirs, are late themselves.
BUSY_CLIENT = 0.85


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work is done.

    Args:
        first_sessions, growth, stage_s: the ramp; each stage has so many times more sessions and is measured so long.
        max_sessions, ramp_s: where the ramp ends even if the server could go on.
        idle, active, active_s: sessions for their size, and how long the active ones stream.
        rounds, frames: of the comparison with a bare server; the fastest round of each side counts.
        starts, sentences: how often; the slowest counts.
    """

    first_sessions: int = 20
    growth: float = 1.15
    stage_s: float = 2.0
    max_sessions: int = 1_000
    ramp_s: float = 90.0
    idle: int = 200
    active: int = 50
    active_s: float = 5.0
    rounds: int = 12
    frames: int = 400
    starts: int = 5
    sentences: int = 30


FULL = Effort()
QUICK = Effort(
    first_sessions=1,
    stage_s=0.2,
    max_sessions=2,
    ramp_s=2.0,
    idle=2,
    active=2,
    active_s=0.2,
    rounds=1,
    frames=4,
    starts=1,
    sentences=1,
)


def sessions_on_a_core(effort: Effort, core: int) -> list[Row]:
    """1. How many sessions may stream both ways at once before one frame of a hundred is later than the bound."""

    async def measured(url: str, frame_ms: int) -> Row:
        async with dialling(url) as phone:
            found = await ramp(phone, effort, frame_ms)
        return Row(f"frames of {frame_ms} ms: sessions on one core{found.limit}", found.sessions, "")

    rows = []
    for frame_ms in (20, 100):
        with process(core, PARROT) as url:
            rows.append(asyncio.run(measured(url, frame_ms)))
    return rows


@dataclass(frozen=True, slots=True)
class Found:
    """What a ramp found. `limit`: empty if the server was what became too slow, else the figure is only a lower one."""

    sessions: int
    limit: str = ""


async def ramp(phone: Phone, effort: Effort, frame_ms: int) -> Found:
    """More and more sessions, until the delay is too long in two stages in a row: one may be somebody else's."""
    frame, every_s = append(frame_ms), frame_ms / 1000
    until = perf_counter() + effort.ramp_s
    sessions, held, late = 0, 0, 0
    wanted = float(effort.first_sessions)
    while perf_counter() < until:
        while sessions < wanted:
            await phone.stream(frame, every_s)
            sessions += 1
        await asyncio.sleep(max(effort.stage_s / 4, 2 * every_s))
        phone.delays_s.clear()
        cpu, began = time.process_time(), perf_counter()
        server_cpu = (await phone.usage()).cpu_s
        await asyncio.sleep(effort.stage_s)
        busy = (time.process_time() - cpu) / (perf_counter() - began)
        server_busy = ((await phone.usage()).cpu_s - server_cpu) / (perf_counter() - began)
        phone.check()
        delay_ms = percentile(phone.delays_s, 0.99) * 1000
        cores = f"the server's core {server_busy:.0%} busy, the clients' {busy:.0%}"
        print(f"{frame_ms} ms, {sessions} sessions: p99 {delay_ms:.1f} ms, {cores}", file=sys.stderr)
        if busy > BUSY_CLIENT:
            return Found(held, ", at least")
        if delay_ms <= MAX_DELAY_MS:
            held, late = sessions, 0
            if sessions >= effort.max_sessions:
                return Found(held, ", at least")
            wanted = min(max(wanted * effort.growth, wanted + 1), effort.max_sessions)
        elif (late := late + 1) == 2:
            return Found(held)
    return Found(held, ", at least")


def percentile(values: list[float], share: float) -> float:
    """The value that this share of them does not pass. Nothing came: infinite."""
    return sorted(values)[math.ceil(len(values) * share) - 1] if values else math.inf


def size_of_a_session(effort: Effort, core: int) -> list[Row]:
    """2. What the process grows by, divided by the sessions."""

    async def grown_kb(url: str, sessions: int, *, active: bool) -> float:
        async with dialling(url) as phone:
            await phone.idle()  # what only the first one costs
            before = (await phone.usage()).resident_kb
            if active:
                for _ in range(sessions):
                    await phone.stream(append(100), 0.1)
                await asyncio.sleep(effort.active_s)
                phone.check()
            else:
                for _ in range(sessions):
                    await phone.idle()
            return ((await phone.usage()).resident_kb - before) / sessions

    with process(core, PARROT) as url:
        idle_kb = asyncio.run(grown_kb(url, effort.idle, active=False))
    with process(core, PARROT) as url:
        active_kb = asyncio.run(grown_kb(url, effort.active, active=True))
    held_kb = effort.active_s * 48
    return [
        Row("memory of an idle session", idle_kb, "kB"),
        Row(f"memory of an active session, after {effort.active_s:g} s", active_kb, "kB"),
        Row("the same without the audio that it holds", active_kb - held_kb, "kB"),
    ]


def cost_of_an_event(effort: Effort, core: int) -> list[Row]:
    """3. CPU of the server for a frame in and a frame out, against aiohttp that only passes the same frame back."""
    rows = []
    for frame_ms in (20, 100):
        frame = append(frame_ms)
        with ExitStack() as stack:
            ours_url = stack.enter_context(process(core, PARROT))
            bare_url = stack.enter_context(process(core, BARE))
            runner = stack.enter_context(asyncio.Runner())
            ours = Line(runner, ours_url)
            bare = Line(runner, bare_url)
            stack.callback(ours.close)
            stack.callback(bare.close)
            runner.run(ours.caller.begin())
            runner.run(ours.caller.listen())

            def timed(
                line: Line, once: Callable[[bytes], Awaitable[None]], sent: bytes
            ) -> Callable[[], float]:
                return lambda: line.cpu_s(lambda: once(sent), effort.frames)

            cost = compare(
                timed(ours, ours.caller.say, frame),
                timed(bare, bare.caller.echo, frame),
                rounds=effort.rounds,
                units=2 * effort.frames,
            )
        name = f"CPU of an event, frames of {frame_ms} ms"
        rows.append(Row(name, cost.measured_us, "us", "a bare echo of aiohttp", cost.reference_us, bound=4.0))
    return rows


class Line:
    """One caller of one server, for work that is measured from outside of the loop."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        self._runner = runner
        self._open = AsyncExitStack()
        self._phone = runner.run(self._open.enter_async_context(dialling(url)))
        self.caller = runner.run(self._phone.dial())

    def cpu_s(self, work: Callable[[], Awaitable[None]], times: int) -> float:
        """What the server's process spends on so many of them, one after the other as they come in life."""

        async def spent() -> float:
            before = await self._phone.usage()
            for _ in range(times):
                await work()
            return (await self._phone.usage()).cpu_s - before.cpu_s

        return self._runner.run(spent())

    def close(self) -> None:
        self._runner.run(self._open.aclose())


def first_session(effort: Effort, core: int) -> list[Row]:
    """4. From the start of `charye serve` to the first `session.created`."""

    async def accepted(url: str) -> None:
        async with dialling(url) as phone:
            await phone.idle()

    def started_s() -> float:
        start = perf_counter()
        with process(core, SERVE) as url:
            asyncio.run(accepted(url))
            return perf_counter() - start

    slowest_ms = max(started_s() for _ in range(effort.starts)) * 1000
    return [Row("start of charye serve to the first accepted session", slowest_ms, "ms", bound=1500.0)]


def first_audio(effort: Effort, core: int) -> list[Row]:
    """5. From a create to the first audio of a Korean sentence."""

    async def measured(url: str) -> list[float]:
        async with dialling(url) as phone:
            caller = await phone.idle()
            return [await caller.first_audio_s(SENTENCE) for _ in range(effort.sentences)]

    with process(core, SERVE) as url:
        times_ms = [seconds * 1000 for seconds in asyncio.run(measured(url))]
    return [
        Row("first audio of a Korean sentence, median", statistics.median(times_ms), "ms"),
        Row("first audio of a Korean sentence, slowest", max(times_ms), "ms", bound=50.0),
    ]


BENCHMARKS: tuple[Callable[[Effort, int], list[Row]], ...] = (
    sessions_on_a_core,
    size_of_a_session,
    cost_of_an_event,
    first_session,
    first_audio,
)


def run(effort: Effort = FULL) -> list[Row]:
    """Every row, in order."""
    with two_sides() as core:
        return [row for benchmark in BENCHMARKS for row in benchmark(effort, core)]


def main(argv: list[str] | None = None) -> int:
    """Print the rows. Returns the exit status, which with `--quick` is always 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description="Measure the server.")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument(
        "--quick", action="store_true", help="only show that it runs; the figures mean nothing"
    )
    options = parser.parse_args(argv)
    rows = run(QUICK if options.quick else FULL)
    if options.json:
        measured = [asdict(row) | {"figure": row.figure, "passed": row.passed} for row in rows]
        print(json.dumps({"machine": machine(), "rows": measured}, indent=2))
    else:
        print(machine())
        print(table(rows))
    return 0 if options.quick else status(rows)


if __name__ == "__main__":
    sys.exit(main())
