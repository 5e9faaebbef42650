"""The WebSocket line: control frames, limits, a network that is dead, and what it costs the key."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from charye.errors import (
    AuthenticationFailed,
    CharyeError,
    ConnectionFailed,
    ConnectionLost,
    EndpointNotFound,
    QuotaExhausted,
    ServerUnavailable,
)
from charye.transports import dialling
from charye.transports.base import Line
from charye.transports.dialling import is_loopback
from charye.transports.endpoints import Azure, Compatible, OpenAI
from charye.transports.greeting import greet
from charye.transports.secret import Secret
from charye.transports.websocket import WebSocketSettings
from tests.transports.certificates import self_signed
from tests.transports.doors import CREATED, KEY, Desk, SocketEnd, door, refuses, says, silence, upgraded


def in_time(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await story()

    asyncio.run(main())


@asynccontextmanager
async def joined(**settings: Any) -> AsyncIterator[tuple[Line, SocketEnd]]:
    desk = Desk()
    async with door(desk.answer) as there:
        socket = WebSocketSettings(**{"close_s": 0.2, **settings})
        line = await Compatible(f"{there.url}/?k=v", api_key=KEY, socket=socket).open()
        try:
            yield line, await desk.next()
        finally:
            desk.close()
            await line.close()


async def until_lost(act: Callable[[], Awaitable[object]]) -> tuple[int | None, str]:
    while True:
        try:
            await act()
        except ConnectionLost as error:
            return error.close_code, error.reason


async def end_of(line: Line) -> tuple[int | None, str]:
    return await until_lost(line.receive)


# control frames


def test_a_ping_is_answered_although_nobody_receives() -> None:
    async def story() -> None:
        answered = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            socket = await upgraded(request, autoping=False)
            for _ in range(50):
                await socket.send_bytes(b"x" * 10_000)
            for ask in (b"are you", b"are you there?"):
                await socket.ping(ask)
            pong = await socket.receive()
            if pong.data != ask:  # the first may be answered as well; the newest must be
                pong = await socket.receive()
            assert (pong.type, bytes(pong.data)) == (WSMsgType.PONG, b"are you there?")
            answered.set()
            await socket.receive()
            return socket

        async with door(answer) as there:
            line = await Compatible(there.url).open()
            await answered.wait()
            assert [await line.receive() for _ in range(50)] == [b"x" * 10_000] * 50
            await line.close()

    in_time(story)


def test_a_binary_frame_is_handed_on_and_a_pong_is_none() -> None:
    async def story() -> None:
        async with joined() as (line, far):
            await far.socket.pong(b"unasked")
            await far.socket.send_bytes(b"\x00\xff")
            assert await line.receive() == b"\x00\xff"

    in_time(story)


def test_what_we_send_is_text() -> None:
    async def story() -> None:
        async with joined() as (line, far):
            await line.send("차례".encode())
            message = await far.socket.receive()
            assert (message.type, message.data) == (WSMsgType.TEXT, "차례".encode())

    in_time(story)


@pytest.mark.parametrize("answers", [True, False])
def test_a_heartbeat_tells_a_quiet_server_from_a_dead_one(answers: bool) -> None:
    async def story() -> None:
        pings = 0
        dead = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            nonlocal pings
            socket = await upgraded(request, autoping=False)
            async for message in socket:
                pings += message.type is WSMsgType.PING
                if answers:
                    await socket.pong(message.data)
                    if pings == 5:
                        await socket.send_str("still there")
            dead.set()
            return socket

        async with door(answer) as there:
            settings = WebSocketSettings(heartbeat_s=0.05, close_s=0.2)
            line = await Compatible(there.url, socket=settings).open()
            if answers:
                assert await line.receive() == b"still there"
            else:
                assert await end_of(line) == (1006, "no answer to a ping")
                await dead.wait()
            await line.close()

    in_time(story)


def test_a_full_inbox_is_no_silence() -> None:
    async def story() -> None:
        async with joined(heartbeat_s=0.05, max_unread_bytes=10) as (line, far):
            for _ in range(3):
                await far.send(b"0123456789")
            # Longer than the heartbeat would bear: nothing is heard, because nobody listens.
            with pytest.raises(TimeoutError):
                await far.socket.receive(timeout=0.3)
            assert [await line.receive() for _ in range(3)] == [b"0123456789"] * 3

    in_time(story)


# limits and losses


def test_a_message_beyond_the_limit_ends_the_line() -> None:
    async def story() -> None:
        async with joined(max_message_bytes=1000) as (line, far):
            await far.send(b"fits")
            await far.send(b"x" * 1001)
            assert await line.receive() == b"fits"
            assert (await end_of(line))[0] == 1009

    in_time(story)


def test_a_frame_against_the_rules_ends_the_line() -> None:
    async def story() -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            socket = await upgraded(request)
            assert request.transport is not None
            request.transport.write(b"\xff\x00")  # reserved bits, no such opcode
            await socket.receive()
            return socket

        async with door(answer) as there:
            line = await Compatible(there.url, socket=WebSocketSettings(close_s=0.2)).open()
            assert (await end_of(line))[0] == 1002
            await line.close()

    in_time(story)


def test_a_network_that_takes_nothing_loses_the_line() -> None:
    async def story() -> None:
        async with joined(stall_s=0.2, heartbeat_s=None) as (line, _):
            end = await until_lost(lambda: line.send(b"x" * 100_000))
            assert end == (1006, "the network takes nothing")
            assert await end_of(line) == (1006, "the network takes nothing")

    in_time(story)


@asynccontextmanager
async def slow(port: int, *, chunk_bytes: int, every_s: float) -> AsyncIterator[str]:
    """A network that takes so much at a time of what the client sends."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause_s: float) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(chunk_bytes):
                writer.write(data)
                await asyncio.sleep(pause_s)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    carrying: list[asyncio.Future[tuple[None, None]]] = []

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        carrying.append(asyncio.gather(carry(reader, back, every_s), carry(there, writer, 0)))
        await carrying[-1]

    listening = sockets.socket()
    # The kernel's own buffer would take megabytes at once, and then nothing for a while.
    listening.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 64 * 1024)
    listening.bind(("127.0.0.1", 0))
    async with await asyncio.start_server(join, sock=listening, limit=chunk_bytes):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        await asyncio.gather(*carrying)


