"""Which device: by backend and by name, or a file; and what to say when there is none.

`auto` takes the first backend that can be loaded and opens the device: sounddevice, which knows its latency, then
miniaudio, which needs nothing of the system. It never takes a file or the null device: a conversation that nobody hears
must be asked for.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from charye.audio.devices import mini, portaudio
from charye.audio.devices.drivers import NO_DEFAULT, NO_SUCH
from charye.audio.devices.files import FileCapture, FileLoudspeaker
from charye.audio.devices.streams import DeviceCapture, DeviceLoudspeaker
from charye.errors import CharyeError, ConfigurationError, DeviceError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from charye.audio.devices.drivers import Backend, Device

__all__ = ["AUTO", "FILE_PREFIX", "first_that_opens", "list_devices", "open_loudspeaker", "open_microphone"]

AUTO = "auto"
FILE_PREFIX = "file:"

_NOTHING = (
    "no sound device was found: plug one in; on Debian and Ubuntu it may need: apt install libportaudio2"
)

_T = TypeVar("_T")

_LOADERS: Mapping[str, Callable[[], Backend]] = {
    portaudio.NAME: portaudio.load,
    mini.NAME: mini.load,
    mini.NULL: partial(mini.load, null=True),
}
_AUTOMATIC = (portaudio.NAME, mini.NAME)


@dataclass(frozen=True, slots=True)
class _Failed:
    """A backend that did not open the device; `loaded` if it could be loaded at all."""

    backend: str
    error: DeviceError | MissingExtra
    loaded: Backend | None = None

    def distance(self) -> int:
        """From the device that was meant: it was there, another was, the library was, nothing was."""
        if self.loaded is not None:
            return 1 if self.error.message in {NO_SUCH, NO_DEFAULT} else 0
        return 3 if isinstance(self.error, MissingExtra) else 2

    def names(self) -> list[str]:
        """What could have been opened, for people."""
        if self.loaded is None:
            return []
        with suppress(DeviceError):
            return [f"{one.name!r} ({self.backend}, {one.direction.value})" for one in self.loaded.devices()]
        return []


def open_microphone(device: str | None = None, *, backend: str = AUTO) -> DeviceCapture | FileCapture:
    """Open a microphone; `start` it to hear something. May take a second, so call it before the conversation.

    Args:
        device: a name of `list_devices`, or a part of one; `file:` and a path for a WAV file; None is the system's
            choice.
        backend: `sounddevice`, `miniaudio`, `null` (silence, in real time), or `auto` for the first two in this order.

    Raises:
        DeviceError: there is none, or it is busy or forbidden. The notes of the error say what each backend said, and
            which names there are.
        MissingExtra: nothing that reaches a sound card is installed.
        ConfigurationError: there is no such backend.
    """
    if device is not None and device.startswith(FILE_PREFIX):
        return FileCapture(device.removeprefix(FILE_PREFIX))
    loaders = _chosen(backend)
    return DeviceCapture(first_that_opens(lambda loaded: loaded.open_input(device), loaders, device=device))


def open_loudspeaker(
    device: str | None = None, *, backend: str = AUTO
) -> DeviceLoudspeaker | FileLoudspeaker:
    """Open a loudspeaker; `start` it to play. May take a second, so call it before the conversation.

    Args:
        device: as for `open_microphone`; a file of that name is replaced.
        backend: as for `open_microphone`; `null` plays in real time, to nobody.

    Raises:
        DeviceError, MissingExtra, ConfigurationError: as for `open_microphone`.
    """
    if device is not None and device.startswith(FILE_PREFIX):
        return FileLoudspeaker(device.removeprefix(FILE_PREFIX))
    loaders = _chosen(backend)
    return DeviceLoudspeaker(
        first_that_opens(lambda loaded: loaded.open_output(device), loaders, device=device)
    )


def list_devices(*, backend: str = AUTO) -> list[Device]:
    """The devices of this backend; for `auto`, of the first that has any. Empty when there is none.

    Raises:
        MissingExtra, ConfigurationError: as for `open_microphone`.
        DeviceError: the backend itself does not work, and there is no other.
    """
    failed: list[_Failed] = []
    loaders = _chosen(backend)
    for name, load in loaders.items():
        try:
            found = load().devices()
        except (DeviceError, MissingExtra) as error:
            failed.append(_Failed(name, error))
            continue
        if found:
            return found
    if len(failed) == len(loaders):
        raise _told(failed, device=None)
    return []


def first_that_opens(
    open_: Callable[[Backend], _T], loaders: Mapping[str, Callable[[], Backend]], *, device: str | None
) -> _T:
    """What `open_` makes of the first backend with which it can.

    Args:
        open_: opens something of a backend that is loaded.
        loaders: name and loader of each backend, in the order in which they are tried.
        device: the name that was asked for, for the error.

    Raises:
        DeviceError, MissingExtra: as for `open_microphone`.
    """
    failed: list[_Failed] = []
    for name, load in loaders.items():
        loaded = None
        try:
            loaded = load()
            return open_(loaded)
        except (DeviceError, MissingExtra) as error:
            failed.append(_Failed(name, error, loaded))
    raise _told(failed, device=device)


def _told(failed: list[_Failed], *, device: str | None) -> CharyeError:
    """One error for all that was tried: the one nearest to the device, with the others and the names in its notes."""
    names = [name for one in failed for name in one.names()]
    near = min(failed, key=_Failed.distance).error
    if isinstance(near, DeviceError) and not names:
        error: CharyeError = DeviceError(_NOTHING, device=device)
        error.__cause__ = near
    else:
        error = near
    for one in failed:
        if one.error is not error:
            error.add_note(f"{one.backend}: {one.error}")
    if names:
        error.add_note(f"to choose from: {'; '.join(names)}")
    return error


def _chosen(backend: str) -> Mapping[str, Callable[[], Backend]]:
    if backend == AUTO:
        return {name: _LOADERS[name] for name in _AUTOMATIC}
    if backend not in _LOADERS:
        message = f"a sound backend is one of: {', '.join((AUTO, *_LOADERS))}"
        raise ConfigurationError(message, option="backend")
    return {backend: _LOADERS[backend]}
