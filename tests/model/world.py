"""A closed world: the core, a server, two wires, an app, time and faults, and everything that can happen next.

Steps are of three kinds. *Fair* ones must happen sooner or later: messages arrive, the server goes on, the app
asks what it is going to ask, tools finish, sound is played, and time passes once nothing else can happen (so a
deadline means a real loss; `early` deadlines fire at any moment besides; a hold of the floor may last, so time passes
in it). *Free* ones may happen: a cancel, an
early deadline, a response that fails. *Faults* have a budget. What must hold is in `laws`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from charye.core.effects import AbandonTool, Effect, Play, Reconnect, RunTool, Send, StopPlayback
from charye.core.requests import ResponseRequest, Step
from charye.core.settings import Settings
from charye.protocol import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    FunctionCallOutputItem,
    InputAudioBufferCommit,
    ResponseCancel,
    ResponseCreate,
)
from tests.model.core import Core, Input, Walked
from tests.model.laws import HALF, Monitor, response_of
from tests.model.server import Message, Rules, Server

__all__ = ["Budget", "Next", "Node", "Spec", "World"]

LET_GO = "@ let go"


class Budget(NamedTuple):
    """How often what may still happen."""

    cancels: int = 0
    lose: int = 0
    double: int = 0
    late: int = 0
    cut: int = 0
    stick: int = 0
    fail: int = 0
    early: int = 0
    presses: int = 0
    early_turn: int = 0
    pauses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a world is made of.

    Args:
        asks: the requests, asked for in this order, each at any moment. One that names a hold is asked for in one: the
            app holds the floor before it, and lets go at any moment after it.
        turns: how often the user speaks.
        exact: every outcome is exact while no fault has happened, and what is heard for certain was spoken.
        ordered: nothing (a failure, a rest, a resumed voice) may change the order within a class.
        cancels_only_ours: nobody but the askers cancels.
        partial: the loudspeaker reports each item when half of it was played, and again at its end.
        tells: the session says how the server's ears are set.
    """

    name: str
    asks: tuple[ResponseRequest, ...] = ()
    rules: Rules = field(default_factory=Rules)
    settings: Settings = field(default_factory=Settings)
    turns: int = 0
    budget: Budget = field(default_factory=Budget)
    exact: bool = True
    ordered: bool = True
    cancels_only_ours: bool = True
    partial: bool = False
    tells: bool = False


class Node(NamedTuple):
    """One state of the world; equal nodes are the same state. `core` is a number in `Core`.

    `hold`: while the app holds the floor, the requests that were asked for as part of the hold, and those that were on
    the wire or spoke when it began.
    """

    core: int
    server: Server
    to_server: tuple[Message, ...]
    to_client: tuple[Message, ...]
    asked: int
    budget: Budget
    tools: tuple[str, ...]
    playing: tuple[str, ...]
    monitor: Monitor
    hold: frozenset[str] | None = None


class Next(NamedTuple):
    """A step: its name, whether it must happen sooner or later, and how to go where it leads."""

    name: str
    fair: bool
    go: Callable[[], Node]


