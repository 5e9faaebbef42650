"""Who gets the floor next, and whom a higher class may silence for it.

`Grants.pump` is the only place that asks for the floor, and it asks only when the floor is open, the user is
quiet and nobody speaks aloud beside the conversation. One exception: whether a response still runs whose end is
overdue is learned by asking for whoever waits, once (decision 0007). While the floor is held (`Admission.hold`), it
looks only at those who belong to the hold: nobody else is asked for, and nobody else cuts in.
"""

from charye.core.admission import Admission
from charye.core.aside import Aside
from charye.core.effects import Effect, Note
from charye.core.endings import Endings
from charye.core.floor import RUNS, Attempt, Input, State, Why
from charye.core.keeper import Facts, Keeper
from charye.core.playout import Playout
from charye.core.requests import Priority, Starts
from charye.core.turns import Turns
from charye.core.watchdog import Watchdog

__all__ = ["Grants"]


class Grants:
    """Gives the floor to the next in the line."""

    __slots__ = (
        "_admission",
        "_aside",
        "_asks_about_ends",
        "_endings",
        "_keeper",
        "_out",
        "_playout",
        "_turns",
        "_watchdog",
    )

    def __init__(
        self,
        keeper: Keeper,
        *,
        watchdog: Watchdog,
        asks_about_ends: bool,
        admission: Admission,
        endings: Endings,
        aside: Aside,
        turns: Turns,
        playout: Playout,
        out: list[Effect],
    ) -> None:
        self._keeper = keeper
        self._watchdog = watchdog
        # Where a create ends the running response, it is no question but an interruption.
        self._asks_about_ends = asks_about_ends
        self._admission = admission
        self._endings = endings
        self._aside = aside
        self._turns = turns
        self._playout = playout
        self._out = out

    def pump(self, epoch: int, now: float) -> None:
        """Ask for the floor for whoever is next, if it may be asked for now."""
        best = self._admission.next_line.best(now, beside=not self._aside.is_full)
        if best is None or not self._turns.is_quiet:
            return
        request = best.request
        if request.cuts_in:
            self._cut_in(request.priority, now)
        what = self._claim_now(now)
        if what is None or self._aside.voice:
            return
        if request.starts is Starts.AFTER_HEARD and not self._playout.is_quiet:
            return
        if request.conversation == "none":
            if what is Input.CLAIM:  # it would run beside the other, so its answer would tell nothing
                self._aside.start(best, epoch, now)
            return
        if what is Input.CLAIM_OVERDUE:
            if best.attempts + 1 >= request.max_attempts:
                return  # a refusal would be its end
            self._out.append(
                Note("its end is overdue: asking for the next", about=self._keeper.floor.response or "")
            )
            self._watchdog.asked()
        attempt = Attempt(best.number, self._admission.token(best, epoch))
        self._keeper.step(what, Facts(now), claim=attempt)

    def _claim_now(self, now: float) -> Input | None:
        """The way in which the floor may be asked for; None: not now."""
        floor = self._keeper.floor
        if floor.state is State.OPEN:
            return Input.CLAIM
        if floor.state is not State.HELD or not self._asks_about_ends:
            return None
        return Input.CLAIM_OVERDUE if self._watchdog.is_overdue(floor.response, now) else None

    def _cut_in(self, priority: Priority, now: float) -> None:
        """Stop every lower voice, running or still being heard. The server's own replies are the user's class."""
        lower = {
            response_id for response_id in self._playout.unheard() if self._class_of(response_id) > priority
        }
        beside = self._aside.class_of_voice()
        if beside is not None and beside > priority:
            self._aside.make_way(now, whom="a higher class")
        running = self._keeper.floor.response if self._keeper.floor.state in RUNS else None
        if running is not None and self._keeper.floor.why is None and self._class_of(running) > priority:
            lower.add(running)
        if not lower:
            return
        self._out += self._playout.cut(now, lower)
        if running in lower and self._keeper.floor.why is None:
            self._keeper.step(Input.CANCEL_RUNNING, Facts(now), why=Why.CUT_IN)
        self._endings.listen(now)

    def _class_of(self, response_id: str) -> Priority:
        ticket = self._endings.hearing(response_id)
        if ticket is None and response_id == self._keeper.floor.response:
            ticket = self._admission.tickets.numbered(self._keeper.floor.owner)
        return ticket.request.priority if ticket is not None else Priority.USER
