"""The whole file: one HTML page in both languages that asks nobody for anything.

It carries its own Content-Security-Policy: nothing is loaded and no script runs, even if something got past the
escaping. The languages are switched by two radio buttons and the style sheet; the page opens in the learner's.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING

from charye.assessment.render.frame import Frame
from charye.assessment.render.markup import Markup, tag
from charye.assessment.render.opening import head, level_or_reason
from charye.assessment.render.sections import SECTIONS
from charye.assessment.render.texts import LANGUAGES, Language, language_for, words_of

if TYPE_CHECKING:
    from charye.assessment.report import Report

__all__ = ["content_security_policy", "html"]


def html(report: Report, *, language: Language | None = None) -> str:
    """The report as an HTML file. The same report gives the same text.

    Args:
        report: to draw.
        language: that the page opens in; None: the learner's, see `texts.language_for`. The other one is there too.
    """
    first = language or language_for(report)
    words = words_of(first)
    title = words("page.title")
    if report.learner.name:
        title = words("page.title_of", title=title, name=report.learner.name)
    order = (first, *(other for other in LANGUAGES if other != first))
    page = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=content_security_policy()),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("meta", name="robots", content="noindex"),
            tag("title", title),
            tag("style", Markup(_style())),
        ),
        tag(
            "body",
            *(_switch(one, checked=one == first) for one in order),
            *(_main(Frame(report, words_of(one))) for one in order),
        ),
        lang=first,
    )
    return f"<!DOCTYPE html>\n{page}\n"


@cache
def content_security_policy() -> str:
    """What the page allows itself: its own style sheet, by its hash, and nothing else. Also right as an HTTP header."""
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    return resources.files("charye.assessment.render").joinpath("page.css").read_text(encoding="utf-8")


def _switch(language: Language, *, checked: bool) -> Markup:
    """A button of the switch: in front of the pages, because a style sheet looks ahead only."""
    name = f"show-{language}"
    button = tag("input", type="radio", name="language", id=name, class_="switch", checked=checked)
    return Markup(button + tag("label", words_of(language)("page.switch"), for_=name, lang=language))


def _main(frame: Frame) -> Markup:
    return tag(
        "main",
        head(frame),
        level_or_reason(frame),
        *(section(frame) for section in SECTIONS),
        lang=frame.words.language,
    )
