"""The turns of an interview, from the first question to the decision that it is over.

One loop takes in what happens, one thing after the other, and keeps one alarm:

    the learner has said something   -> step the policy, perform its move
    a button                         -> step the policy, perform its move
    a move was heard, or cut off     -> the learner's turn: the silence begins
    the silence is long enough       -> step the policy, perform its move
    the model ends the interview     -> it is over; it was asked before whether it may
    the line is lost for good        -> it is over

What the interviewer says is outdated as soon as the learner speaks. So a move that was not heard because of that never
was: a learner who stops to think, and goes on while the next question begins, goes on with the same answer.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from charye.errors import LocalProtocolError, RealtimeError
from charye.interview import course, policy
from charye.interview.configuring import ConductorSettings
from charye.interview.going_on import Answered
from charye.interview.hearing import Control, TurnEvidence
from charye.interview.listening import Listening, Said
from charye.interview.moves import Close, Listen, Move, Reason
from charye.interview.news import Advanced, Asked, Checkpoint, LearnerSaid, News, YourTurn
from charye.interview.progress import Awaiting, Progress, change
from charye.interview.reading import Reader, read
from charye.interview.record import Record
from charye.interview.saying import Interviewer
from charye.interview.timekeeping import SilenceClock, Stopwatch
from charye.interview.transcript import Utterance
from charye.interview.voicing import Performed, Voice

__all__ = ["Ended", "Exchange", "Fact", "Happened"]

log = logging.getLogger(__name__)

_LAST_WORDS_S = 30.0
"""For a model that ends the interview and speaks."""
_EARLY_S = 0.001
"""A loop may ring so much too early."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The model ends the interview, and may."""

    reason: Reason


class Happened(Enum):
    """What says all by itself."""

    HEARD = "heard"  # there is more to the learner's turn
    SUSPEND = "suspend"
    SESSION_OVER = "session_over"


Fact: TypeAlias = Performed | Ended | Control | Happened


