"""Hearing kept audio again, at an endpoint that plays along or does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from charye.assessment.endpoint_calls import Endpoint, Patience
from charye.assessment.retranscription import EndpointEars, HeardAgain, hear_again
from charye.assessment.speech import Source, Speaker, Turn, Word
from tests.assessment.judging import KEY, refused
from tests.server.loopback import serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TURNS = (
    Turn(Speaker.INTERVIEWER, "주말에 뭐 했어요?"),
    Turn(Speaker.LEARNER, "학교에 갔어요.", start_ms=0, end_ms=3000, words=(Word("학교에", 0, 900),)),
    Turn(Speaker.LEARNER, "밥을 먹었어요.", source=Source.CORRECTED),
)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
PATIENCE = Patience(request_s=5.0, total_s=10.0, retry_s=0.0, tries=2)


def hear(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> HeardAgain:
    async def run() -> HeardAgain:
        async with serving(handle) as address:
            endpoint = Endpoint(model="ears-1", api_key=KEY, base_url=f"{address}/v1")
            async with EndpointEars(endpoint, PATIENCE) as ears:
                return await hear_again(TURNS, {0: WAV, 1: WAV, 2: WAV}, ears)

    return asyncio.run(run())


def test_an_answer_is_written_down_as_it_sounds() -> None:
    asked: list[dict[str, object]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.path == "/v1/audio/transcriptions"
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        asked.append(
            {"wav": file.file.read(), **{name: form[name] for name in ("model", "language", "prompt")}}
        )
        file.file.close()
        return web.json_response({"text": " 음 학교을 갔어요. "})

    heard = hear(handle)
    # Only what a recogniser wrote: nobody knows better than the learner what was corrected.
    assert (heard.heard, heard.failed) == ((1,), ())
    assert heard.turns[1].text == "음 학교을 갔어요."
    assert heard.turns[1].words == ()
    assert (heard.turns[0], heard.turns[2]) == (TURNS[0], TURNS[2])
    (request,) = asked
    assert (request["wav"], request["model"], request["language"]) == (WAV, "ears-1", "ko")
    assert "들리는 대로" in str(request["prompt"])


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.json_response({"text": ""}),
        lambda: web.json_response({"text": "시청해 주셔서 감사합니다."}),
        lambda: web.json_response({"text": "Я иду в школу"}),
        lambda: web.json_response({"text": "hello"}),
        lambda: web.json_response({"nothing": 1}),
        lambda: web.json_response({"text": 5}),
        lambda: web.Response(text="<html>"),
        lambda: refused(401),
        lambda: refused(503),
    ],
)
def test_what_cannot_be_heard_again_keeps_its_words(answer: Callable[[], web.StreamResponse]) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return answer()

    heard = hear(handle)
    assert (heard.heard, heard.failed) == ((), (1,))
    assert heard.turns == TURNS
    assert "학교" not in repr(heard)


def test_nobody_is_listened_to_for_ever() -> None:
    class Deaf:
        async def hear(self, wav: bytes) -> str | None:
            await asyncio.Event().wait()
            return wav.decode()

    heard = asyncio.run(hear_again(TURNS, {1: WAV}, Deaf(), total_s=0.01))
    assert (heard.turns, heard.failed) == (TURNS, (1,))


def test_without_recordings_nothing_happens() -> None:
    class Never:
        async def hear(self, wav: bytes) -> str | None:
            raise AssertionError(wav)

    assert asyncio.run(hear_again(TURNS, {}, Never())) == HeardAgain(TURNS, (), ())
