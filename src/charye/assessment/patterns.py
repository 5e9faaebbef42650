"""Which grammar patterns a learner uses. The patterns themselves are in `patterns.toml`."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection

    from charye.assessment.morphology import Morpheme
    from charye.assessment.speech import Quote
    from charye.assessment.units import Speech

__all__ = ["Hit", "Pattern", "Patterns", "find", "load_patterns", "next_patterns", "tagged"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A grammar pattern. The fields are explained on top of `patterns.toml`."""

    id: str
    pattern: str
    level: int
    regex: str
    example: str
    seen: tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Patterns:
    """All patterns, and the version of their file."""

    version: str
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern was used here.

    Args:
        pattern: its id.
        level: its level, 1 to 6.
        eojeol: in which it begins.
        quote: the words in which it is.
    """

    pattern: str
    level: int
    eojeol: int
    quote: Quote


@cache
def load_patterns() -> Patterns:
    """The patterns that come with the package."""
    text = resources.files("charye.assessment").joinpath("patterns.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Patterns)


@cache
def _compiled() -> tuple[tuple[Pattern, re.Pattern[str]], ...]:
    # What begins with a slash begins inside a morpheme: any form, with this tag.
    return tuple(
        (
            pattern,
            re.compile(
                f"(?:{pattern.regex})" if pattern.regex.startswith("/") else f"(?<= )(?:{pattern.regex})"
            ),
        )
        for pattern in load_patterns().patterns
    )


def tagged(morphemes: tuple[Morpheme, ...]) -> str:
    """What the patterns are looked for in: ` form/TAG form/TAG `."""
    return " " + "".join(f"{morpheme.form}/{morpheme.tag} " for morpheme in morphemes)


def find(speech: Speech) -> tuple[Hit, ...]:
    """Every use of every pattern, in the order of the speech. None goes over the end of a turn."""
    found: list[Hit] = []
    for units in speech.units:
        if not units.morphemes:
            continue
        text = tagged(units.morphemes)
        # Where each morpheme begins in `text`, behind the first space.
        starts = list(accumulate((len(m.form) + len(m.tag) + 2 for m in units.morphemes[:-1]), initial=1))
        for pattern, regex in _compiled():
            for match in regex.finditer(text):
                first = units.morphemes[max(bisect_right(starts, match.start()) - 1, 0)]
                last = units.morphemes[bisect_right(starts, match.end() - 1) - 1]
                begin, end = units.eojeol_at(first.start), units.eojeol_at(max(last.end - 1, last.start))
                found.append(Hit(pattern.id, pattern.level, begin, speech.quote(begin, end)))
    return tuple(sorted(found, key=lambda hit: (hit.eojeol, hit.pattern)))


def next_patterns(used: Collection[str], level: int, count: int = 5) -> tuple[Pattern, ...]:
    """Patterns to learn next: not used yet, of this level and the one above, the most common in texts first.

    Args:
        used: ids.
        level: 1 to 6.
        count: at most so many.
    """
    seen_at = min(level, 5)
    wanted = [
        pattern
        for pattern in load_patterns().patterns
        if pattern.level in (level, level + 1) and pattern.id not in used
    ]
    return tuple(sorted(wanted, key=lambda pattern: (-pattern.seen[seen_at], pattern.id))[:count])
