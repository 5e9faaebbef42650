"""The libraries behind the devices: miniaudio's null device and PortAudio on ALSA's, really; and errors, translated."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from charye.audio import pcm
from charye.audio.devices import (
    Device,
    DeviceCapture,
    DeviceLoudspeaker,
    Direction,
    list_devices,
    mini,
    open_loudspeaker,
    open_microphone,
    portaudio,
)
from charye.audio.devices.drivers import NO_DEFAULT, NO_SUCH, STOPPED
from charye.audio.playing import Gaps
from charye.errors import DeviceError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RATE = pcm.WIRE_RATE_HZ
LIMIT_S = 20.0
"""Nothing here waits that long, unless it is broken."""


# miniaudio's null device: real threads, real time


def test_the_null_loudspeaker_plays_in_real_time_and_says_how_far() -> None:
    speaker = open_loudspeaker(backend="null")
    said, ended = list[tuple[str, int, float]](), threading.Event()

    def report(item_id: str, content_index: int, played_ms: float) -> None:
        said.append((item_id, content_index, played_ms))
        if (item_id, played_ms) == ("j", 10.0):
            ended.set()

    speaker.start(report)
    speaker.play("r", "i", 0, b"\1\0" * (RATE * 3 // 10))
    speaker.play("r", "j", 1, b"\1\0" * (RATE // 100))
    assert ended.wait(LIMIT_S)
    speaker.close()
    speaker.close()
    assert said == sorted(said, key=lambda one: (one[0], one[2]))
    assert [one for one in said if one[0] == "i"][-1] == ("i", 0, 300.0)
    assert said[-1] == ("j", 1, 10.0)
    # Once at its beginning, then ten times a second, and its end; fewer where this machine is late.
    assert len(said) <= 8
    assert speaker.gaps == Gaps(0, 0.0)


def test_what_is_stopped_on_the_null_loudspeaker_ends_and_the_rest_goes_on() -> None:
    speaker = open_loudspeaker(backend="null")
    said, begun, ended = dict[str, float](), threading.Event(), threading.Event()

    def report(item_id: str, content_index: int, played_ms: float) -> None:
        said[item_id] = played_ms
        begun.set()
        if (item_id, played_ms) == ("rest", 1.0):
            ended.set()

    speaker.start(report)
    speaker.play("r1", "cut", 0, b"\1\0" * RATE * 60)
    speaker.play("r2", "rest", 0, b"\1\0" * 24)
    assert begun.wait(LIMIT_S)
    speaker.stop(("r1",))
    assert ended.wait(LIMIT_S)
    speaker.close()
    assert said["cut"] < 50_000
    assert said["rest"] == 1.0


def test_the_null_microphone_gives_silence_in_frames_until_it_is_closed() -> None:
    microphone = open_microphone(backend="null")
    frames, enough = list[bytes](), threading.Event()

    def give(frame: bytes) -> None:
        frames.append(frame)
        if len(frames) == 5:
            enough.set()

    microphone.start(give)
    assert enough.wait(LIMIT_S)
    microphone.close()
    after = len(frames)
    microphone.close()
    assert set(frames) == {bytes(960)}
    assert len(frames) == after


def test_a_device_that_was_never_started_can_be_closed() -> None:
    open_microphone(backend="null").close()
    open_loudspeaker(backend="null").close()


def test_the_null_loudspeaker_hears_a_block_when_those_before_it_are_over() -> None:
    """miniaudio asks for a block when one of three is free; how long it is then until that one sounds, is reckoned."""
    stream, asked, enough = (
        mini.load(null=True).open_output(None),
        list[tuple[int, float]](),
        threading.Event(),
    )

    def fill(count: int, latency_s: float) -> bytes:
        asked.append((count, latency_s))
        if len(asked) == 5:
            enough.set()
        return bytes(2 * count)

    stream.start(fill, lambda error: None)
    assert enough.wait(LIMIT_S)
    stream.close()
    assert set(asked) == {(480, 0.04)}


def test_the_null_devices_have_names() -> None:
    assert list_devices(backend="null") == [
        Device("null", Direction.INPUT, "NULL Capture Device"),
        Device("null", Direction.OUTPUT, "NULL Playback Device"),
    ]
    open_microphone("null capture", backend="null").close()
    with pytest.raises(DeviceError, match=NO_SUCH) as caught:
        open_microphone("Headset", backend="null")
    assert caught.value.device == "Headset"
    assert any("'NULL Capture Device' (null, microphone)" in note for note in caught.value.__notes__)


# miniaudio, when it refuses


class MiniaudioError(Exception):
    pass


@dataclass
class FakeMini:
    """As much of the module `miniaudio` as is used, with devices that refuse."""

    code: tuple[int, ...] = ()
    names: tuple[str, ...] = ("Speakers",)
    listing_fails: bool = False
    start_fails: bool = False
    MiniaudioError: type[Exception] = MiniaudioError
    SampleFormat: Any = field(default_factory=lambda: SimpleNamespace(SIGNED16=2))
    opened: list[dict[str, Any]] = field(default_factory=list)

    def get_enabled_backends(self) -> set[Any]:
        names = ["NULL", "JACK", "ALSA", "PULSEAUDIO", "CUSTOM"]
        values = [14, 9, 8, 7, 13]
        return {_Backend(name, value) for name, value in zip(names, values, strict=True)}

    def Devices(self, backends: list[Any]) -> Any:  # noqa: N802  the library's name
        if self.listing_fails:
            raise MiniaudioError("cannot init context", -203)
        infos = [{"name": name, "id": number} for number, name in enumerate(self.names)]
        return SimpleNamespace(get_captures=lambda: infos, get_playbacks=lambda: infos)

    def CaptureDevice(self, form: int, **options: Any) -> Any:  # noqa: N802
        if self.code and not self.start_fails:
            raise MiniaudioError("failed to init device", *self.code)
        self.opened.append(options)
        return SimpleNamespace(start=self.start, close=lambda: None, stop_callback=None)

    PlaybackDevice = CaptureDevice

    def start(self, moves: object) -> None:
        if self.start_fails:
            raise MiniaudioError("failed to start audio device", *self.code)


@dataclass(frozen=True)
class _Backend:
    name: str
    value: int


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ((-6,), "may not be used"),
        ((-19,), "in use by another program"),
        ((-401,), "cannot be opened"),
        ((), "Speakers"),
    ],
)
def test_why_miniaudio_refuses(code: tuple[int, ...], says: str) -> None:
    if not code:
        mini.Miniaudio(FakeMini()).open_output("speak")
        return
    for start_fails in (False, True):
        fake = FakeMini(code=code, start_fails=start_fails)
        with pytest.raises(DeviceError, match=says) as caught:
            DeviceLoudspeaker(mini.Miniaudio(fake).open_output("Speakers")).start(lambda *_: None)
        assert caught.value.device == "Speakers"
        assert isinstance(caught.value.__cause__, MiniaudioError)


def test_miniaudio_is_asked_for_sound_cards_only_best_first() -> None:
    fake = FakeMini(
        names=("Discard all samples (playback) or generate zero samples (capture)", "Mic", "Mic 2")
    )
    backend = mini.Miniaudio(fake)
    assert [device.name for device in backend.devices()] == ["Mic", "Mic 2"] * 2
    backend.open_input("mic 2")
    backend.open_input(None)
    assert [options["device_id"] for options in fake.opened] == [2, None]
    assert [one.name for one in fake.opened[0]["backends"]] == ["PULSEAUDIO", "ALSA"]
    assert (fake.opened[0]["sample_rate"], fake.opened[0]["nchannels"]) == (RATE, 1)


def test_where_miniaudio_finds_no_sound_system_there_are_no_devices() -> None:
    assert mini.Miniaudio(FakeMini(listing_fails=True)).devices() == []


def test_a_miniaudio_device_that_stops_by_itself_says_so() -> None:
    device = SimpleNamespace(start=lambda moves: None, close=lambda: None, stop_callback=None)
    fake = FakeMini()
    fake.CaptureDevice = lambda *_, **__: device  # type: ignore[method-assign]
    told: list[DeviceError] = []
    microphone = DeviceCapture(mini.Miniaudio(fake).open_input(None))
    microphone.start(lambda _: None, fail=told.append)
    stopped: Callable[[], None] = device.stop_callback
    stopped()
    assert [str(error) for error in told] == [STOPPED]
    microphone.close()


# sounddevice, when it refuses


class PortAudioError(Exception):
    pass


@dataclass
class FakePort:
    """As much of the module `sounddevice` as is used."""

    default: Any = field(default_factory=lambda: SimpleNamespace(device=(0, 1)))
    refuses: dict[int, tuple[object, ...]] = field(default_factory=dict)  # by sample rate
    start_refuses: tuple[object, ...] = ()
    listing_fails: bool = False
    latency: float = 0.07
    PortAudioError: type[Exception] = PortAudioError
    streams: list[Any] = field(default_factory=list)

    INFOS = (
        ("Microphone (USB)", 0, 1, 0),
        ("Speakers", 0, 0, 2),
        ("Speakers", 1, 0, 2),
        ("Webcam", 1, 2, 0),
    )

    def query_devices(self, number: int | None = None) -> Any:
        if self.listing_fails:
            raise PortAudioError("Error querying device -1")
        infos = [
            {
                "name": name,
                "hostapi": host,
                "max_input_channels": inputs,
                "max_output_channels": outputs,
                "default_samplerate": 48_000.0,
            }
            for name, host, inputs, outputs in self.INFOS
        ]
        return infos if number is None else infos[number]

    def query_hostapis(self) -> Any:
        return ({"name": "MME"}, {"name": "WASAPI"})

    def RawInputStream(self, **options: Any) -> Any:  # noqa: N802
        refusal = self.refuses.get(options["samplerate"])
        if refusal is not None:
            raise PortAudioError(*refusal)
        did: list[str] = []
        stream = SimpleNamespace(
            options=options,
            latency=self.latency,
            start=self.start,
            abort=lambda: did.append("abort"),
            close=lambda: did.append("close"),
            did=did,
        )
        self.streams.append(stream)
        return stream

    RawOutputStream = RawInputStream

    def start(self) -> None:
        if self.start_refuses:
            raise PortAudioError(*self.start_refuses)


def test_the_names_of_portaudio_are_told_apart() -> None:
    found = portaudio.PortAudio(FakePort()).devices()
    assert [(one.direction, one.name, one.is_default) for one in found] == [
        (Direction.INPUT, "Microphone (USB)", True),
        (Direction.OUTPUT, "Speakers", True),
        (Direction.OUTPUT, "Speakers, WASAPI", False),
        (Direction.INPUT, "Webcam, WASAPI", False),
    ]


@pytest.mark.parametrize(("wanted", "number"), [(None, 1), ("speakers", 1), ("wasapi", 2)])
def test_the_device_that_was_meant_is_opened(wanted: str | None, number: int) -> None:
    fake = FakePort()
    stream = portaudio.PortAudio(fake).open_output(wanted)
    assert fake.streams[0].options["device"] == number
    assert (stream.rate_hz, fake.streams[0].options["blocksize"]) == (RATE, 480)


def test_a_card_that_does_not_take_24_khz_is_opened_at_its_own_rate() -> None:
    fake = FakePort(refuses={RATE: ("Invalid sample rate", -9997)})
    stream = portaudio.PortAudio(fake).open_output(None)
    assert stream.rate_hz == 48_000
    assert [one.options["blocksize"] for one in fake.streams] == [960]
    speaker, out = DeviceLoudspeaker(stream), bytearray(2 * 960)
    speaker.start(lambda *_: None)
    fake.streams[0].options["callback"](
        memoryview(out), 960, SimpleNamespace(outputBufferDacTime=0, currentTime=0), None
    )
    assert out == bytes(2 * 960)
    speaker.close()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("Device unavailable", -9985), "in use by another program, or may not be used"),
        (("Invalid device", -9996), "not there any more"),
        (("Invalid number of channels", -9998), "no single channel"),
        (("Unanticipated host error", -9999, (0, 5, "")), "cannot be opened"),
        (("odd",), "cannot be opened"),
    ],
)
def test_why_portaudio_refuses(args: tuple[object, ...], says: str) -> None:
    for fake in (FakePort(refuses={RATE: args}), FakePort(start_refuses=args)):
        with pytest.raises(DeviceError, match=says) as caught:
            DeviceCapture(portaudio.PortAudio(fake).open_input(None)).start(lambda _: None)
        assert caught.value.device == "Microphone (USB)"
        assert isinstance(caught.value.__cause__, PortAudioError)


def test_a_card_that_takes_no_rate_at_all_says_so() -> None:
    refusal = ("Invalid sample rate", -9997)
    fake = FakePort(refuses={RATE: refusal, 48_000: refusal})
    with pytest.raises(DeviceError, match="no usable sample rate"):
        portaudio.PortAudio(fake).open_input(None)


def test_devices_that_are_not_there() -> None:
    with pytest.raises(DeviceError, match=NO_DEFAULT):
        portaudio.PortAudio(FakePort(default=SimpleNamespace(device=(-1, -1)))).open_input(None)
    with pytest.raises(DeviceError, match=NO_SUCH):
        portaudio.PortAudio(FakePort()).open_input("Speakers")
    with pytest.raises(DeviceError, match="cannot list"):
        portaudio.PortAudio(FakePort(listing_fails=True)).devices()


@pytest.mark.parametrize(
    ("dac", "current", "heard_at_s"),
    # 30 ms, as it says; or the 70 ms of the stream, where what it says is no time.
    [(5.03, 5.0, 0.04), (0.0, 0.0, 0.08), (1e9, 5.0, 0.08)],
)
def test_the_latency_is_what_the_driver_says_if_it_can_be_true(
    dac: float, current: float, heard_at_s: float
) -> None:
    fake, said, now = FakePort(), list[tuple[float, float]](), [0.0]
    speaker = DeviceLoudspeaker(portaudio.PortAudio(fake).open_output(None), clock=lambda: now[0])
    speaker.start(lambda *played: said.append((now[0], played[2])))
    speaker.play("r", "i", 0, bytes(960 * 10))
    times = SimpleNamespace(outputBufferDacTime=dac, currentTime=current)
    for at in (0.0, 0.02, 0.04, 0.06, 0.08):
        now[0] = at
        fake.streams[0].options["callback"](memoryview(bytearray(960)), 480, times, None)
    ((said_at_s, played_ms),) = said
    assert said_at_s == heard_at_s
    assert played_ms == pytest.approx(10.0)
    speaker.close()
    assert fake.streams[0].did == ["abort", "close"]


def test_captured_samples_are_given_and_an_end_is_told() -> None:
    fake, frames, told = FakePort(), list[bytes](), list[DeviceError]()
    microphone = DeviceCapture(portaudio.PortAudio(fake).open_input(None))
    microphone.start(frames.append, fail=told.append)
    options = fake.streams[0].options
    options["callback"](memoryview(b"\1\2" * 480), 480, None, None)
    assert frames == [b"\1\2" * 480]
    options["finished_callback"]()
    assert [(str(error), error.device) for error in told] == [(STOPPED, "Microphone (USB)")]
    microphone.close()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    for load in (portaudio.load, mini.load):
        with pytest.raises(MissingExtra, match=r'uv add "charye\[devices\]"'):
            load()


def test_without_portaudio_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        portaudio.load()


# PortAudio itself, on a sound card that is none

PROGRAM = """
import json, threading
from charye.audio.devices import list_devices, open_loudspeaker, open_microphone

