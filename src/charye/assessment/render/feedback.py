"""What the learner can do something with: strengths, corrections, what to learn next, the five domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.assessment.render.frame import korean
from charye.assessment.render.markup import Markup, tag
from charye.assessment.report import Assessor

if TYPE_CHECKING:
    from charye.assessment.render.frame import Frame
    from charye.assessment.report import Correction, DomainGrade, Practice, Strength

__all__ = ["corrections", "domains", "next_things", "strengths"]


def strengths(frame: Frame) -> Markup | None:
    """What was done well."""
    if not frame.report.strengths:
        return None
    return frame.section(
        "strengths", tag("div", *(_strength(frame, one) for one in frame.report.strengths), class_="cards")
    )


def _strength(frame: Frame, one: Strength) -> Markup:
    return tag(
        "article",
        frame.say(one.title, "h3"),
        frame.say(one.text),
        frame.quotes(one.quotes),
        class_="card good-card",
    )


def corrections(frame: Frame) -> Markup | None:
    """Said, better, why."""
    if not frame.report.corrections:
        return None
    return frame.section(
        "corrections",
        tag("ol", *(_correction(frame, one) for one in frame.report.corrections), class_="mended"),
    )


def _correction(frame: Frame, one: Correction) -> Markup:
    words = frame.words
    found_by = words("corrections.by_judge") if one.source is Assessor.JUDGE else None
    return tag(
        "li",
        tag(
            "dl",
            tag(
                "div",
                tag("dt", words("corrections.said")),
                tag("dd", korean(one.quote.text, "q")),
                class_="said",
            ),
            tag(
                "div", tag("dt", words("corrections.better")), tag("dd", korean(one.better)), class_="better"
            ),
        ),
        frame.say(one.why),
        tag(
            "p",
            tag(
                "span",
                words(f"corrections.{one.severity}"),
                class_=f"chip {one.severity.value.replace('_', '-')}",
            ),
            Markup(" "),
            frame.where(one.quote),
            f" · {found_by}" if found_by else None,
            class_="soft-text",
        ),
        class_="card",
    )


def next_things(frame: Frame) -> Markup | None:
    """Patterns to learn, and what to practise."""
    report, words = frame.report, frame.words
    if not report.next_steps and not report.practice:
        return None
    patterns = [
        tag(
            "li",
            tag("p", korean(step.name, "strong"), Markup(" "), tag("span", step.level, class_="chip")),
            korean(step.example, "p", "example"),
        )
        for step in report.next_steps
    ]
    practice = [_practice(frame, one) for one in report.practice]
    return frame.section(
        "next",
        tag(
            "div",
            tag("div", tag("h3", words("next.patterns")), tag("ul", *patterns, class_="plain"))
            if patterns
            else None,
            tag("div", tag("h3", words("next.practice")), tag("ol", *practice, class_="plain"))
            if practice
            else None,
            class_="pair",
        ),
    )


def _practice(frame: Frame, one: Practice) -> Markup:
    words = frame.words
    return tag(
        "li",
        tag(
            "p",
            tag("strong", words.of(one.goal)),
            Markup(" "),
            tag("span", words("next.minutes", n=one.minutes), class_="chip"),
        ),
        frame.say(one.activity),
        tag("p", words("next.talk_about"), ": ", korean(one.prompt), class_="example"),
    )


def domains(frame: Frame) -> Markup | None:
    """A card for each of the five."""
    # Without any level, the comments would say five times that there was too little speech.
    if frame.report.overall is None:
        return None
    return frame.section(
        "domains", tag("div", *(_domain(frame, one) for one in frame.report.domains), class_="cards")
    )


def _domain(frame: Frame, grade: DomainGrade) -> Markup:
    words = frame.words
    if grade.ungraded is None:
        chip = tag("span", grade.label, class_="chip level")
    else:
        chip = tag("span", words("domain.no_level"), class_="chip")
    voices = [
        *([words("domain.by_text", level=grade.linguistic)] if grade.linguistic else []),
        *([words("domain.by_judge", level=grade.judge)] if grade.judge else []),
        *(
            [f"{words('level.confidence')}: {words(f'trust.{grade.confidence.word}')}"]
            if grade.confidence
            else []
        ),
    ]
    best, counter = frame.quotes(grade.quotes), frame.quotes(grade.counter)
    return tag(
        "article",
        tag("h3", frame.words.of(grade.name), Markup(" "), chip),
        tag("p", " · ".join(voices), class_="soft-text") if voices else None,
        frame.say(grade.comment),
        tag("h4", words("domain.at_best")) if best else None,
        best,
        tag("h4", words("domain.counter")) if counter else None,
        counter,
        tag("h4", words("domain.next")) if grade.next_step else None,
        frame.say(grade.next_step) if grade.next_step else None,
        class_="card",
    )
