"""What a session costs and how quick it is, against a bare client in the same run: `python -m benchmarks.session`.

Server and clients are processes of their own: the server on one core, the clients, one at work at a time, on the
others. Loopback only. The bounds are promises: exit status 1 says that one is missed. What is measured, and the latest
figures: docs/reference/benchmarks-session.md.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.request import urlopen

import msgspec

from benchmarks.callers import process, two_sides
from benchmarks.core import Row, machine, status, table
from benchmarks.server import percentile
from benchmarks.session_client import Answer, Command, Do
from benchmarks.session_server import THINKS_S, Took

__all__ = ["Effort", "main", "run"]

SERVER = ("-m", "benchmarks.session_server")
CLIENT = ("-m", "benchmarks.session_client")
_ROOT = Path(__file__).resolve().parent.parent
_PAUSE_MS = 20
"""Between two deltas of a voice. They hold 102 ms: five times as fast as it is spoken, as servers send it."""

_FILES = 4_096


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work is done.

    Args:
        at_once: things that are said at once. `gap_rounds`: so often, to a quick server.
        rounds: of the same to each kind of server, by us and by the bare client in turns; the fastest counts.
        voices, deltas: connections that hear a voice at the pace of life, and audio events for each of them.
        flood: audio events in one flood, on one connection.
        event_rounds: of each client; the median counts.
        idle: sessions at once. `traced`: as many for what Python allocates, which is slow to find out.
    """

    at_once: int = 50
    gap_rounds: int = 21
    rounds: int = 3
    voices: int = 20
    deltas: int = 10
    flood: int = 400
    event_rounds: int = 15
    idle: int = 1_000
    traced: int = 200


FULL = Effort()
QUICK = Effort(
    at_once=3, gap_rounds=1, rounds=1, voices=2, deltas=2, flood=4, event_rounds=1, idle=2, traced=2
)


class Client:
    """A client's process, waiting for commands."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self._child = child

    def do(self, what: Do, count: int = 1, url: str = "") -> Answer:
        """Let it do this, and wait for the answer. See `Command`."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        print(msgspec.json.encode(Command(what, count, url)).decode(), file=self._child.stdin, flush=True)
        line = self._child.stdout.readline()
        if not line:
            raise ChildProcessError(f"a client broke while it was to {what}")
        return msgspec.json.decode(line, type=Answer)


@contextmanager
def client(kind: str, *, loop: str = "asyncio") -> Iterator[Client]:
    """A client until the block is left; on the cores that this process has."""
    command = [sys.executable, *CLIENT, kind, loop]
    child = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Client(child)
    finally:
        try:
            child.communicate(timeout=30)
        finally:
            child.kill()  # of no effect on one that has ended


def gap(effort: Effort, core: int) -> list[Row]:
    """1. What the server sees: from a done, before it is written, until the next create is read."""
    ours_s: list[float] = []
    bare_s: list[float] = []
    with process(core, (*SERVER, "hasty")) as url, client("io-thread") as session, client("bare") as bare:
        for each in (session, bare):
            each.do("open", url=_realtime(url))
            _said(each, url, effort.at_once)
        for _ in range(effort.gap_rounds):
            ours_s += _said(session, url, effort.at_once)[1].gaps_s
            bare_s += _said(bare, url, effort.at_once)[1].gaps_s
    rows = []
    for name, gaps_s, bounds in (
        ("from a done to the next create", ours_s, (1.0, 5.0)),
        ("the same by aiohttp alone", bare_s, (None, None)),
    ):
        rows += [
            Row(f"{name}, median", statistics.median(gaps_s) * 1000, "ms", bound=bounds[0]),
            Row(f"{name}, 99 of 100", percentile(gaps_s, 0.99) * 1000, "ms", bound=bounds[1]),
        ]
    return rows


def all_at_once(effort: Effort, core: int) -> list[Row]:
    """2. From the first `say` until all is generated, against the times in which the server generates them."""
    rows = []
    for kind, bound in (("house", 1.05), ("hasty", None)):
        ours_s: list[float] = []
        perfect_s: list[float] = []
        with process(core, (*SERVER, kind)) as url, client("io-thread") as session, client("bare") as bare:
            session.do("open", url=_realtime(url))
            bare.do("open", url=_realtime(url))
            for _ in range(effort.rounds):
                ours_s.append(_said(session, url, effort.at_once)[0])
                perfect_s.append(sum(_said(bare, url, effort.at_once)[1].generated_s))
        name = f"{effort.at_once} `say` at once, {NAMES[kind]}"
        rows.append(Row(name, min(ours_s) * 1000, "ms", "one after the other", min(perfect_s) * 1000, bound))
    return rows


NAMES = {"house": f"{THINKS_S * 1000:.0f} ms of thought for each", "hasty": "no thought"}


def _said(speaker: Client, url: str, count: int) -> tuple[float, Took]:
    """So many things at once, by this client: how long it took, and what the server has noted."""
    seconds = speaker.do("say", count).value
    with urlopen(f"{url}/took") as answer:
        took = msgspec.json.decode(answer.read(), type=Took)
    assert len(took.generated_s) == count
    return seconds, took


