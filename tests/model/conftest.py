"""Tells at the end of the run how much was seen."""

import pytest

from tests.model.explore import Report

REPORTS = pytest.StashKey[list[Report]]()


@pytest.fixture
def record_world(request: pytest.FixtureRequest) -> list[Report]:
    """Where a test leaves what it has explored."""
    return request.config.stash.setdefault(REPORTS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = config.stash.get(REPORTS, [])
    if not reports:
        return
    terminalreporter.section("worlds explored")
    terminalreporter.line(f"{'states':>10} {'of the core':>11} {'steps':>10} {'ends':>6}")
    for report in reports:
        whole = "" if report.complete else "  (the first states only; CHARYE_MODEL=full walks it whole)"
        figures = f"{report.states:>10,} {report.core_states:>11,} {report.steps:>10,} {report.ends:>6,}"
        terminalreporter.line(f"{figures}  {report.name}{whole}")
    total = sum(report.states for report in reports)
    terminalreporter.line(f"{total:>10,} distinct states in {len(reports)} worlds, no law broken")
