"""The reports of a class as CSV for a spreadsheet: one row each, no word of what was said.

UTF-8 with a byte order mark, which Excel needs to read Korean; CRLF, as RFC 4180 has it. A cell that a spreadsheet
would take for a formula gets an apostrophe in front, so that a learner's name cannot run anything.
"""

from __future__ import annotations

import csv as csv_format
import io
import re
from typing import TYPE_CHECKING

from charye.assessment.report import Assessor
from charye.assessment.rubric import Domain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from charye.assessment.report import Report

__all__ = ["COLUMNS", "csv"]

# Source: OWASP, CSV Injection. Spreadsheets skip blanks before a formula, and some read full-width signs as signs.
_FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠]|[\t\r\n]")


def csv(reports: Iterable[Report]) -> bytes:
    """The reports as a CSV file; the columns are `COLUMNS`, whatever is not known is empty."""
    text = io.StringIO(newline="")
    writer = csv_format.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(column(report)) for column in COLUMNS.values()] for report in reports)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.2f}"
        case int():
            return str(value)
        case _:
            text = str(value).replace("\x00", "")
            return f"'{text}" if _FORMULA.match(text) else text


def _of(domain: Domain) -> Callable[[Report], object]:
    def label(report: Report) -> str | None:
        return next((one.label for one in report.domains if one.domain is domain and one.level), None)

    return label


def _opinion(report: Report, assessor: Assessor) -> str | None:
    return next((one.label for one in report.opinions if one.assessor is assessor and one.level), None)


def _number(report: Report, name: str) -> float | None:
    return next((one.value for one in report.numbers if one.id == name), None)


def _tasks(report: Report, score: int) -> int | None:
    return sum(one.score == score for one in report.timeline) if report.interview else None


# The names stay as they are: somebody's sheet refers to them. New ones go to the end.
COLUMNS: dict[str, Callable[[Report], object]] = {
    "report": lambda report: report.id,
    "made_at": lambda report: report.made_at.isoformat(timespec="seconds"),
    "learner_id": lambda report: report.learner.id,
    "learner": lambda report: report.learner.name,
    "level": lambda report: report.overall and report.overall.label,
    "low": lambda report: report.overall and report.overall.low,
    "high": lambda report: report.overall and report.overall.high,
    "plus": lambda report: report.overall and report.overall.plus,
    "confidence": lambda report: report.overall and report.overall.confidence.value,
    "confidence_word": lambda report: report.overall and report.overall.confidence.word,
    "review": lambda report: report.overall and report.overall.review,
    "enough_speech": lambda report: report.sufficiency.verdict,
    "why_not": lambda report: " ".join(report.sufficiency.reasons),
    "floor": lambda report: report.bracket and report.bracket.floor,
    "ceiling": lambda report: report.bracket and report.bracket.ceiling,
    **{domain.value: _of(domain) for domain in Domain},
    "by_interview": lambda report: _opinion(report, Assessor.INTERVIEW),
    "by_linguistic": lambda report: _opinion(report, Assessor.LINGUISTIC),
    "by_judge": lambda report: _opinion(report, Assessor.JUDGE),
    "spread": lambda report: report.agreement and report.agreement.spread,
    "korean_words": lambda report: report.sufficiency.eojeols,
    "answers": lambda report: report.sufficiency.turns,
    "tasks_sustained": lambda report: _tasks(report, 2),
    "tasks_partly": lambda report: _tasks(report, 1),
    "tasks_broken_down": lambda report: _tasks(report, 0),
    "speech_rate": lambda report: _number(report, "speech_rate"),
    "duration_s": lambda report: report.interview and report.interview.duration_s,
    "ending": lambda report: report.interview and report.interview.ending,
    "flags": lambda report: " ".join(flag.id for flag in report.flags),
    "earlier_reports": lambda report: len(report.earlier),
    "charye": lambda report: report.versions.charye,
}
"""What a column holds, by its name."""
