"""Cut a stream of samples into frames of one length, whatever the pieces it comes in."""

from __future__ import annotations

from charye.audio.pcm import SAMPLE_BYTES, byte_count

__all__ = ["Framer"]


class Framer:
    """Pieces in, frames of `frame_ms` out, nothing lost and nothing added.

    Pieces may be of any length and may even end in the middle of a sample: a socket does not know of samples.

    Args:
        frame_ms: length of a frame; at least one sample, and rounded down to whole samples.
        sample_rate_hz: samples per second.

    Raises:
        ValueError: a frame would have no sample.
    """

    __slots__ = ("_frame_bytes", "_rest")

    def __init__(self, *, frame_ms: float, sample_rate_hz: int) -> None:
        self._frame_bytes = byte_count(frame_ms, sample_rate_hz=sample_rate_hz)
        if self._frame_bytes == 0:
            raise ValueError("a frame must have at least one sample")
        self._rest = bytearray()

    @property
    def frame_bytes(self) -> int:
        """Bytes in each frame."""
        return self._frame_bytes

    @property
    def waiting_bytes(self) -> int:
        """Bytes that came and are in no frame yet; fewer than a frame."""
        return len(self._rest)

    def feed(self, piece: bytes) -> list[bytes]:
        """The frames that this piece completes, in order."""
        self._rest += piece
        size = self._frame_bytes
        whole = len(self._rest) - len(self._rest) % size
        data = bytes(self._rest[:whole])
        del self._rest[:whole]
        return [data[start : start + size] for start in range(0, whole, size)]

    def flush(self, *, pad: bool = False) -> bytes:
        """What is left, and forget it: shorter than a frame, or empty. A half sample at the end is dropped.

        Args:
            pad: fill a frame that was begun with silence, for a receiver that takes whole frames only.
        """
        rest = bytes(self._rest[: len(self._rest) - len(self._rest) % SAMPLE_BYTES])
        self._rest.clear()
        return rest.ljust(self._frame_bytes, b"\0") if pad and rest else rest
