"""Which words of a learner are beyond the core vocabulary of A1 and A2. The list is `core_words.txt`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charye.assessment.units import Speech

__all__ = [
    "CONTENT_TAGS",
    "MISREAD_PARTICLES",
    "ContentWord",
    "content_words",
    "core_version",
    "is_core",
    "lemma",
]

CONTENT_TAGS = frozenset({"NNG", "VV", "VA", "MAG"})
"""Common nouns, verbs, adjectives, adverbs. Names of people and places say nothing about a level."""

MISREAD_PARTICLES = frozenset({"을", "를", "은", "는", "이", "가", "과", "와", "으로", "로"})
"""A particle of the wrong shape is read as a word of its own. The anchors were measured with these; people are not
shown them."""

_FILE = "core_words.txt"
_VERSION = re.compile(r"version (\d+)")


@dataclass(frozen=True, slots=True)
class ContentWord:
    """A content word where it was used.

    Args:
        form: of the morpheme; a verb without -다.
        tag: its class.
        eojeol: in which it is.
        core: whether it is in the core list.
    """

    form: str
    tag: str
    eojeol: int
    core: bool


def _text() -> str:
    return resources.files("charye.assessment").joinpath(_FILE).read_text(encoding="utf-8")


@cache
def core_version() -> str:
    """The version of the list."""
    found = _VERSION.search(_text().partition("\n")[0])
    if found is None:
        raise ValueError(f"the first line of {_FILE} names no version")
    return found[1]


@cache
def _core() -> frozenset[str]:
    words = [word for line in _text().splitlines() if not line.startswith("#") for word in line.split()]
    nouns = [word.removesuffix("하다") for word in words if word.endswith("하다") and word != "하다"]
    return frozenset([*words, *nouns])


def is_core(form: str) -> bool:
    """Whether this form, or the verb that it is the stem of, is listed."""
    return form in _core() or f"{form}다" in _core()


def lemma(form: str, tag: str) -> str:
    """As a dictionary writes it."""
    return f"{form}다" if tag in ("VV", "VA") else form


def content_words(speech: Speech) -> tuple[ContentWord, ...]:
    """All content words, in the order of the speech."""
    return tuple(
        ContentWord(morpheme.form, morpheme.tag, eojeol, is_core(morpheme.form))
        for eojeol, morpheme in speech.morphemes()
        if morpheme.tag in CONTENT_TAGS
    )
