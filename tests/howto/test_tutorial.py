"""The programs of docs/tutorial.md, run as they stand in the page."""

from pathlib import Path

import pytest

from charye.testing import offline_server
from tests.howto.running import loaded, output, program, programs, run, tidy

PAGE = "tutorial.md"


def test_every_program_of_the_page_is_run_here() -> None:
    assert programs(PAGE) == [
        "hello",
        "outcomes",
        "agent",
        "real",
        "azure",
        "watched",
        "record",
        "press",
        "goodbye",
        "test",
    ]


@pytest.mark.parametrize("name", ["hello", "outcomes", "agent", "watched", "goodbye"])
def test_a_program_prints_what_the_page_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(PAGE, name)
    assert tidy(capsys.readouterr().out) == output(PAGE, name)


def test_what_was_recorded_can_be_said_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run(PAGE, "record")
    run(PAGE, "press")
    assert tidy(capsys.readouterr().out) == output(PAGE, "press")


@pytest.mark.parametrize("name", ["real", "azure"])
def test_one_line_makes_it_real(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend = loaded(PAGE, "agent").PRETEND
    with offline_server(mind=pretend) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url.removesuffix("/v1"))
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", server.key)
        run(PAGE, name)
    assert tidy(capsys.readouterr().out) == output(PAGE, "agent")


def test_the_agent_passes_the_test_of_the_page(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("agent.py").write_text(program(PAGE, "agent"), encoding="utf-8")
    pytester.path.joinpath("test_agent.py").write_text(program(PAGE, "test"), encoding="utf-8")
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", "test_agent.py")
    done.assert_outcomes(passed=1)
