"""The conductor: plays the plan of an interview on a session, in one of two manners, with the same report at the end.

    async with charye.connect(charye.Embedded(voice=EspeakVoice(), ears=...)) as session:
        conductor = Conductor(session, load(), assessor=assessor, store=store)
        outcome = await conductor.run()

`Manner.VERBATIM` says every word of the policy's itself: no model is needed, so it is what runs with our own server.
`Manner.MODEL` lets the model of the session speak. In both the level search, the silences, the limits and the end are
decided here, by `policy` and `guidance`; a model that does not keep to them changes nothing about that.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from charye.audio.pcm import WIRE_RATE_HZ, duration_ms
from charye.core.requests import Outcome
from charye.errors import LocalProtocolError, RealtimeError
from charye.interview import policy
from charye.interview.closing import Closed, Ending, close_interview
from charye.interview.configuring import ConductorSettings, Hands, Manner, configuration
from charye.interview.exchange import Ended, Exchange, Happened
from charye.interview.guidance import on_assessment_call
from charye.interview.hearing import Control
from charye.interview.levels import Level
from charye.interview.listening import EVENTS
from charye.interview.moves import Close
from charye.interview.news import Checkpoint, News
from charye.interview.outcome import InterviewOutcome
from charye.interview.plan import Plan
from charye.interview.reading import Reader
from charye.interview.record import Record
from charye.interview.reporting import Assessor, Interviewed, ReportStore
from charye.interview.saying import Interviewer, Modelled, Verbatim
from charye.protocol import InputAudioBufferCommit
from charye.protocol.limits import COMMIT_MIN_MS
from charye.session.events import RequestChanged, Subscription, UtteranceChanged
from charye.session.replies import Reply
from charye.session.session import Session

__all__ = ["Conductor"]

log = logging.getLogger(__name__)


class Conductor:
    """Of one interview, on one open session that nobody else speaks in. On the session's loop.

    Args:
        plan: from `plan.load`.
        assessor, store: see there; `tell` is given the report too.
        manner: who speaks. `MODEL` puts two tools into the session.
        hands: whether the microphone is open, or the learner holds a button: then use `push_to_talk` of this object.
        seed: decides between tasks that fit equally well.
        claimed, language, earlier: as for `policy.start`.
        resumed: go on from here; then these four do not matter.
        reader: reads each answer while the interview goes on; `LinguisticAssessor` is one. None: its text must do.
        tell: is told the news, on this loop; must not block. What it raises is logged.
        started_at: when the interview began, for the report.
    Raises:
        LocalProtocolError: the session is not open.
        ConfigurationError: `MODEL`, and the session has tools of these names.
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
        self._assessor, self._store, self._listener = assessor, store, tell
        self._settings = settings or ConductorSettings()
        self._manner, self._hands, self._started_at = manner, hands, started_at
        self._has_begun = self._is_closing = False
        self._record = Record(self._now(), resumed.transcript if resumed is not None else None)
        self._interviewer: Interviewer = Verbatim(session)
        if manner is Manner.MODEL:
            self._interviewer = Modelled(
                session, known=lambda: self._exchange.progress, called=self._assessment_called
            )
        if resumed is not None:
            progress, first = resumed.progress, None
        else:
            progress, first = policy.start(
                plan, seed=seed, claimed=claimed, language=language, earlier=earlier
            )
        self._exchange = Exchange(
            progress,
            first,
            interviewer=self._interviewer,
            record=self._record,
            reader=reader,
            settings=self._settings,
            silence=session.interrupt,
            tell=self._tell,
        )

    @property
    def checkpoint(self) -> Checkpoint:
        """How far the interview is now. To be kept after each `Advanced`, which brings it."""
        return self._exchange.checkpoint

    # what the learner does besides speaking

    def control(self, button: Control) -> None:
        """The learner presses a button: repeat, slower, rephrase, pause, resume, stop. Ignored in the closing."""
        self._exchange.post(button)

    def write(self, text: str) -> None:
        """The learner types instead of speaking. Ignored in the closing, and if there are no words.

        Raises:
            LocalProtocolError: the session is over.
        """
        if text.strip() and not self._is_closing:
            self._session.interrupt()
            self._session.send_text(text, reply=False)

    def suspend(self) -> None:
        """Stop here, without a report; the outcome has the checkpoint to go on from. Ignored in the closing."""
        self._exchange.post(Happened.SUSPEND)

    @asynccontextmanager
    async def push_to_talk(self) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
        """The learner holds the button; gives what sends the voice. Leaving by an error takes the turn back.

        A press that is too short for a word is no turn.

        Raises:
            LocalProtocolError: the microphone is open, the button is pressed already, or the interview is closing.
        """
        if self._is_closing:
            raise LocalProtocolError("the interview is closing", given="press")
        listening, sent_ms, kept = self._exchange.listening, 0.0, False
        async with self._session.push_to_talk() as microphone:

            async def send(audio: bytes) -> None:
                nonlocal sent_ms
                sent_ms += duration_ms(audio, sample_rate_hz=WIRE_RATE_HZ)
                await microphone.send(audio)

            listening.press(self._now())
            self._exchange.post(Happened.HEARD)
            try:
                yield send
                kept = sent_ms >= COMMIT_MIN_MS
            finally:
                listening.release(self._now(), kept=kept)
                self._exchange.post(Happened.HEARD)
            # Releasing the button would ask for a reply at once, and nobody knows yet what it is to be. So the turn is
            # committed by hand, and then taken back, which asks for nothing and empties what is empty.
            if kept:
                self._session.send(InputAudioBufferCommit())
            microphone.take_back()

    # the interview

    async def run(self) -> InterviewOutcome:
        """Play it to its end: the report stored, and whatever could be said about it said. Once.

        The session stays open; leave it when you have said what you have to say.

        A line that is lost for good, a failed assessment, a failed store: all that is in the outcome. Cancelling stops
        at once; `checkpoint` is what there is to go on from, and a report that is being stored is stored.

        Raises:
            ServerError: the server does not take the configuration of an interview.
            LocalProtocolError: the session is not open, or this was called before.
        """
        if self._has_begun:
            raise LocalProtocolError("an interview is conducted once", given="run")
        self._has_begun = True
        events = self._session.events(*EVENTS, RequestChanged)
        attending = asyncio.ensure_future(self._attend(events))
        try:
            await self._session.configure(configuration(self._manner, self._hands, self._settings))
            await self._exchange.run()
            return self._outcome(None if self._exchange.is_suspended else await self._close())
        finally:
            self._is_closing = True
            attending.cancel()

    async def _attend(self, events: Subscription[Any]) -> None:
        """Take in what happens in the session, for as long as it lasts."""
        try:
            async for event in events:
                now_s = self._now()
                self._interviewer.hear(event)
                if isinstance(event, UtteranceChanged) and event.utterance.speaker == "assistant":
                    self._record.interviewer(event.utterance, now_s, self._exchange.progress)
                elif isinstance(event, RequestChanged):
                    if self._is_closing and isinstance(event.change, Outcome):
                        self._record.quiet(now_s)
                elif not self._is_closing:
                    self._exchange.listening.hear(event, now_s)
                    self._exchange.post(Happened.HEARD)
        except RealtimeError as error:
            log.warning("the line is lost for good", extra={"error": error.message})
        except Exception:  # ours; better a short interview with a report than one that waits for ever
            log.exception("the interview cannot follow its session any more")
        self._exchange.post(Happened.SESSION_OVER)

    async def _assessment_called(self, reason: str) -> Reply:
        """The model calls `trigger_assessment`. The reason that it gives does not matter: ours is known."""
        exchange = self._exchange
        answer = on_assessment_call(exchange.progress, elapsed_s=exchange.elapsed_s, begun=self._is_closing)
        if answer.begin and answer.reason is not None:
            self._is_closing = True
            exchange.post(Ended(answer.reason))
            return Reply.silent({"over": True})
        if self._is_closing:
            return Reply.silent(answer.output)  # nobody is to speak about it
        return Reply.normal(answer.output)

    async def _close(self) -> Closed:
        self._is_closing = True
        progress = self._exchange.progress
        move = progress.state.last
        assert isinstance(move, Close)  # it is over
        closed = await close_interview(
            self._session,
            Interviewed(
                transcript=self._record.transcript,
                progress=progress,
                setting=self._setting,
                started_at=self._started_at,
            ),
            move,
            assessor=self._assessor,
            store=self._store,
            tell=self._tell,
            settings=self._settings.closing,
        )
        self._record.quiet(self._now())
        return closed

    def _outcome(self, closed: Closed | None) -> InterviewOutcome:
        if closed is None:
            return InterviewOutcome(
                ending=Ending.SUSPENDED, reason=None, checkpoint=self.checkpoint, setting=self._setting
            )
        return InterviewOutcome(
            ending=closed.ending,
            reason=self._exchange.progress.state.reason,
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
