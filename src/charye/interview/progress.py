"""How far an interview is: everything that must survive a pause, a crash or a move to another machine.

No word of the learner's is in it, only counts and decisions; so it may be stored and logged.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from charye.errors import ConfigurationError, LocalProtocolError
from charye.interview.levels import Level
from charye.interview.moves import Move, Reason, Wording
from charye.interview.plan import Phase, Plan, Task
from charye.interview.search import Search, plus, provisional_floor
from charye.interview.surface import EMPTY, Surface
from charye.interview.turn_score import Past, Signal

__all__ = ["Awaiting", "Flag", "OnTask", "Outcome", "Progress", "Scored", "State", "change", "change_on"]

VERSION = 1
FEW_WORDS = 25
"""Own Korean words below which no level is given."""
FEW_ANSWERS = 4


class Awaiting(StrEnum):
    """What the interviewer waits for."""

    ANSWER = "answer"
    MICROPHONE = "microphone"  # any sign of life
    STOP_CONFIRMATION = "stop_confirmation"
    RESUMPTION = "resumption"
    NOTHING = "nothing"  # it is over


class Flag(StrEnum):
    """What the report should say about the conditions. The words are those of the report."""

    ASR_DOUBT = "asr_doubt"
    WRONG_LANGUAGE = "wrong_language"
    MEMORISED = "memorised"
    ASSISTED = "assisted"
    STOPPED_EARLY = "stopped_early"
    SILENCE = "silence"


class Scored(Struct, frozen=True, kw_only=True):
    """A task that is done.

    Args:
        score: 0, 1 or 2; None if it does not count: warm-up, wind-down, and what was skipped.
        band: where the answer stood by its form.
        words: own Korean ones.
        at_s: when it was done, if the caller told.
    """

    task: str
    level: Level
    phase: Phase
    score: int | None
    signals: tuple[Signal, ...] = ()
    band: float = 0.0
    words: int = 0
    latency_ms: float | None = None
    at_s: float | None = None


class OnTask(Struct, frozen=True, kw_only=True):
    """What has happened since the present task was asked.

    Args:
        heard: the answer so far.
        silence: how many stages of silence were spoken to.
        requests: repeat, slower, rephrase, and other questions back.
        follow_up: which of its follow-up questions stands, or None.
        fresh: a monologue was left out, so the answer to the follow-up counts alone, and half as long will do.
    """

    task: str
    wording: Wording = Wording.FULL
    heard: Surface = EMPTY
    latency_ms: float | None = None
    silence: int = 0
    requests: int = 0
    unclear: int = 0
    invited: bool = False
    redirected: bool = False
    simplified: bool = False
    follow_up: str | None = None
    fresh: bool = False
    noted: tuple[Signal, ...] = ()


class State(Struct, frozen=True, kw_only=True):
    """The part of the progress that is stored.

    Args:
        seed: decides between tasks that fit equally well.
        language: of the glosses, or None for none.
        claimed: the level that the learner gave themselves, or None.
        earlier: tasks of earlier interviews, the latest last; avoided while there are others.
        awaiting: what is waited for.
        on: the present task; None before the first and after the last.
        record: the tasks that are done.
        turns: answers of the learner.
        exchanges: everything that arrived.
        phase_turns: answers in each phase.
        words: own Korean ones; what was learned by heart is none.
        silent: tasks in a row that met only silence.
        said: numbers that stand for runs of words, of each answer; see `turn_score.shingles`.
        ending: why the last question is the last one.
        reason: why it is over.
        withheld: the learner's last words are not to be kept.
        skipped: tasks in which nothing could be understood.
        recited: tasks that were answered by heart, twice.
        last: the interviewer's last move, without any word of the learner's.
    """

    seed: int
    last: Move
    version: int = VERSION
    language: str | None = None
    claimed: int | None = None
    earlier: tuple[str, ...] = ()
    phase: Phase = Phase.WARM_UP
    awaiting: Awaiting = Awaiting.ANSWER
    search: Search = Search(level=0)
    on: OnTask | None = None
    record: tuple[Scored, ...] = ()
    turns: int = 0
    exchanges: int = 0
    phase_turns: dict[Phase, int] = {}
    words: int = 0
    elapsed_s: float | None = None
    slow: bool = False
    silent: int = 0
    dont_knows: int = 0
    follow_ups: int = 0
    extra: int = 0
    skipped: int = 0
    recited: int = 0
    role_played: bool = False
    requests: int = 0
    flags: tuple[Flag, ...] = ()
    said: tuple[tuple[int, ...], ...] = ()
    ending: Reason | None = None
    reason: Reason | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the interview found.

    Args:
        floor: highest step that was sustained; -1: below A1.
        ceiling: lowest step that broke down; 6: none did.
        plus: the next level was nearly sustained.
        settled: the search came to its end; else the floor is a best guess.
        enough: there is enough speech for a level.
    """

    floor: int
    ceiling: int
    plus: bool
    settled: bool
    enough: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """An interview under way: the plan, and how far it is. Frozen; `policy.step` gives the next one."""

    plan: Plan
    state: State

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self.state.reason is not None

    @property
    def task(self) -> Task | None:
        """What is being talked about."""
        return None if self.state.on is None else self.plan.tasks[self.state.on.task]

    @property
    def present(self) -> tuple[OnTask, Task]:
        """What is being talked about, and what has happened since it was asked.

        Raises:
            LocalProtocolError: nothing is; while an answer is awaited there always is something.
        """
        on = self.state.on
        if on is None:
            raise LocalProtocolError("no task is being talked about", state=self.state.phase.value)
        return on, self.plan.tasks[on.task]

    @property
    def past(self) -> Past:
        """The learner's earlier answers."""
        spoken = [done for done in self.state.record if done.words]
        return Past(
            latencies_ms=tuple(done.latency_ms for done in spoken if done.latency_ms is not None),
            words=tuple(done.words for done in spoken),
            bands=tuple(done.band for done in spoken),
        )

    @property
    def outcome(self) -> Outcome:
        """What was found so far."""
        search = self.state.search
        return Outcome(
            floor=provisional_floor(search),
            ceiling=search.ceiling,
            plus=plus(search),
            settled=search.settled is not None,
            enough=self.enough,
        )

    @property
    def enough(self) -> bool:
        """Whether there is enough speech for a level: 25 own Korean words, in four answers."""
        answers = sum(1 for done in self.state.record if done.words)
        return self.state.words >= FEW_WORDS and answers >= FEW_ANSWERS

    def to_json(self) -> bytes:
        """The state; the plan is kept by whoever stores it."""
        return msgspec.json.encode(self.state)

    @classmethod
    def from_json(cls, plan: Plan, data: bytes) -> "Progress":
        """The progress that was stored.

        Raises:
            ConfigurationError: the data is none, is of another version, or names a task that the plan does not have.
        """
        try:
            state = msgspec.json.decode(data, type=State)
        except msgspec.DecodeError as error:  # a ValidationError is one too
            raise ConfigurationError(
                "this is no stored interview", option="interview", problem=str(error)
            ) from error
        if state.version != VERSION:
            raise ConfigurationError("the interview was stored by another version", option="interview")
        if state.awaiting is Awaiting.ANSWER and state.on is None:
            raise ConfigurationError(
                "this is no stored interview", option="interview", problem="it has no task"
            )
        named = [done.task for done in state.record] + ([state.on.task] if state.on else [])
        missing = sorted({task for task in named if task not in plan.tasks})
        if missing:
            raise ConfigurationError(
                "the bank lacks a task of this interview", option="bank", task=missing[0]
            )
        return cls(plan, state)


def change(progress: Progress, **fields: object) -> Progress:
    """The progress with these fields of its state changed."""
    return Progress(progress.plan, replace(progress.state, **fields))


def change_on(progress: Progress, **fields: object) -> Progress:
    """The progress with these fields of the present task changed; the same if there is none."""
    on = progress.state.on
    return progress if on is None else change(progress, on=replace(on, **fields))
