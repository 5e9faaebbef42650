"""The pytest plugin: the fixture `realtime_server`, and the marker `realtime` that says how it is to behave.

    @pytest.mark.realtime(fault="lost_done", seed=7)
    def test_my_app_survives(realtime_server):
        ...

Found by pytest itself where charye is installed. It costs nothing until a test asks for the fixture. When a test
fails, its report shows the journal: types and times, never what was said.
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from charye.testing import OfflineServer

__all__ = ["pytest_configure", "pytest_runtest_makereport", "realtime_server"]

_MARK = "realtime"
_server = pytest.StashKey["OfflineServer"]()


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest about the marker."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(fault='', seed=0, mind=..., voice=..., ears=..., key=..., max_session_s=...): how `realtime_server` "
        "behaves; see charye.testing.offline_server",
    )


@pytest.fixture
def realtime_server(request: pytest.FixtureRequest) -> "Iterator[OfflineServer]":
    """An offline Realtime server for this test, a `charye.testing.OfflineServer`. The marker `realtime` sets it up."""
    from charye.testing import offline_server

    # The mark closest to the test wins, setting by setting: a class may say the mind, and a test the fault.
    settings: dict[str, object] = {}
    for mark in request.node.iter_markers(_MARK):
        settings = mark.kwargs | settings
    with offline_server(**settings) as server:  # type: ignore[arg-type]
        request.node.stash[_server] = server
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the journal where a test failed."""
    report = yield
    server = item.stash.get(_server, None)
    if report.when == "call" and report.failed and server is not None:
        how = f"faults: {server.faults or 'none'}, seed: {server.seed}"
        report.sections.append(("realtime journal", f"{how}\n{server.text()}"))
    return report
