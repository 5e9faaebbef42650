"""The first event, and what comes instead of it."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.errors import (
    AuthenticationFailed,
    CharyeError,
    ConnectionFailed,
    ConnectionLost,
    NoGreeting,
    ServerUnavailable,
)
from charye.protocol import COMPATIBLE, Shape
from charye.server.clock import run_virtually
from charye.transports.greeting import detected, greet
from charye.transports.in_process import End, pair
from tests.transports.doors import CREATED

GENERAL = b'{"type": "error", "error": {"type": "server_hiccup", "message": "hm"}}'
WRONG_KEY = b'{"type": "error", "error": {"type": "invalid_request_error", "code": "invalid_api_key", "message": "m"}}'


def greeted(*events: bytes, close: tuple[int, str] | None = None) -> bytes | CharyeError:
    async def story() -> bytes | CharyeError:
        here, there = pair()
        for event in events:
            await there.send(event)
        if close is not None:
            await there.close(*close)
        try:
            return await greet(here, patience_s=10)
        except CharyeError as error:
            with pytest.raises(ConnectionLost):
                await here.receive()  # it is closed
            return error

    return run_virtually(story())


@pytest.mark.parametrize(
    "first", [CREATED, b'{"type": "session.updated"}', b'{"type": "new.event"}', b"no JSON", b"[]"]
)
def test_whatever_is_no_error_proves_that_we_are_let_in(first: bytes) -> None:
    assert greeted(first, WRONG_KEY) == first


def test_an_error_that_means_nothing_by_itself_is_passed_over_with_a_note(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert greeted(GENERAL, CREATED) == CREATED
    (record,) = caplog.records
    assert (record.message, vars(record)["error_type"]) == ("an error before the session", "server_hiccup")


def test_the_error_before_a_close_says_more_than_the_close() -> None:
    assert isinstance(greeted(WRONG_KEY), AuthenticationFailed)
    error = greeted(GENERAL, close=(4000, "whatever.it_was"))
    assert type(error) is ConnectionFailed
    assert (error.code, error.is_retryable) == ("server_hiccup", False)


@pytest.mark.parametrize(
    ("close", "raises", "code", "retried"),
    [
        ((3000, "invalid_request_error.invalid_api_key"), AuthenticationFailed, "invalid_api_key", False),
        ((3000, ""), AuthenticationFailed, "3000", False),
        ((1008, "policy"), AuthenticationFailed, None, False),
        ((4000, ""), ConnectionFailed, "4000", False),
        ((1011, ""), ServerUnavailable, None, True),
        ((1012, ""), ServerUnavailable, None, True),
        ((1013, ""), ServerUnavailable, None, True),
        ((1000, ""), ConnectionFailed, None, True),
        ((1001, "going away"), ConnectionFailed, None, True),
        ((1006, ""), ConnectionFailed, None, True),
    ],
)
def test_a_close_instead_of_a_session(
    close: tuple[int, str], raises: type[ConnectionFailed], code: str | None, retried: bool
) -> None:
    error = greeted(close=close)
    assert isinstance(error, ConnectionFailed)
    assert (type(error), error.code, error.is_retryable) == (raises, code, retried)


def test_nothing_in_time() -> None:
    error = greeted()
    assert isinstance(error, NoGreeting)
    assert (error.waited_s, error.code) == (10, None)
    error = greeted(GENERAL)
    assert isinstance(error, NoGreeting)
    assert error.code == "server_hiccup"


def test_cancelling_leaves_the_line_to_the_caller() -> None:
    async def story() -> None:
        here, there = pair()
        greeting = asyncio.ensure_future(greet(here, patience_s=10))
        await asyncio.sleep(1)
        greeting.cancel()
        await asyncio.wait({greeting})
        await there.send(CREATED)
        assert await here.receive() == CREATED

    run_virtually(story())


@given(
    st.binary(max_size=200)
    | st.sampled_from([b'{"type": "error"}', b'{"type": "error", "error": 7}', b'{"session": []}'])
)
def test_any_bytes_are_a_greeting_or_none(data: bytes) -> None:
    async def story() -> None:
        here, there = pair()
        await there.send(data)
        try:
            assert await greet(here, patience_s=1) == data
        except NoGreeting:
            assert json.loads(data)["type"] == "error"

    run_virtually(story())
    assert isinstance(detected(data).name, str)


@pytest.mark.parametrize(
    ("session", "shape"),
    [
        ({"type": "realtime", "audio": {}, "output_modalities": ["audio"]}, Shape.GA),
        ({"type": "transcription", "audio": {}}, Shape.GA),
        ({"modalities": ["text"], "voice": "alloy", "input_audio_format": "pcm16"}, Shape.PREVIEW),
        ({"turn_detection": None}, Shape.PREVIEW),
        ({}, Shape.GA),
    ],
)
def test_the_first_event_tells_the_generation(session: dict[str, object], shape: Shape) -> None:
    found = detected(json.dumps({"type": "session.created", "session": session}).encode())
    assert found.shape is shape
    assert found.item_added is (shape is Shape.GA)
    assert not found.echoes_metadata  # the weakest promises


def test_an_event_without_a_session_tells_nothing() -> None:
    assert detected(b'{"type": "response.created"}') is COMPATIBLE
    assert detected(b"no JSON") is COMPATIBLE


def test_a_line_is_all_it_needs() -> None:
    assert isinstance(pair()[0], End)
