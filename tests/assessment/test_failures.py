"""The errors of the assessor keep the rules of `charye.errors`: constant words, fields by keyword, fit to travel."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from charye.assessment import failures
from charye.errors import CharyeError

EXAMPLES: list[CharyeError] = [
    failures.AssessorFailed(exception_type="ValueError"),
    failures.AssessorBusy(waiting=64),
    failures.AssessorTimedOut(timeout_s=1.0),
    failures.AssessorDied(exit_code=-9),
    failures.AssessorUnavailable(starts=4, exit_code=1),
]


def test_there_is_an_example_of_each() -> None:
    assert sorted(type(error).__name__ for error in EXAMPLES) == sorted(failures.__all__)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_each_keeps_the_rules(error: CharyeError) -> None:
    assert "What to do:" in (type(error).__dict__["__doc__"] or "")
    kinds = {parameter.kind for parameter in inspect.signature(type(error)).parameters.values()}
    assert kinds <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(other) is type(error)
        assert vars(other) == vars(error)
        assert str(other) == str(error)
