"""Azure's addresses, through the `openai` SDK as installed.

/openai/realtime?api-version=&deployment=    the preview: `AzureOpenAI`, with `websocket_base_url` because the SDK
                                             connects with TLS else, whatever the endpoint says
/openai/v1/realtime?model=                   GA: `OpenAI` with that base, as Azure's own guide has it. `AzureOpenAI`
                                             cannot reach it: it always adds an `api-version`, and there is none
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from websockets.exceptions import InvalidStatus

from charye.protocol import AZURE, AZURE_PREVIEW
from charye.server.admission import Door
from tests.conformance.house import House, house, in_time

SCRIPT = """
    [[answer]]
    say = "Let me look."
    [[answer.call]]
    name = "get_weather"
    arguments = { city = "Seoul" }
    [[answer]]
    when = "rain"
    say = "Take an umbrella."
"""
DOOR = Door(api_keys=frozenset({"azure-key"}))
VERSION = "2025-04-01-preview"
# It may have any name, but the published types of the preview know only those of models.
DEPLOYMENT = "gpt-4o-realtime-preview"
TOOL: Any = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}


def preview_base(host: House) -> str:
    return f"{host.origin.replace('http', 'ws')}/openai"


def read(connection: Any, kind: str) -> list[Any]:
    """Events up to the first of this kind."""
    events = []
    for event in connection:
        events.append(event)
        if event.type == kind:
            break
    return events


def said(events: list[Any], kind: str) -> str:
    return "".join(event.delta for event in events if event.type == kind)


def hold_a_conversation(host: House) -> None:
    """What a user of the blocking client writes."""
    with (
        openai.AzureOpenAI(
            azure_endpoint=host.origin,
            websocket_base_url=preview_base(host),
            api_key="azure-key",
            api_version=VERSION,
        ) as client,
        client.realtime.connect(model=DEPLOYMENT) as connection,
    ):
        created: Any = connection.recv()
        assert created.type == "session.created"
        assert created.session.model == DEPLOYMENT
        session: Any = {
            "modalities": ["audio", "text"],
            "instructions": "Be brief.",
            "tools": [TOOL],
            "turn_detection": None,
            "input_audio_format": "pcm16",
        }
        connection.session.update(session=session)
        updated: Any = read(connection, "session.updated")[-1]
        assert updated.session.modalities == ["audio", "text"]
        content: Any = [{"type": "input_text", "text": "How is the weather?"}]
        connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        connection.response.create()
        events = read(connection, "response.done")
        assert "conversation.item.created" in {event.type for event in events}
        assert said(events, "response.audio_transcript.delta") == "Let me look."
        assert said(events, "response.audio.delta")
        call = events[-1].response.output[-1]
        assert json.loads(call.arguments) == {"city": "Seoul"}
        connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
        )
        connection.response.create()
        events = read(connection, "response.done")
        assert said(events, "response.audio_transcript.delta") == "Take an umbrella."


# The SDK connects in a way that websockets 17 warns about. Not ours to mend.
@pytest.mark.filterwarnings(r"ignore:connect\(\) must be used as a context manager:DeprecationWarning")
def test_the_preview_with_the_blocking_client() -> None:
    async def story() -> None:
        async with house(SCRIPT, dialect=AZURE_PREVIEW, door=DOOR) as host:
            # If it hangs, leaving the house closes its connection, and so its thread ends.
            await asyncio.to_thread(hold_a_conversation, host)
            assert host.contexts[0].instructions == "Be brief."

    in_time(story)


@pytest.mark.parametrize("generation", ["realtime", "beta.realtime"])
def test_the_preview_in_text_with_the_async_client(generation: str) -> None:
    async def story() -> None:
        async with (
            house("""answer = [{say = "Hello."}]""", dialect=AZURE_PREVIEW, door=DOOR) as host,
            openai.AsyncAzureOpenAI(
                azure_endpoint=host.origin,
                azure_deployment=DEPLOYMENT,
                websocket_base_url=preview_base(host),
                api_key="azure-key",
                api_version=VERSION,
            ) as client,
        ):
            realtime: Any = client.beta.realtime if generation == "beta.realtime" else client.realtime
            async with realtime.connect(model="another") as connection:
                created = await connection.recv()
                assert created.session.model == DEPLOYMENT
                await connection.session.update(session={"modalities": ["text"]})
                await connection.response.create()
                words = ""
                async for event in connection:
                    if event.type == "response.text.delta":
                        words += event.delta
                    if event.type == "response.done":
                        break
                assert words == "Hello."

    in_time(story)


def test_ga_with_the_plain_client() -> None:
    async def story() -> None:
        async with (
            house("""answer = [{say = "Hello."}]""", dialect=AZURE, door=DOOR) as host,
            openai.AsyncOpenAI(base_url=f"{host.origin}/openai/v1/", api_key="azure-key") as client,
            client.realtime.connect(model=DEPLOYMENT) as connection,
        ):
            created: Any = await connection.recv()
            assert created.session.model == DEPLOYMENT
            await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            await connection.response.create()
            words = ""
            async for event in connection:
                if event.type == "response.output_text.delta":
                    words += event.delta
                if event.type == "response.done":
                    break
            assert words == "Hello."
            secret = await client.realtime.client_secrets.create(session={"type": "realtime"})
            assert secret.value.startswith("ek_")

    in_time(story)


def test_ga_with_the_client_that_adds_an_api_version_is_refused_as_azure_does() -> None:
    async def story() -> None:
        async with (
            house("answer = []", dialect=AZURE, door=DOOR, visited=False) as host,
            openai.AsyncAzureOpenAI(
                azure_endpoint=host.origin,
                websocket_base_url=f"{preview_base(host)}/v1",
                api_key="azure-key",
                api_version=VERSION,
            ) as client,
        ):
            with pytest.raises(InvalidStatus) as caught:
                async with client.realtime.connect(model=DEPLOYMENT):
                    pass
            assert caught.value.response.status_code == 401

    in_time(story)
