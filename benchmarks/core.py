"""The cost of the codec and the core, against references measured in the same run: `python -m benchmarks.core`.

Ratios, not seconds, because they mean the same on every machine. The bounds are promises: exit status 1 says that
one is missed. What is measured, and the latest figures: docs/reference/benchmarks.md.
"""

import argparse
import gc
import json
import platform
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from os import cpu_count
from time import perf_counter

import msgspec

from benchmarks import material
from benchmarks.timing import compare, repeat
from charye.core.effects import Effect, RunTool, Send, Tell
from charye.core.peer import Peer
from charye.core.requests import Outcome, Priority, RequestId, ResponseRequest
from charye.core.settings import Settings
from charye.core.tools import Answer
from charye.protocol import InputText, MessageItem, ResponseCreate, ServerEvent, decode_server_event

__all__ = ["Effort", "Row", "main", "run", "status", "table"]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work is done. `rounds`: pairs of measurements, of which the fastest of each side count."""

    rounds: int = 60
    deltas: int = 500
    responses: int = 20
    peers: int = 50


FULL = Effort()
QUICK = Effort(rounds=2, deltas=10, responses=2, peers=2)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        measured: in `unit`; the reference too.
        bound: of `figure`; None: for information.
    """

    name: str
    measured: float
    unit: str
    against: str = ""
    reference: float | None = None
    bound: float | None = None

    @property
    def figure(self) -> float:
        """What the bound is about: the ratio, or the measure itself where there is no reference."""
        return self.measured if self.reference is None else self.measured / self.reference

    @property
    def passed(self) -> bool:
        return self.bound is None or self.figure <= self.bound


