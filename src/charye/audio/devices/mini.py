"""Sound cards through `miniaudio`, which brings everything with it; and its null device, which needs no sound card.

The null device takes samples, gives silence, and keeps real time. Nothing chooses it but its name.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from threading import Event
from typing import TYPE_CHECKING, Any

from charye.audio.devices.drivers import BLOCK_MS, NO_SUCH, STOPPED, Device, Direction, find
from charye.audio.pcm import WIRE_RATE_HZ
from charye.errors import DeviceError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from charye.audio.devices.drivers import Fill, InputStream, OutputStream, Take
    from charye.audio.sound import Fail

__all__ = ["NAME", "NULL", "Miniaudio", "load"]

NAME = "miniaudio"
NULL = "null"

# Source: miniaudio.h, ma_result.
_ACCESS_DENIED, _BUSY = -6, -19
_MESSAGES = {
    _ACCESS_DENIED: "the device may not be used: allow this program to use it",
    _BUSY: "the device is in use by another program: close the other",
}
_OTHER = "the device cannot be opened: choose another, or look whether another program uses it"

# Blocks that the driver holds. miniaudio does not tell its latency; a block is asked for when one of these is free,
# so it is heard when the others are over. What lies behind, in a sound server or the air, is not known here.
_PERIODS = 3
_LATENCY_S = (_PERIODS - 1) * BLOCK_MS / 1000

# Not asked to play or listen: JACK is for studios, and its library writes to stderr when there is no server; the others
# are no sound cards.
_NOT_CARDS = {"JACK", "CUSTOM", "NULL"}

# ALSA's own null device is always listed, and it is no sound card.
_ALSA_NULL = "Discard all samples"


def load(*, null: bool = False) -> Miniaudio:
    """Import it.

    Args:
        null: its null device alone.

    Raises:
        MissingExtra: `miniaudio` is not installed.
    """
    try:
        return Miniaudio(import_module("miniaudio"), null=null)
    except ImportError as error:
        raise MissingExtra(feature="the sound card", extra="devices") from error


class Miniaudio:
    """The backend `miniaudio`, or `null`. It changes rates by itself, so a stream is always at 24 kHz.

    Args:
        module: `miniaudio`, imported.
        null: its null device alone.
    """

    def __init__(self, module: Any, *, null: bool = False) -> None:
        self._module = module
        self._name = NULL if null else NAME
        enabled = [module.Backend.NULL] if null else module.get_enabled_backends()
        # Their numbers are their order of preference.
        self._backends = sorted(
            (backend for backend in enabled if null or backend.name not in _NOT_CARDS),
            key=lambda backend: backend.value,
        )

    def devices(self) -> list[Device]:
        """As `Backend.devices`."""
        return [
            Device(self._name, direction, name)
            for direction in Direction
            for name, _ in self._found(direction)
        ]

    def open_input(self, device: str | None) -> InputStream:
        """As `Backend.open_input`."""
        return _Input(self._module, device, self._opened(Direction.INPUT, device))

    def open_output(self, device: str | None) -> OutputStream:
        """As `Backend.open_output`."""
        return _Output(self._module, device, self._opened(Direction.OUTPUT, device))

    def _found(self, direction: Direction) -> list[tuple[str, Any]]:
        """Names and ids. No device and no sound system at all are the same here: nothing is found."""
        try:
            known = self._module.Devices(self._backends)
            infos = known.get_captures() if direction is Direction.INPUT else known.get_playbacks()
        except self._module.MiniaudioError:
            return []
        return [(info["name"], info["id"]) for info in infos if not info["name"].startswith(_ALSA_NULL)]

    def _opened(self, direction: Direction, wanted: str | None) -> Any:
        device_id = None
        if wanted is not None:
            found = self._found(direction)
            at = find(wanted, [name for name, _ in found])
            if at is None:
                raise DeviceError(NO_SUCH, device=wanted)
            device_id = found[at][1]
        kinds = {Direction.INPUT: self._module.CaptureDevice, Direction.OUTPUT: self._module.PlaybackDevice}
        with _translated(self._module, wanted):
            return kinds[direction](
                self._module.SampleFormat.SIGNED16,
                nchannels=1,
                sample_rate=WIRE_RATE_HZ,
                buffersize_msec=BLOCK_MS,
                callback_periods=_PERIODS,
                device_id=device_id,
                backends=self._backends,
                app_name="charye",
            )


class _Stream:
    """Both directions. miniaudio drives a generator from its own thread, and takes the end of it for the end."""

    def __init__(self, module: Any, name: str | None, device: Any) -> None:
        self.name = name
        self.rate_hz = WIRE_RATE_HZ
        self._module = module
        self._device = device
        self._closing = Event()
        self._idle = Event()
        self._idle.set()

    def close(self) -> None:
        # The generator is ended in the driver's thread: `Device.stop` takes it away while that thread may be about to
        # call it, which then fails with a traceback on stderr. A device that is gone calls no more, hence the bound.
        # Closing calls `stop_callback` too; the lifeline is closed by then, and nobody is told.
        self._closing.set()
        self._idle.wait(_PERIODS * BLOCK_MS / 1000)
        self._device.close()

    def _begin(self, moves: Generator[Any, Any, None], fail: Fail) -> None:
        next(moves)
        self._device.stop_callback = lambda: fail(DeviceError(STOPPED, device=self.name))
        self._idle.clear()
        with _translated(self._module, self.name):
            self._device.start(moves)


class _Input(_Stream):
    def start(self, take: Take, fail: Fail) -> None:
        self._begin(self._taking(take), fail)

    def _taking(self, take: Take) -> Generator[None, bytearray, None]:
        try:
            while not self._closing.is_set():
                take(bytes((yield)))
        finally:
            self._idle.set()


class _Output(_Stream):
    def start(self, fill: Fill, fail: Fail) -> None:
        self._begin(self._filling(fill), fail)

    def _filling(self, fill: Fill) -> Generator[bytes, int, None]:
        try:
            count = yield b""
            while not self._closing.is_set():
                count = yield fill(count, _LATENCY_S)
        finally:
            self._idle.set()


@contextmanager
def _translated(module: Any, device: str | None) -> Iterator[None]:
    try:
        yield
    except module.MiniaudioError as error:
        message = _MESSAGES.get(error.args[1], _OTHER) if len(error.args) > 1 else _OTHER
        raise DeviceError(message, device=device) from error
