"""Random walks: whatever clients, ears and minds do, in whatever order, the rule holds.

One in-band response at a time, one `response.done` for each, one error with its event id for each refused create,
never an exception, nothing left over. hypothesis finds the shortest sequence that breaks it. Numbers of sequences come
from a plain generator, ten times as fast: `CHARYE_WALKS=100000 uv run pytest tests/server/test_peer_walks.py -s`.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.protocol import (
    AZURE_PREVIEW,
    OPENAI,
    SUPERSEDES,
    Dialect,
    ErrorEvent,
    ResponseCreated,
    ResponseDone,
    ResponseError,
    ServerEvent,
)
from charye.server.parts import (
    Arguments,
    Audio,
    Call,
    CallEnd,
    Failed,
    Finished,
    MessageEnd,
    MindOutput,
    Text,
    TranscriptDone,
    TranscriptFailed,
)
from charye.server.settings import Bounds, ServerSettings
from tests.conftest import IN_CI
from tests.server.bench import Bench, fits, fits_preview, pcm

# About 2 ms of CPU each: a minute in CI, a few seconds at the desk.
WALKS = int(os.environ.get("CHARYE_WALKS", "0")) or (30_000 if IN_CI else 2_000)
# The interpreter's own tables move by a few hundred. One object kept of each walk would be many times that.
FLAT_BLOCKS = 2_000
DIALECT_CHOICES = (OPENAI, AZURE_PREVIEW, SUPERSEDES)

OUTPUTS: tuple[MindOutput, ...] = (
    Text("More words. "),
    Audio(pcm(60)),
    MessageEnd(),
    Call("a", "look"),
    Arguments("a", '{"x": 1}'),
    CallEnd("a"),
    Call("b", "look"),
    Finished(),
    Finished(incomplete="content_filter"),
    Failed(ResponseError("server_error", "server_error", "No.")),
)

CREATES: tuple[dict[str, Any], ...] = (
    {},
    {"metadata": {"token": "t"}},
    {"output_modalities": ["text"]},
    {"max_output_tokens": 3},
    {"conversation": "none"},
    {"conversation": "none", "input": [], "output_modalities": ["text"]},
)

DETECTIONS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"type": "server_vad", "idle_timeout_ms": 5000},
    {"type": "server_vad", "interrupt_response": False},
    {"type": "server_vad", "create_response": False},
    {"type": "semantic_vad"},
)

Step = tuple[str, int]
VERBS = (
    ["create"] * 3
    + ["cancel"] * 2
    + ["mind"] * 5
    + ["stopped"] * 2
    + ["append", "commit", "clear", "started", "ended", "transcribed"]
    + ["item", "output", "delete", "truncate", "retrieve"]
    + ["listen", "wait", "garbage"]
)
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 999)), max_size=60)


class Walk:
    """One client with its server, and what was promised so far."""

    def __init__(self, dialect: Dialect, *, max_s: float = 3600.0) -> None:
        bounds = Bounds(buffer_s=2, silence_s=1, kept_audio_s=1, items=20, out_of_band=3)
        self.bench = Bench(ServerSettings(dialect=dialect, bounds=bounds, max_s=max_s))
        self.dialect = dialect
        self.seen = 0
        self.ids: set[str | None] = set()
        self.in_band: set[str] = set()
        self.over: Counter[str] = Counter()
        self.heard_ms = 0
        self.creates = 0

    def step(self, verb: str, n: int) -> None:
        getattr(self, verb)(n)
        self.check()

    def pick(self, among: tuple[str, ...] | list[str], n: int) -> str | None:
        return among[n % len(among)] if among else None

    def create(self, n: int) -> None:
        event_id = f"c{self.creates}"
        self.creates += 1
        before = self.bench.peer.floor
        params = CREATES[n % len(CREATES)]
        events = self.bench.say("response.create", event_id=event_id, response=params)
        created = [event for event in events if isinstance(event, ResponseCreated)]
        errors = [event for event in events if isinstance(event, ErrorEvent)]
        assert len(created) + len(errors) == 1
        assert all(event.error.event_id == event_id for event in errors)
        if before and params.get("conversation") != "none" and not self.dialect.supersedes:
            assert errors, "a second response in the conversation"

    def cancel(self, n: int) -> None:
        target = self.pick([*self.bench.peer.responses, "resp_x", ""], n)
        self.bench.say("response.cancel", **({"response_id": target} if target else {}))

    def mind(self, n: int) -> None:
        if target := self.pick([started.response_id for started in self.bench.started[-4:]], n // 16):
            self.bench.mind(OUTPUTS[n % len(OUTPUTS)], to=target)

    def stopped(self, n: int) -> None:
        if self.bench.stopping:
            self.bench.stopped(self.bench.stopping.pop(0))

    def append(self, n: int) -> None:
        self.heard_ms += sum(len(pcm) for pcm in self.bench.heard_pcm) // 48
        self.bench.heard_pcm.clear()
        self.bench.append(n)

    def commit(self, n: int) -> None:
        self.bench.say("input_audio_buffer.commit")

    def clear(self, n: int) -> None:
        self.bench.say("input_audio_buffer.clear")

    def started(self, n: int) -> None:
        self.bench.heard(started=self.heard_ms + n)

    def ended(self, n: int) -> None:
        self.bench.heard(stopped=self.heard_ms + n)

    def item(self, n: int) -> None:
        place = self.pick([*self.bench.items(), "root", "nowhere"], n)
        content = [{"type": "input_text", "text": "x"}]
        item = {"type": "message", "role": "user", "content": content}
        self.bench.say("conversation.item.create", item=item, previous_item_id=place)

    def output(self, n: int) -> None:
        item = {"type": "function_call_output", "call_id": "call_x", "output": "x"}
        self.bench.say("conversation.item.create", item=item)

    def delete(self, n: int) -> None:
        self.bench.say("conversation.item.delete", item_id=self.pick(self.bench.items(), n) or "nothing")

    def retrieve(self, n: int) -> None:
        self.bench.say("conversation.item.retrieve", item_id=self.pick(self.bench.items(), n) or "nothing")

    def truncate(self, n: int) -> None:
        item_id = self.pick(self.bench.items(), n) or "nothing"
        more = {"content_index": 0, "audio_end_ms": n % 100}
        self.bench.say("conversation.item.truncate", item_id=item_id, **more)

    def listen(self, n: int) -> None:
        detection = DETECTIONS[n % len(DETECTIONS)]
        session: dict[str, Any] = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        if n % 7 == 0:
            session["audio"]["output"] = {"voice": "cedar"}
        if self.dialect is AZURE_PREVIEW:
            session = {"turn_detection": detection}
        self.bench.say("session.update", session=session)

    def wait(self, n: int) -> None:
        self.bench.wait(n / 100)

    def transcribed(self, n: int) -> None:
        if self.bench.transcribing:
            asked = self.bench.transcribing.pop(0)
            result = TranscriptDone("x") if n % 2 else TranscriptFailed(ResponseError())
            self.bench.transcribed(asked.item_id, result)

    def garbage(self, n: int) -> None:
        self.bench.say(bytes([n % 256]) * 3)

    def check(self) -> None:
        """What must hold after every step."""
        for event in self.bench.sent[self.seen :]:
            self.seen += 1
            self.ids.add(event.event_id)
            if isinstance(event, ResponseCreated) and event.response.conversation_id:
                self.in_band.add(str(event.response.id))
                assert len(self.in_band) == 1, "two responses in the conversation"
            elif isinstance(event, ResponseDone):
                self.over[str(event.response.id)] += 1
                assert self.over[str(event.response.id)] == 1, "two ends of a response"
                self.in_band.discard(str(event.response.id))
        assert len(self.ids) == self.seen, "an event id twice"
        assert self.in_band == ({self.bench.peer.floor} if self.bench.peer.floor else set())

    def finish(self) -> None:
        """Everything that runs comes to its end, and then nothing is left."""
        for response_id in self.bench.peer.responses:
            self.bench.mind(Finished(), to=response_id)
        for response_id in self.bench.peer.responses:  # a reply that had waited
            self.bench.mind(Finished(), to=response_id)
        self.check()
        created = {event.response.id for event in self.bench.sent if isinstance(event, ResponseCreated)}
        done = [event.response.id for event in self.bench.sent if isinstance(event, ResponseDone)]
        assert sorted(map(str, created)) == sorted(map(str, done))
        assert not self.bench.peer.responses

    def forget(self) -> None:
        """What the walk and its bench remember of the events; the peer remembers what it will."""
        bench = self.bench
        for kept in (bench.sent, bench.started, bench.stopping, bench.heard_pcm, bench.notes, bench.attuned):
            kept.clear()
        self.seen = 0
        self.ids.clear()
        self.over.clear()


def in_order(events: list[ServerEvent]) -> None:
    """Each item and part of a response opens before anything is in it, and closes once."""
    opened: Counter[tuple[str, str]] = Counter()
    for event in events:
        item_id = getattr(event, "item_id", None) or getattr(getattr(event, "item", None), "id", None)
        if event.type == "response.output_item.added":
            opened[str(item_id), "item"] += 1
        elif event.type == "response.output_item.done":
            opened[str(item_id), "item"] -= 1
            assert opened[str(item_id), "part"] == 0
        elif event.type == "response.content_part.added":
            assert opened[str(item_id), "item"] == 1
            opened[str(item_id), "part"] += 1
        elif event.type == "response.content_part.done":
            opened[str(item_id), "part"] -= 1
        elif event.type.startswith("response.output_") and event.type.endswith("delta"):
            assert opened[str(item_id), "part"] == 1
    assert not +opened


@pytest.mark.parametrize("dialect", DIALECT_CHOICES, ids=lambda dialect: dialect.name)
@given(steps=STEPS)
def test_whatever_happens_the_rule_holds(dialect: Dialect, steps: list[Step]) -> None:
    walk = Walk(dialect)
    for verb, n in steps:
        walk.step(verb, n)
    walk.finish()
    in_order(walk.bench.sent)


def test_so_does_it_in_any_number_of_sequences_and_memory_stays_flat() -> None:
    began, events = time.monotonic(), 0
    blocks_early, kb_early = 0, 0
    for seed in range(WALKS):
        try:
            events += walked(seed)
        except BaseException as error:
            error.add_note(f"in the walk of seed {seed}")
            raise
        if seed == WALKS // 10:
            blocks_early, kb_early = allocated_blocks(), resident_kb()
    blocks, kb = allocated_blocks(), resident_kb()
    print(f"\n{WALKS:,} sequences, {events:,} events sent, {time.monotonic() - began:.0f} s.")
    print(
        f"After a tenth of them {blocks_early:,} blocks and {kb_early:,} kB resident; now {blocks:,} and {kb:,}."
    )
    assert blocks - blocks_early < FLAT_BLOCKS


def test_memory_of_one_session_stays_flat_too() -> None:
    walk = Walk(OPENAI, max_s=1e9)
    chance = random.Random(1)
    blocks_early = 0
    for round_ in range(200):
        wander(walk, chance, 60)
        walk.finish()
        walk.forget()
        if round_ == 20:
            blocks_early = allocated_blocks()
    assert allocated_blocks() - blocks_early < FLAT_BLOCKS


def walked(seed: int) -> int:
    """One sequence; how many events were sent."""
    chance = random.Random(seed)
    walk = Walk(DIALECT_CHOICES[seed % len(DIALECT_CHOICES)])
    wander(walk, chance, chance.randint(0, 60))
    walk.finish()
    in_order(walk.bench.sent)
    return len(walk.bench.sent)


def wander(walk: Walk, chance: random.Random, steps: int) -> None:
    for _ in range(steps):
        walk.step(chance.choice(VERBS), chance.randrange(1000))


def allocated_blocks() -> int:
    """Memory blocks that the interpreter holds, without garbage and without what the bench remembers."""
    fits.cache_clear()
    fits_preview.cache_clear()
    gc.collect()
    return sys.getallocatedblocks()


def resident_kb() -> int:
    """Of this process; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1000
    except OSError:
        return 0
