"""The journal's file: written by a thread of its own, so that a slow disk never holds up a conversation.

One thread of the process writes the files of all journals, batch by batch, and ends with the last of them. What waits
for it is bounded: beyond that lines are left out, and a line says how many. Files are new, never appended to, readable
by their owner only, and rotated by size: `talk.jsonl` is the latest, `talk.jsonl.1` the one before. Each begins with
the header. Where nothing can be written, that is logged once, and the journal goes on in memory.

At the end of the program what still waits is written, also of journals that nobody has closed.
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from charye.session.journal_lines import Record, as_line

__all__ = ["JournalFile"]

log = logging.getLogger(__name__)

BATCH_S = 0.1
"""How long lines are collected before they are written."""

BATCH_BYTES = 256 * 1024


class JournalFile:
    """Where one journal is written. `put` and `close` are for the loop, and take no lock that is held for long.

    Args:
        header: the line with which each file begins.
        line: makes a record's line of its number; must not raise.
        max_bytes: of one file; the line that exceeds it is still in it.
        keep: files beside the latest.
        queue_bytes: estimated size of what may wait for the disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        header: str,
        line: Callable[[int, Record], str],
        max_bytes: int,
        keep: int,
        queue_bytes: int,
    ) -> None:
        self._path = path
        self._header = header
        self._line = line
        self._max_bytes = max_bytes
        self._keep = keep
        self._queue_bytes = queue_bytes
        self._queue: deque[tuple[int, Record]] = deque()
        # Each is changed by one thread only, so what waits is their difference and needs no lock.
        self._given_bytes = 0
        self._taken_bytes = 0
        self._closing = False
        self._writing = threading.Lock()  # the thread, or the end of the program
        self._descriptor: int | None = None
        self._in_file = 0
        self._next = 1
        self.is_over = threading.Event()
        """Everything is written, or nothing more can be."""
        try:
            _WRITER.add(self)
        except RuntimeError:  # no more threads
            log.warning("the journal's file has no thread to write it; it is kept in memory")
            self.is_over.set()

    def put(self, number: int, record: Record) -> None:
        """Have it written, unless too much waits."""
        if self._given_bytes - self._taken_bytes > self._queue_bytes or self.is_over.is_set():
            return
        self._given_bytes += record[0]
        self._queue.append((number, record))
        _WRITER.wake()

    def close(self, number: int, last: Record) -> None:
        """Write what waits, then this, and close the file. Returns at once; see `is_over`."""
        if not self._closing:
            self._queue.append((number, last))
            self._closing = True
            _WRITER.wake()

    def drain(self) -> None:
        """Write what waits. Any thread; never raises."""
        with self._writing:
            if self.is_over.is_set():
                return
            closing = self._closing  # looked at first: nothing is put after it
            try:
                self._write_all()
                if closing:
                    self._end()
            except Exception as error:  # noqa: BLE001  the thread writes for others too, and must go on
                extra = {"error": type(error).__name__, "private_path": str(self._path)}
                extra["errno"] = str(getattr(error, "errno", None))
                log.warning("the journal cannot be written to its file; it is kept in memory", extra=extra)
                with suppress(OSError):
                    self._end()
                self.is_over.set()
                self._queue.clear()

    def _write_all(self) -> None:
        while self._queue:
            if self._descriptor is None or self._in_file > self._max_bytes:
                self._open()
            lines: list[str] = []
            room = min(BATCH_BYTES, self._max_bytes - self._in_file)
            while self._queue and room >= 0:
                number, record = self._queue.popleft()
                self._taken_bytes += record[0]
                if number != self._next:
                    lines.append(as_line({"mark": "#", "lost": number - self._next}))
                self._next = number + 1
                lines.append(self._line(number, record))
                room -= len(lines[-1])
            self._write(lines)

    def _open(self) -> None:
        """A new file; the others move on by one, and the oldest goes."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        for number in range(self._keep, 0, -1):
            older = self._rotated(number - 1)
            if older.exists():
                os.replace(older, self._rotated(number))
        if self._keep == 0:
            self._path.unlink(missing_ok=True)
        # Not followed if it is a link, not taken over if it is somebody's: after the moves there is no such file.
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._in_file = 0
        before = [as_line({"mark": "#", "before": self._next - 1})] if self._next > 1 else []
        self._write([self._header, *before])

    def _rotated(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path

    def _write(self, lines: list[str]) -> None:
        data = memoryview("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
        self._in_file += len(data)
        assert self._descriptor is not None
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _end(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        self.is_over.set()
        if descriptor is not None:
            os.close(descriptor)


class _Writer:
    """The thread; there is one while there are files."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: set[JournalFile] = set()
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, file: JournalFile) -> None:
        with self._lock:
            self._files.add(file)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="charye-journal", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        if not self._awake.is_set():
            self._awake.set()

    def finish(self) -> None:
        """The program ends: write what waits."""
        for file in tuple(self._files):
            file.drain()

    def _run(self) -> None:
        while True:
            self._awake.wait()
            time.sleep(BATCH_S)
            self._awake.clear()
            with self._lock:
                files = tuple(self._files)
            for file in files:
                file.drain()
            with self._lock:
                self._files = {file for file in self._files if not file.is_over.is_set()}
                if not self._files:
                    self._thread = None
                    return


_WRITER = _Writer()
atexit.register(_WRITER.finish)
