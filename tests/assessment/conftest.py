"""One Kiwi for all tests of the assessor: loading takes seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charye.assessment.morphology import load_kiwi

if TYPE_CHECKING:
    from charye.assessment.morphology import Kiwi


@pytest.fixture(scope="session")
def kiwi() -> Kiwi:
    return load_kiwi()
