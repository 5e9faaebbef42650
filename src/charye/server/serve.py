"""The server on the network: Realtime sessions over WebSocket, on aiohttp (extra `server`).

    GET  /v1/realtime, /openai/v1/realtime, /openai/realtime       sessions; who may come in: `admission`
    POST /v1/realtime/client_secrets, /openai/v1/...               short-lived tokens
    GET  /healthz                                                   is it there, and how busy
    GET  /metrics                                                   Prometheus

    async with serving(lambda: SessionParts(mind=Echo(), voice=ToneVoice())) as server:
        client = openai.AsyncOpenAI(base_url=server.base_url, api_key="any")

Compression is off: it would cost more than all the rest. Pings are answered while responses are generated, because
reading never stops.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any

import msgspec

from charye.errors import ConfigurationError, ConnectionLost, MissingExtra
from charye.protocol import ErrorEvent, encode
from charye.server import refusals
from charye.server.admission import (
    PATHS,
    SUBPROTOCOL,
    Admitted,
    Door,
    Knock,
    NotFound,
    TurnedAway,
    key_of,
)
from charye.server.client_secrets import ClientSecrets
from charye.server.clock import LoopClock
from charye.server.effects import Effect
from charye.server.faulting.line import Tap, wired
from charye.server.faults import Faults
from charye.server.ids import Chance, Ids
from charye.server.metrics import Metrics
from charye.server.outgoing import Pace
from charye.server.parts import Clock
from charye.server.refusals import Refused
from charye.server.session import ServerSession, SessionParts

try:
    from aiohttp import ClientError, WSMsgType, web
except ImportError:
    raise MissingExtra(feature="charye serve", extra="server") from None

if TYPE_CHECKING:
    from charye.server.settings import ServerSettings

__all__ = ["RealtimeServer", "ServeSettings", "serving"]

log = logging.getLogger(__name__)

_REASON_MAX_BYTES = 123  # RFC 6455, 5.5: a control frame has 125 bytes, 2 of them are the code
_SECRET_REQUEST_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """What can be set about a server.

    Args:
        max_sessions: more are refused with HTTP 503.
        max_frame_bytes: of one message of a client; more closes with 1009. The default takes the 15 MiB of audio
            that the API allows, in base64.
        seed: makes the ids of sessions repeatable; None: they cannot be guessed. Client secrets never can.
        observe: sees every effect of every session, beside the metrics.
        faults: what goes wrong in every session; the n-th one has the seed plus n - 1.
        faults_on_request: a session may ask for its own, by query or by its first event (see `faults`).
        tap: makes what sees everything on the wire of the n-th session.
        clock: of all sessions; None: that of the loop.
        ping_timeout_s: clients are pinged, every twice this time, and one that does not answer for so long is hung up
            on. None: they are not.
    """

    door: Door = field(default_factory=Door)
    pace: Pace = field(default_factory=Pace)
    max_sessions: int = 1000
    max_frame_bytes: int = 24 * 1024 * 1024
    seed: int | None = None
    observe: Callable[[Effect], None] | None = None
    faults: Faults = field(default_factory=Faults)
    faults_on_request: bool = True
    tap: Callable[[int], Tap] | None = None
    clock: Clock | None = None
    ping_timeout_s: float | None = None


class _WebSocketLine:
    """A WebSocket of aiohttp as a `Line` that can break."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._socket = socket
        self._transport = transport

    async def send(self, data: bytes) -> None:
        try:
            await self._socket.send_frame(data, WSMsgType.TEXT)
        except (ClientError, ConnectionError, RuntimeError) as error:
            raise ConnectionLost(close_code=self._socket.close_code) from error

    async def receive(self) -> bytes | str:
        message = await self._socket.receive()
        # The API has no binary frames; one with an event in it does no harm, anything else is answered with an error.
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            data: bytes | str = message.data
            return data
        raise ConnectionLost(close_code=self._socket.close_code)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        # Cut to whole characters: half of one would break the frame.
        short = reason.encode()[:_REASON_MAX_BYTES].decode(errors="ignore").encode()
        try:
            await self._socket.close(code=code, message=short)
        except (ClientError, ConnectionError, RuntimeError):
            log.debug("a socket was closed already")

    async def cut(self, partial: bytes) -> None:
        """See `charye.server.faulting.line.BreakableLine`."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(partial)
            self._transport.close()

    async def half_close(self) -> None:
        """See `charye.server.faulting.line.BreakableLine`."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()


