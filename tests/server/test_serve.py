"""The server on loopback, with clients of others: the `openai` SDK, unpatched, and bare sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import openai
import pytest

from charye.protocol import audio_base64
from charye.server.admission import Door
from charye.server.minds import Echo, Script, Scripted
from charye.server.outgoing import Pace
from charye.server.parts import Audio, Text
from charye.server.serve import ServeSettings, serving
from charye.server.session import SessionParts
from charye.server.settings import ServerSettings
from charye.server.voice import ToneVoice
from tests.server.bench import pcm
from tests.server.test_session import Outputs, check_sent

Story = Callable[[], Awaitable[None]]


def in_time(story: Story) -> None:
    """Real sockets live in real time: a test that hangs fails."""

    async def main() -> None:
        async with asyncio.timeout(20):
            await story()

    asyncio.run(main())


@asynccontextmanager
async def server(mind: Any = None, **settings: Any) -> AsyncIterator[str]:
    """A server on a free port; gives the address with host and port only."""

    def parts() -> SessionParts:
        return SessionParts(mind=mind or Echo(), voice=ToneVoice())

    settings.setdefault("observe", check_sent)
    async with serving(parts, settings=ServeSettings(**settings)) as address:
        yield f"http://{address.host}:{address.port}"


@asynccontextmanager
async def socket(url: str, **options: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0, **options) as ws:
        yield ws


async def until(ws: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    while True:
        event: dict[str, Any] = await ws.receive_json()
        if event["type"] == kind:
            return event


def client(url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-test")


# the SDK


def test_the_openai_sdk_holds_a_conversation() -> None:
    async def story() -> None:
        async with (
            server() as url,
            client(url) as sdk,
            sdk.realtime.connect(model="gpt-realtime") as connection,
        ):
            assert (await connection.recv()).type == "session.created"
            await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            assert (await connection.recv()).type == "session.updated"
            content: Any = [{"type": "input_text", "text": "Say hello!"}]
            await connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": content}
            )
            await connection.response.create()
            words = ""
            async for event in connection:
                if event.type == "response.output_text.delta":
                    words += event.delta
                if event.type == "response.done":
                    break
            assert words == "Say hello!"

    in_time(story)


def test_the_openai_sdk_speaks_and_calls_and_is_refused() -> None:
    script = b"""
    [[answer]]
    say = "One moment."
    [[answer.call]]
    name = "look"
    arguments = { x = 1 }
    [[answer]]
    say = "Done."
    """

    async def story() -> None:
        mind = Scripted(Script.parse(script))
        async with server(mind) as url, client(url) as sdk, sdk.realtime.connect(model="m") as connection:
            await connection.response.create(event_id="c1")
            await connection.response.create(event_id="c2")
            kinds: list[str] = []
            async for event in connection:
                kinds.append(event.type)
                if event.type == "error":
                    assert event.error.event_id == "c2"
                    assert event.error.code == "conversation_already_has_active_response"
                if event.type == "response.function_call_arguments.done":
                    output: Any = {"type": "function_call_output", "call_id": event.call_id, "output": "1"}
                    await connection.conversation.item.create(item=output)
                if event.type == "response.done":
                    if kinds.count("response.done") == 2:
                        break
                    await connection.response.create()
            assert "response.output_audio.delta" in kinds
            assert kinds.count("response.created") == 2

    in_time(story)


@pytest.mark.parametrize("generation", ["realtime", "beta.realtime"])
def test_the_azure_sdk_speaks_the_preview(generation: str) -> None:
    async def story() -> None:
        async with server() as url:
            sdk = openai.AsyncAzureOpenAI(
                azure_endpoint=url,
                api_key="key",
                api_version="2025-04-01-preview",
                websocket_base_url=url.replace("http", "ws") + "/openai",
            )
            realtime: Any = sdk.beta.realtime if generation == "beta.realtime" else sdk.realtime
            async with sdk, realtime.connect(model="deployment") as connection:
                created: Any = await connection.recv()
                assert created.type == "session.created"
                assert created.session.model == "deployment"
                assert created.session.input_audio_format == "pcm16"
                await connection.response.create()
                kinds = []
                async for event in connection:
                    kinds.append(event.type)
                    if event.type == "response.done":
                        break
                assert "response.audio.delta" in kinds
                assert "conversation.item.created" in kinds

    in_time(story)


def test_a_client_secret_from_the_sdk_opens_a_session() -> None:
    async def story() -> None:
        door = Door(api_keys=frozenset({"sk-test"}))
        async with server(door=door) as url, client(url) as sdk:
            secret = await sdk.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": 60},
                session={
                    "type": "realtime",
                    "model": "gpt-realtime",
                    "audio": {"output": {"voice": "marin"}},
                },
            )
            assert secret.value.startswith("ek_")
            browser = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=secret.value)
            async with browser, browser.realtime.connect(model="gpt-realtime") as connection:
                created: Any = await connection.recv()
                assert created.session.audio.output.voice == "marin"

    in_time(story)


# the door


def test_a_browser_gets_the_subprotocol_it_offered_and_nobody_else_gets_one() -> None:
    async def story() -> None:
        async with server(door=Door(api_keys=frozenset({"k"}))) as url:
            offered = ("realtime", "openai-insecure-api-key.k")
            async with socket(f"{url}/v1/realtime", protocols=offered) as ws:
                assert ws.protocol == "realtime"
                assert (await ws.receive_json())["type"] == "session.created"
            async with socket(f"{url}/v1/realtime", headers={"api-key": "k"}) as ws:
                assert ws.protocol is None
                assert (await ws.receive_json())["type"] == "session.created"

    in_time(story)


def test_a_wrong_key_is_upgraded_told_and_closed_with_3000() -> None:
    async def story() -> None:
        async with (
            server(door=Door(api_keys=frozenset({"k"}))) as url,
            socket(f"{url}/v1/realtime?model=m", headers={"Authorization": "Bearer sk-wrong-1234"}) as ws,
        ):
            event = await ws.receive_json()
            assert event["error"]["code"] == "invalid_api_key"
            assert event["error"]["event_id"] is None
            closing = await ws.receive()
            assert (ws.close_code, closing.extra) == (3000, "invalid_request_error.invalid_api_key")

    in_time(story)


def test_the_beta_shape_is_closed_with_4000_where_it_is_disabled() -> None:
    async def story() -> None:
        headers = {"OpenAI-Beta": "realtime=v1"}
        async with (
            server(door=Door(refuse_beta=True)) as url,
            socket(f"{url}/v1/realtime", headers=headers) as ws,
        ):
            assert (await ws.receive_json())["error"]["code"] == "beta_api_shape_disabled"
            await ws.receive()
            assert ws.close_code == 4000

    in_time(story)


def test_a_template_that_is_no_session_turns_away() -> None:
    async def story() -> None:
        door = Door(
            template=ServerSettings(session={"type": "realtime", "output_modalities": ["text", "audio"]})
        )
        async with server(door=door) as url, socket(f"{url}/v1/realtime") as ws:
            assert (await ws.receive_json())["error"]["code"] == "invalid_value"

    in_time(story)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/realtime?call_id=rtc_x", 404),
        ("/openai/v1/realtime?model=d&api-version=x", 401),
        ("/v1/realtime?model=m", 426),
        ("/v1/nothing", 404),
    ],
)
def test_what_is_no_websocket_or_no_place_is_an_http_error(path: str, status: int) -> None:
    async def story() -> None:
        async with server() as url, aiohttp.ClientSession() as http, http.get(url + path) as reply:
            assert reply.status == status

    in_time(story)


def test_more_sessions_than_there_may_be_are_refused() -> None:
    async def story() -> None:
        async with server(max_sessions=1) as url:
            async with socket(f"{url}/v1/realtime") as ws:
                await ws.receive_json()
                with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                    async with socket(f"{url}/v1/realtime"):
                        pass
                assert caught.value.status == 503
            while True:  # the place is free again as soon as the server has seen the close
                try:
                    async with socket(f"{url}/v1/realtime") as ws:
                        await ws.receive_json()
                        break
                except aiohttp.WSServerHandshakeError:
                    await asyncio.sleep(0)

    in_time(story)


@pytest.mark.parametrize(
    ("body", "key", "status", "code"),
    [
        (b"{}", "wrong", 401, "invalid_api_key"),
        (b"nonsense", "k", 400, "invalid_json"),
        (b'{"expires_after": {"seconds": 1}}', "k", 400, "integer_below_min_value"),
        (b"", "k", 200, None),
    ],
)
def test_client_secrets_over_http(body: bytes, key: str, status: int, code: str | None) -> None:
    async def story() -> None:
        async with server(door=Door(api_keys=frozenset({"k"}))) as url, aiohttp.ClientSession() as http:
            headers = {"Authorization": f"Bearer {key}"}
            async with http.post(f"{url}/v1/realtime/client_secrets", data=body, headers=headers) as reply:
                assert reply.status == status
                answer = await reply.json()
                if code is None:
                    assert answer["session"]["object"] == "realtime.session"
                    assert answer["session"]["expires_at"] == 0
                else:
                    assert answer["error"]["code"] == code

    in_time(story)


def test_health_and_metrics() -> None:
    async def story() -> None:
        async with server() as url, aiohttp.ClientSession() as http, socket(f"{url}/v1/realtime") as ws:
            await ws.send_json({"type": "response.create"})
            await ws.send_json({"type": "nonsense"})
            await until(ws, "response.done")
            async with http.get(f"{url}/healthz") as reply:
                assert await reply.json() == {"status": "ok", "sessions": 1}
            async with http.get(f"{url}/metrics") as reply:
                text = await reply.text()
            assert "charye_sessions 1.0" in text
            assert 'charye_responses_total{status="completed"} 1.0' in text
            assert 'charye_errors_total{code="invalid_value"} 1.0' in text
            assert 'charye_sessions_opened_total{dialect="openai"} 1.0' in text

    in_time(story)


# the line


def test_compression_is_off_even_where_it_is_offered() -> None:
    async def story() -> None:
        async with server() as url, socket(f"{url}/v1/realtime", compress=15) as ws:
            assert ws.compress == 0
            message = await ws.receive()
            assert message.type is aiohttp.WSMsgType.TEXT

    in_time(story)


def test_pings_are_answered_and_cancels_read_while_a_response_is_generated() -> None:
    async def story() -> None:
        async with (
            server(Outputs(Text("One. "), 3600.0)) as url,
            socket(f"{url}/v1/realtime", autoping=False) as ws,
        ):
            await ws.send_json({"type": "response.create"})
            await until(ws, "response.output_audio.delta")
            await ws.ping(b"still there?")
            while (message := await ws.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"still there?")
            await ws.send_json({"type": "response.cancel"})
            done = await until(ws, "response.done")
            assert done["response"]["status"] == "cancelled"

    in_time(story)


def test_a_frame_that_is_too_large_is_closed_with_1009() -> None:
    async def story() -> None:
        async with server(max_frame_bytes=10_000) as url, socket(f"{url}/v1/realtime") as ws:
            await ws.receive_json()
            await ws.send_json({"type": "input_audio_buffer.append", "audio": audio_base64(pcm(1000))})
            message = await ws.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert ws.close_code == 1009

    in_time(story)


def test_a_binary_frame_is_answered_with_an_error_and_the_session_lives() -> None:
    async def story() -> None:
        async with server() as url, socket(f"{url}/v1/realtime") as ws:
            await ws.send_bytes(b"\x00\x01")
            assert (await until(ws, "error"))["error"]["code"] == "invalid_event"
            await ws.send_bytes(b'{"type":"response.create"}')
            await until(ws, "response.done")

    in_time(story)


def test_a_client_that_does_not_read_is_closed_and_others_are_served_meanwhile() -> None:
    async def story() -> None:
        mind = Outputs(*[Audio(pcm(1000))] * 400)  # far more than socket buffers hold
        pace = Pace(high_water_bytes=100_000, stall_s=0.5, close_s=0.2)
        async with server(mind, pace=pace) as url, aiohttp.ClientSession() as http:
            slow = await http.ws_connect(f"{url}/v1/realtime", max_msg_size=0)
            await slow.send_json({"type": "response.create"})
            connection = slow._conn
            assert connection is not None
            assert connection.transport is not None
            connection.transport.pause_reading()
            async with socket(f"{url}/v1/realtime") as ws:
                await ws.send_json({"type": "response.create", "response": {"output_modalities": ["text"]}})
                await until(ws, "response.done")
            while True:
                async with http.get(f"{url}/healthz") as reply:
                    if (await reply.json())["sessions"] == 0:
                        break
                await asyncio.sleep(0.02)

    in_time(story)


def test_leaving_closes_sessions_with_going_away() -> None:
    async def story() -> None:
        async with aiohttp.ClientSession() as http:
            async with server(Outputs(3600.0)) as url:
                ws = await http.ws_connect(f"{url}/v1/realtime")
                await ws.send_json({"type": "response.create"})
                await until(ws, "response.created")
                receiving = asyncio.ensure_future(ws.receive())
                await asyncio.sleep(0)
            message = await receiving
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert (message.data, message.extra) == (1001, "going away")

    in_time(story)


def test_a_session_that_expires_is_told_and_closed_with_1001() -> None:
    async def story() -> None:
        door = Door(template=ServerSettings(max_s=0.05))
        async with server(door=door) as url, socket(f"{url}/v1/realtime") as ws:
            event = await until(ws, "error")
            assert event["error"]["code"] == "session_expired"
            message = await ws.receive()
            assert message.data == 1001
            assert str(message.extra).startswith("Your session hit the maximum duration of ")

    in_time(story)


def test_with_a_seed_two_servers_make_the_same_ids() -> None:
    async def first_id() -> str:
        async with server(seed=3) as url, socket(f"{url}/v1/realtime") as ws:
            return str((await ws.receive_json())["session"]["id"])

    async def story() -> None:
        assert await first_id() == await first_id()
        assert json.dumps(await first_id()).startswith('"sess_')

    in_time(story)
