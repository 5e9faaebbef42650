"""Simulated learners: what people of a level, and people of a mood, answer. For demonstrations and tests.

They know nothing of the policy and tell it nothing but words and times, as a recogniser would. Their answers are ours
(`data/learners.toml`). Chance comes from the seed alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random
from typing import Protocol

from msgspec import Struct

from charye.interview import toml_lines
from charye.interview.hearing import TurnEvidence
from charye.interview.levels import LEVELS, Level
from charye.interview.moves import (
    AskAgain,
    CheckMicrophone,
    Close,
    ConfirmStop,
    FollowUp,
    Listen,
    Move,
    Pause,
)
from charye.interview.plan import FAMILIES, Plan, Task
from charye.interview.policy import Progress, silence_deadline_ms, start, step

__all__ = ["MOODS", "Learner", "Moody", "SimulatedLearner", "converse"]

_WORDS_PER_S = (0.7, 1.0, 1.3, 1.5, 1.7, 1.8)
_LATENCY_MS = (4000, 3000, 2000, 1300, 900, 800)
_INTERVIEWER_WORDS_PER_S = 2.0


class Learner(Protocol):
    """Somebody who answers."""

    @property
    def claimed(self) -> Level | None:
        """The level they give themselves; None: they cannot say."""
        ...

    def hear(self, move: Move, task: Task | None) -> TurnEvidence | None:
        """What they say to this; None for silence. `task` is the one that is talked about."""
        ...


def converse(
    plan: Plan, learner: Learner, *, seed: int, language: str | None = None, earlier: tuple[str, ...] = ()
) -> Iterator[tuple[Progress, Move, TurnEvidence]]:
    """A whole interview, step by step: how far it is, the interviewer's next move, and what led to it.

    Args:
        seed: of the choice of tasks.
        language, earlier: as for `policy.start`.
    """
    progress, move = start(plan, seed=seed, claimed=learner.claimed, language=language, earlier=earlier)
    at_s = 0.0
    while not progress.closed:
        at_s += len(move.say.split()) / _INTERVIEWER_WORDS_PER_S
        said = learner.hear(move, progress.task)
        if said is None:
            silence_ms = silence_deadline_ms(progress) or 0.0
            at_s += silence_ms / 1000
            said = TurnEvidence(silence_ms=silence_ms, at_s=at_s)
        else:
            at_s += (said.latency_ms or 0.0) / 1000 + (said.duration_ms or 0.0) / 1000
            said = TurnEvidence(
                text=said.text, duration_ms=said.duration_ms, latency_ms=said.latency_ms, at_s=at_s
            )
        progress, move = step(progress, said)
        yield progress, move, said


class _Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    level: Level
    topic: str
    kind: str
    part: str
    ko: str


@cache
def _answers() -> tuple[_Answer, ...]:
    text = resources.files("charye.interview").joinpath("data", "learners.toml").read_text(encoding="utf-8")
    document = toml_lines.parse(text, name="learners.toml")
    return tuple(answer for answer, _ in document.entries("answer", _Answer))


_GIVING_UP = (
    "모르겠어요.",
    "음... 잘 모르겠어요.",
    "죄송해요. 단어를 몰라요.",
    "너무 어려워요.",
    "한국어로 말 못 하겠어요.",
    "생각이 안 나요.",
)
_REQUESTS = ("네? 다시 한번 말해 주세요.", "천천히 말해 주세요.", "무슨 뜻이에요?")
_INVENTED = ("시청해 주셔서 감사합니다.", "네 네 네 네 네 네 네", "")
_ENGLISH = (
    "I think it is very good because I can do it with my friends.",
    "Sorry, I don't know how to say this in Korean at all.",
)
_ONE_WORD = ("네.", "좋아요.", "아니요.", "그냥요.")


@dataclass
class SimulatedLearner:
    """Somebody who speaks at a level.

    At small questions they answer shortly; at a task one level above theirs they often, and further up mostly, fall
    short or give up.

    Args:
        level: the truth.
        seed: of everything they do.
        noise: share of turns that are not like them: silence, a noise, a lucky or an unlucky answer, another topic,
            one word, English, a request.
    """

    level: Level
    seed: int
    noise: float = 0.1

    def __post_init__(self) -> None:
        self._random = Random(f"{self.level} {self.seed}")
        self._used: set[str] = set()
        self._last = ""
        self._forgiven = False  # one odd turn at a time

    @property
    def claimed(self) -> Level | None:
        """What they think of themselves: right, one off, or no idea."""
        random = Random(f"claim {self.level} {self.seed}")
        off = random.choice((-1, 0, 0, 1, None))
        return None if off is None else Level.at(self.level.step + off)

    def hear(self, move: Move, task: Task | None) -> TurnEvidence | None:
        """Their answer."""
        if isinstance(move, CheckMicrophone):
            return self._spoken("네, 잘 들려요.")
        if isinstance(move, ConfirmStop):
            return self._spoken("아니요, 계속할게요.")
        if isinstance(move, Pause | Listen | Close) or task is None:
            return self._spoken("네.")
        if isinstance(move, AskAgain) and self._last:
            return self._spoken(self._last)
        if self._random.random() < self.noise and not self._forgiven:
            self._forgiven = True
            return self._odd(task)
        self._forgiven = False
        return self._spoken(self._try(task, more=isinstance(move, FollowUp)))

    def _try(self, task: Task, *, more: bool) -> str:
        above = task.level.step - self.level.step
        if above <= -2:
            return self._answer(Level.at(task.level.step + 1), task)
        if above <= 0:
            return self._answer(self.level, task)
        chance = self._random.random()
        gives_up, falls_short = (0.2, 0.5) if above == 1 else (0.4, 0.8)
        if chance < gives_up and not more:
            return self._random.choice(_GIVING_UP)
        whole = self._answer(self.level, task)
        return self._halting(whole) if chance < falls_short else whole

    def _odd(self, task: Task) -> TurnEvidence | None:
        kind = self._random.choice(
            ("silent", "noise", "lucky", "unlucky", "elsewhere", "one word", "english", "request")
        )
        match kind:
            case "silent":
                return None
            case "noise":
                return self._spoken(self._random.choice(_INVENTED))
            case "lucky" | "unlucky":
                off = 1 if kind == "lucky" else -1
                return self._spoken(self._answer(Level.at(self.level.step + off), task))
            case "elsewhere":
                others = [
                    answer.ko
                    for answer in _answers()
                    if answer.level is self.level and answer.topic != task.topic
                ]
                return self._spoken(self._random.choice(others))
            case "one word":
                return self._spoken(self._random.choice(_ONE_WORD))
            case "english":
                return self._spoken(self._random.choice(_ENGLISH))
            case _:
                return self._spoken(self._random.choice(_REQUESTS))

    def _answer(self, level: Level, task: Task) -> str:
        """An answer of a level: whole, or a body with or without what goes around it."""
        family = FAMILIES[task.function].value
        own = [answer for answer in _answers() if answer.level is level]
        bodies = [answer for answer in own if answer.part in ("whole", "body")]
        body = self._pick(bodies, task.topic, family)
        if level.step <= Level.A2.step:
            return body
        opening = [answer for answer in own if answer.part == "opening"]
        closing = [answer for answer in own if answer.part == "closing"]
        parts = [body]
        if self._random.random() < 0.35:
            parts.insert(0, self._pick(opening, "any", family))
        if self._random.random() < 0.45:
            parts.append(self._pick(closing, "any", family))
        return " ".join(parts)

    def _pick(self, answers: list[_Answer], topic: str, family: str) -> str:
        """One that fits, and was not said yet if there is such a one."""

        def misfit(answer: _Answer) -> tuple[bool, bool, bool, float]:
            return (
                answer.ko in self._used,
                answer.topic not in (topic, "any"),
                answer.kind != family or (answer.topic == "any") is not (topic == "any"),
                self._random.random(),
            )

        chosen = min(answers, key=misfit).ko
        self._used.add(chosen)
        return chosen

    def _halting(self, text: str) -> str:
        """The first half, with hesitation, and broken off."""
        words = text.split()
        half = words[: max(len(words) // 2, 2)]
        half.insert(len(half) // 2, "음...")
        return f"어... {' '.join(half)}... 그..."

    def _spoken(self, text: str) -> TurnEvidence:
        if text:
            self._last = text
        step_ = self.level.step
        spread = self._random.uniform(0.8, 1.25)
        return TurnEvidence(
            text=text,
            duration_ms=max(len(text.split()), 1) / _WORDS_PER_S[step_] * 1000 * spread,
            latency_ms=_LATENCY_MS[step_] * spread,
        )


_MONOLOGUE = (
    "안녕하세요 저는 한국 문화에 관심이 많아서 한국어를 공부하기 시작했고 앞으로 한국과 우리나라를 연결하는 일을 "
    "하고 싶다고 생각합니다. 한국 사회는 빠른 경제 성장을 통해 세계적인 기술을 가지게 되었을 뿐만 아니라 다양한 "
    "문화를 발전시켜 왔기 때문에 배울 점이 많다고 봅니다. 따라서 저는 언어 능력을 키우는 동시에 전문 분야의 지식을 "
    "쌓아서 두 나라의 협력에 기여하고자 노력하고 있습니다."
)

MOODS = ("silent", "english", "dont_know", "monologue", "stops_early")


@dataclass
class Moody:
    """Somebody who does not play along.

    Args:
        mood: one of MOODS. `silent` never says a word; `english` speaks nothing else; `dont_know` says 모르겠어요;
            `monologue` speaks at A2, and from the fourth answer on recites what was learned by heart; `stops_early` has
            had enough after three answers.
        seed: of everything they do.
    """

    mood: str
    seed: int = 0

    def __post_init__(self) -> None:
        self._usual = SimulatedLearner(level=Level.A2, seed=self.seed, noise=0.0)
        self._answers = 0

    @property
    def claimed(self) -> Level | None:
        """What they think of themselves."""
        return LEVELS[1]

    def hear(self, move: Move, task: Task | None) -> TurnEvidence | None:
        """Their answer."""
        self._answers += 1
        match self.mood:
            case "silent":
                return None
            case "english":
                return TurnEvidence(text=_ENGLISH[self._answers % 2], duration_ms=4000.0, latency_ms=900.0)
            case "dont_know":
                return TurnEvidence(text="모르겠어요.", duration_ms=900.0, latency_ms=2500.0)
            case "monologue" if self._answers > 3:
                return TurnEvidence(text=_MONOLOGUE, duration_ms=30_000.0, latency_ms=700.0)
            case "stops_early" if self._answers > 3:
                words = "네, 그만할게요." if isinstance(move, ConfirmStop) else "그만하고 싶어요."
                return TurnEvidence(text=words, duration_ms=1200.0, latency_ms=1500.0)
            case _:
                return self._usual.hear(move, task)
