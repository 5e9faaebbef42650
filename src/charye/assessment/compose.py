"""The report from its parts. Pure: who, when and every version are given, so the same inputs give the same bytes.

    report = make_report(id="r-1", made_at=now, turns=turns, linguistic=result, interview=evidence, judge=outcome)

Any of the three assessors may be missing or have failed; what is left makes the report, and it says what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye import __version__
from charye.assessment import report as shape
from charye.assessment import showing
from charye.assessment.anchors import load_anchors
from charye.assessment.domain_scoring import differ
from charye.assessment.grades import TOP, Grade, label_of
from charye.assessment.judge_outcome import NOT_ASKED, JudgeOutcome
from charye.assessment.level_scoring import TOP_EOJEOLS, TOP_TASKS
from charye.assessment.opinions import NO_LEVEL, agreement, opinions
from charye.assessment.report import Bilingual, Flag, Learner, Report, Trust
from charye.assessment.scoring import VERSION as SCORING_VERSION
from charye.assessment.scoring import score
from charye.assessment.speech import Speaker
from charye.assessment.spoken import write_summary
from charye.assessment.sufficiency import Reason, Verdict
from charye.assessment.timeline import note, timeline
from charye.assessment.wording import descriptor, feature, number, say, texts_version

if TYPE_CHECKING:
    from datetime import datetime

    from charye.assessment.consensus import Consensus
    from charye.assessment.domain_scoring import DomainScore
    from charye.assessment.interview_evidence import InterviewEvidence
    from charye.assessment.level_scoring import LevelScore
    from charye.assessment.linguistic import LinguisticResult
    from charye.assessment.scoring import Score
    from charye.assessment.speech import Turn
    from charye.assessment.weighing import Weighed

__all__ = ["make_report"]

_HIGH = 0.75
_MEDIUM = 0.5


def make_report(
    *,
    id: str,  # noqa: A002 - the field of the report
    made_at: datetime,
    turns: tuple[Turn, ...],
    linguistic: LinguisticResult | None,
    interview: InterviewEvidence | None = None,
    judge: JudgeOutcome = NOT_ASKED,
    learner: Learner | None = None,
    earlier: tuple[shape.Earlier, ...] = (),
) -> Report:
    """Score, and write it down.

    Args:
        id: of the report.
        made_at: when, with its time zone.
        turns: what was assessed: the same that both assessors were given.
        linguistic: of the offline assessor; None if it failed or is not installed.
        interview: what it found; None for a transcript from elsewhere.
        judge: what came of asking a model.
        learner: who.
        earlier: of the same learner, from `report.as_earlier`; put in order here.
    Raises:
        ValueError: `made_at` has no time zone.
    """
    if made_at.tzinfo is None:
        raise ValueError("the time of a report needs a time zone")
    learner_turns = sum(turn.speaker is Speaker.LEARNER for turn in turns)
    scored = score(linguistic, interview, judge.consensus, learner_turns=learner_turns)
    heard = judge.consensus if scored.level is not None and scored.level.followed else None
    overall = _overall(scored.level) if scored.level else None
    steps = showing.next_steps(linguistic) if overall else ()
    shown = showing.strengths(linguistic, turns)
    return Report(
        id=id,
        made_at=made_at,
        learner=learner or Learner(),
        interview=_interview(interview),
        versions=_versions(linguistic, interview, judge.consensus),
        sufficiency=_sufficient(scored),
        overall=overall,
        bracket=_bracket(interview) if overall and interview else None,
        domains=tuple(_domain(domain, linguistic) for domain in scored.domains),
        opinions=opinions(scored, linguistic, interview, judge),
        agreement=agreement(scored.level),
        strengths=tuple(one.strength for one in shown),
        corrections=showing.corrections(linguistic, heard),
        next_steps=steps,
        practice=showing.practice(scored, steps, heard),
        timeline=timeline(turns, interview, linguistic, heard),
        patterns=showing.pattern_rows(linguistic),
        numbers=showing.numbers(linguistic),
        flags=_flags(scored, interview, heard),
        limits=_limits(heard),
        earlier=tuple(sorted(earlier, key=lambda one: (one.made_at, one.report_id))),
        spoken=write_summary(
            overall, shown, steps, unread=scored.enough.unread, language=(learner or Learner()).language
        ),
        transcript=turns,
    )


# --- who, when, with what --------------------------------------------------------------------------------------------


def _interview(interview: InterviewEvidence | None) -> shape.Interview | None:
    if interview is None:
        return None
    return shape.Interview(
        setting=interview.setting,
        started_at=interview.started_at,
        duration_s=interview.duration_s,
        ending=interview.ending,
        ending_text=say("endings", interview.ending.value),
    )


def _versions(
    linguistic: LinguisticResult | None, interview: InterviewEvidence | None, judge: Consensus | None
) -> shape.Versions:
    made = linguistic.versions if linguistic else None
    return shape.Versions(
        charye=__version__,
        scoring=SCORING_VERSION,
        texts=texts_version(),
        linguistic=made.result if made else None,
        anchors=made.anchors if made else None,
        patterns=made.patterns if made else None,
        core_words=made.core_words if made else None,
        kiwi=made.kiwi if made else None,
        bank=interview.bank if interview else None,
        judge=shape.JudgeVersions(model=judge.model, prompt=judge.prompt, runs=judge.runs) if judge else None,
    )


def _sufficient(scored: Score) -> shape.Sufficient:
    enough, limits = scored.enough, load_anchors().sufficiency
    why = [
        say(
            "why",
            reason.value,
            eojeols=enough.eojeols,
            needed=limits.least_eojeol,
            needed_turns=limits.least_turns,
        )
        for reason in enough.reasons
    ]
    if enough.unread:
        why.append(say("why", "unread"))
    if enough.unsettled:
        why.append(say("why", "unsettled"))
    return shape.Sufficient(
        verdict=enough.verdict,
        reasons=enough.reasons,
        why=tuple(why) if enough.verdict is not Verdict.OK else (),
        eojeols=enough.eojeols,
        needed_eojeols=limits.least_eojeol,
        turns=enough.turns,
        needed_turns=limits.least_turns,
        doubtful=enough.doubtful,
        unsettled=enough.unsettled,
        unread=enough.unread,
    )


# --- the level -------------------------------------------------------------------------------------------------------


def _overall(level: LevelScore) -> shape.Overall:
    grade = Grade.at(level.step)
    return shape.Overall(
        level=grade,
        open_above=level.open_above,
        label=label_of(grade, open_above=level.open_above),
        plus=level.plus,
        low=Grade.at(level.low),
        high=Grade.at(level.high),
        confidence=_confidence(level.confidence),
        review=level.review,
        held_back=None
        if level.held_back is None
        else say(
            "why", "held_back", label=Grade.at(level.held_back).value, tasks=TOP_TASKS, eojeols=TOP_EOJEOLS
        ),
        meaning=say("levels", "B2_open" if level.open_above else grade.value),
        equivalent=_equivalent(grade, open_above=level.open_above),
    )


def _equivalent(grade: Grade, *, open_above: bool) -> Bilingual:
    """One to one by the descriptors; no study has compared the cut scores."""
    if open_above:
        return say("equivalent", "open")
    if grade is Grade.PRE_A1:
        return say("equivalent", "none")
    return say("equivalent", "one", number=grade.step + 1)


def _confidence(weighed: Weighed) -> shape.Confidence:
    word = Trust.HIGH if weighed.value >= _HIGH else Trust.MEDIUM if weighed.value >= _MEDIUM else Trust.LOW
    return shape.Confidence(
        value=weighed.value,
        word=word,
        parts=tuple(
            shape.Part(name=name, value=value, weight=weight, text=say("confidence", name))
            for name, value, weight in weighed.parts
        ),
        cap=weighed.cap,
    )


def _bracket(interview: InterviewEvidence) -> shape.Bracket:
    floor = Grade.at(interview.floor)
    ceiling = None if interview.ceiling is None or interview.ceiling > TOP else Grade.at(interview.ceiling)
    if not interview.settled:
        text = say("bracket", "unsettled", floor=floor.value)
    elif ceiling is None:
        text = say("bracket", "top", floor=floor.value)
    else:
        text = say("bracket", "found", floor=floor.value, ceiling=ceiling.value)
    return shape.Bracket(floor=floor, ceiling=ceiling, settled=interview.settled, text=text)


# --- the domains -----------------------------------------------------------------------------------------------------


def _domain(scored: DomainScore, linguistic: LinguisticResult | None) -> shape.DomainGrade:
    grade = None if scored.step is None else Grade.at(scored.step)
    judge = None if scored.judge is None else Grade.at(scored.judge)
    return shape.DomainGrade(
        domain=scored.domain,
        name=say("domains", scored.domain.value),
        level=grade,
        label=NO_LEVEL if grade is None else label_of(grade, open_above=scored.open_above),
        open_above=scored.open_above,
        position=scored.position,
        confidence=_confidence(scored.confidence) if scored.confidence else None,
        ungraded=scored.ungraded,
        linguistic=scored.text.value if scored.text else None,
        judge=judge,
        comment=_comment(scored, grade, linguistic),
        quotes=scored.quotes,
        counter=scored.counter,
        next_step=_next_step(scored, grade),
    )


def _comment(scored: DomainScore, grade: Grade | None, linguistic: LinguisticResult | None) -> Bilingual:
    if grade is None:
        assert scored.ungraded is not None  # one without the other does not leave scoring
        return say("ungraded", scored.ungraded.value)
    parts = [descriptor(scored.domain, grade), *_measured(scored, linguistic)]
    if scored.text is not None and scored.judge is not None and differ(scored.text, scored.judge):
        parts.append(
            say("comments", "both", linguistic=scored.text.value, judge=Grade.at(scored.judge).value)
        )
    return Bilingual(" ".join(part.ko for part in parts), " ".join(part.en for part in parts))


def _measured(scored: DomainScore, linguistic: LinguisticResult | None) -> list[Bilingual]:
    """The reading of most weight, as a sentence."""
    readings = linguistic.text.readings if linguistic is not None and linguistic.text is not None else ()
    own = [reading for reading in readings if reading.name in scored.basis]
    if not own:
        return []
    reading = max(own, key=lambda one: one.weight)
    known = feature(reading.name)
    value = number(reading.value, known.digits)
    return [say("comments", "measured", name=known.name, value=value, label=reading.typical_of.value)]


def _next_step(scored: DomainScore, grade: Grade | None) -> Bilingual | None:
    if grade is None or grade is Grade.C2:
        return None
    if scored.next_step is not None:
        return Bilingual(*scored.next_step)
    above = Grade.at(grade.step + 1)
    return say("comments", "next", label=above.value, descriptor=descriptor(scored.domain, above))


# --- conditions ------------------------------------------------------------------------------------------------------


def _flags(
    scored: Score, interview: InterviewEvidence | None, judge: Consensus | None
) -> tuple[shape.Note, ...]:
    raised = {*(interview.flags if interview else ()), *(judge.flags if judge else ())}
    if Reason.TRANSCRIPT_IN_DOUBT in scored.enough.reasons:
        raised.add(Flag.ASR_DOUBT)
    return tuple(note("flags", flag.value) for flag in Flag if flag in raised)


def _limits(judge: Consensus | None) -> tuple[Bilingual, ...]:
    names = ("transcript", "unofficial", "calibration", *(("model",) if judge else ()))
    return tuple(say("limits", name) for name in names)
