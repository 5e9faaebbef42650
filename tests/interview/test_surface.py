from __future__ import annotations

from statistics import median

import pytest

from charye.interview.hangul import decompose
from charye.interview.levels import LEVELS, Level
from charye.interview.surface import Surface, band_of, inspect, markers
from tests.interview.talk import invented


@pytest.mark.parametrize("name", sorted(markers()))
def test_every_marker_is_found_in_its_example(name: str) -> None:
    marker, pattern = markers()[name]
    assert pattern.search(decompose(marker.example))


def test_no_late_marker_is_found_in_an_early_example() -> None:
    early = [marker for marker, _ in markers().values() if marker.level <= Level.A2]
    late = [(marker.id, pattern) for marker, pattern in markers().values() if marker.level >= Level.B2]
    found = [
        (name, one.id) for one in early for name, pattern in late if pattern.search(decompose(one.example))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "이름이 어떻게 되세요?",  # not -게 되다
        "여기는 카페예요. 거기는 은행이에요.",  # not -기는
        "저는 고기를 좋아해요. 이야기를 해요.",  # not -기를
        "에서 왔어요. 식당에서 먹어요.",  # not -아서
        "비행기가 와요. 자전거도 있어요.",
    ],
)
def test_simple_talk_has_nothing_late_in_it(text: str) -> None:
    assert [name for name in inspect(text).markers if markers()[name][0].level >= Level.B1] == []


def test_only_the_learners_own_korean_counts() -> None:
    assert inspect("음... 저는 저는 I think 학교에 가요").words == 3
    asked = "지난 주말에 뭐 했어요?"
    assert inspect("지난 주말에 뭐 했어요? 영화 봤어요", asked).words == 2
    assert inspect("", asked) == Surface()
    assert inspect("... !", asked).words == 0


def test_saying_it_twice_is_not_better() -> None:
    text = "저는 한국 음식을 좋아하지만 매운 음식은 잘 못 먹어요. 그래서 불고기를 자주 먹어요."
    assert band_of(inspect(f"{text} {text}")) == pytest.approx(band_of(inspect(text)), abs=0.1)


def test_counts_of_parts_add_up() -> None:
    one, two = inspect("친구를 만나서 영화를 봤어요."), inspect("그런데 비가 와서 집에 갔어요.")
    both = one + two
    assert (both.words, both.sentences, both.links) == (
        one.words + two.words,
        one.sentences + two.sentences,
        one.links + two.links,
    )
    assert set(both.markers) == {*one.markers, *two.markers}


def test_the_band_grows_with_what_is_said() -> None:
    texts = (
        "저는 마리아예요. 학생이에요.",
        "친구하고 영화를 보러 갔어요. 먹을 수 있지만 너무 매우면 못 먹어요.",
        "한국에 온 지 6개월 됐는데 할머니가 만들어 주시곤 했어요. 그때는 정말 행복했던 것 같아요.",
        "시간을 아낄 수 있다는 점에서 장점이 더 많다고 생각합니다. 정부가 지원을 해 줬더라면 닫지 않았을 텐데요.",
    )
    bands = [band_of(inspect(text)) for text in texts]
    assert bands == sorted(bands)
    assert bands[0] < 0.5 < bands[1] < 1.2 < bands[2] < 2.0 < bands[3]


def test_it_tells_the_levels_up_to_b2_apart_in_another_authors_texts() -> None:
    """Above B2 it does not: the form of C1 and C2 is the same. That is the ceiling of the method, not a bug."""
    medians = [median(band_of(inspect(text)) for text in invented(level, half=2)) for level in LEVELS]
    a1, a2, b1, b2, c1, c2 = medians
    assert a1 < 0.3
    assert 0.3 < a2 < 1.1 < b1 < 2.0 < b2 < c1
    assert c2 > b2
