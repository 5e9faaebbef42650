"""The journal: the black box of a session. Every event both ways, every input to the core, every effect of it.

It is kept in memory, the oldest forgotten first, and in a file where that is wanted. Lines are JSON; what they say is
in `docs/reference/journal.md`. From the first line on it can be fed to a fresh core again (`replay`).

Nothing here blocks or raises, but the constructor of `JournalSettings` and `dump`. A record costs a few microseconds;
lines are made when somebody reads them, and of audio only the length is kept, unless it is asked for.

    journal = Journal(JournalSettings(), clock=loop.time)
    journal.began(peer_settings, provider="openai")
    journal.received(data, event, now)                # what the server said, or
    journal.fed("request", (request,), now)           # any other input of the core,
    journal.performed(effects, now)                   # then what came of it, if anything
    journal.sent(data, now)
    journal.noted("reconnecting", now, attempt=2)

Written from one thread, read from any. What is given must not be changed afterwards.
"""

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

import msgspec

from charye.core.effects import Effect, Play
from charye.core.settings import Settings
from charye.errors import ConfigurationError
from charye.protocol import ResponseOutputAudioDelta, ServerEvent, audio_length_bytes
from charye.session.journal_file import JournalFile
from charye.session.journal_lines import (
    CLOSED,
    DID,
    FED,
    HEARD,
    HEARD_AUDIO,
    HEARD_AUDIO_BYTES,
    MALFORMED,
    NOTED,
    PLAYED_AUDIO,
    PLAYED_AUDIO_BYTES,
    SENT,
    SENT_AUDIO,
    SENT_AUDIO_BYTES,
    TICKED,
    Record,
    about,
    as_line,
    line_of,
    weight,
)
from charye.session.journal_settings import JournalSettings
from charye.session.redaction import How

__all__ = ["FORMAT", "Journal", "JournalSettings", "version"]

FORMAT = 1
"""Of the lines. A reader of a lower one may not understand a higher one."""

# Measured: the events of `tests/protocol/samples.py` take less than this in memory once they are decoded.
_DECODED = 3
_RECORD_BYTES = 150

_FRAMES_S = 1.0


@cache
def version() -> str:
    """Of the charye that is installed here. Asked of the package, because its root is above this layer."""
    try:
        return metadata.version("charye")
    except metadata.PackageNotFoundError:
        return "unknown"


