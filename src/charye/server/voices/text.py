"""From the words of an answer to what a synthesiser takes: sentences, each in one language, without ornament."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Sentence", "sentences"]

# A sentence ends where such a mark is followed by a space or the end. `3.5` and `www.a.kr` have none.
_END = re.compile(r"(?:(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。？！])|\s*\n+\s*)")
_SHORTENED = re.compile(r"(?:^|\s)(?:Mr|Mrs|Ms|Dr|Prof|St|vs|e\.g|i\.e|No)\.\s*$")

_HANGUL = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]")
_LATIN = re.compile(r"[A-Za-zÀ-ÿ]")
_SAYABLE = re.compile(r"\w")

# Marks of Markdown: read aloud they would be "asterisk". An underscore counts only at the edge of a word.
_ORNAMENT = re.compile(r"[*#`]|(?<!\w)_+|_+(?!\w)")
# Brackets, and what no text should hold: a synthesiser in C takes a zero for the end.
_FENCE = re.compile(r"[|<>\[\]{}\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")

# From so many foreign words in a row on, they are a phrase of their own and not a name that was dropped.
_PHRASE_WORDS = 3

# Longer ones are cut between words, so that nobody who shares the synthesiser waits long: 200 syllables are 3 minutes
# of slow speech and 50 ms of work.
_MAX_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words of one language that are said in one breath.

    Args:
        words: as written, with their punctuation; each holds something that can be said.
        language: a code such as `ko` or `en`.
        ends: whether a pause follows; not if the sentence goes on in another language.
    """

    words: tuple[str, ...]
    language: str
    ends: bool = True


def sentences(text: str, *, language: str | None = None) -> list[Sentence]:
    """What there is to say, in order. Empty if nothing can be said.

    The script decides: Hangul is Korean, whatever `language` says; Latin letters are `language`, unless that is `ko` or
    None, then English. What has no letters is of the language of its neighbour, else of `language`, else Korean.
    """
    latin = language if language and _base(language) != "ko" else "en"
    found: list[Sentence] = []
    before = language or _first_language(text, latin)
    for sentence in _split(text):
        words = [word for word in _plain(sentence).split() if _SAYABLE.search(word)]
        runs = _runs(words, latin, before)
        for place, (spoken_in, run) in enumerate(runs):
            before = spoken_in
            last = place == len(runs) - 1
            pieces = _cut(run)
            found += [
                Sentence(tuple(piece), spoken_in, ends=last and piece is pieces[-1]) for piece in pieces
            ]
    return found


def _base(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()


def _split(text: str) -> list[str]:
    parts: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if not _SHORTENED.search(text[start : end.end()]):
            parts.append(text[start : end.end()])
            start = end.end()
    return [*parts, text[start:]]


def _plain(sentence: str) -> str:
    return _FENCE.sub(" ", _ORNAMENT.sub("", sentence))


def _first_language(text: str, latin: str) -> str:
    for character in text:
        if _HANGUL.match(character):
            return "ko"
        if _LATIN.match(character):
            return latin
    return "ko"


def _language(text: str, latin: str) -> str | None:
    """By letters: one Hangul syllable is worth about three Latin letters, as much is said with it."""
    hangul, letters = len(_HANGUL.findall(text)), len(_LATIN.findall(text))
    if not hangul and not letters:
        return None
    return "ko" if hangul * 3 >= letters else latin


def _runs(words: list[str], latin: str, before: str) -> list[tuple[str, list[str]]]:
    """The words of a sentence by language. A few Latin words stay in their Korean sentence; Hangul is always Korean."""
    whole = _language(" ".join(words), latin) or before
    runs: list[tuple[str, list[str]]] = []
    for word in words:
        language = (
            "ko" if _HANGUL.search(word) else _language(word, latin) or (runs[-1][0] if runs else whole)
        )
        if runs and runs[-1][0] == language:
            runs[-1][1].append(word)
        else:
            runs.append((language, [word]))
    merged: list[tuple[str, list[str]]] = []
    for language, run in runs:
        own = language if language == "ko" or len(run) >= _PHRASE_WORDS else whole
        if merged and merged[-1][0] == own:
            merged[-1][1].extend(run)
        else:
            merged.append((own, run))
    return merged


def _cut(words: list[str]) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    length = 0
    for word in words:
        if length + len(word) > _MAX_CHARACTERS and pieces[-1]:
            pieces.append([])
            length = 0
        pieces[-1].append(word)
        length += len(word) + 1
    return pieces
