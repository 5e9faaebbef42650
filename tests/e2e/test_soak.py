"""Half an hour of talk with faults as they come, many times: nothing is lost, and nothing is left behind.

CHARYE_E2E=full uv run pytest tests/e2e/test_soak.py -s         200 sessions, and the figures
"""

import gc
import os

import pytest

from tests.e2e.soak import MINUTES, Soaked, soak

_FULL = os.environ.get("CHARYE_E2E") == "full"
_SESSIONS = 200 if _FULL else 3

_WARM = 2
"""Sessions after which everything is loaded and every cache has something in it."""

_OBJECTS = 200
"""That one session more may leave in caches that are bounded. Measured: 25; one session that is kept is 100,000."""

_MIB = 1024 * 1024
_GROWTH_BYTES = 96 * _MIB
"""Of the whole process, with what the allocator keeps."""


@pytest.mark.slow
def test_half_an_hour_of_talk_loses_nothing_and_leaves_nothing() -> None:
    held: list[tuple[int, int, int]] = []
    all_soaked: list[Soaked] = []
    for seed in range(1, _SESSIONS + 1):
        soaked = soak(seed)
        if soaked.wrong:
            told = "\n  ".join(soaked.wrong)
            pytest.fail(
                f"seed {seed}, faults {soaked.faults}:\n  {told}\nthe end of the wire:\n{soaked.end_of_wire}",
                pytrace=False,
            )
        all_soaked.append(soaked)
        held.append(_held())
    objects, files, memory = zip(*held[_WARM - 1 :], strict=True)
    assert objects[-1] - objects[0] <= _OBJECTS * len(objects)
    assert files[-1] == files[0]
    assert memory[-1] - memory[0] <= _GROWTH_BYTES
    print(
        f"\n{_SESSIONS} sessions of {MINUTES} simulated minutes:"
        f" {sum(one.requests for one in all_soaked)} requests, {sum(one.refusals for one in all_soaked)} refusals,"
        f" {sum(one.lines for one in all_soaked)} lines, {sum(one.strikes for one in all_soaked)} strikes of faults;"
        f" from session {_WARM} on {objects[-1] - objects[0]} objects more,"
        f" {files[-1] - files[0]} files, {(memory[-1] - memory[0]) / _MIB:.1f} MiB"
    )


def _held() -> tuple[int, int, int]:
    """Objects, open files and bytes of this process."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    return len(gc.get_objects()), len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGE_SIZE")
