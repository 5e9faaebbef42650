"""Is a bank good, not only valid? For whoever writes one: each finding names the place and what to think about.

The rules are those of the interviewer: one question a turn, short, polite, nothing harder than the level, nothing that
a stranger should not ask.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from charye.interview.hangul import hangul_words
from charye.interview.levels import LEVELS, Level
from charye.interview.plan import Plan, Task, Use
from charye.interview.surface import inspect, markers

__all__ = ["Finding", "validate"]

# Words of a whole prompt, and of a role play, which needs its scene.
_WORDS = (8, 12, 16, 20, 20, 24)
_SCENE_WORDS = 4
_ENOUGH_TASKS = 8
_ENOUGH_FUNCTIONS = 4
_ROLE_PLAY_UP_TO = Level.B2.step
_GLOSS_UP_TO = Level.B1.step
_POLITE = ("요", "죠")
_FORMAL = ("요", "까", "오", "다")
# What a stranger should not ask, as beginnings of words.
# fmt: off
_PRIVATE = (
    "종교", "교회", "하나님", "대통령", "선거", "연봉", "월급", "수입이", "이혼", "돌아가신", "장례", "임신", "수술",
    "체중", "몸무게",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to think about.

    Args:
        place: `file:line`, or the level where something is missing.
        task: its id, or empty.
        problem: in words.
    """

    place: str
    task: str
    problem: str


def validate(plan: Plan) -> tuple[Finding, ...]:
    """All findings, in the order of the files; then what a level lacks."""
    found = [
        Finding(plan.places.get(task.id, ""), task.id, problem)
        for task in plan.tasks.values()
        for problem in _about(task)
    ]
    return (*found, *_missing(plan), *_doubled(plan))


def _about(task: Task) -> Iterator[str]:
    step = task.level.step
    room = _WORDS[step] + (_SCENE_WORDS if task.role_play else 0)
    for key, words in (("ko", task.ko), ("simple", task.simple)):
        length = len(hangul_words(words))
        if length > room:
            yield f"`{key}` has {length} words; {room} are enough at {task.level.value}"
        last = words.rstrip(" .?!\"'”’")
        if not last.endswith(_FORMAL if step >= Level.C1.step else _POLITE):
            yield f"`{key}` does not end politely"
        if words.count("?") > 2:
            yield f"`{key}` asks more than two things"
        if any(word.startswith(_PRIVATE) for word in hangul_words(words)):
            yield f"`{key}` asks what a stranger should not ask"
    if len(hangul_words(task.simple)) > len(hangul_words(task.ko)):
        yield "`simple` is longer than `ko`"
    if step <= _GLOSS_UP_TO and "en" not in task.gloss:
        yield "there is no English gloss, and learners up to B1 may need one"
    if task.use is Use.SEARCH and not task.follow_ups:
        yield "there is no follow-up for an answer that is too short"
    if step <= Level.A2.step:
        hard = [name for name in inspect(task.ko).markers if markers()[name][0].level.step > step + 1]
        if hard:
            yield f"its grammar is above the level: {', '.join(hard)}"
        if any(inspect(task.ko).late_words[1:]):
            yield "it has words that are learned from B2 on"


def _missing(plan: Plan) -> Iterator[Finding]:
    for level in LEVELS:
        tasks = plan.at(level.step)
        if len(tasks) < _ENOUGH_TASKS:
            yield Finding(
                level.value, "", f"has {len(tasks)} tasks; with fewer than {_ENOUGH_TASKS} they soon repeat"
            )
        if len({task.function for task in tasks}) < _ENOUGH_FUNCTIONS:
            yield Finding(level.value, "", f"has fewer than {_ENOUGH_FUNCTIONS} functions")
        if level.step <= _ROLE_PLAY_UP_TO and not any(task.role_play for task in tasks):
            yield Finding(level.value, "", "has no role play")


def _doubled(plan: Plan) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for task in plan.tasks.values():
        words = " ".join(hangul_words(task.ko))
        if words in seen:
            yield Finding(plan.places.get(task.id, ""), task.id, f"asks the same as {seen[words]}")
        seen.setdefault(words, task.id)
