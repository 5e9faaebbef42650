"""What writes down a turn, and the one that cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from charye.audio.pcm import WIRE_RATE_HZ, duration_ms
from charye.protocol import ResponseError
from charye.server.parts import TranscriptFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from charye.protocol import Transcription
    from charye.server.parts import TranscriptResult

__all__ = ["NoRecognizer", "Recognizer", "language_of", "prompt_of", "too_short"]

# Shorter than a syllable; recognisers make words up for less.
_MIN_MS = 80.0


@runtime_checkable
class Recognizer(Protocol):
    """What writes down. One object may serve many sessions."""

    def recognize(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        """Write down 24 kHz samples, one turn of somebody; ends with a `TranscriptDone` or `TranscriptFailed`.

        Must not block the loop. Closing it, or cancelling its reader, gives the turn up.

        Args:
            wish: what the session asks for; `language` and `prompt` are followed where it can be done.
        """
        ...


class NoRecognizer:
    """There is none. Says so each time, so that a client shows a text field instead of waiting."""

    async def recognize(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        """Fail, and say why."""
        yield TranscriptFailed(
            ResponseError(
                type="transcription_error",
                code="recognizer_unavailable",
                message="This server has no speech recognizer. Configure one, or send text.",
            )
        )


def language_of(wish: Transcription | None, default: str | None) -> str | None:
    """The language to expect, such as `ko`; None if it must be found out."""
    return wish.language if wish and isinstance(wish.language, str) and wish.language else default


def prompt_of(wish: Transcription | None) -> str | None:
    """What the session says to the recogniser, or None."""
    return wish.prompt if wish and isinstance(wish.prompt, str) and wish.prompt else None


def too_short(pcm: bytes) -> bool:
    """Whether there can be no word in it."""
    return duration_ms(pcm, sample_rate_hz=WIRE_RATE_HZ) < _MIN_MS
