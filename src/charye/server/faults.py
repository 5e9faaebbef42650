"""Faults: a server that misbehaves on request, by name and seed, the same way every time.

Three ways to ask for them:

    a server     serving(..., settings=ServeSettings(faults=Faults.parse("latency:out_ms=200")))
                 charye serve --fault latency:out_ms=200 --seed 7
    a session    ws://127.0.0.1:8600/v1/realtime?model=m&fault=lost_done:nth=2,latency&seed=7
    a client     sends, as its first event:  {"type": "charye.fault", "fault": "lost_done:nth=2", "seed": 7}

A list is separated by commas; options follow a name, each behind a colon. Options that all have: `nth` (the first
occasion that counts), `times` (how many; 0: all), `chance` (of each, by the seed). The rest is in `catalogue()`.

Each strike is a `Note` among the effects that `observe` sees, and a line of the log, with name, seed and session. The
same faults with the same seed strike the same way, so a line of the log is all that is needed to have a failure again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from charye.errors import ConfigurationError
from charye.server.faulting import answers, dialects, endings, network, refusing, turns
from charye.server.faulting.stage import Fault, Option, Options, Seen, Stage

__all__ = ["FAULTS", "FIRST_EVENT", "SCENARIOS", "Entry", "Faults", "catalogue"]

FIRST_EVENT = "charye.fault"
"""The `type` of a first event that asks for faults."""

SCENARIOS: Mapping[str, type[Fault]] = MappingProxyType(
    {
        "vad_wins": refusing.VadWins,
        "refused_after_done": refusing.RefusedAfterDone,
        "anonymous_refusal": refusing.AnonymousRefusal,
        "created_late": refusing.CreatedLate,
        "slow_cancel": refusing.SlowCancel,
        "crossed_cancel": refusing.CrossedCancel,
        "parallel_calls": answers.ParallelCalls,
        "noise_turn": turns.NoiseTurn,
        "aside_first": turns.AsideFirst,
        "lost_done": endings.LostDone,
        "barge_in_after_done": turns.BargeInAfterDone,
        "hang_up": network.HangUp,
        "drop": network.Drop,
        "barge_in_on_tool": turns.BargeInOnTool,
        "words_and_call": answers.WordsAndCall,
    }
)
"""What was seen in the field, each one reported against several clients."""

FAULTS: Mapping[str, type[Fault]] = MappingProxyType(
    {
        **SCENARIOS,
        # relatives of the scenarios
        "refused": refusing.Refused,
        "refused_before_created": refusing.RefusedBeforeCreated,
        "reply_gap": refusing.ReplyGap,
        "late_done": endings.LateDone,
        "doubled_done": endings.DoubledDone,
        "garbled_done": endings.GarbledDone,
        "stray_error": endings.StrayError,
        "stuck": answers.Stuck,
        "long_answer": answers.LongAnswer,
        "failed_response": answers.FailedResponse,
        "tool_only": answers.ToolOnly,
        "truncate_refused": turns.TruncateRefused,
        # promises not kept
        "null_ids": dialects.NullIds,
        "code_in_type": dialects.CodeInType,
        "text_only": dialects.TextOnly,
        "no_metadata": dialects.NoMetadata,
        "supersede": dialects.Supersede,
        # the way between
        "latency": network.Latency,
        "reordered": network.Reordered,
        "stall": network.Stall,
        "garbage": network.Garbage,
        "half_close": network.HalfClosed,
        "cut": network.CutAtByte,
        "expiry": network.Expiry,
    }
)
"""All of them, by name."""

# The way between client and server is outside of everything else: the bytes that are counted are those that leave.
_OUTERMOST = ("latency", "stall", "half_close", "cut")


@dataclass(frozen=True, slots=True)
class Entry:
    """What people can know about a fault.

    Args:
        about: what the server does.
        options: its own, and the three of all where their values differ, with what they are if nobody sets them.
    """

    name: str
    about: str
    options: Mapping[str, Option]


def catalogue() -> tuple[Entry, ...]:
    """All faults; those seen in the field come first."""
    return tuple(
        Entry(name, " ".join((kind.__doc__ or "").split("\n\n")[0].split()), MappingProxyType(kind.OPTIONS))
        for name, kind in FAULTS.items()
    )


@dataclass(frozen=True, slots=True)
class Faults:
    """A choice of faults, and the seed of all chance in them. Made by `parse`.

    Args:
        chosen: names with the options that were set.
    """

    chosen: tuple[tuple[str, tuple[tuple[str, Option], ...]], ...] = ()
    seed: int = 0

    @classmethod
    def parse(cls, text: str | Iterable[str], *, seed: int = 0) -> "Faults":
        """Read `name:option=value:option=value,name`; empty means none.

        Raises:
            ConfigurationError: a name or an option that there is not, or a value that is none; `option` is the word.
        """
        listed = [text] if isinstance(text, str) else list(text)
        words = [word.strip() for part in listed for word in part.split(",")]
        chosen = tuple(_read(word) for word in words if word)
        for name, options in chosen:
            _check(name, dict(options))
        return cls(chosen, seed)

    @property
    def text(self) -> str:
        """As `parse` reads it."""
        return ",".join(
            ":".join([name, *(f"{option}={_plain(value)}" for option, value in options)])
            for name, options in self.chosen
        )

    def __bool__(self) -> bool:
        return bool(self.chosen)

    def stage(self) -> Stage:
        """A stage for one session on which these faults play."""
        seen = Seen()
        ordered = sorted(
            self.chosen, key=lambda one: _OUTERMOST.index(one[0]) + 1 if one[0] in _OUTERMOST else 0
        )
        # Each has chance of its own, so that adding a fault does not change what the others do.
        made = [
            (name, FAULTS[name](dict(options), Random(f"{self.seed} {name} {place}"), seen))
            for place, (name, options) in enumerate(ordered)
        ]
        return Stage(made, seen)


def _plain(value: Option) -> str:
    return value if isinstance(value, str) else f"{value:.15g}"


def _read(word: str) -> tuple[str, tuple[tuple[str, Option], ...]]:
    name, *settings = word.split(":")
    options: list[tuple[str, Option]] = []
    kind = FAULTS.get(name)
    if kind is None:
        raise ConfigurationError("there is no fault of this name; `charye faults` lists them", option=name)
    known = kind.STRIKES | kind.OPTIONS
    for setting in settings:
        option, _, value = setting.partition("=")
        if option not in known:
            raise ConfigurationError(
                "the fault has no such option; `charye faults` lists them", option=setting
            )
        try:
            options.append((option, value if isinstance(known[option], str) else float(value)))
        except ValueError:
            raise ConfigurationError("the option of a fault is a number", option=setting) from None
    return name, tuple(options)


def _check(name: str, options: Options) -> None:
    for option, value in options.items():
        if isinstance(value, float) and not 0 <= value < float("inf"):
            raise ConfigurationError("the option of a fault is no such number", option=f"{option}={value}")
        allowed = _WORDS.get((name, option))
        if allowed is not None and value not in allowed:
            listed = ", ".join(allowed)
            raise ConfigurationError(f"the option of a fault is one of: {listed}", option=f"{option}={value}")


_WORDS: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("anonymous_refusal", "how"): ("any", *refusing.AnonymousRefusal.HOW),
        ("drop", "at"): ("any", "create", *network.Drop.MOMENTS),
    }
)
