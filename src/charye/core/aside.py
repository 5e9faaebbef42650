"""Out-of-band responses: performs what the lanes' table says. They never touch the conversation's floor."""

from collections.abc import Callable

from charye.core.admission import Admission, create_event
from charye.core.effects import Effect, Note, Send
from charye.core.endings import Endings
from charye.core.evidence import Cancels, remember
from charye.core.floor import Why
from charye.core.lanes import Lane, LaneAction, LaneInput, Lanes, LaneState
from charye.core.playout import Playout
from charye.core.requests import Priority, Progress, Stage, Step, Ticket
from charye.core.settings import Settings
from charye.protocol import ErrorDetail, Response, ResponseCancel

__all__ = ["Aside"]


class Aside:
    """The lanes of one conversation. `cancels` are those of the whole connection, the floor's too."""

    __slots__ = (
        "_admission",
        "_endings",
        "_lanes",
        "_out",
        "_over",
        "_playout",
        "_settings",
        "_strangers",
        "cancels",
    )

    def __init__(
        self, settings: Settings, admission: Admission, endings: Endings, playout: Playout, out: list[Effect]
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._endings = endings
        self._playout = playout
        self._out = out
        self.cancels = Cancels()
        self.lose()

    @property
    def voice(self) -> bool:
        """Whether one of them has the audio floor."""
        return self._lanes.voice is not None

    @property
    def is_quiet(self) -> bool:
        """Whether none of them runs or is unanswered."""
        return self._lanes.is_empty

    @property
    def is_full(self) -> bool:
        """Whether no further one may be asked for now."""
        return self._lanes.is_full

    def pump(self, epoch: int, now: float) -> None:
        """Ask for as many of the silent ones as may run."""
        while not self.is_full:
            best = self._admission.aside.best(now)
            if best is None:
                return
            self.start(best, epoch, now)

    def start(self, ticket: Ticket, epoch: int, now: float) -> None:
        """Send its create."""
        self._admission.leave(ticket)
        token = self._admission.token(ticket, epoch)
        self._out.append(create_event(ticket, token, now))
        self._admission.tickets.tell(ticket, Progress(Step.SENT))
        self._lanes.ask(ticket, token, now)

    # what the server says; each answers whether it was about a lane

    def created(self, response: Response, token: str | None, now: float) -> bool:
        """`response.created`: of a lane, of a late try, or somebody else's."""
        response_id = response.id or ""
        if response_id in self._over:
            self._out.append(Note("created for a response that is over", about=response_id))
            return True
        lane = self._lanes.find(token=token)
        if lane is not None:
            if lane.response_id is None:
                self._step(lane, LaneInput.CREATED, now, response_id=response_id)
            return True
        if token is not None and self._lanes.is_older_try(token):
            lane = self._lanes.adopt_ghost(token, response_id, now)
            self._step(lane, LaneInput.CANCEL, now, why=Why.GHOST)
            return True
        if token is None and self._is_out_of_band(response):
            remember(self._strangers, response_id)
            self._out.append(Note("an out-of-band response of somebody else", about=response_id))
            return True
        return False

    def done(self, response: Response, token: str | None, now: float) -> bool:
        """`response.done`, of any status."""
        response_id = response.id or ""
        lane = self._lanes.find(token=token, response_id=response_id or None)
        if lane is None and response_id in self._over:
            self._out.append(Note("done for a response that is over", about=response_id))
            return True
        remember(self._over, response_id)
        if lane is not None:
            self._step(lane, LaneInput.DONE, now, response=response, response_id=response_id)
            return True
        known = response_id in self._strangers or (token is not None and self._lanes.is_older_try(token))
        self._strangers.pop(response_id, None)
        return known or (token is None and self._is_out_of_band(response))

    def denied(self, error: ErrorDetail, now: float) -> bool:
        """An error names one of the lanes' creates, and is no matter of turns."""
        return self._answered(LaneInput.DENIED, error, now)

    def refused(self, error: ErrorDetail, now: float) -> bool:
        """An error names one of the lanes' creates and says that another response is running."""
        return self._answered(LaneInput.REFUSED, error, now)

    def not_active(self, response_id: str, now: float) -> bool:
        """There was nothing to cancel; the cancel was for this response."""
        lane = self._lanes.find(response_id=response_id)
        if lane is not None:
            self._step(lane, LaneInput.NOT_ACTIVE, now)
        return lane is not None

    def heard(self, response_id: str, now: float) -> bool:
        """Any other event of this response: it is not silent."""
        return self._lanes.heard(response_id, now) is not None

    def is_over(self, response_id: str) -> bool:
        """Whether a late event of it means nothing, or it is none of ours."""
        return response_id in self._over or response_id in self._strangers

    # what the app, the floor, time and the line do

    def cancel(self, number: int, why: Why, now: float) -> bool:
        """Cancel the lane of this ticket, if it has one."""
        lane = self._lanes.of_ticket(number)
        if lane is not None:
            self._step(lane, LaneInput.CANCEL, now, why=why)
        return lane is not None

    def class_of_voice(self) -> Priority | None:
        """The class of the one that has the audio floor and is not being cancelled."""
        lane = self._lanes.voice
        if lane is None or lane.why is not None:
            return None
        ticket = self._admission.tickets.numbered(lane.attempt.number)
        return None if ticket is None else ticket.request.priority

    def make_way(self, now: float, *, whom: str) -> None:
        """Somebody goes before a voice out of band: the user, the server's reply to the user, a higher class.

        The server does not do it for us: speech and a cancel without an id reach its own conversation only.
        """
        lane = self._lanes.voice
        if lane is None or lane.why is not None:
            return
        self._step(lane, LaneInput.CANCEL, now, why=Why.CUT_IN)
        ticket = self._admission.tickets.numbered(lane.attempt.number)
        if ticket is not None and ticket.stage is Stage.ASKED:
            self._admission.requeue(ticket, f"made way for {whom}", now)

    def tick(self, now: float) -> None:
        """Act on those that have been silent for too long."""
        for lane in self._lanes.silent(now):
            self._out.append(Note("an out-of-band response is silent", about=lane.response_id or ""))
            why = Why.STUCK if lane.state is LaneState.RUNNING else None
            self._step(lane, LaneInput.SILENT, now, why=why)

    def next_deadline(self) -> float | None:
        """When `tick` has something to do."""
        return self._lanes.deadline()

    def lose(self) -> None:
        """The connection is gone; the tickets follow their own policies."""
        self._lanes = Lanes(self._settings.patience, bound=self._settings.max_out_of_band)
        self._strangers: dict[str, None] = {}
        self._over: dict[str, None] = {}
        self.cancels.clear()

    # inside

    def _answered(self, what: LaneInput, error: ErrorDetail, now: float) -> bool:
        lane = self._lanes.find(token=error.event_id)
        if lane is None or lane.response_id is not None:
            return False
        self._step(lane, what, now, code=error.code or error.type)
        return True

    def _is_out_of_band(self, response: Response) -> bool:
        # `conversation_id` is null for out-of-band, in created and in done (API reference, response object).
        return response.conversation_id is None and self._settings.dialect.out_of_band

    def _step(
        self,
        lane: Lane,
        what: LaneInput,
        now: float,
        *,
        response: Response | None = None,
        response_id: str | None = None,
        why: Why | None = None,
        code: str | None = None,
    ) -> None:
        after, actions = self._lanes.step(lane, what, now, response_id=response_id, why=why)
        ticket = self._admission.tickets.numbered(lane.attempt.number)
        if after.state is LaneState.OVER and after.response_id is not None:
            remember(self._over, after.response_id)
            self._out += self._playout.response_done(after.response_id, now)
        for action in actions:
            if action is LaneAction.SEND_CANCEL:
                self._send_cancel(after, now)
            elif ticket is not None and ticket.stage in (Stage.ASKED, Stage.SPEAKING):
                ENACT[action](self, ticket, after, response, code, now)

    def _send_cancel(self, lane: Lane, now: float) -> None:
        response_id = lane.response_id or ""
        self.cancels.sending(response_id)
        self._out.append(Send(ResponseCancel(response_id=response_id, event_id=f"cancel.{response_id}")))
        if lane.why is not Why.STUCK:  # perhaps only its done was lost, and the rest is still to be heard
            self._out += self._playout.cut(now, {response_id})

    def _grant(
        self, ticket: Ticket, lane: Lane, response: Response | None, code: str | None, now: float
    ) -> None:
        ticket.stage, ticket.response_id = Stage.SPEAKING, lane.response_id
        self._admission.tickets.tell(ticket, Progress(Step.SPEAKING, response_id=lane.response_id))

    def _deny(
        self, ticket: Ticket, lane: Lane, response: Response | None, code: str | None, now: float
    ) -> None:
        self._endings.denied(ticket, code, now)

    def _requeue(
        self, ticket: Ticket, lane: Lane, response: Response | None, code: str | None, now: float
    ) -> None:
        self._endings.busy(ticket, now)

    def _finish(
        self, ticket: Ticket, lane: Lane, response: Response | None, code: str | None, now: float
    ) -> None:
        if response is None or (lane.why is Why.STUCK and response.status != "completed"):
            self._endings.stuck(ticket, now)
        else:
            self._endings.by_status(ticket, lane.response_id or "", response, now)

    def _finish_unseen(
        self, ticket: Ticket, lane: Lane, response: Response | None, code: str | None, now: float
    ) -> None:
        self._endings.inferred(ticket, lane.response_id or "", now, doubtful=True)

    def _requeue_lost(
        self, ticket: Ticket, lane: Lane, response: Response | None, code: str | None, now: float
    ) -> None:
        self._endings.unanswered(ticket, now)

    def _release(
        self, ticket: Ticket, lane: Lane, response: Response | None, code: str | None, now: float
    ) -> None:
        if lane.why is Why.CUT_IN:
            self._endings.interrupted(ticket, self._playout.heard_ms(lane.response_id or ""), now)
        else:
            self._endings.stuck(ticket, now)


ENACT: dict[LaneAction, Callable[[Aside, Ticket, Lane, Response | None, str | None, float], None]] = {
    LaneAction.GRANT: Aside._grant,
    LaneAction.DENY: Aside._deny,
    LaneAction.FINISH: Aside._finish,
    LaneAction.FINISH_UNSEEN: Aside._finish_unseen,
    LaneAction.REQUEUE: Aside._requeue,
    LaneAction.REQUEUE_LOST: Aside._requeue_lost,
    LaneAction.RELEASE: Aside._release,
}
