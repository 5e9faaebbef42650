"""What the level rests on: the pictures, the grammar, the numbers, and who says what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.assessment.render.frame import korean
from charye.assessment.render.markup import Markup, tag
from charye.assessment.render.pictures.ladder import ladder
from charye.assessment.render.pictures.progress import progress
from charye.assessment.render.pictures.radar import radar
from charye.assessment.render.pictures.strip import strip
from charye.assessment.render.pictures.timeline import timeline

if TYPE_CHECKING:
    from charye.assessment.render.frame import Frame
    from charye.assessment.report import Opinion, PatternMark, PatternRow

__all__ = ["course", "grammar", "numbers", "opinions", "standing"]

_TOLD, _SHOWN = 2, 6


def standing(frame: Frame) -> Markup | None:
    """Ladder and radar."""
    report, words = frame.report, frame.words
    drawn = ladder(report, words)
    if drawn is None:
        return None
    notes = [words("ladder.note")] if report.bracket else []
    return frame.section(
        "ladder",
        tag(
            "div",
            frame.figure(
                drawn,
                *([words.of(report.bracket.text)] if report.bracket else []),
                *notes,
                " ".join(words(f"ladder.mark_{one.assessor}") for one in report.opinions),
            ),
            frame.figure(
                radar(report, words),
                *([words("radar.note")] if any(one.level is None for one in report.domains) else []),
            ),
            class_="pair",
        ),
    )


def course(frame: Frame) -> Markup | None:
    """The tasks of this interview, and beside them the reports before it."""
    parts = [part for part in (_timeline(frame), _progress(frame)) if part is not None]
    return tag("div", *parts, class_="course" if len(parts) > 1 else None) if parts else None


def _timeline(frame: Frame) -> Markup | None:
    picture = timeline(frame.report, frame.words)
    if picture is None:
        return None
    title = frame.words("section.timeline" if frame.report.interview else "section.answers")
    interview = frame.report.interview
    return frame.section(
        "timeline",
        frame.say(interview.ending_text) if interview else None,
        frame.figure(picture),
        title=title,
        class_="half whole",
    )


def _progress(frame: Frame) -> Markup | None:
    picture = progress(frame.report, frame.words)
    if picture is None:
        return None
    words, earlier = frame.words, frame.report.earlier
    notes = [
        words("progress.note"),
        *([words("progress.dash")] if any(one.level is None for one in earlier) else []),
    ]
    return frame.section("progress", frame.figure(picture, *notes), class_="half whole")


def grammar(frame: Frame) -> Markup | None:
    """The patterns that were used, with a quote each."""
    report, words = frame.report, frame.words
    picture = strip(report, words)
    if picture is None:
        return None
    used = [row for row in reversed(report.patterns) if row.used]
    # What is new to the learner stands open; what everybody at this level uses can be unfolded.
    told = (
        [row for row in used if row.level.step >= report.overall.level.step - 1][:_TOLD]
        if report.overall
        else []
    )
    return frame.section(
        "patterns",
        frame.figure(picture, words("strip.note")),
        tag("div", *(_row(frame, row) for row in told), class_="columns") if told else None,
        *(_folded(frame, row) for row in used if row not in told),
        class_="half",
    )


def _row(frame: Frame, row: PatternRow) -> Markup:
    marks = [_pattern(frame, mark) for mark in row.used]
    head = tag("h3", row.level.value)
    rest = None
    if len(marks) > _SHOWN + 1:
        rest = tag(
            "details",
            tag("summary", frame.words("patterns.more", level=row.level, n=len(marks) - _SHOWN)),
            tag("ul", *marks[_SHOWN:], class_="plain patterns"),
            class_="more",
        )
        marks = marks[:_SHOWN]
    return tag("div", head, tag("ul", *marks, class_="plain patterns"), rest)


def _folded(frame: Frame, row: PatternRow) -> Markup:
    marks = tag("ul", *(_pattern(frame, mark) for mark in row.used), class_="plain patterns columns")
    summary = f"{row.level} · {frame.words('strip.used', n=len(row.used))}"
    return tag("details", tag("summary", summary), marks, class_="more")


def _pattern(frame: Frame, mark: PatternMark) -> Markup:
    quote = mark.quotes[0] if mark.quotes else None
    return tag(
        "li",
        korean(mark.name, "strong"),
        tag("span", f" {frame.words('strip.times', n=mark.count)}", class_="soft-text"),
        tag("p", tag("q", quote.text, lang="ko"), Markup(" "), frame.where(quote)) if quote else None,
    )


def opinions(frame: Frame) -> Markup | None:
    """What each assessor says, and how far they are apart."""
    report = frame.report
    if report.overall is None or not report.opinions:
        return None
    return frame.section(
        "opinions",
        frame.say(report.agreement.text) if report.agreement else None,
        tag("div", *(_opinion(frame, one) for one in report.opinions), class_="cards"),
    )


def _opinion(frame: Frame, one: Opinion) -> Markup:
    words = frame.words
    ranged = one.low is not None and one.high is not None and one.low != one.high
    votes = words("opinions.votes", votes=", ".join(one.votes)) if one.votes else None
    return tag(
        "article",
        tag(
            "h3",
            words.of(one.name),
            Markup(" "),
            tag("span", one.label, class_="chip level" if one.level else "chip"),
        ),
        tag("p", f"{words('level.range')}: {one.low}–{one.high}", class_="soft-text") if ranged else None,
        frame.say(one.text),
        tag("p", votes, class_="soft-text") if votes else None,
        class_="card",
    )


def numbers(frame: Frame) -> Markup | None:
    """What was measured."""
    words = frame.words
    tiles = [
        tag(
            "div",
            tag("dt", words.of(number.name)),
            tag("dd", words.number(number.value, number.unit, number.digits), class_="figure"),
            tag("dd", words("numbers.typical", level=number.typical_of), class_="soft-text")
            if number.typical_of
            else None,
        )
        for number in frame.report.numbers
    ]
    return frame.section("numbers", tag("dl", *tiles, class_="tiles")) if tiles else None
