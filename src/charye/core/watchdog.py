"""When silence means that something is lost: probe, then act, then reconnect.

A response is stuck when it is *silent*, not when it is long. So is a create without an answer. In both cases
the first suspect is the line, so it is asked first: a retrieve of an item that cannot exist has a certain,
harmless answer, an error that names the item. Client events are answered in order, hence an answered probe
also says that the create before it was answered and the answer lost. A probe's answer may be lost too: it is
sent twice before the connection is given up.

    what is watched      quiet, then   probing, then   probing again, then   answered, then
    a claim              probe         probe           GIVE_UP               UNANSWERED
    a running response   probe         probe           GIVE_UP               STUCK
    our cancel           DEAF
    a blind refusal      RETRY

A running response whose every item is complete owes nothing but its done, or another item. Silent for a while, its
end is *overdue*. That is no reason to end it, a model may think between two items, but it is reason enough to ask for
whoever waits: the refusal or the acceptance tells whether it runs (decision 0007). Once for each response.
"""

from enum import Enum

from charye.core.floor import Floor, Input, State
from charye.core.settings import Patience

__all__ = ["PROBE", "Watchdog"]

PROBE = "probe"
"""What `due` answers when the line is to be asked."""

PROBES = 8
"""Made-up items in turn, so that a late answer is not taken for the present one's."""


class Watched(Enum):
    """What the floor waits for."""

    NOTHING = "nothing"
    CLAIM = "claim"
    RESPONSE = "response"
    CANCEL = "cancel"
    BLIND = "blind refusal"


class Stage(Enum):
    """How far the suspicion has gone."""

    QUIET = "quiet"
    PROBING = "probing"
    PROBING_AGAIN = "probing again"
    ANSWERED = "answered"


WATCHED = {
    State.OPEN: Watched.NOTHING,
    State.OFFLINE: Watched.NOTHING,
    State.CLAIMED: Watched.CLAIM,
    State.CONTESTED: Watched.CLAIM,
    State.WITHDRAWN: Watched.CLAIM,
    State.WITHDRAWN_CONTESTED: Watched.CLAIM,
    State.HELD: Watched.RESPONSE,
    State.YIELDING: Watched.CANCEL,
    State.BLOCKED: Watched.BLIND,
}

ON_DEADLINE: dict[tuple[Watched, Stage], tuple[Stage, Input | str]] = {
    (Watched.CLAIM, Stage.QUIET): (Stage.PROBING, PROBE),
    (Watched.CLAIM, Stage.PROBING): (Stage.PROBING_AGAIN, PROBE),
    (Watched.CLAIM, Stage.PROBING_AGAIN): (Stage.QUIET, Input.GIVE_UP),
    (Watched.CLAIM, Stage.ANSWERED): (Stage.QUIET, Input.UNANSWERED),
    (Watched.RESPONSE, Stage.QUIET): (Stage.PROBING, PROBE),
    (Watched.RESPONSE, Stage.PROBING): (Stage.PROBING_AGAIN, PROBE),
    (Watched.RESPONSE, Stage.PROBING_AGAIN): (Stage.QUIET, Input.GIVE_UP),
    (Watched.RESPONSE, Stage.ANSWERED): (Stage.QUIET, Input.STUCK),
    (Watched.CANCEL, Stage.QUIET): (Stage.QUIET, Input.DEAF),
    (Watched.BLIND, Stage.QUIET): (Stage.QUIET, Input.RETRY),
}


