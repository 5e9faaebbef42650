"""The words of a move: which wording of a task, which lines around it, in which language the gloss, how fast.

Interviewers ask one question a turn, politely, teach nothing, praise no one's Korean and never supply the missing form.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from charye.interview.levels import Level
from charye.interview.moves import Move, Wording
from charye.interview.plan import Task
from charye.interview.progress import Progress

__all__ = ["line", "question", "question_words", "wording_for"]

M = TypeVar("M", bound=Move)
GLOSS_UP_TO = Level.B1.step


def line(progress: Progress, move: type[M], *names: str, **fields: Any) -> M:
    """A move that says these lines."""
    said = [_line(progress, name) for name in names]
    return _made(progress, move, said, fields)


def question(progress: Progress, move: type[M], *names: str, **fields: Any) -> M:
    """A move that says these lines and then the question that stands."""
    on, task = progress.present
    said = [_line(progress, name) for name in names]
    language = progress.state.language or ""
    gloss = None if on.follow_up is not None else task.gloss.get(language)
    said.append((question_words(progress), gloss))
    return _made(progress, move, said, {"task": task.id, **fields})


def question_words(progress: Progress) -> str:
    """The question that stands, as it was last put; empty if there is none."""
    on, task = progress.state.on, progress.task
    if on is None or task is None:
        return ""
    if on.follow_up is not None:
        return on.follow_up
    return task.simple if on.wording is Wording.SIMPLE else task.ko


def wording_for(progress: Progress) -> Wording:
    """Shorter sentences for those who asked for slow speech."""
    return Wording.SIMPLE if progress.state.slow else Wording.FULL


def _line(progress: Progress, name: str) -> tuple[str, str | None]:
    lines = progress.plan.lines
    return lines.say(name, _register(progress), len(progress.state.record)), lines.gloss(
        name, progress.state.language or ""
    )


def _register(progress: Progress) -> int:
    task: Task | None = progress.task
    return progress.state.search.level if task is None else task.level.step


def _made(
    progress: Progress, move: type[M], said: Iterable[tuple[str, str | None]], fields: dict[str, Any]
) -> M:
    said = [(words, gloss) for words, gloss in said if words]
    glosses = [gloss for _, gloss in said if gloss]
    # Half a gloss is worse than none.
    helped = _register(progress) <= GLOSS_UP_TO and len(glosses) == len(said) and glosses
    return move(
        say=" ".join(words for words, _ in said),
        gloss=" ".join(glosses) if helped else None,
        speed=progress.plan.answers.slow_speed if progress.state.slow else 1.0,
        **fields,
    )
