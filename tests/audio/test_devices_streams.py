"""A microphone and a loudspeaker on any driver, with a driver that the test moves by hand."""

from __future__ import annotations

import math
import threading
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from charye.audio import pcm
from charye.audio.devices import DeviceCapture, DeviceLoudspeaker
from charye.audio.devices.drivers import STARTS_ONCE, STOPPED, find
from charye.audio.devices.streams import Spool
from charye.audio.playing import Gaps, Reel
from charye.audio.sound import Capture, Loudspeaker
from charye.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from charye.audio.devices.drivers import Fill, Take
    from charye.audio.sound import Fail

RATE = pcm.WIRE_RATE_HZ
LIMIT_S = 10.0


@dataclass
class HandDriver:
    """Does nothing by itself."""

    rate_hz: int = RATE
    name: str | None = "hand"
    closed: int = 0
    now: float = 0.0
    refuses: DeviceError | None = None
    move: list[Callable[..., bytes | None]] = field(default_factory=list)
    fail: list[Fail] = field(default_factory=list)

    def start(self, move: Fill | Take, fail: Fail) -> None:
        self.move.append(move)
        self.fail.append(fail)
        if self.refuses is not None:
            raise self.refuses

    def close(self) -> None:
        self.closed += 1

    def plays(self, ms: int, latency_s: float = 0.0) -> bytes:
        out = b""
        for _ in range(ms // 20):
            out += self.move[0](self.rate_hz // 50, latency_s) or b""
            self.now += 0.02
        return out


def sine(rate: int, ms: int) -> bytes:
    count = rate * ms // 1000
    return pcm.pack(
        array("h", (round(9_000 * math.sin(2 * math.pi * 440 * at / rate)) for at in range(count)))
    )


# the loudspeaker


def test_what_is_played_is_reported_a_latency_later() -> None:
    driver = HandDriver()
    speaker = DeviceLoudspeaker(driver, clock=lambda: driver.now)
    said: list[tuple[float, str, int, float]] = []
    speaker.start(lambda item, index, ms: said.append((round(driver.now, 3), item, index, round(ms, 3))))
    data = sine(RATE, 60)
    speaker.play("r", "i", 0, data)
    assert driver.plays(200, latency_s=0.03)[: len(data)] == data
    assert said == [(0.04, "i", 0, 10.0), (0.1, "i", 0, 60.0)]
    assert speaker.gaps == Gaps(0, 0.0)


def test_a_stop_is_silence_after_a_fade() -> None:
    driver = HandDriver()
    speaker = DeviceLoudspeaker(driver, clock=lambda: driver.now)
    speaker.start(lambda *_: None)
    speaker.play("r", "i", 0, b"\x00\x10" * RATE)
    driver.plays(40)
    speaker.stop(("r",))
    assert sum(map(bool, pcm.samples(driver.plays(100)))) == 120  # 5 ms


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_at_the_rate_of_a_card_the_sine_stays_and_the_time_is_told_right(rate: int) -> None:
    """Where a sample comes out is looked for in the samples, not in the arithmetic that is on trial."""
    reel = Reel(report_every_s=0.0)
    spool = Spool(reel, rate_hz=rate)
    block = rate // 50
    out = spool.fill(block, leaves_at_s=0.0)
    for number in range(1, 3):
        out += spool.fill(block, leaves_at_s=number * block / rate)
    reel.append("r", "i", 0, sine(RATE, 300))
    first_heard_s, number = 0.0, 3
    while not reel.is_quiet:
        out += spool.fill(block, leaves_at_s=number * block / rate)
        number += 1
        for report in reel.reports(number * block / rate):
            first_heard_s = first_heard_s or number * block / rate - report.played_ms / 1000
    values = pcm.samples(out)
    assert len(values) == number * block
    begin = round(first_heard_s * rate)
    wanted = pcm.samples(sine(rate, 300))
    inner = slice(rate // 50, -rate // 50)  # the ends of a sine are edges, and a filter rings there
    worst = max(abs(a - b) for a, b in zip(values[begin:][: len(wanted)][inner], wanted[inner], strict=True))
    # One sample off would be 1,000 at 24 kHz. 440 Hz moves by a third of that in half a sample.
    assert worst <= 9_000 * 2 * math.pi * 440 / rate * 0.6


def test_each_fill_is_exactly_as_long_as_it_was_asked_to_be() -> None:
    spool = Spool(Reel(), rate_hz=44_100)
    assert [len(spool.fill(count, leaves_at_s=0.0)) for count in (1, 441, 0, 883, 7)] == [2, 882, 0, 1766, 14]


# the microphone


@pytest.mark.parametrize("rate", [RATE, 48_000, 44_100])
def test_captured_samples_come_in_frames_of_20_ms(rate: int) -> None:
    driver = HandDriver(rate_hz=rate)
    microphone = DeviceCapture(driver)
    frames: list[bytes] = []
    microphone.start(frames.append)
    data = sine(rate, 1_000)
    for at in range(0, len(data), 1_000):
        driver.move[0](data[at : at + 1_000])
    assert {len(frame) for frame in frames} == {960}
    got, wanted = pcm.samples(b"".join(frames)), pcm.samples(sine(RATE, 1_000))
    assert 0.94 * RATE <= len(got) <= RATE
    inner = slice(500, len(got) - 500)
    assert max(abs(a - b) for a, b in zip(got[inner], wanted[inner], strict=True)) <= 20


# both


def started(
    driver: HandDriver, kind: str, fail: Fail | None = None, gone_after_s: float = LIMIT_S
) -> DeviceCapture | DeviceLoudspeaker:
    if kind == "microphone":
        capture = DeviceCapture(driver, gone_after_s=gone_after_s)
        capture.start(lambda _: None, fail=fail)
        return capture
    speaker = DeviceLoudspeaker(driver, gone_after_s=gone_after_s)
    speaker.start(lambda *_: None, fail=fail)
    return speaker


KINDS = pytest.mark.parametrize("kind", ["microphone", "loudspeaker"])


@KINDS
def test_a_driver_that_calls_no_more_is_told_once(kind: str) -> None:
    driver, told, ready = HandDriver(), list[DeviceError](), threading.Event()

    def fail(error: DeviceError) -> None:
        told.append(error)
        ready.set()

    device = started(driver, kind, fail, gone_after_s=0.02)
    assert ready.wait(LIMIT_S)
    driver.fail[0](DeviceError("late"))
    assert [(str(error), error.device) for error in told] == [(STOPPED, "hand")]
    device.close()


@KINDS
def test_a_driver_that_says_it_stopped_is_told_once(kind: str) -> None:
    driver, told = HandDriver(), list[DeviceError]()
    device = started(driver, kind, told.append)
    for _ in range(2):
        driver.fail[0](DeviceError(STOPPED, device="hand"))
    assert [str(error) for error in told] == [STOPPED]
    device.close()


@KINDS
def test_stopping_because_we_close_is_no_failure(kind: str) -> None:
    driver, told = HandDriver(), list[DeviceError]()
    device = started(driver, kind, told.append)
    device.close()
    device.close()
    driver.fail[0](DeviceError(STOPPED))
    assert told == []
    assert driver.closed == 2


@KINDS
def test_a_device_that_goes_away_with_nobody_listening_does_no_harm(kind: str) -> None:
    driver = HandDriver()
    device = started(driver, kind)
    driver.fail[0](DeviceError(STOPPED))
    device.close()


@KINDS
def test_a_device_starts_once(kind: str) -> None:
    driver = HandDriver()
    device = started(driver, kind)
    with pytest.raises(DeviceError, match=STARTS_ONCE):
        device.start(lambda *_: None)
    device.close()
    with pytest.raises(DeviceError, match=STARTS_ONCE):
        device.start(lambda *_: None)
    assert len(driver.move) == 1


@KINDS
def test_a_device_that_does_not_start_leaves_nothing_behind(kind: str) -> None:
    driver, told = HandDriver(refuses=DeviceError("busy")), list[DeviceError]()
    before = threading.active_count()
    with pytest.raises(DeviceError, match="busy"):
        started(driver, kind, told.append, gone_after_s=0.0)
    assert threading.active_count() <= before
    driver.fail[0](DeviceError(STOPPED))
    assert told == []


def test_a_callback_that_raises_ends_the_device_and_is_told() -> None:
    driver, told = HandDriver(), list[DeviceError]()
    microphone = DeviceCapture(driver)
    frames: list[bytes] = []

    def give(frame: bytes) -> None:
        frames.append(frame)
        raise LookupError("bug")

    microphone.start(give, fail=told.append)
    with pytest.raises(LookupError):
        driver.move[0](bytes(960))
    driver.move[0](bytes(960))
    assert len(frames) == 1
    assert isinstance(told[0].__cause__, LookupError)
    microphone.close()


def test_after_the_end_nothing_is_given_and_nothing_reported() -> None:
    driver, said = HandDriver(), list[object]()
    speaker = DeviceLoudspeaker(driver, clock=lambda: driver.now)
    speaker.start(lambda *played: said.append(played))
    speaker.play("r", "i", 0, bytes(960))
    speaker.close()
    driver.plays(100)
    assert said == []


def test_they_are_what_a_session_takes() -> None:
    assert isinstance(DeviceCapture(HandDriver()), Capture)
    assert isinstance(DeviceLoudspeaker(HandDriver()), Loudspeaker)


def test_a_name_is_found_whole_or_by_a_part_that_only_it_has() -> None:
    names = ["Headset", "Headset Pro", "USB Audio"]
    assert find("headset", names) == 0
    assert find("usb", names) == 2
    assert find("head", names) is None
    assert find("Webcam", names) is None
