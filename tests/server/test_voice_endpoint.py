"""A voice behind HTTP, against a server on this machine."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from charye.errors import (
    AuthenticationFailed,
    CharyeError,
    ConfigurationError,
    EndpointNotFound,
    HostUnreachable,
    MissingExtra,
    ModelUnavailable,
    QuotaExhausted,
    RemoteProtocolError,
    ServerError,
)
from charye.server.parts import Voice
from charye.server.voice import SpeechEndpointVoice, ToneVoice
from tests.server.loopback import serving
from tests.server.voice_suite import KOREAN, Heard, check, listen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SOUND = asyncio.run(listen(ToneVoice(), KOREAN)).pcm


def speak(handler: Handler, **options: Any) -> Heard:
    async def scenario() -> Heard:
        async with serving(handler) as url:
            voice = SpeechEndpointVoice(f"{url}/v1/", model="tts-1", **options)
            assert isinstance(voice, Voice)
            try:
                return await listen(voice, KOREAN, speed=1.25)
            finally:
                await voice.aclose()

    return asyncio.run(scenario())


def test_it_streams_and_asks_as_the_api_does() -> None:
    asked: list[tuple[str, str | None, Any]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append((request.path, request.headers.get("Authorization"), await request.json()))
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await response.prepare(request)
        for at in range(0, len(SOUND), 1_001):  # odd: samples are torn apart
            await response.write(SOUND[at : at + 1_001])
        return response

    heard = speak(handler, api_key="secret")
    check(heard, KOREAN)
    assert heard.pcm == SOUND
    assert asked == [
        (
            "/v1/audio/speech",
            "Bearer secret",
            {"model": "tts-1", "voice": "alloy", "input": KOREAN, "speed": 1.25, "response_format": "pcm"},
        )
    ]


def test_the_first_piece_comes_while_the_endpoint_still_speaks() -> None:
    async def scenario() -> None:
        heard_first = asyncio.Event()
        gone = asyncio.Event()

        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
            await response.prepare(request)
            await response.write(SOUND[:9_600])
            await heard_first.wait()
            try:
                while True:  # speaks until nobody listens
                    await response.write(bytes(96_000))
            except OSError:
                gone.set()
                raise

        async with serving(handler) as url:
            voice = SpeechEndpointVoice(url, model="tts-1")
            speech = voice.speak(KOREAN)
            assert (await anext(speech)).pcm == SOUND[: 24_000 * 2 * 40 // 1000]
            heard_first.set()
            await speech.aclose()  # type: ignore[attr-defined]
            await asyncio.wait_for(gone.wait(), 10)
            await voice.aclose()

    asyncio.run(scenario())


def test_another_rate_is_made_ours() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=SOUND[: len(SOUND) // 4 * 2], content_type="application/octet-stream")

    heard = speak(handler, sample_rate_hz=12_000)
    assert heard.duration_ms == pytest.approx(len(SOUND) / 2 / 24, abs=1)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "invalid_api_key", AuthenticationFailed),
        (404, "model_not_found", ModelUnavailable),
        (404, None, EndpointNotFound),
        (429, "insufficient_quota", QuotaExhausted),
        (429, "rate_limit_exceeded", ServerError),
        (500, None, ServerError),
    ],
)
def test_a_refusal_is_said_in_our_words(status: int, code: str | None, expected: type[CharyeError]) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if code is None:
            return web.Response(status=status, text="no")
        return web.json_response({"error": {"code": code, "message": "what was said"}}, status=status)

    with pytest.raises(expected) as caught:
        speak(handler)
    assert "what was said" not in repr(caught.value)
    assert getattr(caught.value, "code", code) == code


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("audio/mpeg", b"\xff\xfb"), ("application/octet-stream", b"RIFF...."), ("application/json", b"{}")],
)
def test_a_file_is_not_taken_for_samples(content_type: str, body: bytes) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=content_type)

    with pytest.raises(RemoteProtocolError):
        speak(handler)


def test_a_connection_that_breaks_off_is_an_error() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100000"})
        await response.prepare(request)
        await response.write(SOUND[:9_600])
        assert request.transport
        request.transport.abort()
        return response

    with pytest.raises(HostUnreachable):
        speak(handler)


def test_nobody_there_is_an_error() -> None:
    async def scenario() -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response()

        async with serving(handler) as url:
            pass  # and now it is gone
        voice = SpeechEndpointVoice(url, model="tts-1")
        with pytest.raises(HostUnreachable) as caught:
            await listen(voice, KOREAN)
        assert caught.value.host == "127.0.0.1"
        await voice.aclose()

    asyncio.run(scenario())


def test_nothing_to_say_asks_nobody() -> None:
    voice = SpeechEndpointVoice("http://127.0.0.1:9/v1", model="tts-1")
    assert asyncio.run(listen(voice, " ... ")).pieces == []
    asyncio.run(voice.aclose())


def test_wrong_options_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as refused:
        SpeechEndpointVoice("localhost:8000", model="tts-1")
    assert refused.value.option == "base_url"
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(MissingExtra):
        SpeechEndpointVoice("http://localhost", model="tts-1")
