"""Several answers of a model about the same speech, made into one opinion. Pure.

One answer is no opinion: asked again, a model says something else. So it is asked more than once, each answer gives one
vote, and the middle one counts, the lower where there is no middle.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from charye.assessment.grades import Grade
from charye.assessment.rubric import Domain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from charye.assessment.report import Correction, Flag, Practice
    from charye.assessment.speech import Quote

__all__ = [
    "LEAST_RUNS",
    "Consensus",
    "CriterionVote",
    "DomainConsensus",
    "Outcome",
    "Run",
    "agree",
    "lower_median",
]

LEAST_RUNS = 2
"""Answers that make an opinion."""
LEAST_CRITERIA = 3
"""Criteria with a band that make a vote."""
_EVIDENCE = 3
_COUNTER = 2
_CORRECTIONS = 6
_PRACTICE = 3

Outcome = Literal[0, 1, 2]
"""Of a task: broken down, partly, sustained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionVote:
    """What one answer says about one domain.

    Args:
        domain: which.
        grade: None if the evidence is not enough, or if none of its quotes was genuine.
        evidence: genuine quotes that speak for it.
        counter: genuine quotes that show what keeps it from the next level.
        next_step: what the next level needs, in Korean and in English.
        dropped: quotes that were not genuine and were left out.
    """

    domain: Domain
    grade: Grade | None
    evidence: tuple[Quote, ...]
    counter: tuple[Quote, ...]
    next_step: tuple[str, str] | None
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One answer, checked: every quote in it is genuine.

    Args:
        criteria: at most one for each domain.
        tasks: what came of each task, by its id.
        corrections: at most six.
        practice: at most three.
        flags: conditions that it noticed.
        repaired: it was asked once more for its quotes.
    """

    criteria: tuple[CriterionVote, ...]
    tasks: tuple[tuple[str, Outcome], ...] = ()
    corrections: tuple[Correction, ...] = ()
    practice: tuple[Practice, ...] = ()
    flags: tuple[Flag, ...] = ()
    repaired: bool = False

    @property
    def vote(self) -> int | None:
        """The step that its criteria come to; None if too few of them have a band.

        The level is derived here, not asked for: a single number is what flattery and injection work on best.
        """
        steps = [criterion.grade.step for criterion in self.criteria if criterion.grade is not None]
        return lower_median(steps) if len(steps) >= LEAST_CRITERIA else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainConsensus:
    """One domain.

    Args:
        domain: which.
        votes: steps, one from each answer that has one.
        step: the middle one; None without votes from at least two answers.
        evidence: up to three quotes, those of most answers first.
        counter: up to two.
        next_step: of the answer whose band is the middle one.
        dropped: quotes that were not genuine, in all answers.
    """

    domain: Domain
    votes: tuple[int, ...]
    step: int | None
    evidence: tuple[Quote, ...]
    counter: tuple[Quote, ...]
    next_step: tuple[str, str] | None
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """The opinion of a model.

    Args:
        votes: steps, one from each answer that has one, in the order of asking.
        step: the middle one.
        domains: five, in the order of `Domain`.
        tasks: the middle outcome of each task, by its id.
        corrections: of all answers, those of most answers first; at most six.
        practice: at most three, of the answer whose vote is the middle one.
        flags: that more than half of the answers noticed.
        model: as the endpoint calls it.
        prompt: version of what it was asked with.
        runs: how many answers were used.
        eojeols: Korean words that the model was shown. Fewer than there are: words to the grader are none.
    """

    votes: tuple[int, ...]
    step: int
    domains: tuple[DomainConsensus, ...]
    tasks: tuple[tuple[str, Outcome], ...]
    corrections: tuple[Correction, ...]
    practice: tuple[Practice, ...]
    flags: tuple[Flag, ...]
    model: str
    prompt: str
    runs: int
    eojeols: int


def lower_median(steps: Iterable[int]) -> int:
    """The middle one, the lower of two. Second raters who disagree with the first are mostly lower.

    Raises:
        ValueError: there are none.
    """
    ordered = sorted(steps)
    if not ordered:
        raise ValueError("nothing to take the middle of")
    return ordered[(len(ordered) - 1) // 2]


def agree(runs: Sequence[Run], *, model: str, prompt: str, eojeols: int) -> Consensus | None:
    """The opinion in these answers; None if fewer than `LEAST_RUNS` of them have a vote."""
    voting = [(run, vote) for run in runs if (vote := run.vote) is not None]
    if len(voting) < LEAST_RUNS:
        return None
    votes = tuple(vote for _, vote in voting)
    step = lower_median(votes)
    used = [run for run, _ in voting]
    middle = next(run for run, vote in voting if vote == step)
    return Consensus(
        votes=votes,
        step=step,
        domains=tuple(_domain(domain, used) for domain in Domain),
        tasks=_tasks(used),
        corrections=_corrections(used),
        practice=middle.practice[:_PRACTICE],
        flags=_flags(used),
        model=model,
        prompt=prompt,
        runs=len(used),
        eojeols=eojeols,
    )


def _domain(domain: Domain, runs: Sequence[Run]) -> DomainConsensus:
    said = [criterion for run in runs for criterion in run.criteria if criterion.domain is domain]
    graded = [(criterion, criterion.grade.step) for criterion in said if criterion.grade is not None]
    votes = tuple(step for _, step in graded)
    step = lower_median(votes) if len(votes) >= LEAST_RUNS else None
    next_step = next((criterion.next_step for criterion, own in graded if own == step), None)
    return DomainConsensus(
        domain=domain,
        votes=votes,
        step=step,
        evidence=_often((quote for criterion in said for quote in criterion.evidence), _EVIDENCE),
        counter=_often((quote for criterion in said for quote in criterion.counter), _COUNTER),
        next_step=next_step,
        dropped=sum(criterion.dropped for criterion in said),
    )


def _often(quotes: Iterable[Quote], most: int) -> tuple[Quote, ...]:
    counts = Counter(quotes)
    ordered = sorted(counts, key=lambda quote: (-counts[quote], quote.turn, quote.start, quote.end))
    chosen: list[Quote] = []
    for quote in ordered:
        # Answers cut the same words a little differently.
        if not any(_overlap(quote, other) for other in chosen):
            chosen.append(quote)
    return tuple(chosen[:most])


def _overlap(one: Quote, other: Quote) -> bool:
    return one.turn == other.turn and one.start < other.end and other.start < one.end


def _tasks(runs: Sequence[Run]) -> tuple[tuple[str, Outcome], ...]:
    outcomes: dict[str, list[Outcome]] = {}
    for run in runs:
        for task, outcome in run.tasks:
            outcomes.setdefault(task, []).append(outcome)
    return tuple((task, sorted(all_of)[(len(all_of) - 1) // 2]) for task, all_of in sorted(outcomes.items()))


def _corrections(runs: Sequence[Run]) -> tuple[Correction, ...]:
    every = [correction for run in runs for correction in run.corrections]
    chosen: list[Correction] = []
    for correction in sorted(
        every, key=lambda one: (-_mentions(one, every), one.quote.turn, one.quote.start, one.quote.end)
    ):
        if not any(_overlap(correction.quote, other.quote) for other in chosen):
            chosen.append(correction)
    return tuple(chosen[:_CORRECTIONS])


def _mentions(correction: Correction, every: Sequence[Correction]) -> int:
    return sum(_overlap(correction.quote, other.quote) for other in every)


def _flags(runs: Sequence[Run]) -> tuple[Flag, ...]:
    counts = Counter(flag for run in runs for flag in set(run.flags))
    return tuple(sorted(flag for flag, count in counts.items() if count * 2 > len(runs)))
