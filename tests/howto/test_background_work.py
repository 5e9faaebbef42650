"""The programs of docs/howto/background-work.md, run as they stand in the page."""

import asyncio
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

import charye
from charye.server.minds import Script, Scripted
from charye.session.events import UtteranceChanged
from tests.howto.running import DOCS, loaded, output, program, programs, run, said, tidy

PAGE = "howto/background-work.md"

MODEL = b"""
    [[answer]]
    when = "report"
    [[answer.call]]
    name = "report"
    arguments = { topic = "cats" }
    [[answer]]
    say = "Yes."
"""


def model() -> Scripted:
    return Scripted(Script.parse(MODEL))


def test_every_program_of_the_page_is_run_here() -> None:
    assert programs(PAGE) == ["report", "compute", "blocked"]


def test_the_conversation_goes_on_meanwhile() -> None:
    async def story() -> list[str]:
        async with charye.connect(charye.Embedded(mind=model)) as session:
            loaded(PAGE, "report").add_report(session)
            events = session.events(UtteranceChanged)
            session.send_text("A report, please.")
            await said(events, "I am on it.")
            session.send_text("Ok?")
        return [utterance.text for utterance in session.transcript]

    assert asyncio.run(story()) == [
        "A report, please.",
        "I am on it.",
        "Ok?",
        "Yes.",
        "The report about cats is ready.",
    ]


def test_what_computes_is_in_another_process(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(program(PAGE, "compute"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert tidy(done.stdout) == output(PAGE, "compute")
    assert done.stderr == ""


def test_the_log_names_who_holds_up_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    run(PAGE, "blocked")
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    line = line_of(page, "    time.sleep(1)\n")
    assert f"the event loop is held up: background-work.md:{line} in careless" in told
    assert any(re.fullmatch(r"the event loop goes on after \d\.\d s", message) for message in told)
    first = line_of(page, "import asyncio\nimport logging\n")
    assert f"the event loop is held up: program.py:{line - first + 1} in careless" in page


def line_of(page: str, text: str) -> int:
    """Where it is, counted from 1."""
    return page[: page.index(text)].count("\n") + 1
