"""Which backend is taken, and what is said when none can be."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from charye.audio.devices import (
    Device,
    Direction,
    list_devices,
    mini,
    open_loudspeaker,
    open_microphone,
    portaudio,
)
from charye.audio.devices.choosing import first_that_opens
from charye.audio.devices.drivers import NO_SUCH, InputStream, OutputStream
from charye.errors import ConfigurationError, DeviceError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from charye.audio.devices.drivers import Backend

BUSY = "the device is in use by another program: close the other"
MISSING = MissingExtra(feature="the sound card", extra="devices")
NO_PORTAUDIO = DeviceError("PortAudio is not installed")


@dataclass
class Shelf:
    """A backend with these devices, each of which opens or is busy."""

    name: str
    names: tuple[str, ...] = ()
    busy: bool = False
    unlistable: bool = False

    def devices(self) -> list[Device]:
        if self.unlistable:
            raise DeviceError("cannot list")
        return [Device(self.name, Direction.OUTPUT, name) for name in self.names]

    def open_input(self, device: str | None) -> InputStream:
        raise NotImplementedError

    def open_output(self, device: str | None) -> OutputStream:
        raise NotImplementedError


def loaders(*shelves: Shelf | Exception) -> Mapping[str, Callable[[], Backend]]:
    def load(shelf: Shelf | Exception) -> Backend:
        if isinstance(shelf, Exception):
            raise shelf
        return shelf

    return {f"backend{number}": lambda shelf=shelf: load(shelf) for number, shelf in enumerate(shelves, 1)}  # type: ignore[misc]


def chosen(device: str | None, *shelves: Shelf | Exception) -> str:
    """The name of the backend that opens it."""

    def open_(loaded: Backend) -> str:
        assert isinstance(loaded, Shelf)
        if loaded.busy:
            raise DeviceError(BUSY, device=device)
        if not loaded.names or (device is not None and device not in loaded.names):
            raise DeviceError(NO_SUCH, device=device)
        return loaded.name

    return first_that_opens(open_, loaders(*shelves), device=device)


def test_the_first_that_opens_it_is_taken() -> None:
    one, other = Shelf("one", ("Speakers",)), Shelf("other", ("Speakers", "Headset"))
    assert chosen(None, one, other) == "one"
    assert chosen("Headset", one, other) == "other"
    assert chosen(None, MISSING, other) == "other"
    assert chosen(None, NO_PORTAUDIO, other) == "other"
    assert chosen(None, Shelf("busy", ("Speakers",), busy=True), other) == "other"


def notes(device: str | None, *shelves: Shelf | Exception) -> tuple[str, list[str]]:
    with pytest.raises(DeviceError) as caught:
        chosen(device, *shelves)
    assert caught.value.device == device
    return str(caught.value), caught.value.__notes__


def test_busy_says_more_than_unknown() -> None:
    said, beside = notes("Mic", Shelf("one", ("Speakers",)), Shelf("two", ("Mic",), busy=True))
    assert said == BUSY
    assert f"backend1: {NO_SUCH}" in beside
    assert "to choose from: 'Speakers' (backend1, loudspeaker); 'Mic' (backend2, loudspeaker)" in beside


def test_an_unknown_name_says_more_than_a_missing_library() -> None:
    said, beside = notes("Mic", NO_PORTAUDIO, Shelf("two", ("Speakers",)))
    assert said == NO_SUCH
    assert "backend1: PortAudio is not installed" in beside
    assert "to choose from: 'Speakers' (backend2, loudspeaker)" in beside


def test_where_there_is_no_device_it_says_what_to_plug_in_and_to_install() -> None:
    said, beside = notes(None, NO_PORTAUDIO, Shelf("two"))
    assert "no sound device was found" in said
    assert "apt install libportaudio2" in said
    assert "backend1: PortAudio is not installed" in beside
    assert not any(note.startswith("to choose from") for note in beside)
    assert notes(None, MISSING, NO_PORTAUDIO)[0] == said
    assert notes(None, MISSING, Shelf("two", ("hidden",), busy=True, unlistable=True))[0] == said


def test_where_nothing_is_installed_it_says_which_extra() -> None:
    with pytest.raises(MissingExtra):
        chosen(None, MISSING, MISSING)


def test_an_unknown_backend_is_refused() -> None:
    for use in (open_microphone, open_loudspeaker, list_devices):
        with pytest.raises(ConfigurationError, match="auto, sounddevice, miniaudio, null") as caught:
            use(backend="jack")
        assert caught.value.option == "backend"


def test_without_the_extra_nothing_can_be_listed_or_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    for use in (open_microphone, open_loudspeaker, list_devices):
        with pytest.raises(MissingExtra, match=r'uv add "charye\[devices\]"'):
            use()


def test_a_list_is_empty_where_a_backend_works_and_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Where there is no sound system at all, miniaudio finds none, and nothing is raised.
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert all(device.backend == mini.NAME for device in list_devices(backend=mini.NAME))
    with pytest.raises(MissingExtra):
        list_devices(backend=portaudio.NAME)


@pytest.mark.skipif("sys.platform != 'linux'", reason="CI cannot: hide the sound card of this system")
def test_neither_a_file_nor_the_null_device_is_taken_by_itself(tmp_path: Path) -> None:
    """On a machine without a sound card, which this one is made to be, opening raises."""
    none = "{ type hw card 31 }"
    (tmp_path / "asoundrc").write_text(f"pcm.!default {none}\nctl.!default {none}\n")
    program = (
        "from charye.audio.devices import open_loudspeaker, open_microphone\n"
        "from charye.errors import DeviceError\n"
        "for use in (open_microphone, open_loudspeaker):\n"
        "    try: use().close()\n"
        "    except DeviceError as error: print(error)\n"
        "    else: print('opened')\n"
    )
    hidden = {
        "ALSA_CONFIG_PATH": str(tmp_path / "asoundrc"),
        "PULSE_SERVER": "none:",
        "XDG_RUNTIME_DIR": os.devnull,
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | hidden,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.count("no sound device was found") == 2


def test_opening_a_file_loads_no_sound_library() -> None:
    program = (
        "import sys, charye.audio.devices as devices\n"
        "try: devices.open_microphone('file:/nowhere.wav')\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print(sorted({'numpy', 'soxr', 'sounddevice', 'miniaudio'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split("\n")[:2] == ["DeviceError", "[]"]
