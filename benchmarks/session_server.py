"""Servers for `benchmarks.session`, each a process of its own: `python -m benchmarks.session_server KIND`.

speaker   aiohttp alone: each create has one spoken response, at the pace that the address asks for
house     our server: it thinks for a while, then says what it was asked to say, and notes when
hasty     the same, without thinking

Prints its address, as `charye serve --quiet` does. Ends on SIGTERM. The query of the speaker: `events`, how many audio
deltas a response has; `pause_ms`, between two of them, 0: all at once. `GET /v1/took` of the others: what they noted
since the last time.
"""

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from itertools import count
from time import perf_counter
from types import MappingProxyType

import msgspec
from aiohttp import WSMsgType, web
from msgspec import Struct

from benchmarks import material
from charye.core.requests import TOKEN_KEY
from charye.protocol.verbatim import words_asked_for
from charye.server.faulting.line import Heard
from charye.server.parts import Context, MindOutput, Text
from charye.server.serve import RealtimeServer, ServeSettings
from charye.server.session import SessionParts
from charye.server.voice import ToneVoice

__all__ = ["THINKS_S", "Notes", "Took", "framed"]

THINKS_S = 0.05
"""The house, before it speaks. A model takes ten times as long, so what is lost between two responses shows here."""

_SETTLE_S = 0.03
"""Before and after the audio of a response, so that its begin and its end are not counted with it."""

_BEGIN = 5  # events of `material.reply` before its audio
_MAX_SESSIONS = 5_000
_TYPE_WITHIN = 48  # bytes from the start of an event


class Took(Struct, frozen=True):
    """What was noted, on the server's clock.

    Args:
        generated_s: of each response, from its create, read, until its done is handed to the socket.
        gaps_s: from each done until the next create is read.
    """

    generated_s: tuple[float, ...]
    gaps_s: tuple[float, ...]


# --- the speaker ---------------------------------------------------------------------------------------------------


class _Response(Struct):
    metadata: dict[str, str] = {}


class _Said(Struct):
    """What a client says, as far as it matters here."""

    type: str
    response: _Response = msgspec.field(default_factory=_Response)


def speaker() -> web.Application:
    callers = count(1)

    async def speak(request: web.Request) -> web.WebSocketResponse:
        events, pause_s = int(request.query["events"]), float(request.query["pause_ms"]) / 1000
        socket = web.WebSocketResponse(compress=False, decode_text=False)
        await socket.prepare(request)
        await socket.send_frame(material.SESSION, WSMsgType.TEXT)
        after_s = pause_s * (next(callers) * 0.618 % 1)  # spread over the time of a pause, as callers are
        responses = count(1)
        async for message in socket:
            said = msgspec.json.decode(message.data, type=_Said)
            if said.type != "response.create":
                continue
            response_id = f"resp_{next(responses)}"
            reply = material.reply(response_id, said.response.metadata.get(TOKEN_KEY))
            for data in reply[:_BEGIN]:
                await socket.send_frame(data, WSMsgType.TEXT)
            await asyncio.sleep(_SETTLE_S + after_s)
            assert request.transport is not None
            await _pour(request.transport, framed(reply[_BEGIN]), events, pause_s)
            await asyncio.sleep(_SETTLE_S)
            for data in reply[_BEGIN + material.FRAMES :]:
                await socket.send_frame(data, WSMsgType.TEXT)
        return socket

    app = web.Application()
    app.router.add_get("/v1/realtime", speak)
    return app


def framed(data: bytes) -> bytes:
    """As a WebSocket message of a server (RFC 6455, 5.2), so that many of them can be written at once."""
    return b"\x81\x7e" + len(data).to_bytes(2, "big") + data


async def _pour(transport: asyncio.WriteTransport, frame: bytes, times: int, pause_s: float) -> None:
    if not pause_s:
        transport.write(frame * times)
        return
    due = perf_counter()
    for _ in range(times):
        transport.write(frame)
        due += pause_s
        await asyncio.sleep(due - perf_counter())


# --- the house -----------------------------------------------------------------------------------------------------


class Obedient:
    """A mind that thinks for so long, and then says what it is asked to say."""

    def __init__(self, thinks_s: float) -> None:
        self._thinks_s = thinks_s

    async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        await asyncio.sleep(self._thinks_s)
        yield Text(words_asked_for(context.instructions) or "Hello.")


class Notes:
    """When creates came and dones went. One session at a time."""

    def __init__(self) -> None:
        self._created_at = 0.0
        self._done_at: float | None = None
        self._generated_s: list[float] = []
        self._gaps_s: list[float] = []

    def tap(self, heard: Heard) -> None:
        if heard.mark == ">" and heard.data.find(b'"response.create"', 0, _TYPE_WITHIN) >= 0:
            self._created_at = heard.at
            if self._done_at is not None:
                self._gaps_s.append(heard.at - self._done_at)
        elif heard.mark == "<" and heard.data.find(b'"response.done"', 0, _TYPE_WITHIN) >= 0:
            self._done_at = heard.at
            self._generated_s.append(heard.at - self._created_at)

    def take(self) -> Took:
        """All since the last time."""
        took = Took(tuple(self._generated_s), tuple(self._gaps_s))
        self._generated_s.clear()
        self._gaps_s.clear()
        self._done_at = None  # what was between two times is no gap
        return took


def house(thinks_s: float) -> web.Application:
    notes = Notes()

    def parts() -> SessionParts:
        return SessionParts(mind=Obedient(thinks_s), voice=ToneVoice())

    async def took(_: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(notes.take()), content_type="application/json")

    app = RealtimeServer(parts, ServeSettings(max_sessions=_MAX_SESSIONS, tap=lambda _: notes.tap)).app
    app.router.add_get("/v1/took", took)
    return app


# --- the process ---------------------------------------------------------------------------------------------------

_KINDS: Mapping[str, Callable[[], web.Application]] = MappingProxyType(
    {"speaker": speaker, "house": lambda: house(THINKS_S), "hasty": lambda: house(0.0)}
)


async def _serve(app: web.Application) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.session_server")
    parser.add_argument("kind", choices=sorted(_KINDS))
    asyncio.run(_serve(_KINDS[parser.parse_args().kind]()))


if __name__ == "__main__":
    main()
