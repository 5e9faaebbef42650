"""From the evidence to levels: what is sustained, what the text measures, what a model reads. Pure.

Three opinions may speak. The *interview* knows which tasks were sustained (its floor) and which broke down (its
ceiling). The *linguistic* one is the offline assessor: A1, A2, B1 or B2+. The *judge* is a model, asked several times.

    with a judge      the lower middle of its votes and the linguistic one, at most one above the floor
    without           the floor of the interview; if the text is two or more away from it, one step towards the text
    no interview      the text alone, or with the judge as above
    a judge that is more than one away from the text (where the text can tell) is not followed: it is shown

B2 and above: text cannot tell B2 from C2. Without both an interview and a judge the answer is `B2+`, B2 or above, and
that only if the text says so too. C1 and C2 need two sustained tasks of that level and 150 eojeol besides.

What the numbers are and where they come from is written in `docs/reference/assessment-report.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from charye.assessment.anchors import load_anchors
from charye.assessment.consensus import lower_median
from charye.assessment.domain_scoring import DomainScore, score_domains, ungraded_domains
from charye.assessment.grades import BELOW, TOP
from charye.assessment.rubric import Band, Level
from charye.assessment.sufficiency import Reason, Verdict
from charye.assessment.weighing import Weighed, share_of_votes, weigh

if TYPE_CHECKING:
    from charye.assessment.consensus import Consensus
    from charye.assessment.interview_evidence import InterviewEvidence
    from charye.assessment.linguistic import LinguisticResult
    from charye.assessment.sufficiency import Doubt

__all__ = ["VERSION", "Enough", "LevelScore", "Score", "score"]

VERSION = "1"
_B2 = Level.B2.step
_C1 = Level.C1.step
_FAR = 2
_VERY_FAR = 3
_CAP = 0.4
_LEAST_TOP_EOJEOLS = 150
_LEAST_TOP_TASKS = 2


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
    confidence: Weighed


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


@dataclass(frozen=True, slots=True)
class _Votes:
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
        if not others or (self.text is None and len(others) < _FAR):
            return None
        return max(max(others) - min(others), *(self.gap(step) for step in others))


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
    enough = _enough(linguistic, interview, learner_turns)
    if enough.verdict is Verdict.INSUFFICIENT:
        return _without_level(enough, linguistic)
    estimate = linguistic.estimate if linguistic else None
    votes = _Votes(
        text=estimate.band.level.step if estimate else None,
        judge=judge.votes if judge else (),
        floor=_known_floor(interview),
    )
    followed = None if judge is None else votes.gap(judge.step) < _FAR
    level = _level(votes, enough, linguistic, interview, followed=followed)
    if level is None:
        return _without_level(replace(enough, verdict=Verdict.INSUFFICIENT), linguistic)
    heard = judge if followed else None
    domains = score_domains(
        linguistic, heard, provisional=enough.verdict is not Verdict.OK, split=interview is not None
    )
    return Score(enough=enough, level=level, domains=domains)


def _without_level(enough: Enough, linguistic: LinguisticResult | None) -> Score:
    return Score(enough=enough, level=None, domains=ungraded_domains(linguistic))


# --- how much there was ----------------------------------------------------------------------------------------------


def _enough(
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


def _known_floor(interview: InterviewEvidence | None) -> int | None:
    """An interview that was cut short and found no floor has not found that there is none."""
    if interview is None or (not interview.settled and interview.floor == BELOW):
        return None
    return interview.floor


# --- the level -------------------------------------------------------------------------------------------------------


def _level(
    votes: _Votes,
    enough: Enough,
    linguistic: LinguisticResult | None,
    interview: InterviewEvidence | None,
    *,
    followed: bool | None,
) -> LevelScore | None:
    step = _judged(votes, interview) if followed else _offline(votes, interview)
    if step is None:
        return None
    capped = _cap(step, votes, enough, interview, followed=bool(followed))
    open_above = capped == _B2 and not (followed and interview is not None)
    low, high = _range(capped, votes, enough, linguistic, interview, followed=followed)
    # What was held back for want of proof is not ruled out.
    high = max(high, step if followed else min(step, _B2))
    spread = votes.spread
    far = followed is False or (spread is not None and spread >= _VERY_FAR)
    return LevelScore(
        step=capped,
        open_above=open_above,
        plus=interview is not None and interview.plus and interview.floor == capped and not open_above,
        low=low,
        high=TOP if open_above else high,
        spread=spread,
        followed=followed,
        review=far or (spread is not None and spread >= _FAR),
        confidence=weigh(
            {
                "sufficiency": 1.0 if enough.verdict is Verdict.OK else 0.5,
                "agreement": share_of_votes(spread),
                "bracket": _bracket(interview),
                "transcript": _transcript(enough),
            },
            cap=_CAP if far else None,
        ),
    )


def _judged(votes: _Votes, interview: InterviewEvidence | None) -> int:
    text = [] if votes.text is None else [votes.text]
    step = lower_median([*votes.judge, *text])
    return step if votes.floor is None else min(step, votes.floor + 1)


def _offline(votes: _Votes, interview: InterviewEvidence | None) -> int | None:
    """Without a judge, or with one that is not followed."""
    text, floor = votes.text, votes.floor
    if floor is None or interview is None:
        if text is None or interview is None or interview.ceiling is None:
            return text
        return max(min(text, interview.ceiling - 1), BELOW)
    if text is None:
        return floor
    if not interview.settled:
        return min(text, floor + 1)
    # "The level of an interview is its floor." The text has a say where it contradicts loudly.
    if votes.gap(floor) >= _FAR:
        return floor + 1 if text > floor else floor - 1
    return floor


def _cap(
    step: int, votes: _Votes, enough: Enough, interview: InterviewEvidence | None, *, followed: bool
) -> int:
    if followed and interview is not None:
        while step >= _C1 and not _has_shown(step, enough, interview):
            step -= 1
        return step
    if step >= _B2 and votes.text is not None:
        # Nobody has read it: `B2+` only with the text, not against it.
        return min(_B2, votes.text)
    return min(step, _B2)


def _has_shown(step: int, enough: Enough, interview: InterviewEvidence) -> bool:
    return interview.sustained_from(step) >= _LEAST_TOP_TASKS and enough.eojeols >= _LEAST_TOP_EOJEOLS


def _range(
    step: int,
    votes: _Votes,
    enough: Enough,
    linguistic: LinguisticResult | None,
    interview: InterviewEvidence | None,
    *,
    followed: bool | None,
) -> tuple[int, int]:
    low = high = step
    spread = votes.spread
    if followed is False or (spread is not None and spread >= _FAR):
        floor_limit = TOP if votes.floor is None else votes.floor + 1
        voices = [*votes.judge, *(voice for voice in (votes.text, votes.floor) if voice is not None)]
        low = min(low, *voices)
        high = max(high, min(max(voices), max(floor_limit, step)))
    if linguistic is not None and linguistic.estimate is not None and votes.floor is None and not followed:
        # Nothing but a text: its margin is the range.
        low = min(low, linguistic.estimate.low.level.step)
        high = max(high, linguistic.estimate.high.level.step)
    if enough.verdict is Verdict.PROVISIONAL and low == high:
        if _leans_up(step, linguistic, interview):
            high = min(step + 1, TOP)
        else:
            low = max(step - 1, BELOW)
    return low, high


def _leans_up(step: int, linguistic: LinguisticResult | None, interview: InterviewEvidence | None) -> bool:
    if interview is not None and interview.ceiling is not None:
        # What broke down is out; without a known floor the answer may be lower too.
        return interview.ceiling > step + 1
    if linguistic is not None and linguistic.estimate is not None:
        return linguistic.estimate.position >= step or linguistic.estimate.band is Band.B2_PLUS
    return True


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
