"""The turn timeline: each task at its level, and how it went. Without tasks: how much was said in each answer."""

from __future__ import annotations

from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING

from charye.assessment.grades import TOP, Grade
from charye.assessment.render.markup import Markup, join, tag
from charye.assessment.render.pictures.drawing import (
    WIDTH,
    Picture,
    Table,
    label,
    legend,
    rule,
    score_mark,
    width_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from charye.assessment.render.texts import Words
    from charye.assessment.report import Report, TimelineEntry

__all__ = ["timeline"]

_LEFT, _RIGHT = 42, WIDTH - 6
_TOP, _ROW = 10, 25
_PHASES = ("warm_up", "level_check", "probe", "wind_down")
_BARS = 120
_MOST_NUMBERS = 15


def timeline(report: Report, words: Words) -> Picture | None:
    """The picture; None if nothing was answered. Without a level in the report it shows only how much was said."""
    entries = report.timeline
    if not entries:
        return None
    leveled = report.overall is not None and any(entry.level for entry in entries)
    drawing, height = _tasks(entries, words) if leveled else _answers(entries, words)
    return Picture(
        name="timeline",
        title=words("timeline.title" if leveled else "timeline.answers_title"),
        text=_text(entries, words, leveled=leveled),
        height=height,
        drawing=drawing,
        table=_table(entries, words, leveled=leveled),
    )


# --- an interview ----------------------------------------------------------------------------------------------------


def _tasks(entries: tuple[TimelineEntry, ...], words: Words) -> tuple[Markup, float]:
    wide = (_RIGHT - _LEFT) / max(len(entries), 6)
    xs = [_LEFT + wide * (index + 0.5) for index in range(len(entries))]
    parts = []
    for step in range(TOP + 1):
        parts.append(rule(_LEFT - 8, _y(step), _RIGHT, _y(step), "grid"))
        parts.append(label(Grade.at(step).value, 4, _y(step), class_="soft strong"))
    known = [(x, _y(entry.level.step)) for x, entry in zip(xs, entries, strict=True) if entry.level]
    way = " ".join(f"{x:.2f},{y:.2f}" for x, y in known)
    parts.append(tag("polyline", points=way, class_="stroke way hollow"))
    parts += [
        score_mark(entry.score, x, _y(entry.level.step), min(8.5, 0.42 * wide))
        for x, entry in zip(xs, entries, strict=True)
        if entry.level
    ]
    y = _y(0) + 22
    parts += _numbers(entries, xs, y)
    marks: list[tuple[Markup, str]] = [
        (score_mark(score, 0, 0, 6), words(f"score.{'none' if score is None else score}"))
        for score in (2, 1, 0, None)
        if any(entry.score == score for entry in entries)
    ]
    if any(entry.phase in _PHASES for entry in entries):
        y += 13
        ribbons, unnamed = _phases(entries, wide, y, words)
        parts += ribbons
        marks += unnamed
        y += 14
    drawn, y = legend(marks, y + 18)
    return join([*parts, drawn]), y - 4


def _y(step: int) -> float:
    return _TOP + (TOP - step) * _ROW + _ROW / 2


def _numbers(entries: tuple[TimelineEntry, ...], xs: list[float], y: float) -> list[Markup]:
    every = ceil(len(entries) / _MOST_NUMBERS)
    return [
        label(str(entry.number), x, y, class_="soft", size=10, anchor="middle")
        for index, (x, entry) in enumerate(zip(xs, entries, strict=True))
        if index % every == 0
    ]


def _phases(
    entries: tuple[TimelineEntry, ...], wide: float, y: float, words: Words
) -> tuple[list[Markup], list[tuple[Markup, str]]]:
    """Ribbons below the numbers, and what the legend must explain: phases whose name fits into none of theirs."""
    parts = []
    named: dict[str, bool] = {}
    start = 0
    for phase, group in groupby(entries, key=lambda entry: entry.phase):
        count = len(list(group))
        x, length = _LEFT + wide * start + 1, wide * count - 2
        start += count
        if phase not in _PHASES:
            continue
        parts.append(_ribbon(phase, x, y - 2, length, 16))
        name = words(f"phase.{phase}")
        fits = width_of(name, 9.5) < length - 2
        named[phase] = named.get(phase, False) or fits
        if fits:
            parts.append(label(name, x + length / 2, y + 6, size=9.5, anchor="middle"))
    return parts, [
        (_ribbon(phase, -6, -5.5, 12, 11), words(f"phase.{phase}"))
        for phase, seen in named.items()
        if not seen
    ]


def _ribbon(phase: str, x: float, y: float, wide: float, tall: float) -> Markup:
    class_ = f"phase-{phase.replace('_', '-')}"
    return tag("rect", x=float(x), y=float(y), width=float(wide), height=float(tall), rx=4, class_=class_)


# --- a transcript from elsewhere -------------------------------------------------------------------------------------


def _answers(entries: tuple[TimelineEntry, ...], words: Words) -> tuple[Markup, float]:
    """Bars. Beyond what can be told apart, neighbours share one."""
    each = ceil(len(entries) / _BARS)
    counts = [sum(entry.words for entry in entries[at : at + each]) for at in range(0, len(entries), each)]
    numbers = [entries[at].number for at in range(0, len(entries), each)]
    most = _round_up(max(counts))
    base, high = 142.0, 122.0
    parts = []
    for share in (0, 0.5, 1):
        y = base - high * share
        parts.append(rule(_LEFT - 8, y, _RIGHT, y, "grid"))
        parts.append(label(f"{most * share:g}", 28, y, class_="soft", size=10, anchor="end"))
    wide = (_RIGHT - _LEFT) / max(len(counts), 6)
    every = ceil(len(counts) / _MOST_NUMBERS)
    for index, (count, number) in enumerate(zip(counts, numbers, strict=True)):
        x, tall = _LEFT + wide * (index + 0.5), high * count / most
        bar = min(0.7 * wide, 26.0)
        parts.append(
            tag("rect", x=x - bar / 2, y=base - tall, width=bar, height=tall, rx=1.5, class_="accent")
        )
        if index % every == 0:
            parts.append(label(str(number), x, base + 12, class_="soft", size=10, anchor="middle"))
    parts.append(label(words("timeline.words_axis"), _LEFT - 8, 8, class_="soft", size=10))
    return join(parts), base + 24


def _round_up(most: int) -> int:
    """An even number to end the axis with."""
    unit = 10 if most > 20 else 2
    return max(ceil(most / unit) * unit, 2)


# --- the same in words -----------------------------------------------------------------------------------------------


def _text(entries: tuple[TimelineEntry, ...], words: Words, *, leveled: bool) -> str:
    if not leveled:
        return words("timeline.answers_text", n=len(entries), words=sum(entry.words for entry in entries))
    said = [
        words(
            "timeline.one",
            n=entry.number,
            level=entry.level or "–",
            score=words(f"score.{'none' if entry.score is None else entry.score}"),
        )
        for entry in entries
    ]
    return " ".join([words("timeline.text", n=len(entries)), *said])


def _table(entries: tuple[TimelineEntry, ...], words: Words, *, leveled: bool) -> Table:
    head = ["table.number", "table.words", "table.latency"]
    if leveled:
        head[1:1] = ["table.phase", "table.task", "table.level", "table.outcome"]
        if any(entry.judged is not None for entry in entries):
            head.insert(5, "table.judged")
        head.append("table.noticed")
    cells = {key: [_CELLS[key](entry, words) for entry in entries] for key in head}
    rows = tuple(tuple(cells[key][index] for key in head) for index in range(len(entries)))
    return Table(tuple(words(key) for key in head), rows)


def _score(score: int | None, words: Words) -> str:
    return "" if score is None else words(f"score.{score}")


def _phase(entry: TimelineEntry, words: Words) -> str:
    return words(f"phase.{entry.phase}") if entry.phase in _PHASES else entry.phase or ""


_CELLS: dict[str, Callable[[TimelineEntry, Words], str]] = {
    "table.number": lambda entry, _: str(entry.number),
    "table.phase": _phase,
    "table.task": lambda entry, words: words.of(entry.function.text) if entry.function else "",
    "table.level": lambda entry, _: entry.level.value if entry.level else "–",
    "table.outcome": lambda entry, words: _score(entry.score, words),
    "table.judged": lambda entry, words: _score(entry.judged, words),
    "table.words": lambda entry, _: str(entry.words),
    "table.latency": lambda entry, words: (
        "" if entry.latency_ms is None else words("unit.s", n=f"{entry.latency_ms / 1000:.1f}")
    ),
    "table.noticed": lambda entry, words: " · ".join(words.of(note.text) for note in entry.signals),
}
