"""From an interview to its report: both assessors, side by side, and the parts put together.

    async with LinguisticAssessor() as linguistic:
        maker = ReportMaker(linguistic=linguistic, judge=judge)      # an `Assessor` for the conductor

Either may be missing, fail, or take too long: the report is made of what there is, and says what is missing.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, Protocol
from uuid import uuid4
from zlib import crc32

from charye.assessment.compose import make_report
from charye.assessment.interview_evidence import InterviewEvidence, TaskResult
from charye.assessment.judge_outcome import NOT_ASKED, JudgeOutcome, JudgeStatus
from charye.assessment.linguistic import LinguisticResult
from charye.assessment.report import Earlier, Ending, Flag, Learner, Report
from charye.assessment.speech import Turn
from charye.errors import CharyeError, LocalProtocolError
from charye.interview.levels import NO_CEILING
from charye.interview.plan import Plan
from charye.interview.progress import Scored
from charye.interview.reporting import Interviewed
from charye.interview.transcript import to_turns

__all__ = ["JudgeOfTurns", "LinguisticOfTurns", "ReportMaker", "evidence_of"]

_SCORES: tuple[Literal[0, 1, 2], ...] = (0, 1, 2)

log = logging.getLogger(__name__)


class LinguisticOfTurns(Protocol):
    """`charye.assessment.worker.LinguisticAssessor` is one."""

    async def assess(self, turns: tuple[Turn, ...], *, timeout_s: float = 60.0) -> LinguisticResult:
        """See there. Raises a `CharyeError` for anything that goes wrong."""
        ...


class JudgeOfTurns(Protocol):
    """`charye.assessment.judge.Judge` is one."""

    async def assess(self, turns: tuple[Turn, ...], *, names: tuple[str, ...] = ()) -> JudgeOutcome:
        """See there. Never raises for what the other side does; may be cancelled."""
        ...


class ReportMaker:
    """Makes the report of one interview.

    Args:
        linguistic: None: only the interview itself, and the judge if there is one, speak for the level.
        judge: a model, if there is one.
        learner: who it is about; the judge is not told the name.
        earlier: reports of the same learner, from `report.as_earlier`.
        report_id: of the report; None: a new one.
        clock: gives the time of the report, with its time zone.
        linguistic_s, judge_s: how long each is waited for; together they run no longer than the longer of the two,
            which has to be shorter than the conductor's `Patience.assess_s`.
    """

    def __init__(
        self,
        *,
        linguistic: LinguisticOfTurns | None = None,
        judge: JudgeOfTurns | None = None,
        learner: Learner | None = None,
        earlier: tuple[Earlier, ...] = (),
        report_id: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        linguistic_s: float = 30.0,
        judge_s: float = 45.0,
    ) -> None:
        self._linguistic, self._judge = linguistic, judge
        self._learner, self._earlier = learner or Learner(), earlier
        self._id, self._clock = report_id or str(uuid4()), clock
        self._linguistic_s, self._judge_s = linguistic_s, judge_s

    async def assess(self, interview: Interviewed) -> Report:
        """The report. Cancelling is safe.

        Raises:
            LocalProtocolError: the interview is not over.
        """
        turns = to_turns(interview.transcript)
        evidence = evidence_of(interview)
        linguistic, judged = await asyncio.gather(self._read(turns), self._judged(turns))
        return make_report(
            id=self._id,
            made_at=self._clock(),
            turns=turns,
            linguistic=linguistic,
            interview=evidence,
            judge=judged,
            learner=self._learner,
            earlier=self._earlier,
        )

    async def _read(self, turns: tuple[Turn, ...]) -> LinguisticResult | None:
        if self._linguistic is None:
            return None
        try:
            return await self._linguistic.assess(turns, timeout_s=self._linguistic_s)
        except CharyeError as error:
            log.warning("a report is made without the offline assessor", extra={"error": error.message})
            return None

    async def _judged(self, turns: tuple[Turn, ...]) -> JudgeOutcome:
        if self._judge is None:
            return NOT_ASKED
        names = () if self._learner.name is None else (self._learner.name,)
        try:
            async with asyncio.timeout(self._judge_s):
                return await self._judge.assess(turns, names=names)
        except TimeoutError:
            log.warning("a report is made without the judge", extra={"reason": "out of time"})
            return JudgeOutcome(status=JudgeStatus.TIMED_OUT)


def evidence_of(interview: Interviewed) -> InterviewEvidence:
    """What the interview itself says about the level.

    Raises:
        LocalProtocolError: it is not over.
    """
    progress, state = interview.progress, interview.progress.state
    if state.reason is None:
        raise LocalProtocolError("the interview is not over", state=state.phase.value, given="assess")
    found = progress.outcome
    return InterviewEvidence(
        setting=interview.setting,
        ending=Ending(state.reason.value),
        floor=found.floor,
        ceiling=None if found.ceiling == NO_CEILING else found.ceiling,
        settled=found.settled,
        plus=found.plus,
        tasks=tuple(_result(done, progress.plan) for done in state.record),
        flags=tuple(Flag(flag.value) for flag in state.flags),
        started_at=interview.started_at,
        duration_s=state.elapsed_s,
        bank=_bank(progress.plan),
    )


def _result(done: Scored, plan: Plan) -> TaskResult:
    return TaskResult(
        task=done.task,
        level=done.level,
        phase=done.phase.value,
        function=plan.tasks[done.task].function,
        score=None if done.score is None else _SCORES[done.score],
        signals=tuple(signal.value for signal in done.signals),
        words=done.words,
        latency_ms=done.latency_ms,
    )


def _bank(plan: Plan) -> str:
    """What tells this bank from another: how many tasks, and a sum of their words."""
    words = "\n".join(f"{task.id}\t{task.ko}" for task in plan.tasks.values())
    return f"{len(plan.tasks)}-{crc32(words.encode()):08x}"
