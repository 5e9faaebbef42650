"""The keeper of the floor: moves it by the table and does what the row says.

One method an action, found by table. Which input an event is, is decided before (`attribution`); which ending a
request gets, is decided after (`endings`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from charye.core.admission import Admission, create_event
from charye.core.aside import Aside
from charye.core.effects import Effect, Note, Reconnect, Send
from charye.core.endings import Endings
from charye.core.evidence import Evidence, Shown
from charye.core.floor import Action, Attempt, Floor, Input, Why, corrected, step
from charye.core.playout import Playout, Repair
from charye.core.requests import Progress, Stage, Step, Ticket
from charye.core.settings import Settings
from charye.core.turns import TurnInput, Turns
from charye.protocol import Response, ResponseCancel

__all__ = ["Facts", "Keeper"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What an action may need beside the floor: the response as the server told it, a ticket's number, a code."""

    now: float
    response: Response | None = None
    number: int | None = None
    code: str | None = None
    reason: str = ""


class Keeper:
    """The floor and the evidence of one conversation; the evidence is of the present connection."""

    __slots__ = (
        "_admission",
        "_aside",
        "_endings",
        "_out",
        "_playout",
        "_settings",
        "_tickets",
        "_turns",
        "ended",
        "evidence",
        "floor",
        "lost",
        "shown",
        "unrepaired",
    )

    def __init__(
        self,
        settings: Settings,
        *,
        admission: Admission,
        endings: Endings,
        aside: Aside,
        turns: Turns,
        playout: Playout,
        out: list[Effect],
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._tickets = admission.tickets
        self._turns = turns
        self._playout = playout
        self._endings = endings
        self._aside = aside
        self._out = out
        self.floor = Floor()
        self.evidence = Evidence(ids_proven=settings.dialect.echoes_event_id is True)
        self.shown = Shown()
        """Of the running response."""
        self.ended: list[tuple[str, bool]] = []
        """Responses that are over, for the tools to take note; each with whether its calls are still wanted."""
        self.lost = False
        """The connection was lost; for the tools to take note."""
        self.unrepaired: list[Repair] = []
        """What the server could not be told any more about what was heard; for the mirror to take note."""

    def step(
        self,
        what: Input,
        facts: Facts,
        *,
        claim: Attempt | None = None,
        response: str | None = None,
        owner: int | None = None,
        why: Why | None = None,
    ) -> None:
        """One step of the table, with everything that the row calls for.

        Raises:
            LocalProtocolError: no such row; nothing has changed.
        """
        before = self.floor
        self.floor, actions = step(before, what, claim=claim, response=response, owner=owner, why=why)
        for action in actions:
            ENACT[action](self, before, facts)
        if self.floor.response != before.response:
            self.shown = Shown()

    def correct(self, number: int, now: float) -> None:
        """A token has shown whose response is running: a request's that was believed refused or lost."""
        ticket = self._tickets.numbered(number)
        if ticket is None or ticket.stage not in (Stage.WAITING, Stage.ASKED):
            if self.floor.why is None:
                self.step(Input.CANCEL_RUNNING, Facts(now), why=Why.GHOST)
            return
        if ticket.stage is Stage.ASKED:
            self.step(Input.CANCEL_CLAIM, Facts(now))  # its newer try is one too many
        self._admission.leave(ticket)
        self.floor = corrected(self.floor, number)
        self._speaks(ticket)

    def over(self, response_id: str, now: float, response: Response | None = None) -> None:
        """This response has ended, however we know."""
        self.evidence.finish(response_id)
        self.ended.append((response_id, response is None or _calls_count(response)))
        self._out += self._playout.response_done(response_id, now)

    # actions

    def _send_create(self, before: Floor, facts: Facts) -> None:
        claim = self.floor.claim
        ticket = self._tickets.numbered(claim.number if claim else None)
        if claim is not None and ticket is not None:
            self.evidence.sending()
            self._admission.leave(ticket)
            self._out.append(create_event(ticket, claim.token, facts.now))
            self._tickets.tell(ticket, Progress(Step.SENT))

    def _send_cancel(self, before: Floor, facts: Facts) -> None:
        response_id = self.floor.response or None
        self._aside.cancels.sending(response_id or "")
        event_id = f"cancel.{response_id}" if response_id else None
        self._out.append(Send(ResponseCancel(response_id=response_id, event_id=event_id)))
        if self.floor.why is not Why.STUCK:
            self._out += self._playout.cut(facts.now, {response_id or ""})

    def _grant(self, before: Floor, facts: Facts) -> None:
        ticket = self._tickets.numbered(before.claim.number if before.claim else None)
        if ticket is not None:
            self._speaks(ticket)

    def _take_back(self, before: Floor, facts: Facts) -> None:
        ticket = self._tickets.numbered(facts.number)
        if ticket is not None:
            self._admission.leave(ticket)
            self._speaks(ticket)

    def _requeue(self, before: Floor, facts: Facts) -> None:
        ticket = self._claimed(before)
        if ticket is not None:
            self._admission.requeue(ticket, facts.reason, facts.now)

    def _requeue_lost(self, before: Floor, facts: Facts) -> None:
        self._endings.unanswered(self._claimed(before), facts.now)

    def _deny(self, before: Floor, facts: Facts) -> None:
        self._endings.denied(self._claimed(before), facts.code, facts.now)

    def _finish(self, before: Floor, facts: Facts) -> None:
        response_id = before.response or ""
        self.over(response_id, facts.now, facts.response)
        ticket = self._tickets.numbered(before.owner)
        if facts.response is None or ticket is None:
            return
        if before.why is Why.STUCK and facts.response.status != "completed":
            self._endings.stuck(ticket, facts.now)
        else:
            self._endings.by_status(ticket, response_id, facts.response, facts.now)

    def _finish_claim(self, before: Floor, facts: Facts) -> None:
        if facts.response is not None:
            response_id = facts.response.id or ""
            self._endings.by_status(self._claimed(before), response_id, facts.response, facts.now)

    def _finish_earlier(self, before: Floor, facts: Facts) -> None:
        ticket = self._tickets.numbered(facts.number)
        if ticket is not None and facts.response is not None and ticket.stage in (Stage.WAITING, Stage.ASKED):
            self._admission.leave(ticket)
            self._endings.by_status(ticket, facts.response.id or "", facts.response, facts.now)

    def _finish_unseen(self, before: Floor, facts: Facts) -> None:
        response_id = before.response or ""
        self.over(response_id, facts.now)
        self._endings.inferred(self._tickets.numbered(before.owner), response_id, facts.now, doubtful=True)

    def _overtaken(self, before: Floor, facts: Facts) -> None:
        response_id = before.response or ""
        if self.floor.response == response_id:
            return
        self._out.append(Note("its end was not seen, but another response runs", about=response_id))
        self.over(response_id, facts.now)
        ticket = self._tickets.numbered(before.owner)
        if before.why is Why.STUCK:
            self._endings.stuck(ticket, facts.now)
        else:
            doubtful = self.shown.status != "completed"
            self._endings.inferred(ticket, response_id, facts.now, doubtful=doubtful)

    def _release(self, before: Floor, facts: Facts) -> None:
        response_id = before.response or ""
        self.evidence.release(response_id)
        self.ended.append((response_id, False))
        self._out += self._playout.response_done(response_id, facts.now)
        ticket = self._tickets.numbered(before.owner)
        if before.why is Why.STUCK:
            self._endings.stuck(ticket, facts.now)
        elif ticket is not None:
            self._endings.interrupted(ticket, self._playout.heard_ms(response_id), facts.now)

    def _lose(self, before: Floor, facts: Facts) -> None:
        self.evidence = Evidence(ids_proven=self._settings.dialect.echoes_event_id is True)
        self.lost = True
        self._aside.lose()
        self._endings.lose(facts.now)
        self.unrepaired += self._playout.disconnect()
        self._turns.step(TurnInput.LOST, facts.now)

    def _reconnect(self, before: Floor, facts: Facts) -> None:
        self._out.append(Reconnect(facts.reason))

    def _note(self, before: Floor, facts: Facts) -> None:
        about = (facts.response.id if facts.response else None) or ""
        self._out.append(Note("done of a response that we do not know", about=about))

    def _claimed(self, before: Floor) -> Ticket | None:
        return self._tickets.numbered(before.claim.number if before.claim else None)

    def _speaks(self, ticket: Ticket) -> None:
        ticket.stage, ticket.response_id = Stage.SPEAKING, self.floor.response
        self._tickets.tell(ticket, Progress(Step.SPEAKING, response_id=ticket.response_id))


def _calls_count(response: Response) -> bool:
    """Whether the calls of this response are still to be spoken about: not if it failed or we cancelled it."""
    details = response.status_details
    by_us = response.status == "cancelled" and (details is None or details.reason != "turn_detected")
    return response.status != "failed" and not by_us


ENACT: dict[Action, Callable[[Keeper, Floor, Facts], None]] = {
    Action.SEND_CREATE: Keeper._send_create,
    Action.SEND_CANCEL: Keeper._send_cancel,
    Action.GRANT: Keeper._grant,
    Action.TAKE_BACK: Keeper._take_back,
    Action.REQUEUE: Keeper._requeue,
    Action.REQUEUE_LOST: Keeper._requeue_lost,
    Action.DENY: Keeper._deny,
    Action.FINISH: Keeper._finish,
    Action.FINISH_CLAIM: Keeper._finish_claim,
    Action.FINISH_EARLIER: Keeper._finish_earlier,
    Action.FINISH_UNSEEN: Keeper._finish_unseen,
    Action.OVERTAKEN: Keeper._overtaken,
    Action.RELEASE: Keeper._release,
    Action.RECONNECT: Keeper._reconnect,
    Action.LOSE: Keeper._lose,
    Action.NOTE: Keeper._note,
}
