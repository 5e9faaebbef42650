"""The level from the opinions, by these rules.

    with a judge      the lower middle of its votes and the linguistic one, at most one above the floor
    without           the floor of the interview; if the text is two or more away from it, one step towards the text
    no interview      the text alone, or with the judge as above
    a judge that is more than one away from the text (where the text can tell) is not followed: it is shown

B2 and above: text cannot tell B2 from C2. Without both an interview and a judge the answer is `B2+`, B2 or above, and
that only if the text says so too. C1 and C2 need two sustained tasks of that level and 150 eojeol besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from charye.assessment.anchors import load_anchors
from charye.assessment.consensus import lower_median
from charye.assessment.grades import BELOW, TOP
from charye.assessment.rubric import Level
from charye.assessment.sufficiency import Verdict
from charye.assessment.weighing import Weighed, share_of_votes, weigh

if TYPE_CHECKING:
    from charye.assessment.enough import Enough
    from charye.assessment.interview_evidence import InterviewEvidence
    from charye.assessment.linguistic import Estimate

__all__ = ["FAR", "TOP_EOJEOLS", "TOP_TASKS", "Case", "LevelScore", "Votes", "score_level"]

_B2 = Level.B2.step
_C1 = Level.C1.step
FAR = 2
"""Steps from which opinions contradict each other."""
_VERY_FAR = 3
_CAP = 0.4
TOP_EOJEOLS = 150
"""Korean words without which C1 and C2 are not said."""
TOP_TASKS = 2
"""Sustained tasks of that level, the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelScore:
    """The level, in steps.

    Args:
        step: -1 below A1, 5 for C2.
        open_above: B2, or anything above.
        plus: the next level was nearly sustained.
        low, high: the range.
        spread: steps between the opinions that are furthest apart; None if there is only one.
        followed: whether the judge was followed; None without one.
        review: a person should look.
        held_back: the step that the opinions come to, where C1 or C2 was not shown enough to be said; else None.
        confidence: how sure.
    """

    step: int
    open_above: bool
    plus: bool
    low: int
    high: int
    spread: int | None
    followed: bool | None
    review: bool
    held_back: int | None
    confidence: Weighed


@dataclass(frozen=True, slots=True)
class Votes:
    """All opinions, in steps. `text` is at most B2; where it is B2 it agrees with anything above."""

    text: int | None
    judge: tuple[int, ...]
    floor: int | None

    def gap(self, step: int) -> int:
        """How far the text is from a step."""
        if self.text is None or (self.text == _B2 and step >= _B2):
            return 0
        return abs(self.text - step)

    @property
    def spread(self) -> int | None:
        """From the lowest to the highest opinion."""
        others = [*self.judge, *([] if self.floor is None else [self.floor])]
        if not others or (self.text is None and len(others) < FAR):
            return None
        return max(max(others) - min(others), *(self.gap(step) for step in others))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a level is made from. `followed` is None without a judge."""

    votes: Votes
    enough: Enough
    estimate: Estimate | None
    interview: InterviewEvidence | None
    followed: bool | None
    eojeols: int

    @property
    def is_judged(self) -> bool:
        """Whether B2 and above can be told apart."""
        return bool(self.followed) and self.interview is not None

    @property
    def is_far(self) -> bool:
        """Whether the opinions contradict each other."""
        spread = self.votes.spread
        return self.followed is False or (spread is not None and spread >= _VERY_FAR)


def score_level(case: Case) -> LevelScore | None:
    """The level; None if nobody says one."""
    raw = _judged(case) if case.followed else _offline(case)
    if raw is None:
        return None
    step = _cap(raw, case)
    open_above = step == _B2 and not case.is_judged
    low, high = _range(step, case)
    # What was held back for want of proof is not ruled out.
    high = max(high, raw if case.followed else min(raw, _B2))
    spread, interview = case.votes.spread, case.interview
    held_back = raw if case.is_judged and raw > step else None
    certain = case.enough.verdict is Verdict.OK and held_back is None
    return LevelScore(
        step=step,
        open_above=open_above,
        plus=interview is not None and interview.plus and interview.floor == step and not open_above,
        low=low,
        high=TOP if open_above else high,
        spread=spread,
        followed=case.followed,
        review=case.is_far or (spread is not None and spread >= FAR),
        held_back=held_back,
        confidence=weigh(
            {
                "sufficiency": 1.0 if certain else 0.5,
                "agreement": share_of_votes(spread),
                "bracket": _bracket(interview),
                "transcript": _transcript(case.enough),
            },
            cap=_CAP if case.is_far else None,
        ),
    )


def _judged(case: Case) -> int:
    votes = case.votes
    step = lower_median([*votes.judge, *([] if votes.text is None else [votes.text])])
    return step if votes.floor is None else min(step, votes.floor + 1)


def _offline(case: Case) -> int | None:
    """Without a judge, or with one that is not followed."""
    text, floor, interview = case.votes.text, case.votes.floor, case.interview
    if floor is None or interview is None:
        if text is None or interview is None or interview.ceiling is None:
            return text
        return max(min(text, interview.ceiling - 1), BELOW)
    if text is None:
        return floor
    if not interview.settled:
        return min(text, floor + 1)
    # The level of an interview is its floor. The text has a say where it contradicts loudly.
    if case.votes.gap(floor) >= FAR:
        return floor + 1 if text > floor else floor - 1
    return floor


def _cap(step: int, case: Case) -> int:
    if case.is_judged:
        while step >= _C1 and not _has_shown(step, case):
            step -= 1
        return step
    # Nobody has read it: `B2+` is said only with the text, not against it.
    against = case.votes.text is not None and case.votes.text < _B2
    return min(step, _B2 - 1 if against else _B2)


def _has_shown(step: int, case: Case) -> bool:
    sustained = case.interview.sustained_from(step) if case.interview else 0
    return sustained >= TOP_TASKS and case.eojeols >= TOP_EOJEOLS


def _range(step: int, case: Case) -> tuple[int, int]:
    votes, estimate = case.votes, case.estimate
    low = high = step
    if case.followed is False or (votes.spread is not None and votes.spread >= FAR):
        voices = [*votes.judge, *(voice for voice in (votes.text, votes.floor) if voice is not None)]
        limit = TOP if votes.floor is None else max(votes.floor + 1, step)
        low, high = min(low, *voices), max(high, min(max(voices), limit))
    if estimate is not None and votes.floor is None and not case.followed:
        # Nothing but a text: its margin is the range.
        low, high = min(low, estimate.low.level.step), max(high, estimate.high.level.step)
    if case.enough.verdict is Verdict.PROVISIONAL and low == high:
        if _leans_up(step, case):
            high = min(step + 1, TOP)
        else:
            low = max(step - 1, BELOW)
    return low, high


def _leans_up(step: int, case: Case) -> bool:
    if case.interview is not None and case.interview.ceiling is not None:
        # What broke down is out.
        return case.interview.ceiling > step + 1
    return case.estimate is None or case.estimate.position >= step


def _bracket(interview: InterviewEvidence | None) -> float:
    if interview is None:
        return 0.0
    if interview.settled:
        return 1.0
    return 0.5 if interview.floor > BELOW or interview.ceiling is not None else 0.0


def _transcript(enough: Enough) -> float:
    if not enough.learner_turns:
        return 0.0
    share = len(enough.doubtful) / enough.learner_turns
    return max(0.0, 1.0 - share / load_anchors().sufficiency.doubtful_share)