class Journal:
    """One session's journal. See the module.

    Args:
        clock: seconds, the same as `now` everywhere.
    """

    __slots__ = (
        "_clock",
        "_dropped",
        "_file",
        "_frame_bytes",
        "_frames",
        "_frames_due",
        "_header",
        "_how",
        "_is_closed",
        "_is_dropping",
        "_item_id",
        "_kept_bytes",
        "_records",
        "_response_id",
        "_settings",
    )

    def __init__(self, settings: JournalSettings, *, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._how = How(private=settings.private, audio=settings.audio)
        self._header = ""
        self._records: deque[Record] = deque()
        self._kept_bytes = 0
        self._dropped = 0
        self._is_dropping = False
        self._file: JournalFile | None = None
        self._is_closed = False
        # Ids of the latest audio: one object for all deltas of an item, instead of one each.
        self._response_id = ""
        self._item_id = ""
        # Of the user's audio, since its last line.
        self._frames = 0
        self._frame_bytes = 0
        self._frames_due = float("-inf")

    # what happens

    def began(self, peer_settings: Settings, **facts: object) -> None:
        """The first line, before anything else; again does nothing.

        Args:
            peer_settings: with which the core was made.
            facts: about the session: numbers and short texts, such as the provider's name.
        """
        if self._header or self._is_closed:
            return
        settings = self._settings
        self._how = How(private=settings.private, audio=settings.audio, dialect=peer_settings.dialect)
        self._header = as_line(
            {
                "mark": "#",
                "journal": FORMAT,
                "charye": version(),
                "unix_s": time.time(),
                "at": self._clock(),
                "private": settings.private.value,
                "audio": settings.audio,
                "settings": msgspec.to_builtins(peer_settings),
                "about": about(facts, self._how),
            }
        )
        if settings.file is not None:
            self._file = JournalFile(
                settings.file,
                header=self._header,
                line=self._line,
                max_bytes=settings.file_max_bytes,
                keep=settings.file_keep,
                queue_bytes=settings.file_queue_bytes,
            )

    def received(self, data: bytes, event: ServerEvent | None, now: float) -> None:
        """What the server said, before the core is fed with it. None: it was no event, and the core is not."""
        if type(event) is ResponseOutputAudioDelta and not self._how.audio:
            self._remember(event)
            ids = (self._response_id, self._item_id, event.content_index)
            record: Record = (
                HEARD_AUDIO_BYTES,
                HEARD_AUDIO,
                now,
                *ids,
                audio_length_bytes(event.delta),
                len(data),
            )
        elif event is None:
            record = (_RECORD_BYTES, MALFORMED, now, len(data))
        else:
            record = (_RECORD_BYTES + _DECODED * len(data), HEARD, now, event, len(data))
        self._keep(record)

    def fed(self, method: str, args: tuple[object, ...], now: float) -> None:
        """Any other input of the core: the method of `Peer`, and its arguments but `now`, in the order it has them."""
        kind = TICKED if method == "tick" else FED
        self._keep((_RECORD_BYTES + weight(args), kind, now, method, args))

    def performed(self, effects: list[Effect], now: float) -> None:
        """What came of the input before."""
        for effect in effects:
            if type(effect) is Play:
                event = effect.event
                self._remember(event)
                ids = (self._response_id, self._item_id, event.content_index)
                self._keep((PLAYED_AUDIO_BYTES, PLAYED_AUDIO, now, *ids, effect.duration_ms))
            else:
                self._keep((_RECORD_BYTES + weight(effect), DID, now, effect))

    def sent(self, data: bytes, now: float) -> None:
        """These bytes went onto the wire."""
        if not self._how.audio and b'"input_audio_buffer.append"' in data[:64]:
            self._frames += 1
            self._frame_bytes += len(data)
            if now >= self._frames_due:
                self._keep_frames(now)
        else:
            self._keep_frames(now)  # what was said before a commit stands before it
            self._keep((_RECORD_BYTES + len(data), SENT, now, data))

    def noted(self, what: str, now: float, **facts: object) -> None:
        """A fact of the shell. Constant text; what varies is in the facts, what may be words in `private_...`."""
        self._keep((_RECORD_BYTES + weight(facts), NOTED, now, what, facts))

    def close(self, *, wait_s: float = 0.0) -> None:
        """Nothing is kept from now on; the lines can still be read.

        Args:
            wait_s: how long to wait until the file is written whole. Without waiting that happens a moment later, at
                the latest when the program ends.
        """
        if not self._is_closed:
            now = self._clock()
            self._keep_frames(now)
            last: Record = (_RECORD_BYTES, CLOSED, now)
            number = self._dropped + len(self._records) + 1
            self._records.append(last)
            self._is_closed = True
            if self._file is not None:
                self._file.close(number, last)
        if self._file is not None and wait_s > 0:
            self._file.is_over.wait(wait_s)

    # reading

    def lines(self) -> Iterator[str]:
        """Everything up to now, without line ends. The header is always there, the oldest lines may be gone.

        Also from another thread than the rest.
        """
        while True:  # until nothing was dropped in between, so that the numbers are right
            is_dropping, dropped, records = self._is_dropping, self._dropped, tuple(self._records)
            if not (is_dropping or self._is_dropping) and dropped == self._dropped:
                return self._lines(records, dropped)

    def dump(self, path: Path) -> None:
        """Write the lines into a file that its owner alone can read; one of this name is replaced, at once.

        Raises:
            ConfigurationError: it cannot be written there.
        """
        try:
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                    file.writelines(f"{line}\n" for line in self.lines())
                os.replace(name, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(name)
                raise
        except OSError as error:
            raise ConfigurationError(
                "the journal cannot be written there", option="path", errno=error.errno
            ) from error

    # inside

    def _keep(self, record: Record) -> None:
        if self._is_closed:
            return
        records = self._records
        records.append(record)
        self._kept_bytes += record[0]
        if self._file is not None:
            self._file.put(self._dropped + len(records), record)
        if self._kept_bytes > self._settings.keep_bytes:
            self._is_dropping = True
            while self._kept_bytes > self._settings.keep_bytes:
                self._kept_bytes -= records.popleft()[0]
                self._dropped += 1
            self._is_dropping = False

    def _keep_frames(self, now: float) -> None:
        """The user's audio goes out all day, in fifty events a second: one line for all of a second."""
        if self._frames:
            self._keep((SENT_AUDIO_BYTES, SENT_AUDIO, now, self._frame_bytes, self._frames))
            self._frames = self._frame_bytes = 0
            self._frames_due = now + _FRAMES_S

    def _remember(self, event: ResponseOutputAudioDelta) -> None:
        if event.response_id != self._response_id:
            self._response_id = event.response_id
        if event.item_id != self._item_id:
            self._item_id = event.item_id

    def _line(self, number: int, record: Record) -> str:
        return line_of(number, record, self._how)

    def _lines(self, records: tuple[Record, ...], dropped: int) -> Iterator[str]:
        if self._header:
            yield self._header
        if dropped:
            yield as_line({"mark": "#", "dropped": dropped})
        for number, record in enumerate(records, dropped + 1):
            yield self._line(number, record)
