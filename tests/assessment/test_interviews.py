"""What the assessor says of the invented interviews is recorded; `python -m tests.assessment.record` records anew."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from charye.assessment.linguistic import assess
from charye.assessment.rubric import Band, Level
from tests.assessment.record import RECORDED, summary
from tests.assessment.talks import Interview, interviews

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi

ALL = list(interviews())
EXPECTED = json.loads(RECORDED.read_text(encoding="utf-8"))


def test_there_are_ten_of_each_level() -> None:
    assert Counter(interview.level for interview in ALL) == dict.fromkeys(Level, 10)
    assert [interview.id for interview in ALL] == list(EXPECTED)
    learners = [turn.text for interview in ALL for turn in interview.turns[1::2]]
    assert len(set(learners)) == len(learners)


@pytest.mark.parametrize("interview", ALL, ids=lambda interview: interview.id)
def test_the_recorded_result(interview: Interview, kiwi: Kiwi) -> None:
    assert summary(assess(interview.turns, kiwi=kiwi)) == EXPECTED[interview.id]


@pytest.mark.parametrize("interview", ALL, ids=lambda interview: interview.id)
def test_no_interview_is_more_than_one_band_from_what_its_author_had_in_mind(interview: Interview) -> None:
    bands = list(Band)
    said = bands.index(Band(EXPECTED[interview.id]["band"]))
    assert abs(said - min(interview.level.step, 3)) <= 1
