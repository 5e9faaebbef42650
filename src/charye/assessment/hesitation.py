"""How much of what was said is not content: fillers, repeats, false starts, other languages, copies of the question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from charye.assessment.disfluency import Exclusion
from charye.assessment.speech import Quote

if TYPE_CHECKING:
    from charye.assessment.units import Speech, TurnUnits

__all__ = ["Hesitation", "abandoned_in", "latin_share", "read_hesitation"]

_EXAMPLES = 3
_BROKEN_OFF = re.compile(r"\.{2,}|…|[\-–—]$")
# What may stand at the end of a thought: a final ending, a noun, an adverb, 요, punctuation.
_UNFINISHED = ("EC", "EP", "ETM", "ETN", "JKS", "JKO", "JKB", "JKG", "JX", "VV", "VA")


@dataclass(frozen=True, slots=True)
class Hesitation:
    """Counts of words, and rates in a hundred of all words. Recognisers drop most of it: it is the least there was.

    Args:
        words: all that were written, counted or not.
        fillers: 음, 어, 그.
        repeats: words said twice in a row.
        fragments: words broken off and begun again.
        latin: words in Latin letters.
        echoes: words copied from the question.
        abandoned: sentences broken off.
        filler_rate: in a hundred words.
        repeat_rate: repeats and fragments, in a hundred words.
        latin_share: of all letters, 0 to 1.
        examples: up to three of fillers, repeats or fragments.
    """

    words: int
    fillers: int
    repeats: int
    fragments: int
    latin: int
    echoes: int
    abandoned: int
    filler_rate: float
    repeat_rate: float
    latin_share: float
    examples: tuple[Quote, ...]


def read_hesitation(speech: Speech) -> Hesitation:
    """Count it."""
    counts = speech.excluded()
    words = sum(len(units.words) for units in speech.units)
    repeats, fragments = counts[Exclusion.REPEAT], counts[Exclusion.FRAGMENT]
    return Hesitation(
        words=words,
        fillers=counts[Exclusion.FILLER],
        repeats=repeats,
        fragments=fragments,
        latin=counts[Exclusion.LATIN],
        echoes=counts[Exclusion.ECHO],
        abandoned=sum(abandoned_in(units, speech.turns[units.turn].text) for units in speech.units),
        filler_rate=round(100 * counts[Exclusion.FILLER] / words, 4) if words else 0.0,
        repeat_rate=round(100 * (repeats + fragments) / words, 4) if words else 0.0,
        latin_share=round(latin_share("".join(speech.turns[units.turn].text for units in speech.units)), 4),
        examples=_examples(speech),
    )


def latin_share(text: str) -> float:
    """Latin letters among Latin letters and syllables of hangul; 0 without either."""
    latin = len(re.findall(r"[A-Za-z]", text))
    hangul = len(re.findall(r"[가-힣]", text))
    return latin / (latin + hangul) if latin + hangul else 0.0


def abandoned_in(units: TurnUnits, text: str) -> int:
    """How many sentences of a turn break off: a particle, stem or connective before dots or a dash, or at the very end.

    A filler before the dots is only a pause, and so is a connective that the next words take up.
    """
    count = 0
    for place, (word, start) in enumerate(zip(units.word_of, units.starts, strict=True)):
        last_word = place == len(units.word_of) - 1
        behind = units.words[word].behind
        if not _BROKEN_OFF.search(behind) or not (last_word or behind.endswith(("-", "–", "—"))):
            continue
        end = start + len(units.words[word].text)
        tags = [morpheme.tag for morpheme in units.morphemes if start <= morpheme.start < end]
        count += bool(tags) and tags[-1] in _UNFINISHED
    return count


def _examples(speech: Speech) -> tuple[Quote, ...]:
    shown = (Exclusion.FILLER, Exclusion.REPEAT, Exclusion.FRAGMENT)
    found = [
        speech.quote_of_words(units, index, min(index + 1, len(units.words) - 1))
        for units in speech.units
        for index, reason in sorted(units.excluded.items())
        if reason in shown
    ]
    return tuple(found[:_EXAMPLES])
