"""The loading of sherpa-onnx voices, with a network that was made here."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from charye.errors import MissingExtra, ModelMissing
from charye.server.parts import Voice
from charye.server.voice import SherpaVoice
from tests.server.made_models import vits_folder
from tests.server.voice_suite import check, listen

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "안녕하세요. 반갑습니다."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vits_folder(tmp_path_factory.mktemp("models") / "vits")


def test_it_is_a_voice(folder: Path) -> None:
    voice = SherpaVoice(folder)
    assert isinstance(voice, Voice)
    heard = asyncio.run(listen(voice, TEXT))
    check(heard, TEXT)
    assert heard.duration_ms == pytest.approx(8 * 100 + 250 + 8 * 100 + 250, abs=2)
    assert asyncio.run(listen(voice, TEXT, speed=0.5)).duration_ms == pytest.approx(
        2 * heard.duration_ms, abs=4
    )
    voice.close()


def test_closing_the_iterator_leaves_the_voice_usable(folder: Path) -> None:
    voice = SherpaVoice(folder)

    async def scenario() -> None:
        speech = voice.speak(TEXT * 20)
        await anext(speech)
        await speech.aclose()  # type: ignore[attr-defined]
        check(await listen(voice, TEXT), TEXT)

    asyncio.run(scenario())
    voice.close()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        SherpaVoice(tmp_path / "nowhere")
    assert caught.value.folder == str(tmp_path / "nowhere")
    assert str(caught.value) == "the model folder does not exist"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "tokens.txt"),
        ({"tokens.txt": "a 0"}, "model*.onnx or *.onnx"),
        ({"tokens.txt": "", "model.onnx": "x"}, "tokens.txt"),  # empty: an aborted download
        ({"tokens.txt": "a 0", "model.onnx": "x", "espeak-ng-data/readme": "x"}, "phontab"),
        ({"tokens.txt": "a 0", "model.onnx": "x", "voices.bin": "x"}, "espeak-ng-data"),
    ],
)
def test_missing_files_are_named(tmp_path: Path, given: dict[str, str], missing: str) -> None:
    for name, content in given.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ModelMissing) as caught:
        SherpaVoice(tmp_path)
    assert caught.value.missing == (missing,)
    assert caught.value.option == "voice"


def test_an_incomplete_supertonic_names_all_that_it_lacks(tmp_path: Path) -> None:
    for name in ("duration_predictor.int8.onnx", "text_encoder.int8.onnx", "tts.json", "voice.bin"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    with pytest.raises(ModelMissing) as caught:
        SherpaVoice(tmp_path)
    assert caught.value.missing == ("vector_estimator*.onnx", "vocoder*.onnx", "unicode_indexer.bin")


def test_without_the_extra_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    with pytest.raises(MissingExtra) as caught:
        SherpaVoice(folder)
    assert caught.value.extra == "sherpa"
