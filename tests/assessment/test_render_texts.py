"""The texts of a report: complete in both languages, and every one of them used."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from charye.assessment.grades import Grade
from charye.assessment.render import texts as module
from charye.assessment.render.texts import LANGUAGES, Language, clock, load_texts, words_of
from charye.assessment.report import Assessor, Severity, Trust, Ungraded
from charye.assessment.rubric import Domain
from charye.assessment.speech import Speaker

FOLDER = Path(module.__file__).parent
SOURCE = "".join(file.read_text(encoding="utf-8") for file in sorted(FOLDER.rglob("*.py")))
TEXTS = load_texts()

# Keys that are put together while the program runs, by what they are made of.
MADE: dict[str, list[str]] = {
    "assessor": [*Assessor],
    "corrections": [*Severity],
    "domain": [*Domain],
    "ladder": [f"mark_{one}" for one in Assessor],
    "method": [
        "charye",
        "scoring",
        "texts",
        "linguistic",
        "anchors",
        "patterns",
        "core_words",
        "kiwi",
        "bank",
    ],
    "none": [f"do_{one}" for one in ("longer", "mistakes", "ask", "microphone", "again")]
    + ["lead", "unread", "heading", "unread_heading"],
    "phase": ["warm_up", "level_check", "probe", "wind_down"],
    "score": ["0", "1", "2", "none"],
    "section": [],
    "strip": [f"heat{heat}" for heat in range(4)],
    "transcript": [*Speaker],
    "trust": [*Trust],
    "ungraded": [*Ungraded],
}


def places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_is_there_in_both_languages_with_the_same_places(key: str) -> None:
    assert set(TEXTS[key]) == set(LANGUAGES)
    assert all(text.strip() == text and text for text in TEXTS[key].values())
    assert places(TEXTS[key]["ko"]) == places(TEXTS[key]["en"])


def test_every_key_that_is_put_together_is_there() -> None:
    wanted = {f"{group}.{name}" for group, names in MADE.items() for name in names}
    assert wanted - TEXTS.keys() == set()


def test_every_key_that_is_written_is_there_and_no_text_is_left_over() -> None:
    written = set(re.findall(r"""["']([a-z]+\.[a-z0-9_]+)["']""", SOURCE))
    unknown = {
        key for key in re.findall(r"""words\(["']([a-z]+\.[a-z0-9_]+)["']""", SOURCE) if key not in TEXTS
    }
    assert unknown == set()
    made = {f"{group}.{name}" for group, names in MADE.items() for name in names}
    sections = {f"section.{name}" for name in re.findall(r'frame\.section\(\s*"(\w+)"', SOURCE)}
    units = {key for key in TEXTS if key.startswith("unit.")}
    assert sorted(TEXTS.keys() - written - made - sections - units) == []


def test_every_unit_that_a_report_may_have_can_be_shown() -> None:
    data = resources.files("charye.assessment").joinpath("report_texts.toml").read_text(encoding="utf-8")
    features = tomllib.loads(data)["features"].values()
    showing = resources.files("charye.assessment").joinpath("showing.py").read_text(encoding="utf-8")
    units = {feature["unit"] for feature in features}
    units |= set(re.findall(r'_number\("\w+", [^"]+, "(\w+)"', showing))
    assert len(units) >= 8
    for unit in units:
        for language in LANGUAGES:
            assert words_of(language).number(1.25, unit, 1)


def test_a_share_is_shown_in_per_cent() -> None:
    assert words_of("en").number(0.2618, "share", 2) == "26%"
    assert words_of("ko").number(0.9, "share", 0) == "90%"


@pytest.mark.parametrize(
    ("language", "date", "day", "span", "short"),
    [
        ("en", "5 March 2026", "5 Mar", "3 min 5 s", "42 s"),
        ("ko", "2026년 3월 5일", "3. 5.", "3분 5초", "42초"),
    ],
)
def test_dates_and_times(language: Language, date: str, day: str, span: str, short: str) -> None:
    words = words_of(language)
    when = datetime(2026, 3, 5, 23, 59, tzinfo=UTC)
    assert (words.date(when), words.day(when), words.span(185), words.span(41.7)) == (date, day, span, short)
    assert clock(65_900) == "1:05"


def test_the_languages_and_grades_are_those_of_the_style_sheet() -> None:
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    for language in get_args(Language):
        assert f"#show-{language}:checked" in style
    assert len(Grade) == 7  # the rows of the ladder
