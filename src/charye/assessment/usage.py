"""What the learner used, counted and quoted: patterns, words beyond the core, words in each turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from charye.assessment.lexicon import MISREAD_PARTICLES, lemma
from charye.assessment.rubric import Level
from charye.assessment.speech import Quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charye.assessment.lexicon import ContentWord
    from charye.assessment.patterns import Hit
    from charye.assessment.units import Speech

__all__ = ["PatternUse", "TurnCount", "WordUse", "count_turns", "pattern_uses", "words_beyond_core"]

_QUOTES = 3


@dataclass(frozen=True, slots=True)
class PatternUse:
    """A grammar pattern that was used.

    Args:
        pattern: its id in `patterns.toml`.
        level: 1 to 6.
        count: how often.
        quotes: up to three, the first ones.
    """

    pattern: str
    level: int
    count: int
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class WordUse:
    """A word beyond the core list.

    Args:
        lemma: as a dictionary writes it.
        count: how often.
        quote: the first time.
    """

    lemma: str
    count: int
    quote: Quote


@dataclass(frozen=True, slots=True)
class TurnCount:
    """How much one turn of the learner has.

    Args:
        turn: index among all turns.
        words: as written.
        eojeols: that count.
        sentences: of these.
        task_level: of the task that it answers, if known.
    """

    turn: int
    words: int
    eojeols: int
    sentences: int
    task_level: Level | None


def pattern_uses(hits: Iterable[Hit]) -> tuple[PatternUse, ...]:
    """Each pattern once, the highest level first, then the most frequent."""
    by_pattern: dict[str, list[Hit]] = {}
    for hit in hits:
        by_pattern.setdefault(hit.pattern, []).append(hit)
    uses = [
        PatternUse(pattern, found[0].level, len(found), tuple(hit.quote for hit in found[:_QUOTES]))
        for pattern, found in by_pattern.items()
    ]
    return tuple(sorted(uses, key=lambda use: (-use.level, -use.count, use.pattern)))


def words_beyond_core(speech: Speech, words: Iterable[ContentWord]) -> tuple[WordUse, ...]:
    """Each lemma once, the most frequent first, then in the order of the speech."""
    places: dict[str, list[int]] = {}
    for word in words:
        if not word.core and word.form not in MISREAD_PARTICLES:
            places.setdefault(lemma(word.form, word.tag), []).append(word.eojeol)
    uses = [WordUse(word, len(found), speech.quote(found[0], found[0])) for word, found in places.items()]
    return tuple(sorted(uses, key=lambda use: (-use.count, use.quote.turn, use.quote.start, use.lemma)))


def count_turns(speech: Speech) -> tuple[TurnCount, ...]:
    """Each turn of the learner that was analysed."""
    counts = []
    for units in speech.units:
        own = speech.eojeols[units.first : units.first + len(units.word_of)]
        task = speech.turns[units.turn].task
        counts.append(
            TurnCount(
                turn=units.turn,
                words=len(units.words),
                eojeols=len(own),
                sentences=len({eojeol.sentence for eojeol in own}),
                task_level=task.level if task else None,
            )
        )
    return tuple(counts)
