"""The `openai` SDK, as installed, given an address and a key."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from charye.server.admission import Door
from tests.conformance.house import UNION, House, house, in_time, speech

Event = Any  # the SDK builds its events without checking them

LONG = "One word more. " * 100


@asynccontextmanager
async def connected(host: House, key: str = "sk-any") -> AsyncIterator[AsyncRealtimeConnection]:
    """A connection that has met its session."""
    async with (
        openai.AsyncOpenAI(base_url=host.base_url, api_key=key) as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        created: Event = await connection.recv()
        assert created.type == "session.created"
        assert created.session.model == "gpt-realtime"
        yield connection


async def until(connection: AsyncRealtimeConnection, *kinds: str) -> list[Event]:
    """Read up to the last of these kinds, each met once more; everything that came."""
    events: list[Event] = []
    wanted = list(kinds)
    while wanted:
        # What is read as bytes is also what the published types must accept to the letter.
        data = await connection.recv_bytes()
        UNION.validate_json(data, strict=True)
        events.append(connection.parse_event(data))
        if events[-1].type in wanted:
            wanted.remove(events[-1].type)
    return events


async def write(connection: AsyncRealtimeConnection, text: str) -> str:
    """The user writes; gives the id of the item."""
    content: Any = [{"type": "input_text", "text": text}]
    await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    events = await until(connection, "conversation.item.done")
    return str(events[-1].item.id)


def of(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event.type == kind]


def joined(events: list[Event], kind: str) -> str:
    return "".join(event.delta for event in of(events, kind))


def test_text() -> None:
    async def story() -> None:
        async with (
            house("""answer = [{say = "Nice to meet you."}, {say = "You are Kim."}]""") as host,
            connected(host) as connection,
        ):
            await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            *_, updated = await until(connection, "session.updated")
            assert updated.session.output_modalities == ["text"]
            for said, answered in (("I am Kim.", "Nice to meet you."), ("Who am I?", "You are Kim.")):
                await write(connection, said)
                await connection.response.create()
                events = await until(connection, "response.done")
                assert joined(events, "response.output_text.delta") == answered
                assert events[-1].response.output[0].content[0].text == answered
                assert events[-1].response.usage.output_tokens > 0
            assert len(host.contexts[1].items) == 3

    in_time(story)


def test_audio() -> None:
    async def story() -> None:
        async with (
            house("""answer = [{say = "Good morning to you."}]""") as host,
            connected(host) as connection,
        ):
            await connection.response.create(response={"instructions": "Greet."})
            events = await until(connection, "response.done")
            pcm = b"".join(base64.b64decode(one.delta) for one in of(events, "response.output_audio.delta"))
            assert pcm == await speech("Good morning to you.")
            assert joined(events, "response.output_audio_transcript.delta") == "Good morning to you."
            assert host.contexts[0].instructions == "Greet."

    in_time(story)


def test_push_to_talk() -> None:
    async def story() -> None:
        async with (
            house(
                """answer = [{when = "weather", say = "It rains."}]""", hears="How is the weather?"
            ) as host,
            connected(host) as connection,
        ):
            audio: Any = {"input": {"turn_detection": None, "transcription": {"model": "gpt-4o-transcribe"}}}
            await connection.session.update(session={"type": "realtime", "audio": audio})
            *_, updated = await until(connection, "session.updated")
            assert updated.session.audio.input.turn_detection is None
            pcm = await speech("How is the weather?", quiet_ms=1000)
            for start in range(0, len(pcm), 4800):
                piece = base64.b64encode(pcm[start : start + 4800]).decode()
                await connection.input_audio_buffer.append(audio=piece)
            await connection.input_audio_buffer.commit()
            await connection.response.create()
            events = await until(
                connection, "conversation.item.input_audio_transcription.completed", "response.done"
            )
            (committed,) = of(events, "input_audio_buffer.committed")
            (written,) = of(events, "conversation.item.input_audio_transcription.completed")
            assert written.item_id == committed.item_id
            assert written.transcript == "How is the weather?"
            assert joined(events, "response.output_audio_transcript.delta") == "It rains."
            assert not of(events, "input_audio_buffer.speech_started")
            await connection.conversation.item.retrieve(item_id=committed.item_id)
            *_, retrieved = await until(connection, "conversation.item.retrieved")
            assert base64.b64decode(retrieved.item.content[0].audio) == pcm

    in_time(story)


def test_a_turn_by_voice_detection_is_answered_and_the_next_one_interrupts() -> None:
    async def story() -> None:
        script = f"""answer = [{{say = "{LONG}", words_per_s = 100}}, {{say = "Yes?"}}]"""
        async with house(script, hears="Tell me.") as host, connected(host) as connection:
            await connection.session.update(session={"type": "realtime"})
            *_, updated = await until(connection, "session.updated")
            assert updated.session.audio.input.turn_detection.interrupt_response is True
            turn = base64.b64encode(await speech("Tell me more", quiet_ms=1000)).decode()
            await connection.input_audio_buffer.append(audio=turn)
            events = await until(connection, "input_audio_buffer.committed", "response.output_audio.delta")
            delta = events[-1]
            await connection.input_audio_buffer.append(audio=turn)
            events = await until(connection, "input_audio_buffer.committed", "response.done", "response.done")
            first, second = of(events, "response.done")
            assert first.response.id == delta.response_id
            assert first.response.status == "cancelled"
            assert first.response.status_details.reason == "turn_detected"
            assert second.response.status == "completed"
            (started,) = of(events, "input_audio_buffer.speech_started")
            (committed,) = of(events, "input_audio_buffer.committed")
            assert started.item_id == committed.item_id

    in_time(story)


WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def test_a_function_call() -> None:
    async def story() -> None:
        script = """
            [[answer]]
            [[answer.call]]
            name = "get_weather"
            arguments = { city = "Seoul" }
            [[answer]]
            when = "rain"
            say = "Take an umbrella."
        """
        async with house(script) as host, connected(host) as connection:
            await connection.session.update(session={"type": "realtime", "tools": [WEATHER]})
            await until(connection, "session.updated")
            await write(connection, "How is the weather in Seoul?")
            await connection.response.create()
            events = await until(connection, "response.done")
            (arguments,) = of(events, "response.function_call_arguments.done")
            assert json.loads(arguments.arguments) == {"city": "Seoul"}
            assert joined(events, "response.function_call_arguments.delta") == arguments.arguments
            (call,) = events[-1].response.output
            assert (call.type, call.name, call.call_id) == ("function_call", "get_weather", arguments.call_id)
            await connection.conversation.item.create(
                item={"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
            )
            await connection.response.create()
            events = await until(connection, "response.done")
            assert joined(events, "response.output_audio_transcript.delta") == "Take an umbrella."
            assert host.contexts[0].tools[0] == host.all("session.updated")[0].session.tools[0]

    in_time(story)


def test_two_parallel_calls_beside_a_message() -> None:
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
            say = "Rain here, sun there."
        """
        async with house(script) as host, connected(host) as connection:
            await connection.session.update(session={"type": "realtime", "tools": [WEATHER]})
            await write(connection, "Seoul and Busan?")
            await connection.response.create()
            events = await until(connection, "response.done")
            calls = [item for item in events[-1].response.output if item.type == "function_call"]
            assert [json.loads(call.arguments)["city"] for call in calls] == ["Seoul", "Busan"]
            assert len({call.call_id for call in calls}) == 2
            by_item = {
                one.item_id: one.arguments for one in of(events, "response.function_call_arguments.done")
            }
            assert by_item == {call.id: call.arguments for call in calls}
            for call, output in zip(calls, ("rain", "sun"), strict=True):
                await connection.conversation.item.create(
                    item={"type": "function_call_output", "call_id": call.call_id, "output": output}
                )
            await connection.response.create()
            events = await until(connection, "response.done")
            assert events[-1].response.status == "completed"

    in_time(story)


