"""The core vocabulary: complete, versioned, and matched by noun, stem and the noun before -하다."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charye.assessment.lexicon import content_words, core_version, is_core, lemma
from charye.assessment.units import units_of
from tests.assessment.talks import answers

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi


def test_the_list_has_a_version() -> None:
    assert core_version() == "1"


@pytest.mark.parametrize("form", ["학교", "먹", "예쁘", "공부", "요리", "천천히", "일하", "하"])
def test_core_words(form: str) -> None:
    assert is_core(form)


@pytest.mark.parametrize("form", ["장점", "해결", "사라지", "굳이", "#"])
def test_words_beyond_it(form: str) -> None:
    assert not is_core(form)


def test_content_words_are_nouns_verbs_adjectives_and_adverbs_but_no_names(kiwi: Kiwi) -> None:
    speech = units_of(answers("마리아가 서울에서 아주 예쁜 도자기를 샀어요."), kiwi)
    found = {lemma(word.form, word.tag): word.core for word in content_words(speech)}
    assert found == {"아주": True, "예쁘다": True, "도자기": False, "사다": True}
