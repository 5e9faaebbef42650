"""The door: the few names that most programs need, looked up when they are first used."""

from __future__ import annotations

import importlib.metadata

import pytest

import charye


@pytest.mark.parametrize("name", charye.__all__)
def test_every_listed_name_is_there(name: str) -> None:
    assert getattr(charye, name) is getattr(charye, name)
    assert name in dir(charye)


def test_the_names_are_listed_once() -> None:
    assert len(charye.__all__) == len(set(charye.__all__))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'shout'"):
        charye.shout  # noqa: B018


def test_the_version_is_that_of_the_package() -> None:
    assert charye.__version__ == importlib.metadata.version("charye")
