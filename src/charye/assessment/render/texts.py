"""What a report says that is not in its data: headings, labels, legends, in Korean and in English (`texts.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from datetime import datetime

    from charye.assessment.report import Bilingual, Report

__all__ = ["LANGUAGES", "Language", "Words", "clock", "language_for", "load_texts", "words_of"]

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# fmt: off
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on


def language_for(report: Report) -> Language:
    """The language that the learner reads: Korean if that is theirs, else English, whatever the level.

    What the interviewer *says* turns Korean from B2 on; corrections and their reasons are read in comfort.
    """
    own = (report.learner.language or "").lower()
    return "ko" if own == "ko" or own.startswith("ko-") else "en"


@cache
def load_texts() -> dict[str, dict[str, str]]:
    """All texts, by their key and then by language."""
    text = resources.files("charye.assessment.render").joinpath("texts.toml").read_text(encoding="utf-8")
    return {
        f"{group}.{key}": entry
        for group, entries in tomllib.loads(text).items()
        for key, entry in entries.items()
    }


@cache
def words_of(language: Language) -> Words:
    """The words of a language."""
    return Words(language)


@dataclass(frozen=True, slots=True)
class Words:
    """Texts, numbers and dates in one language."""

    language: Language

    def __call__(self, key: str, **values: str | int) -> str:
        """The text with this key, its places filled. A key that there is not is a bug: `KeyError`."""
        text = load_texts()[key][self.language]
        return text.format(**values) if values else text

    def of(self, text: Bilingual) -> str:
        """This language's half."""
        return text.ko if self.language == "ko" else text.en

    def date(self, when: datetime) -> str:
        """The day, in the time zone that it comes with."""
        if self.language == "ko":
            return f"{when.year}년 {when.month}월 {when.day}일"
        return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"

    def day(self, when: datetime) -> str:
        """The day without its year, short."""
        if self.language == "ko":
            return f"{when.month}. {when.day}."
        return f"{when.day} {_MONTHS[when.month - 1][:3]}"

    def span(self, seconds: float) -> str:
        """How long something takes."""
        minutes, rest = divmod(round(seconds), 60)
        if not minutes:
            return self("unit.seconds", n=rest)
        return self("unit.minutes", n=minutes) + (f" {self('unit.seconds', n=rest)}" if rest else "")

    def number(self, value: float, unit: str, digits: int) -> str:
        """A measured value with its unit, such as `42 %`."""
        if unit == "share":
            value, digits = 100 * value, max(digits - 2, 0)
        return self(f"unit.{unit}", n=f"{value:,.{digits}f}")


def clock(ms: float) -> str:
    """A place in the recording, such as `1:05`."""
    minutes, seconds = divmod(int(ms // 1000), 60)
    return f"{minutes}:{seconds:02}"
