"""WAV files as devices, on a virtual clock: what is in the file is what would have been heard, to the sample."""

from __future__ import annotations

import asyncio
import math
import wave
from array import array
from typing import TYPE_CHECKING, Any

import pytest

from charye.audio import pcm
from charye.audio.devices import FileCapture, FileLoudspeaker, open_loudspeaker, open_microphone
from charye.audio.devices.drivers import STARTS_ONCE
from charye.audio.sound import Capture, Loudspeaker
from charye.errors import DeviceError
from charye.server.clock import VirtualLoop, run_virtually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RATE = pcm.WIRE_RATE_HZ
MS = 2 * RATE // 1000  # bytes


def numbered(ms: int, start: int = 1) -> bytes:
    """Samples that can be told apart, none of them silence."""
    return pcm.pack(array("h", (1 + (start + at) % 32_000 for at in range(ms * RATE // 1000))))


def write(path: Path, data: bytes, *, rate: int = RATE, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(data)
    return path


def read(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return file.readframes(file.getnframes())


# the loudspeaker


def test_the_file_has_everything_where_it_was_heard(tmp_path: Path) -> None:
    first, second = numbered(100), numbered(30, 9_000)
    said: list[tuple[float, str, int, float]] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        speaker = FileLoudspeaker(tmp_path / "out.wav")
        speaker.start(lambda *played: said.append((round(loop.time(), 4), *played)))
        await asyncio.sleep(0.05)
        for at in range(0, len(first), 999 * 2):
            speaker.play("r", "i", 0, first[at : at + 999 * 2])
        await asyncio.sleep(1)
        speaker.play("r", "j", 1, second)
        await asyncio.sleep(0.5)
        speaker.close()

    run_virtually(story())
    heard = read(tmp_path / "out.wav")
    silence = bytes(50 * MS)
    assert heard == silence + first + bytes(900 * MS) + second + bytes(470 * MS)
    assert said[-3:] == [(0.15, "i", 0, 100.0), (1.07, "j", 1, 20.0), (1.09, "j", 1, 30.0)]


def test_a_cut_is_at_its_millisecond(tmp_path: Path) -> None:
    cut, other = numbered(1_000), numbered(50, 20_000)
    said: dict[str, float] = {}

    async def story() -> None:
        speaker = FileLoudspeaker(tmp_path / "out.wav")
        speaker.start(lambda item, _, ms: said.update({item: ms}))
        speaker.play("r1", "cut", 0, cut)
        speaker.play("r2", "other", 0, other)
        await asyncio.sleep(0.333)
        speaker.stop(("r1",))
        await asyncio.sleep(0.2)
        speaker.close()

    run_virtually(story())
    heard = read(tmp_path / "out.wav")
    assert heard[: 333 * MS] == cut[: 333 * MS]
    fade = pcm.samples(heard[333 * MS : 338 * MS])
    assert all(
        0 <= soft <= full for soft, full in zip(fade, pcm.samples(cut[333 * MS : 338 * MS]), strict=True)
    )
    assert heard[338 * MS :] == other + bytes(145 * MS)
    assert said == {"cut": 338.0, "other": 50.0}


class CountingLoop(VirtualLoop):
    timers = 0

    def call_at(  # type: ignore[override]  # the same, said with `Any`
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_at(when, callback, *args, context=context)


def test_nothing_queued_needs_no_timer(tmp_path: Path) -> None:
    async def story(loop: CountingLoop) -> int:
        speaker = FileLoudspeaker(tmp_path / "out.wav")
        speaker.start(lambda *_: None)
        speaker.play("r", "i", 0, numbered(60))
        await asyncio.sleep(1)
        before = loop.timers
        await asyncio.sleep(10)
        after = loop.timers
        speaker.close()
        return after - before

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, CountingLoop)
        assert runner.run(story(loop)) == 1  # our own sleep
        assert 4 <= loop.timers <= 7


def test_who_plays_from_within_a_report_is_heard_once(tmp_path: Path) -> None:
    async def story(loop: CountingLoop) -> None:
        speaker = FileLoudspeaker(tmp_path / "out.wav")
        follow_up = [numbered(60, 9_000)]
        speaker.start(lambda *_: speaker.play("r", "j", 0, follow_up.pop()) if follow_up else None)
        speaker.play("r", "i", 0, numbered(60))
        await asyncio.sleep(0.12)
        assert loop.timers <= 8  # ours, and one for each 20 ms
        speaker.close()

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, CountingLoop)
        runner.run(story(loop))
    assert read(tmp_path / "out.wav") == numbered(60) + numbered(60, 9_000)


def test_the_clock_of_a_loop_is_a_float_and_no_sample_is_late(tmp_path: Path) -> None:
    async def story() -> None:
        speaker = FileLoudspeaker(tmp_path / "out.wav")
        speaker.start(lambda *_: None)
        speaker.play("r", "i", 0, numbered(1_000))
        for number in range(1, 500):
            await asyncio.sleep(0.001)
            speaker.stop(())
            assert read(tmp_path / "out.wav") == numbered(1_000)[: number * MS]
        speaker.close()

    run_virtually(story())


def test_after_close_nothing_is_heard_or_said(tmp_path: Path) -> None:
    said: list[object] = []

    async def story() -> None:
        speaker = FileLoudspeaker(tmp_path / "out.wav")
        speaker.start(lambda *played: said.append(played))
        speaker.play("r", "i", 0, numbered(100))
        speaker.close()
        speaker.close()
        speaker.play("r", "i", 0, numbered(100))
        speaker.stop(("r",))
        await asyncio.sleep(1)

    run_virtually(story())
    assert read(tmp_path / "out.wav") == b""
    assert said == []


@pytest.mark.skipif("sys.platform != 'linux'", reason="CI cannot: fill a disk, this system has no /dev/full")
def test_a_full_disk_is_told_once() -> None:
    told: list[DeviceError] = []

    async def story() -> None:
        speaker = FileLoudspeaker("/dev/full")
        speaker.start(lambda *_: None, fail=told.append)
        speaker.play("r", "i", 0, numbered(400))
        await asyncio.sleep(1)
        speaker.play("r", "i", 0, numbered(400))
        speaker.close()

    run_virtually(story())
    assert [(str(error), error.device) for error in told] == [("the file cannot be written", "/dev/full")]


# the microphone


def listened(microphone: FileCapture, seconds: float) -> list[tuple[float, bytes]]:
    frames: list[tuple[float, bytes]] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        microphone.start(lambda frame: frames.append((round(loop.time(), 6), frame)))
        await asyncio.sleep(seconds)
        microphone.close()
        microphone.close()
        await asyncio.sleep(1)

    run_virtually(story())
    return frames


def test_a_file_is_heard_in_real_time_and_then_silence(tmp_path: Path) -> None:
    data = numbered(90)
    frames = listened(FileCapture(write(tmp_path / "in.wav", data)), 0.2)
    assert [at for at, _ in frames] == pytest.approx([0.02 * n for n in range(1, 11)])
    assert b"".join(frame for _, frame in frames) == data + bytes(110 * MS)


def test_who_closes_at_a_frame_is_given_no_more(tmp_path: Path) -> None:
    frames: list[bytes] = []

    def give(frame: bytes) -> None:
        frames.append(frame)
        microphone.close()

    async def story() -> None:
        microphone.start(give)
        await asyncio.sleep(1)

    microphone = FileCapture(write(tmp_path / "in.wav", numbered(100)))
    run_virtually(story())
    assert frames == [numbered(20)]


@pytest.mark.parametrize(("speed", "step_s"), [(10.0, 0.002), (math.inf, 0.0)])
def test_a_file_can_be_heard_faster(tmp_path: Path, speed: float, step_s: float) -> None:
    path = write(tmp_path / "in.wav", numbered(100))
    frames = listened(FileCapture(path, speed=speed, then_silence=False), 0.5)
    assert [at for at, _ in frames] == pytest.approx([step_s * n for n in range(1, 6)])
    assert b"".join(frame for _, frame in frames) == numbered(100)


def test_the_silence_behind_a_fast_file_is_in_real_time(tmp_path: Path) -> None:
    frames = listened(FileCapture(write(tmp_path / "in.wav", numbered(20)), speed=math.inf), 0.05)
    assert [at for at, _ in frames] == pytest.approx([0.0, 0.02, 0.04])


def test_of_two_channels_the_first_is_heard(tmp_path: Path) -> None:
    left = numbered(40)
    both = array("h", (one for value in pcm.samples(left) for one in (value, -7)))
    frames = listened(
        FileCapture(write(tmp_path / "in.wav", pcm.pack(both), channels=2), then_silence=False), 1
    )
    assert b"".join(frame for _, frame in frames) == left


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_another_rate_is_changed(tmp_path: Path, rate: int) -> None:
    values = (round(9_000 * math.sin(2 * math.pi * 440 * at / rate)) for at in range(rate))
    path = write(tmp_path / "in.wav", pcm.pack(array("h", values)), rate=rate)
    frames = listened(FileCapture(path, then_silence=False), 2)
    assert {len(frame) for _, frame in frames} == {960}
    heard = pcm.samples(b"".join(frame for _, frame in frames))
    assert len(heard) == pytest.approx(RATE, abs=480)
    worst = max(
        abs(v - 9_000 * math.sin(2 * math.pi * 440 * at / RATE))
        for at, v in enumerate(heard[:-960])
        if at > 300
    )
    assert worst <= 12


def test_a_file_that_was_cut_off_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "in.wav", numbered(100))
    path.write_bytes(path.read_bytes()[: 44 + 50 * MS + 1])
    frames = listened(FileCapture(path, then_silence=False), 1)
    assert b"".join(frame for _, frame in frames) == numbered(50) + bytes(10 * MS)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no wave file, but long enough to be one" * 9])
def test_what_is_no_wav_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.wav").write_bytes(content)
    with pytest.raises(DeviceError, match="cannot be read as a WAV file") as caught:
        open_microphone(f"file:{tmp_path / 'in.wav'}")
    assert caught.value.device == str(tmp_path / "in.wav")


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be read"):
        FileCapture(tmp_path / "missing.wav")
    with pytest.raises(DeviceError, match="cannot be written"):
        open_loudspeaker(f"file:{tmp_path / 'no folder' / 'out.wav'}")
    with pytest.raises(DeviceError, match="16-bit"):
        FileCapture(write(tmp_path / "in.wav", b"abc", width=1))
    with pytest.raises(ValueError, match="positive"):
        FileCapture(write(tmp_path / "in.wav", b""), speed=0)


# both


def test_they_start_once(tmp_path: Path) -> None:
    async def story() -> None:
        microphone = FileCapture(write(tmp_path / "in.wav", b""))
        microphone.start(lambda _: None)
        with pytest.raises(DeviceError, match=STARTS_ONCE):
            microphone.start(lambda _: None)
        microphone.close()
        speaker = FileLoudspeaker(tmp_path / "out.wav")
        speaker.start(lambda *_: None)
        with pytest.raises(DeviceError, match=STARTS_ONCE):
            speaker.start(lambda *_: None)
        speaker.close()

    run_virtually(story())


def test_they_are_what_a_session_takes(tmp_path: Path) -> None:
    microphone = open_microphone(f"file:{write(tmp_path / 'in.wav', b'')}")
    speaker = open_loudspeaker(f"file:{tmp_path / 'out.wav'}")
    assert isinstance(microphone, Capture)
    assert isinstance(speaker, Loudspeaker)
    microphone.close()
    speaker.close()
