"""What an interview knows about the level, as scoring needs it. Whoever led the interview fills it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from charye.assessment.report import Ending, Flag
    from charye.assessment.rubric import Level

__all__ = ["InterviewEvidence", "TaskResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """A task that is done.

    Args:
        task: its id. The turns that belong to it have it as `Turn.task.id`.
        level: of the task.
        phase: of the interview, such as `probe`.
        function: what it wanted, such as `narrate`.
        score: 2 sustained, 1 partly, 0 broken down; None if it does not count, as in the warm-up.
        signals: what was noticed, by the names that the interview uses.
        words: own Korean ones of the answer.
        latency_ms: before the answer; None where it is not known.
    """

    task: str
    level: Level
    phase: str
    function: str
    score: Literal[0, 1, 2] | None
    signals: tuple[str, ...] = ()
    words: int = 0
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterviewEvidence:
    """An interview that is over.

    Args:
        setting: how it was led: `embedded`, `model`, `hybrid`.
        ending: why it is over.
        floor: step of the highest level that was sustained; -1 for none.
        ceiling: step of the lowest level that broke down; None if none did.
        settled: the search came to its end; else the floor is a best guess.
        plus: the level above the floor was nearly sustained.
        tasks: in their order.
        flags: conditions.
        started_at: when, with its time zone.
        duration_s: without pauses.
        bank: version of the tasks, or whatever tells them apart.
    """

    setting: str
    ending: Ending
    floor: int
    ceiling: int | None
    settled: bool
    plus: bool
    tasks: tuple[TaskResult, ...]
    flags: tuple[Flag, ...] = ()
    started_at: datetime | None = None
    duration_s: float | None = None
    bank: str | None = None

    @property
    def answered(self) -> int:
        """Tasks that were answered in Korean."""
        return sum(1 for task in self.tasks if task.words)

    def sustained_from(self, step: int) -> int:
        """How many tasks of this level or above it were sustained."""
        return sum(1 for task in self.tasks if task.score == 2 and task.level.step >= step)
