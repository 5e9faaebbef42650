"""The audio that the client has sent and nobody has committed.

Positions are milliseconds of all audio written in this session, as `audio_start_ms` and `audio_end_ms` on the wire.
"""

from charye.server import refusals
from charye.server.wire_audio import BYTES_PER_MS

__all__ = ["InputBuffer"]


class InputBuffer:
    """24 kHz PCM16 of one session.

    Args:
        max_s: more is refused.
    """

    __slots__ = ("_data", "_max_bytes", "_max_s", "_start")

    def __init__(self, *, max_s: float) -> None:
        self._data = bytearray()
        self._start = 0  # bytes written before what is in `_data`
        self._max_s = max_s
        self._max_bytes = int(max_s * 1000) * BYTES_PER_MS

    @property
    def held_ms(self) -> float:
        """How much is not committed."""
        return len(self._data) / BYTES_PER_MS

    @property
    def start_ms(self) -> int:
        """Where what is held begins."""
        return self._start // BYTES_PER_MS

    @property
    def written_ms(self) -> int:
        """How much was written in this session."""
        return (self._start + len(self._data)) // BYTES_PER_MS

    def append(self, pcm: bytes) -> None:
        """More audio.

        Raises:
            Refused: too much is held already; nothing was appended.
        """
        if len(self._data) + len(pcm) > self._max_bytes:
            raise refusals.buffer_full(self._max_s)
        self._data += pcm

    def take(self, start_ms: int | None = None, end_ms: int | None = None) -> bytes:
        """The audio between two positions, out of the buffer. What lies before is dropped, what lies after stays.

        Args:
            start_ms, end_ms: moved to what is held; None: its begin, its end.
        """
        start = 0 if start_ms is None else start_ms * BYTES_PER_MS - self._start
        end = len(self._data) if end_ms is None else end_ms * BYTES_PER_MS - self._start
        start = min(max(start, 0), len(self._data))
        end = min(max(end, start), len(self._data))
        taken = bytes(self._data[start:end])
        del self._data[:end]
        self._start += end
        return taken

    def drop_before(self, position_ms: int) -> None:
        """Forget what lies before `position_ms`."""
        self.take(position_ms, position_ms)

    def clear(self) -> None:
        """Forget all of it; positions go on counting."""
        self.take()