def test_a_slow_network_is_not_taken_for_a_dead_one() -> None:
    async def story() -> None:
        desk = Desk()
        data = b"x" * 16_000_000
        began = asyncio.get_running_loop().time()
        async with door(desk.answer) as there, slow(there.port, chunk_bytes=100_000, every_s=0.01) as url:
            settings = WebSocketSettings(stall_s=0.5, heartbeat_s=None, close_s=0.5)
            line = await Compatible(url, socket=settings).open()
            far = await desk.next()
            await line.send(data)
            assert await far.receive() == data
            assert asyncio.get_running_loop().time() - began > 2 * settings.stall_s  # or it shows nothing
            desk.close()
            await line.close()

    in_time(story)


def test_without_a_status_a_close_is_1005() -> None:
    async def story() -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            socket = await upgraded(request)
            assert request.transport is not None
            request.transport.write(b"\x88\x00")  # a close frame without a body: RFC 6455, 5.5.1
            await socket.receive()
            return socket

        async with door(answer) as there:
            line = await Compatible(there.url).open()
            assert await end_of(line) == (1005, "")
            await line.close()

    in_time(story)


def test_a_long_reason_is_cut_to_whole_characters() -> None:
    async def story() -> None:
        async with joined() as (line, far):
            closing = asyncio.ensure_future(line.close(1000, "차" * 100))
            with pytest.raises(ConnectionLost) as caught:
                await far.receive()
            await closing
            assert caught.value.reason == "차" * 41  # of 3 bytes each; 123 fit

    in_time(story)


# the key


def test_a_redirect_is_not_followed() -> None:
    async def story() -> None:
        async with door(says(CREATED)) as other:

            async def elsewhere(_: web.Request) -> web.StreamResponse:
                raise web.HTTPTemporaryRedirect(f"{other.url}/openai/v1/realtime")

            async with door(elsewhere) as there:
                with pytest.raises(EndpointNotFound):
                    await Azure(endpoint=there.url, deployment="d", api_key=KEY).open()
                assert len(there.knocks) == 1
                assert not other.knocks  # which would have had the key

    in_time(story)


def test_a_reason_that_repeats_the_key_is_not_shown() -> None:
    async def story() -> None:
        async with door(says(CREATED, close=(4000, f"no such key: {KEY}"))) as there:
            line = await OpenAI(api_key=KEY, base_url=there.url).open()
            assert await greet(line, patience_s=5) == CREATED
            assert await end_of(line) == (4000, "no such key: ***")
            await line.close()

    in_time(story)


def test_a_code_that_repeats_the_key_is_not_shown() -> None:
    async def story() -> None:
        async with door(refuses(400, f'{{"error": {{"code": "key {KEY}"}}}}')) as there:
            with pytest.raises(ConnectionFailed) as caught:
                await OpenAI(api_key=KEY, base_url=there.url).open()
            assert caught.value.code == "key ***"

    in_time(story)


# TLS, proxies, cancelling


