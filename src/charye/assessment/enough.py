"""How much speech there was, from whoever counted it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from charye.assessment.anchors import load_anchors
from charye.assessment.sufficiency import Reason, Verdict

if TYPE_CHECKING:
    from charye.assessment.interview_evidence import InterviewEvidence
    from charye.assessment.linguistic import LinguisticResult
    from charye.assessment.sufficiency import Doubt

__all__ = ["Enough", "how_much"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enough:
    """How much speech there was; the fields are those of `sufficiency.Sufficiency`.

    Args:
        unsettled: the interview ended before its search did.
        unread: nothing could read the speech: no offline assessor, and no interview that counted.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    eojeols: int
    turns: int
    doubtful: tuple[tuple[int, Doubt], ...]
    learner_turns: int
    unsettled: bool
    unread: bool


def how_much(
    linguistic: LinguisticResult | None, interview: InterviewEvidence | None, learner_turns: int
) -> Enough:
    """As the offline assessor says; without it, by what the interview counted."""
    limits = load_anchors().sufficiency
    unsettled = interview is not None and not interview.settled
    unread = linguistic is None and interview is None
    if linguistic is not None:
        found = linguistic.sufficiency
        verdict, reasons, doubtful = found.verdict, list(found.reasons), found.doubtful
        eojeols, turns = found.eojeols, found.turns
    else:
        eojeols = sum(task.words for task in interview.tasks) if interview else 0
        turns = interview.answered if interview else 0
        verdict, reasons, doubtful = Verdict.OK, [], ()
        if not turns and not unread:
            reasons.append(Reason.NO_KOREAN)
        if eojeols < limits.provisional_below and not unread:
            reasons.append(Reason.FEW_WORDS)
    if interview is not None and interview.answered < limits.least_turns and Reason.FEW_TURNS not in reasons:
        reasons.append(Reason.FEW_TURNS)
    if eojeols < limits.least_eojeol or Reason.FEW_TURNS in reasons:
        verdict = Verdict.INSUFFICIENT
    elif verdict is Verdict.OK and (reasons or unsettled):
        verdict = Verdict.PROVISIONAL
    return Enough(
        verdict=verdict,
        reasons=tuple(reason for reason in Reason if reason in reasons),
        eojeols=eojeols,
        turns=turns,
        doubtful=doubtful,
        learner_turns=learner_turns,
        unsettled=unsettled,
        unread=unread,
    )
