from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.server.voices.text import sentences


def spoken(text: str, language: str | None = None) -> list[str]:
    return [
        f"{s.language}: {' '.join(s.words)}{'' if s.ends else ' …'}"
        for s in sentences(text, language=language)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("안녕하세요! 반가워요.", ["ko: 안녕하세요!", "ko: 반가워요."]),
        (
            "잘했어요. You did very well. See you!",
            ["ko: 잘했어요.", "en: You did very well.", "en: See you!"],
        ),
        ("3.5점입니다. www.a.kr 보세요", ["ko: 3.5점입니다.", "ko: www.a.kr 보세요"]),
        ("저는 iPhone을 New York에서 샀어요.", ["ko: 저는 iPhone을 New York에서 샀어요."]),
        ("요약: you did well today.", ["ko: 요약: …", "en: you did well today."]),
        (
            "The word 안녕 means hello there, friend.",
            ["en: The word …", "ko: 안녕 …", "en: means hello there, friend."],
        ),
        ("Dr. Kim said so. Yes.", ["en: Dr. Kim said so.", "en: Yes."]),
        ("**중요**한 `말`\n- 하나\n- two", ["ko: 중요한 말", "ko: 하나", "en: two"]),
        ("2026. 안녕.", ["ko: 2026.", "ko: 안녕."]),
        ("Well. 2026.", ["en: Well.", "en: 2026."]),
        ("123", ["ko: 123"]),
        ("😀 ... -- !", []),
        ("", []),
    ],
)
def test_what_is_said_in_which_language(text: str, expected: list[str]) -> None:
    assert spoken(text) == expected


def test_the_script_beats_the_wish_and_the_wish_beats_the_default() -> None:
    assert spoken("안녕", "en") == ["ko: 안녕"]
    assert spoken("Guten Tag", "de") == ["de: Guten Tag"]
    assert spoken("Hello", "ko") == ["en: Hello"]
    assert spoken("42", "en") == ["en: 42"]


def test_a_long_sentence_is_cut_between_words() -> None:
    found = sentences("아주 긴 문장 " * 100)
    assert all(len(" ".join(s.words)) <= 200 for s in found)
    assert sum(len(s.words) for s in found) == 300
    assert [s.ends for s in found] == [False] * (len(found) - 1) + [True]


@given(st.text(max_size=200), st.sampled_from([None, "ko", "en-GB"]))
def test_any_text_gives_words_that_can_be_said(text: str, language: str | None) -> None:
    for sentence in sentences(text, language=language):
        assert sentence.words
        assert all(any(c.isalnum() or c == "_" for c in word) for word in sentence.words)
