"""Which words of a turn do not count: fillers, repeats, false starts, other scripts, and what the interviewer had said.

Judged from the written words alone, before any morphology. Recognisers drop hesitation and repetition, so what is found
is the least there was. A word that may be a filler or not (그, 뭐, 이제) is one only where punctuation sets it apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

__all__ = ["Exclusion", "Written", "exclusions", "written_words"]

ECHO_WORDS = 4
"""A run of so many words of the question is a copy of it."""
_LONGEST_REPEAT = 3

# A word is what stands between spaces once punctuation has become space; so `3.5` is two.
_WORD = re.compile(r"[\w가-힣]+")
_HANGUL = re.compile(r"[가-힣]")
_LATIN = re.compile(r"[A-Za-z]")
_HESITATING = re.compile(r"^(?:\.{2,}|…+|[,，~\-–—])")

_FILLER = re.compile(r"(?:음+|어+|으+음*|흠+|아+|엄+|그음+|뭐지|뭐더라|뭐랄까|뭐였지)")
_FILLER_SET_APART = re.compile(
    "그|저|저기|뭐|막|이제|이|에|오|그게|그니까|그러니까|있잖아요|그냥|글쎄|글쎄요|아니"
)
_THINKING_ALOUD = frozenset(
    {("뭐라고", "하지"), ("뭐라고", "할까"), ("뭐라고", "해야"), ("어떻게", "말하지"), ("뭐라", "그러지")}
)
# Said twice on purpose.
_DOUBLED = re.compile(
    "아주|너무|정말|진짜|많이|천천히|자주|매우|빨리|더|또|꼭|계속|서로|하나|하나하나|점점|조금|오래|네|예"
)


class Exclusion(StrEnum):
    """Why a word does not count."""

    FILLER = "filler"
    REPEAT = "repeat"
    FRAGMENT = "fragment"
    LATIN = "latin"
    ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Written:
    """A word as it is written.

    Args:
        text: without punctuation.
        start: its first character in the turn.
        end: behind its last one.
        behind: what stands between it and the next word, without spaces.
    """

    text: str
    start: int
    end: int
    behind: str


def written_words(text: str) -> tuple[Written, ...]:
    """The words of a turn, with the punctuation behind each."""
    spans = [match.span() for match in _WORD.finditer(text)]
    # Behind the last word stands the rest of the text.
    return tuple(
        Written(text[start:end], start, end, "".join(text[end:after].split()))
        for (start, end), (after, _) in pairwise([*spans, (len(text), len(text))])
    )


def exclusions(words: tuple[Written, ...], question: str = "") -> dict[int, Exclusion]:
    """The words that do not count, by their index, and why. Each has one reason: the first that fits, in this order.

    Args:
        words: of the turn.
        question: what the interviewer said before it.
    """
    found: dict[int, Exclusion] = {}
    for index, word in enumerate(words):
        if _LATIN.search(word.text) and not _HANGUL.search(word.text):
            found[index] = Exclusion.LATIN
        elif _is_filler(words, index):
            found[index] = Exclusion.FILLER
    for index in _echoes(words, question):
        found.setdefault(index, Exclusion.ECHO)
    left = [index for index in range(len(words)) if index not in found]
    for index in _fragments(words, left):
        found[index] = Exclusion.FRAGMENT
    left = [index for index in left if index not in found]
    for index in _repeats(words, left):
        found[index] = Exclusion.REPEAT
    return found


def _is_filler(words: tuple[Written, ...], index: int) -> bool:
    word = words[index]
    if _FILLER.fullmatch(word.text):
        return True
    if _FILLER_SET_APART.fullmatch(word.text) and _HESITATING.match(word.behind):
        return True
    before = words[index - 1].text if index else ""
    after = words[index + 1].text if index + 1 < len(words) else ""
    return (word.text, after) in _THINKING_ALOUD or (before, word.text) in _THINKING_ALOUD


def _echoes(words: tuple[Written, ...], question: str) -> list[int]:
    asked = [word.text for word in written_words(question)]
    runs = {tuple(asked[at : at + ECHO_WORDS]) for at in range(len(asked) - ECHO_WORDS + 1)}
    texts = [word.text for word in words]
    return sorted(
        {
            index
            for at in range(len(texts) - ECHO_WORDS + 1)
            if tuple(texts[at : at + ECHO_WORDS]) in runs
            for index in range(at, at + ECHO_WORDS)
        }
    )


def _fragments(words: tuple[Written, ...], left: list[int]) -> list[int]:
    """A word broken off and begun again: 학, 학교에."""
    return [
        here
        for here, after in pairwise(left)
        if _HESITATING.match(words[here].behind)
        and len(words[here].text) < len(words[after].text)
        and words[after].text.startswith(words[here].text)
    ]


def _repeats(words: tuple[Written, ...], left: list[int]) -> list[int]:
    """The earlier ones of equal words, or of equal runs of words, that stand beside each other."""
    texts = [words[index].text for index in left]
    dropped: set[int] = set()
    for length in range(_LONGEST_REPEAT, 0, -1):
        for at in range(len(texts) - 2 * length + 1):
            here, after = texts[at : at + length], texts[at + length : at + 2 * length]
            if here == after and not (length == 1 and _DOUBLED.fullmatch(here[0])):
                dropped |= set(left[at : at + length])
    return sorted(dropped)
