"""The conductor: plays the plan of an interview on a session, in one of two manners, with the same report at the end.

    async with charye.connect(charye.Embedded(voice=EspeakVoice(), ears=...)) as session:
        conductor = Conductor(session, load(), assessor=assessor, store=store)
        outcome = await conductor.run()

`Manner.VERBATIM` says every word of the policy's itself: no model is needed, so it is what runs with our own server.
`Manner.MODEL` lets the model of the session speak. In both the level search, the silences, the limits and the end are
decided here, by `policy` and `guidance`; a model that does not keep to them changes nothing about that.

One loop takes in what happens, one thing after the other, and keeps one alarm:

    the learner has said something   -> step the policy, perform its move
    a move was heard, or cut off     -> the learner's turn: the silence begins
    the silence is long enough       -> step the policy
    the model ends the interview     -> only if the policy may end
    the line is lost for good        -> close without a voice: assess, store, deliver
"""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from charye.core.requests import Outcome, OutcomeKind
from charye.errors import LocalProtocolError, RealtimeError
from charye.interview import course, policy
from charye.interview.closing import Closed, Ending, close_interview
from charye.interview.configuring import ConductorSettings, Hands, Manner, configuration
from charye.interview.guidance import on_assessment_call
from charye.interview.hearing import Control, TurnEvidence
from charye.interview.levels import Level
from charye.interview.listening import EVENTS, Listening, Said
from charye.interview.moves import Close, Listen, Move, Reason
from charye.interview.news import Advanced, Asked, Checkpoint, LearnerSaid, News, YourTurn
from charye.interview.outcome import InterviewOutcome
from charye.interview.plan import Plan
from charye.interview.progress import Awaiting, Progress, change
from charye.interview.reading import Reader, read
from charye.interview.record import Record
from charye.interview.reporting import Assessor, Interviewed, ReportStore
from charye.interview.saying import Heard, Interviewer, Modelled, Verbatim
from charye.interview.timekeeping import SilenceClock, Stopwatch
from charye.protocol import InputAudioBufferCommit
from charye.session.events import RequestChanged, Subscription, UtteranceChanged
from charye.session.replies import Reply
from charye.session.session import Session

__all__ = ["Conductor"]

log = logging.getLogger(__name__)

_LAST_WORDS_S = 30.0
"""For a model that ends the interview and speaks."""


@dataclass(frozen=True, slots=True)
class _Performed:
    """A move was heard, or will not be."""

    task: asyncio.Task[Heard]


@dataclass(frozen=True, slots=True)
class _Ended:
    """The model ends the interview, and may."""

    reason: Reason


class _Happened(Enum):
    HEARD = "heard"  # something about the learner's turn
    SUSPEND = "suspend"
    SESSION_OVER = "session_over"


_Fact: TypeAlias = _Performed | _Ended | Control | _Happened | None


@dataclass(frozen=True, slots=True)
class _Answered:
    """The last answer, and how far the interview was before it: for a learner who goes on with it."""

    before: Progress
    said: Said
    latency_ms: float | None