@dataclass(frozen=True, slots=True)
class Contender:
    """A client whose events are counted. `bound`: at the pace of life, against the bare client on the same loop."""

    kind: str
    loop: str
    name: str = ""
    bound: float | None = None


CONTENDERS = (
    Contender("bare", "asyncio"),
    Contender("own-loop", "asyncio", "asyncio, no I/O thread", bound=2.0),
    Contender("io-thread", "asyncio", "asyncio, I/O thread", bound=2.0),
    Contender("audio", "asyncio", "the same, handed to the program"),
    Contender("bare", "uvloop"),
    Contender("own-loop", "uvloop", "uvloop, no I/O thread"),
    Contender("io-thread", "uvloop", "uvloop, I/O thread"),
)


def cost_of_an_event(effort: Effort, core: int) -> list[Row]:
    """3. Processor time of the client's whole process for an audio event, at the pace of life and in a flood."""
    with ExitStack() as stack:
        base = stack.enter_context(process(core, (*SERVER, "speaker")))
        clients = [(one, stack.enter_context(client(one.kind, loop=one.loop))) for one in CONTENDERS]
        life = _listened(
            effort, clients, _spoken(base, effort.deltas, _PAUSE_MS), effort.voices, effort.deltas
        )
        flood = _listened(effort, clients, _spoken(base, effort.flood, 0), 1, effort.flood)
    rows = []
    for pace, found in (("an audio event", life), ("in a flood", flood)):
        for one in CONTENDERS:
            if one.kind != "bare":
                bound = one.bound if found is life else None
                reference_us = found["bare", one.loop]
                name = f"{pace}: {one.name}"
                rows.append(Row(name, found[one.kind, one.loop], "us", "aiohttp alone", reference_us, bound))
    return rows


def _listened(
    effort: Effort, clients: list[tuple[Contender, Client]], url: str, voices: int, deltas: int
) -> dict[tuple[str, str], float]:
    """Microseconds an event, for each contender. They take turns, and the order is reversed each time.

    The median, not the fastest round: an event that comes alone finds the caches as others left them, and one lucky
    moment of one contender would decide.
    """
    found: dict[tuple[str, str], list[float]] = {(one.kind, one.loop): [] for one, _ in clients}
    for _, each in clients:
        each.do("open", voices, url)
        each.do("listen")
    for _ in range(effort.event_rounds):
        for one, each in clients:
            found[one.kind, one.loop].append(each.do("listen").value / (voices * deltas) * 1e6)
        clients.reverse()
    for _, each in clients:
        each.do("close")
    return {contender: statistics.median(costs_us) for contender, costs_us in found.items()}


def idle(effort: Effort, core: int) -> list[Row]:
    """4. What the process grows by, divided by the sessions; and what all of them need while nothing happens."""
    with process(core, (*SERVER, "hasty")) as base:
        url = _realtime(base)
        with client("io-thread") as sessions:
            resident_kb = _grown(sessions, url, effort.idle).value
            busy_ms = sessions.do("idle").value * 1000
        with client("bare") as bare:
            bare_kb = _grown(bare, url, effort.idle).value
        with client("io-thread") as traced:
            traced.do("trace")
            allocated_kb = _grown(traced, url, effort.traced).allocated_kb
    return [
        Row(f"one of {effort.idle:,} idle sessions", resident_kb, "kB"),
        Row("of it, allocated by Python", allocated_kb, "kB"),
        Row("an idle connection of aiohttp alone", bare_kb, "kB"),
        Row(f"processor time of {effort.idle:,} idle sessions, a second", busy_ms, "ms"),
    ]


def _grown(work: Client, url: str, count: int) -> Answer:
    """For one of so many. What only the first one costs is left out."""
    work.do("open", url=url)
    before = work.do("size")
    work.do("open", count, url)
    after = work.do("size")
    return Answer((after.value - before.value) / count, (after.allocated_kb - before.allocated_kb) / count)


def _realtime(base: str) -> str:
    return f"{base}/realtime?model=gpt-realtime"


def _spoken(base: str, deltas: int, pause_ms: int) -> str:
    return f"{base}/realtime?events={deltas}&pause_ms={pause_ms}"


@contextmanager
def _many_files() -> Iterator[None]:
    """A thousand connections are more than a process may usually have. Its children are allowed what it is."""
    usual, most = before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(usual, wanted), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


BENCHMARKS: Sequence[Callable[[Effort, int], list[Row]]] = (gap, all_at_once, cost_of_an_event, idle)


def run(effort: Effort = FULL) -> list[Row]:
    """Every row, in order."""
    with _many_files(), two_sides() as core:
        return [row for benchmark in BENCHMARKS for row in benchmark(effort, core)]


def main(argv: list[str] | None = None) -> int:
    """Print the rows. Returns the exit status, which with `--quick` is always 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.session", description="Measure a session.")
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
