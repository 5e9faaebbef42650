"""Feed a journal's inputs to a fresh core: does it do the same again, and where does it part?

    replayed = replay(path.read_text(encoding="utf-8").splitlines())
    print(describe(replayed))

The core has no clock and no chance, so the same inputs at the same times give the same effects. Where they do not, the
code is another than the one that wrote the journal, or the journal is not what happened. What is compared is what the
journal shows: with its words hidden, words are not compared.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from charye.core.effects import Effect
from charye.core.peer import Peer
from charye.core.settings import Settings
from charye.errors import ConfigurationError, LocalProtocolError
from charye.protocol import ServerEvent, UnknownEvent, audio_base64
from charye.protocol.server_events import KnownServerEvent
from charye.session.journal import version
from charye.session.journal_inputs import INPUTS, feed
from charye.session.journal_lines import DID, line_of
from charye.session.redaction import AUDIO_BYTES, How, Json, same_but_for_lengths
from charye.session.replay_lines import Line, Start, read
from charye.session.replay_text import told

__all__ = ["Input", "Parting", "Replayed", "describe", "replay"]

_SERVER_EVENT: Any = KnownServerEvent
_AUDIO_MAX_BYTES = 64 * 1024 * 1024
"""More in one event is no journal of ours, and would be memory for nothing."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input, as its line tells it.

    Args:
        line: its number, `n` in the journal.
        at: seconds on the session's clock.
        facts: the rest of the line.
    """

    line: int
    at: float
    facts: Json


@dataclass(frozen=True, slots=True)
class Parting:
    """Where the core does something else than the journal says.

    Args:
        line: of the effect that is another one, or is not there now; of the input, if an effect is there now that
            the journal has not.
        input: what was fed last.
        expected: the effect in the journal; None: there is none.
        got: the effect of now, as its line would be; None: there is none.
    """

    line: int
    input: Input
    expected: Json | None
    got: Json | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it.

    Args:
        inputs: all that were fed, the one that parted included.
        effects: what the core did now, for each input.
        parted: None, if it did the same throughout.
        is_whole: the journal has its last line. If not, effects of the last input may be missing; that is no parting.
        warnings: what to keep in mind when reading the rest.
        start: the header.
    """

    inputs: tuple[Input, ...]
    effects: tuple[tuple[Effect, ...], ...]
    parted: Parting | None
    is_whole: bool
    warnings: tuple[str, ...]
    start: Start


@dataclass(slots=True)
class _Turn:
    """An input, and what the journal has of it. `is_last`: nothing followed, because the journal was closed."""

    line: Line
    effects: list[Line] = field(default_factory=list)
    is_last: bool = False


def replay(lines: Iterable[str]) -> Replayed:
    """Replay a journal, to its end or to the first difference.

    What the core itself raises, but for an illegal input, is not caught: it is the bug that is looked for.

    Args:
        lines: of the journal; those of several files of a rotated one after another, the oldest first.
    Raises:
        ConfigurationError: it is no journal, its front is lost, or lines are missing in it; `line` tells where, counted
            in what was read, from 1.
    """
    start, rest = read(lines)
    try:
        peer = Peer(msgspec.convert(start.settings, Settings))
    except (TypeError, ValueError) as error:
        raise ConfigurationError("the journal's settings do not fit", option="lines", line=1) from error
    inputs: list[Input] = []
    effects: list[tuple[Effect, ...]] = []
    parted: Parting | None = None
    is_whole = False
    turns = _turns(rest)
    turn = next(turns, None)
    while turn is not None and parted is None:
        following = next(turns, None)
        given = Input(turn.line.number, turn.line.at, turn.line.facts)
        done = _feed(peer, turn.line)
        inputs.append(given)
        effects.append(done)
        is_whole = turn.is_last
        may_be_cut = following is None and not is_whole
        parted = _compare(given, turn.effects, _as_recorded(done, start.how), may_be_cut=may_be_cut)
        turn = following
    return Replayed(tuple(inputs), tuple(effects), parted, is_whole, _warnings(start), start)