class RealtimeServer:
    """An aiohttp application with the endpoints.

    Args:
        make_parts: gives mind, voice and ears of a new session.
    """

    def __init__(self, make_parts: Callable[[], SessionParts], settings: ServeSettings | None = None) -> None:
        self._make_parts = make_parts
        self._settings = settings or ServeSettings()
        self._secrets = ClientSecrets(Ids(SystemRandom()))
        self._sessions: set[asyncio.Task[None]] = set()
        self._begun = 0
        self.metrics = Metrics()
        self.app = web.Application(client_max_size=_SECRET_REQUEST_MAX_BYTES)
        for path in PATHS:
            self.app.router.add_get(path, self._realtime)
        for path in ("/v1", "/openai/v1"):
            self.app.router.add_post(f"{path}/realtime/client_secrets", self._client_secrets)
        self.app.router.add_get("/healthz", self._healthz)
        self.app.router.add_get("/metrics", self._metrics)
        self.app.on_shutdown.append(self._shut_down)

    # sessions

    async def _realtime(self, request: web.Request) -> web.StreamResponse:
        knock = _knock(request)
        found = self._settings.door.open(knock, self._secrets, unix_s=time.time())
        if isinstance(found, NotFound):
            self.metrics.turned_away.labels(found.code).inc()
            return _problem(found.status, found.message, found.code)
        try:
            faults = self._faults(request)
        except ConfigurationError as error:
            return _problem(400, f"{error}: '{error.option}'.", "invalid_fault", param="fault")
        if len(self._sessions) >= self._settings.max_sessions:
            self.metrics.turned_away.labels("too_many_sessions").inc()
            return _problem(503, "Too many sessions are open.", "too_many_sessions", {"Retry-After": "1"})
        patience_s = self._settings.ping_timeout_s
        socket = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,),
            heartbeat=None if patience_s is None else 2 * patience_s,  # aiohttp waits half of it for a pong
            compress=False,
            max_msg_size=self._settings.max_frame_bytes,
            decode_text=False,
        )
        if not socket.can_prepare(request).ok:
            return _problem(
                426, "This is a WebSocket endpoint.", "upgrade_required", {"Upgrade": "websocket"}
            )
        await socket.prepare(request)
        line = _WebSocketLine(socket, request.transport)
        if isinstance(found, Admitted):
            try:
                await self._serve(line, found.settings, faults)
            except Refused as refused:
                found = TurnedAway(refused, found.settings.dialect)
        if isinstance(found, TurnedAway):
            await self._turn_away(line, found)
        return socket

    def _faults(self, request: web.Request) -> Faults | None:
        """Those that the query asks for; None: it asks for none.

        Raises:
            ConfigurationError: it asks for what there is not.
        """
        asked = request.query.getall("fault", [])
        if not asked or not self._settings.faults_on_request:
            return None
        try:
            return Faults.parse(asked, seed=int(request.query.get("seed", "0")))
        except ValueError:
            raise ConfigurationError("the seed is no whole number", option="seed") from None

    def _usual_faults(self) -> Faults:
        usual = self._settings.faults
        return replace(usual, seed=usual.seed + self._begun - 1)

    async def _serve(self, line: _WebSocketLine, settings: "ServerSettings", asked: Faults | None) -> None:
        self._begun += 1
        given, seed = self._settings, self._settings.seed
        # A session that asks for faults with a seed is the same each time, its ids too.
        if asked is not None:
            chance: Chance = Random(asked.seed)
        else:
            chance = SystemRandom() if seed is None else Random(seed + self._begun)
        clock = given.clock or LoopClock()
        wire, parts = wired(
            line,
            self._make_parts(),
            clock=clock,
            faults=asked if asked is not None else self._usual_faults(),
            ask=given.faults_on_request,
            tap=given.tap(self._begun) if given.tap else None,
            observe=self._observe,
        )
        session = ServerSession(
            wire,
            parts,
            settings=settings,
            ids=Ids(chance),
            clock=clock,
            pace=self._settings.pace,
            observe=self._observe,
        )
        self.metrics.opened.labels(settings.dialect.name).inc()
        task = asyncio.ensure_future(session.run())
        self._sessions.add(task)
        self.metrics.sessions.set(len(self._sessions))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            self._sessions.discard(task)
            self.metrics.sessions.set(len(self._sessions))
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a session broke", exc_info=error, extra={"session_id": session.peer.session_id})

    async def _turn_away(self, line: _WebSocketLine, found: TurnedAway) -> None:
        self.metrics.turned_away.labels(found.refused.code or "").inc()
        event = ErrorEvent(event_id=Ids(SystemRandom()).event(), error=found.refused.detail(None))
        try:
            await line.send(encode(event, found.dialect))
        except ConnectionLost:
            return
        await line.close(found.close.code, found.close.reason)

    def _observe(self, effect: Effect) -> None:
        self.metrics.observe(effect)
        if self._settings.observe is not None:
            self._settings.observe(effect)

    async def _shut_down(self, _: web.Application) -> None:
        tasks = list(self._sessions)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # the rest

    async def _client_secrets(self, request: web.Request) -> web.StreamResponse:
        key = key_of(_knock(request))
        if not self._settings.door.lets_in(key):
            refused = refusals.api_key(key or "")
            return _problem(401, str(refused), refused.code)
        try:
            body = msgspec.json.decode(await request.read() or b"{}")
            secret = self._secrets.mint(
                body, default_model=self._settings.door.template.model, unix_s=time.time()
            )
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return _problem(400, "The body is not a valid JSON object.", "invalid_json")
        except Refused as refused:
            return _problem(400, str(refused), refused.code, param=refused.param)
        session = msgspec.json.encode(secret.effective)
        head = json.dumps({"value": secret.value, "expires_at": secret.expires_at})[:-1].encode()
        return web.Response(body=head + b', "session": ' + session + b"}", content_type="application/json")

    async def _healthz(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok", "sessions": len(self._sessions)})

    async def _metrics(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=self.metrics.rendered(), headers={"Content-Type": self.metrics.content_type})


@dataclass(frozen=True, slots=True)
class _Address:
    """Where a server listens."""

    host: str
    port: int

    @property
    def base_url(self) -> str:
        """For the `openai` SDK."""
        return f"http://{self.host}:{self.port}/v1"


@asynccontextmanager
async def serving(
    make_parts: Callable[[], SessionParts],
    *,
    settings: ServeSettings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[_Address]:
    """Serve until the block is left; then sessions are closed with 1001.

    Args:
        port: 0 takes a free one; the address that is given says which.
    """
    server = RealtimeServer(make_parts, settings)
    runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        found_host, found_port = runner.addresses[0][:2]
        yield _Address(found_host, found_port)
    finally:
        await runner.cleanup()


def _knock(request: web.Request) -> Knock:
    offered = request.headers.getall("Sec-WebSocket-Protocol", [])
    return Knock(
        path=request.path,
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        protocols=tuple(one.strip() for line in offered for one in line.split(",")),
    )


def _problem(
    status: int,
    message: str,
    code: str | None,
    headers: dict[str, str] | None = None,
    *,
    param: str | None = None,
) -> web.Response:
    error: dict[str, Any] = {
        "message": message,
        "type": "invalid_request_error",
        "code": code,
        "param": param,
    }
    return web.json_response({"error": error}, status=status, headers=headers)
