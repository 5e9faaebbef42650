from __future__ import annotations

import pytest

from charye.interview.hangul import compile_pattern, decompose, foreign_share, hangul_words, syllables


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("ㄴ데 ", "비가 오는데 추워요", True),
        ("ㄴ데 ", "큰데 좋아요", True),
        ("ㄴ데 ", "어디 가데요", False),
        ("ㄹ수록 ", "볼수록 재미있어요", True),
        ("ㄹ수록 ", "기록을 봐요", False),
        ("지만 ", "비싸지만", True),
        ("가 ", "갑 가요", False),  # 가 is open: 갑 is another syllable
        ("가~ ", "가 요", True),
        (" 가~", "갑니다", True),
        (" _요 ", "저는 가요", True),
    ],
)
def test_patterns_are_written_in_syllables(pattern: str, text: str, found: bool) -> None:
    assert (compile_pattern(pattern).search(decompose(text)) is not None) is found


def test_text_that_comes_in_parts_is_the_same_text() -> None:
    parts = "한국어"
    assert decompose(parts) == decompose("한국어")
    assert hangul_words(parts) == ["한국어"]


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("저는 학생이에요", 0.0),
        ("I am here", 1.0),
        ("", 0.0),
        ("123", 0.0),
        ("콜라 cola", 2 / 3),
        ("私は学生", 1.0),
    ],
)
def test_the_foreign_share_counts_letters(text: str, share: float) -> None:
    assert foreign_share(text) == pytest.approx(share)


def test_syllables_are_blocks() -> None:
    assert syllables("안녕! hello 3") == 2
