"""The peer: the client half of a Realtime conversation, without any I/O. The one door of the core.

Feed it what happened and the time; perform the effects that come out, in order:

    effects = peer.receive(decode_server_event(data), now)      # what the server said
    effects = peer.request(ResponseRequest(...), now)           # what the app asks
    effects = peer.played(item_id, played_ms, now)              # what was heard
    effects = peer.tick(now)                                    # that `next_deadline` is met

`now` is seconds on any clock that does not go back; the caller owns it. A call that is illegal (`press` while
pressed) raises `LocalProtocolError` and changes nothing. What the server sends never raises: it is noted.

Not safe for several threads: one thread, or one loop, feeds it.
"""

from enum import Enum

from charye.core.conversation import Entry
from charye.core.effects import Effect, Note, Send
from charye.core.explain import explain
from charye.core.floor import RUNS, Floor, State
from charye.core.hearing import hear, play
from charye.core.machines import Machines
from charye.core.requests import RequestId, ResponseRequest
from charye.core.settings import Settings
from charye.core.tools import Answer
from charye.core.turns import Turn, TurnInput
from charye.errors import LocalProtocolError
from charye.protocol import (
    ConversationItemCreate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    Item,
    ResponseOutputAudioDelta,
    ServerEvent,
)
from charye.protocol.limits import COMMIT_MIN_MS

__all__ = ["Peer", "Speaker"]

OWN_IDS = ("charye.", "tool.")
"""How the ids of requests begin that the core makes: replies to the user, follow-ups of tool calls."""


class Speaker(Enum):
    """Who has the floor, the user included, and the room."""

    USER = "user"
    OURS = "ours"  # a response that was asked for here
    SERVER = "server"  # a response that the server began by itself, or somebody else
    NOBODY = "nobody"


