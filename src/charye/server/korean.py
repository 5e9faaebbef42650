"""Korean as it is spoken, spelt so that a simple synthesiser says it right.

Hangul is written by meaning and spoken by rule: 국물 is said 궁물, 읽는 잉는, 신라 실라. espeak-ng knows few of these
rules. `respell` applies those of the standard pronunciation, so what goes in is what is heard. It is for the
synthesiser only: a transcript always keeps the written form.

One word goes in, one word comes out, without spaces, so that the times of spoken words are those of the written ones.
Source: 표준 발음법 (the standard pronunciation), chapters 4 to 7; the numbers in brackets are its articles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from charye.server.korean_numbers import spell_numbers
from charye.server.korean_words import BEFORE_WORK, LINK_AS_WORDS, SPOKEN_AS, VERB_ENDS_IN_L, WORK

__all__ = ["is_hangul", "respell", "syllables_in"]

# The parts of a syllable, in the order of Unicode. Compatibility letters, so that the tables can be read.
_ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_CODAS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_FIRST, _LAST = "가", "힣"

# A coda of two letters: what stays, what may move on.
_TWO = {
    "ㄳ": ("ㄱ", "ㅅ"),
    "ㄵ": ("ㄴ", "ㅈ"),
    "ㄶ": ("ㄴ", "ㅎ"),
    "ㄺ": ("ㄹ", "ㄱ"),
    "ㄻ": ("ㄹ", "ㅁ"),
    "ㄼ": ("ㄹ", "ㅂ"),
    "ㄽ": ("ㄹ", "ㅅ"),
    "ㄾ": ("ㄹ", "ㅌ"),
    "ㄿ": ("ㄹ", "ㅍ"),
    "ㅀ": ("ㄹ", "ㅎ"),
    "ㅄ": ("ㅂ", "ㅅ"),
}
# Before a consonant and at the end only seven codas are heard. [8-11]
_HEARD = {
    **dict.fromkeys("ㄲㅋㄳㄺ", "ㄱ"),
    **dict.fromkeys("ㅅㅆㅈㅊㅌㅎ", "ㄷ"),
    **dict.fromkeys("ㅍㅄㄿ", "ㅂ"),
    **dict.fromkeys("ㄼㄽㄾㅀ", "ㄹ"),
    **dict.fromkeys("ㄵㄶ", "ㄴ"),
    "ㄻ": "ㅁ",
}
_TENSE = dict(zip("ㄱㄷㅂㅅㅈ", "ㄲㄸㅃㅆㅉ", strict=True))
_ASPIRATED = dict(zip("ㄱㄷㅂㅈ", "ㅋㅌㅍㅊ", strict=True))
_NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}
# What makes the next consonant tense: the stops [23], and the codas that hide one [24, 25].
_TENSING = frozenset("ㄱㄲㅋㄳㄺㄷㅅㅆㅈㅊㅌㅂㅍㄼㄿㅄㄵㄾㄻ")


@dataclass(slots=True)
class _Syllable:
    """One syllable, taken apart; `coda` is a space if there is none. Changed in place, pair by pair."""

    onset: str
    vowel: str
    coda: str

    def whole(self) -> str:
        code = _ONSETS.index(self.onset) * len(_VOWELS) + _VOWELS.index(self.vowel)
        return chr(ord(_FIRST) + code * len(_CODAS) + _CODAS.index(self.coda))


def is_hangul(character: str) -> bool:
    """Whether it is a whole syllable. Single letters, as in ㅋㅋ, are not."""
    return len(character) == 1 and _FIRST <= character <= _LAST


def syllables_in(text: str) -> int:
    """How many syllables it takes to say this, roughly, in Korean and in English. At least 1, to share time by."""
    hangul = sum(map(is_hangul, text))
    foreign = sum(
        len(re.findall(r"[aeiouy]+", word.lower())) or 1 for word in re.findall(r"[A-Za-z']+", text)
    )
    return max(1, hangul + foreign + 2 * sum(map(str.isdigit, text)))


def respell(words: list[str]) -> list[str]:
    """Each word as it is said. As many words come out as went in; what is not Korean stays as it is.

    Args:
        words: the words of one sentence, cut at spaces, with their punctuation.
    """
    spelled = spell_numbers(words)
    return [_respell_word(word) for word in _across_words(spelled)]


def _across_words(words: list[str]) -> list[str]:
    """Tense the dependent noun behind a verb that ends in ㄹ, 할 거예요: 할 꺼예요 [27]; 무슨 일: 무슨 닐 [29]."""
    found = list(words)
    for at in range(1, len(found)):
        last = found[at - 1][-1:]
        if found[at - 1] in BEFORE_WORK and WORK.fullmatch(found[at]):
            found[at] = ("릴" if _apart(last).coda == "ㄹ" else "닐") + found[at][1:]
        if not is_hangul(last) or _apart(last).coda != "ㄹ":
            continue
        after = found[at + 1] if at + 1 < len(found) else ""
        if VERB_ENDS_IN_L.fullmatch(f"{found[at].rstrip('.,!?…')} {after}"):
            first = _apart(found[at][0])
            first.onset = _TENSE.get(first.onset, first.onset)
            found[at] = first.whole() + found[at][1:]
    return found


def _respell_word(word: str) -> str:
    for written, spoken in SPOKEN_AS:
        if written in word:
            word = word.replace(written, spoken)
    # Runs of hangul; a hyphen marks where two words meet, as in 꽃-잎, and is not said.
    return re.sub(f"[{_FIRST}-{_LAST}]+(?:-[{_FIRST}-{_LAST}]+)*", lambda found: _respell_run(found[0]), word)


def _respell_run(run: str) -> str:
    run = LINK_AS_WORDS.sub("-", run)
    syllables: list[_Syllable] = []
    for part in run.split("-"):
        apart = [_apart(character) for character in part]
        if syllables:
            _meet(syllables[-1], apart[0])
        syllables += apart
    for here, after in pairwise(syllables):
        _pair(here, after)
    for syllable in syllables:
        _vowel(syllable)
    syllables[-1].coda = _HEARD.get(syllables[-1].coda, syllables[-1].coda)
    return "".join(syllable.whole() for syllable in syllables)


def _apart(character: str) -> _Syllable:
    code, coda = divmod(ord(character) - ord(_FIRST), len(_CODAS))
    onset, vowel = divmod(code, len(_VOWELS))
    return _Syllable(_ONSETS[onset], _VOWELS[vowel], _CODAS[coda])


def _meet(here: _Syllable, after: _Syllable) -> None:
    """Two words meet. Before 이 야 여 요 유 a ㄴ comes between [29]; before other vowels the coda is cut [15]."""
    if after.onset != "ㅇ" or here.coda == " ":
        return
    if after.vowel in "ㅣㅑㅕㅛㅠㅖㅒ":
        after.onset = "ㄹ" if here.coda == "ㄹ" else "ㄴ"
    else:
        here.coda = _HEARD.get(here.coda, here.coda)


def _pair(here: _Syllable, after: _Syllable) -> None:
    """What the end of one syllable and the beginning of the next make of each other."""
    if here.coda == " ":
        return
    if after.onset == "ㅇ":
        _link(here, after)
    elif after.onset == "ㅎ":
        _aspirate_by_onset(here, after)
    else:
        if here.coda in "ㅎㄶㅀ":
            _aspirate_by_coda(here, after)
        if here.coda != " ":
            _assimilate(here, after)


def _link(here: _Syllable, after: _Syllable) -> None:
    """Before a vowel the coda moves on [13, 14]; ㅎ is lost [12]; ㄷ and ㅌ before 이 become ㅈ and ㅊ [17]."""
    if here.coda == "ㅇ":
        return
    stays, moves = _TWO.get(here.coda, (" ", here.coda))
    here.coda = stays
    if moves == "ㅎ":
        if stays != " ":
            here.coda, after.onset = " ", stays
        return
    if after.vowel in "ㅣㅕ" and moves in "ㄷㅌ":
        moves = "ㅈ" if moves == "ㄷ" else "ㅊ"
    elif moves == "ㅅ" and stays != " ":
        moves = "ㅆ"
    after.onset = moves


def _aspirate_by_onset(here: _Syllable, after: _Syllable) -> None:
    """A stop and ㅎ become one aspirated consonant: 입학 이팍, 못하다 모타다 [12]; 닫히다 다치다 [17]."""
    stays, last = _TWO.get(here.coda, (" ", here.coda))
    if last in "ㄱㄲㅋ":
        plain = "ㄱ"
    elif last in "ㅂㅍ":
        plain = "ㅂ"
    elif last == "ㅈ":
        plain = "ㅈ"
    elif last in "ㄷㅅㅆㅊㅌ":
        plain = "ㅈ" if after.vowel in "ㅣㅕ" and last in "ㄷㅌ" else "ㄷ"
        if here.coda == "ㅄ":
            stays, plain = " ", "ㅂ"
    else:
        return  # ㄴ ㄹ ㅁ ㅇ: the ㅎ is heard
    here.coda, after.onset = stays, _ASPIRATED[plain]


def _aspirate_by_coda(here: _Syllable, after: _Syllable) -> None:
    """ㅎ at the end makes the next one strong: 좋다 조타, 많소 만쏘; before ㄴ it is lost [12]."""
    stays = {"ㅎ": " ", "ㄶ": "ㄴ", "ㅀ": "ㄹ"}[here.coda]
    if after.onset in _ASPIRATED:
        here.coda, after.onset = stays, _ASPIRATED[after.onset]
    elif after.onset == "ㅅ":
        here.coda, after.onset = stays, "ㅆ"
    elif stays != " ":
        here.coda = stays
    else:
        here.coda = "ㄷ"  # 놓는 is said 논는: as a stop before a nasal


def _assimilate(here: _Syllable, after: _Syllable) -> None:
    """Tension, then nasals, then liquids [18-20, 23-25]."""
    if here.coda == "ㄺ" and after.onset == "ㄱ" and here.whole() not in "닭흙칡":
        here.coda, after.onset = "ㄹ", "ㄲ"  # 읽고 is said 일꼬 [11]
        return
    noun = here.whole() in "삶앎덟"  # of these the ㅁ or ㄹ alone is heard, and nothing gets tense
    if here.coda in _TENSING and not noun:
        after.onset = _TENSE.get(after.onset, after.onset)
    here.coda = "ㅂ" if here.whole() == "밟" else _HEARD.get(here.coda, here.coda)
    if after.onset == "ㄹ":
        if here.coda in "ㄴㄹ":
            here.coda = "ㄹ"  # 신라 실라
            return
        after.onset = "ㄴ"  # 심리 심니, 독립 동닙
    if after.onset == "ㄴ" and here.coda == "ㄹ":
        after.onset = "ㄹ"  # 칼날 칼랄
    if after.onset in "ㄴㅁ":
        here.coda = _NASAL.get(here.coda, here.coda)


def _vowel(syllable: _Syllable) -> None:
    """희망 히망, 가져 가저, 계세요 게세요 [5]."""
    if syllable.vowel == "ㅢ" and syllable.onset != "ㅇ":
        syllable.vowel = "ㅣ"
    elif syllable.vowel == "ㅕ" and syllable.onset in "ㅈㅉㅊ":
        syllable.vowel = "ㅓ"
    elif syllable.vowel == "ㅖ" and syllable.onset not in "ㅇㄹ":
        syllable.vowel = "ㅔ"
