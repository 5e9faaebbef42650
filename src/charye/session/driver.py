"""The one door between the core and the world: facts and the time go in, effects come out and are performed.

Nothing here decides. Every input is written into the journal with the effects that it had; effects are performed at
once, in order and whole; the alarm is set for the core's next deadline. Runs on the engine's loop.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from charye.audio.sound import Loudspeaker
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
from charye.core.peer import Peer
from charye.core.requests import Outcome, Progress, RequestId
from charye.errors import MalformedEvent
from charye.protocol import (
    ClientEvent,
    ConversationItemCreate,
    Dialect,
    ErrorEvent,
    ResponseOutputAudioDelta,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    audio_bytes,
    decode_server_event,
    encode,
)
from charye.session.configuration import Change, Configuration, log_refusal
from charye.session.events import (
    Audio,
    FloorChanged,
    PlaybackStopped,
    RequestChanged,
    SessionEvent,
    Utterance,
    UtteranceChanged,
)
from charye.session.journal import Journal
from charye.session.journal_inputs import INPUTS, feed
from charye.session.outbox import Outbox
from charye.session.transcript import Scribe

__all__ = ["Driver", "Owner"]

log = logging.getLogger(__name__)


class Owner(Protocol):
    """Whom the driver works for. None of these may block, or call back into the driver."""

    def told(self, request_id: RequestId, change: Progress | Outcome) -> object:
        """What became of a request."""
        ...

    def run_tool(self, call: RunTool) -> object:
        """A call is to be run."""
        ...

    def abandon_tool(self, call_id: str) -> object:
        """Nobody waits for this call any more."""
        ...

    def publish(self, event: SessionEvent) -> object:
        """Something that somebody listens to has happened."""
        ...


class Driver:
    """Drives one peer over any number of lines. See the module.

    Args:
        loudspeaker: what plays; None: whoever listens to `Audio` does, or nobody.
    """

    def __init__(
        self,
        peer: Peer,
        owner: Owner,
        *,
        dialect: Dialect,
        configuration: Configuration,
        journal: Journal,
        loudspeaker: Loudspeaker | None,
    ) -> None:
        self.peer = peer
        self.configuration = configuration
        self.journal = journal
        self._owner = owner
        self._dialect = dialect
        self._loudspeaker = loudspeaker
        self._loop = asyncio.get_running_loop()
        self.scribe = Scribe(self._loop.time())
        self._wanted: frozenset[type] = frozenset()
        self._triggers: dict[RequestId, str] = {}
        self._outbox: Outbox | None = None
        self._give_up: Callable[[str], object] | None = None
        # uvloop gives a plain `Handle` for a time that has come already, and that does not know its time.
        self._alarm: asyncio.Handle | None = None
        self._alarm_at = 0.0
        self._speaker = peer.speaker
        self._sounding = ""  # the item whose audio came last
        self._waiting: set[tuple[Callable[[], bool], asyncio.Future[None]]] = set()

    @property
    def dialect(self) -> Dialect:
        """How the server speaks."""
        return self._dialect

    # the line

    @property
    def outbox(self) -> Outbox | None:
        """Of the line that stands."""
        return self._outbox

    def attach(self, outbox: Outbox, give_up: Callable[[str], object]) -> Change | None:
        """A line stands. What the server is to know of us goes out first, then the conversation so far, then the rest.

        Args:
            give_up: is called with a reason when the core gives this line up.
        Returns:
            The configuration that was sent, to wait for the server's answer to it.
        """
        self._outbox, self._give_up = outbox, give_up
        change = self.configuration.whole()
        if change is not None:
            change.answer.add_done_callback(log_refusal)
            self.send(change.event)
        for effect in self.feed("connected"):
            if isinstance(effect, Send) and isinstance(effect.event, ConversationItemCreate):
                self.scribe.renewed(str(getattr(effect.event.item, "id", "")))
        return change

    def detach(self) -> None:
        """The line is gone. Twice does no harm."""
        if self._outbox is None:
            return
        outbox, self._outbox, self._give_up = self._outbox, None, None
        outbox.discard()
        self.configuration.line_lost()
        for utterance in self.scribe.line_lost(self._loop.time()):
            self.publish(UtteranceChanged(utterance))
        self.feed("disconnected")

    def send(self, event: ClientEvent) -> None:
        """An event about which the core decides nothing: onto the line, if there is one."""
        if self._outbox is None:
            self.journal.noted("not sent: there is no line", self._loop.time(), type=event.type)
            return
        self._outbox.put(encode(event, self._dialect))
        if self._outbox.is_overfull and self._give_up is not None:
            self._give_up("the server does not read")

    # in

    def hear(self, data: bytes) -> None:
        """What came over the line. Bytes that are no event are noted and passed over."""
        now = self._loop.time()
        try:
            event = decode_server_event(data, self._dialect)
        except MalformedEvent as error:
            self.journal.received(data, None, now)
            log.warning("the server sent what is no event", extra={"size_bytes": error.size_bytes})
            return
        self.journal.received(data, event, now)
        effects = self.peer.receive(event, now)
        only = effects[0] if len(effects) == 1 else None
        if type(event) is ResponseOutputAudioDelta and self._alarm is not None and isinstance(only, Play):
            # More of what plays already only puts deadlines off. Looking at the alarm would be half of all the work.
            self.journal.performed(effects, now)
            self._play(only)
        else:
            self._configure(event)
            self._write_down(self.scribe.hear(event, now))
            self._perform(effects, now)
            self._notice_speaker()
        if type(event) in self._wanted:
            self._owner.publish(event)

    def feed(self, method: str, *args: Any) -> list[Effect]:
        """Tell the core anything else. Gives the effects, performed.

        Args:
            method: of `Peer`, one that takes `now`.
            args: all that it takes besides, in the order of its signature.
        Raises:
            LocalProtocolError: the core calls it illegal. Nothing has changed.
        """
        now = self._loop.time()
        effects = feed(self.peer, method, dict(zip(INPUTS[method].takes, args, strict=True)), now)
        self.journal.fed(method, args, now)
        self._perform(effects, now)
        self._notice_speaker()
        return effects

    def microphone(self, duration_ms: float) -> None:
        """So much audio of the user's was sent."""
        self.peer.microphone(duration_ms)
        self.journal.fed("microphone", (duration_ms,), self._loop.time())

    def typed(self, item_id: str, text: str) -> None:
        """What the user wrote in an item that was added."""
        self._write_down(self.scribe.typed(item_id, text, self._loop.time()))

    def close(self) -> None:
        """The conversation is over, and whoever still waits is told. The driver is of no use afterwards."""
        self.feed("close")
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    # who listens

    def want(self, types: frozenset[type]) -> None:
        """Publish these from now on."""
        self._wanted = types

    def publish(self, event: SessionEvent) -> None:
        """Something that the session itself has to tell, if anybody listens."""
        if type(event) in self._wanted:
            self._owner.publish(event)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until this holds after an input to the core. Cancelling is safe."""
        while not holds():
            waiter = (holds, self._loop.create_future())
            self._waiting.add(waiter)
            try:
                await waiter[1]
            finally:
                self._waiting.discard(waiter)

    # out

    def _perform(self, effects: list[Effect], now: float) -> None:
        if effects:
            self.journal.performed(effects, now)
            for effect in effects:
                _PERFORM[type(effect)](self, effect)
        self._wind(now)
        if self._waiting:
            self._wake()

    def _send(self, effect: Send) -> None:
        self.send(effect.event)

    def _tell(self, effect: Tell) -> None:
        request_id, change = effect.request_id, effect.change
        self._owner.told(request_id, change)
        if isinstance(change, Progress) and change.trigger:
            self._triggers[request_id] = change.trigger
        if RequestChanged in self._wanted:
            self._owner.publish(RequestChanged(request_id, self._triggers.get(request_id, ""), change))
        if isinstance(change, Outcome):
            self._triggers.pop(request_id, None)

    def _run(self, effect: RunTool) -> None:
        self._owner.run_tool(effect)

    def _abandon(self, effect: AbandonTool) -> None:
        self._owner.abandon_tool(effect.call_id)

    def _play(self, effect: Play) -> None:
        event = effect.event
        if event.item_id != self._sounding:
            self._sounding = event.item_id
            self._write_down(self.scribe.sounds(event, self._loop.time()))
        is_wanted = Audio in self._wanted
        if self._loudspeaker is None and not is_wanted:
            return
        try:
            data = audio_bytes(event)
        except MalformedEvent:
            self.journal.noted("audio that is no base64", self._loop.time())
            return
        if self._loudspeaker is not None:
            try:
                self._loudspeaker.play(event.response_id, event.item_id, event.content_index, data)
            except ValueError:
                self.journal.noted("audio ends in the middle of a sample", self._loop.time())
        if is_wanted:
            self._owner.publish(Audio(event.response_id, event.item_id, event.content_index, data))

    def _stop(self, effect: StopPlayback) -> None:
        if self._loudspeaker is not None:
            self._loudspeaker.stop(effect.response_ids)
        self.publish(PlaybackStopped(effect.response_ids))

    def _reconnect(self, effect: Reconnect) -> None:
        if self._give_up is not None:
            self._give_up(effect.reason)

    def _note(self, effect: Note) -> None:
        log.debug("note", extra={"what": effect.what, "about": effect.about})

    # what follows from an event besides

    def _configure(self, event: ServerEvent) -> None:
        if isinstance(event, SessionCreated):
            self.configuration.updated(event.session, is_answer=False)
        elif isinstance(event, SessionUpdated):
            self.configuration.updated(event.session, is_answer=True)
        elif isinstance(event, ErrorEvent) and not self.configuration.refused(event):
            log.info(
                "the server reports an error", extra={"code": event.error.code, "type": event.error.type}
            )

    def _write_down(self, utterance: Utterance | None) -> None:
        if utterance is not None:
            self.publish(UtteranceChanged(utterance))

    def _notice_speaker(self) -> None:
        if FloorChanged in self._wanted and (speaker := self.peer.speaker) is not self._speaker:
            self._speaker = speaker
            self._owner.publish(FloorChanged(speaker))

    # time

    def _wind(self, now: float) -> None:
        """Set the alarm. One that rings too early does no harm, so it is only moved forward."""
        deadline = self.peer.next_deadline(now)
        if deadline is None:
            return
        if self._alarm is not None:
            if self._alarm_at <= deadline:
                return
            self._alarm.cancel()
        self._alarm_at = deadline
        self._alarm = self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.feed("tick")

    def _wake(self) -> None:
        for holds, future in self._waiting:
            if not future.done() and holds():
                future.set_result(None)


_PERFORM: dict[type, Callable[[Driver, Any], None]] = {
    Send: Driver._send,
    Tell: Driver._tell,
    RunTool: Driver._run,
    AbandonTool: Driver._abandon,
    Play: Driver._play,
    StopPlayback: Driver._stop,
    Reconnect: Driver._reconnect,
    Note: Driver._note,
}
