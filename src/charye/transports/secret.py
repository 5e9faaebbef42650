"""What must not be seen: keys and tokens. Shown nowhere, compared safely, taken out of a text that repeats them."""

import hmac
from collections.abc import Iterable
from typing import NoReturn

__all__ = ["HIDDEN", "Secret", "hidden"]

HIDDEN = "***"
"""What is shown in place of a secret."""


class Secret:
    """A key or token. `repr`, `str` and `format` show `***`; `reveal` gives it.

    It cannot be pickled: a secret does not leave the process by accident. A copy is the secret itself.

    Args:
        value: white space around it is dropped, for it comes from files that end in a newline.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        # It is not checked here: an error would have the value in the frames of whoever made it.
        self._value = value.strip()

    @property
    def is_sendable(self) -> bool:
        """Whether a header can carry it: something, and nothing but printable ASCII."""
        return bool(self._value) and self._value.isascii() and self._value.isprintable()

    def reveal(self) -> str:
        """The value. Call it in the expression that needs it: a variable would be shown with a traceback's locals."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({HIDDEN!r})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def hidden(text: str, secrets: Iterable[Secret]) -> str:
    """The text, with `***` for each of the secrets: servers repeat what they were sent."""
    for secret in secrets:
        if secret.is_sendable:
            text = text.replace(secret.reveal(), HIDDEN)
    return text
