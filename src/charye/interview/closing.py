"""The end of an interview: acknowledgement, assessment behind it, the summary, the goodbye; each heard in full.

    hold the floor       nobody else speaks, and nobody is answered
      acknowledgement    while it is spoken, the assessment runs
      please wait        if it takes long, twice at most
      stored, delivered  before a word of the report is spoken
      summary            or the kind line about what went wrong
      goodbye

A part that was not heard in full is said once more. Whatever cannot be said, the result says so; the report is stored
and delivered all the same, also when the line is lost for good.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources

from msgspec import convert

from charye.core.requests import Outcome, OutcomeKind, Starts
from charye.errors import LocalProtocolError, RealtimeError
from charye.interview import toml_lines
from charye.interview.lines import Line, Lines
from charye.interview.moves import Close
from charye.interview.news import News, PartSaid, Ready
from charye.interview.progress import Progress
from charye.interview.reporting import (
    Assessor,
    Interviewed,
    Made,
    Patience,
    ReportStore,
    make_report,
)
from charye.session.session import Session

__all__ = ["Closed", "ClosingSettings", "Ending", "Part", "close_interview"]

log = logging.getLogger(__name__)

_TRIES = 2
_SAME_WORDS = 0.6
"""Share of the words of a part that have to be in what was said."""


class Ending(StrEnum):
    """How an interview ended, for the learner."""

    COMPLETE = "complete"
    """The report is stored, and every part of the closing was heard in full."""
    NOT_HEARD = "not_heard"
    """The report is stored and delivered, but something of what is said about it was not heard in full."""
    NOT_STORED = "not_stored"
    """The report was delivered, not stored; the learner was told so, unless the parts say otherwise."""
    NO_REPORT = "no_report"
    """The assessment failed or took too long. The interview can be assessed again from its checkpoint."""
    NEUTRAL = "neutral"
    """Ended for the learner's sake: nothing was said about a result. The report, if any, is stored and delivered."""
    SUSPENDED = "suspended"
    """It is not over: it can go on from its checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the closing, and what became of it.

    Args:
        name: `acknowledgement`, `please_wait`, `summary`, `no_report`, `not_stored` or `goodbye`.
        in_full: all of it was heard.
        heard_ms: how much was, where it was cut off.
        reason: why not in full, such as `interrupted` or `out of time`; empty if it was.
        tries: how often it was begun.
    """

    name: str
    in_full: bool
    heard_ms: float | None = None
    reason: str = ""
    tries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingSettings:
    """How patient the closing is.

    Args:
        report: see `Patience`.
        please_wait_s: of waiting for the report, after which something kind is said.
        part_s: for one part to be heard, a lost line included. It is longer than a session tries to connect again.
    """

    report: Patience = field(default_factory=Patience)
    please_wait_s: float = 12.0
    part_s: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What became of the closing."""

    ending: Ending
    made: Made = field(repr=False)
    parts: tuple[Part, ...]


async def close_interview(
    session: Session,
    interview: Interviewed,
    move: Close,
    *,
    assessor: Assessor,
    store: ReportStore,
    tell: Callable[[News], object],
    settings: ClosingSettings,
) -> Closed:
    """Close an interview; see the module. Does not end the session.

    Never raises for a lost line, a failed assessment or a failed store. Cancelling it is explained at `make_report`.

    Args:
        move: its words are the acknowledgement; none, if it was spoken before.
    """
    making = asyncio.ensure_future(
        make_report(
            interview,
            assessor,
            store,
            patience=settings.report,
            deliver=lambda report, stored: tell(Ready(report, stored)),
        )
    )
    speech = _Speech(session, interview.progress, tell, settings)
    try:
        async with AsyncExitStack() as held:
            await speech.hold(held)
            if move.say:
                await speech.say("acknowledgement", move.say, move.gloss)
            if move.withhold:
                made = await making
            else:
                made = await _wait(making, speech, settings.please_wait_s)
                await _tell_result(made, speech)
            await speech.line("goodbye")
    except BaseException:
        making.cancel()
        await asyncio.wait({making})
        raise
    return Closed(ending=_ending(made, speech.parts, move), made=made, parts=tuple(speech.parts))


async def _wait(making: "asyncio.Future[Made]", speech: "_Speech", please_wait_s: float) -> Made:
    for _ in range(2):
        done, _ = await asyncio.wait({making}, timeout=please_wait_s)
        if done:
            break
        await speech.line("please_wait")
    return await making


async def _tell_result(made: Made, speech: "_Speech") -> None:
    if made.report is None:
        await speech.line("no_report")
    elif not made.stored:
        await speech.line("not_stored")
    else:
        await speech.say("summary", made.report.spoken.text)


def _ending(made: Made, parts: list[Part], move: Close) -> Ending:
    if move.withhold:
        return Ending.NEUTRAL
    if made.report is None:
        return Ending.NO_REPORT
    if not made.stored:
        return Ending.NOT_STORED
    return Ending.COMPLETE if all(part.in_full for part in parts) else Ending.NOT_HEARD


class _Speech:
    """What is said in a closing. Once the session is over it is silent, and says so."""

    def __init__(
        self,
        session: Session,
        progress: Progress,
        tell: Callable[[News], object],
        settings: ClosingSettings,
    ) -> None:
        self.parts: list[Part] = []
        self._session = session
        self._progress = progress
        self._tell = tell
        self._settings = settings

    async def hold(self, held: AsyncExitStack) -> None:
        """Nobody else speaks until `held` is left. Where that cannot be had, it is done without."""
        try:
            await held.enter_async_context(self._session.hold_floor("closing"))
        except (RealtimeError, LocalProtocolError) as error:
            log.warning("the floor cannot be held for the closing", extra={"error": error.message})

    async def line(self, name: str) -> None:
        """Say one of our lines."""
        lines = _lines()
        language = self._progress.state.language or ""
        await self.say(name, lines.say(name, self._progress.outcome.floor), lines.gloss(name, language))

    async def say(self, name: str, words: str, gloss: str | None = None) -> None:
        """Say this and wait until it was heard in full, or cannot be."""
        self._tell(PartSaid(name, words, gloss))
        part = Part(name=name, in_full=False, reason="nothing to say", tries=0)
        if words.strip():
            for number in range(1, _TRIES + 1):
                part = await self._try(name, words, number)
                if part.in_full or not self._session.is_open:
                    break
        self.parts.append(part)
        if not part.in_full:
            extra = {"part": name, "reason": part.reason, "heard_ms": part.heard_ms, "tries": part.tries}
            log.warning("a part of the closing was not heard in full", extra=extra)

    async def _try(self, name: str, words: str, number: int) -> Part:
        try:
            handle = self._session.say(words, trigger=f"closing:{name}", starts=Starts.AFTER_HEARD)
        except LocalProtocolError:
            return Part(name=name, in_full=False, reason="the session is over", tries=number)
        try:
            async with asyncio.timeout(self._settings.part_s):
                outcome = await handle
        except TimeoutError:
            outcome = Outcome(OutcomeKind.EXPIRED, reason="out of time")
        finally:
            handle.cancel()  # does nothing to one that has ended
        # An answer that was cut by a limit is told as heard, with the limit as the reason.
        in_full = outcome.kind is OutcomeKind.HEARD and not outcome.reason
        reason = "" if in_full else outcome.reason or outcome.kind.value
        if in_full and not self._were_said(handle.response_id, words):
            in_full, reason = False, "other words"
        return Part(name=name, in_full=in_full, heard_ms=outcome.heard_ms, reason=reason, tries=number)

    def _were_said(self, response_id: str | None, words: str) -> bool:
        """Whether these words were said, or nearly: a model that is asked for exact words may say others."""
        said = [u.text for u in self._session.transcript if response_id and u.response_id == response_id]
        wanted = set(words.split())
        return not said or len(wanted & set(" ".join(said).split())) >= _SAME_WORDS * len(wanted)


@cache
def _lines() -> Lines:
    text = resources.files("charye.interview").joinpath("data", "closing.toml").read_text(encoding="utf-8")
    return Lines(convert(toml_lines.parse(text, name="closing.toml").data["line"], dict[str, Line]))
