"""Who gets into the line, and who comes back to it.

There are three lines of one bound: for the floor (and the audio floor); for silent out-of-band responses, which
wait for nobody but a free lane; and for those who belong to a hold. While the hold stands, only its own line is
looked at for the floor; the line for the floor stays as it is, ages and expires. When it ends, its requests are like
any other: they go where their class and age put them. No living request names a hold that does not stand.
"""

from dataclasses import replace

from charye.core.effects import Effect, Note, Send
from charye.core.requests import (
    TOKEN_KEY,
    OnUserSpeech,
    Outcome,
    OutcomeKind,
    Priority,
    Progress,
    RequestId,
    ResponseRequest,
    SameKey,
    Stage,
    Step,
    Ticket,
)
from charye.core.settings import Settings
from charye.core.tickets import Tickets
from charye.core.waiting import Waiting, WhenFull
from charye.errors import LocalProtocolError
from charye.protocol import ResponseCreate

__all__ = ["Admission", "create_event"]


def create_event(ticket: Ticket, token: str, now: float) -> Send:
    """The create of this ticket's next try; counts it. The token is its event id and its metadata."""
    ticket.attempts += 1
    ticket.sent_at, ticket.stage = now, Stage.ASKED
    request = ticket.request
    parameters = request.parameters.tagged(
        conversation="none" if request.conversation == "none" else None,
        metadata={**request.metadata, TOKEN_KEY: token},
    )
    return Send(ResponseCreate(response=parameters, event_id=token))


