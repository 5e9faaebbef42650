"""The line: who waits for the floor, in which order, and what happens when it is full.

One sorted list per class, by age. A refused request comes back with its old number and so to its old place.
Choosing looks at the head of each class only, so a thousand waiting cost as much as ten.

Ageing: every `ageing_s` of waiting counts as one class higher, and age breaks ties, so no class starves.
Within a class the order is strictly age: a head that rests (backoff) holds its class, not the others.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from enum import Enum

from charye.core.requests import Priority, Ticket

__all__ = ["Waiting", "WhenFull"]


class WhenFull(Enum):
    """What a full line does with one more."""

    REFUSE = "refuse"  # the new one is denied
    DROP_OLDEST = "drop oldest"  # of the lowest class, unless the new one is of a lower class still
    REPLACE_SAME_KEY = (
        "replace same key"  # the new one takes the place of one with its key, else it is denied
    )


class Waiting:
    """Tickets in stage WAITING. The coordinator owns the tickets; this keeps their order.

    A ticket's age, class, key, expiry and askers do not change while it is in here: take it out first.
    `askers`: how many wait, joined ones included.
    """

    __slots__ = ("_ageing_s", "_by_age", "_by_key", "_expiring", "_tickets", "askers")

    def __init__(self, *, ageing_s: float) -> None:
        self._ageing_s = ageing_s
        self.askers = 0
        self._tickets: dict[int, Ticket] = {}
        self._by_age: dict[Priority, list[int]] = {priority: [] for priority in Priority}
        self._by_key: dict[str, int] = {}
        self._expiring: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._tickets)

    def __iter__(self) -> Iterator[Ticket]:
        """All who wait, class by class, each by age. For a copy before changing anything."""
        for ages in self._by_age.values():
            for age in ages:
                yield self._tickets[age]

    def add(self, ticket: Ticket) -> None:
        """Put it at the place that its class and age give it."""
        request = ticket.request
        self._tickets[ticket.age] = ticket
        self.askers += len(ticket.askers)
        insort(self._by_age[request.priority], ticket.age)
        if request.coalesce_key is not None:
            self._by_key.setdefault(request.coalesce_key, ticket.age)
        if ticket.expires_at is not None:
            insort(self._expiring, (ticket.expires_at, ticket.age))

    def remove(self, ticket: Ticket) -> bool:
        """Take it out; False when it did not wait."""
        if self._tickets.pop(ticket.age, None) is None:
            return False
        self.askers -= len(ticket.askers)
        request = ticket.request
        ages = self._by_age[request.priority]
        del ages[bisect_left(ages, ticket.age)]
        if request.coalesce_key is not None and self._by_key.get(request.coalesce_key) == ticket.age:
            del self._by_key[request.coalesce_key]
        if ticket.expires_at is not None:
            del self._expiring[bisect_left(self._expiring, (ticket.expires_at, ticket.age))]
        return True

    def same_key(self, key: str | None) -> Ticket | None:
        """The waiting ticket that a request of this key joins or replaces."""
        age = None if key is None else self._by_key.get(key)
        return None if age is None else self._tickets[age]

    def lowest(self) -> Ticket | None:
        """The oldest of the lowest class."""
        for priority in reversed(Priority):
            if self._by_age[priority]:
                return self._tickets[self._by_age[priority][0]]
        return None

    def best(self, now: float, *, beside: bool = True) -> Ticket | None:
        """Who is next: the highest class after ageing, then the oldest; nobody of a class whose head rests.

        `beside=False`: no lane is free, so a head that wants one holds its class, not the others.
        """
        if not self._tickets:
            return None  # asked after every event, and mostly nobody waits
        heads = [self._tickets[ages[0]] for ages in self._by_age.values() if ages]
        ready = [
            head
            for head in heads
            if head.resting_until <= now and (beside or head.request.conversation == "auto")
        ]
        return min(ready, key=lambda head: (self.rank(head, now), head.age), default=None)

    def rank(self, ticket: Ticket, now: float) -> int:
        """The class it has risen to by waiting; lower goes first."""
        risen = int((now - ticket.asked_at) / self._ageing_s) if self._ageing_s > 0 else 0
        return max(0, ticket.request.priority - risen)

    def ahead_of(self, ticket: Ticket, now: float) -> int:
        """How many would be asked before it as things stand. Walks the line: for `explain` only."""
        place = (self.rank(ticket, now), ticket.age)
        return sum((self.rank(other, now), other.age) < place for other in self)

    def expired(self, now: float) -> list[Ticket]:
        """Those whose time is over, oldest deadline first. They are still in the line."""
        due = bisect_right(self._expiring, now, key=lambda entry: entry[0])
        return [self._tickets[age] for _, age in self._expiring[:due]]

    def next_expiry(self) -> float | None:
        """When the next one expires."""
        return self._expiring[0][0] if self._expiring else None

    def next_rested(self, now: float) -> float | None:
        """When the next resting head may be asked."""
        heads = (self._tickets[ages[0]].resting_until for ages in self._by_age.values() if ages)
        return min((until for until in heads if until > now), default=None)
