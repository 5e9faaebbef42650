"""The program in docs/howto/run-an-interview.md does what the page says."""

from __future__ import annotations

import asyncio
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

import charye
from charye.assessment.report import from_json
from charye.embedded import Embedded
from charye.interview.closing import Ending
from charye.interview.conductor import Conductor
from charye.interview.configuring import Hands, Manner
from charye.interview.hearing import Control
from charye.interview.news import News
from charye.interview.outcome import InterviewOutcome
from charye.server.voice import ToneVoice
from charye.session.settings import SessionSettings
from charye.testing import run_virtually

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "run-an-interview.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def program() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "howto"}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


def test_the_program_conducts_an_interview(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = program()

    async def story() -> InterviewOutcome:
        endpoint = Embedded(voice=ToneVoice(syllable_ms=50))
        settings = SessionSettings(io_thread=False, lag_bound_s=0)
        outcome: InterviewOutcome = await names["interview"](endpoint, tmp_path, None, settings=settings)
        return outcome

    outcome = run_virtually(story())  # nobody says a word
    assert outcome.ending is Ending.COMPLETE
    (file,) = tmp_path.glob("*.json")
    report = from_json(file.read_bytes())
    assert report == outcome.report
    shown = capsys.readouterr().out
    assert "Can you hear me?" in shown
    assert report.spoken.text in [u.text for u in outcome.checkpoint.transcript.utterances]
    assert names["stored"](*outcome.checkpoint.to_json()) == outcome.checkpoint


def test_the_page_names_every_choice_every_news_and_every_ending() -> None:
    prose = re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`([^`]+)`", prose))
    assert {f"Manner.{manner.name}" for manner in Manner} <= named
    assert {f"Hands.{hands.name}" for hands in Hands} <= named
    assert {ending.value for ending in Ending} <= named
    for news in get_args(News):
        told = f"{news.__name__}({', '.join(field.name for field in fields(news))})"
        assert told in named
    for button in Control:
        assert button.name in named or f"conductor.control(Control.{button.name})" in named


def test_what_the_page_calls_is_there() -> None:
    for name in re.findall(r"conductor\.(\w+)", TEXT):
        assert hasattr(Conductor, name)
    assert asyncio.iscoroutinefunction(Conductor.run)
    assert hasattr(charye, "Embedded")
