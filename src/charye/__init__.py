"""Turn-taking for realtime voice.

Refused is not lost: whoever asks for a response gets it exactly once, or is told why not. Generated is not heard: a
response is over when the listener has heard it.

The names here are the few that most programs need. They are looked up when they are first used, so ``import charye``
is cheap; everything else is imported from its own module, for instance ``charye.errors`` or ``charye.protocol``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For type checkers and editors. The same names are in `_DOOR`, and tests/test_door.py compares the two.
    from charye.core.peer import Peer as Peer
    from charye.core.requests import ResponseRequest as ResponseRequest
    from charye.core.settings import Settings as Settings
    from charye.errors import CharyeError as CharyeError
    from charye.errors import LocalProtocolError as LocalProtocolError
    from charye.errors import RealtimeError as RealtimeError
    from charye.errors import RequestEnded as RequestEnded

__version__ = "0.1.0.dev0"

# PEP 562: public name -> the module that holds it.
_DOOR = {
    "Peer": "charye.core.peer",
    "ResponseRequest": "charye.core.requests",
    "Settings": "charye.core.settings",
    "CharyeError": "charye.errors",
    "LocalProtocolError": "charye.errors",
    "RealtimeError": "charye.errors",
    "RequestEnded": "charye.errors",
}

__all__ = [
    "CharyeError",
    "LocalProtocolError",
    "Peer",
    "RealtimeError",
    "RequestEnded",
    "ResponseRequest",
    "Settings",
    "__version__",
]


def __getattr__(name: str) -> object:
    try:
        module = _DOOR[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    from importlib import import_module

    value: object = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
