"""Korean script as text: how much of an answer is Korean, and patterns over decomposed syllables.

Unicode, section 3.12: a syllable block decomposes (NFD) into a lead, a vowel and perhaps a final consonant. So
"ends in a vowel and -서" and "any stem and -ㄴ데" become ordinary regular expressions, without morphological
analysis.
"""

import re
import unicodedata

__all__ = ["compile_pattern", "decompose", "foreign_share", "hangul_words", "has_hangul", "syllables"]

_SYLLABLE = re.compile(r"[가-힣]")
_FINALS = {"ㄱ": "ᆨ", "ㄴ": "ᆫ", "ㄹ": "ᆯ", "ㅁ": "ᆷ", "ㅂ": "ᆸ", "ㅆ": "ᆻ"}
_NO_FINAL = "(?![ᆨ-ᇂ])"
_NOT_WORD = re.compile(r"[^\w ]+", re.UNICODE)
_BLANKS = re.compile(r"\s+")


def has_hangul(text: str) -> bool:
    """Whether there is at least one Korean syllable."""
    return _SYLLABLE.search(text) is not None


def syllables(text: str) -> int:
    """How many Korean syllables are in it. Digits are not counted."""
    return len(_SYLLABLE.findall(text))


def foreign_share(text: str) -> float:
    """Letters that are not hangul, as a share of all letters; 0.0 where there are none. Loanwords in hangul count."""
    letters = [char for char in text if char.isalpha()]
    if not letters:
        return 0.0
    return sum(1 for char in letters if not _is_hangul(char)) / len(letters)


def hangul_words(text: str) -> list[str]:
    """The words between blanks that hold hangul, composed (NFC), without marks."""
    plain = _NOT_WORD.sub(" ", unicodedata.normalize("NFC", text))
    return [word for word in plain.split() if has_hangul(word)]


def decompose(text: str) -> str:
    """The text for `compile_pattern`: marks are blanks, one blank between words and at both ends, decomposed."""
    plain = _NOT_WORD.sub(" ", unicodedata.normalize("NFC", text))
    return unicodedata.normalize("NFD", f" {_BLANKS.sub(' ', plain).strip()} ")


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern in syllables, for text from `decompose`.

    A lone ㄱ ㄴ ㄹ ㅁ ㅂ ㅆ is a final consonant. A syllable without a final does not match one that has one, unless a
    lone consonant or `~` follows. `_` is any part of a word. The rest is a regular expression.

    Raises:
        re.error: it is none.
    """
    made: list[str] = []
    following = (*pattern[1:], "")
    for char, after in zip(pattern, following, strict=True):
        if char in _FINALS:
            made.append(_FINALS[char])
        elif char == "_":
            made.append("[^ ]*")
        elif char != "~":
            parts = unicodedata.normalize("NFD", char)
            is_open = len(parts) == 2 and _SYLLABLE.match(char) is not None
            made.append(parts + (_NO_FINAL if is_open and after not in _FINALS and after != "~" else ""))
    return re.compile("".join(made))


def _is_hangul(char: str) -> bool:
    return "가" <= char <= "힣" or "ㄱ" <= char <= "ㅣ" or "ᄀ" <= char <= "ᇿ"
