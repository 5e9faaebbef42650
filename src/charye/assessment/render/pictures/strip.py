"""The pattern strip: for each level a row of cells, one for each pattern that is known, filled if it was used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.assessment.render.markup import Markup, join, tag
from charye.assessment.render.pictures.drawing import WIDTH, Picture, Table, label, legend

if TYPE_CHECKING:
    from charye.assessment.render.texts import Words
    from charye.assessment.report import PatternRow, Report

__all__ = ["strip"]

_LEFT, _RIGHT = 34, WIDTH - 46
_ROW = 26
_WIDEST = 12.0
_OFTEN = 4


def strip(report: Report, words: Words) -> Picture | None:
    """The picture; None where nothing was used, and in a report without a level: it would give one."""
    rows = tuple(reversed(report.patterns))
    if report.overall is None or not any(row.used for row in rows):
        return None
    wide = min((_RIGHT - _LEFT) / max(max(row.known, len(row.used)) for row in rows), _WIDEST)
    parts = []
    for index, row in enumerate(rows):
        y = 4 + _ROW * index + _ROW / 2
        parts.append(label(row.level.value, 4, y, class_="soft strong"))
        parts += _cells(row, wide, y)
        parts.append(
            label(f"{len(row.used)} / {row.known}", WIDTH - 4, y, class_="soft", size=10.5, anchor="end")
        )
    marks = [
        (_cell(-5, 0, 10, heat, tall=11), words(f"strip.heat{heat}"))
        for heat in (3, 2, 1, 0)
        if _has(rows, heat)
    ]
    drawn, height = legend(marks, 4 + _ROW * len(rows) + 12)
    return Picture(
        name="strip",
        title=words("strip.title"),
        text=" ".join(
            words("strip.one", level=row.level, n=len(row.used), of=row.known) for row in reversed(rows)
        ),
        height=height - 4,
        drawing=join([*parts, drawn]),
        table=Table(
            (words("table.level"), words("table.used"), words("table.known")),
            tuple((row.level.value, len(row.used), row.known) for row in reversed(rows)),
        ),
    )


def _heat(count: int) -> int:
    return 0 if count == 0 else 1 if count == 1 else 2 if count < _OFTEN else 3


def _has(rows: tuple[PatternRow, ...], heat: int) -> bool:
    if heat == 0:
        return any(len(row.used) < row.known for row in rows)
    return any(_heat(mark.count) == heat for row in rows for mark in row.used)


def _cells(row: PatternRow, wide: float, y: float) -> list[Markup]:
    counts = [mark.count for mark in row.used] + [0] * max(row.known - len(row.used), 0)
    return [_cell(_LEFT + wide * at, y, wide - 1.8, _heat(count)) for at, count in enumerate(counts)]


def _cell(x: float, y: float, wide: float, heat: int, tall: float = 17) -> Markup:
    return tag(
        "rect", x=float(x), y=y - tall / 2, width=float(wide), height=float(tall), rx=2, class_=f"heat{heat}"
    )
