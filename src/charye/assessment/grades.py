"""Levels as a report says them: also below A1, and with the steps in between that a mean or a margin needs."""

from __future__ import annotations

from enum import StrEnum

from charye.assessment.rubric import Level

__all__ = ["BELOW", "TOP", "Grade", "label_of"]

BELOW = -1
"""The step of `Grade.PRE_A1`."""
TOP = len(Level) - 1
"""The step of `Grade.C2`."""


class Grade(StrEnum):
    """A level, or below all of them. Compare `step`, not the text."""

    PRE_A1 = "pre-A1"
    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"
    C1 = "C1"
    C2 = "C2"

    @property
    def step(self) -> int:
        """-1 below A1, 0 for A1, 5 for C2: as `Level.step`."""
        return list(Grade).index(self) - 1

    @classmethod
    def at(cls, step: int) -> Grade:
        """The grade of this step; beyond the ends, the last one."""
        return list(cls)[min(max(step, BELOW), TOP) + 1]


def label_of(grade: Grade, *, open_above: bool) -> str:
    """How a grade is printed; `B2+` is B2 or anything above it, which text alone cannot tell apart."""
    return f"{grade.value}+" if open_above else grade.value
