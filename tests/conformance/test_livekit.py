"""LiveKit Agents with its OpenAI plugin, as installed, given an address and a key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from charye.protocol import AZURE, AZURE_PREVIEW
from tests.conformance.house import House, house, ids, in_time, need, speech, told

need("livekit.plugins.openai", package="livekit-plugins-openai")

from livekit import rtc
from livekit.agents import Agent, AgentSession, ChatContext, function_tool
from livekit.plugins.openai.realtime import RealtimeModel

LONG = "One word more. " * 100


@asynccontextmanager
async def closing(model: Any) -> AsyncIterator[Any]:
    try:
        yield model
    finally:
        await model.aclose()


class Weatherman(Agent):
    def __init__(self, **options: Any) -> None:
        super().__init__(instructions="Be kind.", **options)
        self.asked: list[str] = []

    @function_tool
    async def get_weather(self, city: str) -> str:
        """The weather in a city.

        Args:
            city: its name.
        """
        self.asked.append(city)
        return f"rain in {city}"


@asynccontextmanager
async def talking(model: Any, agent: Any) -> AsyncIterator[Any]:
    """An agent at work, without a room. Its errors fail the test."""
    errors: list[Any] = []
    async with closing(model), AgentSession(llm=model) as session:
        session.on("error", errors.append)
        await session.start(agent, record=False)
        yield session
    assert errors == []


def openai_model(host: House, **options: Any) -> Any:
    return RealtimeModel(base_url=host.base_url, api_key="sk-any", **options)


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


def history(session: Any) -> list[tuple[str, str]]:
    """Who said what, by the agent's own history."""
    return [(item.role, item.text_content) for item in session.history.items if item.type == "message"]


def test_replies_and_a_tool() -> None:
    async def story() -> None:
        agent = Weatherman()
        async with house(WEATHER) as host, talking(openai_model(host), agent) as session:
            await session.generate_reply(instructions="Greet.")
            assert history(session) == [("assistant", "Hello.")]
            await session.generate_reply(user_input="How is the weather?")
            assert agent.asked == ["Seoul"]
            assert history(session)[-1] == ("assistant", "Take an umbrella.")
            first, second, third = host.contexts
            assert first.instructions == "Be kind.\nGreet."
            assert [getattr(tool, "name", "") for tool in second.tools] == ["get_weather"]
            assert [item.type for item in third.items][-3:] == [
                "message",
                "function_call",
                "function_call_output",
            ]

    in_time(story)


def test_what_an_agent_knows_already_is_told_to_the_server() -> None:
    async def story() -> None:
        known = ChatContext.empty()
        known.add_message(role="user", content="I am Kim.")
        known.add_message(role="assistant", content="Hello, Kim.")
        async with (
            house("""answer = [{say = "Welcome back."}]""") as host,
            talking(openai_model(host), Weatherman(chat_ctx=known)) as session,
        ):
            await session.generate_reply()
            assert told(host.contexts[0]) == [("user", "I am Kim."), ("assistant", "Hello, Kim.")]
            assert ids(host.contexts[0]) == [item.id for item in known.items]

    in_time(story)


def test_the_chat_context_is_kept_in_step() -> None:
    """Inserted first, in the middle and last, changed and removed: the server's order is the client's."""

    async def story() -> None:
        async with (
            house("""answer = [{say = "Hello."}]""") as host,
            closing(openai_model(host, modalities=["text"])) as model,
            closing(model.session()) as session,
        ):
            chat = ChatContext.empty()
            for number in (2, 4):
                chat.add_message(role="user", content=f"{number}", id=f"item_{number}", created_at=number)
            await session.update_chat_ctx(chat)
            for number, role in ((1, "system"), (3, "assistant"), (5, "user")):
                chat.add_message(role=role, content=f"{number}", id=f"item_{number}", created_at=number)
            await session.update_chat_ctx(chat)
            chat.items[1].content = ["two"]
            del chat.items[3]
            await session.update_chat_ctx(chat)
            assert [item.id for item in session.chat_ctx.items] == ["item_1", "item_2", "item_3", "item_5"]
            await said_by(await session.generate_reply())
            assert [words for _, words in told(host.contexts[0])] == ["1", "two", "3", "5"]
            assert ids(host.contexts[0]) == ["item_1", "item_2", "item_3", "item_5"]
            assert len(host.all("conversation.item.deleted")) == 2

    in_time(story)