def test_a_closed_line_has_no_tasks() -> None:
    def ours() -> set[str]:
        return {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("charye-")}

    async def story() -> None:
        async with joined() as (line, _):
            assert ours() == {"charye-line-reader", "charye-line-writer", "charye-heartbeat"}
            await line.close()
            assert ours() == set()

    in_time(story)


def test_a_company_may_have_its_own_authority(tmp_path: Path) -> None:
    async def story() -> None:
        server, trusting = self_signed(tmp_path)
        async with door(says(CREATED), tls=server) as there:
            settings = WebSocketSettings(tls=trusting, close_s=0.2)
            line = await OpenAI(api_key=KEY, base_url=f"{there.url}/v1", socket=settings).open()
            assert await greet(line, patience_s=5) == CREATED
            await line.close()

    in_time(story)


@pytest.mark.parametrize("environment", [True, False])
def test_a_proxy_is_used(environment: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with door(says(CREATED)) as proxy:
            proxied = None if environment else Secret(proxy.url)
            if environment:
                monkeypatch.setenv("http_proxy", proxy.url)
                monkeypatch.setenv("no_proxy", "")
            settings = WebSocketSettings(proxy=proxied, allow_insecure=True, close_s=0.2)
            line = await Compatible("ws://realtime.invalid/v1", socket=settings).open()
            assert await greet(line, patience_s=5) == CREATED
            await line.close()
            assert proxy.knock.headers["Host"] == "realtime.invalid"

    in_time(story)


def test_a_refusal_in_two_packets_is_read_whole() -> None:
    async def story() -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(status=429)
            await response.prepare(request)
            await response.write(b'{"error": {"code": "insuff')
            await asyncio.sleep(0.05)  # or the kernel joins the two
            await response.write(b'icient_quota"}}')
            return response

        async with door(answer) as there:
            with pytest.raises(QuotaExhausted):
                await OpenAI(api_key=KEY, base_url=there.url).open()

    in_time(story)


@pytest.mark.parametrize("body", ["[]", '{"error": "insufficient_quota"}', '{"error": {"code": 7}}', "\xff"])
def test_a_refusal_may_say_anything(body: str) -> None:
    async def story() -> None:
        async with door(refuses(429, body)) as there:
            with pytest.raises(ServerUnavailable) as caught:
                await OpenAI(api_key=KEY, base_url=there.url).open()
            assert caught.value.code is None

    in_time(story)


def test_a_refusal_whose_rest_never_comes_is_one_all_the_same() -> None:
    async def story() -> None:
        go = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(status=401)
            await response.prepare(request)
            await response.write(b'{"error":')
            await go.wait()
            return response

        async with door(answer) as there:
            with pytest.raises(AuthenticationFailed):
                await OpenAI(api_key=KEY, base_url=there.url).open()
            go.set()

    in_time(story)


def test_what_nobody_foresaw_is_no_reason_to_try_again(caplog: pytest.LogCaptureFixture) -> None:
    error = dialling._translated(ZeroDivisionError(KEY), "h")
    assert isinstance(error, ConnectionFailed)
    assert (error.code, error.is_retryable, error.__cause__) == ("ZeroDivisionError", False, None)
    assert vars(caplog.records[0])["error_type"] == "ZeroDivisionError"


def test_loopback_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with silence() as proxy, door(says(CREATED)) as there:
            monkeypatch.setenv("http_proxy", proxy)
            monkeypatch.setenv("no_proxy", "")
            line = await Compatible(there.url).open()
            assert await greet(line, patience_s=5) == CREATED
            await line.close()

    in_time(story)


@pytest.mark.parametrize("turns", [0, 1, 3, 10, 40])
def test_a_cancelled_open_leaves_nothing_open(turns: int) -> None:
    async def story() -> None:
        before = asyncio.all_tasks()
        async with silence() as url:
            opening = asyncio.ensure_future(OpenAI(api_key=KEY, base_url=url).open())
            for _ in range(turns):
                await asyncio.sleep(0)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
        await asyncio.sleep(0)
        assert asyncio.all_tasks() - before == set()

    in_time(story)


@pytest.mark.parametrize(
    ("host", "yes"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("h", False),
    ],
)
def test_this_machine_is_known_by_its_names(host: str, yes: bool) -> None:
    assert is_loopback(host) is yes


def test_the_clear_is_for_this_machine_unless_it_is_allowed() -> None:
    async def opened(settings: WebSocketSettings) -> CharyeError:
        with pytest.raises(CharyeError) as caught:
            await Compatible("ws://charye.invalid", api_key=KEY, socket=settings).open()
        return caught.value

    async def story() -> None:
        assert type(await opened(WebSocketSettings())).__name__ == "ConfigurationError"
        assert type(await opened(WebSocketSettings(allow_insecure=True))).__name__ == "HostUnreachable"

    in_time(story)
