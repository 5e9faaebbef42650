"""Korean morphemes, from Kiwi. The only module that knows it."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from charye.errors import MissingExtra

__all__ = ["Kiwi", "Morpheme", "kiwi_version", "load_kiwi", "morphemes_of"]


class Kiwi(Protocol):
    """What is used of `kiwipiepy.Kiwi`."""

    def tokenize(self, text: str, *, typos: str | None = None) -> Any:
        """Morphemes of a text, in order."""


@dataclass(frozen=True, slots=True)
class Morpheme:
    """One morpheme of a text.

    Args:
        form: with the jamo of endings as conjoining ones, and endings unified: 았 is 었, 아요 is 어요.
        tag: of the Sejong set, without Kiwi's marks of regularity.
        irregular: whether Kiwi marks it as a stem that conjugates irregularly.
        start: first character in the text. Morphemes that share a syllable overlap.
        end: behind its last character.
    """

    form: str
    tag: str
    irregular: bool
    start: int
    end: int


def load_kiwi() -> Kiwi:
    """A Kiwi, ready to work. Takes seconds and half a gigabyte: once in a process, never on an event loop.

    Raises:
        MissingExtra: the extra `korean` is not installed.
    """
    try:
        import kiwipiepy
    except ImportError as error:
        raise MissingExtra(feature="the Korean assessor", extra="korean") from error
    # One worker: turns are short, and a pool would hold the second core of a small machine.
    kiwi: Kiwi = kiwipiepy.Kiwi(num_workers=1)
    # The first call builds tables, with and without typing errors. Better here than in a learner's turn.
    for typos in (None, "basic"):
        kiwi.tokenize("안녕하세요", typos=typos)
    return kiwi


@cache
def kiwi_version() -> str:
    """The versions of Kiwi and its model: another one may cut words differently. Empty if it is not installed."""
    try:
        return "/".join(map(importlib.metadata.version, ("kiwipiepy", "kiwipiepy_model")))
    except importlib.metadata.PackageNotFoundError:
        return ""


def morphemes_of(kiwi: Kiwi, text: str, *, mend: bool = False) -> tuple[Morpheme, ...]:
    """The morphemes of a text.

    Args:
        kiwi: from `load_kiwi`.
        text: without punctuation.
        mend: whether typing errors may be mended on the way. Then a form can differ from the characters it stands for.
    """
    return tuple(
        Morpheme(
            form=token.form,
            tag=token.tag.removesuffix("-I").removesuffix("-R"),
            irregular=token.tag.endswith("-I"),
            start=token.start,
            end=token.start + token.len,
        )
        for token in kiwi.tokenize(text, typos="basic" if mend else None)
    )
