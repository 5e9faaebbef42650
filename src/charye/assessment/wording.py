"""The sentences of a report and the rubric, from their data files. Who changes a sentence changes no code."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from charye.assessment.grades import Grade
from charye.assessment.report import Bilingual
from charye.assessment.rubric import Domain

__all__ = [
    "Feature",
    "descriptor",
    "feature",
    "fill",
    "has",
    "number",
    "rubric_version",
    "say",
    "talks",
    "texts_version",
]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that is measured, for people: its name, its unit, and how many digits to print."""

    name: Bilingual
    unit: str
    digits: int


@cache
def _texts() -> dict[str, Any]:
    return _load("report_texts.toml")


@cache
def _rubric() -> dict[str, Any]:
    return _load("judge_prompts", "rubric.toml")


def _load(*path: str) -> dict[str, Any]:
    text = resources.files("charye.assessment").joinpath(*path).read_text(encoding="utf-8")
    return tomllib.loads(text)


def texts_version() -> str:
    """Of `report_texts.toml` and the rubric, whose sentences a report repeats."""
    return f"{_texts()['version']}.{rubric_version()}"


def rubric_version() -> str:
    """Of `judge_prompts/rubric.toml`."""
    return str(_rubric()["version"])


def say(*path: str, **values: object) -> Bilingual:
    """The sentence at this place of the file, in both languages.

    Args:
        path: names of tables, down to the one with `ko` and `en`.
        values: for what stands in braces. A `Bilingual` gives each language its own.
    Raises:
        KeyError: there is no such sentence.
    """
    entry: Any = _texts()
    for name in path:
        entry = entry[name]
    return fill(Bilingual(entry["ko"], entry["en"]), **values)


def fill(text: Bilingual, **values: object) -> Bilingual:
    """The text with its braces filled in."""
    korean = {name: value.ko if isinstance(value, Bilingual) else value for name, value in values.items()}
    english = {name: value.en if isinstance(value, Bilingual) else value for name, value in values.items()}
    return Bilingual(text.ko.format(**korean), text.en.format(**english))


def has(*path: str) -> bool:
    """Whether there is such a sentence."""
    entry: Any = _texts()
    for name in path:
        if name not in entry:
            return False
        entry = entry[name]
    return True


def descriptor(domain: Domain, grade: Grade) -> Bilingual:
    """What a speaker of this level does in this domain."""
    entry = _rubric()["pre_A1"] if grade is Grade.PRE_A1 else _rubric()[domain.value][grade.value]
    return Bilingual(entry["ko"], entry["en"])


def feature(name: str) -> Feature:
    """Of a reading of the offline assessor."""
    entry = _texts()["features"][name]
    return Feature(Bilingual(entry["ko"], entry["en"]), entry["unit"], entry["digits"])


def number(value: float, digits: int) -> str:
    """As it is printed."""
    return f"{value:.{digits}f}"


def talks(grade: Grade) -> tuple[str, ...]:
    """Things to talk about at this level, in Korean."""
    return tuple(_texts()["talk"][grade.value])
