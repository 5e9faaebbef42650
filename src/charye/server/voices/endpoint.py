"""A voice that lives elsewhere: any endpoint in the manner of OpenAI's `POST /audio/speech`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.audio.pcm import WIRE_RATE_HZ
from charye.audio.resample import Resampler
from charye.errors import RemoteProtocolError
from charye.server.endpoint import Endpoint
from charye.server.korean import syllables_in
from charye.server.parts import Spoken, WordTime
from charye.server.voices.checks import check_speed
from charye.server.voices.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["SpeechEndpointVoice"]

# Such an endpoint tells no word times. Until all is there, they are guessed by this rate; a voice reads Korean and
# English at 4 to 5 syllables a second.
_SYLLABLE_MS = 220.0


class SpeechEndpointVoice:
    """Speak with an endpoint that streams raw PCM. One object serves any number of sessions; `aclose` it at the end.

    Word times are an estimate, by syllables. Closing the iterator closes the stream.

    Args:
        base_url: such as ``http://localhost:8880/v1``.
        model: as the endpoint calls it.
        api_key: sent as a bearer token.
        voice: use this one whatever a session asks for; None passes the session's on.
        sample_rate_hz: of what the endpoint sends. OpenAI's is 24,000; for others soxr is needed.

    Raises:
        MissingExtra: aiohttp, or soxr for another rate, is not installed.
        ConfigurationError: `base_url` is no http address.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        api_key: str | None = None,
        voice: str | None = None,
        sample_rate_hz: int = WIRE_RATE_HZ,
    ) -> None:
        self._endpoint = Endpoint(base_url, api_key=api_key)
        self._model = model
        self._voice = voice
        self._rate_hz = sample_rate_hz
        Resampler(from_hz=sample_rate_hz, to_hz=WIRE_RATE_HZ)

    async def speak(
        self, text: str, *, voice: str = "alloy", speed: float = 1.0, language: str | None = None
    ) -> AsyncIterator[Spoken]:
        """See `charye.server.parts.Voice`. The endpoint finds the language out by itself.

        Raises:
            ConfigurationError: `speed` is not within 0.25 to 1.5.
            RealtimeError: the endpoint refuses, breaks off, or sends something else than PCM.
        """
        check_speed(speed)
        words = [word for word in text.split() if any(map(str.isalnum, word))]
        if not words:
            return
        pieces = Pieces()
        pieces.add(b"", _guessed(words, speed))
        resampler = Resampler(from_hz=self._rate_hz, to_hz=WIRE_RATE_HZ)
        request = {
            "model": self._model,
            "voice": self._voice or voice,
            "input": text,
            "speed": speed,
            "response_format": "pcm",
        }
        try:
            async with self._endpoint.post("/audio/speech", json=request) as response:
                await self._endpoint.check(response, model=self._model)
                half = b""
                async for data in response.content.iter_any():
                    if pieces.heard_ms == 0 and not half:
                        _check_raw(response.content_type, data)
                    whole = half + data
                    half = whole[len(whole) - len(whole) % 2 :]
                    for piece in pieces.add(resampler.feed(whole[: len(whole) - len(half)])):
                        yield piece
        except self._endpoint.failures as error:
            raise self._endpoint.translated(error) from error
        for piece in [*pieces.add(resampler.flush()), *pieces.flush()]:
            yield _within(piece, pieces.heard_ms)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()


def _guessed(words: list[str], speed: float) -> list[WordTime]:
    found = []
    at = 0.0
    for word in words:
        end = at + syllables_in(word) * _SYLLABLE_MS / speed
        found.append(WordTime(word, at, end))
        at = end
    return found


def _within(piece: Spoken, heard_ms: float) -> Spoken:
    """No word ends after the sound does."""
    return Spoken(
        piece.pcm,
        tuple(WordTime(w.word, min(w.start_ms, heard_ms), min(w.end_ms, heard_ms)) for w in piece.words),
    )


def _check_raw(content_type: str, data: bytes) -> None:
    if data.startswith((b"RIFF", b"ID3", b"OggS", b"fLaC")) or content_type in {"audio/mpeg", "audio/wav"}:
        raise RemoteProtocolError("the speech endpoint sent a file where raw PCM was asked for")
    if content_type in {"application/json", "text/html"}:
        raise RemoteProtocolError("the speech endpoint sent text where raw PCM was asked for")
