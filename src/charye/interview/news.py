"""What a conductor tells while an interview goes on: for captions, a progress bar, and whoever stores it.

All are frozen. What the learner said is only in `LearnerSaid`, `Advanced` and `Ready`, and shows in no `repr`.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from charye.interview.moves import Move
from charye.interview.plan import Plan
from charye.interview.progress import Progress
from charye.interview.reporting import SpokenReport
from charye.interview.transcript import Transcript, Utterance, from_json, to_json

__all__ = ["Advanced", "Asked", "Checkpoint", "LearnerSaid", "News", "PartSaid", "Ready", "YourTurn"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far an interview is, and what was said: all that it takes to go on after a crash, or another day.

    Args:
        progress: holds no word of the learner's.
        transcript: holds them all.
    """

    progress: Progress
    transcript: Transcript = field(repr=False)

    def to_json(self) -> tuple[bytes, bytes]:
        """Progress and transcript, to be kept apart: only the second holds what was said."""
        return self.progress.to_json(), to_json(self.transcript)

    @classmethod
    def from_json(cls, plan: Plan, progress: bytes, transcript: bytes) -> "Checkpoint":
        """What was kept.

        Raises:
            ConfigurationError: it is none, of another version, or the plan lacks a task of it.
        """
        return cls(Progress.from_json(plan, progress), from_json(transcript))


@dataclass(frozen=True, slots=True)
class Asked:
    """The interviewer is about to say this. A model may say it in its own words."""

    move: Move


@dataclass(frozen=True, slots=True)
class YourTurn:
    """The question was heard to its end, or cut off by the learner: now it is their turn.

    Args:
        seconds: that an answer usually takes; None where none is expected.
    """

    seconds: int | None


@dataclass(frozen=True, slots=True)
class LearnerSaid:
    """A turn of the learner's, in one piece or several; none if it was not understood."""

    utterances: tuple[Utterance, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Advanced:
    """There is more to keep. Told after each turn, before the interviewer answers."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class PartSaid:
    """A part of the closing begins.

    Args:
        name: `acknowledgement`, `please_wait`, `summary`, `no_report`, `not_stored` or `goodbye`.
        words: to show.
        gloss: what they mean, in the language the learner chose.
    """

    name: str
    words: str = field(repr=False)
    gloss: str | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """The report is there. Told before any of it is spoken.

    Args:
        stored: it is in the store. If not, this is the only way in which it reaches the learner.
    """

    report: SpokenReport = field(repr=False)
    stored: bool


News: TypeAlias = Asked | YourTurn | LearnerSaid | Advanced | PartSaid | Ready
