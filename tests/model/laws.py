"""What must hold, and the monitor that remembers what is needed to say so.

The laws are about what an observer sees who stands beside the world: who was told what, what went over the
wires, what the server really did. `docs/reference/invariants.md` names each.
"""

from typing import TYPE_CHECKING, NamedTuple

from charye.core.effects import Effect, Play, Send, StopPlayback, Tell
from charye.core.floor import RUNS, State
from charye.core.playout import Reporting
from charye.core.requests import (
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
from charye.core.waiting import WhenFull
from charye.protocol import (
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemTruncate,
    FunctionCallOutputItem,
    ResponseCancel,
    ResponseCreate,
)
from tests.model.server import VAD, Message, Server

if TYPE_CHECKING:
    from tests.model.core import Facts
    from tests.model.world import Node, Spec

__all__ = ["End", "Monitor", "Violation", "response_of"]


def response_of(item_id: str) -> str:
    """The response that an item of the model's audio is of; `half` marks one that was played in part."""
    return item_id[1:].removesuffix(HALF)


HALF = "/half"


class Violation(AssertionError):
    """A law was broken."""


class End(NamedTuple):
    """An outcome, as it was told."""

    name: str
    kind: OutcomeKind
    uncertain: bool
    reason: str


class Monitor(NamedTuple):
    """What was seen so far.

    Args:
        names: request ids by ticket number, the core's own follow-ups included.
        ends: the outcomes told.
        cancelled: what the app has cancelled.
        owners: whose every response of this connection is.
        steps: how far the living requests are, by what they were told.
        creates: how many creates went out for each living request.
        once: requests that may not be asked again, because a cut met them while they were asked for or spoke.
        taken: tickets whose unanswered create was taken back because the user began to speak.
        outputs: calls whose output went out on this connection.
        over: (owner, status, response) of every response that the server has ended, in order.
        known: in-band responses that the client has seen begin and not end.
        open: items of theirs that it has seen begin and not end; `shown`: responses of which it has seen one end.
        silent_s: how long it has heard nothing of them, in worlds with items; no more than `Patience.ending_s`.
        questioned: those of them that it has asked about with a create.
        silenced: responses that may not be heard any more.
        speaking: the client has heard the user begin and not end.
        gone: responses whose end the client has seen; `before`: those of them before its last create.
        stale: what the client hears now is an error about one of `before`.
        stuck: owners of responses that fell silent.
        hurt: a fault has happened, or a deadline fired early.
    """

    names: tuple[str, ...] = ()
    ends: tuple[End, ...] = ()
    steps: tuple[tuple[str, Step], ...] = ()
    creates: tuple[tuple[str, int], ...] = ()
    once: frozenset[str] = frozenset()
    taken: frozenset[int] = frozenset()
    outputs: frozenset[str] = frozenset()
    cancelled: frozenset[str] = frozenset()
    owners: tuple[tuple[str, int], ...] = ()
    over: tuple[tuple[int, str, str], ...] = ()
    known: frozenset[str] = frozenset()
    open: frozenset[tuple[str, str]] = frozenset()
    shown: frozenset[str] = frozenset()
    silent_s: float = 0.0
    questioned: frozenset[str] = frozenset()
    silenced: frozenset[str] = frozenset()
    speaking: bool = False
    gone: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    stale: bool = False
    stuck: tuple[int, ...] = ()
    hurt: bool = False

    def ended(self) -> frozenset[str]:
        """The requests that have reached their end."""
        return frozenset(end.name for end in self.ends)

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
                monitor = monitor._replace(over=(*monitor.over, (owner, str(message[4]), str(message[1]))))
        return monitor

    def client_hears(self, message: Message) -> "Monitor":
        """A message arrives at the client."""
        if message[0] in ("item_added", "item_done"):
            return self._sees_item(message)
        if message[0] == "created" and not message[3] and message[1] not in self.gone:
            begins = message[1] not in self.known
            silent_s = 0.0 if begins else self.silent_s
            return self._replace(known=self.known | {str(message[1])}, silent_s=silent_s)
        if message[0] == "done":
            return self._sees_end(str(message[1]))
        if message[0] == "refused":
            return self._replace(stale=message[1] is None and message[2] in self.before)
        if message[0] in ("started", "committed"):
            return self._replace(speaking=message[0] == "started")
        return self

    def _sees_end(self, response_id: str) -> "Monitor":
        return self._replace(
            known=self.known - {response_id},
            gone=self.gone | {response_id},
            open=frozenset(each for each in self.open if each[0] != response_id),
            shown=self.shown - {response_id},
            questioned=self.questioned - {response_id},
        )

    def _sees_item(self, message: Message) -> "Monitor":
        response_id = str(message[1])
        if response_id not in self.known:
            return self
        item = (response_id, str(message[2]))
        if message[0] == "item_added":
            return self._replace(open=self.open | {item}, silent_s=0.0)
        return self._replace(open=self.open - {item}, shown=self.shown | {response_id}, silent_s=0.0)

    def waits(self, waited_s: float, spec: "Spec") -> "Monitor":
        """So much time passes."""
        if not spec.rules.items or not self.known:
            return self
        return self._replace(silent_s=min(self.silent_s + waited_s, spec.settings.patience.ending_s))

    def reconnected(self) -> "Monitor":
        """Another connection: other responses."""
        nobody: frozenset[str] = frozenset()
        return self._replace(
            owners=(),
            known=nobody,
            open=frozenset(),
            shown=nobody,
            questioned=nobody,
            silenced=nobody,
            gone=nobody,
            before=nobody,
            outputs=nobody,
            speaking=False,
        )

    def cut(self, spec: "Spec") -> "Monitor":
        """The connection is cut: who has asked for it at most once, and is on the way, is not asked again."""
        once = {
            name
            for name, step in self.steps
            if step in (Step.SENT, Step.SPEAKING)
            and all(
                wish.on_reconnect is OnReconnect.FAIL and wish.on_interruption is OnInterruption.DROP
                for wish in _wishes(name, spec)
            )
        }
        return self._replace(once=self.once | once)

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
                return self._told(request_id, change, node, spec)
            case Send(ResponseCreate() as create):
                self._law_create(create, node, spec)
                aside = getattr(create.response, "conversation", None) == "none"
                questioned = self.questioned if aside else self.questioned | self.known
                return self._counts(create)._replace(before=self.gone, questioned=questioned)
            case Send(ResponseCancel() as cancel):
                return self._law_cancel(cancel, node, spec)
            case Send(ConversationItemCreate(item=FunctionCallOutputItem(call_id=call_id))):
                return self._law_output(str(call_id), node)
            case Send(ConversationItemTruncate(item_id=item_id) | ConversationItemDelete(item_id=item_id)):
                if not item_id.startswith(f"IR{node.server.epoch}."):
                    raise Violation("nothing of an old connection is sent into the new one")
            case StopPlayback(response_ids):
                return self._replace(silenced=self.silenced | set(response_ids))
            case Play(event, _) if event.response_id in self.silenced:
                raise Violation("no cancelled audio is played")
        return self

    def _told(self, request_id: str, change: object, node: "Node", spec: "Spec") -> "Monitor":
        if request_id in self.ended():
            raise Violation("a request ends once, and nothing is told after its end")
        if isinstance(change, Progress) and change.step is Step.SENT:
            self._law_hold(request_id, node, spec)
        if self.stale and isinstance(change, Progress) and change.step is Step.QUEUED:
            raise Violation("an error about a response that was over is no refusal of ours")
        monitor = self if request_id in self.names else self._replace(names=(*self.names, request_id))
        steps = dict(monitor.steps)
        if isinstance(change, Progress):
            if change.step is Step.SENT and request_id in self.once:
                raise Violation("who is asked at most once is not asked again after a cut")
            steps[request_id] = change.step
            taken = monitor.taken
            if change.step is Step.QUEUED and change.reason == "the user speaks":
                taken = taken | {monitor.names.index(request_id) + 1}
            return monitor._replace(steps=tuple(sorted(steps.items(), key=_first)), taken=taken)
        if isinstance(change, Outcome):
            monitor._law_cause(request_id, change, spec)
            monitor._law_played(request_id, change, node, spec)
            end = End(request_id, change.kind, change.uncertain, change.reason)
            steps.pop(request_id, None)
            creates = tuple(each for each in monitor.creates if each[0] != request_id)
            ends = tuple(sorted((*monitor.ends, end), key=_first))
            monitor = monitor._replace(
                ends=ends, steps=tuple(sorted(steps.items(), key=_first)), creates=creates
            )
        return monitor

    def _counts(self, create: ResponseCreate) -> "Monitor":
        """One more create for this ticket, and for whoever has joined it."""
        name = self.names[_number(create) - 1]
        creates = dict(self.creates)
        creates[name] = creates.get(name, 0) + 1
        return self._replace(creates=tuple(sorted(creates.items())))

    # laws of a step

    def _law_create(self, create: ResponseCreate, node: "Node", spec: "Spec") -> None:
        token = str(create.event_id)
        if int(token.split(".")[1]) != node.server.epoch:
            raise Violation("nothing of an old connection is sent into the new one")
        aside = getattr(create.response, "conversation", None) == "none"
        if not aside:
            self._law_class(create, node, spec)
        if aside or self.hurt:
            return
        if self.speaking:
            raise Violation("no create goes out over the user")
        if self.known:
            self._law_question(spec)
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

    def _law_question(self, spec: "Spec") -> None:
        """A create goes out although a response is known to run: only to learn whether it does."""
        settings = spec.settings
        owes_its_end = self.known <= self.shown and not self.open and not settings.dialect.supersedes
        if not owes_its_end or self.silent_s < settings.patience.ending_s:
            raise Violation("no create is sent while we know that a response runs")
        if self.known & self.questioned:
            raise Violation("no create is sent while we know that a response runs; it was asked about before")

    def _law_hold(self, name: str, node: "Node", spec: "Spec") -> None:
        """A create goes out for this asker. Silent out-of-band requests take no floor."""
        silent = any(
            wish.conversation == "none" and not wish.speaks_aloud for wish in spec.asks if wish.id == name
        )
        if node.hold is not None and name not in node.hold and not silent:
            raise Violation("nobody else is asked for while the floor is held")

    def _law_cancel(self, cancel: ResponseCancel, node: "Node", spec: "Spec") -> "Monitor":
        response_id = str(cancel.response_id)
        if not response_id.startswith(f"R{node.server.epoch}."):
            raise Violation("nothing of an old connection is sent into the new one")
        owner = dict(self.owners).get(response_id)
        if owner and not self.hurt and not self.speaking and self._is_cut_by_others(owner, node, spec):
            raise Violation("nobody else cuts in while the floor is held")
        if not self.hurt and owner == VAD and spec.cancels_only_ours:
            raise Violation("no cancel hits the user's answer")
        if not self.hurt and owner and spec.exact and not spec.rules.blocked_errors:
            name = self.names[owner - 1]
            taken_back = owner in self.taken or self._is_cancelled(name)
            if not taken_back and spec.cancels_only_ours:
                raise Violation("no cancel of a response that was not meant")
        return self._replace(silenced=self.silenced | {response_id})

    def _is_cut_by_others(self, owner: int, node: "Node", spec: "Spec") -> bool:
        """Whether a response of the hold is cancelled in it for nobody who may: its asker, the user, one of its own."""
        if node.hold is None or spec.budget.presses or owner in self.taken:
            return False
        name = self.names[owner - 1]
        own = any(wish.cuts_in for wish in spec.asks if wish.id in node.hold)
        return name in node.hold and not own and not self._is_cancelled(name)

    def _law_class(self, create: ResponseCreate, node: "Node", spec: "Spec") -> None:
        """Who waits while another is asked for is not of a higher class. Resting, ageing and heeding the room are."""
        special = any(wish.starts is Starts.AFTER_HEARD or wish.conversation == "none" for wish in spec.asks)
        if special or spec.settings.ageing_s or spec.budget.fail:
            return
        asked_for = _wishes(self.names[_number(create) - 1], spec)
        if node.hold is not None and not any(wish.hold for wish in asked_for):
            return  # it was there before the hold, and goes first
        mine = min(wish.priority for wish in asked_for)
        for name, step in self.steps:
            if node.hold is not None and name not in node.hold:
                continue
            if step is Step.QUEUED and max(wish.priority for wish in _wishes(name, spec)) < mine:
                raise Violation("a higher class goes first")

    def _law_output(self, call_id: str, node: "Node") -> "Monitor":
        if "_R" in call_id and not call_id.split("_R")[1].startswith(f"{node.server.epoch}."):
            raise Violation("nothing of an old connection is sent into the new one")
        if call_id in self.outputs:
            raise Violation("the result of a call is sent once")
        return self._replace(outputs=self.outputs | {call_id})

    def law_answered(self, call_id: str, node: "Node", *, online: bool) -> None:
        """The app has just answered this call, and the core waited for it."""
        if online and len(self.outputs) == len(node.monitor.outputs):
            raise Violation(f"the result of a call is sent once; never: {call_id}")

    def law_pressed(self, before: "Node", after: "Node", *, online: bool) -> None:
        """The user has just pressed."""
        if after.playing:
            raise Violation(f"a press silences everything; played on: {after.playing}")
        if online and not self.hurt and not before.monitor.known <= after.monitor.silenced:
            raise Violation("a press silences everything")

    def _law_played(self, request_id: str, outcome: Outcome, node: "Node", spec: "Spec") -> None:
        if outcome.kind is not OutcomeKind.HEARD or outcome.uncertain:
            return
        owners = dict(self.owners)
        for item in node.playing if spec.settings.reporting is Reporting.DEVICE else ():
            owner = owners.get(response_of(item), VAD)
            if owner and self.names[owner - 1] == request_id and response_of(item) not in self.silenced:
                raise Violation("heard means that it was played")

    def _law_cause(self, name: str, outcome: Outcome, spec: "Spec") -> None:  # noqa: C901, PLR0912  a table
        """Why this end may be: what the request wished, what the app did, what the server really said."""
        wishes = _wishes(name, spec)
        number = self.names.index(name) + 1
        settings, budget = spec.settings, spec.budget
        joined = len(wishes) > 1 or name.startswith(("tool.", "charye."))
        tries = dict(self.creates).get(name, 0)
        failures = sum(owner == number and status == "failed" for owner, status, _ in self.over)
        lossy = self.hurt and bool(budget.lose or budget.late or budget.early or budget.double)
        match outcome.kind, outcome.reason:
            case OutcomeKind.DENIED, "queue full":
                fits = settings.max_waiting < len(self.names)
            case OutcomeKind.DENIED, "dropped for a newer one":
                fits = settings.when_full is WhenFull.DROP_OLDEST
            case OutcomeKind.DENIED, "no out-of-band lane":
                fits = not settings.dialect.out_of_band
            case OutcomeKind.FAILED, "unanswered":
                fits = self.hurt and (joined or tries >= settings.max_unanswered)
            case OutcomeKind.FAILED, "exhausted":
                fits = joined or tries >= min(wish.max_attempts for wish in wishes)
            case OutcomeKind.FAILED, "stuck":
                fits = joined or number in self.stuck or lossy
            case OutcomeKind.FAILED, "failed":
                fits = joined or failures > settings.max_failures
            case OutcomeKind.EXPIRED, _:
                fits = any(wish.expires_after_s is not None for wish in wishes)
            case OutcomeKind.DISCONNECTED, _:
                fits = self.hurt and any(wish.on_reconnect is OnReconnect.FAIL for wish in wishes)
            case OutcomeKind.CANCELLED, "asker":
                fits = name in self.cancelled
            case OutcomeKind.CANCELLED, "replaced":
                by_line = settings.when_full is WhenFull.REPLACE_SAME_KEY
                fits = by_line or any(wish.same_key is SameKey.REPLACE for wish in wishes)
            case OutcomeKind.CANCELLED, "answered by another response":
                fits = name.startswith("tool.")
            case OutcomeKind.CANCELLED, "user spoke":
                fits = any(wish.on_user_speech is OnUserSpeech.DROP for wish in wishes)
            case (
                OutcomeKind.CANCELLED,
                _,
            ):  # by the server: by a cancel that was meant for another of its tries
                fits = lossy or not spec.exact
            case OutcomeKind.INTERRUPTED, _:
                fits = any(wish.on_interruption is OnInterruption.DROP for wish in wishes)
            case OutcomeKind.HEARD, _:
                fits = True  # see `check_end`
            case _:
                fits = False
        if not fits:
            raise Violation(
                f"an end has its cause; {name} has none for: {outcome.kind.value} {outcome.reason}"
            )

    def _law_order(self, owner: int, spec: "Spec", *, aside: bool) -> None:
        if owner == VAD or self.hurt or aside or not spec.ordered or owner > len(self.names):
            return
        classes: dict[str, tuple[Priority, str]] = {
            request.id: (request.priority, request.conversation) for request in spec.asks
        }
        of_a_hold = {request.id for request in spec.asks if request.hold is not None}
        mine = classes.get(self.names[owner - 1])
        gone = {who for who, _, _ in self.over}
        for number, name in enumerate(self.names[: owner - 1], start=1):
            if self.names[owner - 1] in of_a_hold and name not in of_a_hold:
                continue  # a hold goes before everybody
            if classes.get(name) == mine and number not in gone and name not in self.ended():
                raise Violation("order within a class is age")

    # laws of a state

    def check(self, node: "Node", facts: "Facts", spec: "Spec") -> None:
        """What must hold in every state."""
        floor = facts.floor
        if facts.online and floor.state is State.OPEN and facts.quiet and not facts.idle:
            raise Violation("nobody waits while the floor is open and the line is quiet")
        if facts.online and floor.state is State.OPEN and facts.quiet and self._waits_in_its_hold(node, spec):
            raise Violation("nobody waits while the floor is open and the line is quiet; not in its own hold")
        self._law_no_ghost(facts, spec)
        if not self.hurt and any(response_of(item) in self.silenced for item in node.playing):
            raise Violation("no cancelled audio is played; it plays on")
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

    def _waits_in_its_hold(self, node: "Node", spec: "Spec") -> bool:
        """Whether one of the hold that stands waits for nothing, by what it was told."""
        special = any(wish.starts is Starts.AFTER_HEARD or wish.conversation == "none" for wish in spec.asks)
        if node.hold is None or special or spec.budget.fail:
            return False
        return any(name in node.hold and step is Step.QUEUED for name, step in self.steps)

    def _law_no_ghost(self, facts: "Facts", spec: "Spec") -> None:
        floor = facts.floor
        owner = (
            dict(self.owners).get(floor.response or "") if floor.state in RUNS and spec.rules.echo else None
        )
        if not owner or not spec.exact or floor.response in self.silenced or floor.response not in self.known:
            return
        name = self.names[owner - 1]
        if self._is_cancelled(name):
            raise Violation("a cancelled request does not speak on")

    def _is_cancelled(self, name: str) -> bool:
        return any(end.name == name and end.kind is OutcomeKind.CANCELLED for end in self.ends)

    def check_end(self, node: "Node", spec: "Spec") -> None:
        """What must hold where nothing fair is left to happen."""
        missing = set(self.names) - self.ended()
        if missing or len(self.names) < len(spec.asks):
            raise Violation(f"every accepted request reaches its end; waiting for ever: {sorted(missing)}")
        follow_ups = [name for name in self.names if name.startswith("tool.")]
        if spec.rules.calls and not self.hurt and len(follow_ups) > 1:
            raise Violation("the calls of a response earn one follow-up")
        called = spec.rules.calls and any(
            who == 1 and status == "completed" and response_id not in self.silenced
            for who, status, response_id in self.over
        )
        alone = not spec.turns and not spec.budget.presses and self.names[:1] != ()
        if called and alone and not self.hurt and self.names[0] not in self.cancelled and not follow_ups:
            raise Violation("the calls of a response earn one follow-up; they got none")
        innocent = {
            self.names[owner - 1] for owner in range(1, len(self.names) + 1) if owner not in self.stuck
        }
        failed = {end.name for end in self.ends if end.kind is OutcomeKind.FAILED}
        if self.stuck and spec.exact and not spec.budget.cut and failed & innocent:
            raise Violation("no request fails because another's response is stuck")
        if not spec.exact:
            return
        completed = {who for who, status, _ in self.over if status == "completed"}
        spoken_for = [
            who
            for who, status, response_id in self.over
            if who != VAD and status == "completed" and response_id not in self.silenced
        ]
        if not self.hurt and len(spoken_for) > len(set(spoken_for)):
            raise Violation("nothing is spoken twice")
        for name, kind, uncertain, _ in self.ends:
            if name.startswith("charye."):
                continue  # replies to the user join each other: one response, under the number of the oldest
            spoken = self.names.index(name) + 1 in completed
            if kind is OutcomeKind.HEARD and not uncertain and not spoken:
                raise Violation("heard means that it was spoken")
            if (
                kind in (OutcomeKind.FAILED, OutcomeKind.DENIED, OutcomeKind.EXPIRED)
                and self.names.index(name) + 1 in spoken_for
                and not self.hurt
            ):
                raise Violation("what was spoken is not reported as lost")


def _first(each: tuple[object, ...]) -> str:
    return str(each[0])


def _number(create: ResponseCreate) -> int:
    return int(str(create.event_id).split(".")[2])


def _wishes(name: str, spec: "Spec") -> tuple[ResponseRequest, ...]:
    """What may have been asked for under this name: its own request, and those that may have joined it."""
    own = [wish for wish in spec.asks if wish.id == name]
    keys = {wish.coalesce_key for wish in own} - {None}
    joined = [wish for wish in spec.asks if wish.coalesce_key in keys and wish.id != name]
    by_core = Priority.TOOL if name.startswith("tool.") else Priority.USER
    return (*own, *joined) or (ResponseRequest(id=RequestId(name), trigger="", priority=by_core),)
