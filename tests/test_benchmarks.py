"""The benchmarks run and print every row. What they measure is not asserted here: that depends on the machine."""

import json

import pytest

from benchmarks import core, material
from charye.protocol import UnknownEvent, decode_server_event

ROWS = (
    "decode an audio delta",
    "receive an audio delta",
    "decode and receive an audio delta",
    "a whole response of 12 events",
    "an event with 10,000 waiting",
    "state of a session",
)


def test_every_row_is_printed_with_its_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert core.main(["--quick"]) == 0
    _, _, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(ROWS)
    for line, begin in zip(lines, ROWS, strict=True):
        assert line.startswith(begin)


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert core.main(["--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["machine"]
    assert len(told["rows"]) == len(ROWS)
    assert [row["bound"] for row in told["rows"]] == [1.5, 2.0, None, 3.0, 1.5, 50.0]
    for row in told["rows"]:
        assert row["measured"] > 0


def test_a_missed_bound_is_shown_and_is_the_exit_status() -> None:
    missed = core.Row("too slow", 4.0, "us", "a snail", 2.0, bound=1.5)
    assert not missed.passed
    assert "FAIL" in core.table([missed])
    assert core.status([missed]) == 1
    assert core.status([core.Row("for information", 4.0, "us")]) == 0


def test_what_is_measured_on_is_what_servers_send() -> None:
    raw = [
        material.SESSION,
        *material.reply("resp_1", "c.1.1.1"),
        *material.tool_call("resp_2", None, "call_1"),
        *material.user_turn("item_1"),
    ]
    assert not [data for data in raw if isinstance(decode_server_event(data), UnknownEvent)]
    assert 6_500 < len(material.audio_delta("resp_1", "item_1")) < 6_800
    assert len(material.reply("resp_1", None)) == 12
