"""Sixty invented interviews, ten at each level, and short ways to write one.

They were written for these tests, at the level that their file names, and are from no corpus. What the assessor says of
them is recorded, so that a change of it is seen; how well it judges real learners they cannot show.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from charye.assessment.rubric import Level
from charye.assessment.speech import Speaker, Task, Turn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FOLDER", "Interview", "answers", "interviews", "talk"]

FOLDER = Path(__file__).with_name("interviews")
_SPEAKERS = {"I": Speaker.INTERVIEWER, "L": Speaker.LEARNER}


@dataclass(frozen=True, slots=True)
class Interview:
    """One of them. The level is what its author had in mind."""

    id: str
    level: Level
    turns: tuple[Turn, ...]


def talk(text: str, *, level: Level | None = None) -> tuple[Turn, ...]:
    """The turns of a conversation, one a line, behind `I` for the interviewer or `L` for the learner."""
    task = Task(level=level) if level else None
    return tuple(Turn(_SPEAKERS[line[0]], line[2:], task=task) for line in text.strip().splitlines())


def answers(*texts: str) -> tuple[Turn, ...]:
    """Turns of a learner, each behind the same question."""
    return tuple(
        turn
        for text in texts
        for turn in (Turn(Speaker.INTERVIEWER, "이야기해 주세요."), Turn(Speaker.LEARNER, text))
    )


def interviews() -> Iterator[Interview]:
    """All, from A1 to C2."""
    for level in Level:
        with (FOLDER / f"{level.lower()}.toml").open("rb") as file:
            for entry in tomllib.load(file)["interviews"]:
                yield Interview(entry["id"], level, talk(entry["talk"], level=level))
