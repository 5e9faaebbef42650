"""The recognisers: how they are loaded, fed and stopped. What they hear is made up by the networks of the test."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
import wave
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from charye.errors import (
    AuthenticationFailed,
    ConfigurationError,
    HostUnreachable,
    MissingExtra,
    ModelMissing,
    RemoteProtocolError,
)
from charye.protocol import Transcription
from charye.server.ears import FasterWhisper, Recognizer, SherpaRecognizer, TranscriptionEndpoint
from charye.server.offload import Outlet, off_loop
from charye.server.parts import TranscriptDelta, TranscriptDone, TranscriptResult
from charye.server.voice import EspeakVoice, ToneVoice
from tests.server.loopback import serving
from tests.server.made_models import nemo_ctc_folder, whisper_folder
from tests.server.voice_suite import KOREAN, listen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SAID = "안녕하세요"
SPEECH = asyncio.run(listen(ToneVoice(), KOREAN)).pcm


async def results(
    recognizer: Recognizer, pcm: bytes, wish: Transcription | None = None
) -> list[TranscriptResult]:
    return [result async for result in recognizer.recognize(pcm, wish)]


# --- whisper -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whisper_folder(tmp_path_factory.mktemp("models") / "whisper", text=SAID)


def test_whisper_writes_down_speech_and_nothing_else(whisper: Path) -> None:
    recognizer = FasterWhisper(whisper, language="en")
    assert isinstance(recognizer, Recognizer)
    speech = asyncio.run(listen(EspeakVoice(), KOREAN)).pcm
    assert asyncio.run(results(recognizer, speech)) == [TranscriptDelta(SAID), TranscriptDone(SAID)]
    assert asyncio.run(results(recognizer, bytes(96_000))) == [TranscriptDone("")]  # two seconds of silence
    assert asyncio.run(results(recognizer, b"")) == [TranscriptDone("")]
    recognizer.close()


@pytest.mark.parametrize("gone", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_a_whisper_folder_that_lacks_a_file_is_refused_before_anything_is_fetched(
    whisper: Path, tmp_path: Path, gone: str
) -> None:
    for file in whisper.iterdir():
        if file.name != gone:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(ModelMissing) as caught:
        FasterWhisper(tmp_path)
    assert caught.value.missing == (gone.replace("vocabulary.json", "vocabulary.*"),)


def test_a_missing_whisper_folder_is_not_taken_for_a_name_on_the_hub() -> None:
    with pytest.raises(ModelMissing) as caught:
        FasterWhisper("small")
    assert caught.value.folder == "small"


def test_a_broken_whisper_model_is_refused(whisper: Path, tmp_path: Path) -> None:
    for file in whisper.iterdir():
        if file.name != "model.bin":
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / "model.bin").write_bytes(b"broken")
    with pytest.raises(ConfigurationError, match="does not accept"):
        FasterWhisper(tmp_path)


# --- sherpa --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ctc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nemo_ctc_folder(tmp_path_factory.mktemp("models") / "ctc", text=SAID)


def test_sherpa_writes_down_a_turn(ctc: Path) -> None:
    recognizer = SherpaRecognizer(ctc, kind="nemo_ctc")
    assert isinstance(recognizer, Recognizer)
    assert asyncio.run(results(recognizer, SPEECH)) == [TranscriptDone(SAID)]
    assert asyncio.run(results(recognizer, bytes(100))) == [TranscriptDone("")]
    recognizer.close()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ([], "model*.onnx or *.onnx"),
        (["model.int8.onnx"], "tokens.txt or *tokens.txt"),
        (["encoder.onnx", "joiner.onnx", "tokens.txt"], "*decoder*.onnx"),
        (["tiny-encoder.onnx", "tiny-tokens.txt"], "*decoder*.onnx"),
    ],
)
def test_a_sherpa_folder_that_lacks_a_file_is_refused(tmp_path: Path, given: list[str], missing: str) -> None:
    for name in given:
        (tmp_path / name).write_text("x", encoding="utf-8")
    with pytest.raises(ModelMissing) as caught:
        SherpaRecognizer(tmp_path)
    assert caught.value.missing == (missing,)


@pytest.mark.parametrize(
    ("make", "module", "extra"),
    [
        (lambda whisper, ctc: FasterWhisper(whisper), "faster_whisper", "whisper"),
        (lambda whisper, ctc: SherpaRecognizer(ctc), "sherpa_onnx", "sherpa"),
    ],
    ids=["whisper", "sherpa"],
)
def test_without_the_extra_it_says_what_to_install(
    make: Callable[[Path, Path], object],
    module: str,
    extra: str,
    whisper: Path,
    ctc: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra) as caught:
        make(whisper, ctc)
    assert caught.value.extra == extra


# --- an endpoint ---------------------------------------------------------------------------------------------------


def test_an_endpoint_gets_a_wav_file_and_what_the_session_wishes() -> None:
    asked: list[dict[str, Any]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        form = dict(await request.post())
        file = form.pop("file")
        assert isinstance(file, web.FileField)
        asked.append({"path": request.path, "key": request.headers.get("Authorization"), **form})
        with wave.open(io.BytesIO(file.file.read())) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24_000, 1, 2)
            assert sound.readframes(10**9) == SPEECH
        return web.json_response({"text": f" {SAID} "})

    async def scenario() -> list[TranscriptResult]:
        async with serving(handler) as url:
            recognizer = TranscriptionEndpoint(f"{url}/v1", model="whisper-1", api_key="secret")
            assert isinstance(recognizer, Recognizer)
            first = await results(recognizer, SPEECH)
            second = await results(recognizer, SPEECH, Transcription(language="en", prompt="names: Kim"))
            assert await results(recognizer, b"") == [TranscriptDone("")]  # asks nobody
            await recognizer.aclose()
            return first + second

    assert asyncio.run(scenario()) == [TranscriptDone(SAID)] * 2
    usual = {
        "path": "/v1/audio/transcriptions",
        "key": "Bearer secret",
        "model": "whisper-1",
        "response_format": "json",
    }
    assert asked == [{**usual, "language": "ko"}, {**usual, "language": "en", "prompt": "names: Kim"}]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda: web.Response(text="no json"), RemoteProtocolError),
        (lambda: web.json_response({"words": []}), RemoteProtocolError),
        (lambda: web.json_response([]), RemoteProtocolError),
        (lambda: web.json_response({}, status=401), AuthenticationFailed),
    ],
)
def test_an_endpoint_that_answers_wrongly_is_an_error(
    answer: Callable[[], web.Response], expected: type[Exception]
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        await request.read()
        return answer()

    async def scenario() -> None:
        async with serving(handler) as url:
            recognizer = TranscriptionEndpoint(url, model="whisper-1")
            with pytest.raises(expected):
                await results(recognizer, SPEECH)
            await recognizer.aclose()
        recognizer = TranscriptionEndpoint(url, model="whisper-1")
        with pytest.raises(HostUnreachable):
            await results(recognizer, SPEECH)
        await recognizer.aclose()

    asyncio.run(scenario())


# --- off the loop --------------------------------------------------------------------------------------------------


def test_work_in_a_thread_gives_as_it_goes_and_leaves_the_loop_free() -> None:
    may_go_on = threading.Event()

    def work(out: Outlet[int]) -> None:
        out.give(1)
        assert may_go_on.wait(10)
        out.give(2)

    async def scenario() -> list[int]:
        with ThreadPoolExecutor(1) as executor:
            found = []
            async for number in off_loop(executor, work):
                found.append(number)
                may_go_on.set()  # the loop runs while the thread waits
            return found

    assert asyncio.run(scenario()) == [1, 2]


def test_what_it_raises_comes_behind_what_it_gave() -> None:
    def work(out: Outlet[int]) -> None:
        out.give(1)
        raise KeyError("mine")

    async def scenario() -> None:
        with ThreadPoolExecutor(1) as executor:
            numbers = off_loop(executor, work)
            assert await anext(numbers) == 1
            with pytest.raises(KeyError, match="mine"):
                await anext(numbers)

    asyncio.run(scenario())


def test_closing_tells_the_thread_and_skips_what_was_not_begun() -> None:
    given: list[bool] = []
    begun: list[str] = []
    closed = threading.Event()

    def work(out: Outlet[int]) -> None:
        out.give(1)
        assert closed.wait(10)
        given.append(out.give(2))

    def second(out: Outlet[int]) -> None:
        begun.append("second")

    async def scenario() -> None:
        with ThreadPoolExecutor(1) as executor:
            async with aclosing(off_loop(executor, work)) as numbers:
                assert await anext(numbers) == 1
                task = asyncio.create_task(anext(off_loop(executor, second)))
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            closed.set()

    asyncio.run(scenario())
    assert given == [False]
    assert begun == []
