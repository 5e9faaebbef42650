"""The names that somebody needs who drives a peer: all of them in one place, and enough."""

import enum
import importlib
import pkgutil
from typing import get_args, get_type_hints

import pytest

import charye.core
from charye.core import effects
from charye.core.peer import Peer
from charye.core.requests import ResponseRequest
from charye.core.settings import Settings

MODULES = [
    importlib.import_module(f"charye.core.{each.name}") for each in pkgutil.iter_modules(charye.core.__path__)
]


def named_in(hint: object) -> set[type]:
    """The core's own classes that an annotation is made of."""
    if isinstance(hint, type) and hint.__module__.startswith("charye.core."):
        return {hint}
    return {found for part in get_args(hint) for found in named_in(part)}


@pytest.mark.parametrize("name", charye.core.__all__)
def test_each_name_is_that_of_its_own_module(name: str) -> None:
    value = getattr(charye.core, name)
    homes = [module for module in MODULES if name in module.__all__]
    assert homes
    assert all(getattr(home, name) is value for home in homes)


def test_the_names_are_listed_once() -> None:
    assert len(charye.core.__all__) == len(set(charye.core.__all__))


def test_every_effect_is_among_them() -> None:
    assert set(effects.__all__) <= set(charye.core.__all__)


@pytest.mark.parametrize("kind", [ResponseRequest, Settings])
def test_what_a_wish_and_the_settings_are_made_of_is_among_them(kind: type) -> None:
    made_of = {found for hint in get_type_hints(kind).values() for found in named_in(hint)}
    assert any(issubclass(each, enum.Enum) for each in made_of)
    assert {each.__name__ for each in made_of} <= set(charye.core.__all__)


def test_what_the_peer_takes_and_gives_is_among_them() -> None:
    doors = [
        door.fget if isinstance(door, property) else door
        for name, door in vars(Peer).items()
        if name[0] != "_"
    ]
    hints = [hint for door in doors if callable(door) for hint in get_type_hints(door).values()]
    made_of = {found.__name__ for hint in hints for found in named_in(hint)}
    assert {"Answer", "Floor", "Speaker"} < made_of
    assert made_of <= set(charye.core.__all__)
