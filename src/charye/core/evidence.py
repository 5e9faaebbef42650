"""What one connection has taught us, kept to tell a late or doubled word from a fresh one.

Server events are late views of a state that has moved on. Each register here answers one question that the
floor's table needs to classify them; all are emptied when the connection is lost, because no id of it means
anything in the next one. Bounded: the oldest are forgotten first, and a forgotten id costs a pause of the
watchdog, not a request.
"""

from typing import TypeVar

from charye.core.floor import Attempt

__all__ = ["Cancels", "Evidence", "Shown", "remember"]

V = TypeVar("V")

REMEMBERED = 128
"""Ids kept per register. A late event for an older response has not been seen in recorded sessions."""


class Evidence:
    """The registers of one connection. Owned by the coordinator.

    `finished`: responses whose end we saw, each with its ordinal. `released`: given up, may still run.
    `unsettled`: tries whose create we stopped waiting for; a try is never forgotten, only answered.
    """

    __slots__ = ("_ended", "_mark", "finished", "ids_proven", "released", "unsettled")

    def __init__(self, *, ids_proven: bool = False) -> None:
        self.finished: dict[str, int] = {}
        self.released: dict[str, None] = {}
        self.unsettled: dict[str, int] = {}
        self.ids_proven = ids_proven
        self._ended = 0
        self._mark = 0

    # responses that are over

    def is_over(self, response_id: str) -> bool:
        """Whether nothing more is expected of it. An event about it is late or doubled.

        Responses without an id cannot be told apart: the next one is not over because one before it was given up.
        """
        return response_id != "" and (response_id in self.finished or response_id in self.released)

    def finish(self, response_id: str) -> None:
        """Its end is known. Responses without an id cannot be told apart and are not remembered."""
        self.released.pop(response_id, None)
        if not response_id:
            return
        self._ended += 1
        self.finished[response_id] = self._ended
        _forget_oldest(self.finished)

    def release(self, response_id: str) -> None:
        """Given up by the watchdog: it ignored our cancel."""
        self.released[response_id] = None
        _forget_oldest(self.released)

    # our creates

    def sending(self) -> None:
        """A create goes out now: what is finished by now cannot be what refuses it."""
        self._mark = self._ended

    def is_stale(self, response_id: str) -> bool:
        """Whether it was over before the present create was sent, so that a refusal naming it is not ours."""
        return self.finished.get(response_id, self._mark + 1) <= self._mark

    def saw_a_done(self) -> bool:
        """Whether some response has ended since the present create was sent."""
        return self._ended > self._mark

    def unsettle(self, attempt: Attempt) -> None:
        """We stop waiting for this create, but it may still be answered."""
        self.unsettled[attempt.token] = attempt.number
        _forget_oldest(self.unsettled)

    def settle(self, token: str) -> int | None:
        """This older try is answered; the number of its ticket."""
        return self.unsettled.pop(token, None)


class Cancels:
    """Our cancels of this connection that have no answer yet, oldest first.

    Exactly one answer is due to each: the end of that response as cancelled by a client, or "not active".
    """

    __slots__ = ("_sent",)

    def __init__(self) -> None:
        self._sent: dict[str, None] = {}

    def sending(self, response_id: str) -> None:
        """A cancel goes out."""
        self._sent[response_id] = None
        _forget_oldest(self._sent)

    def worked(self, response_id: str) -> None:
        """Its response's end says that a client cancelled it, so no "not active" will follow."""
        self._sent.pop(response_id, None)

    def not_active(self, response_id: str | None) -> str | None:
        """Attribute a "not active": by the id of the cancel, else to the oldest cancel without an answer.

        Client events are answered in order, so an answer without a name is for the oldest question
        (trap: a late one for the response before, read as the present one's, opens the floor under a speaker).
        """
        if response_id is None:
            response_id = next(iter(self._sent), None)
        if response_id is not None:
            self._sent.pop(response_id, None)
        return response_id

    def clear(self) -> None:
        """The connection is gone, and every answer with it."""
        self._sent.clear()


class Shown:
    """The items that the running response has shown, should its done be lost.

    `status`: of its last message or call that is complete; None: there is none yet.
    """

    __slots__ = ("_complete", "_open", "status")

    def __init__(self) -> None:
        self._open: set[str] = set()
        self._complete = False
        self.status: str | None = None

    def added(self, item_id: str) -> None:
        """`response.output_item.added`."""
        self._open.add(item_id)

    def done(self, item_id: str) -> None:
        """`response.output_item.done`; it is also seen where the item's beginning was lost."""
        self._open.discard(item_id)
        self._complete = True

    @property
    def is_complete(self) -> bool:
        """Whether it owes nothing of what it began: it has ended, or begins another item.

        In recorded sessions the done follows the last item within milliseconds.
        """
        return self._complete and not self._open


def _forget_oldest(register: dict[str, V]) -> None:
    if len(register) > REMEMBERED:
        del register[next(iter(register))]


def remember(register: dict[str, None], response_id: str) -> None:
    """Add an id to a bounded register."""
    if response_id:
        register[response_id] = None
        _forget_oldest(register)
