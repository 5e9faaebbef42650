"""The benchmarks of the server run and print every row. No time is asserted: that depends on the machine."""

from __future__ import annotations

import json
import os
import sys

import pytest

from benchmarks import server
from benchmarks.callers import append
from charye.protocol import InputAudioBufferAppend, audio_bytes, decode_client_event
from charye.server.ears import EnergyVad

ROWS = (
    "frames of 20 ms: sessions on one core",
    "frames of 100 ms: sessions on one core",
    "memory of an idle session",
    "memory of an active session",
    "the same without the audio that it holds",
    "CPU of an event, frames of 20 ms",
    "CPU of an event, frames of 100 ms",
    "start of charye serve to the first accepted session",
    "first audio of a Korean sentence, median",
    "first audio of a Korean sentence, slowest",
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="CI cannot: pin a process to a core, but on Linux")


@linux
def test_every_row_is_printed_with_its_bound_and_the_cores_are_given_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cores = os.sched_getaffinity(0)
    assert server.main(["--quick", "--json"]) == 0
    assert os.sched_getaffinity(0) == cores
    told = json.loads(capsys.readouterr().out)
    assert len(told["rows"]) == len(ROWS)
    for row, begin in zip(told["rows"], ROWS, strict=True):
        assert row["name"].startswith(begin)
    assert [row["bound"] for row in told["rows"]] == [*[None] * 5, 4.0, 4.0, 1500.0, None, 50.0]


def test_the_slowest_of_a_hundred_is_not_hidden() -> None:
    assert server.percentile([0.01] * 98 + [0.2, 0.3], 0.99) == 0.2
    assert server.percentile([], 0.99) == float("inf")


def test_what_is_streamed_is_no_voice() -> None:
    event = decode_client_event(append(100))
    assert isinstance(event, InputAudioBufferAppend)
    assert max(EnergyVad().rate(audio_bytes(event))) == 0.0
