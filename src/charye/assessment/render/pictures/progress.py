"""The progress over sessions: the level of each report with its range, oldest first, this one last."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from charye.assessment.grades import BELOW, TOP, Grade
from charye.assessment.render.markup import Markup, join, tag
from charye.assessment.render.pictures.drawing import WIDTH, Picture, Table, label, rule, width_of
from charye.assessment.report import as_earlier

if TYPE_CHECKING:
    from charye.assessment.render.texts import Words
    from charye.assessment.report import Earlier, Report

__all__ = ["progress"]

_LEFT, _RIGHT = 62, WIDTH - 14
_TOP, _ROW = 8, 26
_MOST = 12
_ROOM_FOR_DATE = 46


def progress(report: Report, words: Words) -> Picture | None:
    """The picture; None without earlier reports. It shows the last dozen, the table all."""
    if not report.earlier:
        return None
    every = (*report.earlier, as_earlier(report))
    shown = every[-_MOST:]
    wide = (_RIGHT - _LEFT) / len(shown)
    xs = [_LEFT + wide * (index + 0.5) for index in range(len(shown))]
    parts = []
    for step in range(BELOW, TOP + 1):
        parts.append(rule(_LEFT - 12, _y(step), _RIGHT, _y(step), "grid"))
        parts.append(label(Grade.at(step).value, 4, _y(step), class_="soft strong"))
    points = [(x, one.level.step) for x, one in zip(xs, shown, strict=True) if one.level]
    parts += [
        rule(a, _y(one), b, _y(other), "stroke accent-line") for (a, one), (b, other) in pairwise(points)
    ]
    for x, one in zip(xs, shown, strict=True):
        parts += _session(one, x, wide, last=one is shown[-1])
    parts += _dates(shown, xs, wide, words)
    return Picture(
        name="progress",
        title=words("progress.title"),
        text=" ".join(words("progress.one", date=words.date(one.made_at), level=one.label) for one in every),
        height=_y(BELOW) + 50,
        drawing=join(parts),
        table=Table(
            (words("table.date"), words("table.level"), words("table.range"), words("table.confidence")),
            tuple((words.date(one.made_at), one.label, _range(one), _share(one, words)) for one in every),
        ),
    )


def _y(step: int) -> float:
    return _TOP + (TOP - step) * _ROW + _ROW / 2


def _session(one: Earlier, x: float, wide: float, *, last: bool) -> list[Markup]:
    if one.level is None:
        return [label("–", x, _y(BELOW) + 12, class_="soft halo strong", size=14, anchor="middle")]
    parts = []
    if one.low is not None and one.high is not None and one.low != one.high:
        class_ = "whisker dashed" if one.open_above else "whisker"
        parts.append(rule(x, _y(one.low.step), x, _y(one.high.step), class_))
    y = _y(one.level.step)
    parts.append(
        tag("circle", cx=x, cy=y, r=6.5 if last else 5.0, class_="point" if last else "point hollow")
    )
    if wide > width_of(one.label, 11):
        parts.append(label(one.label, x, y - 15, class_="halo strong", anchor="middle"))
    return parts


def _dates(shown: tuple[Earlier, ...], xs: list[float], wide: float, words: Words) -> list[Markup]:
    """Below: day and month, and the year where it changes. As many as there is room for, the last one always."""
    every = max(1, -(-_ROOM_FOR_DATE // int(wide)))
    parts = []
    year = None
    for back, (x, one) in reversed(list(enumerate(zip(xs[::-1], shown[::-1], strict=True)))):
        if back % every:
            continue
        day = words.day(one.made_at)
        parts.append(label(day, x, _y(BELOW) + 24, class_="soft", size=10, anchor="middle"))
        if one.made_at.year != year:
            year = one.made_at.year
            parts.append(label(str(year), x, _y(BELOW) + 38, class_="soft", size=10, anchor="middle"))
    return parts


def _range(one: Earlier) -> str:
    return (
        f"{one.low}–{one.high}"
        if one.low is not None and one.high is not None and one.low != one.high
        else ""
    )


def _share(one: Earlier, words: Words) -> str:
    return "" if one.confidence is None else words.number(one.confidence, "share", 0)
