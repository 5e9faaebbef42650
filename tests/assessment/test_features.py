"""The eight features: counted as they were when their anchors were measured, in windows, and hardly moved by length."""

from __future__ import annotations

from math import sqrt
from statistics import fmean
from typing import TYPE_CHECKING

import pytest

from charye.assessment.anchors import interpolate, load_anchors
from charye.assessment.features import evidence_in, measure, read_text, windows
from charye.assessment.linguistic import estimate_text
from charye.assessment.rubric import Band, Domain, Level
from charye.assessment.speech import Speaker
from charye.assessment.units import units_of
from tests.assessment.talks import answers, interviews

if TYPE_CHECKING:
    from charye.assessment.features import Text
    from charye.assessment.morphology import Kiwi


def values(text: str, kiwi: Kiwi) -> dict[str, float]:
    speech = units_of(answers(text), kiwi)
    return measure(speech, evidence_in(speech), 0, len(speech.eojeols))


def read(text: str, kiwi: Kiwi) -> Text | None:
    speech = units_of(answers(text), kiwi)
    return read_text(speech, evidence_in(speech))


def test_every_feature_by_hand(kiwi: Kiwi) -> None:
    # 친구/NNG 하고 · 영화/NNG 를 · 보/VV 러/EC · 가/VV 었 어요/EF · 비/NNG 오/VV 지만/EC · 즐겁/VA 었 어요/EF
    found = values("친구하고 영화를 보러 갔어요. 비가 왔지만 즐거웠어요.", kiwi)
    assert found["eo_per_sent"] == 7 / 2
    assert found["clause_per_sent"] == 4 / 2
    assert found["ec_root"] == pytest.approx(2 / sqrt(2))
    assert found["meanlv"] == found["top5"] == 1.0
    assert found["tk3p"] == 0.0
    assert found["noncore_root"] == found["core"] == 0.0


def test_levels_count_each_pattern_once_and_tokens_each_use(kiwi: Kiwi) -> None:
    # p108 twice (level 4), p003 (1), p011 (1)
    found = values("간다는 소식을 온다는 소식을 들었어요", kiwi)
    assert found["tk3p"] == pytest.approx(100 * 2 / 5)
    assert found["meanlv"] == found["top5"] == pytest.approx((4 + 1 + 1) / 3)


def test_words_beyond_the_core_are_types_by_the_root_and_tokens_by_share(kiwi: Kiwi) -> None:
    # 소식 소식 듣 학교: two tokens and one type beyond the core, of four
    found = values("소식을 듣고 소식을 학교에서", kiwi)
    assert found["noncore_root"] == pytest.approx(1 / sqrt(4))
    assert found["core"] == pytest.approx(2 / 4)


@pytest.mark.parametrize(
    ("eojeols", "cut"),
    [
        (1, ((0, 1),)),
        (59, ((0, 59),)),
        (60, ((0, 60),)),
        (95, ((0, 60),)),
        (96, ((0, 60), (60, 96))),
        (180, ((0, 60), (60, 120), (120, 180))),
    ],
)
def test_windows(eojeols: int, cut: tuple[tuple[int, int], ...]) -> None:
    assert windows(eojeols) == cut


def test_a_feature_is_the_mean_of_its_windows(kiwi: Kiwi) -> None:
    long = " ".join(["친구를 만나서 영화를 봤어요."] * 15 + ["학교에 가요. 집에 와요."] * 15)
    text = read(long, kiwi)
    assert text is not None
    first = text.readings[0]
    assert first.windows == (4.0, 2.0)
    assert first.value == 3.0


@pytest.mark.parametrize(
    ("eojeols", "size"), [(10, 25), (25, 25), (39, 25), (40, 40), (59, 40), (60, 60), (400, 60)]
)
def test_anchors_of_the_size_of_the_text(eojeols: int, size: int) -> None:
    for feature in load_anchors().features:
        assert feature.row(eojeols) == feature.anchors[size]


def test_the_anchors_rise_from_band_to_band() -> None:
    anchors = load_anchors()
    assert sum(feature.weight for feature in anchors.features) == 14
    for feature in anchors.features:
        for row in feature.anchors.values():
            assert list(row) == sorted(set(row))
    assert {feature.domain for feature in anchors.features} == {
        Domain.GRAMMAR,
        Domain.LEXIS,
        Domain.COHERENCE,
    }


def test_between_anchors_it_is_straight_and_beyond_them_flat() -> None:
    row = (4.6, 6.1, 7.3, 9.3)
    bands = (0.0, 1.0, 2.0, 3.0)
    assert [interpolate(value, row, bands) for value in (0, 4.6, 6.1, 9.3, 50)] == [0, 0, 1, 3, 3]
    assert interpolate(5.35, row, bands) == pytest.approx(0.5)
    assert interpolate(8.3, row, bands) == pytest.approx(2.5)


def test_the_whole_is_the_weighted_mean_and_what_is_lost_by_shrinking(kiwi: Kiwi) -> None:
    text = read(
        "한국에 온 지 6개월 됐는데 아직 말이 늘지 않아서 걱정이에요. 그래서 매일 연습하려고 해요.", kiwi
    )
    assert text is not None
    mean = sum(reading.position * reading.weight for reading in text.readings) / 14
    assert text.position == pytest.approx(mean + 0.15)


@pytest.mark.parametrize(
    ("position", "band"),
    [
        (-1, Band.A1),
        (0.49, Band.A1),
        (0.5, Band.A2),
        (1.5, Band.B1),
        (2.49, Band.B1),
        (2.5, Band.B2_PLUS),
        (9, Band.B2_PLUS),
    ],
)
def test_the_nearest_band(position: float, band: Band) -> None:
    assert Band.near(position) is band


def test_the_length_of_a_text_hardly_moves_it(kiwi: Kiwi) -> None:
    moved = []
    for interview in interviews():
        words = " ".join(turn.text for turn in interview.turns if turn.speaker is Speaker.LEARNER).split()
        short, whole = (estimate_text(" ".join(part), kiwi=kiwi) for part in (words[:40], words))
        assert short is not None
        assert whole is not None
        moved.append(short.position - whole.position)
    assert abs(fmean(moved)) <= 0.25
    assert fmean(map(abs, moved)) <= 0.25


def test_levels_compare_as_they_should() -> None:
    assert sorted(Level) == list(Level)
    assert [level.step for level in Level] == [0, 1, 2, 3, 4, 5]
    assert Level.at(-3) is Level.A1
    assert Level.at(9) is Level.C2
    assert Band.B2_PLUS.level is Level.B2
    assert Band.A2.level is Level.A2
