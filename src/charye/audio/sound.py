"""What captures and what plays: the interfaces between a session and a sound card, a file, a browser or a phone line.

Samples are 16-bit little-endian mono PCM at 24 kHz (`pcm.WIRE_RATE_HZ`), whole samples only. The session calls both
from its own loop; none of these methods may block.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

__all__ = ["Capture", "Give", "Loudspeaker", "Report"]

Give: TypeAlias = Callable[[bytes], None]
"""Takes samples that were captured. May be called from any thread."""

Report: TypeAlias = Callable[[str, int, float], None]
"""Takes (item_id, content_index, played_ms): so much of this part has left the loudspeaker, counted from its start.

May be called from any thread, about ten times a second while something plays, and once at the end of each part.
"""


@runtime_checkable
class Capture(Protocol):
    """A source of samples: a microphone."""

    def start(self, give: Give) -> None:
        """Begin to capture.

        Raises:
            DeviceError: the device is missing, busy or forbidden; the message says what to do.
        """
        ...

    def close(self) -> None:
        """Stop and give the device back; `give` is not called any more. Twice does no harm."""
        ...


@runtime_checkable
class Loudspeaker(Protocol):
    """A sink of samples that knows what it has played."""

    def start(self, report: Report) -> None:
        """Make ready.

        Raises:
            DeviceError: as for `Capture.start`.
        """
        ...

    def play(self, response_id: str, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue samples behind everything queued before."""
        ...

    def stop(self, response_ids: tuple[str, ...]) -> None:
        """Silence now: drop what is queued of these responses, the part that sounds included; others go on."""
        ...

    def close(self) -> None:
        """Stop and give the device back; `report` is not called any more. Twice does no harm."""
        ...
