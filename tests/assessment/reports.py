"""Whole reports of invented learners, from the real offline assessor and the real scoring, to draw and to look at.

The talks are those of `interviews/`. What an interview adds is made up: times, tasks and how they went.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from charye.assessment.compose import make_report
from charye.assessment.consensus import CriterionVote, Run, agree
from charye.assessment.grades import Grade
from charye.assessment.interview_evidence import InterviewEvidence, TaskResult
from charye.assessment.judge_outcome import JudgeOutcome, JudgeStatus
from charye.assessment.linguistic import assess
from charye.assessment.report import Earlier, Ending, Flag, Learner
from charye.assessment.rubric import Domain, Level
from charye.assessment.speech import Speaker, Task, Turn, quote_of
from tests.assessment.talks import interviews, talk

if TYPE_CHECKING:
    from charye.assessment.linguistic import LinguisticResult
    from charye.assessment.morphology import Kiwi
    from charye.assessment.report import Report

__all__ = ["MADE_AT", "a1", "b1", "c1", "silent", "transcript_only"]

MADE_AT = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
_SYLLABLE_MS = {Level.A1: 330, Level.B1: 240, Level.C1: 190}

# level, phase, function, score, signals
Script = tuple[tuple[Level, str, str, int | None, tuple[str, ...]], ...]

A1_SCRIPT: Script = (
    (Level.A1, "warm_up", "identify", None, ()),
    (Level.A2, "warm_up", "preference", None, ()),
    (Level.A1, "level_check", "list", 2, ()),
    (Level.A1, "level_check", "describe", 2, ()),
    (Level.A2, "probe", "report", 0, ("too_short", "simpler_tense")),
    (Level.A2, "probe", "routine", 1, ("thin",)),
    (Level.A1, "level_check", "request", 2, ()),
    (Level.A2, "probe", "reason", 0, ("dont_know",)),
    (Level.A1, "wind_down", "preference", None, ()),
)
B1_SCRIPT: Script = (
    (Level.A1, "warm_up", "identify", None, ()),
    (Level.A2, "warm_up", "preference", None, ()),
    (Level.A2, "level_check", "report", 2, ()),
    (Level.A2, "level_check", "compare", 2, ()),
    (Level.B1, "probe", "narrate", 2, ()),
    (Level.B1, "level_check", "opinion", 1, ("thin",)),
    (Level.B1, "level_check", "complain", 2, ()),
    (Level.B2, "probe", "weigh", 0, ("slow_to_begin", "stumbling")),
    (Level.B2, "probe", "propose", 1, ("simple",)),
    (Level.B2, "probe", "persuade", 0, ("too_short",)),
    (Level.A2, "wind_down", "plan", None, ()),
)
C1_SCRIPT: Script = (
    (Level.A1, "warm_up", "identify", None, ()),
    (Level.A2, "warm_up", "describe", None, ()),
    (Level.B1, "level_check", "narrate", 2, ()),
    (Level.B1, "level_check", "solve", 2, ()),
    (Level.B2, "probe", "weigh", 2, ()),
    (Level.B2, "level_check", "negotiate", 2, ()),
    (Level.C1, "probe", "rebut", 2, ()),
    (Level.C1, "level_check", "analyse", 2, ()),
    (Level.C1, "level_check", "persuade", 1, ()),
    (Level.C2, "probe", "synthesise", 1, ("code_mix",)),
    (Level.C2, "probe", "critique", 0, ("broken_off", "slow_to_begin")),
    (Level.B2, "wind_down", "plan", None, ()),
)


def a1(kiwi: Kiwi) -> Report:
    """A beginner with a name of their own, who has not done this before."""
    turns = spoken(Level.A1, A1_SCRIPT)
    result = assess(turns, kiwi=kiwi)
    return make_report(
        id="r-a1",
        made_at=MADE_AT,
        turns=turns,
        linguistic=result,
        interview=evidence(result, turns, A1_SCRIPT, Level.A1, Level.A2),
        learner=Learner(id="l-1", name="Nguyễn Thị Lan", language="vi"),
    )


def b1(kiwi: Kiwi) -> Report:
    """The fourth report of a learner, with a model that does not wholly agree."""
    turns = spoken(Level.B1, B1_SCRIPT)
    result = assess(turns, kiwi=kiwi)
    return make_report(
        id="r-b1",
        made_at=MADE_AT,
        turns=turns,
        linguistic=result,
        interview=evidence(result, turns, B1_SCRIPT, Level.B1, Level.B2),
        judge=judged(turns, result.sufficiency.eojeols, (Grade.B2, Grade.B1, Grade.B2)),
        learner=Learner(id="l-2", name="María López", language="es"),
        earlier=before((Grade.A2, False), (None, False), (Grade.A2, False)),
    )


def c1(kiwi: Kiwi) -> Report:
    """A very good one, read by a model, whose own language is Korean."""
    turns = spoken(Level.C1, C1_SCRIPT)
    result = assess(turns, kiwi=kiwi)
    return make_report(
        id="r-c1",
        made_at=MADE_AT,
        turns=turns,
        linguistic=result,
        interview=evidence(result, turns, C1_SCRIPT, Level.C1, Level.C2),
        judge=judged(turns, result.sufficiency.eojeols, (Grade.C1, Grade.C1, Grade.C1)),
        learner=Learner(id="l-3", name="王小明", language="ko"),
        earlier=before((Grade.B1, False), (Grade.B2, True)),
    )


def silent(kiwi: Kiwi) -> Report:
    """Somebody who hardly spoke: no level."""
    turns = talk(
        "I 이름이 뭐예요?\nL 네, 저는 안나예요.\nI 주말에 뭐 해요?\nL 음... 몰라요.\nI 어디에 살아요?\nL 서울 살아요."
    )
    result = assess(turns, kiwi=kiwi)
    found = InterviewEvidence(
        setting="embedded",
        ending=Ending.INSUFFICIENT_SPEECH,
        floor=-1,
        ceiling=None,
        settled=False,
        plus=False,
        tasks=(),
        flags=(Flag.SILENCE,),
        started_at=MADE_AT - timedelta(minutes=4),
        duration_s=185.0,
    )
    return make_report(id="r-0", made_at=MADE_AT, turns=turns, linguistic=result, interview=found)


def transcript_only(kiwi: Kiwi) -> Report:
    """From a file: no interview, no times, nobody's name."""
    turns = tuple(replace(turn, task=None) for turn in talk_of(Level.B2, 1))
    return make_report(id="r-t", made_at=MADE_AT, turns=turns, linguistic=assess(turns, kiwi=kiwi))


