"""What waits to be written onto one line: in order, bounded, and never in anybody's way.

Putting never blocks, because effects of the core are performed at once and whole. A task writes. What may pile up is
audio; it is bounded in bytes. Who sends from a file waits for room (`Session.send_audio`); a microphone cannot wait,
so its oldest frames that are still unsent give way, which is noted. Everything else is small and is never dropped: a
server that does not read for so long that commands pile up is a lost line.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from charye.transports.base import Line

__all__ = ["Outbox"]

MAX_COMMANDS = 10_000
"""Commands unsent. Chosen: far beyond what a conversation has, far below what memory bears."""


class _Letter:
    __slots__ = ("data", "is_audio", "written")

    def __init__(self, data: bytes, *, is_audio: bool, written: Callable[[], object] | None = None) -> None:
        self.data = data
        self.is_audio = is_audio
        self.written = written


class Outbox:
    """Of one line; thrown away with it.

    Args:
        max_audio_bytes: of base64 audio that is unsent.
        sent: is told the bytes of each event when the line has taken them.
    """

    def __init__(self, *, max_audio_bytes: int, sent: Callable[[bytes], None]) -> None:
        self._letters: deque[_Letter] = deque()
        self._max_audio_bytes = max_audio_bytes
        self._audio_bytes = 0
        self._sent = sent
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self.dropped_frames = 0

    @property
    def is_overfull(self) -> bool:
        """Whether so many commands wait that the other end must be gone."""
        return len(self._letters) > MAX_COMMANDS

    def put(self, data: bytes) -> None:
        """A command, behind everything put before."""
        self._add(_Letter(data, is_audio=False))

    def put_audio(self, data: bytes, written: Callable[[], object] | None = None) -> int:
        """A frame of audio.

        Args:
            written: is called when the line has taken it, or when it is thrown away.
        Returns:
            How many older frames had to give way.
        """
        self._audio_bytes += len(data)
        self._add(_Letter(data, is_audio=True, written=written))
        dropped = 0
        while self._audio_bytes > self._max_audio_bytes and self._drop_oldest_audio():
            dropped += 1
        self.dropped_frames += dropped
        return dropped

    async def run(self, line: Line) -> None:
        """Write until cancelled.

        Raises:
            ConnectionLost: the line is.
        """
        while True:
            while not self._letters:
                self._emptied.set()
                self._filled.clear()
                await self._filled.wait()
            letter = self._letters.popleft()
            try:
                await line.send(letter.data)
            finally:
                self._gone(letter)
            self._sent(letter.data)

    async def flush(self) -> None:
        """Until everything put so far is written. Waits for ever if nobody writes: bound it."""
        await self._emptied.wait()

    def discard(self) -> None:
        """Throw away what is left: the line is gone."""
        while self._letters:
            self._gone(self._letters.popleft())

    def _add(self, letter: _Letter) -> None:
        self._letters.append(letter)
        self._emptied.clear()
        self._filled.set()

    def _gone(self, letter: _Letter) -> None:
        if letter.is_audio:
            self._audio_bytes -= len(letter.data)
        if letter.written is not None:
            letter.written()

    def _drop_oldest_audio(self) -> bool:
        """All but the newest letter may go."""
        for at in range(len(self._letters) - 1):
            letter = self._letters[at]
            if letter.is_audio:
                del self._letters[at]
                self._gone(letter)
                return True
        return False