ended, heard = threading.Event(), threading.Event()
played, frames = [], []

def report(item_id, content_index, played_ms):
    played.append((item_id, content_index, played_ms))
    if played_ms == 1000: ended.set()

def give(frame):
    frames.append(frame)
    if len(frames) > 9: heard.set()

speaker = open_loudspeaker(backend="sounddevice")
speaker.start(report)
speaker.play("r", "i", 0, bytes(48_000))
assert ended.wait(20)
speaker.close()
microphone = open_microphone("default", backend="sounddevice")
microphone.start(give)
assert heard.wait(20)
microphone.close()
names = [(one.backend, one.direction.value, one.name, one.is_default) for one in list_devices()]
print(json.dumps([played[-1], sorted({len(frame) for frame in frames}), names]))
"""


@pytest.mark.skipif(
    "sys.platform != 'linux'", reason="CI cannot: make a sound card out of nothing without ALSA"
)
def test_portaudio_plays_and_hears_on_the_null_device_of_alsa(tmp_path: Path) -> None:
    assert importlib.util.find_spec("sounddevice") is not None
    (tmp_path / "asoundrc").write_text("pcm.!default { type null }\nctl.!default { type null }\n")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"ALSA_CONFIG_PATH": str(tmp_path / "asoundrc")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "PortAudio is not installed" in done.stderr:
        pytest.skip("PortAudio is not installed; run: apt install libportaudio2")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        ["i", 0, 1000.0],
        [960],
        [["sounddevice", "microphone", "default", True], ["sounddevice", "loudspeaker", "default", True]],
    ]
