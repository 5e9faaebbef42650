"""The plan of an interview as data: limits, patience, what an answer needs, and the bank of tasks.

A bank is one or more TOML files. A teacher's files are added to ours, or used instead of them:

    level = "B1"                       # for every task of the file that names none

    [[task]]
    id = "school-festival"             # in all files together, once
    function = "narrate"               # one of FAMILIES
    topic = "work"
    ko = "학교 축제 이야기를 해 주세요. 무슨 일이 있었어요?"
    simple = "학교 축제에서 뭐 했어요?"     # the same in simpler words
    gloss.en = "Tell me about a school festival. What happened?"
    follow_ups = ["그때 기분이 어땠어요?"]
    use = "search"                     # or "warm_up", "wind_down"
    role_play = false
    refers_back = false                # it speaks about the learner's last answer
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from importlib import resources
from pathlib import Path

import msgspec
from msgspec import Struct

from charye.errors import ConfigurationError
from charye.interview import toml_lines
from charye.interview.hangul import has_hangul
from charye.interview.levels import LEVELS, Level
from charye.interview.lines import Lines, load_lines

__all__ = [
    "FAMILIES",
    "Answers",
    "Family",
    "Limits",
    "Phase",
    "Plan",
    "Silence",
    "Task",
    "Use",
    "bundled_bank",
    "load",
]


class Phase(StrEnum):
    """Where an interview is."""

    WARM_UP = "warm_up"
    LEVEL_CHECK = "level_check"
    PROBE = "probe"
    WIND_DOWN = "wind_down"
    CLOSED = "closed"


class Use(StrEnum):
    """What a task is for."""

    WARM_UP = "warm_up"
    SEARCH = "search"
    WIND_DOWN = "wind_down"


class Family(Enum):
    """What kind of talk a function calls for."""

    TELL = "tell"
    ARGUE = "argue"
    DEAL = "deal"


FAMILIES: dict[str, Family] = {
    **dict.fromkeys(
        (
            "identify",
            "list",
            "routine",
            "preference",
            "report",
            "describe",
            "plan",
            "narrate",
            "summarise",
            "explain",
        ),
        Family.TELL,
    ),
    **dict.fromkeys(("register", "synthesise"), Family.TELL),
    **dict.fromkeys(
        (
            "reason",
            "choose",
            "compare",
            "opinion",
            "solve",
            "weigh",
            "propose",
            "predict",
            "argue",
            "hypothesise",
        ),
        Family.ARGUE,
    ),
    **dict.fromkeys(("criteria", "analyse", "rebut", "critique"), Family.ARGUE),
    **dict.fromkeys(("request", "complain", "negotiate", "persuade"), Family.DEAL),
}
"""Every function that a task may have."""

TOLD_AS_PAST = frozenset({"report", "narrate"})
"""Functions whose answers are told as past."""


class Task(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to talk about; the fields are explained on top of the module."""

    id: str
    level: Level
    function: str
    topic: str
    ko: str
    simple: str
    gloss: dict[str, str] = {}
    follow_ups: tuple[str, ...] = ()
    use: Use = Use.SEARCH
    role_play: bool = False
    refers_back: bool = False

    @property
    def family(self) -> Family:
        """Of its function."""
        return FAMILIES[self.function]


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an interview ends, whatever is said. The values are in `data/plan.toml`, with what they mean."""

    max_turns: int
    min_turns: int
    min_words: int
    min_s: float
    extra_tasks: int
    max_s: float
    wind_down_s: float
    max_exchanges: int
    follow_ups: int
    requests_per_task: int
    phase_turns: dict[Phase, int]


class Silence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Milliseconds without a word, counted from the end of the question, after which something is said."""

    encourage_ms: int
    encourage_beginner_ms: int
    ask_again_ms: int
    move_on_ms: int


