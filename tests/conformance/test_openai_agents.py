"""The OpenAI Agents SDK, as installed, given an address and a key. It validates every event, and tells of a failure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.conformance.house import House, house, in_time, need, speech

need("agents.realtime", package="openai-agents")

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeModelSendRawMessage, RealtimeRunner

Event = Any
LONG = "One word more. " * 100


@function_tool
async def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: its name.
    """
    return f"rain in {city}"


@asynccontextmanager
async def running(host: House, *agents: RealtimeAgent[Any], **settings: Any) -> AsyncIterator[Any]:
    """A session of the first agent; others can be handed over to."""
    agent = agents[0] if agents else RealtimeAgent(name="Anna", instructions="Be kind.", tools=[get_weather])
    runner = RealtimeRunner(agent, config={"model_settings": settings} if settings else None)
    url = f"{host.websocket_url}?model=gpt-realtime-2.1"
    async with await runner.run(model_config={"url": url, "api_key": "sk-any"}) as session:
        yield session


async def listen(session: Any, until: Callable[[Event], bool]) -> list[Event]:
    """Events up to the one; an error fails the test."""
    events: list[Event] = []
    async for event in session:
        assert event.type != "error", event.error
        # What the model layer reports as an exception comes raw only.
        if event.type == "raw_model_event":
            assert event.data.type not in ("error", "exception"), event.data
        events.append(event)
        if until(event):
            return events
    raise AssertionError("the session ended")


def raw(kind: str) -> Callable[[Event], bool]:
    """It is this event of the server."""

    def found(event: Event) -> bool:
        if event.type != "raw_model_event" or event.data.type != "raw_server_event":
            return False
        return bool(event.data.data["type"] == kind)

    return found


def ends(times: int = 1) -> Callable[[Event], bool]:
    """The agent has ended its turn so often."""
    left = times

    def found(event: Event) -> bool:
        nonlocal left
        left -= event.type == "agent_end"
        return bool(left == 0)

    return found


def transcript(history: list[Any]) -> list[tuple[str, str]]:
    """Who said what."""
    told = []
    for item in history:
        if item.type == "message":
            words = [
                getattr(part, "transcript", None) or getattr(part, "text", None) for part in item.content
            ]
            told.append((item.role, " ".join(filter(None, words))))
    return told


WEATHER = """
    [[answer]]
    when = "weather"
    [[answer.call]]
    name = "get_weather"
    arguments = { city = "Seoul" }
    [[answer]]
    when = "rain in Seoul"
    say = "Take an umbrella."
    [[answer]]
    say = "Hello."
"""


def test_a_tool_and_then_small_talk() -> None:
    async def story() -> None:
        async with house(WEATHER) as host, running(host) as session:
            await session.send_message("How is the weather?")
            events = await listen(session, ends(2))  # the call, and the answer to its output
            kinds = [event.type for event in events]
            assert kinds.index("tool_start") < kinds.index("tool_end")
            assert b"".join(e.audio.data for e in events if e.type == "audio") == await speech(
                "Take an umbrella."
            )
            await session.send_message("Thank you.")
            await listen(session, ends())
            assert host.contexts[0].instructions == "Be kind."
            assert [getattr(tool, "name", "") for tool in host.contexts[0].tools] == ["get_weather"]
            assert [item.type for item in host.contexts[1].items] == [
                "message",
                "function_call",
                "function_call_output",
            ]
            assert host.all("session.updated"), "its settings were taken"

    in_time(story)


def test_two_tools_at_once() -> None:
    async def story() -> None:
        script = """
            [[answer]]
            say = "Let me look at both."
            parallel = true
            [[answer.call]]
            name = "get_weather"
            arguments = { city = "Seoul" }
            [[answer.call]]
            name = "get_weather"
            arguments = { city = "Busan" }
            [[answer]]
            say = "Rain in both."
        """
        # Each output may get a create of its own.
        async with house(f'after = "last"\n{script}') as host, running(host) as session:
            await session.send_message("Seoul and Busan?")
            events = await listen(session, lambda event: transcript_of(event).endswith("Rain in both."))
            outputs = sorted(event.output for event in events if event.type == "tool_end")
            assert outputs == ["rain in Busan", "rain in Seoul"]

    in_time(story)


def transcript_of(event: Event) -> str:
    """All that was said, when the history is told."""
    if event.type != "history_updated":
        return ""
    return " ".join(words for _, words in transcript(event.history))


def test_a_spoken_turn_and_a_barge_in() -> None:
    async def story() -> None:
        script = f"""
            [[answer]]
            say = "{LONG}"
            words_per_s = 200
            [[answer]]
            say = "Yes, please?"
        """
        async with house(script, hears="Tell me a story.") as host, running(host) as session:
            turn = await speech("Tell me a story", quiet_ms=8000)  # semantic detection waits for long
            await session.send_audio(turn)
            await listen(session, lambda event: event.type == "audio")
            await session.send_audio(turn)
            await listen(session, lambda event: event.type == "audio_interrupted")
            await listen(session, lambda event: "Yes, please?" in transcript_of(event))
            await host.until("response.done", times=2)
            first, second = host.all("response.done")
            assert first.response.status == "cancelled"
            assert second.response.status == "completed"
            await host.until("conversation.item.truncated")  # it tells how much was heard
            await host.until("conversation.item.retrieved")  # and asks what became of the item

    in_time(story)


def test_interrupting_by_hand() -> None:
    async def story() -> None:
        script = f"""answer = [{{say = "{LONG}", words_per_s = 100}}, {{say = "Yes?"}}]"""
        # With voice detection that interrupts by itself the SDK would leave the cancel to the server.
        async with house(script) as host, running(host, turn_detection=None) as session:
            await session.send_message("Tell me a story.")
            await listen(session, lambda event: event.type == "audio")
            await session.interrupt()
            await listen(session, raw("response.done"))
            await session.send_message("Stop!")
            await listen(session, lambda event: "Yes?" in transcript_of(event))
            await host.until("response.done", times=2)
            assert [done.response.status for done in host.all("response.done")] == ["cancelled", "completed"]

    in_time(story)


def test_push_to_talk() -> None:
    async def story() -> None:
        script = """answer = [{when = "weather", say = "It rains."}]"""
        async with (
            house(script, hears="How is the weather?") as host,
            running(host, turn_detection=None) as session,
        ):
            await session.send_audio(await speech("How is the weather?"), commit=True)
            create: Any = {"message": {"type": "response.create"}}
            await session.model.send_event(RealtimeModelSendRawMessage(**create))
            await listen(session, lambda event: transcript_of(event).endswith("It rains."))

    in_time(story)


def test_a_handoff() -> None:
    async def story() -> None:
        script = """
            [[answer]]
            [[answer.call]]
            name = "transfer_to_bert"
            arguments = {}
            [[answer]]
            say = "Bert here."
        """
        bert: RealtimeAgent[Any] = RealtimeAgent(name="Bert", instructions="Be Bert.")
        anna: RealtimeAgent[Any] = RealtimeAgent(name="Anna", instructions="Be Anna.", handoffs=[bert])
        async with house(script) as host, running(host, anna) as session:
            await session.send_message("Bert, please.")
            events = await listen(session, lambda event: "Bert here." in transcript_of(event))
            assert "handoff" in [event.type for event in events]
            # A handoff adds its own words to the instructions.
            assert [context.instructions.split(".")[0] for context in host.contexts] == ["Be Anna", "Be Bert"]

    in_time(story)
