"""From ratings of frames to turns: when speech began, and when the silence that ends it is complete.

    QUIET ---loud---> RISING ---loud for 60 ms---> SPEAKING ---soft---> PAUSING ---silence complete---> QUIET
      ^_______soft______|                             ^______loud_________|

`loud` is a rating of at least the threshold. `soft` is one well below it: a voice that wavers around the threshold is
not cut into pieces. What begins, begins at its first loud frame, also when that is known only 60 ms later; a click is
over before. No clock here: time is the audio that was heard.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from charye.server.parts import SpeechFact, SpeechStarted, SpeechStopped

if TYPE_CHECKING:
    from charye.protocol import TurnDetection

__all__ = ["EAGERNESS_SILENCE_MS", "Turns"]

_MIN_SPEECH_MS = 60.0
_HYSTERESIS = 0.15  # as silero's own segmenter has it

# API reference, `turn_detection`: the defaults of server_vad.
_THRESHOLD = 0.5
_SILENCE_MS = 500.0

# semantic_vad asks a model whether the sentence is complete, and waits at most 8, 4 or 2 s if it is not. We hear only
# silence. A quarter of those is a pause in which a thought may still go on; `auto` is `medium`, as in the API.
EAGERNESS_SILENCE_MS = {"low": 2_000.0, "medium": 1_000.0, "auto": 1_000.0, "high": 500.0}

_State = Enum("_State", "QUIET RISING SPEAKING PAUSING")


class Turns:
    """The machine of one session. Give it every frame in order.

    Args:
        detection: the settings in force; None never finds anything.
    """

    def __init__(self, detection: TurnDetection | None = None) -> None:
        self._state = _State.QUIET
        self._onset_ms = 0.0
        self._voice_until_ms = 0.0
        self.attune(detection)

    @property
    def speaking(self) -> bool:
        """Whether a start was told and its stop was not."""
        return self._state in {_State.SPEAKING, _State.PAUSING}

    def attune(self, detection: TurnDetection | None) -> None:
        """Use these settings from the next frame on. Speech that is going on is forgotten."""
        self._state = _State.QUIET
        self._threshold = _THRESHOLD
        self._silence_ms = _SILENCE_MS
        if detection is None:
            self._threshold = float("inf")
        elif detection.type == "semantic_vad":
            self._silence_ms = EAGERNESS_SILENCE_MS.get(
                str(detection.eagerness), EAGERNESS_SILENCE_MS["auto"]
            )
        else:
            if isinstance(detection.threshold, int | float):
                self._threshold = float(detection.threshold)
            if isinstance(detection.silence_duration_ms, int):
                self._silence_ms = float(detection.silence_duration_ms)

    def forget(self) -> None:
        """Speech that is going on is over without a stop; if it goes on, it begins anew."""
        self._state = _State.QUIET

    def frame(self, rating: float, *, start_ms: float, end_ms: float) -> tuple[SpeechFact, ...]:
        """What this frame makes known.

        Args:
            rating: 0 to 1.
            start_ms, end_ms: where the frame is in the audio of the session.
        """
        loud = rating >= self._threshold
        match self._state:
            case _State.QUIET | _State.RISING:
                return self._before(loud, start_ms, end_ms)
            case _:
                return self._within(rating, loud, end_ms)

    def _before(self, loud: bool, start_ms: float, end_ms: float) -> tuple[SpeechFact, ...]:
        if not loud:
            self._state = _State.QUIET
            return ()
        if self._state is _State.QUIET:
            self._state = _State.RISING
            self._onset_ms = start_ms
        if end_ms - self._onset_ms < _MIN_SPEECH_MS:
            return ()
        self._state = _State.SPEAKING
        self._voice_until_ms = end_ms
        return (SpeechStarted(round(self._onset_ms)),)

    def _within(self, rating: float, loud: bool, end_ms: float) -> tuple[SpeechFact, ...]:
        # Once it pauses, only a loud frame resumes it.
        if loud or (self._state is _State.SPEAKING and rating > self._threshold - _HYSTERESIS):
            self._state = _State.SPEAKING
            self._voice_until_ms = end_ms
            return ()
        self._state = _State.PAUSING
        if end_ms - self._voice_until_ms < self._silence_ms:
            return ()
        self._state = _State.QUIET
        return (SpeechStopped(round(self._voice_until_ms + self._silence_ms)),)
