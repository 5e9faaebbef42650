"""The search for the level: what is sustained (the floor) and what breaks down (the ceiling).

Theory. As in an oral proficiency interview, a level is *checked* with at least two tasks, and once it is sustained the
next one is *probed*. Each answer is 0 (breakdown), 1 (partial) or 2 (sustained). A probe that is sustained moves the
check up; two that are not make a ceiling. One lucky probe never raises the floor: a level becomes the floor only with
two answers of its own. The search is settled when the level above the floor is known to break down, or none is above.

    check, passed     -> probe the next level; settled if that is the ceiling or the top
    check, failed     -> ceiling here, check one level lower; settled if that is the floor or below A1
    probe, sustained  -> check that level (two higher if the answer itself stands that high)
    probes, broken    -> ceiling there

A level is judged from all its answers, probes included: passed with two or more and a mean of 1.5 (so no 0 among two);
failed with two or more and a mean of at most 0.75, or two 0 in a row; with three, a mean of 1.25 decides.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from charye.interview.levels import LEVELS, NO_CEILING, PRE_A1

__all__ = ["Search", "Settled", "advance", "asking", "plus", "provisional_floor", "start_step"]

_TOP = len(LEVELS) - 1
_PROBES = 2
_DECISIVE = 3


class Settled(StrEnum):
    """Why the search is over."""

    CEILING_FOUND = "ceiling_found"
    TOP_REACHED = "top_reached"


class Search(Struct, frozen=True, kw_only=True):
    """Where the search stands.

    Args:
        level: the step that is checked.
        probing: the next question is at `level` + 1.
        probes: scores of the probes above `level` so far.
        floor: highest step that is sustained; `PRE_A1` as long as there is none.
        ceiling: lowest step that broke down; `NO_CEILING` as long as there is none.
        scores: all scores, per step.
    """

    level: int
    probing: bool = False
    probes: tuple[int, ...] = ()
    floor: int = PRE_A1
    ceiling: int = NO_CEILING
    scores: tuple[tuple[int, ...], ...] = ((),) * len(LEVELS)
    settled: Settled | None = None


def start_step(claimed: int | None, heard: float) -> int:
    """Where to begin.

    Args:
        claimed: what the learner says of themselves, 0 (A1) to 5 (C2), or None. The search begins one below.
        heard: the best band of the warm-up. Small questions get small answers, so it only pulls upwards, by one.
    """
    if claimed is None:
        return min(max(int(heard), 0), _TOP - 1)
    base = min(max(claimed - 1, 0), _TOP - 1)
    return min(base + 1, _TOP - 1) if heard >= base + 1.5 else base


def asking(search: Search) -> int:
    """The step of the next task."""
    return search.level + 1 if search.probing else search.level


def advance(search: Search, score: int, band: float) -> Search:
    """The answer to a task at `asking(search)` is judged.

    Args:
        score: 0, 1 or 2.
        band: where the answer stands by its form, 0.0 (A1) to 5.0 (C2).
    """
    at = asking(search)
    scores = tuple((*own, score) if step == at else own for step, own in enumerate(search.scores))
    search = replace(search, scores=scores)
    if not search.probing:
        return _checked(search)
    if score == 2:
        jump = 2 if band >= at + 1 and at < _TOP and search.ceiling > at + 1 else 1
        return _checked(replace(search, level=search.level + jump, probing=False, probes=()))
    probes = (*search.probes, score)
    if len(probes) < _PROBES:
        return replace(search, probes=probes)
    search = replace(search, probing=False, probes=())
    if sum(probes) <= 1:
        return replace(search, ceiling=min(search.ceiling, at), settled=Settled.CEILING_FOUND)
    return _checked(replace(search, level=at))


def plus(search: Search) -> bool:
    """Whether the level above the floor was nearly sustained: its answers average 0.75 or more."""
    above = search.scores[search.floor + 1] if search.floor < _TOP else ()
    return bool(above) and sum(above) / len(above) >= 0.75


def provisional_floor(search: Search) -> int:
    """The floor, or the best guess where the search was cut short: the highest step whose answers average 1.25."""
    if search.settled is not None:
        return search.floor
    sustained = [step for step, own in enumerate(search.scores) if own and sum(own) / len(own) >= 1.25]
    return max([search.floor, *(step for step in sustained if step < search.ceiling)])


def _checked(search: Search) -> Search:
    """What the answers at the level say by now."""
    verdict = _verdict(search.scores[search.level])
    if verdict is None:
        return search
    level = search.level
    if verdict:
        search = replace(search, floor=max(search.floor, level))
        if level == _TOP:
            return replace(search, settled=Settled.TOP_REACHED)
        if search.ceiling == level + 1:
            return replace(search, settled=Settled.CEILING_FOUND)
        return replace(search, probing=True, probes=())
    search = replace(search, ceiling=min(search.ceiling, level), level=max(level - 1, 0))
    if level == 0 or search.floor == level - 1:
        return replace(search, settled=Settled.CEILING_FOUND)
    return _checked(search)


def _verdict(own: tuple[int, ...]) -> bool | None:
    """Passed, failed, or not known yet."""
    if len(own) < 2:
        return None
    mean = sum(own) / len(own)
    if mean <= 0.75 or own[-2:] == (0, 0):
        return False
    if mean >= 1.5:
        return True
    return mean >= 1.25 if len(own) >= _DECISIVE else None
