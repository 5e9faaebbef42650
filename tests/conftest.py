"""Rules for the whole test run: no silent skips in CI, and hypothesis that can be repeated."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# The only accepted beginning of a skip's reason in CI. What follows says what the machine would need.
ALLOWED_SKIP = "CI cannot: "

# CI finds the same thing every time, so a red run can be repeated; at the desk each run looks somewhere else.
hypothesis.settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, max_examples=200, database=None
)
hypothesis.settings.register_profile("dev", deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report, expected=hasattr(report, "wasxfail"))
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report, expected=False)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport, *, expected: bool) -> None:
    """Turn a skip into a failure, in CI and without an accepted reason. A test nobody runs is no test."""
    if not IN_CI or expected or not report.skipped:
        return
    where = report.longrepr
    reason = where[2] if isinstance(where, tuple) else str(where)
    if not reason.removeprefix("Skipped: ").startswith(ALLOWED_SKIP):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI without a reason that starts with {ALLOWED_SKIP!r}: {reason}"