def test_cancel_and_truncate() -> None:
    async def story() -> None:
        script = f"""answer = [{{say = "{LONG}", words_per_s = 100}}, {{say = "Sorry."}}]"""
        async with house(script) as host, connected(host) as connection:
            await connection.response.create()
            events = await until(connection, "response.output_audio.delta")
            await connection.response.cancel()
            events += await until(connection, "response.done")
            done = events[-1].response
            assert (done.status, done.status_details.reason) == ("cancelled", "client_cancelled")
            (item,) = done.output
            assert item.status == "incomplete"
            await connection.conversation.item.truncate(item_id=item.id, content_index=0, audio_end_ms=120)
            *_, truncated = await until(connection, "conversation.item.truncated")
            assert (truncated.item_id, truncated.audio_end_ms) == (item.id, 120)
            await connection.response.create()
            events = await until(connection, "response.done")
            assert events[-1].response.status == "completed"

    in_time(story)


def test_out_of_band_beside_a_response() -> None:
    async def story() -> None:
        script = f"""
            [[answer]]
            metadata = {{ topic = "mood" }}
            say = "cheerful"
            [[answer]]
            say = "{LONG}"
            words_per_s = 100
        """
        async with house(script) as host, connected(host) as connection:
            await write(connection, "Sing.")
            await connection.response.create()
            await until(connection, "response.output_audio.delta")
            await connection.response.create(
                response={
                    "conversation": "none",
                    "output_modalities": ["text"],
                    "metadata": {"topic": "mood"},
                    "input": [
                        {
                            "type": "message",
                            "role": "user",
                            "content": [{"type": "input_text", "text": "Mood?"}],
                        }
                    ],
                }
            )
            events = await until(connection, "response.done")
            aside = events[-1].response
            assert aside.metadata == {"topic": "mood"}
            assert aside.conversation_id is None
            assert aside.output[0].content[0].text == "cheerful"
            await connection.response.cancel()  # of the conversation: the other one is over anyway
            events = await until(connection, "response.done")
            assert events[-1].response.status == "cancelled"
            assert events[-1].response.conversation_id.startswith("conv_")

    in_time(story)


