"""From the evidence to levels: what is sustained, what the text measures, what a model reads. Pure.

Three opinions may speak. The *interview* knows which tasks were sustained (its floor) and which broke down (its
ceiling). The *linguistic* one is the offline assessor: A1, A2, B1 or B2+. The *judge* is a model, asked several times.

How a level comes about is on top of `level_scoring`; what the numbers are and where they come from is written in
`docs/reference/assessment-report.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from charye.assessment.domain_scoring import DomainScore, score_domains, ungraded_domains
from charye.assessment.enough import Enough, how_much
from charye.assessment.grades import BELOW
from charye.assessment.level_scoring import FAR, Case, LevelScore, Votes, score_level
from charye.assessment.sufficiency import Verdict

if TYPE_CHECKING:
    from charye.assessment.consensus import Consensus
    from charye.assessment.interview_evidence import InterviewEvidence
    from charye.assessment.linguistic import LinguisticResult

__all__ = ["VERSION", "Score", "score"]

VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What scoring says.

    Args:
        enough: how much speech there was.
        level: None if there was too little.
        domains: five, in the order of `Domain`.
    """

    enough: Enough
    level: LevelScore | None
    domains: tuple[DomainScore, ...]


def score(
    linguistic: LinguisticResult | None,
    interview: InterviewEvidence | None = None,
    judge: Consensus | None = None,
    *,
    learner_turns: int,
) -> Score:
    """Score a speech.

    Args:
        linguistic: of the offline assessor; None if it failed or is not installed.
        interview: what it found; None for a transcript from elsewhere.
        judge: what a model says; None if it was not asked or has no usable answer.
        learner_turns: how many turns the learner had, doubtful ones included.
    """
    enough = how_much(linguistic, interview, learner_turns)
    if enough.verdict is Verdict.INSUFFICIENT:
        return _without_level(enough, linguistic)
    estimate = linguistic.estimate if linguistic else None
    votes = Votes(
        text=estimate.band.level.step if estimate else None,
        judge=judge.votes if judge else (),
        floor=_known_floor(interview),
    )
    followed = None if judge is None else votes.gap(judge.step) < FAR
    case = Case(
        votes=votes,
        enough=enough,
        estimate=estimate,
        interview=interview,
        followed=followed,
        # What the judge was not shown proves nothing.
        eojeols=enough.eojeols if judge is None else min(enough.eojeols, judge.eojeols),
    )
    level = score_level(case)
    if level is None:
        return _without_level(replace(enough, verdict=Verdict.INSUFFICIENT), linguistic)
    heard = judge if followed else None
    domains = score_domains(
        linguistic,
        heard,
        provisional=enough.verdict is not Verdict.OK,
        split=interview is not None,
        most=level.step + 1,
    )
    return Score(enough=enough, level=level, domains=domains)


def _without_level(enough: Enough, linguistic: LinguisticResult | None) -> Score:
    return Score(enough=enough, level=None, domains=ungraded_domains(linguistic))


def _known_floor(interview: InterviewEvidence | None) -> int | None:
    """An interview that was cut short and found no floor has not found that there is none."""
    if interview is None or (not interview.settled and interview.floor == BELOW):
        return None
    return interview.floor
