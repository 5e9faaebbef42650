"""What each assessor says, and how far they are apart, as a report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.assessment.grades import BELOW, Grade, label_of
from charye.assessment.judge_outcome import JudgeOutcome, JudgeStatus
from charye.assessment.report import Agreement, Assessor, Bilingual, Opinion
from charye.assessment.rubric import Band
from charye.assessment.wording import say

if TYPE_CHECKING:
    from charye.assessment.interview_evidence import InterviewEvidence
    from charye.assessment.level_scoring import LevelScore
    from charye.assessment.linguistic import LinguisticResult
    from charye.assessment.scoring import Score

__all__ = ["NO_LEVEL", "agreement", "opinions"]

NO_LEVEL = "–"
"""Printed where there is no level."""
_FAR = 3


def opinions(
    scored: Score,
    linguistic: LinguisticResult | None,
    interview: InterviewEvidence | None,
    judge: JudgeOutcome,
) -> tuple[Opinion, ...]:
    """Of the interview, the measurement and the model, those that apply."""
    graded = scored.level is not None
    made = []
    if interview is not None:
        made.append(_of_interview(interview, graded=graded))
    made.append(_of_text(linguistic, graded=graded))
    if judge.status is not JudgeStatus.NOT_ASKED:
        made.append(_of_judge(scored, judge))
    return tuple(made)


def _opinion(
    assessor: Assessor,
    text: Bilingual,
    grade: Grade | None = None,
    *,
    open_above: bool = False,
    low: Grade | None = None,
    high: Grade | None = None,
    votes: tuple[Grade, ...] = (),
    status: str = "ok",
) -> Opinion:
    return Opinion(
        assessor=assessor,
        name=say("assessors", assessor.value),
        level=grade,
        open_above=open_above,
        label=NO_LEVEL if grade is None else label_of(grade, open_above=open_above),
        low=low,
        high=high,
        votes=votes,
        status=status,
        text=text,
    )


def _of_interview(interview: InterviewEvidence, *, graded: bool) -> Opinion:
    unknown = not interview.settled and interview.floor == BELOW
    if unknown or not graded:
        return _opinion(Assessor.INTERVIEW, say("opinions", "interview_unknown"), status="too_short")
    floor = Grade.at(interview.floor)
    return _opinion(Assessor.INTERVIEW, say("opinions", "interview"), floor, low=floor, high=floor)


def _of_text(linguistic: LinguisticResult | None, *, graded: bool) -> Opinion:
    if linguistic is None:
        return _opinion(Assessor.LINGUISTIC, say("opinions", "linguistic_failed"), status="failed")
    estimate = linguistic.estimate
    if estimate is None or not graded:
        return _opinion(Assessor.LINGUISTIC, say("opinions", "linguistic_none"), status="too_short")
    return _opinion(
        Assessor.LINGUISTIC,
        say("opinions", "linguistic", eojeols=linguistic.sufficiency.eojeols),
        Grade(estimate.band.level.value),
        open_above=estimate.band is Band.B2_PLUS,
        low=Grade(estimate.low.level.value),
        high=Grade.C2 if estimate.high is Band.B2_PLUS else Grade(estimate.high.level.value),
    )


def _of_judge(scored: Score, judge: JudgeOutcome) -> Opinion:
    consensus = judge.consensus
    if consensus is None:
        return _opinion(Assessor.JUDGE, say("opinions", "judge_failed"), status=judge.status.value)
    if scored.level is None:
        return _opinion(Assessor.JUDGE, say("opinions", "judge_not_needed"), status="too_short")
    kind = "judge" if scored.level.followed else "judge_not_followed"
    return _opinion(
        Assessor.JUDGE,
        say("opinions", kind, runs=consensus.runs),
        Grade.at(consensus.step),
        low=Grade.at(min(consensus.votes)),
        high=Grade.at(max(consensus.votes)),
        votes=tuple(Grade.at(vote) for vote in consensus.votes),
        status="ok" if scored.level.followed else "not_followed",
    )


def agreement(level: LevelScore | None) -> Agreement | None:
    """None where fewer than two say a level."""
    if level is None or level.spread is None:
        return None
    far = level.followed is False or level.spread >= _FAR
    text = say("agreement", "far" if far else str(level.spread))
    return Agreement(spread=level.spread, text=text)
