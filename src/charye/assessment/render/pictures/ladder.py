"""The level ladder: the level and its range, floor and ceiling of the interview, and what each assessor says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.assessment.grades import BELOW, TOP, Grade
from charye.assessment.render.markup import Markup, join, tag
from charye.assessment.render.pictures.drawing import WIDTH, Picture, Table, label, rule
from charye.assessment.report import Assessor

if TYPE_CHECKING:
    from charye.assessment.render.texts import Words
    from charye.assessment.report import Bracket, Opinion, Overall, Report

__all__ = ["ladder"]

_TOP, _ROW = 30, 34
_LEVELS = 98  # middle of the column
_BRACKET = 164
_OPINIONS = (246, 291, 335)


def ladder(report: Report, words: Words) -> Picture | None:
    """The picture; None without a level."""
    overall = report.overall
    if overall is None:
        return None
    parts = [
        label(words("ladder.level"), _LEVELS, 12, class_="soft", size=10.5, anchor="middle"),
        *_rungs(),
        *_level(overall),
    ]
    if report.bracket is not None:
        parts += _bracket(report.bracket, words)
    for x, opinion in zip(_OPINIONS[-len(report.opinions) :], report.opinions, strict=False):
        parts += _opinion(opinion, x, words)
    return Picture(
        name="ladder",
        title=words("ladder.title"),
        text=_text(report, overall, words),
        height=_TOP + 7 * _ROW + 6,
        drawing=join(parts),
        table=_table(report, overall, words),
    )


def _y(step: float) -> float:
    return _TOP + (TOP - step) * _ROW + _ROW / 2


def _rungs() -> list[Markup]:
    parts = []
    for step in range(BELOW, TOP + 1):
        parts.append(rule(50, _y(step), WIDTH - 4, _y(step), "grid"))
        parts.append(label(Grade.at(step).value, 4, _y(step), class_="soft strong"))
    return parts


def _level(overall: Overall) -> list[Markup]:
    low, high, own = overall.low.step, overall.high.step, overall.level.step
    solid = own if overall.open_above else high
    parts = [_band(low, solid, "wash")]
    if high > solid:
        # Not a range that was measured: nothing is known of it.
        parts.insert(0, _band(own, high, "open"))
    parts.append(tag("rect", x=_LEVELS - 38.0, y=_y(own) - 13.0, width=76, height=26, rx=13, class_="accent"))
    parts.append(label(overall.label, _LEVELS, _y(own), class_="on-accent strong", size=15, anchor="middle"))
    return parts


def _band(low: int, high: int, class_: str) -> Markup:
    top, bottom = _y(high) - 16, _y(low) + 16
    return tag("rect", x=_LEVELS - 44.0, y=top, width=88, height=bottom - top, rx=16, class_=class_)


def _bracket(bracket: Bracket, words: Words) -> list[Markup]:
    floor, ceiling = bracket.floor.step, bracket.ceiling.step if bracket.ceiling else None
    bottom, top = _y(floor), _y(TOP if ceiling is None else ceiling)
    x = _BRACKET
    parts = [
        label(words("ladder.interview"), x + 20, 12, class_="soft", size=10.5, anchor="middle"),
        rule(x, bottom, x, top, "stroke good" if ceiling is not None else "stroke good dashed"),
        rule(x, bottom, x + 7, bottom, "stroke good"),
        _note(words("ladder.floor"), x + 10, bottom, "good-text"),
    ]
    if ceiling is None:
        parts.append(_note(words("ladder.no_ceiling"), x + 10, top, "soft"))
    else:
        parts.append(rule(x, top, x + 7, top, "stroke poor"))
        parts.append(_note(words("ladder.ceiling"), x + 10, top, "poor-text"))
    return parts


def _note(text: str, x: float, y: float, class_: str) -> Markup:
    return label(text, x, y, class_=f"{class_} halo strong", size=10.5)


def _opinion(opinion: Opinion, x: float, words: Words) -> list[Markup]:
    parts = [label(words(f"assessor.{opinion.assessor}"), x, 12, class_="soft", size=10, anchor="middle")]
    if opinion.level is None:
        return [*parts, label("–", x, _y(BELOW) + 1, class_="soft halo", size=13, anchor="middle")]
    if opinion.low is not None and opinion.high is not None and opinion.low != opinion.high:
        class_ = "whisker dashed" if opinion.open_above else "whisker"
        parts.append(rule(x, _y(opinion.low.step), x, _y(opinion.high.step), class_))
    parts += [
        tag("circle", cx=float(x), cy=_y(vote.step), r=3.0, class_="aside")
        for vote in sorted(set(opinion.votes))
    ]
    parts.append(_shape(opinion.assessor, float(x), _y(opinion.level.step)))
    return parts


def _shape(assessor: Assessor, x: float, y: float) -> Markup:
    match assessor:
        case Assessor.INTERVIEW:
            return tag("rect", x=x - 6, y=y - 6, width=12, height=12, rx=2, class_="point")
        case Assessor.LINGUISTIC:
            return tag("circle", cx=x, cy=y, r=6.5, class_="point")
        case Assessor.JUDGE:
            return tag("path", d=f"M{x:g} {y - 8:g}l8 8l-8 8l-8 -8z", class_="point")


def _text(report: Report, overall: Overall, words: Words) -> str:
    said = [words("ladder.text", level=overall.label, low=overall.low, high=overall.high)]
    if report.bracket is not None:
        said.append(words.of(report.bracket.text))
    said += [words("ladder.says", who=words.of(one.name), level=one.label) for one in report.opinions]
    return " ".join(said)


def _table(report: Report, overall: Overall, words: Words) -> Table:
    rows: list[tuple[str, str, str]] = [(words("ladder.level"), overall.label, _range(overall))]
    if report.bracket is not None:
        ceiling = report.bracket.ceiling
        rows.append((words("ladder.floor"), report.bracket.floor.value, ""))
        rows.append((words("ladder.ceiling"), ceiling.value if ceiling else "–", ""))
    rows += [(words.of(one.name), one.label, _range(one)) for one in report.opinions]
    return Table((words("table.what"), words("table.level"), words("table.range")), tuple(rows))


def _range(of: Overall | Opinion) -> str:
    if of.low is None or of.high is None or of.low == of.high:
        return ""
    return f"{of.low}–{of.high}"
