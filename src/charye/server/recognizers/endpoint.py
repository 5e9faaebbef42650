"""A recogniser that lives elsewhere: any endpoint in the manner of OpenAI's `POST /audio/transcriptions`."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

from charye.audio.pcm import SAMPLE_BYTES, WIRE_RATE_HZ
from charye.errors import RemoteProtocolError
from charye.server.endpoint import Endpoint
from charye.server.parts import TranscriptDone
from charye.server.recognizers.recognizer import language_of, prompt_of, too_short

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from charye.protocol import Transcription
    from charye.server.parts import TranscriptResult

__all__ = ["TranscriptionEndpoint"]


class TranscriptionEndpoint:
    """Write down with an endpoint: one WAV file for each turn. One object serves all sessions; `aclose` it at the end.

    Args:
        base_url: such as ``http://localhost:8000/v1``.
        model: as the endpoint calls it; what a session asks for is not passed on, it names models of OpenAI.
        api_key: sent as a bearer token.
        language: expected where a session does not say; None lets the endpoint find out.
        silence_s: longest wait for the answer, in seconds.

    Raises:
        MissingExtra: aiohttp is not installed.
        ConfigurationError: `base_url` is no http address.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        api_key: str | None = None,
        language: str | None = "ko",
        silence_s: float = 60.0,
    ) -> None:
        self._endpoint = Endpoint(base_url, api_key=api_key, silence_s=silence_s)
        self._model = model
        self._language = language

    async def recognize(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        """See `Recognizer.recognize`.

        Raises:
            RealtimeError: the endpoint refuses, is not there, or answers with something else.
        """
        if too_short(pcm):
            yield TranscriptDone("")
            return
        form = self._endpoint.aiohttp.FormData()
        form.add_field("file", _wav(pcm), filename="turn.wav", content_type="audio/wav")
        form.add_field("model", self._model)
        form.add_field("response_format", "json")
        if language := language_of(wish, self._language):
            form.add_field("language", language)
        if prompt := prompt_of(wish):
            form.add_field("prompt", prompt)
        try:
            async with self._endpoint.post("/audio/transcriptions", data=form) as response:
                await self._endpoint.check(response, model=self._model)
                answer = await response.json(content_type=None)
        except self._endpoint.failures as error:
            raise self._endpoint.translated(error) from error
        except ValueError as error:
            raise RemoteProtocolError("the transcription endpoint did not answer in JSON") from error
        text = answer.get("text") if isinstance(answer, dict) else None
        if not isinstance(text, str):
            raise RemoteProtocolError("the transcription endpoint's answer has no text")
        yield TranscriptDone(text.strip())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()


def _wav(pcm: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(WIRE_RATE_HZ)
        file.writeframes(pcm)
    return out.getvalue()
