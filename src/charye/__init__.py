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
    from charye.core.requests import OnInterruption as OnInterruption
    from charye.core.requests import OnReconnect as OnReconnect
    from charye.core.requests import OnUserSpeech as OnUserSpeech
    from charye.core.requests import Outcome as Outcome
    from charye.core.requests import OutcomeKind as OutcomeKind
    from charye.core.requests import Priority as Priority
    from charye.core.requests import ResponseRequest as ResponseRequest
    from charye.core.settings import Settings as Settings
    from charye.embedded import Embedded as Embedded
    from charye.errors import CharyeError as CharyeError
    from charye.errors import LocalProtocolError as LocalProtocolError
    from charye.errors import RealtimeError as RealtimeError
    from charye.errors import RequestEnded as RequestEnded
    from charye.session.connecting import connect as connect
    from charye.session.events import Audio as Audio
    from charye.session.events import LineLost as LineLost
    from charye.session.events import LineUp as LineUp
    from charye.session.events import PlaybackStopped as PlaybackStopped
    from charye.session.events import UtteranceChanged as UtteranceChanged
    from charye.session.handles import Handle as Handle
    from charye.session.replies import Reply as Reply
    from charye.session.session import Session as Session
    from charye.session.settings import LineSettings as LineSettings
    from charye.session.settings import SessionSettings as SessionSettings
    from charye.session.signatures import ToolCall as ToolCall
    from charye.transports.endpoints import Azure as Azure
    from charye.transports.endpoints import Compatible as Compatible
    from charye.transports.endpoints import OpenAI as OpenAI
    from charye.transports.openai_sdk import OpenAISDK as OpenAISDK

__version__ = "0.1.0.dev0"

# PEP 562: public name -> the module that holds it.
_DOOR = {
    "LineUp": "charye.session.events",
    "LineLost": "charye.session.events",
    "UtteranceChanged": "charye.session.events",
    "PlaybackStopped": "charye.session.events",
    "Audio": "charye.session.events",
    "LineSettings": "charye.session.settings",
    "OnUserSpeech": "charye.core.requests",
    "OnReconnect": "charye.core.requests",
    "OnInterruption": "charye.core.requests",
    "Azure": "charye.transports.endpoints",
    "Compatible": "charye.transports.endpoints",
    "Embedded": "charye.embedded",
    "Handle": "charye.session.handles",
    "OpenAI": "charye.transports.endpoints",
    "OpenAISDK": "charye.transports.openai_sdk",
    "Outcome": "charye.core.requests",
    "OutcomeKind": "charye.core.requests",
    "Peer": "charye.core.peer",
    "Priority": "charye.core.requests",
    "Reply": "charye.session.replies",
    "ResponseRequest": "charye.core.requests",
    "Session": "charye.session.session",
    "SessionSettings": "charye.session.settings",
    "Settings": "charye.core.settings",
    "ToolCall": "charye.session.signatures",
    "connect": "charye.session.connecting",
    "CharyeError": "charye.errors",
    "LocalProtocolError": "charye.errors",
    "RealtimeError": "charye.errors",
    "RequestEnded": "charye.errors",
}

__all__ = [
    "Audio",
    "Azure",
    "CharyeError",
    "Compatible",
    "Embedded",
    "Handle",
    "LineLost",
    "LineSettings",
    "LineUp",
    "LocalProtocolError",
    "OnInterruption",
    "OnReconnect",
    "OnUserSpeech",
    "OpenAI",
    "OpenAISDK",
    "Outcome",
    "OutcomeKind",
    "Peer",
    "PlaybackStopped",
    "Priority",
    "RealtimeError",
    "Reply",
    "RequestEnded",
    "ResponseRequest",
    "Session",
    "SessionSettings",
    "Settings",
    "ToolCall",
    "UtteranceChanged",
    "__version__",
    "connect",
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
