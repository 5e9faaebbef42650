"""The machines of one conversation, put together, and the rounds in which they take note of each other."""

from charye.core.conversation import Conversation
from charye.core.coordinator import Coordinator
from charye.core.effects import Effect, Send
from charye.core.floor import State
from charye.core.playout import Playout
from charye.core.requests import Priority, RequestId, ResponseRequest, Stage
from charye.core.settings import Settings
from charye.core.tools import Tools
from charye.core.turns import Turns
from charye.protocol import ClientEvent, ConversationItemDelete, ConversationItemTruncate

__all__ = ["USER_TURN", "Machines"]

USER_TURN = "user-turn"
"""The coalesce key of plain replies to the user."""


class Machines:
    """What the peer drives.

    Args:
        out: effects of the present input, in order; everybody appends, the peer hands them out.
        bytes_per_ms: of the output audio.
        commits: ours, whose `input_audio_buffer.committed` is still to come.
        transcribes: the server writes down what the user says.
        untranscribed: the item of the user's last turn, until it is written down.
    """

    __slots__ = (
        "bytes_per_ms",
        "commits",
        "conversation",
        "coordinator",
        "out",
        "playout",
        "settings",
        "tools",
        "transcribes",
        "turns",
        "untranscribed",
    )

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.out: list[Effect] = []
        self.turns = Turns(settings.patience)
        self.playout = Playout(settings.reporting, patience_s=settings.patience.playout_s)
        self.conversation = Conversation(bound=settings.mirror_items)
        self.tools = Tools(settings.tools, self.conversation, self.out)
        self.coordinator = Coordinator(settings, self.turns, self.playout, self.tools, self.out)
        self.bytes_per_ms = 48.0  # PCM16, mono, 24 kHz
        self.commits = 0
        self.transcribes = False
        self.untranscribed: str | None = None

    @property
    def is_online(self) -> bool:
        """Whether what is sent now arrives anywhere."""
        return self.coordinator.floor.state is not State.OFFLINE

    def reply_request(self, why: str) -> ResponseRequest:
        """A plain reply to the user's turn. Those that wait at the same time are one."""
        return ResponseRequest(
            id=RequestId(f"charye.user.{self.coordinator.tickets.count + 1}"),
            trigger=f"user:{why}",
            priority=Priority.USER,
            coalesce_key=USER_TURN,
        )

    def settle(self, now: float) -> list[Effect]:
        """After an input: until nobody has anything new for another; gives the effects."""
        self.coordinator.settle(now)
        while self._hand_over(now):
            self.coordinator.settle(now)
        for effect in self.out:
            if isinstance(effect, Send):
                self._remember(effect.event)
        return self.take()

    def _remember(self, event: ClientEvent) -> None:
        """What was not heard is not said, from this moment on: a rebuild may come before the server's word."""
        if isinstance(event, ConversationItemTruncate):
            self.conversation.truncate(event.item_id, event.audio_end_ms)
        elif isinstance(event, ConversationItemDelete):
            self.conversation.delete(event.item_id)

    def take(self) -> list[Effect]:
        """The effects so far, for the peer to hand out."""
        effects = self.out.copy()
        self.out.clear()
        return effects

    def _hand_over(self, now: float) -> bool:
        """Between the floor and the tools: which responses are over, which follow-ups are wanted or told."""
        keeper, tools, tickets = self.coordinator.keeper, self.tools, self.coordinator.tickets
        not_yet_asked = {request.id for request in tools.wanted}
        tools.on_their_way.clear()
        for request_id in tools.awaited():
            if request_id in not_yet_asked:
                continue
            ticket = tickets.get(request_id)
            if ticket is None or ticket.stage in (Stage.SPEAKING, Stage.HEARING):
                tools.told(request_id)
            elif ticket.stage is Stage.ASKED:
                tools.on_their_way.add(request_id)
        if not (keeper.ended or keeper.lost or tools.wanted or self.coordinator.unanswered_turn):
            return False
        ended, keeper.ended = keeper.ended, []
        for response_id, wanted in ended:
            tools.response_over(response_id, now, wanted=wanted)
        if keeper.lost:
            keeper.lost = False
            tools.lose(now)
            for repair in keeper.unrepaired:
                self._remember(repair)
            keeper.unrepaired.clear()
        if self.coordinator.unanswered_turn:
            self.coordinator.unanswered_turn = False
            self.coordinator.request(self.reply_request("vad"), now)
        wanted_now, tools.wanted = tools.wanted, []
        for request in wanted_now:
            self.coordinator.request(request, now)
        return True
