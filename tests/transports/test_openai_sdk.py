"""A connection that the `openai` SDK opened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import openai
import pytest

from charye.errors import AuthenticationFailed, CannotReopen, ConnectionLost, SessionExpired
from charye.protocol import AZURE, OPENAI
from charye.testing import offline_server
from charye.transports.base import Endpoint
from charye.transports.buffered import BufferedLine
from charye.transports.greeting import greet
from charye.transports.openai_sdk import OpenAISDK
from tests.transports.doors import KEY


def in_time(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await story()

    asyncio.run(main())


def test_a_conversation_over_a_connection_of_the_sdk() -> None:
    async def story() -> None:
        with offline_server() as server:
            client = openai.AsyncOpenAI(base_url=server.url, api_key=server.key)
            async with client, client.realtime.connect(model="gpt-realtime") as connection:
                endpoint = OpenAISDK(connection)
                assert isinstance(endpoint, Endpoint)
                assert (endpoint.name, endpoint.dialect) == ("openai-sdk", OPENAI)
                line = await endpoint.open()
                assert json.loads(await greet(line, patience_s=5))["type"] == "session.created"
                await line.send('{"type": "response.create", "response": {"instructions": "차례"}}'.encode())
                while json.loads(await line.receive())["type"] != "response.done":
                    pass
                await line.close()
                with pytest.raises(CannotReopen) as caught:
                    await endpoint.open()
                assert not caught.value.is_retryable
            (said,) = server.said_by_client("response.create")
            assert said["response"]["instructions"] == "차례"

    in_time(story)


def test_a_wrong_key_is_told_by_the_first_event() -> None:
    async def story() -> None:
        with offline_server() as server:
            client = openai.AsyncOpenAI(base_url=server.url, api_key=KEY)
            async with client, client.realtime.connect(model="gpt-realtime") as connection:
                line = await OpenAISDK(connection).open()
                with pytest.raises(AuthenticationFailed):
                    await greet(line, patience_s=5)

    in_time(story)


def test_an_expiry_has_its_error() -> None:
    async def story() -> None:
        with offline_server() as server:
            client = openai.AsyncOpenAI(base_url=server.url, api_key=server.key)
            async with client, client.realtime.connect(model="gpt-realtime") as connection:
                line = await OpenAISDK(connection).open()
                await greet(line, patience_s=5)
                await asyncio.to_thread(server.skip, 3600)
                await line.receive()
                with pytest.raises(SessionExpired):
                    await line.receive()
                await line.close()

    in_time(story)


class Stuck:
    """A connection that takes nothing and ends in an unknown way."""

    def __init__(self) -> None:
        self.closed: list[tuple[int, str]] = []

    async def recv_bytes(self) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    async def send_raw(self, data: bytes | str) -> None:
        await asyncio.Event().wait()

    async def close(self, *, code: int = 1000, reason: str = "") -> None:
        self.closed.append((code, reason))
        await asyncio.Event().wait()


def test_a_connection_that_takes_nothing_is_lost() -> None:
    async def story() -> None:
        connection = Stuck()
        line = await OpenAISDK(connection, stall_s=0.05, close_s=0.05, dialect=AZURE).open()
        await line.send(b"{}")
        with pytest.raises(ConnectionLost) as caught:
            await line.receive()
        assert (caught.value.close_code, caught.value.reason) == (1006, "the network takes nothing")
        await line.close()
        assert connection.closed == [(1001, "the network takes nothing")]

    in_time(story)


class DefectWire:
    """Not even the close works."""

    async def write(self, data: bytes) -> None:
        raise ZeroDivisionError

    async def read(self) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    async def hang_up(self, code: int, reason: str) -> None:
        raise ZeroDivisionError


def test_a_defect_of_a_wire_ends_the_line_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        line = BufferedLine(DefectWire(), max_unread_bytes=10, max_unsent_bytes=10, flush_s=1)
        await line.send(b"x")
        with pytest.raises(ConnectionLost) as caught:
            await line.receive()
        assert caught.value.close_code == 1006
        await line.close()

    in_time(story)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "a line broke",
        "a line did not close",
    ]


class Odd(Stuck):
    async def recv_bytes(self) -> bytes:
        raise ValueError(KEY)


def test_what_is_no_close_is_a_lost_connection() -> None:
    async def story() -> None:
        line = await OpenAISDK(Odd(), close_s=0.05).open()
        with pytest.raises(ConnectionLost) as caught:
            await line.receive()
        assert caught.value.close_code == 1006
        assert caught.value.__cause__ is None
        await line.close()

    in_time(story)
