"""One canonical, hashable value per state of the core.

Two states are the same when they behave the same from here on. So times count relative to now, what only feeds
reports is left out, and everything else is taken as it is, privates included: this is the one place that may
read them, because a test that hashes half a state proves half a theorem.
"""

import pickle
from collections import deque
from enum import Enum
from io import BytesIO
from typing import Any

import msgspec

from charye.core.peer import Peer
from charye.core.settings import Settings

TIMES = frozenset(
    {"deadline", "_heard_at", "quiet_since", "_moved_at", "resting_until", "cap_at", "started_at", "asked_at"}
)
"""Fields that hold a point in time."""

REPORTS = frozenset(
    {
        "sent_at",
        "conversation",
        "settings",
        "_settings",
        "_patience",
        "_policy",
        "out",
        "_out",
        "_microphone_ms",
    }
)
"""Fields that decide nothing: numbers for outcomes, the constants of the world, the effects handed out."""

PLANS: dict[type, tuple[str, ...]] = {}


def freeze(peer: Peer, now: float) -> object:
    """The value of this state at this time."""
    return _frozen(peer, now, {})


def _plan(kind: type) -> tuple[str, ...]:
    plan = PLANS.get(kind)
    if plan is None:
        slots = [name for base in reversed(kind.__mro__) for name in getattr(base, "__slots__", ())]
        if not slots and hasattr(kind, "__dataclass_fields__"):
            slots = list(kind.__dataclass_fields__)
        plan = PLANS[kind] = tuple(name for name in slots if name not in REPORTS)
    return plan


def _frozen(value: Any, now: float, seen: dict[int, int]) -> object:
    if value is None or isinstance(value, str | int | bool | Enum):
        return value
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, msgspec.Struct | Settings):
        return None  # what is asked for never changes; the request's id says which it is
    if isinstance(value, dict):
        return tuple((_frozen(k, now, seen), _frozen(v, now, seen)) for k, v in value.items())
    if isinstance(value, list | tuple):
        return tuple(_frozen(each, now, seen) for each in value)
    if isinstance(value, set | frozenset):
        return frozenset(_frozen(each, now, seen) for each in value)
    if isinstance(value, deque):
        return None  # the log of ends, for `explain`; the monitor keeps its own
    if id(value) in seen:
        return seen[id(value)]
    seen[id(value)] = len(seen)
    names = _plan(type(value)) or tuple(name for name in vars(value) if name not in REPORTS)
    return tuple(_field(name, getattr(value, name), now, seen) for name in names)


def _field(name: str, value: Any, now: float, seen: dict[int, int]) -> object:
    if name in TIMES and isinstance(value, float):
        return max(-60.0, round(value - now, 6))
    return _frozen(value, now, seen)


class Photographer:
    """Copies of the core's state, as bytes. The settings are shared between them: they are frozen."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def take(self, peer: Peer) -> bytes:
        """The state as bytes."""
        buffer = BytesIO()
        _Writer(buffer, self._settings).dump(peer)
        return buffer.getvalue()

    def develop(self, picture: bytes) -> Peer:
        """The state again, as an object of its own."""
        peer = _Reader(BytesIO(picture), self._settings).load()
        assert isinstance(peer, Peer)
        return peer


class _Writer(pickle.Pickler):
    def __init__(self, buffer: BytesIO, settings: Settings) -> None:
        super().__init__(buffer, protocol=5)
        self._settings = settings

    def persistent_id(self, obj: object) -> int | None:
        return 1 if obj is self._settings else None


class _Reader(pickle.Unpickler):
    def __init__(self, buffer: BytesIO, settings: Settings) -> None:
        super().__init__(buffer)
        self._settings = settings

    def persistent_load(self, pid: object) -> Settings:
        return self._settings
