"""A session with our own server in this process, on a virtual clock: nobody waits, each run takes the same course."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import charye
from charye.embedded import Embedded
from charye.protocol import OPENAI
from charye.server.faulting.line import Heard
from charye.server.faults import Faults
from charye.server.minds import Echo
from charye.server.parts import Mind
from charye.server.settings import ServerSettings
from charye.session.session import Session
from charye.session.settings import LineSettings, SessionSettings
from charye.transports.base import Line

__all__ = ["Talk", "talk"]


class Talk:
    """A session, and everything that was on the wire."""

    def __init__(self, session: Session, wire: list[Heard]) -> None:
        self.session = session
        self._wire = wire

    def said(self, kind: str, *, by: str = ">") -> list[dict[str, Any]]:
        """Events of this type, by the client (`>`) or the server (`<`)."""
        events = [json.loads(heard.data) for heard in self._wire if heard.mark == by]
        return [event for event in events if event["type"] == kind]


class FirstLine:
    """An endpoint whose first line has faults, and all later ones none."""

    name = "embedded"
    dialect = OPENAI

    def __init__(self, faulty: Embedded, sound: Embedded) -> None:
        self._endpoints = iter([faulty])
        self._sound = sound

    async def open(self) -> Line:
        return await next(self._endpoints, self._sound).open()


@asynccontextmanager
async def talk(
    *,
    mind: Callable[[], Mind] = Echo,
    fault: str = "",
    max_session_s: float = 3600.0,
    line: LineSettings | None = None,
    **options: Any,
) -> AsyncIterator[Talk]:
    wire: list[Heard] = []
    sound = Embedded(mind=mind, settings=ServerSettings(max_s=max_session_s), tap=wire.append)
    faulty = replace(sound, faults=Faults.parse(fault, seed=1) if fault else None)
    endpoint = FirstLine(faulty, sound)
    settings = SessionSettings(io_thread=False, lag_bound_s=0, seed=1, line=line or LineSettings())
    # On a virtual clock a wait that never ends goes on for ever: the session is renewed every hour.
    async with asyncio.timeout(12 * 3600), charye.connect(endpoint, settings=settings, **options) as session:
        yield Talk(session, wire)
