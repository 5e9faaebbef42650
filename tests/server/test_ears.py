"""The ears as the server uses them, with real samples."""

from __future__ import annotations

import asyncio
import math
import random
import sys
from array import array
from pathlib import Path

import pytest

from charye.audio import pcm
from charye.errors import ConfigurationError, MissingExtra, ModelMissing
from charye.protocol import TurnDetection
from charye.server.ears import EnergyVad, LocalEars, NoRecognizer, SileroVad
from charye.server.parts import Ears, SpeechFact, SpeechStarted, SpeechStopped, TranscriptFailed
from charye.server.voice import EspeakVoice
from tests.server.made_models import silero_file
from tests.server.voice_suite import KOREAN, listen

USUAL = TurnDetection(type="server_vad", threshold=0.5, silence_duration_ms=500, prefix_padding_ms=300)


def silence(ms: float) -> bytes:
    return pcm.silence(ms, sample_rate_hz=24_000)


def tone(ms: float, *, level: float = 0.3) -> bytes:
    count = round(ms * 24)
    return pcm.pack(array("h", (round(level * 32_767 * math.sin(n * 0.1)) for n in range(count))))


def noise(ms: float, *, level_dbfs: float, seed: int = 1) -> bytes:
    chance = random.Random(seed)
    sigma = 32_768 * 10 ** (level_dbfs / 20)
    return pcm.pack(
        array("h", (max(-32_768, min(32_767, round(chance.gauss(0, sigma)))) for _ in range(round(ms * 24))))
    )


def mixed(one: bytes, other: bytes) -> bytes:
    return pcm.pack(
        array(
            "h",
            (
                max(-32_768, min(32_767, a + b))
                for a, b in zip(pcm.samples(one), pcm.samples(other), strict=True)
            ),
        )
    )


def hear(ears: LocalEars, data: bytes, *, piece: int = 960) -> list[SpeechFact]:
    return [fact for at in range(0, len(data), piece) for fact in ears.hear(data[at : at + piece])]


def ears(detection: TurnDetection | None = USUAL) -> LocalEars:
    made = LocalEars()
    made.attune(detection)
    return made


@pytest.mark.parametrize("piece", [2, 480, 960, 4_800, 10**7])
def test_a_turn_has_exact_positions_whatever_the_pieces(piece: int) -> None:
    assert isinstance(ears(), Ears)
    data = silence(500) + tone(1_000) + silence(800)
    assert hear(ears(), data, piece=piece) == [SpeechStarted(500), SpeechStopped(2_000)]


def test_between_frames_the_position_is_right_to_a_frame() -> None:
    started, stopped = hear(ears(), silence(507) + tone(1_000) + silence(800))
    assert abs(started.at_ms - 507) <= 20
    assert abs(stopped.at_ms - 2_007) <= 20


def test_positions_go_on_through_push_to_talk_and_other_settings() -> None:
    made = ears(None)
    assert hear(made, tone(333)) == []
    made.attune(USUAL)
    assert hear(made, silence(200) + tone(500) + silence(600)) == [SpeechStarted(533), SpeechStopped(1_533)]
    made.attune(TurnDetection(type="semantic_vad", eagerness="high"))
    assert hear(made, tone(200)) == [SpeechStarted(1_633)]


def test_after_a_commit_speech_that_goes_on_begins_anew() -> None:
    made = ears()
    assert hear(made, tone(400)) == [SpeechStarted(0)]
    made.forget()
    assert hear(made, tone(400) + silence(600)) == [SpeechStarted(400), SpeechStopped(1_300)]


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="middle of a sample"):
        ears().hear(b"x")


def test_noise_becomes_the_floor_and_speech_stands_out_of_it() -> None:
    made = ears()
    first = hear(made, noise(15_000, level_dbfs=-42))
    assert len(first) % 2 == 0  # if it was taken for speech at first, that is over
    assert hear(made, noise(3_000, level_dbfs=-42, seed=2)) == []
    speech = mixed(tone(1_000), noise(1_000, level_dbfs=-42, seed=3))
    started, stopped = hear(made, speech + noise(1_000, level_dbfs=-42, seed=4))
    assert abs(started.at_ms - 18_000) <= 20
    assert abs(stopped.at_ms - 19_500) <= 20


