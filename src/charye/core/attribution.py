"""Which input of the floor is this event? Pure: the floor, the evidence and the book of requests say it.

A `response.created` or `response.done` carries our token, or a token of an older try, or none. Where the server
echoes metadata, none means that it is not ours. Where it does not, only we create responses (decision 0002), so
none means the create that is unanswered, else the oldest one that we stopped waiting for.

A refusal that names a client event is certain. One that names none is ours unless it cannot be: no create is
unanswered, or this server has shown that it does name client events, or the response it names was over before
our create went out.
"""

from dataclasses import dataclass

from charye.core.evidence import Evidence
from charye.core.floor import CLAIMS, Floor, Input, State
from charye.core.requests import TOKEN_KEY, Stage
from charye.core.tickets import Tickets
from charye.protocol import Dialect, Response

__all__ = ["Verdict", "created", "done", "refused", "token_of"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The input and, where it is about a request of ours, that ticket's number."""

    what: Input
    number: int | None = None


def token_of(response: Response) -> str | None:
    """Our token, if the server echoed one."""
    return response.metadata.get(TOKEN_KEY) if response.metadata else None


def created(
    floor: Floor, evidence: Evidence, tickets: Tickets, dialect: Dialect, token: str | None
) -> Verdict:
    """A response that was not known before has been created. Settles the try that it answers."""
    if token is None and not dialect.echoes_metadata:
        token = _unanswered(floor, evidence)
    if floor.claim is not None and floor.is_claim(token):
        return Verdict(Input.GRANTED, floor.claim.number)
    number = None if token is None else evidence.settle(token)
    if number is None:
        return Verdict(Input.TAKEN)
    ticket = tickets.numbered(number)
    if ticket is None or ticket.stage not in (Stage.WAITING, Stage.ASKED):
        return Verdict(Input.GHOST)
    if ticket.stage is Stage.WAITING:
        return Verdict(Input.RETURNED, number)
    wanted = floor.state in (State.CLAIMED, State.CONTESTED)
    return Verdict(Input.SURPLUS, number) if wanted else Verdict(Input.GHOST)


def done(floor: Floor, evidence: Evidence, dialect: Dialect, token: str | None) -> Verdict:
    """A response that is not the running one has ended; its created was lost, or it is nobody's."""
    if token is None and not dialect.echoes_metadata and floor.state in (State.CLAIMED, State.WITHDRAWN):
        token = _unanswered(floor, evidence)
    if floor.claim is not None and floor.is_claim(token):
        return Verdict(Input.DONE_UNSEEN, floor.claim.number)
    number = None if token is None else evidence.settle(token)
    if number is None:
        return Verdict(Input.DONE_STRANGER)
    wanted = floor.state in (State.CLAIMED, State.CONTESTED)
    if wanted and floor.claim is not None and floor.claim.number == number:
        return Verdict(Input.DONE_SURPLUS, number)
    return Verdict(Input.DONE_EARLIER, number)


def refused(floor: Floor, evidence: Evidence, *, certain: bool, named: str | None) -> Input | None:
    """Our create met another speaker. None: it was not our create, so it is only noted."""
    if floor.state not in CLAIMS:
        return None
    if not certain and (evidence.ids_proven or (named is not None and evidence.is_stale(named))):
        return None
    if named is not None:
        if named in evidence.released:
            return Input.REFUSED_BY_ZOMBIE
        if named not in evidence.finished or evidence.is_stale(named):
            # Stale and certain: we believed it over, by inference, and the server knows better.
            return Input.REFUSED_BY
        return Input.REFUSED_LATE
    if evidence.saw_a_done():
        return Input.REFUSED_LATE
    return Input.REFUSED_BY_ZOMBIE if evidence.released else Input.REFUSED_BLIND


def _unanswered(floor: Floor, evidence: Evidence) -> str | None:
    if floor.claim is not None:
        return floor.claim.token
    return next(iter(evidence.unsettled), None)
