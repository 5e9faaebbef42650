"""Models for sherpa-onnx from a local folder.

The files tell which kind it is::

encoder*, decoder*, joiner*, tokens.txt     a transducer, such as Zipformer Korean
*encoder*, *decoder*, *tokens.txt           Whisper
model*.onnx, tokens.txt                     SenseVoice (Korean among five languages), or CTC if so said
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal

from charye.errors import ConfigurationError, MissingExtra
from charye.server.folders import files_matching, folder_of_model, one_of
from charye.server.offload import Outlet, off_loop
from charye.server.parts import TranscriptDone
from charye.server.recognizers.recognizer import too_short
from charye.server.recognizers.samples import RATE_HZ, floats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from charye.protocol import Transcription
    from charye.server.parts import TranscriptResult

__all__ = ["SherpaRecognizer"]

Kind = Literal["auto", "transducer", "whisper", "sense_voice", "nemo_ctc"]


class SherpaRecognizer:
    """Write down with sherpa-onnx, a whole turn at once. One object serves all sessions; turns wait for each other.

    Args:
        folder: with the files as published; checked before anything is loaded.
        kind: `auto` looks at the names of the files.
        language: told to the models that listen in several; a session cannot change it.
        threads: for one turn.

    Raises:
        ModelMissing: the folder or a file in it does not exist.
        MissingExtra: the extra `sherpa` is not installed.
        ConfigurationError: sherpa-onnx does not accept the files. With some damaged files it ends the whole program.
    """

    def __init__(
        self, folder: str | Path, *, kind: Kind = "auto", language: str = "ko", threads: int = 2
    ) -> None:
        path = folder_of_model(folder, option="recognizer")
        chosen, files = _files(path, kind)
        try:
            import sherpa_onnx
        except ImportError as error:
            raise MissingExtra(feature="a sherpa-onnx recognizer", extra="sherpa") from error
        options: dict[str, Any] = {**files, "num_threads": threads}
        if chosen in {"whisper", "sense_voice"}:
            options["language"] = language
        if chosen == "sense_voice":
            options["use_itn"] = True  # with punctuation
        try:
            self._model: Any = getattr(sherpa_onnx.OfflineRecognizer, f"from_{chosen}")(**options)
        except (RuntimeError, ValueError) as error:
            raise ConfigurationError(
                "sherpa-onnx does not accept the files of this model", option="recognizer"
            ) from error
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="charye-sherpa")

    async def recognize(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        """See `Recognizer.recognize`."""
        if too_short(pcm):
            yield TranscriptDone("")
            return

        def work(outlet: Outlet[str]) -> None:
            stream = self._model.create_stream()
            stream.accept_waveform(RATE_HZ, floats(pcm))
            self._model.decode_stream(stream)
            outlet.give(stream.result.text.strip())

        async with aclosing(off_loop(self._worker, work)) as texts:
            async for text in texts:
                yield TranscriptDone(text)

    def close(self) -> None:
        """Give the thread back."""
        self._worker.shutdown(wait=False, cancel_futures=True)


def _files(folder: Path, kind: Kind) -> tuple[str, dict[str, str]]:
    chosen = kind
    if chosen == "auto":
        chosen = (
            "transducer"
            if files_matching(folder, "*joiner*.onnx")
            else "whisper"
            if files_matching(folder, "*encoder*.onnx") or files_matching(folder, "*decoder*.onnx")
            else "sense_voice"
        )
    parts = {"transducer": ("encoder", "decoder", "joiner"), "whisper": ("encoder", "decoder")}.get(chosen)
    found = (
        {part: one_of(folder, f"*{part}*.onnx", option="recognizer") for part in parts}
        if parts
        else {"model": one_of(folder, "model*.onnx", "*.onnx", option="recognizer")}
    )
    found["tokens"] = one_of(folder, "tokens.txt", "*tokens.txt", option="recognizer")
    return chosen, {name: str(file) for name, file in found.items()}
