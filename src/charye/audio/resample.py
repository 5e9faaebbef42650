"""Change the rate of a stream without a click where one piece ends and the next begins.

Each piece alone would have two edges, and an edge is a click. So the filter keeps its state between pieces, and
the stream has only one beginning and one end. That costs a delay: the filter must see a little of what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from charye.audio.pcm import check_whole
from charye.errors import MissingExtra

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["Resampler"]


class Resampler:
    """One stream from one rate to another. Same rates: the bytes pass as they are, and nothing is imported.

    Not for several threads at once. After `flush` it begins a new stream.

    Args:
        from_hz: rate of what is fed.
        to_hz: rate of what comes out.

    Raises:
        MissingExtra: the rates differ and soxr is not installed.
        ValueError: a rate is not positive.
    """

    __slots__ = ("_from_hz", "_numpy", "_stream", "_to_hz")

    def __init__(self, *, from_hz: int, to_hz: int) -> None:
        if from_hz <= 0 or to_hz <= 0:
            raise ValueError("a sample rate must be positive")
        self._from_hz = from_hz
        self._to_hz = to_hz
        self._numpy: Any = None
        self._stream: Any = None
        if from_hz != to_hz:
            soxr, self._numpy = _packages()
            # Floats inside: soxr dithers 16-bit output, and then the same sentence is never the same bytes twice.
            # "MQ" passes everything below 8.9 kHz of a 22,050 Hz voice, and its delay is half that of "HQ".
            self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="MQ")

    @property
    def to_hz(self) -> int:
        """The rate of what comes out."""
        return self._to_hz

    def feed(self, pcm: bytes) -> bytes:
        """What can be said so far: whole samples, perhaps none yet, because the filter must see what follows.

        Raises:
            ValueError: `pcm` ends in the middle of a sample.
        """
        return self._run(pcm, last=False)

    def flush(self) -> bytes:
        """The rest of the stream. The next piece fed begins a new one."""
        rest = self._run(b"", last=True)
        if self._stream is not None:
            self._stream.clear()
        return rest

    def _run(self, pcm: bytes, *, last: bool) -> bytes:
        check_whole(pcm)
        if self._stream is None:
            return pcm
        numpy = self._numpy
        given = numpy.frombuffer(pcm, dtype="<i2").astype(numpy.float32)
        made = self._stream.resample_chunk(given, last=last)
        # A filter overshoots at steps, so what touched full scale before may pass it now; wrapping round would crack.
        clipped: bytes = numpy.clip(numpy.rint(made), -32_768, 32_767).astype("<i2").tobytes()
        return clipped


def _packages() -> tuple[ModuleType, ModuleType]:
    try:
        import numpy
        import soxr
    except ImportError as error:
        raise MissingExtra(feature="changing the sample rate", extra="voice") from error
    return soxr, numpy
