"""What was asked and how it went, one entry for each task; without an interview, one for each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.assessment.grades import Grade
from charye.assessment.report import Bilingual, Note, TimelineEntry
from charye.assessment.speech import Speaker
from charye.assessment.wording import has, say

if TYPE_CHECKING:
    from charye.assessment.consensus import Consensus, Outcome
    from charye.assessment.interview_evidence import InterviewEvidence, TaskResult
    from charye.assessment.linguistic import LinguisticResult
    from charye.assessment.speech import Turn

__all__ = ["note", "timeline"]


def timeline(
    turns: tuple[Turn, ...],
    interview: InterviewEvidence | None,
    linguistic: LinguisticResult | None,
    judge: Consensus | None,
) -> tuple[TimelineEntry, ...]:
    """The entries, in the order of the conversation."""
    if interview is None:
        return _answers(turns, linguistic)
    judged = dict(judge.tasks) if judge else {}
    return tuple(
        _entry(number, task, turns, judged.get(task.task))
        for number, task in enumerate(interview.tasks, start=1)
    )


def note(kind: str, name: str) -> Note:
    """The words for a name; one that has none, of a teacher's own bank or a later version, speaks for itself."""
    text = say(kind, name) if has(kind, name) else Bilingual(name, name)
    return Note(id=name, text=text)


def _entry(number: int, task: TaskResult, turns: tuple[Turn, ...], judged: Outcome | None) -> TimelineEntry:
    own = [index for index, turn in enumerate(turns) if turn.task is not None and turn.task.id == task.task]
    answers = tuple(index for index in own if turns[index].speaker is Speaker.LEARNER)
    asked = [index for index in own if turns[index].speaker is Speaker.INTERVIEWER]
    if not asked and answers:
        asked = _question_before(turns, answers[0])
    return TimelineEntry(
        number=number,
        task=task.task,
        phase=task.phase,
        function=note("functions", task.function),
        level=Grade(task.level.value),
        score=task.score,
        judged=judged,
        breakdown=task.score == 0,
        signals=tuple(note("signals", signal) for signal in task.signals),
        question_turn=asked[0] if asked else None,
        turns=answers,
        duration_ms=_duration(turns, answers),
        latency_ms=task.latency_ms,
        words=task.words,
    )


def _answers(turns: tuple[Turn, ...], linguistic: LinguisticResult | None) -> tuple[TimelineEntry, ...]:
    counts = {count.turn: count.eojeols for count in linguistic.turns} if linguistic else {}
    spoken = [index for index, turn in enumerate(turns) if turn.speaker is Speaker.LEARNER]
    entries = []
    for number, index in enumerate(spoken, start=1):
        turn, before = turns[index], _question_before(turns, index)
        entries.append(
            TimelineEntry(
                number=number,
                task=turn.task.id if turn.task else None,
                phase=turn.task.phase if turn.task else None,
                function=note("functions", turn.task.function) if turn.task and turn.task.function else None,
                level=Grade(turn.task.level.value) if turn.task and turn.task.level else None,
                score=None,
                judged=None,
                breakdown=False,
                signals=(),
                question_turn=before[0] if before else None,
                turns=(index,),
                duration_ms=_duration(turns, (index,)),
                latency_ms=_latency(turns, before, index),
                words=counts.get(index, 0),
            )
        )
    return tuple(entries)


def _question_before(turns: tuple[Turn, ...], index: int) -> list[int]:
    return [index - 1] if index and turns[index - 1].speaker is Speaker.INTERVIEWER else []


def _duration(turns: tuple[Turn, ...], answers: tuple[int, ...]) -> float | None:
    lengths = [
        end - start
        for index in answers
        if (start := turns[index].start_ms) is not None and (end := turns[index].end_ms) is not None
    ]
    return sum(lengths) if lengths else None


def _latency(turns: tuple[Turn, ...], before: list[int], index: int) -> float | None:
    start = turns[index].start_ms
    asked_until = turns[before[0]].end_ms if before else None
    return (
        start - asked_until
        if start is not None and asked_until is not None and start >= asked_until
        else None
    )