class Admission:
    """The lines, and the rules of entering and leaving them. `held`: the name of the hold that stands."""

    __slots__ = ("_classes", "_out", "_settings", "aside", "floor", "held", "holding", "tickets")

    def __init__(self, settings: Settings, tickets: Tickets, out: list[Effect]) -> None:
        self._settings = settings
        self._out = out
        self.tickets = tickets
        self.floor = Waiting(ageing_s=settings.ageing_s)
        self.aside = Waiting(ageing_s=settings.ageing_s)
        self.holding = Waiting(ageing_s=settings.ageing_s)
        self._classes: dict[int, Priority] = {}  # of those that were there when the hold began
        self.held: str | None = None

    @property
    def next_line(self) -> Waiting:
        """Whose best gets the floor."""
        return self.floor if self.held is None else self.holding

    def token(self, ticket: Ticket, epoch: int) -> str:
        """What tells its next create from every other: whose, on which connection, which request, which try."""
        return f"{self._settings.name}.{epoch}.{ticket.number}.{ticket.attempts + 1}"

    def line_of(self, request: ResponseRequest) -> Waiting:
        """Where it waits."""
        if request.conversation == "none" and not request.speaks_aloud:
            return self.aside
        return self.floor if request.hold is None else self.holding

    def check_hold(self, request: ResponseRequest) -> None:
        """Look whether a request may say to which hold it belongs.

        Raises:
            LocalProtocolError: that hold does not stand.
        """
        if request.hold not in (None, self.held):
            raise LocalProtocolError("the hold of this request does not stand", given=request.hold)

    def hold(self, name: str) -> None:
        """From now on the floor goes to nobody but those who belong to this hold.

        Who is asked for or speaks now belongs to it too, and comes first: if it has to be asked again, because it was
        refused or the line was lost, it must not be left for the time after what was said later.

        Raises:
            LocalProtocolError: a hold stands; nothing has changed.
        """
        if self.held is not None:
            raise LocalProtocolError("the floor is held already", state=self.held, given=name)
        self.held = name
        for ticket in self.tickets.all():
            if ticket.stage in (Stage.ASKED, Stage.SPEAKING):
                self._classes[ticket.number] = ticket.request.priority
                ticket.request = replace(ticket.request, hold=name)
        self._out.append(Note("the floor is held", about=name))

    def let_go(self, name: str, now: float) -> None:
        """The hold ends; its living requests belong to none from now on. One that has ended is only noted.

        Raises:
            LocalProtocolError: another hold stands; nothing has changed.
        """
        if self.held is None:
            self._out.append(Note("let go of a hold that has ended", about=name))
            return
        if self.held != name:
            raise LocalProtocolError("another hold stands", state=self.held, given=name)
        self.held = None
        self._out.append(Note("the floor is let go", about=name))
        waited = list(self.holding)
        for ticket in waited:
            self.holding.remove(ticket)
        for ticket in self.tickets.all():
            if ticket.request.hold is not None:
                priority = self._classes.get(ticket.number, ticket.request.priority)
                ticket.request = replace(ticket.request, hold=None, priority=priority)
        self._classes.clear()
        for ticket in waited:
            self._come_back(ticket, now)

    def admit(self, request: ResponseRequest, now: float) -> None:
        """Let it wait, or end it at once as `denied`, with the reason.

        Raises:
            LocalProtocolError: a living request has this id, or its hold does not stand; nothing has changed.
        """
        self.check_hold(request)
        if request.conversation == "none" and not self._settings.dialect.out_of_band:
            self.deny(request, "no out-of-band lane", now)
            return
        ticket = self.tickets.open(request, now)
        line = self.line_of(request)
        other = line.same_key(request.coalesce_key)
        if self._is_full(line):
            policy = self._settings.when_full
            if policy is WhenFull.REPLACE_SAME_KEY and other is not None:
                self._replace(line, other, ticket, now)
            elif policy is WhenFull.DROP_OLDEST and self._make_room(line, request, now):
                self._enter(line, line.same_key(request.coalesce_key), ticket, now)
            else:
                self.tickets.end(ticket, OutcomeKind.DENIED, now, reason="queue full")
            return
        self._enter(line, other, ticket, now)

    def deny(self, request: ResponseRequest, reason: str, now: float) -> None:
        """It cannot be asked for; its asker is told why.

        Raises:
            LocalProtocolError: a living request has this id; nothing has changed.
        """
        self.tickets.end(self.tickets.open(request, now), OutcomeKind.DENIED, now, reason=reason)

    def requeue(self, ticket: Ticket, reason: str, now: float) -> None:
        """Back to its old place, unless it has been tried too often. Ended ones stay ended."""
        if ticket.stage is Stage.ENDED:
            return
        if ticket.attempts >= ticket.request.max_attempts:
            self.tickets.end(ticket, OutcomeKind.FAILED, now, reason="exhausted")
            return
        ticket.stage, ticket.response_id = Stage.WAITING, None
        self.tickets.tell(ticket, Progress(Step.QUEUED, reason))
        if ticket.number in self._classes:  # it was there when the hold began
            ticket.request = replace(ticket.request, priority=Priority.SCRIPT)
        self._come_back(ticket, now)

    def expire(self, now: float, *, at_the_limit: bool = True) -> None:
        """End those whose time is over. `at_the_limit`: also those whose last moment this is."""
        for line in (self.floor, self.holding, self.aside):
            for ticket in line.expired(now):
                if ticket.expires_at == now and not at_the_limit:
                    continue
                line.remove(ticket)
                self.tickets.end(ticket, OutcomeKind.EXPIRED, now, reason="waited too long")

    def leave(self, ticket: Ticket) -> None:
        """It waits no more: it is asked for, or it ends."""
        self.line_of(ticket.request).remove(ticket)

    def part(self, ticket: Ticket, request_id: RequestId, reason: str, now: float) -> None:
        """One of several askers cancels; the response is still wanted by the others."""
        waited = ticket.stage is Stage.WAITING and self.line_of(ticket.request).remove(ticket)
        waited_s = now - ticket.asked_at
        outcome = Outcome(OutcomeKind.CANCELLED, reason, attempts=ticket.attempts, waited_s=waited_s)
        self.tickets.leave(ticket, request_id, outcome)
        if waited:
            self.line_of(ticket.request).add(ticket)

    def dropped_by_speech(self) -> list[RequestId]:
        """Askers of requests that are worth nothing once the user speaks, and do not speak yet."""
        return [
            asker
            for ticket in self.tickets.all()
            if ticket.request.on_user_speech is OnUserSpeech.DROP
            and ticket.stage in (Stage.WAITING, Stage.ASKED)
            for asker in ticket.askers
        ]

    def next_deadline(self, now: float) -> float | None:
        """When a wait ends by itself: an expiry, or a rest."""
        times = [
            time
            for line in (self.floor, self.holding, self.aside)
            for time in (line.next_expiry(), line.next_rested(now))
            if time is not None
        ]
        return min(times, default=None)

    def _is_full(self, line: Waiting) -> bool:
        return line.askers >= self._settings.max_waiting

    def _enter(self, line: Waiting, other: Ticket | None, ticket: Ticket, now: float) -> None:
        if other is None:
            line.add(ticket)
        elif ticket.request.same_key is SameKey.REPLACE:
            self._replace(line, other, ticket, now)
        else:
            line.remove(other)
            self._merge(line, other, ticket)

    def _come_back(self, ticket: Ticket, now: float) -> None:
        """To the place that its age gives it; one of its key that waits there already may be older or newer."""
        line = self.line_of(ticket.request)
        other = line.same_key(ticket.request.coalesce_key)
        if other is None:
            line.add(ticket)
            return
        line.remove(other)
        older, newer = sorted((ticket, other), key=lambda each: each.age)
        if newer.request.same_key is SameKey.REPLACE:
            self._replace(line, older, newer, now)
        else:
            self._merge(line, older, newer)

    def _merge(self, line: Waiting, older: Ticket, newer: Ticket) -> None:
        """One ticket for both: the age of the older, the wish of the newer, the higher class of the two."""
        higher = min(older.request.priority, newer.request.priority)
        # Nobody's time is shortened by the company: it lasts as long as the longest, for ever if one has no limit.
        limits = (older.expires_at, newer.expires_at)
        older.expires_at = (
            max((at for at in limits if at is not None), default=None) if None not in limits else None
        )
        older.request = replace(newer.request, id=older.request.id, priority=higher)
        self.tickets.join(older, newer)
        line.add(older)
        self._out.append(Note("joined a waiting request", about=older.request.id))

    def _replace(self, line: Waiting, older: Ticket, newer: Ticket, now: float) -> None:
        line.remove(older)
        self.tickets.end(older, OutcomeKind.CANCELLED, now, reason="replaced")
        newer.age = older.age
        line.add(newer)

    def _make_room(self, line: Waiting, request: ResponseRequest, now: float) -> bool:
        victim = line.lowest()
        if victim is None or victim.request.priority < request.priority:
            return False
        line.remove(victim)
        self.tickets.end(victim, OutcomeKind.DENIED, now, reason="dropped for a newer one")
        return True
