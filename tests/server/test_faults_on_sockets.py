"""Faults where they touch bytes, and how a session on the network asks for them."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from charye.server.effects import Effect, Note
from charye.server.faulting.line import Heard
from charye.server.faults import Faults
from tests.server.test_serve import client, in_time, server, socket, until


async def drained(ws: aiohttp.ClientWebSocketResponse) -> list[str]:
    """What comes until the end."""
    kinds = []
    while (message := await ws.receive()).type is aiohttp.WSMsgType.TEXT:
        kinds.append(message.json()["type"])
    return kinds


@pytest.mark.parametrize("how", ["query", "server"])
def test_a_connection_is_cut_in_the_middle_of_a_frame(how: str) -> None:
    async def story() -> None:
        notes: list[str] = []

        def observe(effect: Effect) -> None:
            if isinstance(effect, Note):
                notes.append(effect.what)

        chosen = Faults.parse("cut:at_byte=3000") if how == "server" else Faults()
        query = "?fault=cut:at_byte=3000" if how == "query" else ""
        async with (
            server(faults=chosen, observe=observe) as url,
            socket(f"{url}/v1/realtime{query}") as ws,
        ):
            await ws.send_json({"type": "response.create"})
            kinds = await drained(ws)
            assert kinds[0] == "session.created"
            assert "response.done" not in kinds
            assert ws.close_code == 1006
            assert notes == ["fault cut"]

    in_time(story)


def test_exactly_that_many_bytes_leave() -> None:
    async def story() -> None:
        async with server() as url:
            host, port = url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                b"GET /v1/realtime?fault=cut:at_byte=100 HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            assert len(await reader.read()) == 100
            writer.close()

    in_time(story)


def test_a_half_closed_connection_still_reads() -> None:
    async def story() -> None:
        heard: list[Heard] = []
        read = asyncio.Event()

        def tap(one: Heard) -> None:
            heard.append(one)
            if one.mark == ">":
                read.set()

        async with server(tap=lambda _: tap) as url:
            host, port = url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                b"GET /v1/realtime?fault=half_close:nth=1 HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            assert b"session.created" in await reader.read()  # and then the end
            event = b'{"type":"response.create"}'
            writer.write(bytes((0x81, 0x80 | len(event), 0, 0, 0, 0)) + event)
            await read.wait()
            assert heard[-1].data == event
            writer.close()

    in_time(story)


def test_garbage_does_not_end_a_connection() -> None:
    async def story() -> None:
        async with server() as url, socket(f"{url}/v1/realtime?fault=garbage:nth=1&seed=1") as ws:
            await ws.receive()
            assert (await ws.receive()).type is aiohttp.WSMsgType.TEXT
            await ws.send_json({"type": "response.create"})
            await until(ws, "response.done")

    in_time(story)


@pytest.mark.parametrize(
    "query", ["fault=no_such", "fault=lost_done:nth=x", "fault=lost_done&seed=many", "fault=latency:out=1"]
)
def test_what_there_is_not_is_a_400(query: str) -> None:
    async def story() -> None:
        async with (
            server() as url,
            aiohttp.ClientSession() as http,
            http.get(f"{url}/v1/realtime?{query}") as reply,
        ):
            assert reply.status == 400
            assert (await reply.json())["error"]["code"] == "invalid_fault"

    in_time(story)


def test_several_by_query_and_the_same_seed_gives_the_same_ids() -> None:
    async def ids(url: str) -> list[str]:
        found = []
        async with socket(f"{url}/v1/realtime?fault=vad_wins&fault=null_ids,doubled_done&seed=7") as ws:
            await ws.send_json({"type": "response.create", "event_id": "ours"})
            while (event := await ws.receive_json())["type"] != "response.done":
                found.append(event["event_id"])
                assert event["type"] != "error" or event["error"]["event_id"] is None
            assert (await until(ws, "response.done"))["event_id"] == event["event_id"]
        return found

    async def story() -> None:
        async with server() as url:
            assert await ids(url) == await ids(url)

    in_time(story)


def test_a_server_may_give_no_faults_on_request() -> None:
    async def story() -> None:
        async with (
            server(faults_on_request=False) as url,
            socket(f"{url}/v1/realtime?fault=lost_done") as ws,
        ):
            await ws.send_json({"type": "charye.fault", "fault": "lost_done"})
            assert (await until(ws, "error"))["error"]["code"] == "invalid_value"
            await ws.send_json({"type": "response.create"})
            await until(ws, "response.done")

    in_time(story)


def test_a_session_may_ask_for_none_where_the_server_has_some() -> None:
    async def story() -> None:
        async with (
            server(faults=Faults.parse("refused")) as url,
            socket(f"{url}/v1/realtime?fault=") as ws,
        ):
            await ws.send_json({"type": "response.create"})
            await until(ws, "response.done")

    in_time(story)


def test_the_openai_sdk_meets_a_fault_by_query() -> None:
    async def story() -> None:
        async with server() as url, client(url) as sdk:
            query: Any = {"fault": "anonymous_refusal:how=text_only", "seed": "7"}
            async with sdk.realtime.connect(model="m", extra_query=query) as connection:
                await connection.response.create(event_id="ours")
                async for event in connection:
                    if event.type == "error":
                        assert event.error.code is None
                        assert event.error.event_id is None
                        break

    in_time(story)
