"""The ears: samples in, turns and words out. The interface is `charye.server.parts.Ears`.

They are put together from two parts. Who speaks when:

    EnergyVad               by loudness; needs nothing
    SileroVad               by a network, from a local file (extra `vad`)

And what was said, by one recogniser that all sessions share:

    FasterWhisper           a local folder (extra `whisper`)
    SherpaRecognizer        a local folder (extra `sherpa`)
    TranscriptionEndpoint   any endpoint in the manner of OpenAI's /v1/audio/transcriptions (aiohttp)
    NoRecognizer            none: every transcription fails, and says why; people type
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.audio.pcm import WIRE_RATE_HZ, duration_ms
from charye.server.activity.energy import EnergyVad
from charye.server.activity.silero import SileroVad
from charye.server.activity.turns import Turns
from charye.server.recognizers.endpoint import TranscriptionEndpoint
from charye.server.recognizers.recognizer import NoRecognizer, Recognizer
from charye.server.recognizers.sherpa import SherpaRecognizer
from charye.server.recognizers.whisper import FasterWhisper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from charye.protocol import Transcription, TurnDetection
    from charye.server.activity.detector import Detector
    from charye.server.parts import SpeechFact, TranscriptResult

__all__ = [
    "EnergyVad",
    "FasterWhisper",
    "LocalEars",
    "NoRecognizer",
    "Recognizer",
    "SherpaRecognizer",
    "SileroVad",
    "TranscriptionEndpoint",
]


class LocalEars:
    """The ears of one session.

    Args:
        detector: of this session alone; None takes an `EnergyVad`.
        recognizer: may serve many sessions; None takes `NoRecognizer`.
    """

    def __init__(self, *, detector: Detector | None = None, recognizer: Recognizer | None = None) -> None:
        self._detector: Detector = detector or EnergyVad()
        self._recognizer: Recognizer = recognizer or NoRecognizer()
        self._turns = Turns()
        self._listening = False
        self._heard_ms = 0.0
        self._frame_at_ms = 0.0

    def attune(self, detection: TurnDetection | None) -> None:
        """See `charye.server.parts.Ears.attune`."""
        self._listening = detection is not None
        self._turns.attune(detection)
        self._detector.reset()
        self._frame_at_ms = self._heard_ms

    def hear(self, pcm: bytes) -> tuple[SpeechFact, ...]:
        """See `charye.server.parts.Ears.hear`. A fact comes with the frame that makes it known, 20 or 32 ms late.

        Raises:
            ValueError: `pcm` ends in the middle of a sample.
        """
        self._heard_ms += duration_ms(pcm, sample_rate_hz=WIRE_RATE_HZ)
        if not self._listening:
            return ()
        facts: list[SpeechFact] = []
        for rating in self._detector.rate(pcm):
            start_ms = self._frame_at_ms
            self._frame_at_ms = start_ms + self._detector.frame_ms
            facts += self._turns.frame(rating, start_ms=start_ms, end_ms=self._frame_at_ms)
        return tuple(facts)

    def forget(self) -> None:
        """See `charye.server.parts.Ears.forget`."""
        self._turns.forget()

    def transcribe(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        """See `charye.server.parts.Ears.transcribe`."""
        return self._recognizer.recognize(pcm, wish)
