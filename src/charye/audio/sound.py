"""What captures and what plays: the interfaces between a session and a sound card, a file, a browser or a phone line.

Samples are 16-bit little-endian mono PCM at 24 kHz (`pcm.WIRE_RATE_HZ`), whole samples only. The session calls both
from its own loop; none of these methods may block.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

from charye.errors import DeviceError

__all__ = ["Capture", "Fail", "Give", "Loudspeaker", "Report"]

Give: TypeAlias = Callable[[bytes], None]
"""Takes samples that were captured, usually 20 ms. May be called from any thread; it must not block or raise."""

Report: TypeAlias = Callable[[str, int, float], None]
"""Takes (item_id, content_index, played_ms): so much of this part has left the loudspeaker, counted from its start.

May be called from any thread, about ten times a second while something plays, and when all that is queued of a part has
left; a part that grows again afterwards ends again. In the order of the loudspeaker. It must not block or raise.
"""

Fail: TypeAlias = Callable[[DeviceError], None]
"""Takes why a device that was started works no longer: unplugged, taken by the system, its driver gone.

Called once at most, from any thread. Nothing is given or reported afterwards. `close` it, and open another.
"""


@runtime_checkable
class Capture(Protocol):
    """A source of samples: a microphone."""

    def start(self, give: Give, *, fail: Fail | None = None) -> None:
        """Begin to capture. Once only: what was closed is opened anew.

        Args:
            give: called with each piece that was captured, until `close`.
            fail: told when the device goes away in the middle; without it nobody is told, and the samples just end.

        Raises:
            DeviceError: the device is missing, busy or forbidden; the message says what to do.
        """
        ...

    def close(self) -> None:
        """Stop and give the device back; no callback is called any more. Twice does no harm.

        Not from within a callback: it may wait for the thread that called it.
        """
        ...


@runtime_checkable
class Loudspeaker(Protocol):
    """A sink of samples that knows what it has played."""

    def start(self, report: Report, *, fail: Fail | None = None) -> None:
        """Make ready. Once only: what was closed is opened anew.

        Args:
            report: told what has been played, until `close`.
            fail: told when the device goes away in the middle; without it nobody is told, and the reports just end.

        Raises:
            DeviceError: as for `Capture.start`.
        """
        ...

    def play(self, response_id: str, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue samples behind everything queued before. What comes after `close` is dropped.

        Raises:
            ValueError: `pcm` ends in the middle of a sample.
        """
        ...

    def stop(self, response_ids: tuple[str, ...]) -> None:
        """Silence now: drop what is queued of these responses, the part that sounds included; others go on.

        A sound card plays to its end what its driver has already, some tens of milliseconds, and reports it.
        """
        ...

    def close(self) -> None:
        """Stop and give the device back, without waiting for what is queued; no callback is called any more.

        Twice does no harm. Not from within a callback: it may wait for the thread that called it.
        """
        ...
