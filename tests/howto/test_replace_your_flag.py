"""The programs of docs/howto/replace-your-flag.md, run as they stand in the page."""

import asyncio

import pytest

from charye.testing import offline_server
from tests.howto.running import loaded, output, programs, run, tidy

PAGE = "howto/replace-your-flag.md"


def test_every_program_of_the_page_is_run_here() -> None:
    assert programs(PAGE) == ["before", "after", "core"]


@pytest.mark.parametrize("name", ["before", "after"])
def test_what_a_refusal_does_to_each(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with offline_server(fault="vad_wins", seed=7) as server:
        asyncio.run(loaded(PAGE, name).main(server.url, server.key))
    assert server.strikes() == ["vad_wins"]
    assert tidy(capsys.readouterr().out) == output(PAGE, name)


def test_the_core_alone(capsys: pytest.CaptureFixture[str]) -> None:
    run(PAGE, "core")
    assert tidy(capsys.readouterr().out) == output(PAGE, "core")
