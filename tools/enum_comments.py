"""What the comments of an enum's source say about its members, for the generated parts of the documentation.

A comment behind a member is about this member; a comment on a line of its own begins a group.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enum import Enum

_MEMBER = re.compile(r"    ([A-Z][A-Z_]*) = [^#]*(?:# (.*))?$")
_GROUP = re.compile(r"    # (.*)$")


@dataclass(frozen=True, slots=True)
class Told:
    """What the source says of one member. `group`, `comment`: "" where there is none."""

    group: str
    comment: str


def told(enum: type[Enum]) -> dict[Enum, Told]:
    """Every member, in order, with its comments.

    Raises:
        SystemExit: a member is written in a way that this does not understand, so it would be missing.
    """
    found: dict[Enum, Told] = {}
    group = ""
    for line in inspect.getsource(enum).splitlines():
        if heading := _GROUP.match(line):
            group = heading[1]
        elif member := _MEMBER.match(line):
            found[enum[member[1]]] = Told(group, member[2] or "")
    if list(found) != list(enum):
        raise SystemExit(f"{enum.__name__}: the members are not written one a line")
    return found
