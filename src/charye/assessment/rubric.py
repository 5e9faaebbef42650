"""The words of every assessment: levels, bands and the five domains. Data only."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Band", "Domain", "Level"]


class Level(StrEnum):
    """A level of the Common European Framework. Compares as it should: ``Level.A2 < Level.B1``."""

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"
    C1 = "C1"
    C2 = "C2"

    @property
    def step(self) -> int:
        """0 for A1 to 5 for C2."""
        return list(Level).index(self)

    @classmethod
    def at(cls, step: int) -> Level:
        """The level of this step; beyond the ends, the last one."""
        levels = list(cls)
        return levels[min(max(step, 0), len(levels) - 1)]


class Band(StrEnum):
    """What the text of a learner can tell by itself. Above B1 it cannot tell B2, C1 and C2 apart.

    Source: `docs/reference/assessment-linguistic.md`, on the ceiling.
    """

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2_PLUS = "B2+"

    @property
    def level(self) -> Level:
        """The level that is at least reached."""
        return Level.B2 if self is Band.B2_PLUS else Level(self.value)

    @classmethod
    def near(cls, position: float) -> Band:
        """The band nearest to a position, where 0 is A1 and 3 is B2+; halves go up."""
        bands = list(cls)
        return bands[min(max(int(position + 0.5), 0), len(bands) - 1)]


class Domain(StrEnum):
    """The five sides of speaking that are judged apart."""

    FLUENCY = "fluency_and_interaction"
    GRAMMAR = "grammar"
    LEXIS = "lexis"
    COHERENCE = "coherence"
    PRAGMATICS = "pragmatics_and_register"
