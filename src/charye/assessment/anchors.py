"""Positions on the scale of bands, read between anchors. The anchors are in `anchors.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from charye.assessment.rubric import Domain

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Anchors",
    "FeatureAnchors",
    "Margin",
    "SufficiencyLimits",
    "TimingLimits",
    "WindowRule",
    "interpolate",
    "load_anchors",
]

Row = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How a text is cut. See `anchors.toml`."""

    eojeol: int
    last_at_least: int


@dataclass(frozen=True, slots=True)
class SufficiencyLimits:
    """How much speech is enough. See `anchors.toml`."""

    least_eojeol: int
    least_turns: int
    provisional_below: int
    doubtful_share: float


@dataclass(frozen=True, slots=True)
class Margin:
    """How sure the estimate is, from so many eojeol on."""

    from_eojeol: int
    band: float


@dataclass(frozen=True, slots=True)
class FeatureAnchors:
    """One feature: what it counts, and what texts of each band measure, by the size of the window."""

    name: str
    weight: float
    domain: Domain
    says: str
    anchors: dict[int, Row]

    def row(self, eojeols: int) -> Row:
        """The anchors for a text of so many eojeol."""
        fitting = [size for size in self.anchors if size <= eojeols]
        return self.anchors[max(fitting) if fitting else min(self.anchors)]


@dataclass(frozen=True, slots=True)
class TimingLimits:
    """One timing feature, and the limits between A1, A2, B1, B2 and C1; falling, if less is better."""

    name: str
    says: str
    limits: Row

    def position(self, value: float) -> float:
        """From 0.5, at most A1 or just A2, to 3.5."""
        steps = (0.5, 1.5, 2.5, 3.5)
        if self.limits[0] < self.limits[-1]:
            return interpolate(value, self.limits, steps)
        return interpolate(-value, tuple(-limit for limit in self.limits), steps)


@dataclass(frozen=True, slots=True)
class Anchors:
    """All of `anchors.toml`."""

    version: str
    shrinkage: float
    window: WindowRule
    sufficiency: SufficiencyLimits
    margins: tuple[Margin, ...]
    features: tuple[FeatureAnchors, ...]
    timings: tuple[TimingLimits, ...]

    def margin(self, eojeols: int) -> float:
        """How many bands the estimate may be off, either way."""
        return next(margin.band for margin in self.margins if eojeols >= margin.from_eojeol)


@cache
def load_anchors() -> Anchors:
    """The anchors that come with the package."""
    text = resources.files("charye.assessment").joinpath("anchors.toml").read_text(encoding="utf-8")
    # TOML has only text as keys.
    return msgspec.convert(tomllib.loads(text), Anchors, strict=False)


def interpolate(value: float, at: Sequence[float], gives: Sequence[float]) -> float:
    """The straight line through these points; outside of them, the value of the nearest.

    Args:
        value: where.
        at: strictly rising.
        gives: what is given at each.
    """
    if value <= at[0]:
        return gives[0]
    for (left, low), (right, high) in pairwise(zip(at, gives, strict=True)):
        if value <= right:
            return low + (high - low) * (value - left) / (right - left)
    return gives[-1]
