"""What the interviewer says besides the tasks: `data/lines.toml`, by name."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from charye.interview import toml_lines
from charye.interview.levels import Level

__all__ = ["Line", "Lines", "load_lines"]

# Speech is polite up to B2 and formal from C1 on; so are the tasks of those levels.
_FORMAL_FROM = Level.C1.step


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words for an occasion.

    Args:
        others: the same in other words.
        formal, formal_others: instead of these for learners at C1 and C2.
        gloss: what it means, by language.
    """

    ko: str
    others: tuple[str, ...] = ()
    formal: str | None = None
    formal_others: tuple[str, ...] = ()
    gloss: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines by name. A name that is not there is a mistake of ours: KeyError."""

    by_name: dict[str, Line]

    def say(self, name: str, step: int, number: int = 0) -> str:
        """The Korean words, for a learner at this step; `number` goes round the ways to say it."""
        line = self.by_name[name]
        if line.formal is not None and step >= _FORMAL_FROM:
            ways = (line.formal, *line.formal_others)
        else:
            ways = (line.ko, *line.others)
        return ways[number % len(ways)]

    def gloss(self, name: str, language: str) -> str | None:
        """What it means, if that language is there."""
        return self.by_name[name].gloss.get(language)


@cache
def load_lines() -> Lines:
    """The lines that come with us."""
    text = resources.files("charye.interview").joinpath("data", "lines.toml").read_text(encoding="utf-8")
    data = toml_lines.parse(text, name="lines.toml").data
    return Lines(msgspec.convert(data["line"], dict[str, Line]))
