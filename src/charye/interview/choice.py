"""Which task is asked next. The same state gives the same task: what looks random comes from the seed."""

from zlib import crc32

from charye.interview.levels import LEVELS
from charye.interview.plan import Family, Phase, Task, Use
from charye.interview.progress import Progress
from charye.interview.search import asking

__all__ = ["choose"]

_REFERS_TO_FROM = 3  # B2: an argument that one can come back to
_ROLE_PLAY_UP_TO = 3


def choose(progress: Progress, phase: Phase) -> Task | None:
    """The task for this phase; None if every task that would do was asked.

    A task is never asked twice in an interview. Those of earlier interviews come last, the oldest first. Then: another
    function and another topic than before, and one role play among the checks.
    """
    state = progress.state
    use, steps = _wanted(progress, phase)
    asked = {done.task for done in state.record} | ({state.on.task} if state.on else set())
    before = {task: index for index, task in enumerate(state.earlier, start=1)}
    done = [progress.plan.tasks[scored.task] for scored in state.record[-2:]]
    current = [progress.task] if progress.task is not None else []
    recent = [*done, *current]
    # The first check of an interview is no role play; one of the later ones is.
    wants_role_play = (
        phase is Phase.LEVEL_CHECK
        and not state.role_played
        and any(scored.score is not None for scored in state.record)
    )

    def rank(task: Task) -> tuple[int, bool, bool, int, int]:
        same_function = any(task.function == other.function for other in recent[-1:])
        same_topic = sum(task.topic == other.topic for other in recent)
        likes_role_play = wants_role_play and task.level.step <= _ROLE_PLAY_UP_TO
        return (
            before.get(task.id, 0),
            task.role_play is not likes_role_play,
            same_function,
            same_topic,
            crc32(f"{state.seed} {task.id}".encode()),
        )

    for step in steps:
        fitting = [
            task
            for task in progress.plan.at(step, use)
            if task.id not in asked and (not task.refers_back or _can_refer_back(progress))
        ]
        if fitting:
            return min(fitting, key=rank)
    return None


def _wanted(progress: Progress, phase: Phase) -> tuple[Use, list[int]]:
    """The use, and the levels from the best to the last that would do."""
    search = progress.state.search
    if phase is Phase.WARM_UP:
        # First a small question, then one that leaves room.
        first = min(len(progress.state.record), 1)
        return Use.WARM_UP, [first, 1 - first]
    if phase is Phase.WIND_DOWN:
        easy = max(progress.outcome.floor - 1, 0)
        return Use.WIND_DOWN, [*range(easy, -1, -1)]
    at = max(search.floor, 0) if search.settled is not None else asking(search)
    return Use.SEARCH, [at] if search.settled is None else sorted(
        range(len(LEVELS)), key=lambda step: abs(step - at)
    )


def _can_refer_back(progress: Progress) -> bool:
    """The last answer was an argument that held."""
    record = progress.state.record
    if not record or not record[-1].score:
        return False
    task = progress.plan.tasks[record[-1].task]
    return task.family is Family.ARGUE and task.level.step >= _REFERS_TO_FROM
