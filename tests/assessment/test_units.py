"""Units: eojeol, sentences and morphemes, with punctuation and without, and always at their place in the turn."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charye.assessment.linguistic import assess
from charye.assessment.speech import Speaker, Turn
from charye.assessment.units import units_of
from tests.assessment.talks import answers, talk

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi


def sentences(kiwi: Kiwi, *texts: str) -> list[str]:
    speech = units_of(answers(*texts), kiwi)
    found = [""] * speech.sentences
    for eojeol in speech.eojeols:
        found[eojeol.sentence] = f"{found[eojeol.sentence]} {eojeol.text}".strip()
    return found


def test_punctuation_decides_nothing(kiwi: Kiwi) -> None:
    with_it = sentences(kiwi, "저는 학교에 갔어요. 밥을 먹었어요! 그리고 집에 왔어요?")
    without = sentences(kiwi, "저는 학교에 갔어요 밥을 먹었어요 그리고 집에 왔어요")
    assert with_it == without == ["저는 학교에 갔어요", "밥을 먹었어요", "그리고 집에 왔어요"]


def test_the_plain_style_ends_a_sentence_without_a_full_stop(kiwi: Kiwi) -> None:
    assert sentences(kiwi, "나는 학교에 간다 나는 밥을 먹었다") == ["나는 학교에 간다", "나는 밥을 먹었다"]


def test_a_turn_ends_a_sentence(kiwi: Kiwi) -> None:
    assert sentences(kiwi, "서울에서", "학교에 가요") == ["서울에서", "학교에 가요"]


def test_only_the_learner_counts(kiwi: Kiwi) -> None:
    speech = units_of(talk("I 어디에 가요?\nL 학교에 가요."), kiwi)
    assert [eojeol.text for eojeol in speech.eojeols] == ["학교에", "가요"]
    assert {eojeol.turn for eojeol in speech.eojeols} == {1}


def test_a_word_of_encouragement_does_not_hide_the_question(kiwi: Kiwi) -> None:
    turns = talk(
        "I 혼자 사는 것이 더 좋아요?\nI 천천히 하세요.\nL 혼자 사는 것이 더 편해요.\nL 혼자 사는 것이 더 싸요."
    )
    assert [eojeol.text for eojeol in units_of(turns, kiwi).eojeols] == ["편해요", "싸요"]


def test_nothing_is_nothing(kiwi: Kiwi) -> None:
    for turns in ((), answers(""), answers("... !?"), answers("Hello, how are you")):
        speech = units_of(turns, kiwi)
        assert speech.eojeols == ()
        assert speech.sentences == 0


def test_letters_in_parts_are_put_together(kiwi: Kiwi) -> None:
    text = "학교에 갔어요"
    (units,) = units_of((Turn(Speaker.LEARNER, unicodedata.normalize("NFD", text)),), kiwi).units
    assert units.text == text


def test_a_character_beyond_the_first_plane_moves_nothing(kiwi: Kiwi) -> None:
    speech = units_of(answers("\U00020000 학교에 \U0001f600 가요"), kiwi)
    for eojeol in speech.eojeols:
        assert speech.turns[eojeol.turn].text[eojeol.start : eojeol.end] == eojeol.text
    forms = {morpheme.form: speech.eojeols[at].text for at, morpheme in speech.morphemes()}
    assert forms["학교"] == "학교에"
    assert forms["가"] == "가요"


KOREAN = st.text(st.sampled_from("저는학교에가요음어...,- \n을를이가했습니다 aB3?ㅋ가각힣"), max_size=60)


@pytest.mark.parametrize("source", [KOREAN, st.text(max_size=40)], ids=["korean", "any"])
def test_any_text_is_read_and_quoted_verbatim(source: st.SearchStrategy[str], kiwi: Kiwi) -> None:
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.lists(source, max_size=5))
    def read(texts: list[str]) -> None:
        turns = answers(*texts)
        result = assess(turns, kiwi=kiwi)
        quotes = [quote for use in result.patterns for quote in use.quotes]
        quotes += [word.quote for word in result.words] + list(result.hesitation.examples)
        quotes += [finding.quote for finding in (*result.accuracy, *result.register.findings)]
        quotes += [quote for domain in result.domains for quote in domain.quotes]
        for quote in quotes:
            assert quote.text
            assert turns[quote.turn].speaker is Speaker.LEARNER
            assert turns[quote.turn].text[quote.start : quote.end] == quote.text

    read()
