"""A conversation with the policy in a few lines, and texts that were written for another purpose."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

from charye.interview.hearing import TurnEvidence
from charye.interview.levels import LEVELS, Level
from charye.interview.moves import Move
from charye.interview.plan import Phase, Plan, Use, load
from charye.interview.policy import Progress, start, step
from charye.interview.progress import change

INVENTED = Path(__file__).resolve().parent.parent / "assessment" / "interviews"


@cache
def plan() -> Plan:
    return load()


@cache
def small_plan() -> Plan:
    """Two tasks a level, and one for each end: a bank that runs dry."""
    kept = {}
    for use in Use:
        for level in LEVELS:
            tasks = [task for task in plan().at(level.step, use) if not task.refers_back]
            kept.update({task.id: task for task in tasks[: 2 if use is Use.SEARCH else 1]})
    return replace(plan(), tasks=kept)


def say(progress: Progress, *texts: str) -> tuple[Progress, Move]:
    """The learner says these, one after the other."""
    move = progress.state.last
    for text in texts:
        progress, move = step(progress, TurnEvidence(text=text))
    return progress, move


def silent(progress: Progress, silence_ms: float) -> tuple[Progress, Move]:
    return step(progress, TurnEvidence(silence_ms=silence_ms))


def checking(level: Level = Level.A2, *, seed: int = 1, language: str | None = None) -> tuple[Progress, Move]:
    """An interview that has come to its first level check, at `level`."""
    progress, move = start(plan(), seed=seed, language=language)
    progress, move = say(progress, "저는 안나예요.", "요즘 한국어를 공부해요.")
    assert progress.state.phase is Phase.LEVEL_CHECK
    search = progress.state.search.__class__(level=level.step)
    task = next(
        task
        for task in plan().at(level.step)
        if not task.role_play and task.function != "report" and task.follow_ups
    )
    on = progress.state.on
    assert on is not None
    progress = change(progress, search=search, on=on.__class__(task=task.id))
    return progress, move


@cache
def invented(level: Level, half: int | None = None) -> tuple[str, ...]:
    """What learners say in the invented interviews of the assessor's tests; `half`: only the first or second five."""
    data = tomllib.loads((INVENTED / f"{level.value.lower()}.toml").read_text(encoding="utf-8"))
    interviews = data["interviews"]
    middle = len(interviews) // 2
    chosen = {None: interviews, 1: interviews[:middle], 2: interviews[middle:]}[half]
    return tuple(
        line[2:] for talk in chosen for line in talk["talk"].strip().splitlines() if line.startswith("L ")
    )
