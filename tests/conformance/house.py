"""Where the clients of others are received: the server on loopback, and a record of what it was told and said.

    async with house(SCRIPT) as host:
        client = openai.AsyncOpenAI(base_url=host.base_url, api_key="sk-any")

Leaving it checks what must hold in every conversation, whoever the client is: each event fits the published union,
each response ended once, and no `error` was sent but those named beforehand.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from openai.types.beta.realtime import RealtimeServerEvent as PreviewServerEvent
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter, ValidationError

from charye.audio.pcm import WIRE_RATE_HZ, silence
from charye.protocol import (
    OPENAI,
    Dialect,
    ErrorEvent,
    MessageItem,
    ServerEvent,
    Shape,
    Transcription,
    encode,
)
from charye.server.admission import Door
from charye.server.ears import LocalEars
from charye.server.effects import Effect, Send
from charye.server.minds import Script, Scripted
from charye.server.parts import Context, MindOutput, TranscriptDelta, TranscriptDone, TranscriptResult
from charye.server.serve import ServeSettings, serving
from charye.server.session import SessionParts
from charye.server.voice import ToneVoice

UNION: TypeAdapter[object] = TypeAdapter(RealtimeServerEvent)
PREVIEW_UNION: TypeAdapter[object] = TypeAdapter(PreviewServerEvent)

LIMIT_S = 60.0
"""What a conversation may take. They take two seconds; a loaded machine is slow, and one that hangs must end."""


def need(module: str, *, package: str) -> None:
    """Skip the tests of this file unless the client is installed.

    Also imports it, and lets its warnings about itself pass: they are no business of this project.
    """
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # its parent is missing
        found = None
    if found is None:
        pytest.skip(
            f"{package} is not installed; it comes with: uv run --group conformance pytest tests/conformance",
            allow_module_level=True,
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(module)


def in_time(story: Callable[[], Awaitable[None]]) -> None:
    """Run it to its end, or fail."""

    async def main() -> None:
        async with asyncio.timeout(LIMIT_S):
            await story()

    asyncio.run(main())


class Remembering:
    """A scripted mind that keeps what it was asked, and answers when it may."""

    def __init__(self, script: Script, host: House) -> None:
        self._mind = Scripted(script)
        self._host = host

    async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        """See `charye.server.parts.Mind.answer`."""
        self._host.contexts.append(context)
        await self._host.may_answer.wait()
        async for output in self._mind.answer(context):
            yield output


class Hears:
    """A recogniser that hears the same in every turn, in two pieces."""

    def __init__(self, words: str) -> None:
        self._words = words

    async def recognize(self, pcm: bytes, wish: Transcription | None) -> AsyncIterator[TranscriptResult]:
        """See `charye.server.recognizers.recognizer.Recognizer`."""
        half = len(self._words) // 2
        yield TranscriptDelta(self._words[:half])
        yield TranscriptDelta(self._words[half:])
        yield TranscriptDone(self._words)


@dataclass
class House:
    """The running server.

    Args:
        origin: `http://127.0.0.1:40123`.
        contexts: what each response was asked with, in order.
        sent: every event, of all sessions.
        may_answer: while it is not set, minds think. A model takes longer than a client's own queues, a script does
            not; a test that is about the difference says with this when the answer comes.
    """

    origin: str = ""
    contexts: list[Context] = field(default_factory=list)
    sent: list[ServerEvent] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    said_more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        """For clients that append `/realtime` to it."""
        return f"{self.origin}/v1"

    @property
    def websocket_url(self) -> str:
        """For clients that connect to just what they are given, perhaps with a query."""
        return f"ws{self.origin.removeprefix('http')}/v1/realtime"

    def all(self, kind: str) -> list[Any]:
        """The events of this type."""
        return [event for event in self.sent if event.type == kind]

    async def until(self, kind: str, *, times: int = 1) -> None:
        """Wait until so many of these events were sent, counted from the beginning."""
        while len(self.all(kind)) < times:
            self.said_more.clear()
            await self.said_more.wait()

    def observe(self, effect: Effect, dialect: Dialect) -> None:
        """Keep what is sent and check it in the form in which it goes out."""
        if not isinstance(effect, Send):
            return
        self.sent.append(effect.event)
        self.said_more.set()
        union = PREVIEW_UNION if dialect.shape is Shape.PREVIEW else UNION
        try:
            union.validate_json(encode(effect.event, dialect), strict=True)
        except ValidationError as error:
            self.invalid.append(f"{effect.event.type}: {_reason(error)}")

    def check(self, errors: Sequence[str]) -> None:
        """What must hold at the end."""
        assert not self.invalid, "\n".join(self.invalid)
        codes = [event.error.code for event in self.sent if isinstance(event, ErrorEvent)]
        assert codes == list(errors)
        done = Counter(event.response.id for event in self.all("response.done"))
        created = {event.response.id for event in self.all("response.created")}
        assert set(done) <= created
        assert set(done.values()) <= {1}


def _reason(error: ValidationError) -> list[str]:
    """What the published class of this type says. The union also tells why it is none of the sixty others."""
    found = [(list(map(str, one["loc"])), f"{one['loc']}: {one['msg']}") for one in error.errors()]
    others = {place[0] for place, _ in found if place[1:] == ["type"]}
    return [text for place, text in found if place[0] not in others] or ["no published event has this type"]


@asynccontextmanager
async def house(
    script: str,
    *,
    hears: str | None = None,
    dialect: Dialect = OPENAI,
    door: Door | None = None,
    errors: Sequence[str] = (),
    visited: bool = True,
) -> AsyncIterator[House]:
    """Serve.

    Args:
        script: what is answered, as in `charye.server.scripted`.
        hears: what every turn of the user's voice is understood as; None: there are no ears.
        dialect: what the client of this test will be spoken to.
        errors: codes of the `error` events that this conversation is about.
        visited: somebody will get a session.
    """
    played = Script.parse(script.encode())
    host = House()
    host.may_answer.set()

    def parts() -> SessionParts:
        return SessionParts(
            mind=Remembering(played, host),
            voice=ToneVoice(),
            ears=None if hears is None else LocalEars(recognizer=Hears(hears)),
        )

    settings = ServeSettings(
        door=door or Door(), observe=lambda effect: host.observe(effect, dialect), seed=1
    )
    async with serving(parts, settings=settings) as address:
        host.origin = f"http://{address.host}:{address.port}"
        yield host
    assert bool(host.sent) is visited
    host.check(errors)


def told(context: Context) -> list[tuple[str, str]]:
    """Who wrote or said what, as a mind is told it."""
    found = []
    for item in context.items:
        if isinstance(item, MessageItem):
            words = [
                getattr(part, "text", None) or getattr(part, "transcript", None) for part in item.content
            ]
            found.append((item.role, " ".join(word for word in words if isinstance(word, str))))
    return found


def ids(context: Context) -> list[str]:
    """The items of the conversation."""
    return [str(getattr(item, "id", "")) for item in context.items]


async def speech(words: str, *, quiet_ms: float = 0) -> bytes:
    """Somebody says this: 24 kHz samples, and a silence after them."""
    pieces = [spoken.pcm async for spoken in ToneVoice().speak(words)]
    return b"".join(pieces) + silence(quiet_ms, sample_rate_hz=WIRE_RATE_HZ)
