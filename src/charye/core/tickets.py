"""The book of requests: every accepted one is in it until it ends, and it ends once.

Askers and tickets are not the same: requests of one coalesce key share a ticket, so one response serves them
all; each asker is told everything, and one may leave without the others.
"""

from collections import deque

from charye.core.effects import Effect, Tell
from charye.core.requests import (
    Outcome,
    OutcomeKind,
    Progress,
    RequestId,
    ResponseRequest,
    Stage,
    Step,
    Ticket,
)
from charye.errors import LocalProtocolError

__all__ = ["Tickets"]

ENDED_REMEMBERED = 64


class Tickets:
    """All living tickets by asker, and the last ends, for `explain`."""

    __slots__ = ("_by_number", "_count", "_ended", "_living", "_out")

    def __init__(self, out: list[Effect]) -> None:
        self._out = out
        self._living: dict[RequestId, Ticket] = {}
        self._by_number: dict[int, Ticket] = {}
        self._ended: deque[tuple[RequestId, Outcome]] = deque(maxlen=ENDED_REMEMBERED)
        self._count = 0

    def __len__(self) -> int:
        return len(self._living)

    @property
    def count(self) -> int:
        """Tickets ever opened."""
        return self._count

    def get(self, request_id: RequestId) -> Ticket | None:
        """The living ticket of this asker."""
        return self._living.get(request_id)

    def numbered(self, number: int | None) -> Ticket | None:
        """The living ticket of this number."""
        return None if number is None else self._by_number.get(number)

    def outcome(self, request_id: RequestId) -> Outcome | None:
        """How it ended, if it was among the last."""
        return next((outcome for asker, outcome in self._ended if asker == request_id), None)

    def all(self) -> list[Ticket]:
        """Every living ticket once, oldest first."""
        return list(self._by_number.values())

    def check_free(self, request_id: RequestId) -> None:
        """Look whether a request may have this id.

        Raises:
            LocalProtocolError: a living request has it.
        """
        if request_id in self._living:
            raise LocalProtocolError("a request with this id is not ended yet")

    def open(self, request: ResponseRequest, now: float) -> Ticket:
        """A new ticket, the youngest.

        Raises:
            LocalProtocolError: a living request has this id; nothing has changed.
        """
        self.check_free(request.id)
        self._count += 1
        ticket = Ticket(request=request, number=self._count, age=self._count, asked_at=now)
        if request.expires_after_s is not None:
            ticket.expires_at = now + request.expires_after_s
        ticket.askers.append(request.id)
        self._living[request.id] = ticket
        self._by_number[ticket.number] = ticket
        self.tell(ticket, Progress(Step.QUEUED, trigger=request.trigger))
        return ticket

    def join(self, ticket: Ticket, other: Ticket) -> None:
        """`other`'s askers are served by `ticket` from now on; `other` is no more."""
        for asker in other.askers:
            self._living[asker] = ticket
        ticket.askers += other.askers
        other.askers = []
        other.stage = Stage.ENDED
        del self._by_number[other.number]

    def leave(self, ticket: Ticket, request_id: RequestId, outcome: Outcome) -> None:
        """One asker ends; the ticket lives on for the others, if there are any."""
        ticket.askers.remove(request_id)
        del self._living[request_id]
        self._ended.append((request_id, outcome))
        self._out.append(Tell(request_id, outcome))

    def tell(self, ticket: Ticket, progress: Progress) -> None:
        """Tell all askers of a step."""
        self._out += [Tell(asker, progress) for asker in ticket.askers]

    def end(
        self,
        ticket: Ticket,
        kind: OutcomeKind,
        now: float,
        *,
        reason: str = "",
        code: str | None = None,
        heard_ms: float | None = None,
        uncertain: bool = False,
    ) -> None:
        """End it for all its askers. A ticket whose askers have all left is silent."""
        ticket.stage = Stage.ENDED
        del self._by_number[ticket.number]
        outcome = Outcome(
            kind,
            reason=reason,
            code=code,
            heard_ms=heard_ms,
            uncertain=uncertain or ticket.uncertain,
            attempts=ticket.attempts,
            waited_s=(now if ticket.sent_at is None else ticket.sent_at) - ticket.asked_at,
        )
        for asker in tuple(ticket.askers):
            self.leave(ticket, asker, outcome)