class Exchange:
    """Of one interview. On the session's loop.

    Args:
        progress, first: from `policy.start`; or a stored progress, and None.
        silence: tells the session to be silent, whoever speaks.
        tell: must not raise.
    """

    def __init__(
        self,
        progress: Progress,
        first: Move | None,
        *,
        interviewer: Interviewer,
        record: Record,
        reader: Reader | None,
        settings: ConductorSettings,
        silence: Callable[[], object],
        tell: Callable[[News], object],
    ) -> None:
        self.progress = progress
        self.listening = Listening(settings.patience)
        self.is_suspended = False
        self._first = first
        self._record, self._reader = record, reader
        self._settings, self._tell, self._be_silent = settings, tell, silence
        self._watch = Stopwatch(self._now(), progress.state.elapsed_s or 0.0)
        self._silence = SilenceClock()
        self._inbox: asyncio.Queue[Fact] = asyncio.Queue()
        self._voice = Voice(interviewer, progress.state.last, self.post)
        self._answered: Answered | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """How far it is now."""
        return Checkpoint(self.progress, self._record.transcript)

    @property
    def elapsed_s(self) -> float:
        """How long it has taken, pauses left out."""
        return self._watch.elapsed_s(self._now())

    def post(self, fact: Fact) -> None:
        """Something happened."""
        self._inbox.put_nowait(fact)

    async def run(self) -> None:
        """Play it until it is over (`progress.closed`) or suspended. Cancelling stops the interviewer's voice."""
        try:
            if self._first is not None:
                self._tell(Advanced(self.checkpoint))
                self._perform(self._first)
            elif not self.progress.closed:
                self._advance(TurnEvidence(control=Control.RESUME))
            while not self.progress.closed and not self.is_suspended:
                await self._take(await self._next())
        finally:
            self._voice.stop()

    async def _next(self) -> Fact | None:
        """What happens next; None: the alarm."""
        if not self._voice.is_speaking and not self.listening.is_busy:
            self._silence.start(self._now())
        try:
            async with asyncio.timeout_at(self._deadline_s()):
                return await self._inbox.get()
        except TimeoutError:
            return None

    async def _take(self, fact: Fact | None) -> None:
        match fact:
            case None:
                await self._alarm()
            case Performed():
                self._performed(fact)
            case Ended(reason=reason):
                await self._voice.finish(_LAST_WORDS_S)
                self._end(reason)
            case Control():
                self._be_silent()
                self._advance(TurnEvidence(control=fact))
            case Happened.HEARD:
                if self.listening.is_busy:
                    self._silence.stop(self._now(), broken=True)
                await self._hear_out()
            case Happened.SUSPEND:
                self.is_suspended = True
            case Happened.SESSION_OVER:
                self._end(Reason.TECHNICAL)

    # time

    def _deadline_s(self) -> float | None:
        """When something is due, if nothing happens before."""
        times = [self.listening.deadline_s, self._suspended_at_s()]
        if not self._voice.is_speaking and not self.listening.is_busy:
            times += [self._voice.again_at_s, self._silent_at_s(), self._over_at_s()]
        return min((time for time in times if time is not None), default=None)

    def _silent_at_s(self) -> float | None:
        """When it will have been silent for so long that something is to be said."""
        due_ms = policy.silence_deadline_ms(self.progress)
        return None if due_ms is None else self._silence.at_s(due_ms)

    def _over_at_s(self) -> float | None:
        """When the time is over."""
        return self._watch.at_s(self.progress.plan.limits.max_s)

    def _suspended_at_s(self) -> float | None:
        """When a pause will have lasted too long."""
        since_s = self._watch.paused_since
        return None if since_s is None else since_s + self._settings.pause_s

    async def _alarm(self) -> None:
        now_s = self._now() + _EARLY_S
        self.listening.give_up(now_s)
        if self.listening.is_busy:
            await self._hear_out()
        elif _is_due(self._suspended_at_s(), now_s):
            self.is_suspended = True
        elif self._voice.is_speaking:
            return
        elif _is_due(self._voice.again_at_s, now_s):
            self._ask_again()
        elif _is_due(self._silent_at_s(), now_s):
            self._advance(TurnEvidence(silence_ms=policy.silence_deadline_ms(self.progress) or 0.0))
        elif _is_due(self._over_at_s(), now_s):
            # The policy looks at the time by itself. A silence too short to matter is how it is told of it.
            self._advance(TurnEvidence(silence_ms=1.0), at_least_s=self.progress.plan.limits.max_s)

    # the learner's turn

    async def _hear_out(self) -> None:
        """If the learner has finished, it is their turn that counts now."""
        said = self.listening.take()
        if said is None or (not said.text and self._was_noise(said)):
            return
        before, whole, latency_ms = self.progress, said, self._latency_ms(said)
        last, unheard_ms = self._answered, self._settings.unheard_ms
        if last is not None and last.goes_on(said, self._voice.heard, unheard_ms=unheard_ms):
            before, latency_ms, whole = last.before, last.latency_ms, last.said + said
        spoken = self._record.learner(said, before, goes_on=whole is not said)
        position = await read(self._reader, whole, before, timeout_s=self._settings.reading_s)
        self.progress = before
        self._advance(
            TurnEvidence(
                text=whole.text,
                duration_ms=whole.duration_ms,
                latency_ms=latency_ms,
                source=whole.source,
                linguistic=position,
            ),
            spoken=spoken,
        )
        self._answered = Answered(before, whole, latency_ms) if whole.text else None

    def _was_noise(self, said: Said) -> bool:
        """A sound without words: too short to be anybody's turn, or one that cut off a move, which is said again."""
        if self._was_cut_off and self._voice.may_try_again:
            self._ask_again()
            return True
        return said.duration_ms is not None and said.duration_ms <= self._settings.noise_ms

    def _latency_ms(self, said: Said) -> float | None:
        """From the end of the question, as heard, to the first voice."""
        if self._voice.heard_at_s is None or said.began_s is None:
            return None
        return max(said.began_s - self._voice.heard_at_s, 0.0) * 1000

    def _advance(
        self,
        evidence: TurnEvidence,
        *,
        spoken: tuple[Utterance, ...] | None = None,
        at_least_s: float = 0.0,
    ) -> None:
        """Step the policy, and perform what it says.

        Args:
            spoken: what was heard; None if the learner said nothing.
            at_least_s: it has taken so long, whatever the clock's last digit says.
        """
        now_s = self._now()
        evidence = dataclasses.replace(evidence, at_s=max(self._watch.elapsed_s(now_s), at_least_s))
        self.progress, move = policy.step(self.progress, evidence)
        self._answered = None
        on = self.progress.state.on
        goes_on = evidence.silence_ms > 0 and on is not None and on.silence > 0
        self._silence.stop(now_s, broken=not goes_on)
        if self.progress.state.awaiting is Awaiting.RESUMPTION:
            self._watch.pause(now_s)
        else:
            self._watch.resume(now_s)
        if isinstance(move, Close) and move.withhold:
            self._record.withhold_last()
            spoken = None if spoken is None else ()
        if spoken is not None:
            self._tell(LearnerSaid(spoken))
        self._tell(Advanced(self.checkpoint))
        if not isinstance(move, Close | Listen):
            self._perform(move)

    def _end(self, reason: Reason) -> None:
        """It is over, whatever the policy waits for."""
        progress, move = course.close(self.progress, reason)
        self.progress = change(progress, last=move)
        self._tell(Advanced(self.checkpoint))

    # the interviewer's turn

    @property
    def _was_cut_off(self) -> bool:
        """The last move was, by somebody or something."""
        heard = self._voice.heard
        return heard is not None and heard.cut_off

    @property
    def _answer_s(self) -> int | None:
        """How long an answer usually takes; None if none is waited for."""
        task = self.progress.task
        if task is None or self.progress.state.awaiting is not Awaiting.ANSWER:
            return None
        return self.progress.plan.answers.seconds[task.level.step]

    def _perform(self, move: Move) -> None:
        if self.listening.is_speaking:
            self._voice.skip(move)
            return
        self._tell(Asked(move))
        self._voice.begin(move, self.progress, self.elapsed_s)

    def _ask_again(self) -> None:
        self._tell(Asked(self._voice.move))
        self._voice.begin_again(self.progress, self.elapsed_s)

    def _performed(self, performed: Performed) -> None:
        now_s = self._now()
        try:
            heard = self._voice.ended(performed, now_s)
        except (LocalProtocolError, RealtimeError) as error:
            log.warning("the interviewer cannot speak", extra={"error": error.message})
            self._end(Reason.TECHNICAL)
            return
        if heard is None:
            return
        self._record.quiet(now_s)
        if heard.in_full or heard.cut_off:
            if heard.cut_off and self._voice.may_try_again and not self.listening.is_busy:
                self._voice.again_at_s = now_s + self._settings.listen_again_s
            self._tell(YourTurn(self._answer_s))
            return
        log.warning("a move could not be said", extra={"reason": heard.kind.value})
        if self._voice.may_try_again:
            self._ask_again()
        else:
            self._end(Reason.TECHNICAL)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _is_due(at_s: float | None, now_s: float) -> bool:
    return at_s is not None and now_s >= at_s
