"""What a backend must give: open streams of 16-bit mono samples that move in a thread of the driver's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from charye.audio.sound import Fail

__all__ = [
    "BLOCK_MS",
    "NO_DEFAULT",
    "NO_SUCH",
    "STARTS_ONCE",
    "STOPPED",
    "Backend",
    "Device",
    "Direction",
    "Fill",
    "InputStream",
    "OutputStream",
    "Take",
    "find",
]

BLOCK_MS = 20
"""A driver is asked to move so much at a time."""

# Messages of `DeviceError`, the same from every backend.
NO_DEFAULT = "the system has chosen no such device: plug one in or name one"
NO_SUCH = "there is no device of this name, or there are several: give a whole name"
STARTS_ONCE = "a device starts once: open it anew"
STOPPED = "the device has stopped: plug it in or choose another"

Fill: TypeAlias = Callable[[int, float], bytes]
"""Takes (count, latency_s), gives exactly so many samples at the stream's rate; the first leaves after `latency_s`."""

Take: TypeAlias = Callable[[bytes], None]
"""Takes samples that were captured, at the stream's rate."""


class Direction(Enum):
    """Which way the samples go."""

    INPUT = "microphone"
    OUTPUT = "loudspeaker"


@dataclass(frozen=True, slots=True)
class Device:
    """One device that can be opened.

    Attributes:
        backend: which library found it.
        direction: a headset is two devices.
        name: as `open_microphone` and `open_loudspeaker` take it.
        is_default: the system's choice, opened when none is named. miniaudio does not tell: always False there.
    """

    backend: str
    direction: Direction
    name: str
    is_default: bool = False


class InputStream(Protocol):
    """A microphone that is open and does not yet move."""

    name: str | None
    rate_hz: int

    def start(self, take: Take, fail: Fail) -> None:
        """Begin. Raises `DeviceError`."""
        ...

    def close(self) -> None:
        """Stop, wait for the driver's thread, give the device back. Twice does no harm."""
        ...


class OutputStream(Protocol):
    """A loudspeaker that is open and does not yet move."""

    name: str | None
    rate_hz: int

    def start(self, fill: Fill, fail: Fail) -> None:
        """Begin. Raises `DeviceError`."""
        ...

    def close(self) -> None:
        """Stop, wait for the driver's thread, give the device back. Twice does no harm."""
        ...


class Backend(Protocol):
    """A library that reaches sound cards, loaded."""

    def devices(self) -> list[Device]:
        """What is plugged in. Raises `DeviceError` where the library itself fails."""
        ...

    def open_input(self, device: str | None) -> InputStream:
        """Open a microphone; None is the system's choice. Raises `DeviceError`."""
        ...

    def open_output(self, device: str | None) -> OutputStream:
        """Open a loudspeaker; None is the system's choice. Raises `DeviceError`."""
        ...


def find(wanted: str, names: list[str]) -> int | None:
    """Which name is meant: the one that is the same, else the only one that contains it. Case does not count."""
    wanted = wanted.casefold()
    folded = [name.casefold() for name in names]
    if wanted in folded:
        return folded.index(wanted)
    containing = [at for at, name in enumerate(folded) if wanted in name]
    return containing[0] if len(containing) == 1 else None
