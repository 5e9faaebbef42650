"""Numbers as Koreans say them: 3명 is 세 명, 3분 is 삼 분, 6월 is 유월.

There are two rows of numerals. The native one counts things and people and tells the hour; the Sino-Korean one does all
the rest. The word behind the number decides, so it is looked up, also when a space stands between.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["native", "sino", "spell_numbers"]

_DIGITS = "영일이삼사오육칠팔구"
_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_MYRIADS = ("", "만", "억", "조", "경")

# Counted by the native row.
_NATIVE_WORDS = """
시간 시 명 개 살 번째 번 마리 잔 권 사람 달 장 병 대 그릇 켤레 송이 벌 채 군데 가지 곡 통 쌍 그루 자루
접시 조각 봉지 끼 판 배 방울 포기 모금 마디 걸음 바퀴 과목 끼니 주먹 스푼 숟가락 식구
"""
# Begin like one of those and are not: 3개월, 10달러, 5대학, 2시리즈.
_SINO_WORDS = """
개월 개국 개년 달러 번지 번호 번길 번역 시즌 시리즈 시그마 대학 대학교 배럴 장조 통신 명령 권역 판정 대륙
대로 가구 살림 병동 채널 곡선 시내 시험 분기 분 초 년 월 일 원 층 호 호선 학년 학기 반 과 쪽 페이지 점 도
주 주일 주년 회 킬로 미터 퍼센트 프로 인분 세 세기 위 등 급 단계 차 만 억 조 천 백
"""
_NATIVE = frozenset(_NATIVE_WORDS.split())
_COUNTERS = sorted([*_NATIVE, *_SINO_WORDS.split()], key=lambda word: (-len(word), word))

_UNITS = {
    "%": "퍼센트",
    "km": "킬로미터",
    "cm": "센티미터",
    "mm": "밀리미터",
    "m": "미터",
    "kg": "킬로그램",
    "g": "그램",
    "ml": "밀리리터",
    "l": "리터",
    "°C": "도",
    "℃": "도",
}
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))

# Tried in this order at each place of a word.
_PATTERN = re.compile(
    r"(?P<phone>\d{2,4}-\d{3,4}-\d{4})"
    r"|(?P<year>[12]\d{3})-(?P<month>0?[1-9]|1[0-2])-(?P<day>0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?!\d)"
    r"|(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.(?P<part>\d+))?"
    rf"(?:(?P<unit>{_UNIT})(?![A-Za-z]))?(?P<to>~(?=\d))?"
)


def spell_numbers(words: list[str]) -> list[str]:
    """Each word with its numbers spelt out in hangul, without spaces; as many words as before.

    Args:
        words: of one sentence; the next one may hold the counter, as in ``3 명``.
    """
    return [
        _PATTERN.sub(_speller(word, words[at + 1] if at + 1 < len(words) else ""), word)
        if any(map(str.isdigit, word))
        else word
        for at, word in enumerate(words)
    ]


def sino(number: int) -> str:
    """The Sino-Korean numeral: 26 is 이십육. Zero is 영. Beyond 경 (20 digits) the digits are read one by one."""
    if number == 0:
        return "영"
    if number >= 10**20:
        return _one_by_one(str(number))
    parts = []
    for myriad in _MYRIADS:
        number, four = divmod(number, 10_000)
        if four:
            # 10000 is 만 and not 일만; 일억 keeps its 일.
            parts.append(("" if four == 1 and myriad == "만" and number == 0 else _four(four)) + myriad)
    return "".join(reversed(parts))


def native(number: int) -> str:
    """The native numeral before a counter: 1 is 한, 20 스무, 21 스물한. Those end at 99; from 100 on it is `sino`."""
    if not 1 <= number <= 99:
        return sino(number)
    tens, ones = divmod(number, 10)
    return "스무" if number == 20 else _TENS[tens] + _ONES[ones]


def _four(number: int) -> str:
    digits = f"{number:04d}"
    return "".join(
        ("" if digit == "1" and place else _DIGITS[int(digit)]) + place
        for digit, place in zip(digits, ("천", "백", "십", ""), strict=True)
        if digit != "0"
    )


def _one_by_one(digits: str, *, zero: str = "영") -> str:
    return "".join(zero if digit == "0" else _DIGITS[int(digit)] for digit in digits)


def _speller(word: str, next_word: str) -> Callable[[re.Match[str]], str]:
    def spell(found: re.Match[str]) -> str:
        if found["phone"]:
            # Commas: a short breath between the groups, as one says it.
            return ",".join(_one_by_one(group, zero="공") for group in found["phone"].split("-"))
        if found["year"]:
            return f"{sino(int(found['year']))}년{_month(int(found['month']))}월{sino(int(found['day']))}일"
        if found["hour"]:
            minute = int(found["minute"])
            return _hour(int(found["hour"])) + "시" + (f"{sino(minute)}분" if minute else "")
        behind = word[found.end() :]
        if found["part"] or found["unit"] or found["to"]:
            part = f"쩜{_one_by_one(found['part'])}" if found["part"] else ""
            to = "에서" if found["to"] else ""
            return _plain(found["whole"]) + part + _UNITS.get(found["unit"] or "", "") + to
        return _counted(found["whole"], _counter(behind or next_word))

    return spell


def _counter(text: str) -> str:
    return next((counter for counter in _COUNTERS if text.startswith(counter)), "")


def _counted(digits: str, counter: str) -> str:
    number = int(digits.replace(",", ""))
    if counter == "월":
        return _month(number)
    if counter == "시":
        return _hour(number)
    if counter == "번째" and number == 1:
        return "첫"
    return native(number) if counter in _NATIVE else _plain(digits)


def _plain(digits: str) -> str:
    if len(digits) > 1 and digits.startswith("0"):
        return _one_by_one(digits, zero="공")
    return sino(int(digits.replace(",", "")))


def _month(number: int) -> str:
    return {6: "유", 10: "시"}.get(number) or sino(number)


def _hour(number: int) -> str:
    """Up to twelve one counts; on the clock of 24 hours one reads."""
    return native(number) if number <= 12 else sino(number)
