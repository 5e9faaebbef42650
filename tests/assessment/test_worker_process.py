"""What runs in the assessor's process, without the process."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from charye.assessment.frames import (
    HEADER_BYTES,
    Answer,
    Assess,
    Assessed,
    Failed,
    Ready,
    Request,
    Scored,
    ScoreTurn,
    decode_answer,
    decode_request,
    frame,
    length_of,
)
from charye.assessment.linguistic import assess
from charye.assessment.rubric import Level
from charye.assessment.speech import Source, Speaker, Task, Turn, Word
from charye.assessment.worker_process import answer, serve
from charye.errors import MissingExtra
from tests.assessment.talks import talk

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi

SECRET = "할머니가 아프세요"
WHOLE = Turn(
    Speaker.LEARNER,
    "학교에 갔어요",
    start_ms=1.0,
    end_ms=2.0,
    words=(Word("학교에", 1.0, 1.5), Word("갔어요", 1.5, 2.0)),
    interrupted_at_ms=1.9,
    source=Source.CORRECTED,
    task=Task(level=Level.B1, phase="probe", function="narrate", id="b1-1"),
)


class Failing:
    """Says in its error what it was given, as libraries do."""

    def tokenize(self, text: str, *, typos: str | None = None) -> Any:
        raise ValueError(text)


def served(requests: bytes, kiwi: Kiwi) -> list[Answer]:
    answers = io.BytesIO()
    assert serve(io.BytesIO(requests), answers, load=lambda: kiwi) == 0
    answers.seek(0)
    found = []
    while header := answers.read(HEADER_BYTES):
        found.append(decode_answer(answers.read(length_of(header))))
    return found


@pytest.mark.parametrize(
    "request_", [Assess((WHOLE,)), ScoreTurn(WHOLE, "뭐 했어요?", Level.C1), ScoreTurn(WHOLE, "", None)]
)
def test_a_request_arrives_as_it_was_sent(request_: Request) -> None:
    sent = frame(request_)
    assert length_of(sent[:HEADER_BYTES]) == len(sent) - HEADER_BYTES
    assert decode_request(sent[HEADER_BYTES:]) == request_


def test_nonsense_is_an_error() -> None:
    for decode in (decode_request, decode_answer):
        with pytest.raises(msgspec.MsgspecError):
            decode(b"abc")


def test_it_says_ready_and_answers_in_order_until_there_is_no_more(kiwi: Kiwi) -> None:
    turns = talk("I 뭐 했어요?\nL 학교에 갔어요.")
    ready, whole, one = served(frame(Assess(turns)) + frame(ScoreTurn(turns[1], turns[0].text, None)), kiwi)
    assert isinstance(ready, Ready)
    assert whole == Assessed(assess(turns, kiwi=kiwi))
    assert isinstance(one, Scored)
    assert one.reading.eojeols == 2


@pytest.mark.parametrize("cut", [2, 7])
def test_a_request_that_is_cut_off_is_no_request(cut: int, kiwi: Kiwi) -> None:
    whole = frame(ScoreTurn(WHOLE, "", None))
    answers = io.BytesIO()
    assert serve(io.BytesIO(whole[:cut]), answers, load=lambda: kiwi) == 0


def test_without_kiwi_it_says_which_extra_and_ends() -> None:
    def load() -> Kiwi:
        raise MissingExtra(feature="the Korean assessor", extra="korean")

    answers = io.BytesIO()
    assert serve(io.BytesIO(), answers, load=load) == 1
    assert decode_answer(answers.getvalue()[HEADER_BYTES:]) == Failed("MissingExtra", extra="korean")


def test_of_an_error_only_the_type_is_told() -> None:
    for request in (Assess(talk(f"L {SECRET}")), ScoreTurn(Turn(Speaker.LEARNER, SECRET), "", None)):
        told = answer(request, Failing())
        assert told == Failed("ValueError")
        assert SECRET.encode() not in frame(told)
