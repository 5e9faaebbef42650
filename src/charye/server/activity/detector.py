"""What rates frames of audio."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["Detector"]


@runtime_checkable
class Detector(Protocol):
    """How sure it is, frame by frame, that there is speech. One object serves one session."""

    @property
    def frame_ms(self) -> float:
        """Length of a frame."""
        ...

    def rate(self, pcm: bytes) -> list[float]:
        """Ratings, 0 to 1, of the frames that these 24 kHz samples complete; frames follow each other without a gap.

        Must not take longer than a few milliseconds for a second of audio: it runs on the event loop.
        """
        ...

    def reset(self) -> None:
        """The next samples are the beginning of a frame, and no continuation of what was heard."""
        ...
