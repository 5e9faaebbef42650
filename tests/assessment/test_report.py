"""The report: complete by itself, verbatim in its quotes, the same from the same inputs, and private."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from charye.assessment.anchors import load_anchors
from charye.assessment.compose import make_report
from charye.assessment.grades import Grade
from charye.assessment.interview_evidence import InterviewEvidence, TaskResult
from charye.assessment.judge_outcome import JudgeOutcome, JudgeStatus
from charye.assessment.linguistic import assess
from charye.assessment.report import (
    Assessor,
    Bilingual,
    Ending,
    Flag,
    Learner,
    Practice,
    Report,
    Ungraded,
    as_earlier,
    from_json,
    json_schema,
    to_json,
)
from charye.assessment.rubric import Domain, Level
from charye.assessment.speech import Quote, Source, Speaker, Turn
from charye.assessment.spoken import LONGEST_S, spoken_seconds
from charye.assessment.sufficiency import Verdict
from charye.assessment.wording import descriptor, feature, has
from charye.errors import ConfigurationError
from charye.interview.moves import Reason as MoveReason
from charye.interview.plan import FAMILIES
from charye.interview.progress import Flag as ProgressFlag
from charye.interview.turn_score import Signal
from tests.assessment.judging import tasked
from tests.assessment.talks import answers, interviews
from tests.assessment.test_scoring import judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charye.assessment.morphology import Kiwi

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TASKS = 6


def evidence(turns: tuple[Turn, ...], floor: int, **changes: Any) -> InterviewEvidence:
    ids = sorted({turn.task.id for turn in turns if turn.task and turn.task.id})
    found = InterviewEvidence(
        setting="embedded",
        ending=Ending.CEILING_FOUND,
        floor=floor,
        ceiling=floor + 1,
        settled=True,
        plus=False,
        tasks=tuple(
            TaskResult(
                task=task,
                level=Level.at(floor + (number == 2)),
                phase="level_check",
                function="narrate",
                score=0 if number == 2 else 2,
                signals=("too_short",) if number == 2 else (),
                words=12,
                latency_ms=800.0,
            )
            for number, task in enumerate(ids)
        ),
        started_at=NOW - timedelta(minutes=8),
        duration_s=480.0,
        bank="1",
    )
    return replace(found, **changes)


def report(turns: tuple[Turn, ...], kiwi: Kiwi, **given: Any) -> Report:
    given.setdefault("linguistic", assess(turns, kiwi=kiwi))
    return make_report(id="r-1", made_at=NOW, turns=turns, **given)


@pytest.fixture(scope="module")
def whole(kiwi: Kiwi) -> Report:
    """One with everything in it."""
    turns = tasked("b1-01")
    return report(
        turns,
        kiwi,
        interview=evidence(turns, 2, flags=(Flag.MEMORISED,)),
        judge=JudgeOutcome(status=JudgeStatus.OK, consensus=judge(2, 2, 3)),
        learner=Learner(id="l-1", name="마리아", language="es"),
    )


def every(value: Any, kind: type) -> Iterator[Any]:
    """All values of a type in a report."""
    if isinstance(value, kind):
        yield value
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from every(getattr(value, name), kind)
    elif isinstance(value, tuple):
        for item in value:
            yield from every(item, kind)


# --- complete and verbatim -------------------------------------------------------------------------------------------


def test_every_quote_of_every_report_is_verbatim(kiwi: Kiwi) -> None:
    quotes = 0
    for interview in interviews():
        made = report(interview.turns, kiwi)
        for quote in every(made, Quote):
            quotes += 1
            turn = made.transcript[quote.turn]
            assert turn.speaker is Speaker.LEARNER
            assert turn.text[quote.start : quote.end] == quote.text != ""
    assert quotes > 1000


def test_the_level_agrees_with_the_ladder(kiwi: Kiwi) -> None:
    labels: dict[str, list[str]] = {}
    for interview in interviews():
        overall = report(interview.turns, kiwi).overall
        assert overall
        assert overall.low.step <= overall.level.step <= overall.high.step
        labels.setdefault(interview.level, []).append(overall.label)
    assert set(labels["A1"]) == {"A1"}
    assert set(labels["C1"]) == set(labels["C2"]) == {"B2+"}


def test_a_report_says_everything(whole: Report) -> None:
    assert whole.overall
    assert whole.overall.label == "B1"
    assert whole.bracket
    assert (whole.bracket.floor, whole.bracket.ceiling) == (Grade.B1, Grade.B2)
    assert [domain.domain for domain in whole.domains] == list(Domain)
    assert all(domain.level for domain in whole.domains)
    assert [opinion.assessor for opinion in whole.opinions] == list(Assessor)
    assert whole.opinions[2].votes == (Grade.B1, Grade.B1, Grade.B2)
    assert whole.agreement
    assert whole.agreement.spread == 1
    assert whole.interview
    assert whole.interview.ending is Ending.CEILING_FOUND
    assert whole.versions.judge
    assert whole.versions.kiwi
    assert [row.level.step for row in whole.patterns] == list(range(6))
    assert sum(row.known for row in whole.patterns) == 128
    assert 1 <= len(whole.strengths) <= 3
    assert 1 <= len(whole.next_steps) <= 5
    assert all(step.example for step in whole.next_steps)
    assert len(whole.practice) == 3
    assert [flag.id for flag in whole.flags] == ["memorised"]
    assert [number.id for number in whole.numbers][:3] == ["words", "answers", "eo_per_sent"]


def test_the_timeline_shows_each_task(whole: Report) -> None:
    assert len(whole.timeline) == len({turn.task.id for turn in whole.transcript if turn.task})
    first, _, third = whole.timeline[:3]
    assert (first.number, first.score, first.breakdown) == (1, 2, False)
    assert (third.score, third.breakdown, third.level) == (0, True, Grade.B2)
    assert [signal.id for signal in third.signals] == ["too_short"]
    for entry in whole.timeline:
        assert entry.question_turn is not None
        assert whole.transcript[entry.question_turn].speaker is Speaker.INTERVIEWER
        assert all(whole.transcript[turn].speaker is Speaker.LEARNER for turn in entry.turns)


def test_without_an_interview_the_timeline_shows_the_answers(kiwi: Kiwi) -> None:
    turns = (
        Turn(Speaker.INTERVIEWER, "뭐 해요?", start_ms=0, end_ms=1000),
        Turn(Speaker.LEARNER, "학교에 가요.", start_ms=1500, end_ms=3000),
        Turn(Speaker.LEARNER, "네.", source=Source.TYPED),
    )
    one, two = report(turns, kiwi).timeline
    assert (one.turns, one.question_turn, one.latency_ms, one.duration_ms, one.words) == (
        (1,),
        0,
        500,
        1500,
        2,
    )
    assert (two.turns, two.question_turn, two.duration_ms, two.score) == ((2,), None, None, None)


def test_a_level_that_is_held_back_says_why(kiwi: Kiwi) -> None:
    turns = tasked("c1-06")
    made = report(
        turns,
        kiwi,
        interview=evidence(turns, 4),
        judge=JudgeOutcome(status=JudgeStatus.OK, consensus=judge(4, 4, 4)),
    )
    assert made.overall
    assert (made.overall.label, made.overall.high) == ("B2", Grade.C1)
    assert made.overall.held_back
    assert "C1" in made.overall.held_back.en
    # B2+ and C1 are no contradiction.
    assert not any("the model says" in domain.comment.en for domain in made.domains)


def test_earlier_reports_are_a_line(whole: Report, kiwi: Kiwi) -> None:
    older = msgspec.structs.replace(whole, id="r-0", made_at=NOW - timedelta(days=9))
    made = report(whole.transcript, kiwi, earlier=(as_earlier(whole), as_earlier(older)))
    assert [(one.report_id, one.label) for one in made.earlier] == [("r-0", "B1"), ("r-1", "B1")]


def test_a_report_needs_to_know_when(kiwi: Kiwi) -> None:
    with pytest.raises(ValueError, match="time zone"):
        make_report(id="r", made_at=NOW.replace(tzinfo=None), turns=(), linguistic=None)


# --- when something is missing ---------------------------------------------------------------------------------------


def test_too_little_speech_has_no_level_and_says_why(kiwi: Kiwi) -> None:
    turns = answers("안녕하세요.", "네, 좋아요.")
    interview = evidence(turns, 0, tasks=(), ending=Ending.LEARNER_STOP, settled=False)
    made = report(
        turns, kiwi, interview=interview, judge=JudgeOutcome(status=JudgeStatus.OK, consensus=judge(1, 1, 1))
    )
    assert made.sufficiency.verdict is Verdict.INSUFFICIENT
    assert made.overall is None
    assert made.bracket is None
    assert made.agreement is None
    assert not any(domain.level or domain.linguistic or domain.judge for domain in made.domains)
    assert not any(opinion.level or opinion.votes for opinion in made.opinions)
    assert (
        len(made.sufficiency.why) == len(made.sufficiency.reasons) + 1
    )  # and that the interview was cut short
    assert "25" in made.sufficiency.why[0].en
    assert made.transcript == turns
    assert made.spoken.seconds <= LONGEST_S


@pytest.mark.parametrize("status", [status for status in JudgeStatus if status is not JudgeStatus.OK])
def test_a_judge_that_failed_costs_its_part_only(status: JudgeStatus, whole: Report, kiwi: Kiwi) -> None:
    turns = whole.transcript
    given = {"interview": evidence(turns, 2), "linguistic": assess(turns, kiwi=kiwi)}
    made = report(turns, kiwi, judge=JudgeOutcome(status=status), **given)
    alone = report(turns, kiwi, **given)
    assert made.overall == alone.overall
    assert made.domains == alone.domains
    asked = status is not JudgeStatus.NOT_ASKED
    assert [opinion.status for opinion in made.opinions][2:] == ([status.value] if asked else [])


def test_nothing_of_a_judge_that_is_not_followed_is_in_the_report(kiwi: Kiwi) -> None:
    turns = tasked("a2-02")
    exercise = Practice(
        goal=Bilingual("목표", "a goal"),
        activity=Bilingual("활동", "an activity"),
        minutes=5,
        prompt="말해 보세요.",
    )
    consensus = replace(
        judge(5, 5, 5),
        practice=(exercise,),
        tasks=(("task-01", 2),),
        flags=(Flag.ASSISTED,),
    )
    made = report(
        turns,
        kiwi,
        interview=evidence(turns, 1),
        judge=JudgeOutcome(status=JudgeStatus.OK, consensus=consensus),
    )
    assert exercise not in made.practice
    assert made.flags == ()
    assert {entry.judged for entry in made.timeline} == {None}
    # It is shown as what it is.
    assert [opinion.status for opinion in made.opinions] == ["ok", "ok", "not_followed"]
    assert made.opinions[2].level is Grade.C2


def test_an_offline_assessor_that_failed_leaves_the_interview(kiwi: Kiwi) -> None:
    turns = tasked("a2-02")
    made = report(turns, kiwi, linguistic=None, interview=evidence(turns, 1))
    assert made.overall
    assert made.overall.label == "A2"
    assert made.versions.kiwi is None
    assert {domain.ungraded for domain in made.domains} == {Ungraded.NO_EVIDENCE}


def test_with_nothing_at_all_there_is_still_a_report(kiwi: Kiwi) -> None:
    turns = tasked("a2-02")
    made = report(turns, kiwi, linguistic=None)
    assert made.overall is None
    assert made.sufficiency.unread
    assert made.transcript == turns
    assert made.spoken.text == made.spoken.en
    assert "Nothing is lost" in made.spoken.en


# --- what is said at the end -----------------------------------------------------------------------------------------


def test_the_summary_fits_into_forty_seconds(kiwi: Kiwi) -> None:
    for interview in interviews():
        spoken = report(interview.turns, kiwi).spoken
        assert spoken_seconds(spoken.ko) <= LONGEST_S
        assert spoken_seconds(spoken.en) <= LONGEST_S
        assert spoken.seconds <= LONGEST_S
        assert not re.search(r"[0-9{}]", spoken.ko + spoken.en)


@pytest.mark.parametrize(
    ("name", "language", "spoken"),
    [
        ("a1-01", "en", "en"),
        ("b1-01", "vi", "en"),
        ("b1-01", None, "en"),
        ("a1-01", "ko-KR", "ko"),
        ("c1-01", "en", "ko"),
    ],
)
def test_the_summary_is_in_a_language_that_is_understood(
    name: str, language: str | None, spoken: str, kiwi: Kiwi
) -> None:
    made = report(tasked(name), kiwi, learner=Learner(language=language))
    assert made.spoken.language == spoken


# --- the words -------------------------------------------------------------------------------------------------------


def test_every_sentence_is_there_in_both_languages(whole: Report) -> None:
    texts = list(every(whole, Bilingual))
    assert len(texts) > 60
    for text in texts:
        assert re.search(r"[가-힣]", text.ko)
        assert re.search(r"[A-Za-z]", text.en)
        assert not re.search(r"[{}]", text.ko + text.en)


def test_the_words_of_the_interview_are_known_here() -> None:
    assert [ending.value for ending in Ending] == [reason.value for reason in MoveReason]
    assert [flag.value for flag in Flag] == [flag.value for flag in ProgressFlag]
    assert all(has("signals", signal.value) for signal in Signal)
    assert all(has("functions", function) for function in FAMILIES)
    assert all(has("endings", ending.value) for ending in Ending)
    assert all(has("ungraded", why.value) for why in Ungraded)


def test_everything_that_is_measured_has_a_name() -> None:
    anchors = load_anchors()
    names = [one.name for one in anchors.features] + [one.name for one in anchors.timings]
    assert all(feature(name).digits >= 0 for name in names)


def test_the_rubric_is_whole() -> None:
    texts = {descriptor(domain, grade).en for domain in Domain for grade in Grade}
    assert len(texts) == 5 * 6 + 1


# --- as a file -------------------------------------------------------------------------------------------------------


def test_a_report_survives_json(whole: Report) -> None:
    data = to_json(whole)
    assert from_json(data) == whole
    assert to_json(from_json(data)) == data


def test_the_same_inputs_give_the_same_bytes(kiwi: Kiwi) -> None:
    turns = tasked("b2-02")
    made = [
        to_json(
            report(
                turns,
                kiwi,
                interview=evidence(turns, 3),
                judge=JudgeOutcome(status=JudgeStatus.OK, consensus=judge(3, 3, 4)),
            )
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]


def test_the_schema_names_every_part(whole: Report) -> None:
    schema = json_schema()
    assert schema["$ref"] == "#/$defs/Report"
    properties = schema["$defs"]["Report"]["properties"]
    assert list(properties) == list(json.loads(to_json(whole)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "no valid JSON"),
        (b"\xff", "no valid JSON"),
        (b"[]", "no report"),
        (b"{}", "no report"),
        (b'{"version": 99}', "version"),
        (b'{"version": 1, "id": 5}', "no report"),
    ],
)
def test_what_is_no_report_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        from_json(data, name="old.json")
    assert error.value.option == "old.json"


def test_a_broken_report_is_refused_without_its_words(whole: Report) -> None:
    data = json.loads(to_json(whole))
    data["transcript"][0]["speaker"] = "비밀스러운 말"
    with pytest.raises(ConfigurationError) as error:
        from_json(json.dumps(data).encode())
    assert "비밀" not in repr(error.value)
    assert error.value.__cause__ is None
    assert "transcript" in repr(error.value)


def test_no_word_of_the_learner_is_in_a_repr(whole: Report) -> None:
    said = [turn.text for turn in whole.transcript]
    assert not [text for text in said if text in repr(whole)]
    assert "마리아" not in repr(whole)
    assert repr(whole.strengths[0]) == "Strength(...)"
