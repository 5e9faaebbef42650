"""Words that do not count: fillers, repeats, false starts, other scripts, the question's words."""

from __future__ import annotations

import pytest

from charye.assessment.disfluency import Exclusion, exclusions, written_words


def left(text: str, question: str = "") -> str:
    words = written_words(text)
    dropped = exclusions(words, question)
    return " ".join(word.text for index, word in enumerate(words) if index not in dropped)


def reasons(text: str, question: str = "") -> list[Exclusion]:
    return list(exclusions(written_words(text), question).values())


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("음 저는 어... 학교에 가요", "저는 학교에 가요"),
        ("그... 친구를 만났어요", "친구를 만났어요"),
        ("그 친구를 만났어요", "그 친구를 만났어요"),
        ("이제 집에 가요", "이제 집에 가요"),
        ("뭐, 괜찮아요", "괜찮아요"),
        ("뭐 먹었어요", "뭐 먹었어요"),
        ("뭐라고 하지 약을 사요", "약을 사요"),
        ("오 명 있어요", "오 명 있어요"),
        ("", ""),
    ],
)
def test_fillers(said: str, counts: str) -> None:
    assert left(said) == counts


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("저는 저는 학교에 가요", "저는 학교에 가요"),
        ("어제 친구를 어제 친구를 만났어요", "어제 친구를 만났어요"),
        ("아주 아주 좋아요", "아주 아주 좋아요"),
        ("학, 학교에 가요", "학교에 가요"),
        ("먹... 먹었어요", "먹었어요"),
        ("친구 친구하고 가요", "친구 친구하고 가요"),
    ],
)
def test_repeats_and_false_starts(said: str, counts: str) -> None:
    assert left(said) == counts


def test_a_filler_between_does_not_hide_a_repeat() -> None:
    assert left("저는 음 저는 가요") == "저는 가요"
    assert reasons("저는 음 저는 가요") == [Exclusion.FILLER, Exclusion.REPEAT]


def test_latin_letters_do_not_count_but_loanwords_and_mixed_words_do() -> None:
    assert left("저는 really 커피를 TV를 좋아해요") == "저는 커피를 TV를 좋아해요"


def test_four_words_of_the_question_are_a_copy_three_are_not() -> None:
    question = "혼자 사는 것이 더 좋아요?"
    assert left("혼자 사는 것이 더 편해요", question) == "편해요"
    assert left("혼자 사는 것이 편해요", question) == "혼자 사는 것이 편해요"


def test_words_know_where_they_are_and_what_follows() -> None:
    words = written_words("네, 3.5점 … 가요")
    assert [word.text for word in words] == ["네", "3", "5점", "가요"]
    assert [word.behind for word in words] == [",", ".", "…", ""]
    assert [(word.start, word.end) for word in words] == [(0, 1), (3, 4), (5, 7), (10, 12)]