def describe(replayed: Replayed, *, last: int | None = None) -> str:
    """The replay for people, in the marks of our transcripts: `@` app, `~` time, `<` received, `>` sent, `=` effect.

    Args:
        last: only so many inputs before the end, or before the parting.
    """
    start, parted = replayed.start, replayed.parted
    count = sum(len(done) for done in replayed.effects)
    lines = [f"charye {start.version}: {len(replayed.inputs)} inputs, {count} effects", *replayed.warnings]
    told_of = list(zip(replayed.inputs, replayed.effects, strict=True))
    for given, done in told_of if last is None else told_of[max(0, len(told_of) - last) :]:
        lines.append(f"{given.at - start.at:10.3f} {told(given.facts)}")
        lines += [f"{'':10} {told(facts)}" for facts in _as_recorded(done, start.how)]
    if parted is None:
        lines.append("the same throughout" if replayed.is_whole else "the same, as far as the journal goes")
    else:
        lines.append(f"parted at line {parted.line}, after the input of line {parted.input.line}")
        lines.append(f"  the journal: {'nothing' if parted.expected is None else told(parted.expected)}")
        lines.append(f"  now:         {'nothing' if parted.got is None else told(parted.got)}")
    return "\n".join(lines)


def _turns(lines: Iterator[Line]) -> Iterator[_Turn]:
    """Each input with the effects that follow it. What was told to nobody (sent, noted, malformed) is passed over."""
    turn: _Turn | None = None
    for line in lines:
        mark = line.facts["mark"]
        if mark in ("@", "~") or (mark == "<" and "malformed" not in line.facts):
            if turn is not None:
                yield turn
            turn = _Turn(line)
        elif turn is None:
            if mark == "=":
                raise ConfigurationError("an effect without an input", option="lines", line=line.place)
        elif mark == "=":
            turn.effects.append(line)
        elif "closed" in line.facts:
            turn.is_last = True
    if turn is not None:
        yield turn


def _feed(peer: Peer, line: Line) -> tuple[Effect, ...]:
    facts, event = line.facts, None
    method, given = "", {}
    try:
        if facts["mark"] == "<":
            event = _event(facts["event"])
        else:
            method = facts["do"]
            row, written = INPUTS[method], facts.get("with", {})
            given = {name: msgspec.convert(written[name], row.takes[name]) for name in (*row.needs, *written)}
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            "an input of the journal does not fit", option="lines", line=line.place
        ) from error
    try:
        return tuple(peer.receive(event, line.at) if event else feed(peer, method, given, line.at))
    except LocalProtocolError:
        return ()  # nothing has changed, then as now


def _event(facts: Json) -> ServerEvent:
    if facts.get("unknown"):
        return UnknownEvent(
            type=str(facts["type"]),
            event_id=facts.get("event_id"),
            data=str(facts.get("data", "")).encode("utf-8", "replace"),
            response_id=facts.get("response_id"),
        )
    if AUDIO_BYTES in facts:
        samples = facts[AUDIO_BYTES]
        if not 0 <= samples <= _AUDIO_MAX_BYTES:
            raise ValueError("more audio than an event can hold")
        facts = {**facts, "delta": audio_base64(bytes(samples))}
    event: ServerEvent = msgspec.convert(facts, _SERVER_EVENT)
    return event


def _as_recorded(effects: tuple[Effect, ...], how: How) -> list[Json]:
    """The effects as their lines would be read, by the same way that lines take."""
    found = []
    for effect in effects:
        facts = json.loads(line_of(0, (0, DID, 0.0, effect), how))
        found.append({name: value for name, value in facts.items() if name not in ("n", "at")})
    return found


def _compare(given: Input, recorded: list[Line], done: list[Json], *, may_be_cut: bool) -> Parting | None:
    for place in range(max(len(recorded), len(done))):
        line = recorded[place] if place < len(recorded) else None
        got = done[place] if place < len(done) else None
        if line is None:
            return None if may_be_cut else Parting(given.line, given, None, got)
        if got is None or not same_but_for_lengths(line.facts, got):
            return Parting(line.number, given, line.facts, got)
    return None


def _warnings(start: Start) -> tuple[str, ...]:
    if start.version == version():
        return ()
    return (f"written by charye {start.version}, replayed by {version()}: it may part for that alone",)
