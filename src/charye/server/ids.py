"""The ids that a server makes, in the shape of recorded sessions: a prefix and base62 characters.

Chance is given in, so a seed makes every id of a session repeatable.
"""

import string
from typing import Protocol

__all__ = ["Chance", "Ids"]

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_LONG, _SHORT, _SECRET = 21, 16, 32


class Chance(Protocol):
    """Where chance comes from: `random.Random(seed)`, or `random.SystemRandom()` for ids that must not be guessed."""

    def getrandbits(self, k: int, /) -> int:
        """A number of `k` random bits."""
        ...


class Ids:
    """Makes ids: `event_`, `item_`, `resp_`, `sess_`, `conv_` with 21 characters, `call_` with 16."""

    __slots__ = ("_chance",)

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    def event(self) -> str:
        """Of a server event."""
        return "event_" + self._base62(_LONG)

    def item(self) -> str:
        """Of a conversation item."""
        return "item_" + self._base62(_LONG)

    def response(self) -> str:
        """Of a response."""
        return "resp_" + self._base62(_LONG)

    def session(self) -> str:
        """Of a session."""
        return "sess_" + self._base62(_LONG)

    def conversation(self) -> str:
        """Of a conversation."""
        return "conv_" + self._base62(_LONG)

    def call(self) -> str:
        """Of a function call."""
        return "call_" + self._base62(_SHORT)

    def secret(self) -> str:
        """A client secret, `ek_` with 32 characters."""
        return "ek_" + self._base62(_SECRET)

    def _base62(self, length: int) -> str:
        # 6 bits a character, of which 62 of 64 values count: the two others wrap, which is even enough for an id.
        bits = self._chance.getrandbits(6 * length)
        characters = []
        for _ in range(length):
            characters.append(_ALPHABET[(bits & 63) % 62])
            bits >>= 6
        return "".join(characters)
