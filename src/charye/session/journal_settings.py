"""What the journal keeps, and how much of it."""

from dataclasses import dataclass
from pathlib import Path

from charye.errors import ConfigurationError
from charye.session.redaction import Redaction

__all__ = ["JournalSettings"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """What is kept, and how much of it.

    Args:
        keep_bytes: in memory, estimated; 4 MiB are about four minutes in which the assistant speaks without a pause,
            and far more of a conversation. 0: nothing.
        file: also written here, by one journal at a time; a file of this name moves on to `.1`.
        file_max_bytes: of one file, before the next is begun.
        file_keep: files beside the latest.
        file_queue_bytes: what may wait for a slow disk; lines beyond it are left out of the file, with a line that
            says how many.
        audio: keep it, as base64, at 64 kB for a second. Audio is what a person said, whatever `private` says.
        private: what is hidden besides.
    Raises:
        ConfigurationError: a number is out of range.
    """

    keep_bytes: int = 4 * _MIB
    file: Path | None = None
    file_max_bytes: int = 64 * _MIB
    file_keep: int = 3
    file_queue_bytes: int = 8 * _MIB
    audio: bool = False
    private: Redaction = Redaction.WORDS

    def __post_init__(self) -> None:
        for option in ("keep_bytes", "file_max_bytes", "file_keep", "file_queue_bytes"):
            if getattr(self, option) < 0:
                raise ConfigurationError("a bound of the journal is negative", option=option)
