"""Whisper from a local folder, through faster-whisper."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from charye.errors import ConfigurationError, MissingExtra
from charye.server.folders import folder_of_model, require
from charye.server.offload import Outlet, off_loop
from charye.server.parts import TranscriptDelta, TranscriptDone
from charye.server.recognizers.recognizer import language_of, prompt_of, too_short
from charye.server.recognizers.samples import floats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from charye.protocol import Transcription
    from charye.server.parts import TranscriptResult

__all__ = ["FasterWhisper"]


class FasterWhisper:
    """Write down with Whisper, segment by segment. One object serves all sessions; turns wait for each other.

    Loading takes seconds: make it before the server takes calls. Nothing is ever downloaded.

    Args:
        folder: a model converted for CTranslate2: model.bin, config.json, tokenizer.json, vocabulary.*. All are checked
            first: faster-whisper takes a missing folder for the name of something to download, and downloads another
            model's tokenizer when there is none.
        language: expected where a session does not say; None finds out each time, which takes longer.
        device: `cpu`, `cuda` or `auto`.
        compute_type: as CTranslate2 names it.
        beam_size: 1 is quickest.

    Raises:
        ModelMissing: the folder or a file in it does not exist.
        MissingExtra: the extra `whisper` is not installed.
        ConfigurationError: the files are not what they are named.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        language: str | None = "ko",
        device: str = "cpu",
        compute_type: str = "int8",
        beam_size: int = 5,
    ) -> None:
        path = folder_of_model(folder, option="recognizer")
        require(path, "model.bin", "config.json", "tokenizer.json", "vocabulary.*", option="recognizer")
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise MissingExtra(feature="the Whisper recognizer", extra="whisper") from error
        try:
            self._model: Any = WhisperModel(
                str(path), device=device, compute_type=compute_type, local_files_only=True
            )
        except Exception as error:  # CTranslate2 and tokenizers raise what they like
            raise ConfigurationError("CTranslate2 does not accept the files", option="recognizer") from error
        self._language = language
        self._beam_size = beam_size
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="charye-whisper")

    async def recognize(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        """See `Recognizer.recognize`. Given up between two segments."""
        if too_short(pcm):
            yield TranscriptDone("")
            return

        def work(outlet: Outlet[str]) -> None:
            segments, _ = self._model.transcribe(
                floats(pcm),
                language=language_of(wish, self._language),
                initial_prompt=prompt_of(wish),
                beam_size=self._beam_size,
                # Whisper makes words up where nobody speaks, and repeats what it has made up.
                vad_filter=True,
                condition_on_previous_text=False,
            )
            for segment in segments:
                if not outlet.give(segment.text):
                    return

        transcript = ""
        async with aclosing(off_loop(self._worker, work)) as texts:
            async for text in texts:
                delta = text if transcript else text.lstrip()
                transcript += delta
                if delta:
                    yield TranscriptDelta(delta)
        yield TranscriptDone(transcript)

    def close(self) -> None:
        """Give the thread back."""
        self._worker.shutdown(wait=False, cancel_futures=True)
