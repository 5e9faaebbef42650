"""How the report was made, and the transcript that it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.assessment.render.frame import bullets, korean
from charye.assessment.render.markup import Markup, tag
from charye.assessment.render.pictures.drawing import Table
from charye.assessment.render.texts import clock
from charye.assessment.speech import Speaker

if TYPE_CHECKING:
    from charye.assessment.render.frame import Frame
    from charye.assessment.speech import Turn

__all__ = ["method", "transcript"]


def method(frame: Frame) -> Markup:
    """What the report cannot say, how sure it is, and what it was made with."""
    report, words = frame.report, frame.words
    return frame.section(
        "method",
        tag("h3", words("method.limits")),
        bullets(words.of(limit) for limit in report.limits),
        _confidence(frame),
        tag("h3", words("method.versions")),
        tag(
            "dl",
            *(tag("div", tag("dt", name), tag("dd", value)) for name, value in _versions(frame)),
            class_="versions",
        ),
        class_="method",
    )


def _confidence(frame: Frame) -> Markup | None:
    words, overall = frame.words, frame.report.overall
    if overall is None or not overall.confidence.parts:
        return None
    table = Table(
        (words("table.part"), words("table.value"), words("table.weight")),
        tuple(
            (words.of(part.text), words.number(part.value, "share", 0), words.number(part.weight, "share", 0))
            for part in overall.confidence.parts
        ),
    )
    cap = overall.confidence.cap
    title = words("method.confidence")
    return tag(
        "div",
        tag("h3", title),
        frame.table(table, caption=title),
        tag("p", words("method.cap", share=words.number(cap, "share", 0))) if cap is not None else None,
    )


def _versions(frame: Frame) -> list[tuple[str, str]]:
    versions, words = frame.report.versions, frame.words
    named = ("charye", "scoring", "texts", "linguistic", "anchors", "patterns", "core_words", "kiwi", "bank")
    found = [(words("method.report_id"), frame.report.id)]
    found += [(words(f"method.{name}"), value) for name in named if (value := getattr(versions, name))]
    if versions.judge is not None:
        judge = versions.judge
        found.append(
            (
                words("method.judge"),
                words("method.judge_is", model=judge.model, prompt=judge.prompt, runs=judge.runs),
            )
        )
    return found


def transcript(frame: Frame) -> Markup | None:
    """Every turn; the quotes point here."""
    if not frame.report.transcript:
        return None
    left_out = {index for index, _ in frame.report.sufficiency.doubtful}
    turns = [
        _turn(frame, index, turn, left_out=index in left_out)
        for index, turn in enumerate(frame.report.transcript)
    ]
    return frame.section("transcript", tag("ol", *turns, class_="talk"))


def _turn(frame: Frame, index: int, turn: Turn, *, left_out: bool) -> Markup:
    words = frame.words
    notes = [
        *([clock(turn.start_ms)] if turn.start_ms is not None else []),
        *([words("transcript.cut_off")] if turn.interrupted_at_ms is not None else []),
        *([words("transcript.left_out")] if left_out else []),
    ]
    return tag(
        "li",
        tag(
            "p",
            tag("b", words(f"transcript.{turn.speaker}")),
            tag("span", f" {index + 1}" + "".join(f" · {note}" for note in notes)),
            class_="soft-text",
        ),
        korean(turn.text, "p"),
        id=f"{frame.prefix}-turn-{index + 1}",
        class_="learner-turn" if turn.speaker is Speaker.LEARNER else None,
    )
