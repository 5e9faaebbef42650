"""The learner's own Korean, in the units that everything else counts: eojeol, morphemes, sentences.

An *eojeol* is a word between spaces, once punctuation has become space. A *sentence* ends after a final ending at the
end of an eojeol, and at the end of a turn. Punctuation decides nothing, so a recogniser that writes none gives the same
units as one that does; Kiwi's own splitter under-splits the plain style without it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from charye.assessment.disfluency import exclusions, written_words
from charye.assessment.morphology import morphemes_of
from charye.assessment.speech import Quote, Speaker, Turn, quote_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from charye.assessment.disfluency import Exclusion, Written
    from charye.assessment.morphology import Kiwi, Morpheme

__all__ = ["Eojeol", "Speech", "TurnUnits", "has_hangul", "units_of"]

# Kiwi reads the plain style's ending as a connective where no full stop follows.
_PLAIN_AS_CONNECTIVE = frozenset({"다", "ᆫ다", "는다"})


@dataclass(frozen=True, slots=True)
class Eojeol:
    """A word that counts.

    Args:
        text: without punctuation.
        turn: index of the turn.
        start: its first character in the turn's text.
        end: behind its last one.
        sentence: counts through the whole speech.
    """

    text: str
    turn: int
    start: int
    end: int
    sentence: int


@dataclass(frozen=True, slots=True)
class TurnUnits:
    """One turn of the learner, taken apart.

    Args:
        turn: index among all turns.
        words: as written, with those that do not count.
        excluded: index in `words` to why it does not count.
        text: what was analysed: the words that count, with single spaces.
        first: index of its first eojeol in the whole speech.
        word_of: index in `words` of each eojeol.
        starts: where each eojeol begins in `text`.
        morphemes: of `text`.
    """

    turn: int
    words: tuple[Written, ...]
    excluded: Mapping[int, Exclusion]
    text: str
    first: int
    word_of: tuple[int, ...]
    starts: tuple[int, ...]
    morphemes: tuple[Morpheme, ...]

    def eojeol_at(self, character: int) -> int:
        """The eojeol of the whole speech in which this character of `text` is."""
        return self.first + bisect_right(self.starts, character) - 1


@dataclass(frozen=True, slots=True)
class Speech:
    """All that the learner said, in order.

    Args:
        turns: as they were given, the interviewer's included.
        units: of the learner's turns that were analysed.
        eojeols: of all of them.
    """

    turns: tuple[Turn, ...]
    units: tuple[TurnUnits, ...]
    eojeols: tuple[Eojeol, ...]

    @property
    def sentences(self) -> int:
        """How many there are."""
        return self.eojeols[-1].sentence + 1 if self.eojeols else 0

    def quote(self, first: int, last: int) -> Quote:
        """The words of these eojeol, which are of one turn, and all between them."""
        begin, end = self.eojeols[first], self.eojeols[last]
        return quote_of(self.turns, begin.turn, begin.start, end.end)

    def quote_of_words(self, units: TurnUnits, first: int, last: int) -> Quote:
        """The same for words as written, which need not count."""
        return quote_of(self.turns, units.turn, units.words[first].start, units.words[last].end)

    def excluded(self) -> Counter[Exclusion]:
        """How many words do not count, by reason."""
        return Counter(reason for units in self.units for reason in units.excluded.values())

    def morphemes(self) -> Iterator[tuple[int, Morpheme]]:
        """Every morpheme with the eojeol in which it begins."""
        for units in self.units:
            for morpheme in units.morphemes:
                yield units.eojeol_at(morpheme.start), morpheme


def has_hangul(text: str) -> bool:
    """Whether there is a whole syllable in it."""
    return any("가" <= character <= "힣" for character in text)


def units_of(turns: tuple[Turn, ...], kiwi: Kiwi, *, leave_out: Collection[int] = ()) -> Speech:
    """Take the learner's turns apart.

    Args:
        turns: of both speakers, in order.
        kiwi: from `load_kiwi`.
        leave_out: indexes of turns that are not to be analysed.
    """
    units: list[TurnUnits] = []
    eojeols: list[Eojeol] = []
    sentence = 0
    question = ""
    for index, turn in enumerate(turns):
        if turn.speaker is Speaker.INTERVIEWER:
            # All that was said since the learner's last words: a question, and perhaps a word of encouragement.
            follows = index > 0 and turns[index - 1].speaker is Speaker.INTERVIEWER
            question = f"{question} {turn.text}" if follows else turn.text
            continue
        if index in leave_out:
            continue
        one = _turn_units(turn, index, question, kiwi, first=len(eojeols))
        units.append(one)
        ends = _sentence_ends(one)
        for word, start in zip(one.word_of, one.starts, strict=True):
            written = one.words[word]
            eojeols.append(Eojeol(written.text, index, written.start, written.end, sentence))
            if start + len(written.text) in ends:
                sentence += 1
    return Speech(turns, tuple(units), tuple(eojeols))


def _turn_units(turn: Turn, index: int, question: str, kiwi: Kiwi, *, first: int) -> TurnUnits:
    words = written_words(turn.text)
    excluded = exclusions(words, question)
    word_of = tuple(number for number in range(len(words)) if number not in excluded)
    starts: list[int] = []
    length = 0
    for number in word_of:
        starts.append(length)
        length += len(words[number].text) + 1
    text = " ".join(words[number].text for number in word_of)
    return TurnUnits(
        turn=index,
        words=words,
        excluded=excluded,
        text=text,
        first=first,
        word_of=word_of,
        starts=tuple(starts),
        morphemes=morphemes_of(kiwi, text) if text else (),
    )


def _sentence_ends(units: TurnUnits) -> set[int]:
    """Where sentences end in the text of the turn; its own end is always one."""
    ends = {len(units.text)}
    for here, after in pairwise(units.morphemes):
        final = here.tag == "EF" or (here.tag == "EC" and here.form in _PLAIN_AS_CONNECTIVE)
        if final and after.start > here.end:
            ends.add(here.end)
    return ends