class Watchdog:
    """Follows the floor; one deadline at a time. Owned by the coordinator."""

    __slots__ = (
        "_asked_about",
        "_complete",
        "_heard_at",
        "_patience",
        "_probes",
        "_refusals",
        "_stage",
        "_subject",
        "_watched",
        "deadline",
    )

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._watched = Watched.NOTHING
        self._subject: str | None = None
        self._stage = Stage.QUIET
        self._heard_at = 0.0
        self._complete = False
        self._asked_about: str | None = None
        self._probes = 0
        self._refusals = 0
        self.deadline: float | None = None

    def follow(self, floor: Floor, now: float, *, complete: bool = False) -> None:
        """Watch what the floor now waits for. The same claim or response keeps its stage.

        Args:
            complete: every item that the running response has shown is complete.
        """
        self._begin(floor, now)
        self._complete = complete
        if floor.response != self._asked_about:
            self._asked_about = None
        self._look_when_overdue(now)

    def _begin(self, floor: Floor, now: float) -> None:
        watched = WATCHED[floor.state]
        claim = watched is Watched.CLAIM and floor.claim is not None
        subject = floor.claim.token if claim and floor.claim else floor.response
        if watched is self._watched and subject == self._subject and watched is not Watched.NOTHING:
            return
        if watched is Watched.BLIND:
            self._refusals += 1
        elif watched is Watched.RESPONSE:
            self._refusals = 0
        self._watched, self._subject, self._stage = watched, subject, Stage.QUIET
        self._heard_at = now
        self.deadline = None if watched is Watched.NOTHING else now + self._limit_s()

    def heard(self, now: float) -> None:
        """The running response said something. Cheap: the deadline is moved when it is met."""
        self._heard_at = now

    def is_overdue(self, response: str | None, now: float) -> bool:
        """Whether this is the response that is watched, it owes only its end, and that should have come by now."""
        return self._may_be_overdue and response == self._subject and now >= self._overdue_at

    def asked(self) -> None:
        """A create was sent to learn whether the running response is over. The same is not asked again."""
        self._asked_about = self._subject

    def hasten(self, now: float) -> None:
        """There is a hint that what we wait for is lost: ask the line at once."""
        if self._stage is Stage.QUIET and self._watched is Watched.RESPONSE:
            self._heard_at = now - self._limit_s()
            self.deadline = now

    @property
    def is_probing(self) -> bool:
        """Whether a probe's answer is awaited."""
        return self._stage in (Stage.PROBING, Stage.PROBING_AGAIN)

    def probe_id(self) -> str:
        """The made-up item of the latest probe."""
        return f"probe_{self._probes}"

    def answered(self, now: float) -> None:
        """The probe's answer is here: the line lives, so what we wait for should have come."""
        self._stage = Stage.ANSWERED
        self.deadline = now + self._patience.probe_s

    def due(self, now: float) -> Input | str | None:
        """What the deadline calls for: an input for the floor, `PROBE`, or nothing (not met, or moved)."""
        if self.deadline is None or now < self.deadline:
            return None
        if self._watched is Watched.RESPONSE:  # any word of it shows that it, and so the line, lives
            alive_until = self._heard_at + self._limit_s()
            if alive_until > now:
                self._stage, self.deadline = Stage.QUIET, alive_until
                self._look_when_overdue(now)
                return None
        self._stage, verdict = ON_DEADLINE[self._watched, self._stage]
        self.deadline = now + self._patience.probe_s
        if verdict is PROBE:
            self._probes = (self._probes + 1) % PROBES
        return verdict

    @property
    def _may_be_overdue(self) -> bool:
        return self._watched is Watched.RESPONSE and self._complete and self._asked_about is None

    @property
    def _overdue_at(self) -> float:
        return self._heard_at + self._patience.ending_s

    def _look_when_overdue(self, now: float) -> None:
        """Somebody may wait then; if nobody does, whoever comes later is asked for at once."""
        if self._may_be_overdue and self.deadline is not None and self._overdue_at > now:
            self.deadline = min(self.deadline, self._overdue_at)

    def _limit_s(self) -> float:
        patience = self._patience
        match self._watched:
            case Watched.RESPONSE:
                return patience.silence_s
            case Watched.CANCEL:
                return patience.cancel_s
            case Watched.BLIND:
                return float(min(patience.blocked_max_s, patience.blocked_s * 2 ** (self._refusals - 1)))
            case Watched.CLAIM | Watched.NOTHING:
                return patience.answer_s
