"""HTML and SVG put together so that nothing gets in unescaped: text is text, only `Markup` is markup.

    tag("p", "1 < 2", class_="note")           # <p class="note">1 &lt; 2</p>

A name with `_` in it stands for the attribute with `-`; `class_` and `for_` for `class` and `for`.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Child", "Markup", "escape", "join", "tag"]

# No HTML or XML may hold them, and a recogniser or a pasted file might.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Marks that turn the direction of what follows, so that a name could rewrite the line it stands in.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_EMPTY_SVG = frozenset({"circle", "line", "path", "polygon", "polyline", "rect", "use"})


class Markup(str):
    """Markup that is right already."""

    __slots__ = ()


Child = str | int | None
"""What can stand inside an element; `Markup` is a `str`. None is nothing."""


def escape(text: str) -> Markup:
    """Text as markup, in an element or in an attribute with quotes."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(_TURNING.sub("", _ILLEGAL.sub("�", text)), quote=True))


def join(children: Iterable[Child], between: str = "") -> Markup:
    """Children one after the other."""
    return Markup(
        escape(between).join(
            escape(str(child) if isinstance(child, int) else child) for child in children if child is not None
        )
    )


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """An element. Attributes that are None or False are left out, those that are True stand alone."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    if name in _EMPTY_SVG and not children:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def _attribute(key: str, value: str | float | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    match value:
        case None | False:
            return ""
        case True:
            return f" {name}"
        case float():
            return f' {name}="{_number(value)}"'
        case _:
            return f' {name}="{escape(str(value))}"'


def _number(value: float) -> str:
    """Two decimals are a hundredth of a pixel: more would only make files that differ between machines."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
