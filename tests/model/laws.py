"""What must hold, and the monitor that remembers what is needed to say so.

The laws are about what an observer sees who stands beside the world: who was told what, what went over the
wires, what the server really did. `docs/reference/invariants.md` names each.
"""

from typing import TYPE_CHECKING, NamedTuple

from charye.core.effects import Effect, Play, Send, StopPlayback, Tell
from charye.core.floor import RUNS, State
from charye.core.requests import Outcome, OutcomeKind, Priority, Progress, Step
from charye.protocol import ResponseCancel, ResponseCreate
from tests.model.server import VAD, Message, Server

if TYPE_CHECKING:
    from tests.model.core import Facts
    from tests.model.world import Node, Spec

__all__ = ["Monitor", "Violation"]


class Violation(AssertionError):
    """A law was broken."""


class Monitor(NamedTuple):
    """What was seen so far.

    Args:
        names: request ids by ticket number, the core's own follow-ups included.
        ends: the outcomes told.
        cancelled: what the app has cancelled.
        owners: whose every response of this connection is.
        over: (owner, status) of every in-band response that the server has ended, in order.
        known: in-band responses that the client has seen begin and not end.
        silenced: responses that may not be heard any more.
        speaking: the client has heard the user begin and not end.
        gone: responses whose end the client has seen; `before`: those of them before its last create.
        stale: what the client hears now is an error about one of `before`.
        stuck: owners of responses that fell silent.
        hurt: a fault has happened, or a deadline fired early.
    """

    names: tuple[str, ...] = ()
    ends: tuple[tuple[str, OutcomeKind, bool], ...] = ()
    cancelled: frozenset[str] = frozenset()
    owners: tuple[tuple[str, int], ...] = ()
    over: tuple[tuple[int, str], ...] = ()
    known: frozenset[str] = frozenset()
    silenced: frozenset[str] = frozenset()
    speaking: bool = False
    gone: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    stale: bool = False
    stuck: tuple[int, ...] = ()
    hurt: bool = False

    def ended(self) -> frozenset[str]:
        """The requests that have reached their end."""
        return frozenset(name for name, _, _ in self.ends)

    # what the observer sees

    def server_said(self, said: tuple[Message, ...], server: Server, spec: "Spec") -> "Monitor":
        """The server has begun and ended responses: the truth."""
        monitor = self
        for message in said:
            if message[0] == "created":
                running = [
                    each for each in (server.active, *server.aside) if each and each.response_id == message[1]
                ]
                owner = running[0].owner if running else VAD
                monitor = monitor._replace(owners=(*monitor.owners, (str(message[1]), owner)))
            elif message[0] == "done":
                owner = dict(monitor.owners).get(str(message[1]), VAD)
                monitor._law_order(owner, spec, aside=bool(message[3]))
                monitor = monitor._replace(over=(*monitor.over, (owner, str(message[4]))))
                monitor._law_once(owner, spec)
        return monitor

    def client_hears(self, message: Message) -> "Monitor":
        """A message arrives at the client."""
        if message[0] == "created" and not message[3] and message[1] not in self.gone:
            return self._replace(known=self.known | {str(message[1])})
        if message[0] == "done":
            return self._replace(known=self.known - {str(message[1])}, gone=self.gone | {str(message[1])})
        if message[0] == "refused":
            return self._replace(stale=message[1] is None and message[2] in self.before)
        if message[0] in ("started", "committed"):
            return self._replace(speaking=message[0] == "started")
        return self

    def reconnected(self) -> "Monitor":
        """Another connection: other responses."""
        nobody: frozenset[str] = frozenset()
        return self._replace(
            owners=(), known=nobody, silenced=nobody, gone=nobody, before=nobody, speaking=False
        )

    def sticks(self, server: Server) -> "Monitor":
        """The running response falls silent."""
        return self._replace(stuck=(*self.stuck, server.active.owner if server.active else VAD))

    def settled(self) -> "Monitor":
        """The core has taken what it heard."""
        return self._replace(stale=False) if self.stale else self

    def effect(self, effect: Effect, node: "Node", spec: "Spec") -> "Monitor":
        """The core wants something done."""
        match effect:
            case Tell(request_id, change):
                return self._told(request_id, change)
            case Send(ResponseCreate() as create):
                self._law_create(create, node, spec)
                return self._replace(before=self.gone)
            case Send(ResponseCancel() as cancel):
                return self._law_cancel(cancel, node, spec)
            case StopPlayback(response_ids):
                return self._replace(silenced=self.silenced | set(response_ids))
            case Play(event, _) if event.response_id in self.silenced:
                raise Violation("no cancelled audio is played")
        return self

    def _told(self, request_id: str, change: object) -> "Monitor":
        if request_id in self.ended():
            raise Violation("a request ends once, and nothing is told after its end")
        if self.stale and isinstance(change, Progress) and change.step is Step.QUEUED:
            raise Violation("an error about a response that was over is no refusal of ours")
        monitor = self if request_id in self.names else self._replace(names=(*self.names, request_id))
        if isinstance(change, Outcome):
            end = (request_id, change.kind, change.uncertain)
            monitor = monitor._replace(ends=tuple(sorted((*self.ends, end), key=lambda each: each[0])))
        return monitor

    # laws of a step

    def _law_create(self, create: ResponseCreate, node: "Node", spec: "Spec") -> None:
        token = str(create.event_id)
        if int(token.split(".")[1]) != node.server.epoch:
            raise Violation("nothing of an old connection is sent into the new one")
        aside = getattr(create.response, "conversation", None) == "none"
        if aside or self.hurt:
            return
        if self.speaking:
            raise Violation("no create goes out over the user")
        if self.known and not spec.rules.supersedes:
            raise Violation("no create is sent while we know that a response runs")
        travelling = [message for message in node.to_server if message[0] == "create" and not message[2]]
        answers = [
            message
            for message in (*node.to_client, *node.server.owed)
            if (message[0] == "refused" and message[3] is not None)
            or (
                message[0] == "created"
                and not message[3]
                and (message[2] is not None or not spec.rules.echo)
                and message[1] not in self.known | self.gone  # else it is a copy
            )
        ]
        if (travelling or answers) and spec.exact:
            raise Violation("one in-band create of ours is unanswered at most")

    def _law_cancel(self, cancel: ResponseCancel, node: "Node", spec: "Spec") -> "Monitor":
        response_id = str(cancel.response_id)
        if not response_id.startswith(f"R{node.server.epoch}."):
            raise Violation("nothing of an old connection is sent into the new one")
        owner = dict(self.owners).get(response_id)
        if not self.hurt and owner == VAD and spec.cancels_only_ours:
            raise Violation("no cancel hits the user's answer")
        if not self.hurt and owner and spec.exact and not spec.rules.blocked_errors:
            name = self.names[owner - 1]
            taken_back = any(told == name and kind is OutcomeKind.CANCELLED for told, kind, _ in self.ends)
            if not taken_back and spec.cancels_only_ours:
                raise Violation("no cancel of a response that was not meant")
        return self._replace(silenced=self.silenced | {response_id})

    def _law_once(self, owner: int, spec: "Spec") -> None:
        times = sum(who == owner and status == "completed" for who, status in self.over)
        if owner != VAD and times > 1 and not self.hurt and spec.exact:
            raise Violation("nothing is spoken twice")

    def _law_order(self, owner: int, spec: "Spec", *, aside: bool) -> None:
        if owner == VAD or self.hurt or aside or not spec.ordered or owner > len(self.names):
            return
        classes: dict[str, tuple[Priority, str]] = {
            request.id: (request.priority, request.conversation) for request in spec.asks
        }
        mine = classes.get(self.names[owner - 1])
        gone = {who for who, _ in self.over}
        for number, name in enumerate(self.names[: owner - 1], start=1):
            if classes.get(name) == mine and number not in gone and name not in self.ended():
                raise Violation("order within a class is age")

    # laws of a state

    def check(self, node: "Node", facts: "Facts", spec: "Spec") -> None:
        """What must hold in every state."""
        floor = facts.floor
        if facts.online and floor.state is State.OPEN and facts.quiet and not facts.idle:
            raise Violation("nobody waits while the floor is open and the line is quiet")
        self._law_no_ghost(facts, spec)
        if floor.state is State.OPEN and self.known and not self.hurt:
            raise Violation("the floor is not open while a response is known to run")
        line_quiet = not (node.to_server or node.to_client or node.server.owed or node.server.due)
        if not line_quiet or self.hurt or not facts.online:
            return
        active = node.server.active
        if active is None and floor.state not in (State.OPEN, State.BLOCKED):
            raise Violation("client and server agree when the wire is quiet: nobody speaks")
        known = floor.state in RUNS and active is not None and floor.response == active.response_id
        if active is not None and not known and floor.state is not State.BLOCKED:
            raise Violation("client and server agree when the wire is quiet: somebody speaks")

    def _law_no_ghost(self, facts: "Facts", spec: "Spec") -> None:
        floor = facts.floor
        owner = (
            dict(self.owners).get(floor.response or "") if floor.state in RUNS and spec.rules.echo else None
        )
        if (
            not owner
            or not spec.exact
            or self.hurt
            or floor.response in self.silenced
            or floor.response not in self.known
        ):
            return
        name = self.names[owner - 1]
        if any(told == name and kind is OutcomeKind.CANCELLED for told, kind, _ in self.ends):
            raise Violation("a cancelled request does not speak on")

    def check_end(self, node: "Node", spec: "Spec") -> None:
        """What must hold where nothing fair is left to happen."""
        missing = set(self.names) - self.ended()
        if missing or len(self.names) < len(spec.asks):
            raise Violation(f"every accepted request reaches its end; waiting for ever: {sorted(missing)}")
        follow_ups = [name for name in self.names if name.startswith("tool.")]
        if spec.rules.calls and not self.hurt and len(follow_ups) > 1:
            raise Violation("the calls of a response earn one follow-up")
        innocent = {
            self.names[owner - 1] for owner in range(1, len(self.names) + 1) if owner not in self.stuck
        }
        failed = {name for name, kind, _ in self.ends if kind is OutcomeKind.FAILED}
        if self.stuck and spec.exact and not spec.budget.cut and failed & innocent:
            raise Violation("no request fails because another's response is stuck")
        if not spec.exact:
            return
        completed = {who for who, status in self.over if status == "completed"}
        for name, kind, uncertain in self.ends:
            spoken = self.names.index(name) + 1 in completed
            if kind is OutcomeKind.HEARD and not uncertain and not spoken:
                raise Violation("heard means that it was spoken")
            if (
                kind in (OutcomeKind.FAILED, OutcomeKind.DENIED, OutcomeKind.EXPIRED)
                and spoken
                and not self.hurt
            ):
                raise Violation("what was spoken is not reported as lost")
