"""Random walks: whatever clients, ears and minds do, in whatever order, the rule holds.

One in-band response at a time, one `response.done` for each, one error with its event id for each refused create,
never an exception, nothing left over. `CHARYE_WALKS` sets how many sequences are walked.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
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
from tests.server.bench import Bench, pcm

WALKS = int(os.environ.get("CHARYE_WALKS", "0")) or None

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

    def __init__(self, dialect: Dialect) -> None:
        bounds = Bounds(buffer_s=2, silence_s=1, kept_audio_s=1, items=20, out_of_band=3)
        self.bench = Bench(ServerSettings(dialect=dialect, bounds=bounds))
        self.dialect = dialect
        self.ids: list[str] = []
        self.heard_ms = 0
        self.refused: Counter[str | None] = Counter()
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
        in_band: set[str] = set()
        for event in self.bench.sent[len(self.ids) :]:
            self.ids.append(event.event_id or "")
        assert len(set(self.ids)) == len(self.ids)
        over: Counter[str] = Counter()
        for event in self.bench.sent:
            if isinstance(event, ResponseCreated) and event.response.conversation_id:
                in_band.add(str(event.response.id))
                assert len(in_band) == 1, "two responses in the conversation"
            elif isinstance(event, ResponseDone):
                over[str(event.response.id)] += 1
                in_band.discard(str(event.response.id))
        assert all(count == 1 for count in over.values())
        assert in_band == ({self.bench.peer.floor} if self.bench.peer.floor else set())

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


def more(test: Callable[..., None]) -> Callable[..., None]:
    return settings(max_examples=WALKS)(test) if WALKS else test


@pytest.mark.parametrize("dialect", [OPENAI, AZURE_PREVIEW, SUPERSEDES], ids=lambda dialect: dialect.name)
@more
@given(steps=STEPS)
def test_whatever_happens_the_rule_holds(dialect: Dialect, steps: list[Step]) -> None:
    walk = Walk(dialect)
    for verb, n in steps:
        walk.step(verb, n)
    walk.finish()
    in_order(walk.bench.sent)
