"""The coordinator: every request gets its response exactly once, in order, or is told why.

It joins the machines: `attribution` says what an event is, `floor` says what follows, the actions here do it,
`endings` ends requests. After every input it settles: what was heard ends, what waited too long expires, and
the floor, if it is open and the user is quiet, goes to the next in the line. `grants` is the only place that
asks for the floor, so at most one in-band create of ours is ever unanswered.

This module is about the floor; out-of-band responses are in `aside`.
"""

from charye.core import attribution
from charye.core.admission import Admission
from charye.core.aside import Aside
from charye.core.attribution import token_of
from charye.core.effects import Effect, Note, Send
from charye.core.endings import Endings
from charye.core.floor import CLAIMS, RUNS, Floor, Input, State, Why
from charye.core.grants import Grants
from charye.core.keeper import Facts, Keeper
from charye.core.playout import Playout
from charye.core.requests import OutcomeKind, RequestId, ResponseRequest, Stage, Ticket
from charye.core.settings import Settings
from charye.core.tickets import Tickets
from charye.core.tools import Tools
from charye.core.turns import Turn, TurnInput, Turns
from charye.core.watchdog import PROBE, Watchdog
from charye.protocol import ConversationItemRetrieve, ErrorDetail, Response

__all__ = ["Coordinator"]


