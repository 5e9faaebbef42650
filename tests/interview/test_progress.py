from __future__ import annotations

import pytest

from charye.errors import ConfigurationError
from charye.interview.learners import SimulatedLearner, converse
from charye.interview.levels import LEVELS, Level
from charye.interview.policy import Progress, step
from charye.interview.progress import change
from tests.interview.talk import checking, plan, say


@pytest.mark.parametrize("level", LEVELS)
def test_an_interview_can_be_stored_after_every_step_and_goes_on_the_same(level: Level) -> None:
    before: Progress | None = None
    for progress, move, evidence in converse(plan(), SimulatedLearner(level, seed=2), seed=2):
        if before is not None:
            stored = Progress.from_json(plan(), before.to_json())
            assert stored == before
            assert step(stored, evidence) == (progress, move)
        before = progress


def test_no_word_of_the_learner_is_stored() -> None:
    progress, _ = checking()
    secret = "꾀꼬리를 키우는데 이름은 뽀삐라서 매일 아침에 노래를 불러요."
    progress, _ = say(progress, secret)
    stored = progress.to_json().decode()
    assert not any(word in stored for word in secret.split())


def test_what_is_no_stored_interview_is_told() -> None:
    progress, _ = checking()
    for data in (b"{}", b"[", b"\xff"):
        with pytest.raises(ConfigurationError, match="no stored interview"):
            Progress.from_json(plan(), data)
    with pytest.raises(ConfigurationError, match="another version"):
        Progress.from_json(plan(), change(progress, version=99).to_json())
    gone = progress.to_json().replace(progress.state.record[0].task.encode(), b"gone")
    with pytest.raises(ConfigurationError, match="lacks a task") as caught:
        Progress.from_json(plan(), gone)
    assert caught.value.__dict__["task"] == "gone"


def test_the_outcome_says_whether_there_was_enough() -> None:
    progress, _ = checking()
    assert not progress.outcome.enough
    answers = (
        "저는 버스를 타고 회사에 가는데 시간이 많이 걸려서 힘들어요.",
        "주말에는 늦게 일어나서 청소를 하고 친구를 만나요.",
        "우리 집은 작지만 창문이 커서 마음에 들어요.",
        "작년에 기타를 배우기 시작했는데 아직 잘 못 쳐요.",
    )
    for answer in answers:
        progress, _ = say(progress, answer)
    assert progress.outcome.enough
    assert not progress.outcome.settled
