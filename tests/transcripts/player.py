"""Plays a transcript against a real peer, on a virtual clock: `play(text)` returns, or says where it does not fit.

What must be sent is checked strictly: in order, and nothing besides. Other effects (`!`) must be there, in any order,
each once; `! no play` says that there is none of a kind. After the last line every request must have ended, unless
it is `...`. That a request ends only once is checked always; an outcome that is `uncertain` must be written so.

    > response.create greeting instructions="Say hello"      the requests it is for, fields of it
    = held r1 greeting            the floor: a state, then the response, and whose it is or whose create is unanswered
    = greeting sent               a step on the way, or the outcome, then how much of it was heard
    = greeting interrupted 300ms attempts=1 reason="" code=absent uncertain=no
    = waiting greeting "the user is speaking"                 why, as `explain` tells it
    = speaker user                = turn quiet                = items item1 item2
    = hold closing                = hold nobody               the hold that stands, by its name
    ! play r1 item1 500ms         ! stop_playback r1          ! run_tool call_1 get_weather
    ! abandon_tool call_1         ! reconnect                 ! note "nothing to cancel"
    ~ 10s                         ticks at every deadline on the way
"""

from collections import deque
from dataclasses import dataclass, field
from textwrap import dedent

from charye.core.effects import Effect, Send, Tell
from charye.core.floor import State
from charye.core.peer import Peer
from charye.core.requests import Outcome, Progress, RequestId, Step
from charye.errors import MalformedEvent
from charye.protocol import ClientEvent, ResponseCreate, decode_server_event
from tests.transcripts.app import does
from tests.transcripts.effects import differences, shown, words_of, words_of_sent
from tests.transcripts.notation import ABSENT, Line, NotReadable, Script, milliseconds, parse, seconds
from tests.transcripts.server import Server
from tests.transcripts.settings import settings_of

__all__ = ["DoesNotFit", "play"]

TICKS_AT_ONCE = 50
"""A peer that wants to be ticked again and again without time passing is spinning."""


class DoesNotFit(AssertionError):
    """The peer did something else. Shows the transcript, the line, and what was really there."""


def play(text: str) -> None:
    """Play a transcript to its end.

    Raises:
        DoesNotFit: the peer did something else or raised, or a line says what nobody understands.
        NotReadable: it is no transcript, or its header asks for what there is not.
    """
    __tracebackhide__ = True
    script = parse(dedent(text))
    player = Player(script)
    at = 0
    try:
        for at in range(len(script.lines)):
            player.step(script.lines[at])
        player.finish()
    except (Surprise, NotReadable) as found:
        raise DoesNotFit(_report(script, at, str(found), player.really())) from None
    except Exception as error:
        raise DoesNotFit(_report(script, at, f"the peer raised {error!r}", player.really())) from error


class Surprise(Exception):
    """Something is not as it is written; the text says what."""


@dataclass(slots=True)
class Sent:
    """A client event and, of a create, the requests that it is for."""

    event: ClientEvent
    names: list[str] = field(default_factory=list)

    def words(self) -> tuple[str, ...]:
        return words_of_sent(self.event, tuple(self.names))


