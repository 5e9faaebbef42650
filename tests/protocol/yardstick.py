"""The published types of the API, read by introspection."""

from typing import get_args

from pydantic import BaseModel


def types_of(union: object) -> set[str]:
    """The `type` of every member of a union of the published models."""
    found: set[str] = set()
    pending = [union]
    while pending:
        one = pending.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            found |= {name for name in get_args(one.model_fields["type"].annotation) if isinstance(name, str)}
        else:
            pending += get_args(one)
    return found
