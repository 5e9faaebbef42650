"""Faults: each by its name, in a whole session on the virtual clock; chosen by text, seed, first event and query."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from charye.errors import ConfigurationError, ConnectionLost
from charye.protocol import audio_base64
from charye.server.clock import run_virtually
from charye.server.effects import Effect, Note
from charye.server.faulting.line import Heard
from charye.server.faults import FAULTS, SCENARIOS, Faults, catalogue
from charye.server.minds import Echo, Script, Scripted
from charye.server.parts import SpeechStarted, SpeechStopped, TranscriptDone
from charye.server.session import SessionParts, embedded
from charye.server.voice import ToneVoice
from tests.server.bench import pcm
from tests.server.test_session import Client, ScriptedEars

REFUSED = "conversation_already_has_active_response"
TOOLS = [
    {
        "type": "function",
        "name": name,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
    for name in ("get_weather", "get_time")
]
SLOW = b'[[answer]]\nsay = "One two three four five six seven eight nine ten."\nwords_per_s = 4\n'


@dataclass
class Bench(Client):
    """A client of a server with faults; what is on the wire is kept with its time."""

    heard: list[Heard] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def for_s(self, seconds: float) -> list[dict[str, Any]]:
        """What comes in that time."""
        before = len(self.received)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.next()
        except TimeoutError:
            return self.received[before:]

    async def session(self, **fields: Any) -> None:
        await self.say("session.update", session={"type": "realtime", **fields})
        await self.until("session.updated")

    async def ask(self, name: str = "ours", **response: Any) -> None:
        """A create that does not wait for its answer."""
        await self.say("response.create", event_id=name, response={"metadata": {"token": name}, **response})

    def struck(self) -> list[str]:
        return [note.removeprefix("fault ") for note in self.notes if note.startswith("fault ")]

    def at(self, kind: str) -> float:
        """When the client first had this."""
        return next(one.at for one in self.heard if one.mark == "<" and json.loads(one.data)["type"] == kind)


@asynccontextmanager
async def bench(
    faults: str = "", *, mind: Any = None, ears: Any = None, seed: int = 7
) -> AsyncIterator[Bench]:
    heard: list[Heard] = []
    notes: list[str] = []

    def observe(effect: Effect) -> None:
        if isinstance(effect, Note):
            notes.append(effect.what)

    parts = SessionParts(mind=mind or Echo(), voice=ToneVoice(), ears=ears)
    chosen = Faults.parse(faults, seed=seed)
    async with embedded(parts, faults=chosen, seed=seed, tap=heard.append, observe=observe) as end:
        one = Bench(end, heard=heard, notes=notes)
        await one.until("session.created")
        yield one


Story = Callable[[], Awaitable[None]]


def virtually(story: Story) -> None:
    async def main() -> None:
        await story()

    run_virtually(main())


def slow() -> Scripted:
    """A mind that takes two and a half seconds."""
    return Scripted(Script.parse(SLOW))


# who is created, who is refused


def test_vad_wins_exactly_while_a_create_is_in_flight() -> None:
    async def story() -> None:
        async with bench("vad_wins") as one:
            await one.ask()
            error = await one.until("error")
            assert (error["error"]["code"], error["error"]["event_id"]) == (REFUSED, "ours")
            assert one.kinds()[1:] == [
                "input_audio_buffer.speech_started",
                "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed",
                "conversation.item.added",
                "conversation.item.done",
                "response.created",
                "error",
            ]
            created = one.received[-2]["response"]
            assert created["metadata"] is None
            assert created["id"] in error["error"]["message"]
            assert (await one.until("response.done"))["response"]["id"] == created["id"]
            await one.ask("again")
            assert (await one.until("response.created"))["response"]["metadata"] == {"token": "again"}
            assert one.struck() == ["vad_wins"]

    virtually(story)


def test_without_voice_detection_somebody_else_wins() -> None:
    async def story() -> None:
        async with bench("vad_wins") as one:
            await one.session(audio={"input": {"turn_detection": None}})
            await one.ask()
            assert (await one.until("response.created"))["response"]["metadata"] is None
            assert (await one.until("error"))["error"]["event_id"] == "ours"
            assert "input_audio_buffer.speech_started" not in one.kinds()

    virtually(story)


def test_refused_after_done() -> None:
    async def story() -> None:
        async with bench("refused_after_done") as one:
            await one.ask()
            assert (await one.until("error"))["error"]["code"] == REFUSED
            assert one.kinds()[-2:] == ["response.done", "error"]

    virtually(story)


def test_refused_before_created() -> None:
    async def story() -> None:
        async with bench("refused_before_created") as one:
            await one.ask()
            await one.until("response.done")
            kinds = one.kinds()
            assert kinds.index("error") + 1 == kinds.index("response.created")

    virtually(story)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("null_id", ("invalid_request_error", REFUSED, None)),
        ("code_in_type", (REFUSED, None, "ours")),
        ("text_only", ("invalid_request_error", None, None)),
    ],
)
def test_an_anonymous_refusal(how: str, expected: tuple[str, str | None, str | None]) -> None:
    async def story() -> None:
        async with bench(f"anonymous_refusal:how={how}") as one:
            await one.ask()
            error = (await one.until("error"))["error"]
            assert (error["type"], error["code"], error["event_id"]) == expected
            assert error["message"].startswith("Conversation already has an active response")
            await one.until("response.done")
            await one.say("nonsense", event_id="n")  # other errors are as ever
            assert (await one.until("error"))["error"]["event_id"] == "n"

    virtually(story)


def test_refused_with_nobody_to_be_seen() -> None:
    async def story() -> None:
        async with bench("refused:nth=2") as one:
            await one.ask("first")
            await one.until("response.done")
            await one.ask("second")
            assert (await one.until("error"))["error"]["event_id"] == "second"
            await one.ask("third")
            await one.until("response.done")

    virtually(story)


def test_created_late_and_the_second_create_is_refused_before() -> None:
    async def story() -> None:
        async with bench("created_late:s=12") as one:
            await one.ask("first")
            assert [event["type"] for event in await one.for_s(10)] == ["rate_limits.updated"]
            await one.ask("second")  # the server was done long ago, so this one is accepted and overtakes
            created = await one.until("response.created")
            assert created["response"]["metadata"] == {"token": "second"}
            ghost = await one.until("response.created")
            assert ghost["response"]["metadata"] == {"token": "first"}
            assert one.at("response.created") < 12 <= one.now()

    virtually(story)


def test_created_late_of_a_long_answer_refuses_the_second_create() -> None:
    async def story() -> None:
        async with bench("created_late:s=12,long_answer:s=30") as one:
            await one.ask("first")
            assert await one.for_s(10) == []
            await one.ask("second")
            assert (await one.until("error"))["error"]["event_id"] == "second"
            assert (await one.until("response.created"))["response"]["metadata"] == {"token": "first"}
            await one.until("response.done")

    virtually(story)


def test_a_gap_before_the_servers_reply() -> None:
    async def story() -> None:
        ears = ScriptedEars(SpeechStarted(100), SpeechStopped(900), result=TranscriptDone("Hi."))
        async with bench("reply_gap:s=0.5", mind=slow(), ears=ears) as one:
            await one.say("input_audio_buffer.append", audio=audio_base64(pcm(1000)))
            await one.until("conversation.item.done")
            await one.ask()
            assert (await one.until("error"))["error"]["code"] == REFUSED
            assert "response.created" not in one.kinds()
            await one.until("response.created")
            assert one.now() == pytest.approx(0.5)

    virtually(story)


# cancel


def test_a_slow_cancel_refuses_what_comes_before_its_done() -> None:
    async def story() -> None:
        async with bench("slow_cancel:ms=500", mind=slow()) as one:
            await one.create()
            await one.for_s(1)
            await one.say("response.cancel")
            await one.ask()
            assert (await one.until("error"))["error"]["event_id"] == "ours"
            done = await one.until("response.done")
            assert done["response"]["status"] == "cancelled"
            assert one.now() == pytest.approx(1.5)
            await one.create()

    virtually(story)


def test_a_cancel_that_crosses_the_done() -> None:
    async def story() -> None:
        async with bench("crossed_cancel:ms=300", mind=slow()) as one:
            await one.create()
            await one.say("response.cancel", event_id="c")
            assert (await one.until("response.done"))["response"]["status"] == "completed"
            error = await one.until("error")
            assert (error["error"]["code"], error["error"]["event_id"]) == ("response_cancel_not_active", "c")

    virtually(story)


def test_a_crossed_cancel_without_id_hits_the_next_response() -> None:
    async def story() -> None:
        async with bench("crossed_cancel:ms=300", mind=slow()) as one:
            await one.create()
            await one.say("response.cancel")
            await one.until("response.done")
            await one.create()
            assert (await one.until("response.done"))["response"]["status"] == "cancelled"

    virtually(story)


# tools


def test_parallel_calls_of_the_sessions_own_tools() -> None:
    async def story() -> None:
        async with bench("parallel_calls:n=3") as one:
            await one.session(tools=TOOLS)
            await one.create()
            done = await one.until("response.done")
            calls = done["response"]["output"]
            assert [call["name"] for call in calls] == ["get_weather", "get_time", "get_weather"]
            assert len({call["call_id"] for call in calls}) == 3
            assert json.loads(calls[0]["arguments"]) == {"city": "x"}
            assert one.struck() == ["parallel_calls"]

    virtually(story)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("words_and_call", ["message", "function_call"]), ("tool_only", ["function_call"])],
)
def test_what_a_response_holds(fault: str, expected: list[str]) -> None:
    async def story() -> None:
        async with bench(fault) as one:
            await one.session(tools=TOOLS)
            await one.create()
            done = await one.until("response.done")
            assert [item["type"] for item in done["response"]["output"]] == expected
            assert ("response.output_audio.delta" in one.kinds()) is ("message" in expected)

    virtually(story)


def test_no_tools_no_calls() -> None:
    async def story() -> None:
        async with bench("parallel_calls,words_and_call,tool_only") as one:
            await one.create()
            (item,) = (await one.until("response.done"))["response"]["output"]
            assert item["type"] == "message"
            assert one.struck() == []

    virtually(story)


def test_the_user_barges_in_while_a_tool_runs() -> None:
    async def story() -> None:
        async with bench("tool_only,barge_in_on_tool:after_ms=100:for_ms=600") as one:
            await one.session(tools=TOOLS)
            await one.create()
            done = await one.until("response.done")
            began = one.now()
            await one.until("input_audio_buffer.speech_started")
            assert one.now() - began == pytest.approx(0.1)
            call = done["response"]["output"][0]
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": "12"}
            await one.say("conversation.item.create", item=output)
            await one.until("input_audio_buffer.speech_stopped")
            assert one.now() - began == pytest.approx(0.7)
            assert (await one.until("response.created"))["response"]["metadata"] is None

    virtually(story)


# hearing


def test_a_noise_turn_gets_no_response() -> None:
    async def story() -> None:
        async with bench("noise_turn:after_ms=200") as one:
            await one.create()
            await one.until("response.done")
            await one.until("input_audio_buffer.committed")
            kinds = [event["type"] for event in await one.for_s(30)]
            assert kinds == ["conversation.item.added", "conversation.item.done"]
            assert one.kinds()[-5:-2] == [
                "input_audio_buffer.speech_started",
                "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed",
            ]
            committed, added = one.received[-3], one.received[-2]
            assert committed["item_id"] == added["item"]["id"]
            assert committed["previous_item_id"] == added["previous_item_id"]
            await one.say("conversation.item.delete", item_id=added["item"]["id"])
            await one.until("conversation.item.deleted")

    virtually(story)


@pytest.mark.parametrize("accepted", [False, True])
def test_barge_in_when_all_is_generated_and_not_yet_heard(accepted: bool) -> None:
    async def story() -> None:
        async with bench(f"barge_in_after_done:after_ms=200:truncate={int(accepted)}") as one:
            await one.create()
            done = await one.until("response.done")
            await one.until("input_audio_buffer.speech_started")
            item_id = done["response"]["output"][0]["id"]
            await one.say(
                "conversation.item.truncate", event_id="t", item_id=item_id, content_index=0, audio_end_ms=100
            )
            if accepted:
                await one.until("conversation.item.truncated")
            else:
                error = (await one.until("error"))["error"]
                assert error["message"] == "Audio content of 15ms is already shorter than 100ms"
                assert error["event_id"] == "t"
            assert (await one.until("response.created"))["response"]["metadata"] is None

    virtually(story)


def test_a_truncate_is_refused_and_the_next_is_not() -> None:
    async def story() -> None:
        async with bench("truncate_refused") as one:
            await one.create()
            item_id = (await one.until("response.done"))["response"]["output"][0]["id"]
            truncate = {"item_id": item_id, "content_index": 0, "audio_end_ms": 100}
            await one.say("conversation.item.truncate", **truncate)
            await one.until("error")
            await one.say("conversation.item.truncate", **truncate)
            await one.until("conversation.item.truncated")

    virtually(story)


def test_a_response_beside_the_conversation_overtakes() -> None:
    async def story() -> None:
        async with bench("aside_first:s=2", mind=Echo("One. Two. Three.")) as one:
            main = (await one.create())["response"]["id"]
            aside = (await one.create(conversation="none"))["response"]["id"]
            assert (await one.until("response.done"))["response"]["id"] == aside
            of = [
                event.get("response_id")
                for event in one.received
                if event["type"] == "response.output_audio.delta"
            ]
            assert {main, aside} == set(of)
            assert (await one.until("response.done"))["response"]["id"] == main

    virtually(story)


def test_alone_it_waits_no_longer_than_it_should() -> None:
    async def story() -> None:
        async with bench("aside_first:s=2") as one:
            await one.create()
            await one.until("response.done")
            assert one.now() == pytest.approx(2)

    virtually(story)


# endings


def test_a_lost_done_and_the_floor_is_free_for_all_that() -> None:
    async def story() -> None:
        async with bench("lost_done") as one:
            first = await one.create()
            await one.for_s(60)
            assert "response.done" not in one.kinds()
            await one.create()
            assert (await one.until("response.done"))["response"]["id"] != first["response"]["id"]

    virtually(story)


def test_a_doubled_done() -> None:
    async def story() -> None:
        async with bench("doubled_done:ms=250") as one:
            await one.create()
            first = await one.until("response.done")
            assert await one.until("response.done") == first
            assert one.now() == pytest.approx(0.25)

    virtually(story)


def test_a_late_done_comes_behind_the_next_created() -> None:
    async def story() -> None:
        async with bench("late_done:ms=2000") as one:
            first = await one.create()
            await one.for_s(1)
            second = await one.create()
            dones = [(await one.until("response.done"))["response"]["id"] for _ in range(2)]
            assert dones == [second["response"]["id"], first["response"]["id"]]

    virtually(story)


def test_a_garbled_done_is_no_json() -> None:
    async def story() -> None:
        async with bench("garbled_done") as one:
            await one.create()
            with pytest.raises(json.JSONDecodeError):
                await one.until("response.done")
            await one.create()
            await one.until("response.done")

    virtually(story)


@pytest.mark.parametrize("fatal", [False, True])
def test_a_stray_error(fatal: bool) -> None:
    async def story() -> None:
        async with bench(f"stray_error:fatal={int(fatal)}") as one:
            await one.create()
            error = (await one.next())["error"]
            assert (error["type"], error["code"], error["event_id"]) == ("server_error", None, None)
            kinds = [event["type"] for event in await one.for_s(60)]
            assert ("response.done" in kinds) is not fatal
            await one.create()
            await one.until("response.done")

    virtually(story)


def test_a_stuck_response_holds_the_floor_until_it_is_cancelled() -> None:
    async def story() -> None:
        async with bench("stuck") as one:
            await one.create()
            await one.for_s(100)
            await one.ask()
            assert (await one.until("error"))["error"]["code"] == REFUSED
            await one.say("response.cancel")
            assert (await one.until("response.done"))["response"]["status"] == "cancelled"

    virtually(story)


def test_a_deaf_one_holds_it_for_ever() -> None:
    async def story() -> None:
        async with bench("stuck:deaf=1") as one:
            await one.create()
            await one.say("response.cancel")
            assert "response.done" not in [event["type"] for event in await one.for_s(600)]

    virtually(story)


def test_a_long_answer_is_healthy() -> None:
    async def story() -> None:
        async with bench("long_answer:s=90") as one:
            await one.create()
            assert (await one.until("response.done"))["response"]["status"] == "completed"
            assert one.now() == pytest.approx(90)

    virtually(story)


def test_a_response_that_fails() -> None:
    async def story() -> None:
        async with bench("failed_response:code=rate_limit_exceeded") as one:
            await one.create()
            response = (await one.until("response.done"))["response"]
            assert response["status"] == "failed"
            assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
            await one.create()
            assert (await one.until("response.done"))["response"]["status"] == "completed"

    virtually(story)


# promises not kept


def test_ids_null_code_in_type_text_only() -> None:
    async def refusal(fault: str) -> dict[str, Any]:
        async with bench(fault, mind=slow()) as one:
            await one.create()
            await one.ask()
            error: dict[str, Any] = (await one.until("error"))["error"]
            return error

    async def story() -> None:
        assert (await refusal("null_ids"))["event_id"] is None
        error = await refusal("code_in_type")
        assert (error["type"], error["code"], error["event_id"]) == (REFUSED, None, "ours")
        error = await refusal("text_only")
        assert (error["code"], error["message"]) == (None, "Conversation already has an active response")

    virtually(story)


def test_no_metadata_comes_back() -> None:
    async def story() -> None:
        async with bench("no_metadata") as one:
            await one.ask()
            assert (await one.until("response.created"))["response"]["metadata"] is None
            assert (await one.until("response.done"))["response"]["metadata"] is None

    virtually(story)


def test_a_create_supersedes() -> None:
    async def story() -> None:
        async with bench("supersede", mind=slow()) as one:
            await one.ask("first")
            await one.until("response.created")
            await one.ask("second")
            await one.ask("third")
            statuses = {}
            for _ in range(3):
                response = (await one.until("response.done"))["response"]
                statuses[response["metadata"]["token"]] = response["status"]
            assert statuses == {"first": "cancelled", "second": "cancelled", "third": "completed"}
            assert "error" not in one.kinds()

    virtually(story)


# the way between


def test_latency_and_jitter_keep_the_order() -> None:
    async def times(faults: str) -> tuple[list[str], list[float]]:
        async with bench(faults) as one:
            began = one.now()
            await one.create()
            await one.until("response.done")
            outs = [heard for heard in one.heard if heard.mark == "<"]
            assert one.at("response.created") - began >= 0.2
            return one.kinds(), [heard.at for heard in outs]

    async def plain() -> list[str]:
        async with bench() as one:
            await one.create()
            await one.until("response.done")
            return one.kinds()

    first = run_virtually(times("latency:out_ms=100:in_ms=100:jitter_ms=50"))
    again = run_virtually(times("latency:out_ms=100:in_ms=100:jitter_ms=50"))
    assert first == again
    assert first[1] == sorted(first[1])
    assert len(set(first[1])) == 3  # the session, what came at once, and what came a little later
    assert first[0] == run_virtually(plain())


def test_a_stall_and_then_all_of_it() -> None:
    async def story() -> None:
        async with bench("stall:nth=4:s=5") as one:
            await one.create()
            await one.until("response.done")
            assert one.now() == pytest.approx(5)
            assert sorted({heard.at for heard in one.heard if heard.mark == "<"}) == pytest.approx([0, 5])

    virtually(story)


def test_reordered_by_seed() -> None:
    async def kinds(faults: str, seed: int) -> list[str]:
        async with bench(faults, seed=seed) as one:
            await one.create()
            await one.for_s(5)
            return one.kinds()

    straight = run_virtually(kinds("", 1))
    mixed = run_virtually(kinds("reordered:chance=0.5", 1))
    assert mixed != straight
    assert sorted(mixed) == sorted(straight)
    assert mixed == run_virtually(kinds("reordered:chance=0.5", 1))
    assert mixed != run_virtually(kinds("reordered:chance=0.5", 2))


@pytest.mark.parametrize("seed", range(6))
def test_garbage_between_events(seed: int) -> None:
    async def story() -> None:
        async with bench("garbage:nth=2", seed=seed) as one:
            await one.say("response.create")
            await one.until("response.created")
            data = await one.end.receive()
            try:
                event = json.loads(data)
            except ValueError:
                event = None
            assert not isinstance(event, dict) or not isinstance(event.get("type"), str)
            await one.until("response.done")

    virtually(story)


@pytest.mark.parametrize("at", ["create", "created", "audio", "call", "speech", "any"])
def test_the_connection_drops_at_a_moment(at: str) -> None:
    async def story() -> None:
        more = {"call": ",tool_only", "speech": ",vad_wins"}.get(at, "")
        async with bench(f"drop:at={at}{more}") as one:
            if at == "call":
                await one.session(tools=TOOLS)
            await one.say("response.create")
            lost = await one.hang_up()
            assert lost.close_code == 1006
            last = {
                "create": "session.created",
                "created": "response.created",
                "audio": "response.output_audio.delta",
                "call": "response.function_call_arguments.done",
                "speech": "input_audio_buffer.speech_started",
            }
            assert one.kinds()[-1] == last.get(at, one.kinds()[-1])
            assert "drop" in one.struck()

    virtually(story)


def test_the_server_hangs_up_when_the_goodbye_is_generated() -> None:
    async def story() -> None:
        async with bench("hang_up:nth=2") as one:
            await one.create()
            await one.until("response.done")
            await one.create()
            lost = await one.hang_up()
            assert (lost.close_code, one.kinds()[-1]) == (1000, "response.done")

    virtually(story)


def test_a_cut_in_the_middle_of_a_frame() -> None:
    async def story() -> None:
        async with bench("cut:at_byte=4000") as one:
            await one.say("response.create")
            lost = await one.hang_up()
            assert lost.close_code == 1006
            sent = sum(len(heard.data) + 4 for heard in one.heard if heard.mark == "<")
            assert 0 < sent <= 4000

    virtually(story)


def test_half_closed_it_still_reads() -> None:
    async def story() -> None:
        async with bench("half_close:nth=3") as one:
            await one.say("response.create")
            lost = await one.hang_up()
            assert lost.close_code == 1006
            await one.say("response.cancel")
            await asyncio.sleep(1)
            assert one.heard[-1].mark == ">"
            assert len([heard for heard in one.heard if heard.mark == "<"]) == 3

    virtually(story)


def test_a_session_expires_when_it_is_told_to() -> None:
    async def story() -> None:
        async with bench("expiry:s=3600") as one:
            lost = await one.hang_up()
            assert one.received[-1]["error"]["code"] == "session_expired"
            assert lost.close_code == 1001
            assert lost.reason == "Your session hit the maximum duration of 60 minutes."
            assert one.now() == pytest.approx(3600)

    virtually(story)


def test_what_is_late_still_leaves_before_the_close() -> None:
    async def story() -> None:
        async with bench("latency:out_ms=1500,hang_up") as one:
            await one.say("response.create")
            await one.hang_up()
            assert one.kinds()[-1] == "response.done"

    virtually(story)


# choosing


def test_every_fault_is_described_and_each_scenario_is_one() -> None:
    entries = catalogue()
    assert [entry.name for entry in entries] == list(FAULTS)
    assert all(entry.about.endswith((".", ":")) and len(entry.about) < 220 for entry in entries)
    assert len(SCENARIOS) == 15
    assert list(SCENARIOS) == [entry.name for entry in entries][:15]


def test_the_text_of_a_choice_reads_the_same() -> None:
    chosen = Faults.parse(["lost_done:nth=2:chance=0.5", " latency:out_ms=50 ,drop:at=audio"], seed=3)
    assert chosen.text == "lost_done:nth=2:chance=0.5,latency:out_ms=50,drop:at=audio"
    assert Faults.parse(chosen.text, seed=3) == chosen
    assert not Faults.parse("")


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("no_such", "no_such"),
        ("lost_done:often=1", "often=1"),
        ("lost_done:nth=two", "nth=two"),
        ("lost_done:nth=-1", "nth=-1.0"),
        ("latency:out_ms=inf", "out_ms=inf"),
        ("latency:out_ms=nan", "out_ms=nan"),
        ("drop:at=noon", "at=noon"),
        ("anonymous_refusal:how=never", "how=never"),
    ],
)
def test_what_there_is_not_is_refused(text: str, option: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Faults.parse(text)
    assert caught.value.option == option


@pytest.mark.parametrize("name", FAULTS)
def test_the_same_seed_gives_the_same_session(name: str) -> None:
    async def course(seed: int) -> list[tuple[float, str, bytes]]:
        one: Bench | None = None
        try:
            async with bench(f"{name},latency:jitter_ms=20", mind=slow(), seed=seed) as one:
                await one.session(tools=TOOLS)
                for name_ in ("first", "second"):
                    await one.ask(name_)
                    await one.for_s(20)
                await one.say("response.cancel")
                await one.for_s(5)
        except (ConnectionLost, ValueError):
            pass
        assert one is not None
        # The time of day is in the session object.
        return [(heard.at, heard.mark, heard.data) for heard in one.heard if b"expires_at" not in heard.data]

    assert run_virtually(course(7)) == run_virtually(course(7))


def test_strikes_are_by_chance_and_the_chance_is_the_seeds() -> None:
    async def struck(seed: int) -> list[bool]:
        found = []
        async with bench("lost_done:times=0:chance=0.5", seed=seed) as one:
            for _ in range(12):
                before = len(one.struck())
                await one.create()
                await one.for_s(1)
                found.append(len(one.struck()) > before)
        return found

    first = run_virtually(struck(1))
    assert first == run_virtually(struck(1))
    assert first != run_virtually(struck(2))
    assert {True, False} == set(first)


def test_a_first_event_asks_for_faults() -> None:
    async def story() -> None:
        async with bench() as one:
            await one.say("charye.fault", fault="vad_wins", seed=9)
            await one.ask()
            assert (await one.until("error"))["error"]["event_id"] == "ours"
            assert "input_audio_buffer.speech_started" in one.kinds()

    virtually(story)


def test_a_first_event_that_asks_for_nonsense_is_told() -> None:
    async def story() -> None:
        async with bench() as one:
            await one.say("charye.fault", event_id="f", fault="no_such")
            error = (await one.until("error"))["error"]
            assert error["event_id"] == "f"
            assert "no_such" in error["message"]
            await one.create()
            await one.until("response.done")

    virtually(story)


def test_later_it_is_an_event_like_any_unknown_one() -> None:
    async def story() -> None:
        async with bench() as one:
            await one.session()
            await one.say("charye.fault", fault="lost_done")
            assert (await one.until("error"))["error"]["code"] == "invalid_value"

    virtually(story)


def test_strikes_are_logged_with_what_is_needed_to_have_them_again(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with bench("lost_done:nth=1", seed=42) as one:
            await one.user("my secret")
            await one.create()
            await one.for_s(5)

    with caplog.at_level("INFO", logger="charye.server.faulting.line"):
        virtually(story)
    on, strike = caplog.records
    assert (on.getMessage(), on.__dict__["faults"], on.__dict__["seed"]) == (
        "faults are on",
        "lost_done:nth=1",
        42,
    )
    assert strike.getMessage() == "a fault strikes"
    assert strike.__dict__["fault"] == "fault lost_done"
    assert strike.__dict__["about"].startswith("resp_")
    assert strike.__dict__["session_id"].startswith("sess_")
    assert "my secret" not in repr([record.__dict__ for record in caplog.records])


def test_ears_of_ones_own_go_on_hearing() -> None:
    async def story() -> None:
        ears = ScriptedEars(SpeechStarted(500), SpeechStopped(900), result=TranscriptDone("Hello."))
        async with bench("vad_wins", ears=ears) as one:
            await one.session(audio={"input": {"transcription": {"model": "whisper-1"}}})
            await one.ask()
            assert (await one.until("conversation.item.input_audio_transcription.completed"))[
                "transcript"
            ] == ""
            await one.until("response.done")
            await one.say("input_audio_buffer.append", audio=audio_base64(pcm(1000)))
            completed = "conversation.item.input_audio_transcription.completed"
            assert (await one.until(completed))["transcript"] == "Hello."
            await one.say("input_audio_buffer.clear")
            await one.until("input_audio_buffer.cleared")
            assert ears.forgot == 1

    virtually(story)


def test_an_hour_on_the_virtual_clock_is_no_wait() -> None:
    async def story() -> None:
        async with bench("latency:out_ms=10") as one:
            lost = await one.hang_up()
            assert (lost.close_code, one.received[-1]["error"]["code"]) == (1001, "session_expired")
            assert one.now() == pytest.approx(3600.01)

    virtually(story)