class Answers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an answer needs, per level from A1 to C2.

    Args:
        words: own Korean words of a sustained answer.
        seconds: that it usually takes; for whoever shows a clock.
        slow_speed: of the voice, once the learner has asked for slower speech.
    """

    words: tuple[int, ...]
    seconds: tuple[int, ...]
    slow_speed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that an interview is made from.

    Args:
        tasks: by id, in the order of the files.
        places: where each task stands, as `file:line`.
        lines: what the interviewer says besides.
    """

    limits: Limits
    silence: Silence
    answers: Answers
    tasks: dict[str, Task] = field(repr=False)
    lines: Lines = field(repr=False)
    places: dict[str, str] = field(default_factory=dict, repr=False)

    def at(self, step: int, use: Use = Use.SEARCH) -> list[Task]:
        """The tasks of a level, in the order of the files."""
        return [task for task in self.tasks.values() if task.use is use and task.level.step == step]


class _Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    limits: Limits
    silence: Silence
    answers: Answers


def bundled_bank() -> Path:
    """The folder of our own bank."""
    return Path(str(resources.files("charye.interview").joinpath("bank")))


def load(*banks: Path | str, bundled: bool = True, limits: Limits | None = None) -> Plan:
    """The plan with our bank and these.

    Args:
        banks: files, or folders with `*.toml` in them.
        bundled: use our own bank too.
        limits: instead of ours.
    Raises:
        ConfigurationError: a file cannot be read, a task does not fit, an id is there twice, or a level has no task;
            `option` is the file, with the line where there is one.
    """
    text = resources.files("charye.interview").joinpath("data", "plan.toml").read_text(encoding="utf-8")
    settings = msgspec.convert(toml_lines.parse(text, name="plan.toml").data, _Settings)
    tasks: dict[str, Task] = {}
    places: dict[str, str] = {}
    for file in _files([bundled_bank(), *banks] if bundled else banks):
        for task, place in _tasks(file):
            if task.id in tasks:
                raise ConfigurationError(
                    "two tasks have the same id", option=place, task=task.id, first=places[task.id]
                )
            tasks[task.id] = task
            places[task.id] = place
    plan = Plan(
        limits=limits or settings.limits,
        silence=settings.silence,
        answers=settings.answers,
        tasks=tasks,
        lines=load_lines(),
        places=places,
    )
    _check_whole(plan)
    return plan


def _files(banks: Iterable[Path | str]) -> list[Path]:
    found: list[Path] = []
    for bank in map(Path, banks):
        if not bank.is_dir():
            found.append(bank)
            continue
        inside = sorted(bank.glob("*.toml"))
        if not inside:
            raise ConfigurationError("the folder holds no *.toml", option=str(bank))
        found += inside
    return found


def _tasks(file: Path) -> list[tuple[Task, str]]:
    document = toml_lines.read(file)
    unknown = sorted(set(document.data) - {"version", "level", "task"})
    if unknown:
        raise ConfigurationError(
            "a bank holds `level` and [[task]]", option=str(file), unknown=", ".join(unknown)
        )
    if document.data.get("version", 1) != 1:
        raise ConfigurationError("this version of the bank is not known", option=str(file))
    defaults = {"level": document.data["level"]} if "level" in document.data else {}
    entries = document.entries("task", Task, **defaults)
    for index, (task, _) in enumerate(entries):
        for key, problem in _faults(task):
            raise ConfigurationError(problem, option=document.place("task", index, key), task=task.id)
    return entries


def _faults(task: Task) -> Iterable[tuple[str, str]]:
    """What makes a task useless, with the key that is to blame. What is only poor is in `bank_check`."""
    if not task.id.strip():
        yield "id", "a task needs an id"
    if task.function not in FAMILIES:
        yield "function", "the function is not known; see plan.FAMILIES"
    if not task.topic.strip():
        yield "topic", "a task needs a topic"
    for key, words in (
        ("ko", task.ko),
        ("simple", task.simple),
        *(("follow_ups", text) for text in task.follow_ups),
    ):
        if not has_hangul(words):
            yield key, "there is no Korean in it"


def _check_whole(plan: Plan) -> None:
    for level in LEVELS:
        if len([task for task in plan.at(level.step) if not task.refers_back]) < 2:
            raise ConfigurationError("a level needs at least two tasks", option="bank", level=level.value)
    for use in (Use.WARM_UP, Use.WIND_DOWN):
        if not plan.at(Level.A1.step, use):
            raise ConfigurationError("the bank needs a task of this use for A1", option="bank", use=use.value)
