"""The pieces that the sections of a page are built of: headings, quotes, pictures, tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from charye.assessment.render.markup import Child, Markup, tag
from charye.assessment.render.pictures.drawing import Picture, Table, svg
from charye.assessment.render.texts import clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charye.assessment.render.texts import Words
    from charye.assessment.report import Bilingual, Report
    from charye.assessment.speech import Quote

__all__ = ["Frame", "bullets", "korean", "rows"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A report in one language; `prefix` keeps the ids of the two languages in one file apart."""

    report: Report
    words: Words
    _answers: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._answers.update({turn: entry.number for entry in self.report.timeline for turn in entry.turns})

    @property
    def prefix(self) -> str:
        """In front of every id."""
        return self.words.language

    def say(self, text: Bilingual, name: str = "p", class_: str | None = None) -> Markup:
        """A text of the report as an element."""
        return tag(name, self.words.of(text), class_=class_)

    def section(
        self, name: str, *children: Child, title: str | None = None, class_: str | None = None
    ) -> Markup:
        """A section under its heading."""
        anchor = f"{self.prefix}-{name}"
        return tag(
            "section",
            tag("h2", title or self.words(f"section.{name}"), id=anchor),
            *children,
            class_=class_,
            aria_labelledby=anchor,
        )

    def figure(self, picture: Picture | None, *notes: str) -> Markup | None:
        """A picture, what its marks mean, and the same as a table."""
        if picture is None:
            return None
        return tag(
            "figure",
            svg(picture, prefix=self.prefix),
            tag("figcaption", *(tag("p", note) for note in notes)) if notes else None,
            tag(
                "details",
                tag("summary", self.words("page.as_table")),
                self.table(picture.table, caption=picture.title),
                class_="as-table",
            ),
        )

    def table(self, table: Table, *, caption: str, class_: str | None = None) -> Markup:
        """A table with a caption for those who do not see what is around it."""
        return tag(
            "div",
            tag(
                "table",
                tag("caption", caption),
                tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in table.head))),
                tag("tbody", *(rows(row) for row in table.rows)),
                class_=class_,
            ),
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label=caption,
        )

    def where(self, quote: Quote) -> Markup:
        """Where it was said, as a link into the transcript."""
        number = self._answers.get(quote.turn)
        where = (
            self.words("quote.turn", n=quote.turn + 1)
            if number is None
            else self.words("quote.answer", n=number)
        )
        begin = self.report.transcript[quote.turn].start_ms
        if begin is not None:
            where = self.words("quote.at", where=where, time=clock(begin))
        return tag("a", where, href=f"#{self.prefix}-turn-{quote.turn + 1}", class_="where")

    def quotes(self, quotes: Iterable[Quote]) -> Markup | None:
        """What was said, verbatim, and where."""
        items = [
            tag("li", tag("q", quote.text, lang="ko"), Markup(" "), self.where(quote)) for quote in quotes
        ]
        return tag("ul", *items, class_="quotes") if items else None


def rows(cells: tuple[Child, ...]) -> Markup:
    """A row whose first cell names it."""
    first, *rest = cells
    return tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest))


def bullets(items: Iterable[Child], class_: str | None = None) -> Markup | None:
    """A list; None without items."""
    written = [tag("li", item) for item in items]
    return tag("ul", *written, class_=class_) if written else None


def korean(text: str, name: str = "span", class_: str | None = None) -> Markup:
    """Korean words in a page that may be in another language."""
    return tag(name, text, lang="ko", class_=class_)
