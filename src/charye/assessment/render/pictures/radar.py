"""The radar: the five domains. One without a level is grey, and nothing is drawn where nothing is known."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING

from charye.assessment.grades import BELOW, TOP, Grade
from charye.assessment.render.markup import Markup, join, tag
from charye.assessment.render.pictures.drawing import WIDTH, Picture, Table, label, rule

if TYPE_CHECKING:
    from charye.assessment.render.texts import Words
    from charye.assessment.report import DomainGrade, Report

__all__ = ["radar"]

_X, _Y, _R = WIDTH / 2, 152, 98
_HEIGHT = 280


def radar(report: Report, words: Words) -> Picture | None:
    """The picture; None without a level."""
    if report.overall is None:
        return None
    grades = report.domains
    parts = [*_rings(len(grades)), *_fills(grades)]
    for index, grade in enumerate(grades):
        parts += _axis(index, len(grades), grade, words)
    parts += _marks(grades)
    return Picture(
        name="radar",
        title=words("radar.title"),
        text=" ".join(_sentence(grade, words) for grade in grades),
        height=_HEIGHT,
        drawing=join(parts),
        table=Table(
            (words("table.domain"), words("table.level"), words("table.confidence")),
            tuple((words.of(grade.name), grade.label, _trust(grade, words)) for grade in grades),
        ),
    )


def _at(index: int, of: int, radius: float) -> tuple[float, float]:
    angle = 2 * pi * index / of - pi / 2
    return _X + radius * cos(angle), _Y + radius * sin(angle)


def _radius(position: float) -> float:
    return _R * (position - BELOW) / (TOP - BELOW)


def _points(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _rings(of: int) -> list[Markup]:
    parts = []
    for step in range(TOP + 1):
        corners = [_at(index, of, _radius(step)) for index in range(of)]
        parts.append(tag("polygon", points=_points(corners), class_="grid hollow"))
    return parts


def _fills(grades: tuple[DomainGrade, ...]) -> list[Markup]:
    """A triangle between neighbours that both have a level: the gap at one without is seen as a gap."""
    parts = []
    for index, (one, other) in enumerate(zip(grades, (*grades[1:], grades[0]), strict=True)):
        if one.position is not None and other.position is not None:
            a = _at(index, len(grades), _radius(one.position))
            b = _at(index + 1, len(grades), _radius(other.position))
            parts.append(tag("polygon", points=_points([(_X, _Y), a, b]), class_="wash"))
            parts.append(rule(*a, *b, "stroke accent-line"))
    return parts


def _axis(index: int, of: int, grade: DomainGrade, words: Words) -> list[Markup]:
    known = grade.position is not None
    end = _at(index, of, _R)
    x, y = _at(index, of, _R + 15)
    anchor = "middle" if abs(x - _X) < 1 else "start" if x > _X else "end"
    # Below the middle the two lines hang down from their place, above it they stand on it.
    middle = y - 8 if y < _Y - _R / 2 else y + 6 if y > _Y + _R / 2 else y
    name = words(f"domain.{grade.domain}")
    return [
        rule(_X, _Y, *end, "grid" if known else "grid dashed"),
        label(name, x, middle - 7, class_="strong" if known else "soft", size=11.5, anchor=anchor),
        label(
            grade.label,
            x,
            middle + 8,
            class_="accent-text strong" if known else "soft",
            size=12,
            anchor=anchor,
        ),
    ]


def _marks(grades: tuple[DomainGrade, ...]) -> list[Markup]:
    parts = []
    for index, grade in enumerate(grades):
        if grade.position is None:
            continue
        x, y = _at(index, len(grades), _radius(grade.position))
        if grade.open_above:
            parts.append(rule(x, y, *_at(index, len(grades), _R), "stroke accent-line dashed"))
        parts.append(tag("circle", cx=x, cy=y, r=4.5, class_="point"))
    # On top of the rest, or they could not be read where a point is near.
    parts += [
        label(Grade.at(step).value, _X - 5, _Y - _radius(step), class_="soft halo", size=9, anchor="end")
        for step in range(TOP + 1)
    ]
    return parts


def _sentence(grade: DomainGrade, words: Words) -> str:
    if grade.ungraded is not None:
        return words("radar.none", domain=words.of(grade.name), why=words(f"ungraded.{grade.ungraded}"))
    return words("radar.one", domain=words.of(grade.name), level=grade.label)


def _trust(grade: DomainGrade, words: Words) -> str:
    return words(f"trust.{grade.confidence.word}") if grade.confidence else ""
