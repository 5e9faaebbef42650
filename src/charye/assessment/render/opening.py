"""The top of the page: who and when, and the level, or why there is none and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.assessment.render.frame import bullets
from charye.assessment.render.markup import Markup, tag
from charye.assessment.sufficiency import Reason, Verdict

if TYPE_CHECKING:
    from charye.assessment.render.frame import Frame
    from charye.assessment.render.markup import Child
    from charye.assessment.render.texts import Words
    from charye.assessment.report import Overall, Report

__all__ = ["advice", "head", "level_or_reason", "range_in_words"]


def head(frame: Frame) -> Markup:
    """Title, name and date."""
    report, words = frame.report, frame.words
    facts: list[Child] = [
        tag("time", words.date(report.made_at), datetime=report.made_at.isoformat(timespec="seconds"))
    ]
    if report.interview is None:
        facts.append(tag("span", words("page.from_transcript")))
    elif report.interview.duration_s is not None:
        facts.append(tag("span", words("page.took", span=words.span(report.interview.duration_s))))
    return tag(
        "header",
        tag("p", "charye ", tag("span", "차례", lang="ko"), class_="brand"),
        tag("h1", words("page.title")),
        tag("p", report.learner.name, class_="learner") if report.learner.name else None,
        tag("p", *facts, class_="facts"),
    )


def level_or_reason(frame: Frame) -> Markup:
    """The first section."""
    overall = frame.report.overall
    return _no_level(frame) if overall is None else _level(frame, overall)


def range_in_words(overall: Overall, words: Words) -> str:
    """Such as `A2 to B1`, or `B2 or above`."""
    if overall.open_above:
        return words("level.range_open", low=overall.low)
    if overall.low == overall.high:
        return words("level.range_single", level=overall.level)
    return words("level.range_from", low=overall.low, high=overall.high)


def _level(frame: Frame, overall: Overall) -> Markup:
    words = frame.words
    confidence = overall.confidence
    shown = words(
        "level.confidence_is",
        word=words(f"trust.{confidence.word}"),
        share=words.number(confidence.value, "share", 0),
    )
    remarks = [
        *([words("level.plus")] if overall.plus else []),
        *([words("level.open_above")] if overall.open_above else []),
        *([words.of(overall.held_back)] if overall.held_back else []),
        *([words("level.provisional")] if frame.report.sufficiency.verdict is Verdict.PROVISIONAL else []),
        *(words.of(why) for why in frame.report.sufficiency.why),
    ]
    return tag(
        "section",
        tag("h2", words("level.heading"), id=f"{frame.prefix}-level"),
        tag(
            "div",
            tag("p", overall.label, class_="badge wide" if len(overall.label) > 3 else "badge"),
            tag(
                "div",
                frame.say(overall.meaning, class_="meaning"),
                tag(
                    "dl",
                    _fact(words("level.range"), range_in_words(overall, words)),
                    _fact(words("level.confidence"), shown, _meter(confidence.value)),
                    _fact(words("level.equivalent"), words.of(overall.equivalent)),
                    class_="facts-list",
                ),
            ),
            class_="verdict",
        ),
        bullets(remarks, "remarks"),
        _review(frame, overall),
        _flags(frame),
        class_="hero",
        aria_labelledby=f"{frame.prefix}-level",
    )


def _fact(name: str, *values: Child) -> Markup:
    return tag("div", tag("dt", name), tag("dd", *values))


def _meter(value: float) -> Markup:
    """A bar; the number stands beside it."""
    return tag(
        "svg",
        tag("rect", x=0, y=0, width=100, height=6, rx=3, class_="track"),
        tag("rect", x=0, y=0, width=max(100 * value, 4.0), height=6, rx=3, class_="accent"),
        viewBox="0 0 100 6",
        class_="meter",
        aria_hidden="true",
    )


def _review(frame: Frame, overall: Overall) -> Markup | None:
    if not overall.review:
        return None
    agreement = frame.report.agreement
    return tag(
        "div",
        tag("p", tag("strong", frame.words("level.review"))),
        frame.say(agreement.text) if agreement else None,
        class_="notice",
    )


def _flags(frame: Frame) -> Markup | None:
    """Conditions to read the report under."""
    if not frame.report.flags:
        return None
    return tag(
        "div",
        tag("h3", frame.words("level.flags")),
        bullets(frame.words.of(flag.text) for flag in frame.report.flags),
        class_="notice",
    )


# --- too little speech -----------------------------------------------------------------------------------------------


def _no_level(frame: Frame) -> Markup:
    words, found = frame.words, frame.report.sufficiency
    key = "unread" if found.unread else "lead"
    return tag(
        "section",
        tag(
            "h2",
            words("none.unread_heading" if found.unread else "none.heading"),
            id=f"{frame.prefix}-level",
        ),
        tag("p", words(f"none.{key}"), class_="meaning"),
        tag("h3", words("none.why")) if found.why else None,
        bullets(words.of(why) for why in found.why),
        # Nobody has counted, so there is nothing to advise either.
        *(() if found.unread else _heard_and_advice(frame)),
        _flags(frame),
        class_="hero kind",
        aria_labelledby=f"{frame.prefix}-level",
    )


def _heard_and_advice(frame: Frame) -> tuple[Child, ...]:
    words, found = frame.words, frame.report.sufficiency
    return (
        tag("h3", words("none.heard")),
        tag(
            "dl",
            _counted(words("none.words"), found.eojeols, found.needed_eojeols, words),
            _counted(words("none.answers"), found.turns, found.needed_turns, words),
            class_="facts-list",
        ),
        tag("h3", words("none.do")),
        bullets(advice(frame.report, words), "steps"),
    )


def advice(report: Report, words: Words) -> list[str]:
    """What to do about too little speech."""
    found = report.sufficiency
    doubtful = Reason.TRANSCRIPT_IN_DOUBT in found.reasons or bool(found.doubtful)
    keys = ["longer", "mistakes", "ask", *(["microphone"] if doubtful else []), "again"]
    return [words(f"none.do_{key}") for key in keys]


def _counted(name: str, n: int, needed: int, words: Words) -> Markup:
    return _fact(name, words("none.of_needed", n=n, needed=needed), _meter(min(n / max(needed, 1), 1.0)))
