"""What a conductor needs of an assessor and of a store, and the way from an interview to a stored report.

The report is stored before anybody speaks about it. Whatever goes wrong is a value here, with a name that can be
counted: an interview has to end kindly all the same.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from charye.interview.progress import Progress
from charye.interview.transcript import Transcript

__all__ = [
    "Assessor",
    "Interviewed",
    "Made",
    "Patience",
    "ReportStore",
    "SpokenReport",
    "Summary",
    "make_report",
]

log = logging.getLogger(__name__)


class Summary(Protocol):
    """What is said about a report; `charye.assessment.report.Spoken` is one."""

    @property
    def text(self) -> str:
        """The words, some 40 seconds at most, in the language that the learner understands."""
        ...


class SpokenReport(Protocol):
    """A report, as far as it is spoken about; `charye.assessment.report.Report` is one."""

    @property
    def spoken(self) -> Summary:
        """What the interviewer says."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Interviewed:
    """All that an assessor is given.

    Args:
        transcript: what was said; without what the learner does not want kept.
        progress: closed. The tasks with their scores, floor and ceiling, the flags, and why it ended.
        setting: `embedded`, `model`, or `hybrid` where a model had to be helped.
        started_at: when it began, as its conductor was told; None if it was not.
    """

    transcript: Transcript = field(repr=False)
    progress: Progress
    setting: str
    started_at: datetime | None = None


class Assessor(Protocol):
    """Makes a report of an interview."""

    async def assess(self, interview: Interviewed) -> Any:
        """The report, a `SpokenReport`. May raise whatever it likes; may be cancelled when it takes too long."""
        ...


class ReportStore(Protocol):
    """Keeps reports."""

    async def save(self, report: Any) -> None:
        """Keep it for good. May be called again for the same report after it failed. May raise whatever it likes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited, in seconds.

    Args:
        assess_s: for the report.
        save_s: for one try to store it.
        save_again_s: pauses before each further try.
    """

    assess_s: float = 60.0
    save_s: float = 10.0
    save_again_s: tuple[float, ...] = (0.5, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of it.

    Args:
        report: None if there is none.
        stored: it is in the store.
        failure: why there is no report, or why it is not stored: `timed_out`, or the type of an error. Empty if all
            went well.
    """

    report: SpokenReport | None = field(default=None, repr=False)
    stored: bool = False
    failure: str = ""


async def make_report(
    interview: Interviewed,
    assessor: Assessor,
    store: ReportStore,
    *,
    patience: Patience,
    deliver: Callable[[SpokenReport, bool], object],
) -> Made:
    """Assess, store, deliver. Never raises for a failure of theirs.

    Cancelling calls the assessment off. A report that is there by then is stored and delivered all the same, within
    the patience for that, before `CancelledError` is raised.

    Args:
        deliver: is given the report and whether it is stored, once, when the store has answered.
    """
    try:
        async with asyncio.timeout(patience.assess_s):
            report = await assessor.assess(interview)
    except Exception as error:
        failure = _name(error)
        log.error("the interview could not be assessed", extra={"error": failure}, exc_info=error)
        return Made(failure=failure)
    keeping = asyncio.ensure_future(_keep(report, store, patience, deliver))
    try:
        return await asyncio.shield(keeping)
    except asyncio.CancelledError:
        await asyncio.wait({keeping})
        raise


async def _keep(
    report: SpokenReport,
    store: ReportStore,
    patience: Patience,
    deliver: Callable[[SpokenReport, bool], object],
) -> Made:
    failure = ""
    for pause_s in (0.0, *patience.save_again_s):
        await asyncio.sleep(pause_s)
        failure = await _try(store.save(report), patience.save_s)
        if not failure:
            break
    try:
        deliver(report, not failure)
    except Exception:
        log.exception("a report could not be delivered")
    return Made(report=report, stored=not failure, failure=failure)


async def _try(saving: Awaitable[None], save_s: float) -> str:
    try:
        async with asyncio.timeout(save_s):
            await saving
    except Exception as error:
        failure = _name(error)
        log.error("a report could not be stored", extra={"error": failure}, exc_info=error)
        return failure
    return ""


def _name(error: Exception) -> str:
    return "timed_out" if isinstance(error, TimeoutError) else type(error).__name__
