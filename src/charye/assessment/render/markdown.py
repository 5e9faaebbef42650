"""The report as Markdown: for a note, a chat or a learning diary. One language, no pictures, quotes verbatim."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from charye.assessment.render.opening import advice, range_in_words
from charye.assessment.render.pictures.ladder import ladder
from charye.assessment.render.pictures.progress import progress
from charye.assessment.render.pictures.timeline import timeline
from charye.assessment.render.texts import Language, Words, clock, language_for, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from charye.assessment.render.pictures.drawing import Picture
    from charye.assessment.report import Report
    from charye.assessment.speech import Quote

__all__ = ["markdown"]

# What Markdown, and the HTML inside it, would read as more than text: anywhere, and where a line begins.
_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~$]|^[#+=-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
_SPACE = re.compile(r"\s+")


def markdown(report: Report, *, language: Language | None = None) -> str:
    """The report as Markdown.

    Args:
        report: to write.
        language: of the text; None: the learner's.
    """
    words = words_of(language or language_for(report))
    blocks = [block for part in _PARTS for block in part(report, words) if block]
    return "\n\n".join(blocks) + "\n"


def plain(text: str) -> str:
    """A text that stays a text, on one line."""
    return _SPECIAL.sub(r"\\\g<0>", _SPACE.sub(" ", text).strip())


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _quote(quote: Quote, report: Report, words: Words) -> str:
    number = next((entry.number for entry in report.timeline if quote.turn in entry.turns), None)
    where = words("quote.turn", n=quote.turn + 1) if number is None else words("quote.answer", n=number)
    return f"“{plain(quote.text)}” ({where})"


def _table(picture: Picture | None) -> str:
    if picture is None:
        return ""
    lines = [picture.table.head, ("---",) * len(picture.table.head)]
    lines += [
        tuple(plain(str(cell if cell is not None else "")) for cell in row) for row in picture.table.rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _opening(report: Report, words: Words) -> list[str]:
    title = words("page.title")
    name = f": {plain(report.learner.name)}" if report.learner.name else ""
    blocks = [f"# {title}{name}", words.date(report.made_at)]
    overall, found = report.overall, report.sufficiency
    if overall is None:
        blocks += _without_level(report, words)
    else:
        confidence = words(
            "level.confidence_is",
            word=words(f"trust.{overall.confidence.word}"),
            share=words.number(overall.confidence.value, "share", 0),
        )
        blocks += [
            f"## {words('level.heading')}: {plain(overall.label)}",
            plain(words.of(overall.meaning)),
            _bullets(
                [
                    f"{words('level.range')}: {range_in_words(overall, words)}",
                    f"{words('level.confidence')}: {confidence}",
                    f"{words('level.equivalent')}: {plain(words.of(overall.equivalent))}",
                    *([words("level.plus")] if overall.plus else []),
                    *([words("level.open_above")] if overall.open_above else []),
                    *([plain(words.of(overall.held_back))] if overall.held_back else []),
                    *(plain(words.of(why)) for why in found.why),
                    *([f"**{words('level.review')}**"] if overall.review else []),
                ]
            ),
        ]
    return [*blocks, _bullets(plain(words.of(flag.text)) for flag in report.flags)]


def _without_level(report: Report, words: Words) -> list[str]:
    found = report.sufficiency
    why = _bullets(plain(words.of(why)) for why in found.why)
    if found.unread:
        return [f"## {words('none.unread_heading')}", words("none.unread"), why]
    counted = (
        f"{words('none.words')}: {words('none.of_needed', n=found.eojeols, needed=found.needed_eojeols)}",
        f"{words('none.answers')}: {words('none.of_needed', n=found.turns, needed=found.needed_turns)}",
    )
    return [
        f"## {words('none.heading')}",
        words("none.lead"),
        why,
        _bullets(counted),
        f"### {words('none.do')}",
        _bullets(advice(report, words)),
    ]


def _standing(report: Report, words: Words) -> list[str]:
    picture = ladder(report, words)
    if picture is None:
        return []
    agreement = plain(words.of(report.agreement.text)) if report.agreement else ""
    return [f"## {words('section.ladder')}", _table(picture), agreement]


def _strengths(report: Report, words: Words) -> list[str]:
    if not report.strengths:
        return []
    items = [
        f"**{plain(words.of(one.title))}** {plain(words.of(one.text))} "
        + ", ".join(_quote(quote, report, words) for quote in one.quotes)
        for one in report.strengths
    ]
    return [f"## {words('section.strengths')}", _bullets(items)]


def _corrections(report: Report, words: Words) -> list[str]:
    if not report.corrections:
        return []
    items = [
        f"{_quote(one.quote, report, words)} → **{plain(one.better)}** {plain(words.of(one.why))}"
        for one in report.corrections
    ]
    return [f"## {words('section.corrections')}", _bullets(items)]


def _next(report: Report, words: Words) -> list[str]:
    if not report.next_steps and not report.practice:
        return []
    steps = [f"**{plain(one.name)}** {one.level}: {plain(one.example)}" for one in report.next_steps]
    practice = [
        f"**{plain(words.of(one.goal))}** ({words('next.minutes', n=one.minutes)}) {plain(words.of(one.activity))} "
        f"{words('next.talk_about')}: {plain(one.prompt)}"
        for one in report.practice
    ]
    return [f"## {words('section.next')}", _bullets(steps), _bullets(practice)]


def _domains(report: Report, words: Words) -> list[str]:
    if report.overall is None:
        return []
    blocks = [f"## {words('section.domains')}"]
    for one in report.domains:
        shown = plain(one.label) if one.level else words("domain.no_level")
        blocks += [
            f"### {plain(words.of(one.name))}: {shown}",
            plain(words.of(one.comment)),
            _bullets(_quote(quote, report, words) for quote in one.quotes),
            _bullets(f"{words('domain.counter')}: {_quote(quote, report, words)}" for quote in one.counter),
            f"{words('domain.next')}: {plain(words.of(one.next_step))}" if one.next_step else "",
        ]
    return blocks


def _course(report: Report, words: Words) -> list[str]:
    blocks = []
    if picture := timeline(report, words):
        key = "section.timeline" if report.interview else "section.answers"
        blocks += [f"## {words(key)}", _table(picture)]
    if picture := progress(report, words):
        blocks += [f"## {words('section.progress')}", _table(picture)]
    return blocks


def _patterns(report: Report, words: Words) -> list[str]:
    if report.overall is None:
        return []
    items = [
        f"{row.level}: "
        + ", ".join(f"{plain(mark.name)} {words('strip.times', n=mark.count)}" for mark in row.used)
        for row in reversed(report.patterns)
        if row.used
    ]
    return [f"## {words('section.patterns')}", _bullets(items)] if items else []


def _numbers(report: Report, words: Words) -> list[str]:
    items = [
        f"{plain(words.of(one.name))}: {words.number(one.value, one.unit, one.digits)}"
        for one in report.numbers
    ]
    return [f"## {words('section.numbers')}", _bullets(items)] if items else []


def _ending(report: Report, words: Words) -> list[str]:
    limits = _bullets(plain(words.of(limit)) for limit in report.limits)
    made = f"charye {plain(report.versions.charye)}, {words('method.report_id')} {plain(report.id)}"
    said = []
    for number, turn in enumerate(report.transcript, start=1):
        time = f" ({clock(turn.start_ms)})" if turn.start_ms is not None else ""
        said.append(f"{number}. **{words(f'transcript.{turn.speaker}')}**{time}: {plain(turn.text)}")
    transcript = [f"## {words('section.transcript')}", "\n".join(said)] if said else []
    return [f"## {words('method.limits')}", limits, made, *transcript]


_PARTS: tuple[Callable[[Report, Words], list[str]], ...] = (
    _opening,
    _standing,
    _strengths,
    _corrections,
    _next,
    _domains,
    _course,
    _patterns,
    _numbers,
    _ending,
)