def test_silence_and_hiss_are_no_speech() -> None:
    assert hear(ears(), silence(3_000) + noise(3_000, level_dbfs=-60) + silence(1_000)) == []


def test_spoken_korean_is_one_turn() -> None:
    speech = asyncio.run(listen(EspeakVoice(), KOREAN))
    started, stopped = hear(ears(), silence(400) + speech.pcm + silence(1_000))
    assert abs(started.at_ms - 400) <= 60
    assert abs(stopped.at_ms - (400 + speech.words[-1].end_ms + 500)) <= 100


def test_the_floor_stays_between_its_bounds() -> None:
    vad = EnergyVad()
    vad.rate(silence(1_000))
    assert vad.floor_dbfs == -65
    vad.rate(tone(30_000))
    assert vad.floor_dbfs == -35


@pytest.mark.parametrize("layout", ["v5", "v4", "faster-whisper"])
def test_each_layout_of_silero_is_fed_as_it_wants(layout: str, tmp_path: Path) -> None:
    vad = SileroVad(silero_file(tmp_path / "silero_vad.onnx", layout=layout))
    made = LocalEars(detector=vad)
    made.attune(USUAL)
    started, stopped = hear(made, silence(500) + tone(1_000) + silence(800), piece=700)
    assert abs(started.at_ms - 500) <= 32
    assert abs(stopped.at_ms - 2_000) <= 32
    made.attune(USUAL)  # begins anew, and goes on counting
    started, _ = hear(made, silence(320) + tone(1_000) + silence(800))
    assert abs(started.at_ms - 2_620) <= 32


def test_the_real_silero_hears_speech_and_no_noise() -> None:
    # The file that comes with faster-whisper.
    import faster_whisper

    file = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"
    speech = asyncio.run(listen(EspeakVoice(), KOREAN + " " + KOREAN))
    made = LocalEars(detector=SileroVad(file))
    made.attune(USUAL)
    facts = hear(made, noise(2_000, level_dbfs=-40) + speech.pcm + noise(2_000, level_dbfs=-40))
    assert isinstance(facts[0], SpeechStarted)
    assert abs(facts[0].at_ms - 2_000) <= 100
    assert isinstance(facts[-1], SpeechStopped)
    assert abs(facts[-1].at_ms - (2_000 + speech.words[-1].end_ms + 500)) <= 250


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    for path, missing in [
        (tmp_path, ("silero*.onnx",)),
        (tmp_path / "silero.onnx", ("silero.onnx",)),
        (tmp_path / "nowhere" / "silero.onnx", ()),
    ]:
        with pytest.raises(ModelMissing) as caught:
            SileroVad(path)
        assert caught.value.missing == missing
        assert caught.value.option == "vad"


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "silero.onnx").write_bytes(b"not a model")
    with pytest.raises(ConfigurationError, match="no model"):
        SileroVad(tmp_path / "silero.onnx")
    from tests.server.made_models import vits_folder

    with pytest.raises(ConfigurationError, match="no silero"):
        SileroVad(vits_folder(tmp_path / "vits") / "model.onnx")


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = silero_file(tmp_path / "silero_vad.onnx", layout="v5")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra) as caught:
        SileroVad(file)
    assert caught.value.extra == "vad"


def test_without_a_recognizer_each_transcription_fails_and_says_why() -> None:
    async def scenario() -> list[object]:
        return [result async for result in LocalEars().transcribe(tone(1_000), None)]

    (result,) = asyncio.run(scenario())
    assert isinstance(result, TranscriptFailed)
    assert result.error.code == "recognizer_unavailable"
    assert isinstance(LocalEars(recognizer=NoRecognizer()), Ears)
