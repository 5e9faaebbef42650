"""A report as a file for people: HTML, Markdown, JSON, or CSV for teachers.

    html(report)                        # one file for the browser, opens offline, both languages inside
    markdown(report, language="en")
    csv(reports)                        # one row each
    as_file(report, "report.html")      # by the end of the name

Pure: the same report gives the same bytes. What a learner said or is called is text in all of them, never markup, a
formula or a script.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from charye.assessment.render.markdown import markdown
from charye.assessment.render.page import content_security_policy, html
from charye.assessment.render.spreadsheet import csv
from charye.assessment.render.texts import LANGUAGES, Language, language_for
from charye.assessment.report import to_json
from charye.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from charye.assessment.report import Report

__all__ = [
    "KINDS",
    "LANGUAGES",
    "Language",
    "as_file",
    "content_security_policy",
    "csv",
    "html",
    "kind_of",
    "language_for",
    "markdown",
]

_WRITERS: dict[str, Callable[[Report, Language | None], bytes]] = {
    "html": lambda report, language: html(report, language=language).encode(),
    "md": lambda report, language: markdown(report, language=language).encode(),
    "json": lambda report, _language: to_json(report),
    "csv": lambda report, _language: csv([report]),
}
KINDS = tuple(_WRITERS)
"""Ends of file names that `as_file` knows."""


def kind_of(name: str) -> str:
    """The kind of a file by the end of its name.

    Raises:
        ConfigurationError: it is none of `KINDS`.
    """
    end = PurePath(name).suffix.lower().removeprefix(".")
    kind = {"htm": "html", "markdown": "md"}.get(end, end)
    if kind not in KINDS:
        raise ConfigurationError("a report is written as .html, .md, .json or .csv", option=name)
    return kind


def as_file(report: Report, name: str, *, language: Language | None = None) -> bytes:
    """What is to be in the file of this name.

    Args:
        report: to write.
        name: whose end says the kind.
        language: of HTML (the one it opens in) and of Markdown; None: the learner's.
    Raises:
        ConfigurationError: the kind is none of `KINDS`.
    """
    return _WRITERS[kind_of(name)](report, language)