class Coordinator:
    """The floor of one conversation, over any number of connections."""

    def __init__(
        self, settings: Settings, turns: Turns, playout: Playout, tools: Tools, out: list[Effect]
    ) -> None:
        self._settings = settings
        self._turns = turns
        self._playout = playout
        self._out = out
        self.tickets = Tickets(out)
        self.admission = Admission(settings, self.tickets, out)
        self.endings = Endings(settings, self.admission, playout, tools, out)
        self.aside = Aside(settings, self.admission, self.endings, playout, out)
        self.keeper = Keeper(
            settings,
            admission=self.admission,
            endings=self.endings,
            aside=self.aside,
            turns=turns,
            playout=playout,
            out=out,
        )
        self.watchdog = Watchdog(settings.patience)
        self.grants = Grants(
            self.keeper,
            watchdog=self.watchdog,
            asks_about_ends=not settings.dialect.supersedes,
            admission=self.admission,
            endings=self.endings,
            aside=self.aside,
            turns=turns,
            playout=playout,
            out=out,
        )
        self._epoch = 0
        self.unanswered_turn = False  # the server has left its reply out; somebody should ask for it

    @property
    def floor(self) -> Floor:
        """Who holds the floor now, as far as we know."""
        return self.keeper.floor

    # what the app asks

    def request(self, request: ResponseRequest, now: float) -> None:
        """Take a request in; it ends at once when it cannot wait."""
        self.admission.admit(request, now)

    def cancel(self, request_id: RequestId, now: float, *, reason: str = "asker") -> None:
        """End it at once, wherever it stands; the floor waits for what the server still says about it."""
        ticket = self.tickets.get(request_id)
        if ticket is None:
            self._out.append(Note("cancel of a request that has ended", about=request_id))
            return
        if len(ticket.askers) > 1:
            self.admission.part(ticket, request_id, reason, now)
            return
        stage = ticket.stage
        if stage is Stage.WAITING:
            self.admission.leave(ticket)
        heard_ms = None
        if ticket.response_id is not None:  # first stop, then look: `heard_ms` is of this moment
            self._out += self._playout.cut(now, {ticket.response_id})
            heard_ms = self._playout.heard_ms(ticket.response_id)
        self.tickets.end(ticket, OutcomeKind.CANCELLED, now, reason=reason, heard_ms=heard_ms)
        if stage is Stage.HEARING:
            self.endings.stop_hearing(ticket)
        elif stage in (Stage.ASKED, Stage.SPEAKING) and not self.aside.cancel(ticket.number, Why.ASKER, now):
            self._cancel_in_band(ticket, stage, now)

    def interrupt(self, now: float) -> None:
        """Silence at this moment, whoever speaks or is about to: who is, goes by its own policy."""
        claimed = self._withdraw_claim(now)
        if claimed is not None:
            self.endings.interrupted(claimed, 0.0, now)
        self._silence(now, cancel=True)

    def make_room(self, now: float, *, cancel: bool) -> None:
        """The user has the floor. `cancel`: the server does not know of it, so it is told to stop generating.

        A create that is unanswered now would speak over the user. It is taken back and asked again afterwards.
        """
        claimed = self._withdraw_claim(now)
        if claimed is not None:
            self.admission.requeue(claimed, "the user speaks", now)
        self._silence(now, cancel=cancel)

    def user_spoke(self, now: float) -> None:
        """The user has begun to speak: drop what is then worth nothing."""
        for request_id in self.admission.dropped_by_speech():
            self.cancel(request_id, now, reason="user spoke")

    # what the server says

    def created(self, response: Response, now: float) -> None:
        """`response.created`."""
        response_id, token = response.id or "", token_of(response)
        if self.aside.created(response, token, now):
            return
        if self.keeper.evidence.is_over(response_id):
            self._out.append(Note("created for a response that is over", about=response_id))
            return
        claimed = self.floor.is_claim(token)
        if response_id == self.floor.response and not claimed:
            self._created_again(token, now)
            return
        verdict = attribution.created(
            self.floor, self.keeper.evidence, self.tickets, self._settings.dialect, token
        )
        owner = None if verdict.what in (Input.TAKEN, Input.GHOST) else verdict.number
        why = Why.GHOST if verdict.what is Input.GHOST else None
        if verdict.what is Input.GRANTED and self.floor.state in (State.WITHDRAWN, State.WITHDRAWN_CONTESTED):
            owner, why = None, Why.ASKER  # nobody's any more; its request may wait for another
        facts = Facts(now, response, verdict.number)
        self.keeper.step(verdict.what, facts, response=response_id, owner=owner, why=why)
        if verdict.what is Input.TAKEN:
            self._turns.step(TurnInput.REPLIED, now)
            self.aside.make_way(now, whom="the server's reply")
        if self._turns.turn is Turn.PRESSED and self.floor.state in RUNS and self.floor.why is None:
            self._silence(now, cancel=True)

    def done(self, response: Response, now: float) -> None:
        """`response.done`, of any status."""
        response_id, token = response.id or "", token_of(response)
        ours_aside = self.aside.done(response, token, now)
        if ours_aside and response_id != self.floor.response:
            return
        if response_id in self.keeper.evidence.finished:
            self._out.append(Note("done for a response that is over", about=response_id))
            return
        facts = Facts(now, response)
        details = response.status_details
        if response.status == "cancelled" and (details is None or details.reason != "turn_detected"):
            self.aside.cancels.worked(response_id)
        claimed = self.floor.is_claim(token)
        if self._is_running(response_id) and not claimed:
            self._correct_owner(token, now)
            self.keeper.step(Input.DONE, facts)
            return
        verdict = attribution.done(self.floor, self.keeper.evidence, self._settings.dialect, token)
        if verdict.what is not Input.DONE_UNSEEN or response_id != self.floor.response:
            self.keeper.over(response_id, now)
        self.keeper.step(verdict.what, Facts(now, response, verdict.number))
        if verdict.what is Input.DONE_STRANGER and not response_id:
            # It may well be the running one's: ask at once instead of after a silence.
            self.watchdog.hasten(now)

    def refused(self, error: ErrorDetail, named: str | None, now: float) -> None:
        """An error says that a create met another speaker."""
        certain = self.floor.is_claim(error.event_id)
        if error.event_id is not None and not certain:
            if self.aside.refused(error, now):
                return
            self.keeper.evidence.settle(error.event_id)
            self._out.append(Note("refusal of an older create", about=error.event_id))
            return
        if certain:
            self.keeper.evidence.ids_proven = True  # not by other errors: refusals were seen without
        what = attribution.refused(self.floor, self.keeper.evidence, certain=certain, named=named)
        if what is None:
            self._out.append(Note("refusal of nothing of ours", about=named or ""))
            return
        if not certain and self.floor.claim is not None:
            # If it was not ours after all, it may still be accepted.
            self.keeper.evidence.unsettle(self.floor.claim)
        if what is Input.REFUSED_BY and named is not None:
            self.keeper.evidence.finished.pop(named, None)
        keeps = self.floor.state in RUNS or what is not Input.REFUSED_BY
        facts = Facts(now, reason="another response is running")
        self.keeper.step(what, facts, response=None if keeps else named)

    def denied(self, error: ErrorDetail, now: float) -> bool:
        """An error answers one of our creates by its event id, and it is no matter of turns. False: it is not."""
        if error.event_id is None:
            return False
        if self.floor.is_claim(error.event_id):
            self.keeper.step(Input.DENIED, Facts(now, code=error.code or error.type))
            return True
        return self.aside.denied(error, now) or self.keeper.evidence.settle(error.event_id) is not None

    def not_active(self, cancel_of: str | None, now: float) -> None:
        """There was nothing to cancel. `cancel_of`: the response, if the error named our cancel."""
        response_id = self.aside.cancels.not_active(cancel_of)
        if response_id is not None and self.aside.not_active(response_id, now):
            return
        if response_id is None or response_id != self.floor.response or self.floor.state not in RUNS:
            self._out.append(Note("nothing to cancel", about=response_id or ""))
            return
        self.keeper.step(Input.NOT_ACTIVE, Facts(now))

    def probe_answered(self, error: ErrorDetail, now: float) -> bool:
        """Whether this error is the answer to our probe: it names the item that we made up, by id or in its text."""
        probe_id = self.watchdog.probe_id()
        named = error.event_id == probe_id or probe_id in error.message
        if named and self.watchdog.is_probing:
            self.watchdog.answered(now)
        return named

    def activity(self, response_id: str, now: float) -> bool:
        """Any other event of a response: it is not silent. Gives whether its audio may be played."""
        if response_id == self.floor.response:
            self.watchdog.heard(now)
            return self.floor.why is None
        if self.aside.heard(response_id, now):
            return not self._playout.is_cut(response_id)
        if self.keeper.evidence.is_over(response_id) or self.aside.is_over(response_id):
            return False
        if self.floor.state in RUNS or self.floor.state is State.OFFLINE:
            return False
        # Its created was lost. With a metadata echo its done will say whose it is; without, it is ours.
        self._out.append(Note("a response runs whose created was not seen", about=response_id))
        ours = self.floor.state in CLAIMS and not self._settings.dialect.echoes_metadata
        what = Input.GRANTED if ours else Input.TAKEN
        why = Why.ASKER if ours and self.floor.state is State.WITHDRAWN else None
        # Withdrawn, it is nobody's any more; its request may wait for another.
        number = self.floor.claim.number if ours and self.floor.claim and why is None else None
        self.keeper.step(what, Facts(now, None, number), response=response_id, owner=number, why=why)
        return self.floor.why is None

    # what time and the line say

    def connected(self, now: float) -> None:
        """A new connection: nothing of the old one is known in it."""
        self.keeper.step(Input.CONNECTED, Facts(now))
        self._epoch += 1

    def disconnected(self, now: float) -> None:
        """The connection is gone. Telling it twice does no harm."""
        if self.floor.state is not State.OFFLINE:
            self.keeper.step(Input.LOST, Facts(now))

    def give_up(self, reason: str, now: float) -> None:
        """The connection is worth nothing any more."""
        if self.floor.state is not State.OFFLINE:
            self.keeper.step(Input.GIVE_UP, Facts(now, reason=reason))

    def tick(self, now: float) -> None:
        """Time has passed."""
        if self._turns.expires(now):
            before = self._turns.step(TurnInput.EXPIRED, now)
            waited_for_reply = before in (Turn.AWAITED, Turn.DOUBTED)
            self.unanswered_turn = before is Turn.DOUBTED
            self._out.append(Note("no more is heard of the user's turn"))
            if waited_for_reply and self.keeper.evidence.released and self.floor.state is State.OPEN:
                # A response that ignored its cancel swallows every reply of the server.
                self.give_up("a stuck response blocks the conversation", now)
        verdict = self.watchdog.due(now)
        if verdict is PROBE:
            probe_id = self.watchdog.probe_id()
            self._out.append(Note("silence: asking whether the line lives", about=probe_id))
            self._out.append(Send(ConversationItemRetrieve(item_id=probe_id, event_id=probe_id)))
        elif isinstance(verdict, Input):
            if verdict is Input.UNANSWERED and self.floor.claim is not None:
                self.keeper.evidence.unsettle(self.floor.claim)  # it may still be answered, late
            why = Why.STUCK if verdict is Input.STUCK else None
            self._out.append(Note(verdict.value, about=self.floor.response or ""))
            self.keeper.step(verdict, Facts(now, reason=verdict.value), why=why)
        self.admission.expire(now)
        self.aside.tick(now)

    def settle(self, now: float) -> None:
        """After every input: end what was heard, ask for what may be asked now, watch what is waited for."""
        self.endings.listen(now)
        self.admission.expire(now, at_the_limit=False)
        if self.floor.state is not State.OFFLINE:
            self.aside.pump(self._epoch, now)
            self.grants.pump(self._epoch, now)
        self.watchdog.follow(self.floor, now, complete=self.keeper.shown.is_complete)

    def next_deadline(self, now: float) -> float | None:
        """When `tick` has something to do, if nothing else happens."""
        times = (
            self.watchdog.deadline,
            self._turns.deadline,
            self.admission.next_deadline(now),
            self.aside.next_deadline(),
        )
        return min((time for time in times if time is not None), default=None)

    # inside

    def _withdraw_claim(self, now: float) -> Ticket | None:
        if self.floor.claim is None or self.floor.state not in (State.CLAIMED, State.CONTESTED):
            return None
        ticket = self.tickets.numbered(self.floor.claim.number)
        self.keeper.step(Input.CANCEL_CLAIM, Facts(now))
        return ticket

    def _silence(self, now: float, *, cancel: bool) -> None:
        response_ids = self._playout.unheard()
        if self.floor.response is not None and self.floor.state in RUNS:
            response_ids.add(self.floor.response)
        self._out += self._playout.cut(now, response_ids)
        self.aside.make_way(now, whom="the user")
        if cancel and self.floor.state in RUNS and self.floor.why is None:
            self.keeper.step(Input.CANCEL_RUNNING, Facts(now), why=Why.INTERRUPT)

    def _is_running(self, response_id: str) -> bool:
        """Whether this is the response we know of; one of the two may lack its id."""
        running = self.floor.response
        return self.floor.state in RUNS and (running == response_id or running == "")

    def _created_again(self, token: str | None, now: float) -> None:
        """We hold it already: by a refusal that named it, or by its deltas. Or the event is doubled."""
        if token is None:
            self._turns.step(TurnInput.REPLIED, now)
        self._correct_owner(token, now)

    def _correct_owner(self, token: str | None, now: float) -> None:
        number = None if token is None else self.keeper.evidence.settle(token)
        if number is not None and self.floor.owner is None:
            self.keeper.correct(number, now)

    def _cancel_in_band(self, ticket: Ticket, stage: Stage, now: float) -> None:
        if stage is Stage.ASKED:
            self.keeper.step(Input.CANCEL_CLAIM, Facts(now))
        elif self.floor.owner == ticket.number and self.floor.why is None:
            self.keeper.step(Input.CANCEL_RUNNING, Facts(now), why=Why.ASKER)
