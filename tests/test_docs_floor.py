"""The generated picture and page of the floor say what the table says, all of it; and the picture can be read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from enum import Enum

import pytest

from charye.core.floor import TRANSITIONS, Input, State
from tools import floor_picture, floor_reference
from tools.enum_comments import told

SVG = "{http://www.w3.org/2000/svg}"
PICTURE = ET.fromstring(floor_picture.render())
PAGE = floor_reference.render()
ARROWS = {(state, what): row[0] for (state, what), row in TRANSITIONS.items()}


def test_every_row_of_the_table_is_in_the_picture_once() -> None:
    drawn = [
        ((State(before), Input[words.attrib["data-input"]]), group.attrib["data-to"])
        for group in PICTURE.iter(f"{SVG}g")
        for before in group.attrib["data-from"].split()
        for words in group
        if "data-input" in words.attrib
    ]
    assert len(drawn) == len(TRANSITIONS)
    assert {row: row[0] if to == "stays" else State(to) for row, to in drawn} == ARROWS


def test_what_is_drawn_is_called_as_in_the_table() -> None:
    for words in PICTURE.iter(f"{SVG}text"):
        if "data-input" in words.attrib:
            assert words.text == Input[words.attrib["data-input"]].value


def test_every_state_has_a_place_and_every_line_an_arrow() -> None:
    assert set(floor_picture.PLACES) == set(State)
    assert set(floor_picture.ROUTES) <= {(before, after) for (before, _), after in ARROWS.items()}
    assert len(list(PICTURE.iter(f"{SVG}path"))) == len(floor_picture.ROUTES) + 1, (
        "and the head of the arrows"
    )


@dataclass(frozen=True)
class Box:
    name: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not beside and self.top < other.bottom and other.top < self.bottom

    def contains(self, other: Box) -> bool:
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom


def box_of_text(text: ET.Element) -> Box:
    """Where these words are, in a font as wide as fonts for screens get."""
    size = {"name": 14.0}.get(text.attrib["class"].split()[-1], 11.5)
    x, y, width = float(text.attrib["x"]), float(text.attrib["y"]), len(text.text or "") * size * 0.53
    left = x - width if text.attrib.get("text-anchor") == "end" else x
    return Box(text.text or "", left, y - size * 0.75, left + width, y + size * 0.2)


def cards() -> list[Box]:
    return [
        Box("card", x, y, x + float(card.attrib["width"]), y + float(card.attrib["height"]))
        for card in PICTURE.iter(f"{SVG}rect")
        if card.attrib["class"] == "card"
        for x, y in [(float(card.attrib["x"]), float(card.attrib["y"]))]
    ]


def test_nothing_in_the_picture_covers_another() -> None:
    texts = [box_of_text(text) for text in PICTURE.iter(f"{SVG}text") if "font-size" not in text.attrib]
    assert len(cards()) == len(State)
    whole = Box("picture", 0, 0, floor_picture.WIDTH, floor_picture.HEIGHT)
    assert [box for box in [*texts, *cards()] if not whole.contains(box)] == []
    covered = [
        (one.name, other.name)
        for i, one in enumerate([*cards(), *texts])
        for other in [*cards(), *texts][i + 1 :]
        if one.overlaps(other) and not one.contains(other)
    ]
    assert covered == []


def test_every_row_of_the_table_is_in_the_page() -> None:
    told_rows = {}
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        title, *lines = section.splitlines()
        state = State(title.replace(" ", "_"))
        for line in (line for line in lines if line.startswith("|")):
            what, then, actions = (column.strip() for column in line.strip("|").split("|"))
            if what in ("input", "---"):
                continue
            after = state if then == "stays" else State(then.strip("*").replace(" ", "_"))
            told_rows[state, Input(what)] = (after, actions)
    assert told_rows == {
        row: (after, ", ".join(action.value for action in actions))
        for row, (after, actions) in TRANSITIONS.items()
    }


class Sample(Enum):
    # the first group
    ONE = "one"  # is told
    TWO = "two"
    # the second
    THREE = "three"


class Unreadable(Enum):
    ONE, TWO = range(2)


def test_the_comments_of_an_enum_are_read_with_their_groups() -> None:
    assert [(says.group, says.comment) for says in told(Sample).values()] == [
        ("the first group", "is told"),
        ("the first group", ""),
        ("the second", ""),
    ]


def test_an_enum_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(SystemExit, match="Unreadable"):
        told(Unreadable)
