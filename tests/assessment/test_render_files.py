"""The report as Markdown, and the reports of a class as CSV."""

from __future__ import annotations

import csv as reader
import io
import re
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from charye.assessment.render import LANGUAGES, as_file, csv, markdown
from charye.assessment.render.markdown import plain
from charye.assessment.render.spreadsheet import COLUMNS
from charye.assessment.report import Learner, Report, from_json
from tests.assessment import reports
from tests.assessment.test_render import ATTACK, hostile

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi


@pytest.fixture(scope="module")
def made(kiwi: Kiwi) -> dict[str, Report]:
    return {name: getattr(reports, name)(kiwi) for name in ("b1", "silent", "transcript_only")}


def rows(data: bytes) -> list[dict[str, str]]:
    return list(reader.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


# --- Markdown --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_markdown_says_what_the_report_says(made: dict[str, Report], language: str) -> None:
    report = made["b1"]
    text = markdown(report, language="ko" if language == "ko" else "en")
    assert text.startswith("# ")
    assert report.overall
    assert f": {report.overall.label}\n" in text
    for turn in report.transcript:
        assert plain(turn.text) in text
    headings = re.findall(r"^#+ .+", text, re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert not re.search(r"\n{3}", text)


def test_markdown_without_a_level(made: dict[str, Report]) -> None:
    text = markdown(made["silent"], language="en")
    assert "## Not enough speech for a level yet" in text
    assert "6 of 25 needed" in text


def test_markdown_lets_no_markup_through(made: dict[str, Report]) -> None:
    text = markdown(hostile(made["b1"]), language="en")
    assert not re.search(r"(?<!\\)<\w", text)
    assert re.search(r"\\<script\\>alert\(1\)", text)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("# 하나", "\\# 하나"),
        ("1. 하나", "1\\. 하나"),
        ("- 하나", "\\- 하나"),
        ("가 - 나 (다) 1.5", "가 - 나 (다) 1.5"),
        ("[가](나)", "\\[가\\](나)"),
        ("a|b *c* _d_ `e` \\", "a\\|b \\*c\\* \\_d\\_ \\`e\\` \\\\"),
        ("하나\n\n둘", "하나 둘"),
    ],
)
def test_plain_text_in_markdown(said: str, shown: str) -> None:
    assert plain(said) == shown


# --- CSV -------------------------------------------------------------------------------------------------------------


def test_csv_has_one_row_for_each_report(made: dict[str, Report]) -> None:
    data = csv(made.values())
    found = rows(data)
    assert data.startswith(b"\xef\xbb\xbfreport,made_at,")
    assert [row["level"] for row in found] == ["B1", "", "B2+"]
    assert [row["report"] for row in found] == ["r-b1", "r-0", "r-t"]
    assert all(set(row) == set(COLUMNS) for row in found)
    b1, silent, _ = found
    assert (b1["floor"], b1["ceiling"], b1["by_judge"], b1["tasks_sustained"]) == ("B1", "B2", "B2", "4")
    assert b1["made_at"] == "2026-11-20T10:30:00+00:00"
    assert (silent["enough_speech"], silent["why_not"]) == ("insufficient", "few_words few_turns")
    assert silent["grammar"] == silent["confidence"] == ""


def test_csv_holds_no_word_of_what_was_said(made: dict[str, Report]) -> None:
    text = csv(made.values()).decode()
    assert not re.search("[가-힣]", text)


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =HYPERLINK(1)", "\r=1", "＝1", "\x00=1", '="a",b']
)
def test_csv_has_no_formula_in_it(made: dict[str, Report], name: str) -> None:
    (row,) = rows(csv([changed(made["b1"], learner=Learner(id=name, name=name))]))
    assert row["learner"].startswith("'")
    assert row["learner_id"].startswith("'")


def test_csv_keeps_ordinary_names_as_they_are(made: dict[str, Report]) -> None:
    names = ["María López", "김, 하나", 'O"Neil', "안나\n리"]
    found = rows(csv([changed(made["b1"], learner=Learner(name=name)) for name in names]))
    assert [row["learner"] for row in found] == names


# --- all -------------------------------------------------------------------------------------------------------------


def test_json_is_the_report_itself(made: dict[str, Report]) -> None:
    report = changed(made["b1"], learner=Learner(name=ATTACK))
    assert from_json(as_file(report, "r.json")) == report
