"""A thing that a detector found, with the words in which it found it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from charye.assessment.speech import Quote

__all__ = ["Finding", "Kind"]


class Kind(StrEnum):
    """What a detector finds. Evidence for people: none of these counts for the level."""

    PARTICLE_SHAPE = "particle_shape"
    """을 for 를 and the like, against the last sound of the noun."""
    REGULAR_FOR_IRREGULAR = "regular_for_irregular"
    """An irregular stem that was conjugated as a regular one: 덥어요."""
    MISSING_PARTICLE = "missing_particle"
    """A noun right before its verb, in a long sentence of somebody below B1. In short ones everybody says so."""
    STYLE_SWITCH = "style_switch"
    """A sentence in another speech level than most."""
    HUMBLE_MISMATCH = "humble_mismatch"
    """나 with polite endings, or 저 with casual ones, against what the learner mostly does."""
    HONORIFIC = "honorific"
    """An honorific form. Good, where somebody else is spoken of."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them.

    Args:
        kind: what it is.
        quote: where.
        said: the part that it is about.
        better: what it should be, where that is certain.
    """

    kind: Kind
    quote: Quote
    said: str
    better: str | None = None
