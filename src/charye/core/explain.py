"""Why is my request not speaking? One sentence, from the state as it is; nothing is changed by asking."""

from charye.core.coordinator import Coordinator
from charye.core.floor import State
from charye.core.playout import Playout
from charye.core.requests import RequestId, Stage, Starts, Ticket
from charye.core.turns import Turn, Turns

__all__ = ["explain"]

FLOOR = {
    State.OFFLINE: "there is no connection",
    State.CLAIMED: "another request was just sent and its answer is awaited",
    State.CONTESTED: "another request was just sent, while a response runs",
    State.WITHDRAWN: "a cancelled request is still unanswered",
    State.WITHDRAWN_CONTESTED: "a response runs and a cancelled request is still unanswered",
    State.HELD: "another response is running",
    State.YIELDING: "a response is being cancelled and has not ended yet",
    State.BLOCKED: "it was refused by a response that we do not know, and will be asked again shortly",
}

TURN = {
    Turn.SPEAKING: "the user is speaking",
    Turn.STOPPED: "the user has just stopped speaking",
    Turn.AWAITED: "the server's own reply to the user is awaited",
    Turn.DOUBTED: "the server may yet reply to the user by itself",
    Turn.PRESSED: "the user holds the push-to-talk button",
}

STAGE = {
    Stage.ASKED: "it was sent and the server has not answered yet",
    Stage.SPEAKING: "it is speaking now",
    Stage.HEARING: "it was generated and is still being heard",
}


def explain(
    request_id: RequestId, coordinator: Coordinator, turns: Turns, playout: Playout, now: float
) -> str:
    """One sentence about this request, living or lately ended."""
    ticket = coordinator.tickets.get(request_id)
    if ticket is None:
        outcome = coordinator.tickets.outcome(request_id)
        if outcome is None:
            return "No request of this id is known."
        reason = f": {outcome.reason}" if outcome.reason else ""
        return f"It has ended as {outcome.kind.value}{reason}."
    if ticket.stage in STAGE:
        return STAGE[ticket.stage].capitalize() + "."
    waited_s = now - ticket.asked_at
    return f"It waits since {waited_s:.1f} s, because {_because(ticket, coordinator, turns, playout, now)}."


def _because(ticket: Ticket, coordinator: Coordinator, turns: Turns, playout: Playout, now: float) -> str:
    floor = coordinator.floor
    line = coordinator.admission.line_of(ticket.request)
    held = coordinator.admission.held
    if held is not None and line is coordinator.admission.floor:
        return f"the floor is held by {held}"
    if ticket.resting_until > now:
        return f"its response failed and it is tried again in {ticket.resting_until - now:.1f} s"
    if floor.state is State.OFFLINE:
        return FLOOR[floor.state]
    if line is coordinator.admission.aside:
        return "as many out-of-band responses run as are allowed"
    ahead = line.ahead_of(ticket, now)
    if ahead:
        return f"{ahead} more urgent or older {'request goes' if ahead == 1 else 'requests go'} first"
    if turns.turn in TURN:
        return TURN[turns.turn]
    if coordinator.aside.voice:
        return "an out-of-band response is speaking aloud"
    if floor.state in FLOOR:
        return FLOOR[floor.state]
    if ticket.request.starts is Starts.AFTER_HEARD and not playout.is_quiet:
        return "it starts when what is playing now has been heard"
    return "it is about to be sent"
