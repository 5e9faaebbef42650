"""The sections below the level, in the order of the page: first what helps the learner, then what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charye.assessment.render.evidence import (
    course,
    grammar,
    numbers,
    opinions,
    standing,
)
from charye.assessment.render.feedback import corrections, domains, next_things, strengths
from charye.assessment.render.method import method, transcript

if TYPE_CHECKING:
    from collections.abc import Callable

    from charye.assessment.render.frame import Frame
    from charye.assessment.render.markup import Markup

__all__ = ["SECTIONS"]

SECTIONS: tuple[Callable[[Frame], Markup | None], ...] = (
    standing,
    strengths,
    corrections,
    next_things,
    domains,
    course,
    grammar,
    opinions,
    numbers,
    method,
    transcript,
)
"""Each gives its part of the page, or None where there is nothing to show."""