class Player:
    """A peer, a clock, and what is still to be compared with the transcript."""

    def __init__(self, script: Script) -> None:
        settings = script.header.get("settings")
        self._settings = settings_of(settings.fields if settings else {})
        self._peer = Peer(self._settings)
        self._server = Server(self._settings.dialect)
        self._now = 0.0
        self._online = False
        self._open_end = script.open_end
        self._sent: deque[Sent] = deque()
        self._others: list[Effect] = []
        self._since: list[Effect | Sent] = []
        self._told: dict[str, Progress | Outcome] = {}
        self._names: dict[int, list[str]] = {}
        start = script.header.get("start")
        if start is None:
            self._take(self._peer.connected(self._now))
        elif start.words != ("offline",):
            raise NotReadable("start is offline, or is not written")

    def step(self, line: Line) -> None:
        """Play one line."""
        match line.mark:
            case ">":
                self._expect_sent(line)
            case "!":
                self._expect_other(line)
            case "=":
                self._expect_state(line)
            case _:
                self._nothing_more_was_sent()
                self._others.clear()
                self._since.clear()
                self._happens(line)

    def finish(self) -> None:
        """The last line has been played."""
        self._nothing_more_was_sent()
        unfinished = [name for name, change in self._told.items() if isinstance(change, Progress)]
        if unfinished and not self._open_end:
            raise Surprise(f"not ended: {', '.join(unfinished)}")

    def really(self) -> list[str]:
        """What was there since the last line that made something happen, and the state now."""
        floor = self._peer.floor
        who = [floor.response or "", *(self._whose(floor.owner) or ["vad"] * (floor.response is not None))]
        who += self._whose(floor.claim.number if floor.claim else None)
        lines = [_as_written(each) for each in self._since]
        lines += [
            f"= {floor.state.value} {' '.join(filter(None, who))}".rstrip(),
            f"= turn {self._peer.turn.value}",
        ]
        lines += [shown("=", words_of(Tell(RequestId(name), change))) for name, change in self._told.items()]
        return [*lines, f"at {self._now:g} s"]

    # what happens

    def _happens(self, line: Line) -> None:
        match line.mark:
            case "@":
                self._take(does(self._peer, line, self._now))
            case "<":
                self._receive(self._server.says(line))
            case _:
                self._let_pass(seconds(line.words[0]))

    def _receive(self, data: bytes) -> None:
        try:
            event = decode_server_event(data, self._settings.dialect)
        except MalformedEvent:
            return  # the shell drops it and reads on
        self._take(self._peer.receive(event, self._now))

    def _let_pass(self, duration_s: float) -> None:
        end, ticks = self._now + duration_s, 0
        while (due := self._peer.next_deadline(self._now)) is not None and due <= end:
            ticks = ticks + 1 if due <= self._now else 0
            if ticks > TICKS_AT_ONCE:
                raise Surprise("it wants to be ticked for ever while no time passes")
            self._now = max(self._now, due)
            self._take(self._peer.tick(self._now))
        self._now = end
        self._take(self._peer.tick(self._now))

    def _take(self, effects: list[Effect]) -> None:
        last: Sent | None = None
        was_online, self._online = self._online, self._peer.floor.state is not State.OFFLINE
        for effect in effects:
            if isinstance(effect, Send):
                if not was_online and not self._online:
                    raise Surprise(f"sent into no connection: {shown('>', words_of_sent(effect.event, ()))}")
                last = Sent(effect.event)
                self._sent.append(last)
                self._since.append(last)
                self._server.hears(effect.event)
                continue
            self._since.append(effect)
            if isinstance(effect, Tell):
                self._tell(effect, last)
            else:
                self._others.append(effect)

    def _tell(self, effect: Tell, last: Sent | None) -> None:
        name, change = str(effect.request_id), effect.change
        if isinstance(self._told.get(name), Outcome) and not (
            isinstance(change, Progress) and change.step is Step.QUEUED and not change.reason
        ):
            raise Surprise(f"{name} had ended, and was told of more")
        self._told[name] = change
        if isinstance(change, Progress) and change.step is Step.SENT:
            if last is None or not isinstance(last.event, ResponseCreate):
                raise Surprise(f"{name} was told that it is sent, but it is not")
            last.names.append(name)
            self._server.knows(name, last.event)
            # A token is name.epoch.ticket.try; the ticket is what the floor knows a request by.
            names = self._names.setdefault(int(str(last.event.event_id).split(".")[-2]), [])
            if name not in names:
                names.append(name)

    # what is compared

    def _nothing_more_was_sent(self) -> None:
        if self._sent:
            raise Surprise(f"sent, but not written: {shown('>', self._sent[0].words())}")

    def _expect_sent(self, line: Line) -> None:
        if not self._sent:
            raise Surprise("not sent")
        sent = self._sent.popleft()
        words = sent.words()
        if not line.words or words[: len(line.words)] != line.words or len(sent.names) >= len(line.words):
            raise Surprise(f"another was sent: {shown('>', words)}")
        wrong = differences(sent.event, line.fields)
        if wrong:
            raise Surprise(f"sent, but with {' '.join(wrong)}")

    def _expect_other(self, line: Line) -> None:
        wanted = line.words
        absent = wanted[0] == "no"
        if absent:
            wanted = wanted[1:]
        found = next((other for other in self._others if words_of(other)[: len(wanted)] == wanted), None)
        if absent and found is not None:
            raise Surprise(f"it is there: {shown('!', words_of(found))}")
        if not absent and found is None:
            raise Surprise("not there")
        if found is not None:
            self._others.remove(found)

    def _expect_state(self, line: Line) -> None:
        first, *rest = line.words
        if first in [state.value for state in State]:
            self._expect_floor(line)
        elif first == "speaker":
            _same(self._peer.speaker.value, rest)
        elif first == "turn":
            _same(self._peer.turn.value, rest)
        elif first == "hold":
            _same(self._peer.held or "nobody", rest)
        elif first == "items":
            _same(
                " ".join(str(getattr(entry.item, "id", "")) for entry in self._peer.items), [" ".join(rest)]
            )
        elif first == "waiting":
            self._expect_waiting(*rest)
        elif first in self._told:
            self._expect_told(first, rest, line)
        else:
            raise NotReadable(f"no state, no request: {first}")

    def _expect_floor(self, line: Line) -> None:
        floor = self._peer.floor
        if floor.state.value != line.words[0]:
            raise Surprise(f"the floor is {floor.state.value}")
        known = {
            floor.response,
            *self._whose(floor.owner),
            *self._whose(floor.claim.number if floor.claim else None),
        }
        if floor.response is not None and floor.owner is None:
            known.add("vad")
        strangers = [word for word in line.words[1:] if word not in known]
        if strangers:
            raise Surprise(f"the floor has nothing of {', '.join(strangers)}")

    def _expect_waiting(self, name: str, because: str = "") -> None:
        change = self._told.get(name)
        if not isinstance(change, Progress) or change.step is not Step.QUEUED:
            raise Surprise(f"{name} does not wait")
        why = self._peer.explain(RequestId(name), self._now)
        if because not in why:
            raise Surprise(f"another reason: {why}")

    def _expect_told(self, name: str, rest: list[str], line: Line) -> None:
        change = self._told[name]
        words = words_of(Tell(RequestId(name), change))[1:]
        if not rest or words[0] != rest[0]:
            raise Surprise(f"{name} is {words[0]}")
        facts: dict[str, object] = {"reason": change.reason}
        if isinstance(change, Outcome):
            facts |= {"code": ABSENT if change.code is None else change.code, "attempts": change.attempts}
            facts |= {"uncertain": change.uncertain, "waited_s": change.waited_s}
            heard_ms = change.heard_ms or 0.0
            if rest[1:] and abs(heard_ms - milliseconds(rest[1])) > 1.0:
                raise Surprise(f"{name} was heard for {heard_ms:g}ms")
        wanted = {"uncertain": False, **line.fields} if isinstance(change, Outcome) else line.fields
        for fact, value in wanted.items():
            if fact not in facts or facts[fact] != value:
                raise Surprise(f"{name} has {fact}={facts.get(fact)}")

    def _whose(self, number: int | None) -> list[str]:
        return [] if number is None else self._names.get(number, [])


def _same(there: str, words: list[str]) -> None:
    if words != [there]:
        raise Surprise(f"it is: {there}")


def _as_written(each: Effect | Sent) -> str:
    if isinstance(each, Sent):
        return shown(">", each.words())
    return shown("=" if isinstance(each, Tell) else "!", words_of(each))


def _report(script: Script, at: int, complaint: str, really: list[str]) -> str:
    mark = script.lines[at].number if script.lines else 0
    lines = [f"--> {text}" if number == mark else f"    {text}" for number, text in enumerate(script.text)]
    return "\n".join([complaint, "", *lines, "", "really:", *(f"    {text}" for text in really)])
