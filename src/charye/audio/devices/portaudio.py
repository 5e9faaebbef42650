"""Sound cards through `sounddevice`, which is PortAudio.

The wheels for macOS and Windows bring PortAudio. On Linux it is a package of the system, and importing `sounddevice`
without it raises OSError.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from charye.audio.devices.drivers import BLOCK_MS, NO_DEFAULT, NO_SUCH, STOPPED, Device, Direction, find
from charye.audio.pcm import WIRE_RATE_HZ
from charye.errors import DeviceError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from charye.audio.devices.drivers import Fill, InputStream, OutputStream, Take
    from charye.audio.sound import Fail

__all__ = ["NAME", "PortAudio", "load"]

NAME = "sounddevice"

# Source: PortAudio, portaudio.h, PaErrorCode.
_INVALID_SAMPLE_RATE = -9997
_MESSAGES = {
    -9985: "the device is in use by another program, or may not be used: close the other, or allow it",
    -9996: "the device is not there any more: plug it in or choose another",
    -9998: "the device takes no single channel: choose another",
    _INVALID_SAMPLE_RATE: "the device takes no usable sample rate: choose another",
}
_OTHER = "the device cannot be opened: choose another, or look whether another program uses it"

# What a driver says of its latency is believed up to here. Some host APIs say 0, some a time since the machine started.
_LATENCY_MAX_S = 2.0


def load() -> PortAudio:
    """Import it.

    Raises:
        MissingExtra: `sounddevice` is not installed.
        DeviceError: PortAudio is not.
    """
    try:
        return PortAudio(import_module("sounddevice"))
    except ImportError as error:
        raise MissingExtra(feature="the sound card", extra="devices") from error
    except OSError as error:
        message = "PortAudio is not installed; on Debian and Ubuntu run: apt install libportaudio2"
        raise DeviceError(message) from error


class PortAudio:
    """The backend `sounddevice`.

    Args:
        module: `sounddevice`, imported.
    """

    def __init__(self, module: Any) -> None:
        self._module = module

    def devices(self) -> list[Device]:
        """As `Backend.devices`. PortAudio looks once, when it is loaded: what is plugged in later is not seen."""
        return [device for _, device in self._found()]

    def open_input(self, device: str | None) -> InputStream:
        """As `Backend.open_input`."""
        return _Input(self._module, self._module.RawInputStream, *self._chosen(Direction.INPUT, device))

    def open_output(self, device: str | None) -> OutputStream:
        """As `Backend.open_output`."""
        return _Output(self._module, self._module.RawOutputStream, *self._chosen(Direction.OUTPUT, device))

    def _found(self) -> list[tuple[int, Device]]:
        """With PortAudio's numbers. Windows has each card once for each of its sound systems, so others are named."""
        try:
            infos = self._module.query_devices()
            hosts = self._module.query_hostapis()
            defaults = tuple(self._module.default.device)
        except self._module.PortAudioError as error:
            raise DeviceError("PortAudio cannot list the devices") from error
        home = {infos[number]["hostapi"] for number in defaults if 0 <= number < len(infos)}
        found = []
        for number, info in enumerate(infos):
            name = info["name"]
            if info["hostapi"] not in home:
                name = f"{name}, {hosts[info['hostapi']]['name']}"
            for direction, kind, default in zip(Direction, ("input", "output"), defaults, strict=True):
                if info[f"max_{kind}_channels"] > 0:
                    found.append((number, Device(NAME, direction, name, is_default=number == default)))
        return found

    def _chosen(self, direction: Direction, wanted: str | None) -> tuple[int, str]:
        found = [(number, device) for number, device in self._found() if device.direction is direction]
        if wanted is None:
            at = next((at for at, (_, device) in enumerate(found) if device.is_default), None)
        else:
            at = find(wanted, [device.name for _, device in found])
        if at is None:
            raise DeviceError(NO_DEFAULT if wanted is None else NO_SUCH, device=wanted)
        return found[at][0], found[at][1].name


class _Stream(ABC):
    """Both directions: opened at 24 kHz, else at the device's own rate; the driver says when it stops by itself."""

    def __init__(self, module: Any, raw: Callable[..., Any], number: int, name: str) -> None:
        self.name: str | None = name
        self.rate_hz = WIRE_RATE_HZ
        self._module = module
        self._raw = raw
        self._fail: Fail | None = None
        with self._translated():
            try:
                self._stream = self._opened(number)
            except module.PortAudioError as error:
                if error.args[1:2] != (_INVALID_SAMPLE_RATE,):
                    raise
                self.rate_hz = int(module.query_devices(number)["default_samplerate"])
                self._stream = self._opened(number)

    def close(self) -> None:
        self._stream.abort()  # `stop` would play to the end what the driver has
        self._stream.close()

    def _begin(self, fail: Fail) -> None:
        self._fail = fail
        with self._translated():
            self._stream.start()

    def _opened(self, number: int) -> Any:
        return self._raw(
            device=number,
            samplerate=self.rate_hz,
            channels=1,
            dtype="int16",
            blocksize=self.rate_hz * BLOCK_MS // 1000,
            latency="low",
            callback=self._move,
            finished_callback=self._finished,
        )

    @abstractmethod
    def _move(self, data: Any, count: int, times: Any, status: object) -> None: ...

    def _finished(self) -> None:
        if self._fail is not None:
            self._fail(DeviceError(STOPPED, device=self.name))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._module.PortAudioError as error:
            message = _MESSAGES.get(error.args[1], _OTHER) if len(error.args) > 1 else _OTHER
            raise DeviceError(message, device=self.name) from error


class _Input(_Stream):
    def start(self, take: Take, fail: Fail) -> None:
        self._take = take
        self._begin(fail)

    def _move(self, data: Any, count: int, times: Any, status: object) -> None:
        self._take(bytes(data))


class _Output(_Stream):
    def start(self, fill: Fill, fail: Fail) -> None:
        self._fill = fill
        self._begin(fail)

    def _move(self, data: Any, count: int, times: Any, status: object) -> None:
        latency_s = times.outputBufferDacTime - times.currentTime
        if not 0 < latency_s <= _LATENCY_MAX_S:
            latency_s = self._stream.latency
        data[:] = self._fill(count, latency_s)