class World:
    """The steps of one world."""

    def __init__(self, spec: Spec, core: Core | Walked) -> None:
        self.spec = spec
        self.core = core

    def start(self) -> Node:
        """Connected, nothing asked."""
        server = Server(epoch=1, turns=self.spec.turns)
        node = Node(self.core.start, server, (), (), 0, self.spec.budget, (), (), Monitor())
        node = self._core(node, ("connect",))
        rules = self.spec.rules
        session = ("session", rules.replies, rules.interrupts)
        return self._core(node, ("hear", session)) if self.spec.tells else node

    def steps(self, node: Node) -> list[Next]:
        """Everything that can happen next."""
        found = [*self._app(node), *self._line(node), *self._server(node)]
        quiet = not any(each.fair and each.name != LET_GO for each in found)
        due = self.core.facts(node.core).due
        if due is not None and quiet:
            found.append(Next("~", True, partial(self._wait, node)))
        elif due is not None and node.budget.early:
            hurt = self._spend(node, "early", fault=True)
            found.append(Next("~ early", False, partial(self._wait, hurt)))
        elif node.budget.early_turn and self.core.facts(node.core).reply_is_due_next:
            # The server is slow with its reply. That happens, and no law is any weaker for it.
            slow = self._spend(node, "early_turn")
            found.append(Next("~ no reply yet", False, partial(self._wait, slow)))
        elif node.budget.pauses and self.core.facts(node.core).end_is_due_next:
            # The model thinks before it goes on, or the wire is slow. No law is any weaker for that either.
            thinks = self._spend(node, "pauses")
            found.append(Next("~ it pauses", False, partial(self._wait, thinks)))
        return [*found, *self._faults(node)]

    def _wait(self, node: Node) -> Node:
        waited_s = max(0.0, self.core.facts(node.core).due or 0.0)
        return self._core(node._replace(monitor=node.monitor.waits(waited_s, self.spec)), ("tick",))

    # the app

    def _app(self, node: Node) -> Iterator[Next]:
        if not self.core.facts(node.core).online:
            server = Server(epoch=node.server.epoch + 1, turns=node.server.turns)
            fresh = node._replace(
                server=server, to_server=(), to_client=(), monitor=node.monitor.reconnected()
            )
            yield Next("connect", True, partial(self._core, fresh, ("connect",)))
        yield from self._asks(node)
        if node.budget.cancels:
            ended = node.monitor.ended()
            for request in self.spec.asks[: node.asked]:
                if request.id not in ended:
                    cancelled = node.monitor._replace(cancelled=node.monitor.cancelled | {request.id})
                    after = self._spend(node, "cancels")._replace(monitor=cancelled)
                    yield Next(
                        f"@ cancel {request.id}", False, partial(self._core, after, ("cancel", request.id))
                    )
        if self.core.facts(node.core).pressed:
            yield Next("@ release", True, partial(self._core, node, ("release",)))
        elif node.budget.presses:
            yield Next("@ press", True, partial(self._press, self._spend(node, "presses")))
        for call in node.tools:
            after = node._replace(tools=tuple(other for other in node.tools if other != call))
            yield Next(f"@ tool {call}", True, partial(self._answer, after, call))
        if node.playing and self.spec.partial and not node.playing[0].endswith(HALF):
            item = node.playing[0]
            after = node._replace(playing=(item + HALF, *node.playing[1:]))
            yield Next(f"@ half played {item}", True, partial(self._core, after, ("half", item)))
        elif node.playing:
            item = node.playing[0].removesuffix(HALF)
            after = node._replace(playing=node.playing[1:])
            yield Next(f"@ played {item}", True, partial(self._core, after, ("played", item)))

    def _asks(self, node: Node) -> Iterator[Next]:
        """The next request; the hold that it belongs to comes first and does not end before it is asked for."""
        wish = self.spec.asks[node.asked] if node.asked < len(self.spec.asks) else None
        belongs = wish is not None and wish.hold is not None
        if belongs and node.hold is None:
            began = frozenset(name for name, step in node.monitor.steps if step in (Step.SENT, Step.SPEAKING))
            yield Next("@ hold", True, partial(self._core, node._replace(hold=began), ("hold",)))
        elif wish is not None:
            hold = node.hold | {wish.id} if belongs and node.hold is not None else node.hold
            after = node._replace(asked=node.asked + 1, hold=hold)
            yield Next(f"@ ask {wish.id}", True, partial(self._core, after, ("ask", node.asked)))
        if node.hold is not None and not belongs:
            yield Next(LET_GO, True, partial(self._core, node._replace(hold=None), ("let_go",)))

    def _press(self, node: Node) -> Node:
        after = self._core(node, ("press",))
        after.monitor.law_pressed(node, after, online=self.core.facts(node.core).online)
        return after

    def _answer(self, node: Node, call: str) -> Node:
        after = self._core(node, ("tool", call))
        after.monitor.law_answered(call, node, online=self.core.facts(node.core).online)
        return after

    # the line and the server

    def _line(self, node: Node) -> Iterator[Next]:
        if node.to_client:
            after = node._replace(to_client=node.to_client[1:])
            yield Next(f"< {node.to_client[0]}", True, partial(self._hear, after, node.to_client[0]))

    def _hear(self, node: Node, message: Message) -> Node:
        return self._core(node._replace(monitor=node.monitor.client_hears(message)), ("hear", message))

    def _server(self, node: Node) -> Iterator[Next]:
        if node.to_server:
            message = node.to_server[0]
            server, said = node.server.take(message, self.spec.rules)
            taken = node._replace(to_server=node.to_server[1:])
            yield Next(f"> {message}", True, partial(self._said, taken, server, said))
        for name, server, said in node.server.steps(self.spec.rules):
            yield Next(f"  server {name}", True, partial(self._said, node, server, said))
        failed = node.server.fails() if node.budget.fail else None
        if failed is not None:
            yield Next("  server fails", False, partial(self._said, self._spend(node, "fail"), *failed))

    def _said(self, node: Node, server: Server, said: tuple[Message, ...]) -> Node:
        # a response that ends in the same step in which another begins is judged by the state before
        monitor = node.monitor.server_said(said, server, self.spec)
        return node._replace(server=server, to_client=node.to_client + said, monitor=monitor)

    # what should not happen

    def _faults(self, node: Node) -> Iterator[Next]:
        budget, wire = node.budget, node.to_client
        if wire and budget.lose:
            yield _there(
                f"! lost {wire[0]}", self._spend(node, "lose", fault=True)._replace(to_client=wire[1:])
            )
        if wire and budget.double and wire[0][0] in ("done", "created", "refused"):
            # Nothing is lost by it, so every law still holds; the copy may come much later. But a copy of a refusal
            # that names no client event may be taken for the answer to a later create.
            doubled = self._spend(node, "double", fault=wire[0][0] == "refused")
            doubled = doubled._replace(to_client=(*wire, wire[0]))
            yield _there(f"! doubled {wire[0]}", doubled)
        if len(wire) > 1 and budget.late and wire[0] != wire[1]:
            swapped = (wire[1], wire[0], *wire[2:])
            late = self._spend(node, "late", fault=True)._replace(to_client=swapped)
            yield _there(f"! late {wire[0]}", late)
        stuck = node.server.sticks() if budget.stick else None
        if stuck is not None:
            after = self._spend(node, "stick", fault=True)
            monitor = after.monitor.sticks(node.server)
            yield _there("! sticks", after._replace(server=stuck, monitor=monitor))
        if budget.cut and self.core.facts(node.core).online:
            cut = self._spend(node, "cut", fault=True)._replace(
                to_server=(), to_client=(), server=node.server.closed()
            )
            cut = cut._replace(monitor=cut.monitor.cut(self.spec))
            yield Next("! cut", False, partial(self._core, cut, ("cut",)))

    # inside

    def _spend(self, node: Node, what: str, *, fault: bool = False) -> Node:
        budget = node.budget._replace(**{what: getattr(node.budget, what) - 1})
        monitor = node.monitor._replace(hurt=True) if fault else node.monitor
        return node._replace(budget=budget, monitor=monitor)

    def _core(self, node: Node, what: Input) -> Node:
        """The core takes an input; its effects are performed: messages go on the wire, the rest is the app's."""
        core, effects = self.core.step(node.core, what)
        node = node._replace(core=core)
        for effect in effects:
            node = self._perform(node, effect)
        return node._replace(monitor=node.monitor.settled())

    def _perform(self, node: Node, effect: Effect) -> Node:
        monitor = node.monitor.effect(effect, node, self.spec)
        if monitor is not node.monitor:
            node = node._replace(monitor=monitor)
        match effect:
            case Send(event):
                message = _on_the_wire(event)
                return node if message is None else _send(node, message)
            case RunTool() | AbandonTool():
                running = tuple(call for call in node.tools if call != effect.call_id)
                return node._replace(
                    tools=(*running, effect.call_id) if isinstance(effect, RunTool) else running
                )
            case Play():
                return node._replace(playing=(*node.playing, effect.event.item_id))
            case StopPlayback():
                kept = tuple(item for item in node.playing if response_of(item) not in effect.response_ids)
                return node._replace(playing=kept)
            case Reconnect():
                return node._replace(to_server=(), to_client=(), server=node.server.closed())
        return node


def _on_the_wire(event: ClientEvent) -> Message | None:
    """What the server is to know of a client event; None: nothing."""
    match event:
        case ResponseCreate() as create:
            aside = getattr(create.response, "conversation", None) == "none"
            return ("create", str(create.event_id), aside, str(create.event_id))
        case ResponseCancel() as cancel:
            return ("cancel", cancel.response_id, cancel.event_id)
        case ConversationItemRetrieve() as retrieve:
            return ("retrieve", retrieve.item_id)
        case ConversationItemCreate(item=FunctionCallOutputItem() as output):
            return ("item", output.id, output.call_id)
        case ConversationItemTruncate() as truncate:
            return ("truncate", truncate.item_id)
        case ConversationItemDelete() as delete:
            return ("delete", delete.item_id)
        case InputAudioBufferCommit():
            return ("commit",)
    return None


def _send(node: Node, message: Message) -> Node:
    return node._replace(to_server=(*node.to_server, message))


def _there(name: str, node: Node) -> Next:
    """A fault that touches only the wires or the server."""
    return Next(name, False, lambda: node)
