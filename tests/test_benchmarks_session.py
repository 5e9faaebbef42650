"""The benchmarks of a session run and print every row. No time is asserted: that depends on the machine."""

from __future__ import annotations

import json
import os
import sys

import pytest

from benchmarks.session_server import Notes, framed
from charye.server.faulting.line import Heard

ROWS = (
    "from a done to the next create, median",
    "from a done to the next create, 99 of 100",
    "the same by aiohttp alone, median",
    "the same by aiohttp alone, 99 of 100",
    "3 `say` at once, 50 ms of thought for each",
    "3 `say` at once, no thought",
    "an audio event: asyncio, no I/O thread",
    "an audio event: asyncio, I/O thread",
    "an audio event: the same, handed to the program",
    "an audio event: uvloop, no I/O thread",
    "an audio event: uvloop, I/O thread",
    "in a flood: asyncio, no I/O thread",
    "in a flood: asyncio, I/O thread",
    "in a flood: the same, handed to the program",
    "in a flood: uvloop, no I/O thread",
    "in a flood: uvloop, I/O thread",
    "one of 2 idle sessions",
    "of it, allocated by Python",
    "an idle connection of aiohttp alone",
    "processor time of 2 idle sessions, a second",
)
BOUNDS = [1.0, 5.0, None, None, 1.05, None, 2.0, 2.0, *[None] * 12]

linux = pytest.mark.skipif(sys.platform != "linux", reason="CI cannot: pin a process to a core, but on Linux")


@linux
def test_every_row_is_printed_with_its_bound_and_what_was_borrowed_is_given_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from resource import RLIMIT_NOFILE, getrlimit

    from benchmarks import session

    cores, files = os.sched_getaffinity(0), getrlimit(RLIMIT_NOFILE)
    assert session.main(["--quick", "--json"]) == 0
    assert (os.sched_getaffinity(0), getrlimit(RLIMIT_NOFILE)) == (cores, files)
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["rows"]] == list(ROWS)
    assert [row["bound"] for row in told["rows"]] == BOUNDS
    for row in told["rows"]:
        assert row["measured"] >= 0


def test_a_gap_is_between_a_done_and_the_next_create_and_the_time_between_two_rounds_is_none() -> None:
    notes = Notes()
    for at, mark, kind in (
        (1.0, ">", b"response.create"),
        (1.5, "<", b"response.created"),
        (3.0, "<", b"response.done"),
        (3.25, ">", b"response.create"),
        (4.0, "<", b"response.done"),
    ):
        notes.tap(Heard(at, mark, b'{"type":"' + kind + b'"}'))
    took = notes.take()
    assert took.generated_s == (2.0, 0.75)
    assert took.gaps_s == (0.25,)
    notes.tap(Heard(9.0, ">", b'{"type":"response.create"}'))
    assert notes.take().gaps_s == ()


def test_a_frame_of_the_flood_is_a_text_message_of_a_server() -> None:
    data = b"x" * 6_600
    frame = framed(data)
    assert frame[:2] == b"\x81\x7e"
    assert int.from_bytes(frame[2:4], "big") == len(data)
    assert frame[4:] == data