def test_a_refused_create() -> None:
    async def story() -> None:
        script = f"""answer = [{{say = "{LONG}", words_per_s = 100}}]"""
        code = "conversation_already_has_active_response"
        async with house(script, errors=[code]) as host, connected(host) as connection:
            await connection.response.create(event_id="first")
            await connection.response.create(event_id="second")
            events = await until(connection, "error")
            error = events[-1].error
            assert (error.event_id, error.code, error.type) == ("second", code, "invalid_request_error")
            assert [event.type for event in events].count("response.created") == 1
            await connection.response.cancel()
            events = await until(connection, "response.done")
            assert events[-1].response.status == "cancelled"

    in_time(story)


def test_a_client_secret() -> None:
    async def story() -> None:
        door = Door(api_keys=frozenset({"sk-house"}))
        async with (
            house("""answer = [{say = "Hello."}]""", door=door) as host,
            openai.AsyncOpenAI(base_url=host.base_url, api_key="sk-house") as client,
        ):
            secret = await client.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": 60},
                session={"type": "realtime", "model": "gpt-realtime", "instructions": "Be brief."},
            )
            assert secret.value.startswith("ek_")
            async with connected(host, key=secret.value) as connection:
                await connection.response.create()
                await until(connection, "response.done")
            assert host.contexts[0].instructions == "Be brief."

    in_time(story)


def test_handlers_and_messages_of_the_connection() -> None:
    """The other way to use the SDK: `on` and `dispatch_events`, which raises on an `error` nobody handles."""

    async def story() -> None:
        async with house("""answer = [{say = "Hello."}]""") as host, connected(host) as connection:
            words: list[str] = []
            connection.on("response.output_audio_transcript.delta", lambda event: words.append(event.delta))

            async def hang_up(event: Event) -> None:
                await connection.close()

            connection.on("response.done", hang_up)
            await connection.response.create()
            await connection.dispatch_events()
            assert "".join(words) == "Hello."

    in_time(story)