# --- what they are made of -------------------------------------------------------------------------------------------


def talk_of(level: Level, count: int) -> tuple[Turn, ...]:
    """Interviews of this level, one behind the other."""
    found = [one.turns for one in interviews() if one.level is level]
    return tuple(turn for turns in found[:count] for turn in turns)


def spoken(level: Level, script: Script) -> tuple[Turn, ...]:
    """A talk with tasks and times: a pause before each answer, syllables at a steady pace."""
    turns = talk_of(level, 3)[: 2 * len(script)]
    now, timed = 0.0, []
    for index, turn in enumerate(turns):
        asked, phase, function, _, _ = script[index // 2]
        pace = _SYLLABLE_MS[level] if turn.speaker is Speaker.LEARNER else 180
        now += 900.0 + 90 * (index % 7)
        end = now + pace * len(turn.text.replace(" ", ""))
        task = Task(level=asked, phase=phase, function=function, id=f"t{index // 2}")
        timed.append(replace(turn, start_ms=now, end_ms=end, task=task))
        now = end
    return tuple(timed)


def evidence(
    result: LinguisticResult, turns: tuple[Turn, ...], script: Script, floor: Level, ceiling: Level
) -> InterviewEvidence:
    """What an interview would have found."""
    words = {count.turn: count.eojeols for count in result.turns}
    end_ms = turns[-1].end_ms or 0.0
    return InterviewEvidence(
        setting="embedded",
        ending=Ending.CEILING_FOUND,
        floor=floor.step,
        ceiling=ceiling.step,
        settled=True,
        plus=False,
        tasks=tuple(
            TaskResult(
                task=f"t{index}",
                level=level,
                phase=phase,
                function=function,
                score=score,  # type: ignore[arg-type]  # 0, 1, 2 or None, as the scripts above have it
                signals=signals,
                words=words.get(2 * index + 1, 0),
                latency_ms=900.0 + 90 * index,
            )
            for index, (level, phase, function, score, signals) in enumerate(script)
        ),
        started_at=MADE_AT - timedelta(minutes=9),
        duration_s=end_ms / 1000,
        bank="1",
    )


def judged(turns: tuple[Turn, ...], eojeols: int, votes: tuple[Grade, ...]) -> JudgeOutcome:
    """A model that gave these answers."""
    spots = [index for index, turn in enumerate(turns) if turn.speaker is Speaker.LEARNER]
    runs = []
    for vote in votes:
        criteria = tuple(
            CriterionVote(
                domain=domain,
                grade=vote,
                evidence=(quote_of(turns, spots[2 + at], 0, turns[spots[2 + at]].text.index(" ", 6)),),
                counter=(quote_of(turns, spots[-2], 0, turns[spots[-2]].text.index(" ", 4)),),
                next_step=("문장을 더 자연스럽게 이어 보세요.", "Join your sentences more naturally."),
            )
            for at, domain in enumerate(Domain)
        )
        runs.append(Run(criteria=criteria, tasks=tuple((f"t{at}", 1) for at in range(5, 9))))
    return JudgeOutcome(
        status=JudgeStatus.OK,
        consensus=agree(runs, model="example-model", prompt="1", eojeols=eojeols),
        requests=3,
    )


def before(*levels: tuple[Grade | None, bool]) -> tuple[Earlier, ...]:
    """Earlier reports, one every five weeks."""
    return tuple(
        Earlier(
            report_id=f"r-before-{index}",
            made_at=MADE_AT - timedelta(weeks=5 * (len(levels) - index)),
            level=level,
            label="–" if level is None else f"{level}+" if open_above else level.value,
            open_above=open_above,
            low=level and Grade.at(level.step - index % 2),
            high=level and (Grade.C2 if open_above else level),
            confidence=0.6 if level else None,
        )
        for index, (level, open_above) in enumerate(levels)
    )
