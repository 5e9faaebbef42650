"""Confidence by a formula: a weighted sum of parts that can be shown, and a cap that a disagreement puts on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DOMAIN_WEIGHTS", "WEIGHTS", "Weighed", "share_of_votes", "weigh"]

WEIGHTS = {"sufficiency": 0.35, "agreement": 0.30, "bracket": 0.25, "transcript": 0.10}
"""Of the level: how much speech, whether the opinions agree, whether floor and ceiling are known, whether the
transcript is to be believed."""
DOMAIN_WEIGHTS = {"sufficiency": 0.40, "agreement": 0.40, "evidence": 0.20}
"""Of a domain: the same two, and whether there are quotes."""
_ALONE = 0.5
_NONE_LEFT = 3


@dataclass(frozen=True, slots=True)
class Weighed:
    """A confidence.

    Args:
        value: 0 to 1.
        parts: name, value and weight of each.
        cap: put on it; None without.
    """

    value: float
    parts: tuple[tuple[str, float, float], ...]
    cap: float | None


def share_of_votes(spread: int | None) -> float:
    """What an agreement is worth: 1 for the same level, 0 from three levels apart; half for a single voice."""
    return _ALONE if spread is None else max(0.0, 1.0 - spread / _NONE_LEFT)


def weigh(
    values: Mapping[str, float], *, weights: Mapping[str, float] = WEIGHTS, cap: float | None = None
) -> Weighed:
    """Add up the parts, each 0 to 1, with their weights."""
    parts = tuple((name, round(values[name], 4), weight) for name, weight in weights.items())
    total = sum(value * weight for _, value, weight in parts)
    return Weighed(round(total if cap is None else min(total, cap), 4), parts, cap)
