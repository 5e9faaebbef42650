"""A voice from a local folder: what sherpa-onnx can speak with, in three of the layouts in which it is published.

VITS, Piper, MMS   one *.onnx, tokens.txt, and espeak-ng-data/ or lexicon.txt (MMS has neither)
Kokoro             model*.onnx, voices.bin, tokens.txt, espeak-ng-data/
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from charye.audio.pcm import WIRE_RATE_HZ, duration_ms, silence
from charye.audio.resample import Resampler
from charye.errors import ConfigurationError, MissingExtra, ModelMissing
from charye.server.folders import files_matching, folder_of_model, one_of, require
from charye.server.korean import respell
from charye.server.korean_numbers import spell_numbers
from charye.server.parts import Spoken
from charye.server.voices.checks import check_speed
from charye.server.voices.pieces import Pieces, share
from charye.server.voices.text import Sentence, sentences

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ["SherpaVoice"]

_PAUSE_MS = 250.0  # between two sentences

_SUPERTONIC = {
    "duration_predictor": "duration_predictor*.onnx",
    "text_encoder": "text_encoder*.onnx",
    "vector_estimator": "vector_estimator*.onnx",
    "vocoder": "vocoder*.onnx",
    "tts_json": "tts.json",
    "unicode_indexer": "unicode_indexer.bin",
    "voice_style": "voice.bin",
}


class SherpaVoice:
    """Speak with a model. One object serves any number of sessions; they take turns by the sentence. `close` it.

    The first audio comes when the first sentence is complete: these models make a sentence at once. So do not give it
    long ones. Word times are shared out within each sentence by syllables.

    Args:
        folder: with the files as published; checked before anything is loaded.
        speaker: which of a model with several; sessions' voice names are not used.
        threads: of the synthesis, for one sentence.

    Raises:
        ModelMissing: the folder or a file in it does not exist.
        MissingExtra: the extra `sherpa` is not installed.
        ConfigurationError: sherpa-onnx does not accept the files. With some damaged files it ends the whole program.
    """

    def __init__(self, folder: str | Path, *, speaker: int = 0, threads: int = 2) -> None:
        path = folder_of_model(folder, option="voice")
        family, files = _files(path)
        self._speaker = speaker
        self._with_espeak = "data_dir" in files
        self._tts = _load(family, files, threads)
        self._rate_hz: int = self._tts.sample_rate
        Resampler(from_hz=self._rate_hz, to_hz=WIRE_RATE_HZ)
        # One thread: a second sentence beside the first would make both late.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="charye-sherpa-voice")

    async def speak(
        self, text: str, *, voice: str = "alloy", speed: float = 1.0, language: str | None = None
    ) -> AsyncIterator[Spoken]:
        """See `charye.server.parts.Voice`. Closing it stops the sentence where the model lets itself be stopped.

        Raises:
            ConfigurationError: `speed` is not within 0.25 to 1.5.
        """
        check_speed(speed)
        stop = threading.Event()
        pieces = Pieces()
        try:
            for sentence in sentences(text, language=language):
                pcm = await asyncio.wrap_future(self._worker.submit(self._generate, sentence, speed, stop))
                start_ms = pieces.heard_ms
                end_ms = start_ms + duration_ms(pcm, sample_rate_hz=WIRE_RATE_HZ)
                pause = silence(_PAUSE_MS / speed if sentence.ends else 0, sample_rate_hz=WIRE_RATE_HZ)
                for piece in pieces.add(pcm + pause, share(sentence.words, start_ms=start_ms, end_ms=end_ms)):
                    yield piece
            for piece in pieces.flush():
                yield piece
        finally:
            stop.set()

    def close(self) -> None:
        """Give the thread back. What is being said is finished first."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _generate(self, sentence: Sentence, speed: float, stop: threading.Event) -> bytes:
        """In the worker: one sentence as PCM of the wire."""
        words = list(sentence.words)
        if sentence.language == "ko":
            # espeak inside the model needs the sound spelt out; a model that learnt from letters must see the letters.
            words = respell(words) if self._with_espeak else spell_numbers(words)
        import numpy
        import sherpa_onnx

        wanted = sherpa_onnx.GenerationConfig()
        wanted.sid = self._speaker
        wanted.speed = speed
        wanted.extra = {"lang": sentence.language}  # for models of several languages; others do not look
        audio = self._tts.generate(" ".join(words), wanted, lambda *_: 0 if stop.is_set() else 1)

        made = numpy.asarray(audio.samples, dtype=numpy.float32)
        pcm: bytes = numpy.clip(numpy.rint(made * 32_767), -32_768, 32_767).astype("<i2").tobytes()
        resampler = Resampler(from_hz=self._rate_hz, to_hz=WIRE_RATE_HZ)
        return resampler.feed(pcm) + resampler.flush()


def _files(folder: Path) -> tuple[str, dict[str, str]]:
    """The family, and what sherpa-onnx is to be given by the names of its options."""
    if files_matching(folder, "duration_predictor*.onnx") or files_matching(folder, "unicode_indexer.bin"):
        require(folder, *_SUPERTONIC.values(), option="voice")
        return "supertonic", {
            name: str(one_of(folder, pattern, option="voice")) for name, pattern in _SUPERTONIC.items()
        }
    require(folder, "tokens.txt", option="voice")
    files = {
        "model": str(one_of(folder, "model*.onnx", "*.onnx", option="voice")),
        "tokens": str(folder / "tokens.txt"),
    }
    data = folder / "espeak-ng-data"
    if (data / "phontab").is_file():
        files["data_dir"] = str(data)
    elif data.exists():
        raise ModelMissing(folder=str(data), missing=("phontab",), option="voice")
    if lexicons := files_matching(folder, "lexicon*.txt"):
        files["lexicon"] = ",".join(str(file) for file in sorted(lexicons))
    if not files_matching(folder, "voices.bin"):
        return "vits", files
    if "data_dir" not in files:
        raise ModelMissing(folder=str(folder), missing=("espeak-ng-data",), option="voice")
    return "kokoro", {**files, "voices": str(folder / "voices.bin")}


def _load(family: str, files: dict[str, str], threads: int) -> Any:
    try:
        import sherpa_onnx
    except ImportError as error:
        raise MissingExtra(feature="a sherpa-onnx voice", extra="sherpa") from error
    model = getattr(sherpa_onnx, f"OfflineTts{family.capitalize()}ModelConfig")(**files)
    config = sherpa_onnx.OfflineTtsConfig(
        model=sherpa_onnx.OfflineTtsModelConfig(**{family: model}, num_threads=threads, provider="cpu")
    )
    refused = ConfigurationError("sherpa-onnx does not accept the files of this voice", option="voice")
    if not config.validate():
        raise refused
    try:
        return sherpa_onnx.OfflineTts(config)
    except (RuntimeError, ValueError) as error:
        raise refused from error
