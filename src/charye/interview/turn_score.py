"""Whether an answer sustains its task: 2 sustained, 1 partial, 0 breakdown, with the signals that say so.

2: enough own Korean words for the level, a form not more than half a level below it, and no breakdown. 0: one hard
signal, or two soft ones. Else 1. Never a breakdown: an accent, one error of grammar, thinking aloud, asking once to
repeat, dialect, and a short but complete answer to a short question.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from statistics import median
from zlib import crc32

from charye.assessment.disfluency import written_words
from charye.interview import toml_lines
from charye.interview.hangul import foreign_share, has_hangul
from charye.interview.hearing import TurnEvidence
from charye.interview.levels import Level
from charye.interview.plan import TOLD_AS_PAST, Task
from charye.interview.surface import Surface, band_of

__all__ = [
    "Past",
    "Signal",
    "Verdict",
    "combined_band",
    "is_off_topic",
    "is_rehearsed",
    "judge",
    "overlap",
    "shingles",
]


class Signal(StrEnum):
    """What was noticed about an answer."""

    # hard: each is a breakdown
    SILENT = "silent"
    FOREIGN = "foreign"
    DONT_KNOW = "dont_know"
    LANGUAGE_GAP = "language_gap"
    OFF_TOPIC = "off_topic"
    TOO_SHORT = "too_short"
    SINGLE_WORDS = "single_words"
    NO_PARAGRAPH = "no_paragraph"
    # soft: two are a breakdown
    SLOW_TO_BEGIN = "slow_to_begin"
    STUMBLING = "stumbling"
    BROKEN_OFF = "broken_off"
    SIMPLER_TENSE = "simpler_tense"
    CLARIFIED_TWICE = "clarified_twice"
    THIN = "thin"
    SIMPLE = "simple"
    # notes: no weight of their own
    CODE_MIX = "code_mix"
    REHEARSED = "rehearsed"
    UNCLEAR = "unclear"


HARD = frozenset(
    {
        Signal.SILENT,
        Signal.FOREIGN,
        Signal.DONT_KNOW,
        Signal.LANGUAGE_GAP,
        Signal.OFF_TOPIC,
        Signal.TOO_SHORT,
        Signal.SINGLE_WORDS,
        Signal.NO_PARAGRAPH,
    }
)
SOFT = frozenset(
    {
        Signal.SLOW_TO_BEGIN,
        Signal.STUMBLING,
        Signal.BROKEN_OFF,
        Signal.SIMPLER_TENSE,
        Signal.CLARIFIED_TWICE,
        Signal.THIN,
        Signal.SIMPLE,
    }
)

# The linguistic part tells A1 to B1 apart and sees all above as B2 or more: from here on it speaks against nobody.
_LINGUISTIC_TOP = 2.6
_SLOW = 2.0  # times the own median
_STUMBLING = 0.15
_CODE_MIX = 0.1
_BROKEN = re.compile(r"…|\.{2,}|[-–—]\s")


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of the learner's earlier answers.

    Args:
        latencies_ms: of each, where it is known.
        words: own Korean words of each.
        bands: where each stood.
    """

    latencies_ms: tuple[float, ...] = ()
    words: tuple[int, ...] = ()
    bands: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer is worth.

    Args:
        score: 0, 1 or 2.
        band: where it stands by its form.
        signals: what was noticed, in the order of `Signal`.
    """

    score: int
    band: float
    signals: tuple[Signal, ...] = ()


def combined_band(surface: Surface, linguistic: float | None) -> float:
    """Where an answer stands, 0.0 (A1) to 5.0 (C2): from the spelling, and from the assessor if it said something."""
    seen = band_of(surface)
    if linguistic is None:
        return seen
    both = (seen + linguistic) / 2
    return max(seen, both) if linguistic >= _LINGUISTIC_TOP else both


def judge(
    evidence: TurnEvidence,
    surface: Surface,
    task: Task,
    *,
    need: int,
    requests: int,
    past: Past,
    noted: tuple[Signal, ...],
) -> Verdict:
    """Score an answer.

    Args:
        evidence: the last part of it.
        surface: of all its parts together.
        task: that it answers.
        need: own Korean words of a sustained answer.
        requests: how often the learner asked for the question again.
        past: of the learner.
        noted: signals that are known already.
    """
    level = task.level.step
    band = combined_band(surface, evidence.linguistic)
    signals = {
        *noted,
        *_soft(evidence, surface, task, need, band, requests, past),
        *_hard(surface, level, need),
    }
    if foreign_share(evidence.text) >= _CODE_MIX:
        signals.add(Signal.CODE_MIX)
    if signals & HARD or len(signals & SOFT) >= 2:
        score = 0
    elif surface.words >= need and band >= level - 0.5:
        score = 2
    else:
        score = 1
    if evidence.judged is not None:
        score = min(max(min(max(evidence.judged, score - 1), score + 1), 0), 2)
    return Verdict(score, band, tuple(signal for signal in Signal if signal in signals))


def _hard(surface: Surface, level: int, need: int) -> set[Signal]:
    signals: set[Signal] = set()
    if surface.words * 3 < need:
        signals.add(Signal.TOO_SHORT)
    if level >= Level.A2.step and surface.words <= 2:
        signals.add(Signal.SINGLE_WORDS)
    if level >= Level.B2.step and surface.words * 2 < need and surface.sentences < 2:
        signals.add(Signal.NO_PARAGRAPH)
    return signals


def _soft(
    evidence: TurnEvidence, surface: Surface, task: Task, need: int, band: float, requests: int, past: Past
) -> set[Signal]:
    signals: set[Signal] = set()
    level = task.level.step
    known = past.latencies_ms
    if evidence.latency_ms is not None and len(known) >= 3 and evidence.latency_ms > _SLOW * median(known):
        signals.add(Signal.SLOW_TO_BEGIN)
    if surface.tokens >= 6 and surface.stumbles > _STUMBLING * surface.tokens:
        signals.add(Signal.STUMBLING)
    if len(_BROKEN.findall(evidence.text)) >= 2 and surface.stumbles >= 1:
        signals.add(Signal.BROKEN_OFF)
    if level >= Level.A2.step and task.function in TOLD_AS_PAST and surface.words >= 4 and not surface.past:
        signals.add(Signal.SIMPLER_TENSE)
    if requests >= 2:
        signals.add(Signal.CLARIFIED_TWICE)
    if level >= Level.A2.step and surface.words < 0.75 * need:
        signals.add(Signal.THIN)
    if band < level - 0.9:
        signals.add(Signal.SIMPLE)
    return signals


# --- off topic ------------------------------------------------------------------------------------------------------

_LONG_ENOUGH = 8
_OTHERS = 3


@cache
def _topics() -> dict[str, tuple[str, ...]]:
    text = resources.files("charye.interview").joinpath("data", "topics.toml").read_text(encoding="utf-8")
    return {
        name: tuple(stems)
        for name, stems in toml_lines.parse(text, name="topics.toml").data["topics"].items()
    }


def is_off_topic(evidence: TurnEvidence, task: Task) -> bool:
    """Whether the answer is about something else, by the words in it; what a model says of it goes first.

    A topic that is not in `data/topics.toml` is never found to be missed.
    """
    if evidence.on_topic is not None:
        return not evidence.on_topic
    own = _topics().get(task.topic)
    words = [word.text.lower() for word in written_words(evidence.text)]
    if own is None or len(words) < _LONG_ENOUGH:
        return False
    asked = tuple(
        word.text[:2] for word in written_words(task.ko) if has_hangul(word.text) and len(word.text) > 1
    )
    if any(word.startswith((*own, *asked)) for word in words):
        return False
    return any(
        len({stem for stem in stems for word in words if word.startswith(stem)}) >= _OTHERS
        for topic, stems in _topics().items()
        if topic != task.topic
    )


# --- learned by heart -----------------------------------------------------------------------------------------------

_LONG_MONOLOGUE = 40
_MUCH_LONGER = 2.5
_MUCH_BETTER = 1.2
_COPIED = 0.6


def shingles(text: str) -> tuple[int, ...]:
    """Runs of three words as numbers, so that a repeated answer is known again and its words are not kept."""
    words = [word.text for word in written_words(text)]
    return tuple(sorted({crc32(" ".join(words[at : at + 3]).encode()) for at in range(len(words) - 2)}))


def overlap(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """How much of the shorter one is in the other, 0.0 to 1.0."""
    shorter = min(len(one), len(other))
    return len(set(one) & set(other)) / shorter if shorter else 0.0


def is_rehearsed(
    surface: Surface, band: float, past: Past, *, heard: tuple[int, ...], earlier: tuple[tuple[int, ...], ...]
) -> bool:
    """Whether it sounds learned by heart: said before, or much longer and much better than the learner's own talk.

    Args:
        surface, band: of the answer.
        past: of the learner.
        heard: its shingles.
        earlier: those of earlier answers.
    """
    if len(heard) >= 6 and any(overlap(heard, before) >= _COPIED for before in earlier):
        return True
    if len(past.words) < 3 or surface.words < _LONG_MONOLOGUE:
        return False
    longer = surface.words >= _MUCH_LONGER * max(median(past.words), 1)
    return longer and band >= max(past.bands) + _MUCH_BETTER
