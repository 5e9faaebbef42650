"""Levels from the evidence: worked cases, and what must hold in every one of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest

from charye.assessment.consensus import Consensus, CriterionVote, DomainConsensus, Run, agree, lower_median
from charye.assessment.grades import BELOW, Grade, label_of
from charye.assessment.interview_evidence import InterviewEvidence, TaskResult
from charye.assessment.level_scoring import LevelScore
from charye.assessment.linguistic import Estimate, LinguisticResult, assess
from charye.assessment.report import Ending, Ungraded
from charye.assessment.rubric import Band, Domain, Level
from charye.assessment.scoring import score
from charye.assessment.speech import Quote
from charye.assessment.sufficiency import Reason, Verdict
from charye.assessment.weighing import WEIGHTS, share_of_votes, weigh
from tests.assessment.judging import tasked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from charye.assessment.morphology import Kiwi

A1, A2, B1, B2, C1, C2 = range(6)


@pytest.fixture(scope="module")
def measured(kiwi: Kiwi) -> Callable[..., LinguisticResult]:
    """A result of the offline assessor with this band, as if it had read so much."""
    template = assess(tasked("b1-01"), kiwi=kiwi)

    def make(
        band: Band | None, *, eojeols: int = 200, turns: int = 8, verdict: Verdict = Verdict.OK
    ) -> LinguisticResult:
        position = 0.0 if band is None else float(list(Band).index(band))
        estimate = Estimate(
            position=position,
            band=band or Band.A1,
            low=Band.near(max(position - 0.5, 0)),
            high=Band.near(position + 0.5),
            margin=0.5,
            at_ceiling=band is Band.B2_PLUS,
        )
        sufficiency = replace(template.sufficiency, verdict=verdict, reasons=(), eojeols=eojeols, turns=turns)
        return replace(template, estimate=estimate if band else None, sufficiency=sufficiency)

    return make


def interview(
    floor: int,
    ceiling: int | None = None,
    *,
    settled: bool = True,
    plus: bool = False,
    sustained: dict[int, int] | None = None,
    words: int = 20,
) -> InterviewEvidence:
    """With two sustained tasks at the floor, unless it is said otherwise."""
    counts = {max(floor, 0): 2} if sustained is None else sustained
    done = [step for step, count in counts.items() for _ in range(count)]
    tasks = tuple(
        TaskResult(
            task=f"t{number}",
            level=Level.at(step),
            phase="level_check",
            function="narrate",
            score=2,
            words=words,
        )
        for number, step in enumerate(done)
    )
    small = tuple(
        TaskResult(
            task=f"w{number}", level=Level.A1, phase="warm_up", function="identify", score=None, words=words
        )
        for number in range(4)
    )
    return InterviewEvidence(
        setting="embedded",
        ending=Ending.CEILING_FOUND,
        floor=floor,
        ceiling=ceiling,
        settled=settled,
        plus=plus,
        tasks=(*small, *tasks),
    )


def judge(*votes: int, eojeols: int = 200) -> Consensus:
    return Consensus(
        votes=votes,
        step=lower_median(votes),
        domains=tuple(
            DomainConsensus(
                domain=domain,
                votes=votes,
                step=lower_median(votes),
                evidence=(Quote(1, 0, 2, "저는"),),
                counter=(),
                next_step=None,
                dropped=0,
            )
            for domain in Domain
        ),
        tasks=(),
        corrections=(),
        practice=(),
        flags=(),
        model="m",
        prompt="p",
        runs=len(votes),
        eojeols=eojeols,
    )


def level(
    linguistic: LinguisticResult | None,
    evidence: InterviewEvidence | None = None,
    consensus: Consensus | None = None,
) -> LevelScore:
    scored = score(linguistic, evidence, consensus, learner_turns=8).level
    assert scored
    return scored


def said(scored: LevelScore) -> str:
    return label_of(Grade.at(scored.step), open_above=scored.open_above)


# --- worked cases ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("band", "floor", "ceiling", "expected", "low", "high"),
    [
        (Band.A2, A2, B1, "A2", A2, A2),
        (Band.A1, A2, B1, "A2", A2, A2),  # one apart: the level of an interview is its floor
        (Band.B1, A2, B1, "A2", A2, A2),
        (Band.B1, A1, A2, "A2", A1, A2),  # two apart: a step towards the text, and a range
        (Band.A1, B1, B2, "A2", A1, B1),
        (Band.B2_PLUS, A1, A2, "A2", A1, A2),
        (Band.B2_PLUS, B2, C1, "B2+", B2, C2),
        (Band.B2_PLUS, C1, C2, "B2+", B2, C2),  # nobody has read it
        (Band.B1, B2, C1, "B1", B1, B2),  # not against the text
        (Band.A1, BELOW, A1, "pre-A1", BELOW, BELOW),
    ],
)
def test_without_a_judge(
    band: Band,
    floor: int,
    ceiling: int,
    expected: str,
    low: int,
    high: int,
    measured: Callable[..., LinguisticResult],
) -> None:
    scored = level(measured(band), interview(floor, ceiling))
    assert (said(scored), scored.low, scored.high) == (expected, low, high)


@pytest.mark.parametrize(
    ("band", "expected", "low", "high"),
    [
        (Band.A1, "A1", A1, A2),
        (Band.A2, "A2", A2, B1),
        (Band.B1, "B1", B1, B2),
        (Band.B2_PLUS, "B2+", B2, C2),
    ],
)
def test_a_text_alone(
    band: Band, expected: str, low: int, high: int, measured: Callable[..., LinguisticResult]
) -> None:
    scored = level(measured(band))
    assert (said(scored), scored.low, scored.high) == (expected, low, high)
    assert scored.spread is None


@pytest.mark.parametrize(
    ("band", "floor", "votes", "expected"),
    [
        (Band.B1, B1, (B1, B1, B1), "B1"),
        (Band.A2, A2, (A2, B1, B1), "A2"),  # the lower middle of four
        (Band.A2, A2, (B1, B1, B1), "B1"),  # one above the floor at most
        (Band.A2, A1, (B1, B1, B1), "A2"),
        (Band.B2_PLUS, B2, (B2, B2, B2), "B2"),
        (Band.B2_PLUS, C1, (C1, C1, C1), "C1"),
        (Band.B2_PLUS, C2, (C2, C2, C1), "C1"),
        (Band.B2_PLUS, C2, (C2, C2, C2), "C2"),
        (Band.B2_PLUS, B2, (C1, C1, C1), "B2"),  # no sustained task of that level
        (Band.B2_PLUS, C1, (C2, C2, C2), "C1"),
    ],
)
def test_with_a_judge(
    band: Band, floor: int, votes: tuple[int, ...], expected: str, measured: Callable[..., LinguisticResult]
) -> None:
    scored = level(measured(band), interview(floor, floor + 1 if floor < C2 else None), judge(*votes))
    assert said(scored) == expected
    assert scored.followed


def test_a_judge_far_from_the_text_is_shown_and_not_followed(
    measured: Callable[..., LinguisticResult],
) -> None:
    text, evidence = measured(Band.A2), interview(A2, B1)
    scored = score(text, evidence, judge(C1, C1, C2), learner_turns=8)
    assert scored.level
    assert said(scored.level) == "A2"
    assert (scored.level.low, scored.level.high) == (A2, B1)
    assert scored.level.followed is False
    assert scored.level.review
    assert scored.level.confidence.value <= 0.4
    alone = score(text, evidence, learner_turns=8)
    assert scored.domains == alone.domains


def test_a_judge_without_an_interview_splits_nothing_above_b1(
    measured: Callable[..., LinguisticResult],
) -> None:
    assert said(level(measured(Band.B2_PLUS), None, judge(C1, C1, C1))) == "B2+"


def test_the_top_needs_words(measured: Callable[..., LinguisticResult]) -> None:
    evidence, votes = interview(C1, C2), judge(C1, C1, C1)
    assert said(level(measured(Band.B2_PLUS, eojeols=150), evidence, votes)) == "C1"
    little = level(measured(Band.B2_PLUS, eojeols=149), evidence, votes)
    assert (said(little), little.low, little.high, little.held_back) == ("B2", B2, C1, C1)
    assert little.confidence.value < level(measured(Band.B2_PLUS), evidence, votes).confidence.value
    # What the judge was not shown, such as words to the grader, proves nothing.
    assert said(level(measured(Band.B2_PLUS), evidence, judge(C1, C1, C1, eojeols=149))) == "B2"


def test_the_top_needs_two_sustained_tasks(measured: Callable[..., LinguisticResult]) -> None:
    votes = judge(C1, C1, C1)
    assert said(level(measured(Band.B2_PLUS), interview(C1, C2, sustained={C1: 1}), votes)) == "B2"
    assert said(level(measured(Band.B2_PLUS), interview(C1, C2, sustained={C1: 1, C2: 1}), votes)) == "C1"


def test_a_judge_lifts_no_domain_more_than_one_above_the_whole(
    measured: Callable[..., LinguisticResult],
) -> None:
    scored = score(measured(Band.B2_PLUS), interview(B2, C1), judge(C2, C2, C2), learner_turns=8)
    assert scored.level
    assert said(scored.level) == "B2"
    assert max(domain.step or 0 for domain in scored.domains) == C1
    without = score(measured(Band.B2_PLUS), None, judge(C2, C2, C2), learner_turns=8)
    assert max(domain.step or 0 for domain in without.domains) == B2


def test_plus_belongs_to_the_floor(measured: Callable[..., LinguisticResult]) -> None:
    assert level(measured(Band.A2), interview(A2, B1, plus=True)).plus
    assert not level(measured(Band.A2), interview(A2, B1, plus=False)).plus
    assert not level(measured(Band.B1), interview(A1, A2, plus=True)).plus


# --- too little ------------------------------------------------------------------------------------------------------


def test_too_little_speech_has_no_level_and_no_domain(measured: Callable[..., LinguisticResult]) -> None:
    few = measured(None, eojeols=20, verdict=Verdict.INSUFFICIENT)
    scored = score(few, interview(B1, B2), judge(B1, B1, B1), learner_turns=8)
    assert scored.level is None
    assert {domain.ungraded for domain in scored.domains} == {Ungraded.TOO_LITTLE_SPEECH}
    assert not any(domain.step or domain.text or domain.judge for domain in scored.domains)


def test_few_answered_tasks_have_no_level(measured: Callable[..., LinguisticResult]) -> None:
    evidence = interview(A2, B1)
    answered_three = replace(evidence, tasks=evidence.tasks[:3])
    scored = score(measured(Band.A2), answered_three, learner_turns=8)
    assert scored.level is None
    assert scored.enough.reasons == (Reason.FEW_TURNS,)


@pytest.mark.parametrize(
    ("floor", "ceiling", "band", "expected"),
    [
        (A2, None, Band.A2, ("A2", A2, B1)),
        (A2, B1, Band.A2, ("A2", A1, A2)),  # what broke down is out
        (BELOW, None, Band.A2, ("A2", A2, B1)),  # no floor was found, which is not: there is none
        (BELOW, A2, Band.B1, ("A1", A1, B2)),  # below what broke down; the range is the margin of the text
        (B1, None, Band.A1, ("A1", A1, B1)),
    ],
)
def test_an_interview_that_was_cut_short_gives_a_range(
    floor: int,
    ceiling: int | None,
    band: Band,
    expected: tuple[str, int, int],
    measured: Callable[..., LinguisticResult],
) -> None:
    scored = level(measured(band), interview(floor, ceiling, settled=False))
    assert (said(scored), scored.low, scored.high) == expected


def test_without_the_offline_assessor_the_interview_speaks() -> None:
    assert said(level(None, interview(B1, B2))) == "B1"
    assert said(level(None, interview(C1, C2))) == "B2+"
    assert said(level(None, interview(B1, B2), judge(B1, B1, A2))) == "B1"


def test_without_anything_nothing_is_said() -> None:
    scored = score(None, None, None, learner_turns=3)
    assert scored.level is None
    assert scored.enough.unread
    assert scored.enough.reasons == ()
    cut_short = score(None, interview(BELOW, None, settled=False), learner_turns=8)
    assert cut_short.level is None
    assert cut_short.enough.verdict is Verdict.INSUFFICIENT


# --- always ----------------------------------------------------------------------------------------------------------


def every_case(
    measured: Callable[..., LinguisticResult],
) -> Iterator[tuple[LinguisticResult | None, InterviewEvidence | None, Consensus | None]]:
    texts = [None, *(measured(band) for band in Band)]
    # A short one, as an interview that ended early.
    texts.append(measured(Band.A2, eojeols=40, verdict=Verdict.PROVISIONAL))
    interviews: list[InterviewEvidence | None] = [None]
    for floor in range(BELOW, 6):
        interviews += [
            interview(floor, floor + 1 if floor < C2 else None, plus=True),
            interview(floor, None, settled=False),
        ]
    votes = [None, *(judge(*some) for some in product((A1, B1, B2, C2), repeat=2))]
    votes += [judge(step, step, step) for step in range(BELOW, 6)]
    yield from product(texts, interviews, votes)


def test_what_holds_always(measured: Callable[..., LinguisticResult]) -> None:
    checked = 0
    for text, evidence, votes in every_case(measured):
        scored = score(text, evidence, votes, learner_turns=8)
        assert scored == score(text, evidence, votes, learner_turns=8)
        assert [domain.domain for domain in scored.domains] == list(Domain)
        if scored.level is None:
            continue
        checked += 1
        found = scored.level
        assert BELOW <= found.low <= found.step <= found.high <= C2
        assert 0 <= found.confidence.value <= 1
        whole = sum(value * weight for _, value, weight in found.confidence.parts)
        assert found.confidence.value == pytest.approx(min(whole, found.confidence.cap or 1), abs=1e-4)
        if evidence is None or not found.followed:
            assert found.step <= B2
            assert found.open_above is (found.step == B2)
        else:
            assert not found.open_above
        if evidence is not None and evidence.settled:
            assert found.step <= evidence.floor + 1
        if found.step >= C1:
            assert evidence is not None
            assert evidence.sustained_from(found.step) >= 2
        if text is not None and text.estimate is not None and text.estimate.band is not Band.B2_PLUS:
            # A judge far from the text is heard by nobody.
            assert found.step <= text.estimate.band.level.step + 1 or evidence is not None
        if found.followed is False or (found.spread or 0) >= 3:
            assert found.confidence.value <= 0.4
            assert found.review
    assert checked > 1000


def test_a_higher_floor_never_lowers_the_level(measured: Callable[..., LinguisticResult]) -> None:
    for band, votes in product(Band, [None, judge(A2, A2, A2), judge(B1, B1, B1), judge(C1, C1, C1)]):
        steps = [
            level(measured(band), interview(floor, floor + 1 if floor < C2 else None), votes).step
            for floor in range(BELOW, 6)
        ]
        assert steps == sorted(steps)


def test_a_higher_text_never_lowers_the_level(measured: Callable[..., LinguisticResult]) -> None:
    for floor in range(BELOW, 6):
        evidence = interview(floor, floor + 1 if floor < C2 else None)
        steps = [level(measured(band), evidence).step for band in Band]
        assert steps == sorted(steps)


# --- the parts -------------------------------------------------------------------------------------------------------


def test_confidence_is_a_sum_that_can_be_shown() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)
    full = weigh(dict.fromkeys(WEIGHTS, 1.0))
    assert full.value == 1.0
    assert weigh(dict.fromkeys(WEIGHTS, 1.0), cap=0.4).value == 0.4
    assert [share_of_votes(spread) for spread in (None, 0, 3, 9)] == [0.5, 1.0, 0.0, 0.0]


def test_the_middle_is_the_lower_one() -> None:
    assert [lower_median(steps) for steps in ([1], [1, 2], [3, 1, 2], [4, 1, 2, 3])] == [1, 1, 2, 2]
    with pytest.raises(ValueError, match="middle"):
        lower_median([])


def run(*grades: Grade | None, **more: tuple[tuple[str, int], ...]) -> Run:
    criteria = tuple(
        CriterionVote(domain=domain, grade=grade, evidence=(), counter=(), next_step=None)
        for domain, grade in zip(Domain, grades, strict=False)
    )
    return Run(criteria=criteria, tasks=more.get("tasks", ()))  # type: ignore[arg-type]


def test_a_vote_needs_three_bands() -> None:
    assert run(Grade.A1, Grade.B1, None, None).vote is None
    assert run(Grade.A1, Grade.B1, Grade.B1, None).vote == B1
    assert run(Grade.A1, Grade.A1, Grade.B1, Grade.B1, Grade.C1).vote == B1


def test_two_votes_agree_and_one_does_not() -> None:
    one = run(*[Grade.B1] * 5, tasks=(("t1", 2), ("t2", 1)))
    other = run(*[Grade.A2] * 5, tasks=(("t1", 0),))
    silent = run(Grade.A2)
    assert agree([one, silent], model="m", prompt="p", eojeols=9) is None
    agreed = agree([one, silent, other], model="m", prompt="p", eojeols=9)
    assert agreed
    assert (agreed.votes, agreed.step, agreed.runs) == ((B1, A2), A2, 2)
    assert agreed.tasks == (("t1", 0), ("t2", 1))


def test_the_same_words_are_quoted_once() -> None:
    def quoting(*spans: tuple[int, int]) -> Run:
        quotes = tuple(Quote(1, start, end, "x" * (end - start)) for start, end in spans)
        return Run(
            criteria=tuple(
                CriterionVote(domain=domain, grade=Grade.B1, evidence=quotes, counter=(), next_step=None)
                for domain in Domain
            )
        )

    agreed = agree([quoting((0, 5), (9, 12)), quoting((3, 8), (9, 12))], model="m", prompt="p", eojeols=9)
    assert agreed
    # What both quote comes first; of what overlaps, one.
    assert [(quote.start, quote.end) for quote in agreed.domains[0].evidence] == [(9, 12), (0, 5)]


def test_grades_are_steps() -> None:
    assert [grade.step for grade in Grade] == list(range(BELOW, 6))
    assert [Grade.at(step) for step in (-9, 0, 9)] == [Grade.PRE_A1, Grade.A1, Grade.C2]
    assert [Grade(level.value).step for level in Level] == [level.step for level in Level]
