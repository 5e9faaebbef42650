"""What the bare text of an answer shows of its level, at once and without morphological analysis.

A turn must be judged before the interviewer can go on, also on a machine without the extra `korean`. So this counts
what can be seen in the spelling: own Korean words, words per sentence, joined clauses, endings and beginnings of words
that are taught late (`data/markers.toml`). It is coarse: the assessor's own estimate, where there is one, weighs more.
"""

from functools import cache
from importlib import resources
from itertools import pairwise
from math import sqrt
from re import Pattern

from msgspec import Struct

from charye.assessment.disfluency import Exclusion, exclusions, written_words
from charye.interview import toml_lines
from charye.interview.hangul import compile_pattern, decompose, has_hangul
from charye.interview.levels import Level

__all__ = ["EMPTY", "Marker", "Surface", "band_of", "inspect", "markers"]


class Marker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A form that can be seen in the spelling.

    Args:
        pattern: see `hangul.compile_pattern`.
        example: a text in which it is found.
        link: it joins clauses, or puts one into another.
    """

    id: str
    level: Level
    pattern: str
    example: str
    link: bool = False


class Surface(Struct, frozen=True, kw_only=True):
    """Counts of one answer; those of its parts can be added.

    Args:
        words: own Korean words: no fillers, repeats, broken-off words, other scripts, nor copies of the question.
        tokens: all words.
        stumbles: fillers, repeats and broken-off words.
        sentences: that were ended, at least 1 if there are words.
        links: joined or embedded clauses.
        markers: ids of the markers that are there.
        late_words: words that learners meet from B1, B2, C1 and C2 on.
        past: whether something is told as past.
    """

    words: int = 0
    tokens: int = 0
    stumbles: int = 0
    sentences: int = 0
    links: int = 0
    markers: tuple[str, ...] = ()
    late_words: tuple[int, ...] = (0, 0, 0, 0)
    past: bool = False

    def __add__(self, more: "Surface") -> "Surface":
        """The counts of both together."""
        return Surface(
            words=self.words + more.words,
            tokens=self.tokens + more.tokens,
            stumbles=self.stumbles + more.stumbles,
            sentences=self.sentences + more.sentences,
            links=self.links + more.links,
            markers=tuple(sorted({*self.markers, *more.markers})),
            late_words=tuple(a + b for a, b in zip(self.late_words, more.late_words, strict=True)),
            past=self.past or more.past,
        )


EMPTY = Surface()

_STUMBLES = (Exclusion.FILLER, Exclusion.REPEAT, Exclusion.FRAGMENT)
_LATE = (Level.B1, Level.B2, Level.C1, Level.C2)
# Words that end like a sentence and are none.
_NO_END = ("필요", "중요", "수요", "주요", "고요")
_ENDINGS = ("요", "니다", "니까", "죠", "시오", "네", "군")


@cache
def markers() -> dict[str, tuple[Marker, Pattern[str]]]:
    """The markers of `data/markers.toml`, by id."""
    document = _document()
    return {
        marker.id: (marker, compile_pattern(marker.pattern))
        for marker, _ in document.entries("marker", Marker)
    }


def inspect(text: str, question: str = "") -> Surface:
    """Count.

    Args:
        text: what the learner said.
        question: what the interviewer had said; copied runs of four words do not count.
    """
    words = written_words(text)
    excluded = exclusions(words, question)
    own = [word for index, word in enumerate(words) if index not in excluded and has_hangul(word.text)]
    if not own:
        stumbles = sum(1 for why in excluded.values() if why in _STUMBLES)
        return Surface(tokens=len(words), stumbles=stumbles)
    plain = decompose(" ".join(word.text for word in own))
    found: list[str] = []
    links = 0
    for marker, pattern in markers().values():
        hits = sum(1 for _ in pattern.finditer(plain))
        if hits:
            found.append(marker.id)
            links += hits if marker.link else 0
    ends = sum(1 for word in own[:-1] if _ends_sentence(word.text, word.behind)) + 1
    return Surface(
        words=len(own),
        tokens=len(words),
        stumbles=sum(1 for why in excluded.values() if why in _STUMBLES),
        sentences=ends,
        links=links,
        markers=tuple(sorted(found)),
        late_words=_late_words([word.text for word in own]),
        past="past" in found,
    )


# The weight of a feature, and where it stands at A1, A2, ... C2. Rounded by hand between the medians of the answers in
# `data/learners.toml` and those of the invented interviews in tests/assessment. No text of a real learner was used.
_ANCHORS: dict[str, tuple[float, tuple[float, ...]]] = {
    "words per sentence": (1.0, (2.5, 4.0, 6.5, 10.0, 14.0, 18.0)),
    "links per sentence": (1.0, (0.0, 0.6, 1.7, 2.8, 3.5, 4.3)),
    "highest markers": (2.0, (0.2, 0.7, 1.5, 2.4, 3.2, 4.1)),
    "late words": (2.0, (0.0, 0.1, 0.3, 0.9, 2.4, 4.0)),
}
_TOP = 4


def features(surface: Surface) -> dict[str, float]:
    """What `band_of` reads off, by name. All zero without words."""
    if not surface.words:
        return dict.fromkeys(_ANCHORS, 0.0)
    levels = sorted((markers()[name][0].level.step for name in surface.markers), reverse=True)[:_TOP]
    late = sum(weight * count for weight, count in enumerate(surface.late_words, start=1))
    return {
        "words per sentence": surface.words / surface.sentences,
        "links per sentence": surface.links / surface.sentences,
        "highest markers": sum(levels) / _TOP,
        "late words": late / sqrt(surface.words),
    }


def band_of(surface: Surface) -> float:
    """Where the answer stands, 0.0 (A1) to 5.0 (C2), by its form alone. Length itself does not count."""
    if not surface.words:
        return 0.0
    read = features(surface)
    total = sum(weight for weight, _ in _ANCHORS.values())
    return sum(weight * _position(read[name], at) for name, (weight, at) in _ANCHORS.items()) / total


def _position(value: float, anchors: tuple[float, ...]) -> float:
    """Piecewise linear between the anchors, which are the steps 0, 1, 2 ..."""
    if value <= anchors[0]:
        return 0.0
    for step, (low, high) in enumerate(pairwise(anchors)):
        if value < high:
            return step + (value - low) / (high - low)
    return float(len(anchors) - 1)


def _ends_sentence(word: str, behind: str) -> bool:
    if any(mark in behind for mark in ".?!"):
        return True
    return word.endswith(_ENDINGS) and not word.endswith(_NO_END)


@cache
def _late_stems() -> tuple[tuple[str, ...], ...]:
    stems = _document().data["words"]
    return tuple(tuple(stems[level.value]) for level in _LATE)


def _late_words(words: list[str]) -> tuple[int, ...]:
    """Each different beginning counts once: a word from the question, said five times, shows little."""
    seen: list[set[str]] = [set() for _ in _LATE]
    for word in words:
        for known, stems in zip(reversed(seen), reversed(_late_stems()), strict=True):
            stem = next((stem for stem in stems if word.startswith(stem)), None)
            if stem is not None:
                known.add(stem)
                break
    return tuple(len(known) for known in seen)


@cache
def _document() -> toml_lines.Document:
    text = resources.files("charye.interview").joinpath("data", "markers.toml").read_text(encoding="utf-8")
    return toml_lines.parse(text, name="markers.toml")
