"""What becomes of a request when its response is over. By the status where it was seen, by evidence where not."""

from charye.core.admission import Admission
from charye.core.effects import Effect, Note
from charye.core.playout import Playout
from charye.core.requests import OnInterruption, OnReconnect, OutcomeKind, Progress, Stage, Step, Ticket
from charye.core.settings import Settings
from charye.core.tools import Tools
from charye.protocol import Response, ResponseError, is_retryable

__all__ = ["Endings"]


class Endings:
    """Ends tickets, or sends them back to the line. `_hearing`: generated, not heard yet, by response id."""

    __slots__ = ("_admission", "_hearing", "_out", "_playout", "_settings", "_tickets", "_tools")

    def __init__(
        self, settings: Settings, admission: Admission, playout: Playout, tools: Tools, out: list[Effect]
    ) -> None:
        self._settings = settings
        self._tools = tools
        self._admission = admission
        self._tickets = admission.tickets
        self._playout = playout
        self._out = out
        self._hearing: dict[str, Ticket] = {}

    def by_status(self, ticket: Ticket | None, response_id: str, response: Response, now: float) -> None:
        """Its `response.done` was seen. `docs/reference/invariants.md` has the table of statuses."""
        if ticket is None or ticket.stage is Stage.ENDED:
            return
        details = response.status_details
        reason = (details.reason if details else None) or ""
        if self._playout.is_cut(response_id):
            self.interrupted(ticket, self._playout.heard_ms(response_id), now)
            return
        match response.status:
            case "failed":
                self._failed(ticket, details.error if details else None, now)
            case "cancelled" if reason == "turn_detected":
                self.interrupted(ticket, self._playout.heard_ms(response_id), now)
            case "cancelled":
                self._tickets.end(ticket, OutcomeKind.CANCELLED, now, reason=reason or "by the server")
            case "incomplete":
                self.generated(ticket, response_id, now, ending=reason or "incomplete")
            case "completed":
                self.generated(ticket, response_id, now)
            case _:
                self._out.append(Note("unknown response status", about=response_id))
                self.generated(ticket, response_id, now, uncertain=True)

    def generated(
        self,
        ticket: Ticket | None,
        response_id: str,
        now: float,
        *,
        ending: str = "",
        uncertain: bool = False,
    ) -> None:
        """Over for the server. Over for the asker when it is heard."""
        if ticket is None or ticket.stage is Stage.ENDED:
            return
        ticket.ending, ticket.uncertain = ending, uncertain
        ticket.stage, ticket.response_id = Stage.HEARING, response_id
        self._tickets.tell(ticket, Progress(Step.GENERATED, ending, response_id))
        if self._playout.is_heard(response_id):
            self._tickets.end(ticket, OutcomeKind.HEARD, now, reason=ending)
        else:
            self._hearing[response_id] = ticket

    def inferred(self, ticket: Ticket | None, response_id: str, now: float, *, doubtful: bool) -> None:
        """It is over, but its done was lost. `doubtful`: it may as well have been interrupted."""
        if ticket is None or ticket.stage is Stage.ENDED:
            return
        if self._settings.dialect.supersedes and not self._playout.is_cut(response_id):
            self._out += self._playout.cut(now, {response_id})  # the other one ended it, so it stops here
        if self._playout.is_cut(response_id):
            self.interrupted(ticket, self._playout.heard_ms(response_id), now)
            return
        self.generated(ticket, response_id, now, uncertain=doubtful)

    def stuck(self, ticket: Ticket | None, now: float) -> None:
        """It was silent, our cancel was in vain or ended it."""
        if ticket is not None and ticket.stage is not Stage.ENDED:
            self._tickets.end(ticket, OutcomeKind.FAILED, now, reason="stuck")

    def denied(self, ticket: Ticket | None, code: str | None, now: float) -> None:
        """The server will not have this create, now or ever."""
        if ticket is not None and ticket.stage is not Stage.ENDED:
            self._tickets.end(ticket, OutcomeKind.DENIED, now, reason="refused by the server", code=code)

    def busy(self, ticket: Ticket, now: float) -> None:
        """Refused out of band, because another response runs: asked again, after a pause that grows."""
        patience = self._settings.patience
        pause_s = min(patience.blocked_max_s, patience.blocked_s * 2 ** (ticket.attempts - 1))
        ticket.resting_until = now + pause_s
        self._admission.requeue(ticket, "another response is running", now)

    def unanswered(self, ticket: Ticket | None, now: float) -> None:
        """Its create, or the answer, was lost. Asked again, within bounds."""
        if ticket is None or ticket.stage is Stage.ENDED:
            return
        ticket.unanswered += 1
        if ticket.unanswered >= self._settings.max_unanswered:
            self._tickets.end(ticket, OutcomeKind.FAILED, now, reason="unanswered", uncertain=True)
        else:
            self._admission.requeue(ticket, "unanswered", now)

    def interrupted(self, ticket: Ticket, heard_ms: float, now: float) -> None:
        """Cut off, or never heard in full. It resumes if it asked to."""
        if ticket.request.on_interruption is OnInterruption.RESUME:
            self._admission.requeue(ticket, "interrupted", now)
        else:
            self._tickets.end(ticket, OutcomeKind.INTERRUPTED, now, heard_ms=heard_ms)

    def disconnected(self, ticket: Ticket, now: float) -> None:
        """Its create was unanswered or its response was running when the connection was lost."""
        if ticket.request.on_reconnect is OnReconnect.REPLAY:
            self._admission.requeue(ticket, "connection lost", now)
        else:
            self._tickets.end(ticket, OutcomeKind.DISCONNECTED, now, reason="connection lost", uncertain=True)

    @property
    def is_hearing(self) -> bool:
        """Whether a request of ours is still being heard."""
        return bool(self._hearing)

    def hearing(self, response_id: str) -> Ticket | None:
        """The ticket whose generated response is still to be heard."""
        return self._hearing.get(response_id)

    def lose(self, now: float) -> None:
        """The connection is lost: everything that was asked for or running follows its own policy."""
        for ticket in self._tickets.all():
            if ticket.stage not in (Stage.ASKED, Stage.SPEAKING):
                continue
            response_id = ticket.response_id or ""
            if ticket.stage is Stage.SPEAKING and self._tools.has_calls(response_id):
                # Asked again, it would call again. The calls go on, and their follow-up is the answer.
                self.generated(ticket, response_id, now, uncertain=True)
            elif ticket.stage is Stage.SPEAKING and self._playout.is_cut(response_id):
                self.interrupted(ticket, self._playout.heard_ms(response_id), now)
            else:
                # What is played now would be heard again with the replay.
                if ticket.stage is Stage.SPEAKING and ticket.request.on_reconnect is OnReconnect.REPLAY:
                    self._out += self._playout.cut(now, {response_id})
                self.disconnected(ticket, now)

    def close(self, now: float) -> None:
        """Nothing will be asked for any more, and nobody holds the floor."""
        self._hearing.clear()
        for ticket in self._tickets.all():
            if ticket.stage is Stage.WAITING:
                self._admission.leave(ticket)
            self._tickets.end(ticket, OutcomeKind.DISCONNECTED, now, reason="closed")
        if self._admission.held is not None:
            self._admission.let_go(self._admission.held, now)

    def stop_hearing(self, ticket: Ticket) -> None:
        """Its asker has cancelled it while it was still being heard."""
        self._hearing.pop(ticket.response_id or "", None)

    def listen(self, now: float) -> None:
        """End what the loudspeaker has finished, or was stopped from finishing."""
        for response_id, uncertain in self._playout.take_heard():
            ticket = self._hearing.pop(response_id, None)
            if ticket is not None:
                self._tickets.end(ticket, OutcomeKind.HEARD, now, reason=ticket.ending, uncertain=uncertain)
        for response_id, heard_ms in self._playout.take_cut():
            ticket = self._hearing.pop(response_id, None)
            if ticket is not None:
                self.interrupted(ticket, heard_ms, now)

    def _failed(self, ticket: Ticket, error: ResponseError | None, now: float) -> None:
        code = error.code if error else None
        ticket.failures += 1
        if is_retryable(error) and ticket.failures <= self._settings.max_failures:
            ticket.resting_until = now + self._settings.backoff_s * 2 ** (ticket.failures - 1)
            self._admission.requeue(ticket, "failed, tried again", now)
        else:
            self._tickets.end(ticket, OutcomeKind.FAILED, now, reason="failed", code=code)
