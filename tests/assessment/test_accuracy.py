"""Errors that are found for certain, and correct speech in which none may be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charye.assessment.accuracy import missing_particles, particle_shapes, regular_for_irregular
from charye.assessment.units import units_of
from tests.assessment.talks import answers, interviews

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi


@pytest.mark.parametrize(
    ("said", "wrong", "better"),
    [
        ("저는 학교을 가요", "학교을", "학교를"),
        ("책를 읽어요", "책를", "책을"),
        ("커피을 마셔요", "커피을", "커피를"),
        ("버스으로 가요", "버스으로", "버스로"),
        ("지하철으로 가요", "지하철으로", "지하철로"),
    ],
)
def test_a_particle_of_the_wrong_shape(said: str, wrong: str, better: str, kiwi: Kiwi) -> None:
    (finding,) = particle_shapes(units_of(answers(said), kiwi), kiwi)
    assert (finding.said, finding.better) == (wrong, better)
    assert finding.quote.text == wrong


@pytest.mark.parametrize(
    "said", ["날씨가 덥어요", "집이 가깝아요", "음악을 듣어요", "김치가 맵었어요", "집을 짓었어요"]
)
def test_an_irregular_verb_made_regular(said: str, kiwi: Kiwi) -> None:
    (finding,) = regular_for_irregular(units_of(answers(said), kiwi))
    assert finding.quote.text == said.split()[1]


@pytest.mark.parametrize(
    "said",
    [
        "학교를 가요. 책을 읽어요. 서울로 갔어요. 집으로 왔어요. 지하철로 가요. 물과 빵, 커피와 우유를 샀어요.",
        "날씨가 더워요. 음악을 들어요. 집을 지었어요. 걸어서 갔어요. 도와줬어요. 추웠어요. 몰라요. 노래를 불렀어요.",
        "난 널 알아요. 그건 제가 할게요. 옷을 벗어요. 문을 닫았어요. 친구를 믿어요. 씻어요.",
    ],
)
def test_correct_speech(said: str, kiwi: Kiwi) -> None:
    speech = units_of(answers(said), kiwi)
    assert particle_shapes(speech, kiwi) == ()
    assert regular_for_irregular(speech) == ()


def test_nothing_is_found_in_the_interviews_but_the_two_errors_of_their_kind(kiwi: Kiwi) -> None:
    found = []
    for interview in interviews():
        speech = units_of(interview.turns, kiwi)
        found += [
            (interview.id, one.said) for one in particle_shapes(speech, kiwi) + regular_for_irregular(speech)
        ]
    assert found == [("a1-04", "축구을"), ("a1-04", "듣어요")]


def test_a_missing_particle_shows_in_long_sentences_only(kiwi: Kiwi) -> None:
    short = units_of(answers("밥 먹었어요."), kiwi)
    long = units_of(answers("어제 저녁에 우리 집에서 친구하고 김치 먹었어요."), kiwi)
    assert missing_particles(short) == ()
    (finding,) = missing_particles(long)
    assert finding.quote.text == "김치 먹었어요"
