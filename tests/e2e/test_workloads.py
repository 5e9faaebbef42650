"""Each workload through each fault, over real sockets, on a virtual clock: `docs/reference/e2e.md`.

uv run pytest tests/e2e -k "W4 and lost_done"         one pair
CHARYE_E2E=full uv run pytest tests/e2e               ten seeds of each
"""

import os

import pytest

from charye.server.faults import FAULTS
from tests.e2e.playing import play
from tests.e2e.workloads import WORKLOADS

_FULL = os.environ.get("CHARYE_E2E") == "full"
_LONG = frozenset({"W1", "W2", "W4", "W7", "W11", "W12"})
_ALL_FAULTS = ("", *FAULTS)


def _seeds(workload: str, fault: str) -> range:
    """Odd ones with a loudspeaker that reports, even ones without."""
    if _FULL:
        return range(1, 11)
    if workload in _LONG:
        one = 1 + _ALL_FAULTS.index(fault) % 2
        return range(one, one + 1)
    return range(1, 3)


@pytest.mark.parametrize("fault", _ALL_FAULTS, ids=lambda fault: fault or "no_fault")
@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_workload_comes_through_a_fault(workload: str, fault: str) -> None:
    for seed in _seeds(workload, fault):
        scene, wrong = play(WORKLOADS[workload], fault, seed)
        if wrong:
            told = "\n  ".join(wrong)
            pytest.fail(
                f"{workload} ({WORKLOADS[workload].about}), fault {fault or 'none'}, seed {seed}:\n  {told}\n"
                f"the end of the wire:\n{scene.end_of_wire()}",
                pytrace=False,
            )
