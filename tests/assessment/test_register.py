"""Speech levels: which, how steady, where they change; and honorifics. Thinking aloud is no change of style."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charye.assessment.findings import Kind
from charye.assessment.register import Style, read_register
from charye.assessment.units import units_of
from tests.assessment.talks import answers

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi
    from charye.assessment.register import Register


def register(kiwi: Kiwi, *texts: str) -> Register:
    return read_register(units_of(answers(*texts), kiwi))


@pytest.mark.parametrize(
    ("said", "style"),
    [
        ("저는 학교에 갑니다", Style.FORMAL),
        ("학교에 가십니까", Style.FORMAL),
        ("저는 학교에 가요", Style.POLITE),
        ("맛있지요", Style.POLITE),
        ("맛있죠", Style.POLITE),
        ("커피요", Style.POLITE),
        ("늦어서요", Style.POLITE),
        ("나는 학교에 간다", Style.PLAIN),
        ("나는 학교에 갔어", Style.CASUAL),
    ],
)
def test_the_level_of_a_sentence(said: str, style: Style, kiwi: Kiwi) -> None:
    assert register(kiwi, said).main is style


def test_without_sentences_there_is_no_level(kiwi: Kiwi) -> None:
    found = register(kiwi, "서울", "")
    assert (found.sentences, found.main, found.steadiness, found.switches_per_10) == (0, None, None, None)


def test_polite_and_formal_mix_well(kiwi: Kiwi) -> None:
    found = register(kiwi, "저는 학생입니다. 서울에 살아요. 한국어를 배웁니다. 재미있어요.")
    assert found.steadiness == 1.0
    assert found.switches_per_10 == 0.0
    assert found.findings == ()


def test_a_switch_to_casual_speech_and_the_pronoun_are_found(kiwi: Kiwi) -> None:
    found = register(kiwi, "저는 학생이에요. 나는 어제 밥을 먹었어. 그리고 집에 갔어요. 잠을 잤어요.")
    assert found.steadiness == 0.75
    assert found.switches_per_10 == 5.0
    assert [(one.kind, one.quote.text) for one in found.findings] == [
        (Kind.STYLE_SWITCH, "먹었어"),
        (Kind.HUMBLE_MISMATCH, "나는"),
    ]


def test_thinking_aloud_is_no_switch(kiwi: Kiwi) -> None:
    found = register(kiwi, "저는 그, 뭐지, 약국에 갔어요. 약을 샀어요. 집에 왔어요. 잤어요.")
    assert found.steadiness == 1.0
    assert found.sentences == 4


def test_honorifics(kiwi: Kiwi) -> None:
    found = register(kiwi, "할머니께서 진지를 드셨어요. 선생님께 여쭤봤어요. 아버지가 오셨어요.")
    forms = [one.said for one in found.findings if one.kind is Kind.HONORIFIC]
    assert {"께서", "진지", "께", "시"} <= set(forms)


def test_plain_speech_has_no_honorifics(kiwi: Kiwi) -> None:
    assert register(kiwi, "친구가 밥을 먹었어요. 동생한테 물어봤어요.").findings == ()