async def said_by(generation: Any) -> str:
    """All words of a reply; its sound is read as well."""
    words = ""
    async for message in generation.message_stream:
        words += "".join([piece async for piece in message.text_stream])
        async for _ in message.audio_stream:
            pass
    async for _ in generation.function_stream:
        pass
    return words


def frame(pcm: bytes) -> Any:
    return rtc.AudioFrame(data=pcm, sample_rate=24_000, num_channels=1, samples_per_channel=len(pcm) // 2)


def test_a_spoken_turn_and_a_barge_in() -> None:
    async def story() -> None:
        script = f"""answer = [{{say = "{LONG}", words_per_s = 200}}, {{say = "Yes?"}}]"""
        async with (
            house(script, hears="Tell me.") as host,
            closing(openai_model(host)) as model,
            closing(model.session()) as session,
        ):
            generations: asyncio.Queue[Any] = asyncio.Queue()
            written: asyncio.Queue[Any] = asyncio.Queue()
            session.on("generation_created", generations.put_nowait)
            session.on("input_audio_transcription_completed", written.put_nowait)
            turn = frame(await speech("Tell me a story", quiet_ms=8000))  # semantic detection waits for long
            session.push_audio(turn)
            first = await generations.get()
            assert not first.user_initiated
            message = await anext(first.message_stream)
            assert await anext(message.audio_stream)
            while not (transcript := await written.get()).is_final:
                pass
            assert transcript.transcript == "Tell me."
            session.push_audio(turn)
            second = await generations.get()
            assert await said_by(second) == "Yes?"
            session.truncate(message_id=message.message_id, modalities=["audio"], audio_end_ms=40)
            await said_by(await session.generate_reply())  # by then the truncation is done
            assert host.all("conversation.item.truncated")[0].item_id == message.message_id
            assert host.all("response.done")[0].response.status == "cancelled"

    in_time(story)


def test_a_reply_is_interrupted() -> None:
    async def story() -> None:
        script = f"""answer = [{{say = "{LONG}", words_per_s = 100}}, {{say = "Yes?"}}]"""
        async with (
            house(script) as host,
            closing(openai_model(host)) as model,
            closing(model.session()) as session,
        ):
            generation = await session.generate_reply()
            assert generation.user_initiated
            message = await anext(generation.message_stream)
            assert await anext(message.text_stream)
            session.interrupt()
            async for _ in message.text_stream:
                pass
            assert await said_by(await session.generate_reply()) == "Yes?"
            assert [done.response.status for done in host.all("response.done")] == ["cancelled", "completed"]

    in_time(story)


def test_a_second_reply_at_once_is_refused() -> None:
    async def story() -> None:
        script = f"""answer = [{{say = "{LONG}", words_per_s = 100}}]"""
        code = "conversation_already_has_active_response"
        async with (
            house(script, errors=[code]) as host,
            closing(openai_model(host)) as model,
            closing(model.session()) as session,
        ):
            first, second = session.generate_reply(), session.generate_reply()
            generation = await first
            with pytest.raises(Exception, match="active response") as caught:
                await second
            assert getattr(caught.value, "code", "") == code
            session.interrupt()
            await said_by(generation)

    in_time(story)


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/openai/v1", {}),
        ("/openai", {"api_version": "2025-04-01-preview"}),
    ],
    ids=["ga", "preview"],
)
def test_azure(path: str, options: dict[str, Any]) -> None:
    async def story() -> None:
        dialect = AZURE_PREVIEW if options else AZURE
        agent = Weatherman()
        async with house(WEATHER, dialect=dialect) as host:
            model = RealtimeModel.with_azure(
                azure_deployment="gpt-4o-realtime-preview",
                base_url=host.origin + path,
                api_key="azure-key",
                **options,
            )
            async with talking(model, agent) as session:
                await session.generate_reply(user_input="How is the weather?")
                assert agent.asked == ["Seoul"]
                assert history(session)[-1] == ("assistant", "Take an umbrella.")

    in_time(story)
