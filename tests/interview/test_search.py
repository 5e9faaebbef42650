"""The level search, explored: every sequence of scores."""

from __future__ import annotations

import pytest

from charye.interview.levels import LEVELS, NO_CEILING, PRE_A1
from charye.interview.search import Search, Settled, advance, asking, plus, provisional_floor, start_step

LOW = -1.0  # a band that never jumps


def run(start: int, scores: str, band: float = LOW) -> Search:
    search = Search(level=start)
    for score in scores:
        assert search.settled is None, "settled too early"
        search = advance(search, int(score), band)
    return search


@pytest.mark.parametrize(
    ("start", "scores", "asked", "floor", "ceiling", "settled"),
    [
        # two sustained, then two probes that break: the ordinary way
        (1, "2200", None, 1, 2, True),
        (1, "2210", None, 1, 2, True),
        # a probe that is sustained is the first of two answers of the level above
        (1, "2212", 3, 2, NO_CEILING, False),
        (1, "222", 2, 1, NO_CEILING, False),
        (1, "2222", 3, 2, NO_CEILING, False),
        (1, "2220", 2, 1, NO_CEILING, False),  # one lucky probe raises nothing: a third answer decides
        (1, "22200", None, 1, 2, True),
        # two partial probes: the third answer decides
        (1, "2211", 2, 1, NO_CEILING, False),
        (1, "22111", None, 1, 2, True),
        (1, "22112", 3, 2, NO_CEILING, False),
        # failing goes down
        (2, "00", 1, PRE_A1, 2, False),
        (2, "0022", None, 1, 2, True),
        (1, "0000", None, PRE_A1, 0, True),
        (0, "00", None, PRE_A1, 0, True),
        # neither passed nor failed after two: a third decides
        (1, "12", 2, 1, NO_CEILING, False),
        (1, "11", 1, PRE_A1, NO_CEILING, False),
        (1, "111", 0, PRE_A1, 1, False),
        (1, "112", 2, 1, NO_CEILING, False),
        (1, "20", 1, PRE_A1, NO_CEILING, False),  # the last answer broke down: not passed yet
        # the top
        (5, "22", None, 5, NO_CEILING, True),
    ],
)
def test_the_search(
    start: int, scores: str, asked: int | None, floor: int, ceiling: int, settled: bool
) -> None:
    search = run(start, scores)
    assert (search.floor, search.ceiling, search.settled is not None) == (floor, ceiling, settled)
    if asked is not None:
        assert asking(search) == asked


def test_an_answer_that_stands_much_higher_jumps_one_more() -> None:
    assert asking(run(0, "222", band=1.5)) == 1
    assert asking(run(0, "222", band=2.0)) == 2


def matters(search: Search) -> object:
    """What the next steps depend on: of the scores between floor and ceiling, how many, their sum and the last two."""
    open_levels = search.scores[search.floor + 1 : search.ceiling]
    scores = tuple((min(len(own), 3), sum(own) / max(len(own), 1), own[-2:]) for own in open_levels)
    return search.level, search.probing, search.probes, search.floor, search.ceiling, search.settled, scores


def test_every_sequence_of_scores_settles_and_means_something() -> None:
    """All ways through the search that begin at A1, B1 and C2, with every score and with jumps."""
    longest = 0
    todo = [(Search(level=start), 0) for start in (0, 2, 5)]
    seen: set[object] = set()
    while todo:
        search, steps = todo.pop()
        longest = max(longest, steps)
        if search.settled is not None:
            if search.settled is Settled.TOP_REACHED:
                assert search.floor == len(LEVELS) - 1
            else:
                assert search.ceiling == search.floor + 1
                assert len(search.scores[search.ceiling]) >= 2
            if search.floor >= 0:
                assert len(search.scores[search.floor]) >= 2
                assert sum(search.scores[search.floor]) >= 3
            continue
        assert search.floor < search.ceiling
        assert 0 <= asking(search) < len(LEVELS)
        jumps = [(2, 5.0)] if search.probing else []
        for score, band in [(0, LOW), (1, LOW), (2, LOW), *jumps]:
            after = advance(search, score, band)
            if matters(after) not in seen:
                seen.add(matters(after))
                todo.append((after, steps + 1))
    assert longest <= 20
    assert len(seen) > 150


def test_a_plus_is_a_ceiling_that_was_nearly_sustained() -> None:
    assert plus(run(1, "22111"))
    assert not plus(run(1, "2210"))


def test_a_search_that_was_cut_short_gives_its_best_guess() -> None:
    assert provisional_floor(Search(level=1)) == PRE_A1
    assert provisional_floor(run(2, "2")) == 2
    assert provisional_floor(run(1, "221")) == 1
    assert provisional_floor(run(1, "2210")) == 1


@pytest.mark.parametrize(
    ("claimed", "heard", "start"),
    [
        (None, 0.4, 0),
        (None, 2.7, 2),
        (None, 5.0, 4),
        (0, 0.0, 0),
        (3, 0.0, 2),
        (3, 3.4, 2),
        (3, 3.5, 3),
        (5, 5.0, 4),
    ],
)
def test_the_search_begins_below_what_is_claimed(claimed: int | None, heard: float, start: int) -> None:
    assert start_step(claimed, heard) == start
