"""Every interleaving of every world: no law is broken, and every fair schedule ends every request.

Prints the distinct states of each world at the end of the run. `CHARYE_MODEL=full` walks every world whole.
"""

import os
from functools import cache

import pytest

from tests.model.explore import Report, explore
from tests.model.laws import Violation
from tests.model.mutants import MUTANTS, Mutant
from tests.model.worlds import WORLDS

BY_NAME = {spec.name: spec for spec in WORLDS}
LIMIT = 10_000_000 if os.environ.get("CHARYE_MODEL") == "full" else 50_000


@cache
def explored(name: str) -> Report:
    return explore(BY_NAME[name], limit=LIMIT)


@pytest.mark.parametrize("name", BY_NAME)
def test_no_law_is_broken_in(name: str, record_world: list[Report]) -> None:
    record_world.append(explored(name))


def test_worlds_have_names_of_their_own() -> None:
    assert len(BY_NAME) == len(WORLDS)


def test_at_least_half_a_million_states_are_seen() -> None:
    assert sum(explored(name).states for name in BY_NAME) >= 500_000


def test_most_worlds_are_walked_whole_so_liveness_is_proved_in_them() -> None:
    """Of the largest the first states are seen in every run, and all with `CHARYE_MODEL=full`."""
    whole = sum(explored(name).complete for name in BY_NAME)
    assert whole >= 0.75 * len(BY_NAME)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_wrong_rule_is_caught(mutant: Mutant) -> None:
    with mutant.planted.in_force(), pytest.raises(Violation):
        explore(BY_NAME[mutant.world], limit=LIMIT)
