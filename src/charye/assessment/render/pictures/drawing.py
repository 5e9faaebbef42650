"""What the pictures share: their frame with a text alternative, texts, marks and legends.

Every picture is 360 units wide, the width of a phone, so that a unit is about a pixel there and no text is smaller than
it says. Colours come from the page's style sheet by class: a picture is right in the dark and on paper too.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from charye.assessment.render.markup import Child, Markup, join, tag

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["WIDTH", "Picture", "Table", "label", "legend", "rule", "score_mark", "svg", "width_of"]

WIDTH = 360

_GAP = 14
_LINE = 17


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a picture. The first cell of a row names it."""

    head: tuple[str, ...]
    rows: tuple[tuple[Child, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and what it says.

    Args:
        name: within the page, such as `ladder`.
        title: what it is, for those who do not see it.
        text: what it shows, in sentences.
        height: in units.
        drawing: what is inside the frame.
        table: the same in numbers.
    """

    name: str
    title: str
    text: str
    height: float
    drawing: Markup
    table: Table


def svg(picture: Picture, *, prefix: str) -> Markup:
    """The picture as an element of the page; `prefix` makes its ids the only ones."""
    title, text = f"{prefix}-{picture.name}-title", f"{prefix}-{picture.name}-text"
    return tag(
        "svg",
        tag("title", picture.title, id=title),
        tag("desc", picture.text, id=text),
        picture.drawing,
        class_="picture",
        viewBox=f"0 0 {WIDTH} {picture.height:g}",
        role="img",
        aria_labelledby=title,
        aria_describedby=text,
    )


def width_of(text: str, size: float) -> float:
    """About how wide a text is drawn, in units: a Korean syllable is as wide as high, a letter a little over half."""
    return sum(size if unicodedata.east_asian_width(char) in "WF" else 0.57 * size for char in text)


def label(
    text: str, x: float, y: float, *, class_: str = "", size: float = 11, anchor: str | None = None
) -> Markup:
    """A text; `y` is its middle."""
    return tag(
        "text",
        text,
        x=float(x),
        y=float(y + 0.36 * size),
        font_size=float(size),
        text_anchor=anchor,
        class_=class_ or None,
    )


def rule(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def score_mark(score: int | None, x: float, y: float, r: float) -> Markup:
    """How a task went: a tick in a disc, half a disc, a cross in a ring, a dot. Shapes, so that grey paper will do."""
    x, y = float(x), float(y)
    disc = {"cx": x, "cy": y, "r": float(r)}
    k = 0.45 * r
    match score:
        case 2:
            tick = f"M{x - k:.2f} {y:.2f}l{0.7 * k:.2f} {0.8 * k:.2f}L{x + k:.2f} {y - 0.8 * k:.2f}"
            return join([tag("circle", **disc, class_="good"), tag("path", d=tick, class_="tick")])
        case 1:
            half = f"M{x:.2f} {y - r:.2f}a{r:g} {r:g} 0 0 0 0 {2 * r:g}z"
            return join([tag("circle", **disc, class_="fair ring"), tag("path", d=half, class_="fair")])
        case 0:
            cross = (
                f"M{x - k:.2f} {y - k:.2f}l{2 * k:.2f} {2 * k:.2f}m0 {-2 * k:.2f}l{-2 * k:.2f} {2 * k:.2f}"
            )
            return join(
                [tag("circle", **disc, class_="poor ring"), tag("path", d=cross, class_="poor cross")]
            )
        case _:
            return tag("circle", cx=x, cy=y, r=0.5 * r, class_="aside")


def legend(items: Iterable[tuple[Markup, str]], y: float, *, left: float = 8) -> tuple[Markup, float]:
    """Marks, each drawn around 0 / 0, and what they mean, in as many lines as they need. Also gives the end, as `y`."""
    parts = []
    x = left
    for mark, text in items:
        wide = 16 + width_of(text, 10.5)
        if x > left and x + wide > WIDTH:
            x, y = left, y + _LINE
        parts.append(tag("g", mark, transform=f"translate({x + 6:.2f} {y:.2f})"))
        parts.append(label(text, x + 16, y, class_="soft", size=10.5))
        x += wide + _GAP
    return join(parts), y + _LINE