class Client:
    """The dullest shell: it performs nothing, and remembers the token of the create that was sent last."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.peer = Peer(settings)
        self.now = 0.0
        self.token = ""
        self.calls: list[str] = []
        self.ended = 0
        self.asked = 0
        self.heed(self.peer.connected(self.now))
        self.heed(self.peer.receive(decode_server_event(material.SESSION), self.now))

    def heed(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.event, ResponseCreate):
                self.token = effect.event.event_id or ""
            elif isinstance(effect, RunTool):
                self.calls.append(effect.call_id)
            elif isinstance(effect, Tell) and isinstance(effect.change, Outcome):
                self.ended += 1

    def ask(self) -> None:
        """One more request. Of all classes, and some with an expiry, so that every list of the line is in use."""
        self.asked += 1
        request = ResponseRequest(
            id=RequestId(f"request_{self.asked}"),
            trigger="benchmark",
            priority=Priority(self.asked % len(Priority)),
            expires_after_s=1e9 if self.asked % 4 == 0 else None,
        )
        self.heed(self.peer.request(request, self.now))

    def feed(self, raw: Sequence[bytes]) -> None:
        for data in raw:
            self.heed(self.peer.receive(decode_server_event(data), self.now))

    def hear_it_all(self) -> None:
        """So much time passes that everything generated so far has been heard."""
        self.now += 1.0
        self.heed(self.peer.tick(self.now))


class _TypeOnly(msgspec.Struct):
    type: str


def decode_audio(effort: Effort) -> list[Row]:
    """1. An audio delta is decoded at little more than the cost of finding its type."""
    data = material.audio_delta("resp_CjQfVnZsH0bT2vXc", "item_CjQfVnZsH0bT2vXc")
    look = msgspec.json.Decoder(_TypeOnly).decode
    cost = compare(
        repeat(lambda: decode_server_event(data), effort.deltas),
        repeat(lambda: look(data), effort.deltas),
        rounds=effort.rounds,
        units=effort.deltas,
    )
    name = f"decode an audio delta of {len(data) / 1000:.1f} kB"
    return [Row(name, cost.measured_us, "us", "msgspec, `type` only", cost.reference_us, bound=1.5)]


def receive_audio(effort: Effort) -> list[Row]:
    """2. To decide about an audio delta of the running response costs about what decoding it costs."""
    client = Client()
    client.ask()
    client.feed(material.reply("resp_1", client.token)[:5])
    data = material.audio_delta("resp_1", "item_resp_1")
    event = decode_server_event(data)
    peer = client.peer

    def decoded() -> None:
        client.now += 0.02  # five times as fast as it is spoken, as servers do
        peer.receive(event, client.now)

    def raw() -> None:
        client.now += 0.02
        peer.receive(decode_server_event(data), client.now)

    def units(work: Callable[[], None]) -> Row:
        reference = repeat(lambda: decode_server_event(data), effort.deltas)
        cost = compare(repeat(work, effort.deltas), reference, rounds=effort.rounds, units=effort.deltas)
        name = "receive an audio delta" if work is decoded else "decode and receive an audio delta"
        bound = 2.0 if work is decoded else None
        return Row(name, cost.measured_us, "us", "our decode", cost.reference_us, bound)

    return [units(decoded), units(raw)]


def whole_response(effort: Effort) -> list[Row]:
    """3. A whole response, from bytes to effects, against the mere parsing of its JSON."""
    client = Client()
    raw: list[list[bytes]] = []
    count = 0

    def ours() -> float:
        nonlocal count
        seconds = 0.0
        raw.clear()
        peer = client.peer
        for _ in range(effort.responses):
            count += 1
            client.ask()
            events = material.reply(f"resp_{count}", client.token)
            raw.append(events)
            start = perf_counter()
            for data in events:
                peer.receive(decode_server_event(data), client.now)
            seconds += perf_counter() - start
            client.hear_it_all()
        return seconds

    def theirs() -> float:
        seconds = 0.0
        for events in raw:
            start = perf_counter()
            for data in events:
                json.loads(data)
            seconds += perf_counter() - start
        return seconds

    cost = compare(ours, theirs, rounds=effort.rounds, units=effort.responses)
    assert client.ended == count, "every request was heard"
    name = f"a whole response of {9 + material.FRAMES} events"
    return [Row(name, cost.measured_us, "us", "json.loads of the same", cost.reference_us, bound=3.0)]


def long_line(effort: Effort, *, short: int = 10, long: int = 10_000) -> list[Row]:
    """4. A long line costs no more an event than a short one.

    A cycle is one response, its end, the sending of the next in the line, one more who joins it, a tick, and
    after each the question for the next deadline.
    """

    def in_line(waiting: int) -> Callable[[], float]:
        client = Client(Settings(max_waiting=2 * long))
        for _ in range(waiting + 1):
            client.ask()
        count = 0

        def timed() -> float:
            nonlocal count
            seconds = 0.0
            peer = client.peer
            for _ in range(effort.responses):
                count += 1
                events: list[ServerEvent] = [
                    decode_server_event(data) for data in material.reply(f"resp_{count}", client.token)
                ]
                start = perf_counter()
                for event in events:
                    client.heed(peer.receive(event, client.now))
                    peer.next_deadline(client.now)
                client.ask()
                client.hear_it_all()
                peer.next_deadline(client.now)
                seconds += perf_counter() - start
            return seconds

        return timed

    units = effort.responses * (11 + material.FRAMES)
    cost = compare(in_line(long), in_line(short), rounds=effort.rounds, units=units)
    return [
        Row(
            f"an event with {long:,} waiting",
            cost.measured_us,
            "us",
            f"{short} waiting",
            cost.reference_us,
            1.5,
        )
    ]


def size_of_a_session(effort: Effort) -> list[Row]:
    """5. What is given back when the state of a conversation is dropped.

    By tracemalloc, so it is what the interpreter had allocated for it, and neither classes nor shared settings.
    """
    settings = Settings()
    gc.collect()
    tracemalloc.start()
    try:
        peers = [typical_conversation(settings) for _ in range(effort.peers)]
        gc.collect()
        full, _ = tracemalloc.get_traced_memory()
        peers.clear()
        gc.collect()
        empty, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size_kb = (full - empty) / effort.peers / 1000
    return [Row("state of a session: 40 items, 10 responses, a tool round", size_kb, "kB", bound=50.0)]


def typical_conversation(settings: Settings) -> Peer:
    """Eight turns, a tool round of two responses, and notes of the app's up to forty items; now idle."""
    client = Client(settings)
    for turn in range(8):
        client.feed(material.user_turn(f"item_user_{turn}"))
        client.ask()
        client.feed(material.reply(f"resp_{turn}", client.token))
        client.hear_it_all()
    client.ask()
    client.feed(material.tool_call("resp_tool", client.token, "call_CjQfVnZsH0bT2vXc"))
    answer = Answer('{"sky": "clear", "temperature": 21}')
    client.heed(client.peer.tool_finished(client.calls[0], answer, client.now))
    client.feed(material.reply("resp_follow_up", client.token))
    client.hear_it_all()
    while len(client.peer.items) < 40:
        item = MessageItem(
            id=f"item_note_{len(client.peer.items)}", role="system", content=(InputText(text=material.WORDS),)
        )
        client.heed(client.peer.add_item(item, client.now))
    assert client.ended == 10
    return client.peer


BENCHMARKS: tuple[Callable[[Effort], list[Row]], ...] = (
    decode_audio,
    receive_audio,
    whole_response,
    long_line,
    size_of_a_session,
)


def run(effort: Effort = FULL) -> list[Row]:
    """Every row, in order."""
    return [row for benchmark in BENCHMARKS for row in benchmark(effort)]


def machine() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}, {cpu_count()} cores, {platform.machine()}"


def table(rows: list[Row]) -> str:
    lines = [f"{'':56} {'measured':>12} {'reference':>12}  {'':24} {'figure':>8} {'bound':>7}"]
    for row in rows:
        reference = "" if row.reference is None else f"{row.reference:.2f} {row.unit}"
        figure = f"{row.figure:.1f} {row.unit}" if row.reference is None else f"x{row.figure:.2f}"
        bound = "" if row.bound is None else f"{row.bound:g}"
        verdict = "" if row.bound is None else ("pass" if row.passed else "FAIL")
        measured = f"{row.measured:.2f} {row.unit}"
        lines.append(
            f"{row.name:56} {measured:>12} {reference:>12}  {row.against:24} {figure:>8} {bound:>7} {verdict}"
        )
    return "\n".join(lines)


def status(rows: list[Row]) -> int:
    """The exit status: 1 when a bound is missed."""
    return 0 if all(row.passed for row in rows) else 1


def main(argv: list[str] | None = None) -> int:
    """Print the rows. Returns the exit status, which with `--quick` is always 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.core", description="Measure the codec and the core."
    )
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