class Peer:
    """One conversation, over any number of connections. See the module for how to use it."""

    __slots__ = ("_epoch", "_machines", "_microphone_ms")

    def __init__(self, settings: Settings | None = None) -> None:
        self._machines = Machines(settings or Settings())
        self._epoch = 0
        self._microphone_ms = 0.0

    # the line

    def connected(self, now: float) -> list[Effect]:
        """A connection stands. Sends what rebuilds the conversation, and whatever waits.

        Raises:
            LocalProtocolError: it is connected already.
        """
        machines = self._machines
        machines.coordinator.connected(now)
        machines.commits, machines.untranscribed = 0, None
        machines.tools.connected()
        self._epoch += 1
        events, left_out = machines.conversation.rebuild(self._epoch)
        machines.out += [Send(event) for event in events]
        machines.out += [Note("an item cannot be said again", about=item_id) for item_id in left_out]
        return machines.settle(now)

    def disconnected(self, now: float) -> list[Effect]:
        """The connection is lost, or was given up. Every request follows its own policy. Twice does no harm."""
        self._microphone_ms = 0.0  # the server's input buffer is gone too
        self._machines.coordinator.disconnected(now)
        return self._machines.settle(now)

    def close(self, now: float) -> list[Effect]:
        """The conversation is over for good: whoever still waits is told, what sounds is stopped, tools are let go.

        Safe at any time, also offline and twice. The peer is good for nothing afterwards but to be dropped.
        """
        machines = self._machines
        machines.coordinator.endings.close(now)  # before the loss, which would ask each for its policy
        machines.coordinator.disconnected(now)
        machines.out += machines.playout.cut(now, machines.playout.unheard())
        machines.tools.close()
        return machines.settle(now)

    def receive(self, event: ServerEvent, now: float) -> list[Effect]:
        """What the server said. Unknown events are none of our business and pass in silence."""
        machines = self._machines
        if not machines.is_online:
            return [Note("an event of a connection that is given up", about=event.type)]
        if type(event) is ResponseOutputAudioDelta:
            if not play(machines, event, now):
                return machines.take()
        else:
            hear(machines, event, now)
        return machines.settle(now)

    # requests

    def request(self, request: ResponseRequest, now: float) -> list[Effect]:
        """Ask for a response. What becomes of it is told by `Tell`, an immediate refusal too.

        Raises:
            LocalProtocolError: a living request has this id, or it begins like the core's own ids, or the hold that
                it names does not stand.
        """
        _check_id(request)
        self._machines.coordinator.request(request, now)
        return self._machines.settle(now)

    def cancel(self, request_id: RequestId, now: float) -> list[Effect]:
        """Take a request back: its handle ends now, its voice stops now. One that has ended is only noted."""
        self._machines.coordinator.cancel(request_id, now)
        return self._machines.settle(now)

    def interrupt(self, now: float) -> list[Effect]:
        """Silence in the room now, whoever speaks: cancels what runs, truncates what was heard in part."""
        self._machines.coordinator.interrupt(now)
        return self._machines.settle(now)

    def hold(self, name: str, now: float) -> list[Effect]:
        """Hold the floor: until `let_go` nobody is asked for but requests whose `hold` is this name.

        The others wait, whatever their class; tool follow-ups and replies to the user too. They keep their place and
        their age, and they expire. Out-of-band requests that may carry audio wait with them, silent ones run. Whoever
        speaks now, or is asked for already, is not cancelled, and belongs to the hold if it has to be asked again. A
        reply that the server begins by itself is treated as ever: turn such replies off for the time. A hold outlives
        a connection; `close` ends it.

        Raises:
            LocalProtocolError: a hold stands, of this name or another; nothing has changed.
        """
        self._machines.coordinator.admission.hold(name)
        return self._machines.settle(now)

    def let_go(self, name: str, now: float) -> list[Effect]:
        """End the hold. What of it still waits is from now on like any other request. Twice does no harm.

        Raises:
            LocalProtocolError: another hold stands; nothing has changed.
        """
        self._machines.coordinator.admission.let_go(name, now)
        return self._machines.settle(now)

    def explain(self, request_id: RequestId, now: float) -> str:
        """One sentence: why this request is not speaking now."""
        machines = self._machines
        return explain(request_id, machines.coordinator, machines.turns, machines.playout, now)

    # the user

    def press(self, now: float) -> list[Effect]:
        """Push-to-talk: the user takes the floor. What speaks stops; the input buffer is emptied.

        Raises:
            LocalProtocolError: it is pressed already.
        """
        self._machines.turns.step(TurnInput.PRESS, now)
        self._microphone_ms = 0.0
        self._machines.coordinator.user_spoke(now)
        self._machines.coordinator.make_room(now, cancel=True)
        if self._machines.is_online:
            self._machines.out.append(Send(InputAudioBufferClear()))
        return self._machines.settle(now)

    def microphone(self, duration_ms: float) -> None:
        """So much audio was appended to the input buffer. Lets `release` know a press that was too short."""
        self._microphone_ms += duration_ms

    def release(self, now: float, *, reply: ResponseRequest | None = None) -> list[Effect]:
        """Push-to-talk: the user is done. Commits, and asks for the reply.

        Presses in quick succession are answered by one reply: all their items are in the conversation.

        Args:
            reply: instead of a plain one of class USER, which coalesces under the key `user-turn`.
        Raises:
            LocalProtocolError: it is not pressed, the id of `reply` may not be used, or its hold does not stand.
        """
        machines = self._machines
        if reply is not None:
            _check_id(reply)
            machines.coordinator.tickets.check_free(reply.id)
            machines.coordinator.admission.check_hold(reply)
        machines.turns.step(TurnInput.RELEASE, now)
        refusal, spoken_ms = self._why_nothing_was_said(), self._microphone_ms
        self._microphone_ms = 0.0
        if refusal is None:
            machines.commits += 1
            machines.out.append(Send(InputAudioBufferCommit(event_id="commit")))
            machines.coordinator.request(reply or machines.reply_request("ptt"), now)
            return machines.settle(now)
        machines.out.append(Note(refusal, about=f"{spoken_ms:.0f} ms"))
        if machines.is_online:
            machines.out.append(Send(InputAudioBufferClear()))
        if reply is not None:
            machines.coordinator.admission.deny(reply, refusal, now)
        return machines.settle(now)

    def take_back(self, now: float) -> list[Effect]:
        """Push-to-talk: the user's turn did not take place. What was said in it is forgotten, nothing is asked for.

        Raises:
            LocalProtocolError: it is not pressed.
        """
        self._machines.turns.step(TurnInput.RELEASE, now)
        self._microphone_ms = 0.0
        if self._machines.is_online:
            self._machines.out.append(Send(InputAudioBufferClear()))
        return self._machines.settle(now)

    def add_item(self, item: Item, now: float) -> list[Effect]:
        """Put an item of the app's (with an id of its own) into the conversation; kept over a reconnect."""
        self._machines.conversation.put(item)
        if self._machines.is_online:
            self._machines.out.append(Send(ConversationItemCreate(item=item)))
        return self._machines.settle(now)

    def _why_nothing_was_said(self) -> str | None:
        if not self._machines.is_online:
            return "nothing was listening: there is no connection"
        # The server refuses a commit of less (API reference, input_audio_buffer.commit).
        return "pressed for too short a time" if self._microphone_ms < COMMIT_MIN_MS else None

    # tools and loudspeaker

    def tool_finished(self, call_id: str, answer: Answer, now: float) -> list[Effect]:
        """A tool has its result. Late or unknown ones are noted and dropped."""
        self._machines.tools.finished(call_id, answer, now)
        return self._machines.settle(now)

    def played(self, item_id: str, played_ms: float, now: float, *, content_index: int = 0) -> list[Effect]:
        """The loudspeaker's report: so much of this item was played by now, counted from its start."""
        self._machines.playout.played(item_id, played_ms, now, content_index=content_index)
        return self._machines.settle(now)

    # time

    def tick(self, now: float) -> list[Effect]:
        """Time has passed. Call it when `next_deadline` is met; calling it more often does no harm."""
        self._machines.out += self._machines.playout.tick(now)
        self._machines.coordinator.tick(now)
        self._machines.tools.tick(now)
        return self._machines.settle(now)

    def next_deadline(self, now: float) -> float | None:
        """When to `tick`, on the caller's clock, if nothing else happens before. None: never."""
        times = (
            self._machines.coordinator.next_deadline(now),
            self._machines.playout.deadline(),
            self._machines.tools.next_deadline(),
        )
        return min((time for time in times if time is not None), default=None)

    # who speaks, and what is known

    @property
    def is_idle(self) -> bool:
        """Whether everything that was asked for has ended, and nothing runs, sounds or is worked on."""
        machines = self._machines
        floor_is_free = machines.coordinator.floor.state in (State.OPEN, State.OFFLINE)
        nothing_waits = not len(machines.coordinator.tickets) and machines.turns.is_quiet
        return floor_is_free and nothing_waits and machines.playout.is_quiet and machines.tools.is_idle

    @property
    def can_rotate(self) -> bool:
        """Whether another connection could take over now: nothing would be lost, and nobody would hear of it.

        Nobody speaks or is about to: the user is quiet, the floor open, everything played. Nothing of ours is
        unanswered, nothing runs beside the conversation, no tool is at work. The user's last turn is written down,
        if the server does that: what is not cannot be said again. Where the hand decides, not the server's ears, no
        audio of the user's is uncommitted. Requests may wait and the floor may be held; both outlive the connection.
        `disconnected` and `connected` at such a moment ask for nothing twice.
        """
        machines = self._machines
        coordinator = machines.coordinator
        in_the_buffer = self._microphone_ms > 0 and not machines.turns.detects
        nobody_speaks = (
            coordinator.floor.state is State.OPEN and machines.turns.is_quiet and not in_the_buffer
        )
        answered = not machines.commits and machines.untranscribed is None and coordinator.aside.is_quiet
        return nobody_speaks and answered and machines.playout.is_quiet and not machines.tools.is_running

    def owes_reply(self, call_id: str) -> bool:
        """Whether the reply about this tool call has not begun yet, and may still come."""
        return self._machines.tools.owes_reply(call_id)

    @property
    def held(self) -> str | None:
        """The name of the hold that stands; not whether a response holds the floor, which `floor` says.

        A hold alone, with nobody who waits, is idle.
        """
        return self._machines.coordinator.admission.held

    @property
    def floor(self) -> Floor:
        """The floor as far as we know it; a frozen value."""
        return self._machines.coordinator.floor

    @property
    def turn(self) -> Turn:
        """The user's turn."""
        return self._machines.turns.turn

    @property
    def items(self) -> list[Entry]:
        """The conversation as far as we were told, in order."""
        return self._machines.conversation.entries()

    @property
    def speaker(self) -> Speaker:
        """Who has the floor now: the user, a response that runs, or one that is still being heard."""
        machines = self._machines
        floor = machines.coordinator.floor
        if machines.turns.is_users:
            return Speaker.USER
        if floor.state in RUNS:
            return Speaker.SERVER if floor.owner is None else Speaker.OURS
        if not self._machines.playout.is_quiet:
            return Speaker.OURS if self._machines.coordinator.endings.is_hearing else Speaker.SERVER
        return Speaker.NOBODY


def _check_id(request: ResponseRequest) -> None:
    """The core's own requests have ids of these forms; an application's may not."""
    if request.id.startswith(OWN_IDS):
        raise LocalProtocolError("ids of this form are the core's own", given=request.id)
