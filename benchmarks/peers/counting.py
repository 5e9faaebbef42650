"""From the server's journal and the script's list to the figures of one run."""

import math
import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.peers.journal import Spoken
from benchmarks.peers.marks import PARTLY, Asked, ideal_s

__all__ = ["Figures", "count"]

_COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one client and one workload.

    Args:
        asked: marks that the script asked for.
        lost: no response carried it, neither whole nor in part.
        told: of the lost, those whose asker was told by an exception or a failed handle.
        doubled: completed answers beyond the first of each mark.
        partial: only ever answered on some of the tools' results.
        cut: begun, and cut off by the user's next turn, and not said again.
        joined: first said in a response that carried others as well.
        disordered: begun before another of the same kind that was asked for earlier.
        refusals: `conversation_already_has_active_response`.
        gap_ms, gap_p95_ms: from a `response.done` to the next `response.created` while something waited.
        times_ideal: from the first asking to the last `response.done`, in ideal times; None where something is missing.
        hung: the script's own waiting was not over when its time was.
        crashed: the client's process ended by itself.
    """

    asked: int
    lost: int = 0
    told: int = 0
    doubled: int = 0
    partial: int = 0
    cut: int = 0
    joined: int = 0
    disordered: int = 0
    refusals: int = 0
    gap_ms: float | None = None
    gap_p95_ms: float | None = None
    times_ideal: float | None = None
    hung: bool = False
    crashed: bool = False


def count(
    asked: Sequence[Asked],
    responses: Iterable[Spoken],
    *,
    told: Collection[str] = (),
    refusals: int = 0,
    hung: bool = False,
    crashed: bool = False,
) -> Figures:
    """The figures of a run.

    Args:
        responses: those in the conversation, by the time they were created. What carried no mark is nobody's.
        told: marks whose asker was told that they were not said.
    """
    spoken = list(responses)
    whole = [one for one in spoken if one.status == _COMPLETED]
    said = Counter(mark for one in whole for mark in set(one.marks))
    answers = Counter(mark.rstrip(PARTLY) for one in whole for mark in one.marks)
    begun = {mark.rstrip(PARTLY) for one in spoken if one.done_at is not None for mark in one.marks}
    marks = [one.mark for one in asked]
    lost = [mark for mark in marks if mark not in begun]
    gaps = _gaps_ms(asked, spoken)
    missing = [mark for mark in marks if not said[mark]]
    return Figures(
        asked=len(asked),
        lost=len(lost),
        told=sum(mark in told for mark in lost),
        doubled=sum(max(0, answers[mark] - 1) for mark in marks),
        partial=sum(not said[mark] and answers[mark] > 0 for mark in marks),
        cut=sum(not answers[mark] and mark in begun for mark in marks),
        joined=_joined(marks, whole),
        disordered=_disordered(asked, spoken),
        refusals=refusals,
        gap_ms=statistics.median(gaps) if gaps else None,
        gap_p95_ms=sorted(gaps)[math.ceil(len(gaps) * 0.95) - 1] if gaps else None,
        times_ideal=None if missing or not asked else _wall_s(asked, spoken) / ideal_s(asked),
        hung=hung,
        crashed=crashed,
    )


def _wall_s(asked: Sequence[Asked], spoken: Sequence[Spoken]) -> float:
    return max(one.done_at or 0.0 for one in spoken) - min(one.at for one in asked)


def _first_begun(spoken: Iterable[Spoken]) -> dict[str, float]:
    """When each mark was begun first. One that never ended carried nothing that is known."""
    found: dict[str, float] = {}
    for one in spoken:
        for mark in one.marks:
            found.setdefault(mark.rstrip(PARTLY), one.created_at)
    return found


def _joined(marks: Sequence[str], whole: Iterable[Spoken]) -> int:
    beside: dict[str, int] = {}
    for one in whole:
        for mark in one.marks:
            beside.setdefault(mark.rstrip(PARTLY), len(one.marks) - 1)
    return sum(beside.get(mark, 0) > 0 for mark in marks)


def _disordered(asked: Iterable[Asked], spoken: Iterable[Spoken]) -> int:
    begun = _first_begun(spoken)
    latest: dict[str, float] = {}
    found = 0
    for one in asked:
        at = begun.get(one.mark)
        if at is not None:
            found += at < latest.get(one.mark[0], at)
            latest[one.mark[0]] = max(at, latest.get(one.mark[0], at))
    return found


def _gaps_ms(asked: Iterable[Asked], spoken: Sequence[Spoken]) -> list[float]:
    begun = _first_begun(spoken)
    waits = [(one.at, begun[one.mark]) for one in asked if one.mark in begun]
    gaps = []
    for one, following in pairwise(spoken):
        if one.done_at is not None and any(since <= one.done_at < until for since, until in waits):
            gaps.append((following.created_at - one.done_at) * 1000)
    return gaps
