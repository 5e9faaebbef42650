"""The part that decides: no clock, no I/O, no randomness, no asyncio.

Everything here is (state, input, now) -> effects. `peer.Peer` is the one door. Read in this order:

    requests, effects    what is asked for, and what the shell is told to do
    floor                who holds the conversation's one voice: a table, and the theory of it
    attribution          which input of the floor an event is; `evidence`: what this connection has taught us
    keeper               moves the floor by the table and does what the row says
    endings              what becomes of a request when its response is over
    waiting, admission   the line: its order, its bounds, who comes back to it; `tickets`: the book of requests
    coordinator          the floor as a whole: every request gets its response exactly once, or is told why
    lanes, aside         out-of-band responses, which take no floor: the table, and what performs it
    watchdog             when silence means that something is lost
    turns                whether the user has the floor
    playout              what has been heard, which is not what has been generated
    calls, tools         tool calls, and the one reply that the calls of a response earn
    conversation         the mirror of the server's items, to rebuild them after a reconnect
    hearing              what each server event means to all of these
    machines, peer       all of it put together, and the door
    settings, explain    what can be set; one sentence on why a request is not speaking

What somebody needs who drives a `Peer` can be imported from here; everything else from its own module.
"""

from charye.core.calls import Answer, Reply
from charye.core.conversation import Entry
from charye.core.effects import (
    AbandonTool,
    Effect,
    Note,
    Play,
    Reconnect,
    RunTool,
    Send,
    StopPlayback,
    Tell,
)
from charye.core.floor import Floor
from charye.core.peer import Peer, Speaker
from charye.core.playout import Reporting
from charye.core.requests import (
    TOKEN_KEY,
    OnInterruption,
    OnReconnect,
    OnUserSpeech,
    Outcome,
    OutcomeKind,
    Priority,
    Progress,
    RequestId,
    ResponseRequest,
    SameKey,
    Starts,
    Step,
)
from charye.core.settings import Patience, Settings, ToolPolicy
from charye.core.turns import Turn
from charye.core.waiting import WhenFull

__all__ = [
    "TOKEN_KEY",
    "AbandonTool",
    "Answer",
    "Effect",
    "Entry",
    "Floor",
    "Note",
    "OnInterruption",
    "OnReconnect",
    "OnUserSpeech",
    "Outcome",
    "OutcomeKind",
    "Patience",
    "Peer",
    "Play",
    "Priority",
    "Progress",
    "Reconnect",
    "Reply",
    "Reporting",
    "RequestId",
    "ResponseRequest",
    "RunTool",
    "SameKey",
    "Send",
    "Settings",
    "Speaker",
    "Starts",
    "Step",
    "StopPlayback",
    "Tell",
    "ToolPolicy",
    "Turn",
    "WhenFull",
]
