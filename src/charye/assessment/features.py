"""The eight features of a text, and the band that they place it in.

Each is measured in windows of 60 eojeol, because all of them grow with the length of a text, and the means are compared
with the anchors. A lookup between anchors is weaker than a forest on the texts it was made from, but it is monotone, it
explains itself, and on texts of another kind it holds up as well.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from charye.assessment.anchors import FeatureAnchors, interpolate, load_anchors
from charye.assessment.lexicon import content_words
from charye.assessment.patterns import find
from charye.assessment.rubric import Band, Domain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from charye.assessment.lexicon import ContentWord
    from charye.assessment.morphology import Morpheme
    from charye.assessment.patterns import Hit
    from charye.assessment.units import Speech

__all__ = ["Evidence", "Reading", "Text", "evidence_in", "measure", "position_of", "read_text", "windows"]

_CLAUSE_TAGS = frozenset({"EC", "EF", "ETM", "ETN"})
_BANDS = (0.0, 1.0, 2.0, 3.0)
_HIGH_LEVEL = 3
_TOP = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found in a speech, before anything is counted."""

    hits: tuple[Hit, ...]
    words: tuple[ContentWord, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One feature of a speech.

    Args:
        name: as in `anchors.toml`.
        says: what it counts.
        domain: which it speaks for.
        value: the mean over the windows.
        windows: the value in each of them.
        anchors: what texts of A1, A2, B1 and B2+ measure, for this much text.
        position: where the value stands between them, 0 to 3.
        weight: in the whole.
    """

    name: str
    says: str
    domain: Domain
    value: float
    windows: tuple[float, ...]
    anchors: tuple[float, float, float, float]
    position: float
    weight: float

    @property
    def typical_of(self) -> Band:
        """The band whose texts measure about this."""
        return Band.near(self.position)


@dataclass(frozen=True, slots=True)
class Text:
    """All features of a speech.

    Args:
        eojeols: how many there are.
        windows: first eojeol of each window, and behind its last.
        readings: one for each feature, in the order of `anchors.toml`.
        position: of the whole, 0 for A1 to 3 for B2+; with what the estimate is too low by on average.
    """

    eojeols: int
    windows: tuple[tuple[int, int], ...]
    readings: tuple[Reading, ...]
    position: float


def windows(eojeols: int) -> tuple[tuple[int, int], ...]:
    """First eojeol of each window and behind its last. What is left at the end is a window if it is long enough."""
    rule = load_anchors().window
    found = tuple(
        (start, min(start + rule.eojeol, eojeols))
        for start in range(0, eojeols, rule.eojeol)
        if eojeols - start >= rule.last_at_least
    )
    return found or ((0, eojeols),)


def evidence_in(speech: Speech) -> Evidence:
    """Patterns and words, with where they are."""
    return Evidence(find(speech), content_words(speech))


def read_text(speech: Speech, evidence: Evidence) -> Text | None:
    """Measure a speech and place it between the anchors. None if it has no eojeol at all."""
    total = len(speech.eojeols)
    if not total:
        return None
    anchors = load_anchors()
    cut = windows(total)
    measured = [measure(speech, evidence, start, end) for start, end in cut]
    readings = tuple(
        _reading(feature, [values[feature.name] for values in measured], total)
        for feature in anchors.features
    )
    whole = position_of(readings)
    assert whole is not None  # every feature has a weight
    return Text(total, cut, readings, round(whole + anchors.shrinkage, 6))


def position_of(readings: Iterable[Reading]) -> float | None:
    """The weighted mean of their positions; None if there are none."""
    taken = tuple(readings)
    weight = sum(reading.weight for reading in taken)
    return sum(reading.position * reading.weight for reading in taken) / weight if weight else None


def measure(speech: Speech, evidence: Evidence, start: int, end: int) -> dict[str, float]:
    """The value of each feature between two eojeol, by name."""
    eojeols = end - start
    sentences = speech.eojeols[end - 1].sentence - speech.eojeols[start].sentence + 1
    morphemes = [morpheme for eojeol, morpheme in speech.morphemes() if start <= eojeol < end]
    hits = [hit for hit in evidence.hits if start <= hit.eojeol < end]
    words = [word for word in evidence.words if start <= word.eojeol < end]
    levels = sorted({hit.pattern: hit.level for hit in hits}.values(), reverse=True)
    beyond = [word for word in words if not word.core]
    return {
        "eo_per_sent": eojeols / sentences,
        "clause_per_sent": sum(morpheme.tag in _CLAUSE_TAGS for morpheme in morphemes) / sentences,
        "ec_root": _connectives(morphemes),
        # Nothing recognised is what beginners do who speak in single words.
        "meanlv": _mean(levels, empty=1.0),
        "top5": _mean(levels[:_TOP], empty=1.0),
        "tk3p": 100 * sum(hit.level >= _HIGH_LEVEL for hit in hits) / eojeols,
        "noncore_root": len({word.form for word in beyond}) / sqrt(len(words)) if words else 0.0,
        "core": len(beyond) / len(words) if words else 0.0,
    }


def _reading(feature: FeatureAnchors, values: Sequence[float], eojeols: int) -> Reading:
    value = _mean(values, empty=0.0)
    row = feature.row(eojeols)
    return Reading(
        name=feature.name,
        says=feature.says,
        domain=feature.domain,
        value=round(value, 6),
        windows=tuple(round(each, 6) for each in values),
        anchors=row,
        position=round(interpolate(value, row, _BANDS), 6),
        weight=feature.weight,
    )


def _connectives(morphemes: Iterable[Morpheme]) -> float:
    forms = Counter(morpheme.form for morpheme in morphemes if morpheme.tag == "EC")
    return len(forms) / sqrt(forms.total()) if forms else 0.0


def _mean(values: Sequence[float], *, empty: float) -> float:
    return sum(values) / len(values) if values else empty
