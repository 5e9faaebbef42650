"""WAV files in the place of a microphone and a loudspeaker, at the pace of the event loop's clock.

For tests, for machines without a sound card, and to keep what was said. On a virtual loop they take no time at all.
Both are started, used and closed from a running loop, and call back from there.
"""

from __future__ import annotations

import asyncio
import wave
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from charye.audio.devices.drivers import BLOCK_MS, STARTS_ONCE
from charye.audio.framing import Framer
from charye.audio.pcm import SAMPLE_BYTES, WIRE_RATE_HZ, pack, samples
from charye.audio.playing import Reel
from charye.audio.resample import Resampler
from charye.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from charye.audio.playing import Gaps
    from charye.audio.sound import Fail, Give, Report

__all__ = ["FileCapture", "FileLoudspeaker"]

_BLOCK_S = BLOCK_MS / 1000
_ROUNDING = 1e-6  # samples; the loop's time is a float
_UNWRITABLE = "the file cannot be written"


class FileCapture:
    """A `Capture` that reads a WAV file of 16-bit samples, any rate; of several channels the first.

    After the file comes silence in real time, as in a room, so that the server hears the end of a turn.

    Args:
        path: the file.
        speed: 1 is real time, 10 is ten times as fast, `math.inf` as fast as the loop turns.
        then_silence: whether silence follows the file; otherwise nothing does.

    Raises:
        DeviceError: the file cannot be read, or has other samples.
        MissingExtra: it has another rate than 24 kHz, and soxr is not installed.
        ValueError: `speed` is not positive.
    """

    def __init__(self, path: str | Path, *, speed: float = 1.0, then_silence: bool = True) -> None:
        if not speed > 0:
            raise ValueError("speed must be positive")
        self._name = str(path)
        self._speed = speed
        self._then_silence = then_silence
        with _translated(self._name, "the file cannot be read as a WAV file"):
            self._file = wave.open(self._name, "rb")  # noqa: SIM115  until `close`
        if self._file.getsampwidth() != SAMPLE_BYTES:
            self._file.close()
            raise DeviceError("the file has no 16-bit samples: convert it", device=self._name)
        self._resampler = Resampler(from_hz=self._file.getframerate(), to_hz=WIRE_RATE_HZ)
        self._framer = Framer(frame_ms=BLOCK_MS, sample_rate_hz=WIRE_RATE_HZ)
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    def start(self, give: Give, *, fail: Fail | None = None) -> None:
        """As `Capture.start`."""
        if self._over or self._timer is not None:
            raise DeviceError(STARTS_ONCE, device=self._name)
        loop = asyncio.get_running_loop()
        frames = self._frames()

        def turn(due_at: float, frame: bytes) -> None:
            give(frame)
            wait_for_next(due_at)

        def wait_for_next(last_at: float) -> None:
            if self._over:
                return
            try:
                with _translated(self._name, "the file cannot be read any more"):
                    following = next(frames, None)
            except DeviceError as error:
                self.close()
                if fail is not None:
                    fail(error)
                return
            if following is not None:
                step_s, frame = following
                # As a microphone does: a frame comes when it is over.
                self._timer = loop.call_at(last_at + step_s, turn, last_at + step_s, frame)

        wait_for_next(loop.time())

    def close(self) -> None:
        """As `Capture.close`."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._file.close()

    def _frames(self) -> Iterator[tuple[float, bytes]]:
        """Frames, each with the time that it takes."""
        channels, rate_hz = self._file.getnchannels(), self._file.getframerate()
        step_s = _BLOCK_S / self._speed
        while data := self._file.readframes(rate_hz * BLOCK_MS // 1000):
            whole = data[: len(data) - len(data) % (SAMPLE_BYTES * channels)]
            first = whole if channels == 1 else pack(samples(whole)[::channels])
            for frame in self._framer.feed(self._resampler.feed(first)):
                yield step_s, frame
        for frame in (*self._framer.feed(self._resampler.flush()), self._framer.flush(pad=True)):
            if frame:
                yield step_s, frame
        while self._then_silence:
            yield _BLOCK_S, bytes(self._framer.frame_bytes)


class FileLoudspeaker:
    """A `Loudspeaker` that writes a WAV file: what would have been heard from `start` to `close`, silence included.

    Exact to the sample: what is queued or cut at one moment of the loop's clock begins or ends at that moment of the
    file. A file of that name is replaced. While nothing is queued, no timer runs.

    Args:
        path: the file.

    Raises:
        DeviceError: the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self._name = str(path)
        with _translated(self._name, _UNWRITABLE):
            self._bytes = open(self._name, "wb")  # noqa: SIM115  until `close`
        self._file = wave.open(self._bytes, "wb")  # noqa: SIM115
        self._file.setparams((1, SAMPLE_BYTES, WIRE_RATE_HZ, 0, "NONE", ""))
        self._reel = Reel()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._report: Report | None = None
        self._fail: Fail | None = None
        self._started_at = 0.0
        self._over = False

    @property
    def gaps(self) -> Gaps:
        """How often the next samples of a part came too late, and how much silence that made."""
        return self._reel.gaps

    def start(self, report: Report, *, fail: Fail | None = None) -> None:
        """As `Loudspeaker.start`."""
        if self._over or self._loop is not None:
            raise DeviceError(STARTS_ONCE, device=self._name)
        self._report, self._fail = report, fail
        self._loop = asyncio.get_running_loop()
        self._started_at = self._loop.time()
        self._turn()

    def play(self, response_id: str, item_id: str, content_index: int, pcm: bytes) -> None:
        """As `Loudspeaker.play`."""
        self._write()
        self._reel.append(response_id, item_id, content_index, pcm)
        if self._timer is None:
            self._turn()

    def stop(self, response_ids: tuple[str, ...]) -> None:
        """As `Loudspeaker.stop`, at once: a file has no driver that goes on."""
        self._write()
        self._reel.drop(response_ids)

    def close(self) -> None:
        """As `Loudspeaker.close`. The file ends here."""
        self._write()
        self._end()

    def _turn(self) -> None:
        """Write up to now, report, and look again after a block if something is left."""
        self._timer = None
        self._write()
        if self._loop is None or self._report is None or self._over:
            return
        for played in self._reel.reports(self._loop.time()):
            self._report(*played)
        self._look_again(self._loop)

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        # A report may have led to a `play`, which looks again by itself, or to the end.
        if self._timer is None and not self._reel.is_quiet and not self._over:
            self._timer = loop.call_later(_BLOCK_S, self._turn)

    def _write(self) -> None:
        if self._loop is None or self._over:
            return
        now = int((self._loop.time() - self._started_at) * WIRE_RATE_HZ + _ROUNDING)
        try:
            while (start := self._reel.position) < now:
                count = min(now - start, WIRE_RATE_HZ)  # a second at a time: it may have been quiet for hours
                self._reel.leaves(start, count, self._started_at + start / WIRE_RATE_HZ)
                with _translated(self._name, _UNWRITABLE):
                    self._file.writeframes(self._reel.take(count))
                    self._bytes.flush()  # a file that can be read, if this program does not come to `close`
        except DeviceError as error:
            self._end()
            if self._fail is not None:
                self._fail(error)

    def _end(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        with suppress(OSError):  # said already, or the disk filled up with the very last bytes
            self._file.close()
        with suppress(OSError):
            self._bytes.close()


@contextmanager
def _translated(name: str, message: str) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, wave.Error) as error:
        raise DeviceError(message, device=name) from error
