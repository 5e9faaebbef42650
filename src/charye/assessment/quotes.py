"""Is that what the learner said? A quote counts only if its words stand in the answer that it names.

Compared without punctuation and with single spaces, because models mend both. What a report then shows is not what the
model wrote, but the learner's own characters at that place.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from charye.assessment.speech import Quote, quote_of

if TYPE_CHECKING:
    from charye.assessment.judge_view import Shown
    from charye.assessment.speech import Turn

__all__ = ["find_quote", "is_correction"]

_SHORTEST = 2
_SHARED = 0.5
_MEANT = re.compile(r"\w")


def find_quote(shown: Shown, claimed: str, turns: tuple[Turn, ...]) -> Quote | None:
    """The learner's words that this claims to be; None if they are not in the answer.

    Args:
        shown: the answer that it names.
        claimed: as the model wrote it.
        turns: all of them.
    """
    wanted, _ = _folded(unicodedata.normalize("NFC", claimed))
    if len(wanted.replace(" ", "")) < _SHORTEST:
        return None
    text, places = _folded(shown.text)
    at = _at_word(text, wanted)
    if at is None:
        return None
    first, last = places[at], places[at + len(wanted) - 1]
    start, end = shown.origin[first][0], shown.origin[last][1]
    return quote_of(turns, shown.turn, start, end)


def is_correction(said: str, better: str) -> bool:
    """Whether one is a correction of the other, and not another sentence: they share half of their characters."""
    one, other = _folded(said)[0].replace(" ", ""), _folded(better)[0].replace(" ", "")
    if not one or not other or one == other:
        return False
    left = list(other)
    shared = 0
    for character in one:
        if character in left:
            left.remove(character)
            shared += 1
    return shared >= _SHARED * max(len(one), len(other))


def _at_word(text: str, wanted: str) -> int | None:
    """Where it stands; rather at the beginning of a word than inside one."""
    inside = None
    at = text.find(wanted)
    while at >= 0:
        if at == 0 or text[at - 1] == " ":
            return at
        inside = at if inside is None else inside
        at = text.find(wanted, at + 1)
    return inside


def _folded(text: str) -> tuple[str, tuple[int, ...]]:
    """Letters, figures and signs for names, with single spaces; and where each character stood."""
    made: list[str] = []
    places: list[int] = []
    for at, character in enumerate(text):
        if _MEANT.match(character) or character in "○□":
            made.append(character.lower())
            places.append(at)
        elif made and made[-1] != " ":
            made.append(" ")
            places.append(at)
    while made and made[-1] == " ":
        made.pop()
        places.pop()
    return "".join(made), tuple(places)