class Conductor:
    """Of one interview, on one open session that nobody else speaks in. On the session's loop.

    Args:
        plan: from `plan.load`.
        assessor, store: see there; `tell` is given the report too.
        manner: who speaks. `MODEL` puts two tools into the session.
        hands: whether the microphone is open, or the learner presses a button: then use `push_to_talk` of this object.
        seed: decides between tasks that fit equally well.
        claimed, language, earlier: as for `policy.start`.
        resumed: go on from here instead; then these four do not matter.
        reader: reads each answer while the interview goes on; `LinguisticAssessor` is one. None: the text must do.
        tell: is told the news, on this loop, in between; must not block. What it raises is logged.
        started_at: when the interview began, for the report.
    """

    def __init__(
        self,
        session: Session,
        plan: Plan,
        *,
        assessor: Assessor,
        store: ReportStore,
        manner: Manner = Manner.VERBATIM,
        hands: Hands = Hands.OPEN,
        seed: int = 0,
        claimed: Level | None = None,
        language: str | None = None,
        earlier: tuple[str, ...] = (),
        resumed: Checkpoint | None = None,
        reader: Reader | None = None,
        tell: Callable[[News], object] | None = None,
        settings: ConductorSettings | None = None,
        started_at: datetime | None = None,
    ) -> None:
        self._session = session
        self._assessor, self._store, self._reader, self._listener = assessor, store, reader, tell
        self._settings = settings or ConductorSettings()
        self._manner, self._hands, self._started_at = manner, hands, started_at
        if resumed is not None:
            self._progress, self._first = resumed.progress, None
        else:
            self._progress, self._first = policy.start(
                plan, seed=seed, claimed=claimed, language=language, earlier=earlier
            )
        now_s = self._now()
        self._record = Record(now_s, resumed.transcript if resumed is not None else None)
        self._watch = Stopwatch(now_s, self._progress.state.elapsed_s or 0.0)
        self._silence = SilenceClock()
        self._listening = Listening(self._settings.patience)
        self._inbox: asyncio.Queue[_Fact] = asyncio.Queue()
        self._interviewer: Interviewer = Verbatim(session)
        if manner is Manner.MODEL:
            self._interviewer = Modelled(session, known=lambda: self._progress, called=self._called)
        self._voice: asyncio.Task[Heard] | None = None
        self._move: Move = self._progress.state.last
        self._heard: Heard | None = None
        self._heard_at_s: float | None = None
        self._say_again_at_s: float | None = None
        self._tries = 0
        self._answered: _Answered | None = None
        self._is_closing = False
        self._is_suspended = False

    @property
    def checkpoint(self) -> Checkpoint:
        """How far the interview is now. To be kept after each `Advanced`."""
        return Checkpoint(self._progress, self._record.transcript)

    # what the learner does besides speaking

    def control(self, button: Control) -> None:
        """The learner presses a button: repeat, slower, rephrase, pause, resume, stop. Ignored in the closing."""
        self._inbox.put_nowait(button)

    def write(self, text: str) -> None:
        """The learner types instead of speaking. Ignored in the closing, and if there are no words."""
        if text.strip() and not self._is_closing:
            self._session.interrupt()
            self._session.send_text(text, reply=False)

    def suspend(self) -> None:
        """Stop here, without a report; the outcome has the checkpoint to go on from. Ignored in the closing."""
        self._inbox.put_nowait(_Happened.SUSPEND)

    @asynccontextmanager
    async def push_to_talk(self) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
        """The learner holds the button; gives what sends the voice. Leaving by an error takes the turn back.

        Raises:
            LocalProtocolError: the microphone is open, the button is pressed already, or the interview is closing.
        """
        if self._is_closing:
            raise LocalProtocolError("the interview is closing", given="press")
        # `Session.push_to_talk` would ask for a reply at once, and here nobody knows yet what it is to be. So the turn is
        # committed by hand; that the press is taken back afterwards then only empties what is empty.
        with suppress(_Released):
            async with self._session.push_to_talk() as microphone:
                self._listening.press(self._now())
                kept = False
                try:
                    yield microphone.send
                    kept = True
                finally:
                    self._listening.release(self._now(), kept=kept)
                    self._inbox.put_nowait(_Happened.HEARD)
                self._session.send(InputAudioBufferCommit())
                raise _Released

    # the interview

    async def run(self) -> InterviewOutcome:
        """Play it to its end: the report stored, and whatever could be said about it said. Once.

        The session stays open; leave it when you have said what you have to say.

        A line that is lost for good, a failed assessment, a failed store: all that is in the outcome. Cancelling stops at
        once; `checkpoint` is what there is to go on from, and a report that is being stored is stored.

        Raises:
            ServerError: the server does not take the configuration of an interview.
            LocalProtocolError: the session is not open.
        """
        events = self._session.events(*EVENTS, RequestChanged)
        attending = asyncio.ensure_future(self._attend(events))
        try:
            await self._session.configure(configuration(self._manner, self._hands, self._settings))
            await self._begin()
            while not self._progress.closed and not self._is_suspended:
                await self._take(await self._next())
            if self._is_suspended:
                return self._outcome(None)
            return self._outcome(await self._close())
        finally:
            self._is_closing = True
            self._stop_voice()
            attending.cancel()

    async def _begin(self) -> None:
        """The first question, or the way back into an interview that was interrupted."""
        if self._first is not None:
            self._tell(Advanced(self.checkpoint))
            self._perform(self._first)
        elif not self._progress.closed:
            self._advance(TurnEvidence(control=Control.RESUME))

    async def _next(self) -> _Fact:
        """What happens next; None: the alarm."""
        if self._voice is None and not self._listening.is_busy:
            self._silence.start(self._now())
        try:
            async with asyncio.timeout_at(self._deadline_s()):
                return await self._inbox.get()
        except TimeoutError:
            return None

    async def _take(self, fact: _Fact) -> None:
        match fact:
            case None:
                await self._alarm()
            case _Performed(task=task):
                self._performed(task)
            case _Ended(reason=reason):
                await self._last_words()
                self._end(reason)
            case Control():
                self._session.interrupt()
                self._advance(TurnEvidence(control=fact))
            case _Happened.HEARD:
                if self._listening.is_busy:
                    self._silence.stop(self._now(), broken=self._listening.is_speaking)
                await self._hear_out()
            case _Happened.SUSPEND:
                self._is_suspended = True
            case _Happened.SESSION_OVER:
                self._end(Reason.TECHNICAL)

    # time

    def _deadline_s(self) -> float | None:
        """When something is due, if nothing happens before."""
        times = [self._listening.deadline_s]
        if self._voice is None and not self._listening.is_busy:
            times += [self._say_again_at_s, self._watch.at_s(self._progress.plan.limits.max_s)]
            silent_ms = policy.silence_deadline_ms(self._progress)
            times.append(None if silent_ms is None else self._silence.at_s(silent_ms))
        if self._watch.paused_since is not None:
            times.append(self._watch.paused_since + self._settings.pause_s)
        return min((time for time in times if time is not None), default=None)

    async def _alarm(self) -> None:
        now_s = self._now()
        self._listening.give_up(now_s)
        if self._listening.is_busy:
            await self._hear_out()
            return
        if (
            self._watch.paused_since is not None
            and now_s >= self._watch.paused_since + self._settings.pause_s
        ):
            self._is_suspended = True
        elif self._say_again_at_s is not None and now_s >= self._say_again_at_s:
            self._perform(self._move)
        else:
            silent_ms = self._silence.silent_ms(now_s)
            due_ms = policy.silence_deadline_ms(self._progress)
            if due_ms is not None and (at_s := self._silence.at_s(due_ms)) is not None and now_s >= at_s:
                silent_ms = max(silent_ms, due_ms)
            self._advance(TurnEvidence(silence_ms=max(silent_ms, 1.0)))

    # the learner's turn

    async def _hear_out(self) -> None:
        """If the learner has finished, it is their turn that counts now."""
        said = self._listening.take()
        if said is None:
            return
        if not said.text:
            was_cut_off = self._heard is not None and self._heard.cut_off and self._tries <= 1
            if was_cut_off and self._voice is None:
                self._perform(self._move)
                return
            if said.duration_ms is not None and said.duration_ms <= self._settings.noise_ms:
                return
        before, whole, latency_ms = self._progress, said, self._latency_ms(said)
        if self._answered is not None and said.text and self._was_not_heard():
            # They go on with their last answer: what we made of its first half was never heard, so it never was.
            before, latency_ms = self._answered.before, self._answered.latency_ms
            whole = self._answered.said + said
        self._tell(LearnerSaid(self._record.learner(said, before)))
        position = await read(self._reader, whole, before, timeout_s=self._settings.reading_s)
        self._progress = before
        self._answered = _Answered(before, whole, latency_ms) if whole.text else None
        self._advance(
            TurnEvidence(
                text=whole.text,
                duration_ms=whole.duration_ms,
                latency_ms=latency_ms,
                source=whole.source,
                linguistic=position,
            )
        )

    def _latency_ms(self, said: Said) -> float | None:
        """From the end of the question, as heard, to the first voice."""
        if self._heard_at_s is None or said.began_s is None:
            return None
        return max(said.began_s - self._heard_at_s, 0.0) * 1000

    def _was_not_heard(self) -> bool:
        """Nothing to speak of was heard of our last move, because the learner spoke."""
        if self._heard is None or not self._heard.cut_off:
            return False
        return (self._heard.heard_ms or 0.0) < self._settings.unheard_ms

    def _advance(self, evidence: TurnEvidence) -> None:
        """Step the policy, and perform what it says."""
        now_s = self._now()
        evidence = dataclasses.replace(evidence, at_s=self._watch.elapsed_s(now_s))
        self._progress, move = policy.step(self._progress, evidence)
        on = self._progress.state.on
        goes_on = evidence.silence_ms > 0 and on is not None and on.silence > 0
        self._silence.stop(now_s, broken=not goes_on)
        if evidence.control is not None or evidence.silence_ms > 0:
            self._answered = None
        if self._progress.state.awaiting is Awaiting.RESUMPTION:
            self._watch.pause(now_s)
        else:
            self._watch.resume(now_s)
        if isinstance(move, Close) and move.withhold:
            self._record.withhold_last()
        self._tell(Advanced(self.checkpoint))
        if isinstance(move, Close):
            self._stop_voice()
        elif not isinstance(move, Listen):
            self._tries = 0
            self._perform(move)

    def _end(self, reason: Reason) -> None:
        """It is over, whatever the policy waits for."""
        if self._progress.closed:
            return
        progress, move = course.close(self._progress, reason)
        self._progress = change(progress, last=move)
        self._stop_voice()
        self._tell(Advanced(self.checkpoint))

    # the interviewer's turn

    def _perform(self, move: Move) -> None:
        self._stop_voice()
        self._move, self._heard, self._say_again_at_s = move, None, None
        if self._listening.is_speaking:
            self._heard = Heard(
                OutcomeKind.CANCELLED
            )  # they go on; what is to be said is not up to date any more
            return
        self._tries += 1
        self._tell(Asked(move))
        elapsed_s = self._watch.elapsed_s(self._now())
        voice = asyncio.ensure_future(self._interviewer.say(move, self._progress, elapsed_s))
        voice.add_done_callback(lambda task: self._inbox.put_nowait(_Performed(task)))
        self._voice = voice

    def _performed(self, task: asyncio.Task[Heard]) -> None:
        if task is not self._voice:
            return  # it was stopped for another
        self._voice, now_s = None, self._now()
        error = task.exception()
        if isinstance(error, LocalProtocolError | RealtimeError):
            log.warning("the interviewer cannot speak", extra={"error": error.message})
            self._end(Reason.TECHNICAL)
            return
        self._heard = task.result()
        self._record.quiet(now_s)
        if not self._heard.in_full and not self._heard.cut_off:
            if self._tries > 1:
                self._end(Reason.TECHNICAL)
            else:
                self._perform(self._move)
            return
        self._heard_at_s = now_s
        if self._heard.cut_off and self._tries <= 1 and not self._listening.is_busy:
            self._say_again_at_s = now_s + self._settings.listen_again_s
        task_ = self._progress.task
        answers = self._progress.plan.answers.seconds
        self._tell(YourTurn(None if task_ is None else answers[task_.level.step]))

    def _stop_voice(self) -> None:
        voice, self._voice = self._voice, None
        if voice is not None:
            voice.cancel()

    # the model

    async def _called(self, reason: str) -> Reply:
        """`trigger_assessment`. The reason that the model gives does not matter."""
        elapsed_s = self._watch.elapsed_s(self._now())
        answer = on_assessment_call(self._progress, elapsed_s=elapsed_s, begun=self._is_closing)
        if answer.begin and answer.reason is not None:
            self._is_closing = True
            self._inbox.put_nowait(_Ended(answer.reason))
            return Reply.silent({"over": True})
        if self._is_closing:
            return Reply.silent(answer.output)  # nobody is to speak about it
        return Reply.normal(answer.output)

    async def _last_words(self) -> None:
        """What the model says beside the call that ends it is heard."""
        if self._voice is not None:
            await asyncio.wait({self._voice}, timeout=_LAST_WORDS_S)

    # the end

    async def _close(self) -> Closed:
        move = self._progress.state.last
        assert isinstance(move, Close)  # it is closed
        self._is_closing = True
        self._listening.forget()
        interview = Interviewed(
            transcript=self._record.transcript,
            progress=self._progress,
            setting=self._setting,
            started_at=self._started_at,
        )
        return await close_interview(
            self._session,
            interview,
            move,
            assessor=self._assessor,
            store=self._store,
            tell=self._tell,
            settings=self._settings.closing,
        )

    def _outcome(self, closed: Closed | None) -> InterviewOutcome:
        if closed is None:
            return InterviewOutcome(
                ending=Ending.SUSPENDED, reason=None, checkpoint=self.checkpoint, setting=self._setting
            )
        return InterviewOutcome(
            ending=closed.ending,
            reason=self._progress.state.reason,
            checkpoint=self.checkpoint,
            report=closed.made.report,
            stored=closed.made.stored,
            failure=closed.made.failure,
            parts=closed.parts,
            setting=self._setting,
        )

    @property
    def _setting(self) -> str:
        if isinstance(self._interviewer, Modelled):
            return "hybrid" if self._interviewer.stepped_in else "model"
        return "embedded"

    # inside

    async def _attend(self, events: Subscription) -> None:
        """Take in what happens in the session, for as long as it lasts."""
        try:
            async for event in events:
                now_s = self._now()
                self._interviewer.hear(event)
                if isinstance(event, UtteranceChanged) and event.utterance.speaker == "assistant":
                    self._record.interviewer(event.utterance, now_s, self._progress)
                elif isinstance(event, RequestChanged):
                    if self._is_closing and isinstance(event.change, Outcome):
                        self._record.quiet(now_s)
                elif not self._is_closing:
                    self._listening.hear(event, now_s)
                    self._inbox.put_nowait(_Happened.HEARD)
        except RealtimeError as error:
            log.warning("the line is lost for good", extra={"error": error.message})
        self._inbox.put_nowait(_Happened.SESSION_OVER)

    def _tell(self, news: News) -> None:
        if self._listener is None:
            return
        try:
            self._listener(news)
        except Exception:
            log.exception("a listener of the interview failed")

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class _Released(Exception):
    """The button was let go, and the turn is committed."""
