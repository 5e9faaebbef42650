"""Too little speech gives no level and says why; a recogniser's inventions count for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charye.assessment.domains import Ungraded
from charye.assessment.linguistic import assess
from charye.assessment.speech import Source, Speaker, Turn
from charye.assessment.sufficiency import Doubt, Reason, Verdict, doubtful_turns
from tests.assessment.talks import answers

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi

SIX = "저는 어제 친구하고 학교에 갔어요 정말"


def six(*, times: int) -> tuple[Turn, ...]:
    return answers(*[SIX] * times)


@pytest.mark.parametrize(
    ("turns", "verdict", "reasons"),
    [
        ((), Verdict.INSUFFICIENT, (Reason.NO_KOREAN, Reason.FEW_WORDS, Reason.FEW_TURNS)),
        (
            answers("Hello", "I am fine"),
            Verdict.INSUFFICIENT,
            (Reason.NO_KOREAN, Reason.FEW_WORDS, Reason.FEW_TURNS),
        ),
        (six(times=3), Verdict.INSUFFICIENT, (Reason.FEW_WORDS, Reason.FEW_TURNS)),
        (answers("네", "네", "네", "네"), Verdict.INSUFFICIENT, (Reason.FEW_WORDS,)),
        (answers(" ".join([SIX] * 20)), Verdict.INSUFFICIENT, (Reason.FEW_TURNS,)),
        (six(times=5), Verdict.PROVISIONAL, (Reason.FEW_WORDS,)),
        (six(times=10), Verdict.OK, ()),
    ],
)
def test_how_much_is_enough(
    turns: tuple[Turn, ...], verdict: Verdict, reasons: tuple[Reason, ...], kiwi: Kiwi
) -> None:
    # Each turn says it in other words, or the next would be a repeat of it; so `reasons` are about the amount only.
    result = assess(turns, kiwi=kiwi)
    assert result.sufficiency.verdict is verdict
    assert result.sufficiency.reasons == reasons
    assert (result.estimate is None) == (verdict is Verdict.INSUFFICIENT)


def test_without_a_level_no_number_gives_it_away(kiwi: Kiwi) -> None:
    result = assess(six(times=2), kiwi=kiwi)
    assert result.text is None
    assert result.next_patterns == ()
    assert {domain.band for domain in result.domains} == {None}
    assert {domain.ungraded for domain in result.domains} == {Ungraded.TOO_LITTLE_SPEECH}
    assert result.patterns  # what was said can still be shown


def test_what_a_recogniser_makes_up_is_left_out(kiwi: Kiwi) -> None:
    turns = (*six(times=10), Turn(Speaker.LEARNER, "시청해 주셔서 감사합니다."))
    result = assess(turns, kiwi=kiwi)
    assert result.sufficiency.doubtful == ((20, Doubt.STOCK_PHRASE),)
    assert result.sufficiency.verdict is Verdict.OK
    assert 20 not in {count.turn for count in result.turns}


def test_many_of_them_put_the_transcript_in_doubt(kiwi: Kiwi) -> None:
    made_up = tuple(Turn(Speaker.LEARNER, "시청해 주셔서 감사합니다.") for _ in range(5))
    result = assess((*six(times=10), *made_up), kiwi=kiwi)
    assert result.sufficiency.reasons == (Reason.TRANSCRIPT_IN_DOUBT,)
    assert result.sufficiency.verdict is Verdict.PROVISIONAL


@pytest.mark.parametrize(
    ("turn", "doubt"),
    [
        (Turn(Speaker.LEARNER, "こんにちは、元気ですか"), Doubt.OTHER_SCRIPT),
        (Turn(Speaker.LEARNER, "학교에 갔어요 학교에 갔어요", 0, 1000), Doubt.TOO_FAST),
        (Turn(Speaker.LEARNER, "학교에 갔어요", 0, 1000), None),
        (Turn(Speaker.LEARNER, "저도 감사합니다"), None),
        (Turn(Speaker.LEARNER, "I don't know"), None),
        (Turn(Speaker.LEARNER, "시청해 주셔서 감사합니다", source=Source.TYPED), None),
        (Turn(Speaker.INTERVIEWER, "시청해 주셔서 감사합니다"), None),
        (Turn(Speaker.LEARNER, ""), None),
    ],
)
def test_what_is_not_believed(turn: Turn, doubt: Doubt | None) -> None:
    assert doubtful_turns((turn,)).get(0) == doubt
