"""A Realtime server with one conversation, small enough to try everything it can do.

A pure function of a small state. It knows the one rule (one in-band response at a time; a create that meets it
is refused and forgotten), voice detection that replies and interrupts by itself, out-of-band responses, cancels,
calls, one piece of audio a response, and how dialects differ. Messages are tuples, so that wires can be hashed;
`events` turns them into the API's events.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

__all__ = ["VAD", "Form", "Message", "Rules", "Running", "Server"]

Message = tuple[object, ...]
"""To the server: ("create", token, out_of_band, event id) ("cancel", response, event id) ("retrieve", item)
("item", item, call) ("truncate", item) ("delete", item) ("commit",). To the client: see `events`."""

VAD = 0
"""The owner of a response that the server began by itself; ours are owned by their ticket's number."""


class Form(Enum):
    """How a refusal is told: where the code stands, whether the client's event and the other response are named."""

    CODE = ("code", True, True)
    NO_EVENT_ID = ("code", False, True)
    CODE_IN_TYPE = ("type", True, True)
    TEXT_ONLY = ("text", True, True)
    SHORT_TEXT = ("text", True, False)
    NOTHING_NAMED = ("code", False, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How this server behaves.

    Args:
        echo: metadata comes back.
        replies: voice detection creates responses; `interrupts`: speech cancels the running one.
        form: how refusals are told. `event_ids`: whether other errors name the client's event.
        late_errors: an error may be overtaken by anything else the server says.
        blocked_errors: a reply of the server's own that meets a running response makes an error about no event.
        calls: tickets whose first response makes these calls instead of speaking.
        audio: in-band responses have one piece of audio.
        aside_audio: out-of-band responses have one too.
        items: in-band responses show so many items, each with its beginning and its end.
        supersedes: a create ends the running response instead of being refused.
    """

    echo: bool = True
    replies: bool = True
    interrupts: bool = True
    form: Form = Form.CODE
    event_ids: bool = True
    late_errors: bool = False
    blocked_errors: bool = False
    calls: tuple[str, ...] = ()
    audio: bool = False
    aside_audio: bool = False
    items: int = 0
    supersedes: bool = False


class Running(NamedTuple):
    """A response.

    Args:
        emitted: its audio or its calls were sent.
        shown: so many beginnings and ends of items were sent.
        stuck: it says nothing any more and does not hear a cancel.
        interrupted: the user spoke into it; it will end as cancelled, perhaps not before it has said more.
    """

    response_id: str
    token: str | None
    owner: int
    emitted: bool = False
    shown: int = 0
    stuck: bool = False
    interrupted: bool = False


class Server(NamedTuple):
    """The state. `born`: responses so far; `due`: it means to reply to the user; `owed`: errors not told yet."""

    epoch: int = 0
    active: Running | None = None
    aside: tuple[Running, ...] = ()
    born: int = 0
    speaking: bool = False
    due: bool = False
    turns: int = 0
    owed: tuple[Message, ...] = ()

    def closed(self) -> "Server":
        """The connection is gone, and the conversation with it. The user goes on."""
        return Server(epoch=self.epoch, turns=self.turns)

    # what a client may send

    def take(self, message: Message, rules: Rules) -> tuple["Server", tuple[Message, ...]]:
        """Process one client event, at once and in order."""
        match message:
            case ("create", str(token), bool(aside), str(event_id)):
                return self._create(token, aside, event_id, rules)
            case ("cancel", response_id, event_id):
                return self._cancel(str(response_id), str(event_id), rules)
            case ("retrieve", item_id):
                return self, (("unknown_item", item_id, item_id if rules.event_ids else None),)
            case ("item", item_id, call_id):
                return self, (("added", item_id, call_id),)
            case ("truncate" | "delete", _):
                return self, ()
            case ("commit",):
                return self, (("committed",),)
        raise AssertionError(message)

    def _create(
        self, token: str, aside: bool, event_id: str, rules: Rules
    ) -> tuple["Server", tuple[Message, ...]]:
        number = int(token.split(".")[2])
        running = Running(f"R{self.epoch}.{self.born}", token if rules.echo else None, number)
        if aside:
            server = self._replace(born=self.born + 1, aside=(*self.aside, running))
            return server, (("created", running.response_id, running.token, True),)
        said: tuple[Message, ...] = ()
        if self.active is not None and not rules.supersedes:
            _, names_event, names_response = rules.form.value
            named = self.active.response_id if names_response else None
            refusal = ("refused", event_id if names_event else None, named, token)
            return self._complain(refusal, rules)
        if self.active is not None:
            said = (_done(self.active, "cancelled", "turn_detected"),)
        server = self._replace(born=self.born + 1, active=running)
        return server, (*said, ("created", running.response_id, running.token, False))

    def _cancel(self, response_id: str, event_id: str, rules: Rules) -> tuple["Server", tuple[Message, ...]]:
        if self.active is not None and self.active.response_id == response_id:
            if self.active.stuck:
                return self, ()  # deaf
            return self._replace(active=None), (_done(self.active, "cancelled", "client_cancelled"),)
        for running in self.aside:
            if running.response_id == response_id and not running.stuck:
                rest = tuple(other for other in self.aside if other != running)
                return self._replace(aside=rest), (
                    _done(running, "cancelled", "client_cancelled", aside=True),
                )
        return self._complain(("not_active", event_id if rules.event_ids else None), rules)

    def _complain(self, error: Message, rules: Rules) -> tuple["Server", tuple[Message, ...]]:
        if rules.late_errors:
            return self._replace(owed=(*self.owed, error)), ()
        return self, (error,)

    # what it does by itself: (name, fair, state, messages)

    def steps(self, rules: Rules) -> list[tuple[str, "Server", tuple[Message, ...]]]:
        """Everything that may happen here without the client."""
        found: list[tuple[str, Server, tuple[Message, ...]]] = []
        if self.owed:
            found.append(("tells", self._replace(owed=self.owed[1:]), self.owed[:1]))
        if self.active is not None and not self.active.stuck:
            found.append(self._go_on(self.active, rules))
        for running in self.aside:
            if rules.aside_audio and not running.stuck and not running.emitted:
                lanes = tuple(each._replace(emitted=True) if each == running else each for each in self.aside)
                audio = (("audio", running.response_id, f"I{running.response_id}"),)
                found.append(("speaks aside", self._replace(aside=lanes), audio))
            elif not running.stuck:
                rest = tuple(other for other in self.aside if other != running)
                found.append(
                    (
                        "ends aside",
                        self._replace(aside=rest),
                        (_done(running, "completed", None, aside=True),),
                    )
                )
        if self.turns and not self.speaking:
            found.append(self._hears(rules))
        if self.speaking:
            said: tuple[Message, ...] = (("stopped",), ("committed",))
            after = self._replace(speaking=False, due=rules.replies)
            found.append(("hears the end", after, said))
        if self.due:
            found.append(self._replies(rules))
        return found

    def _go_on(self, active: Running, rules: Rules) -> tuple[str, "Server", tuple[Message, ...]]:
        if not active.emitted and rules.calls and active.owner == 1:
            said = tuple(("call", active.response_id, f"{call}_{active.response_id}") for call in rules.calls)
            return "calls", self._replace(active=active._replace(emitted=True)), said
        if not active.emitted and rules.audio:
            audio = (("audio", active.response_id, f"I{active.response_id}"),)
            return "speaks", self._replace(active=active._replace(emitted=True)), audio
        if active.shown < 2 * rules.items:
            item = f"I{active.response_id}/{active.shown // 2}"
            shown: Message = ("item_added", active.response_id, item)
            if active.shown % 2:
                status = "incomplete" if active.interrupted else "completed"
                shown = ("item_done", active.response_id, item, status)
            return "goes on", self._replace(active=active._replace(shown=active.shown + 1)), (shown,)
        done = (
            _done(active, "cancelled", "turn_detected")
            if active.interrupted
            else _done(active, "completed", None)
        )
        return "ends", self._replace(active=None), (done,)

    def sticks(self) -> "Server | None":
        """The running response falls silent, and does not hear a cancel."""
        if self.active is None or self.active.stuck:
            return None
        return self._replace(active=self.active._replace(stuck=True))

    def fails(self) -> tuple["Server", tuple[Message, ...]] | None:
        """The running response ends as failed, for a reason that passes."""
        if self.active is None or self.active.stuck:
            return None
        return self._replace(active=None), (_done(self.active, "failed", "rate_limit_exceeded"),)

    def _hears(self, rules: Rules) -> tuple[str, "Server", tuple[Message, ...]]:
        after = self._replace(turns=self.turns - 1, speaking=True)
        if rules.interrupts and self.active is not None and not self.active.stuck:
            after = after._replace(active=self.active._replace(interrupted=True))
        return "hears speech", after, (("started",),)

    def _replies(self, rules: Rules) -> tuple[str, "Server", tuple[Message, ...]]:
        if self.active is not None:
            after, said = self._replace(due=False), ()
            if rules.blocked_errors:
                named = self.active.response_id if rules.form.value[2] else None
                return "cannot reply", *after._complain(("refused", None, named, None), rules)
            return "cannot reply", after, said
        running = Running(f"R{self.epoch}.{self.born}", None, VAD)
        after = self._replace(due=False, born=self.born + 1, active=running)
        return "replies", after, (("created", running.response_id, None, False),)


def _done(running: Running, status: str, reason: str | None, *, aside: bool = False) -> Message:
    return ("done", running.response_id, running.token, aside, status, reason)
