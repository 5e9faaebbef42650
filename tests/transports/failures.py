"""Everything that goes wrong between an address and a session: how it comes about, and what must be raised."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from charye import errors
from charye.errors import CharyeError
from charye.transports.base import Endpoint
from charye.transports.endpoints import Azure, Compatible, OpenAI
from charye.transports.greeting import greet
from charye.transports.in_process import InProcess, pair
from charye.transports.secret import Secret
from charye.transports.websocket import WebSocketSettings
from tests.transports.certificates import self_signed
from tests.transports.doors import CREATED, KEY, Answer, door, refuses, says, silence, upgraded

Around = Callable[[], AbstractAsyncContextManager[Endpoint]]

QUICK = WebSocketSettings(connect_s=0.3, close_s=0.2)
PATIENCE_S = 0.3


@dataclass(frozen=True)
class Case:
    """One way to fail.

    Args:
        what: for people; also the row of `docs/reference/connection-errors.md`.
        around: what is there while the endpoint is opened and greeted.
        raises: exactly this type.
        retried: `is_retryable` of the error; None: it has none.
        shows: fields of the error.
    """

    what: str
    around: Around
    raises: type[CharyeError]
    retried: bool | None
    shows: dict[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.what


async def failure(case: Case) -> CharyeError:
    """Let it happen."""
    async with case.around() as endpoint:
        try:
            line = await endpoint.open()
            await greet(line, patience_s=PATIENCE_S)
        except CharyeError as error:
            return error
        await line.close()
        raise AssertionError("it did not fail")


def at(answer: Answer, path: str = "/v1", **given: Any) -> Around:
    """OpenAI's endpoint, at a server that answers so."""

    @asynccontextmanager
    async def around() -> AsyncIterator[Endpoint]:
        async with door(answer) as there:
            yield OpenAI(api_key=KEY, base_url=there.url + path, socket=QUICK, **given)

    return around


def azure_at(answer: Answer, **given: Any) -> Around:
    """Azure's."""

    @asynccontextmanager
    async def around() -> AsyncIterator[Endpoint]:
        async with door(answer) as there:
            yield Azure(endpoint=there.url, deployment="voice", socket=QUICK, **({"api_key": KEY} | given))

    return around


def over(endpoint: Callable[[], Endpoint]) -> Around:
    """No server at all."""

    @asynccontextmanager
    async def around() -> AsyncIterator[Endpoint]:
        yield endpoint()

    return around


def body(code: str | None, error_type: str = "invalid_request_error") -> str:
    message = f"Something about {KEY}."
    return json.dumps({"error": {"type": error_type, "code": code, "message": message, "param": None}})


def error(code: str | None, error_type: str = "invalid_request_error") -> bytes:
    return b'{"type": "error", "event_id": "e1", ' + body(code, error_type).encode()[1:]


def closing(code: str, with_code: int, error_type: str = "invalid_request_error") -> Answer:
    """As recorded: the upgrade, one error, the close whose reason repeats it."""
    return says(error(code, error_type), close=(with_code, f"{error_type}.{code}"))


async def _cut(request: web.Request) -> web.StreamResponse:
    socket = await upgraded(request)
    assert request.transport is not None
    request.transport.abort()
    return socket


async def _elsewhere(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"{request.url.origin()}/elsewhere")


async def _refused() -> str:
    raise RuntimeError("the vault is closed")


class _Denied:
    """A credential of azure-identity that has nothing."""

    def get_token(self, *scopes: str) -> Any:
        from azure.identity import CredentialUnavailableError

        client_secret = KEY  # as in the frames of a real one
        assert client_secret
        raise CredentialUnavailableError(message="nobody is signed in")


@asynccontextmanager
async def _nobody_listens() -> AsyncIterator[Endpoint]:
    async with door(refuses(200)) as there:
        url = there.url
    yield OpenAI(api_key=KEY, base_url=url, socket=QUICK)  # free a moment ago, and nobody is there now


@asynccontextmanager
async def _black_hole() -> AsyncIterator[Endpoint]:
    async with silence() as url:
        yield OpenAI(api_key=KEY, base_url=url, socket=QUICK)


@asynccontextmanager
async def _talking(first: bytes) -> AsyncIterator[str]:
    """A port where somebody says this, whatever he is asked."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def _no_http() -> AsyncIterator[Endpoint]:
    async with _talking(b"220 mail.example ESMTP\r\n\r\n") as there:
        yield Compatible(f"ws://{there}", api_key=KEY, socket=QUICK)


@asynccontextmanager
async def _hangs_up() -> AsyncIterator[Endpoint]:
    async with _talking(b"") as there:
        yield Compatible(f"ws://{there}", api_key=KEY, socket=QUICK)


@asynccontextmanager
async def _proxy_says_no() -> AsyncIterator[Endpoint]:
    async with _talking(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as there:
        socket = WebSocketSettings(connect_s=2, close_s=0.2, proxy=Secret(f"http://me:{KEY}@{there}"))
        yield OpenAI(api_key=KEY, base_url="https://api.example/v1", socket=socket)


@asynccontextmanager
async def _untrusted() -> AsyncIterator[Endpoint]:
    with tempfile.TemporaryDirectory() as folder:
        server, _ = self_signed(Path(folder))
        async with door(says(CREATED), tls=server) as there:
            yield OpenAI(api_key=KEY, base_url=there.url, socket=WebSocketSettings(close_s=0.2))


@asynccontextmanager
async def _no_tls() -> AsyncIterator[Endpoint]:
    async with door(says(CREATED)) as there:
        yield OpenAI(api_key=KEY, base_url=there.url.replace("http", "https"), socket=QUICK)


@asynccontextmanager
async def _twice() -> AsyncIterator[Endpoint]:
    endpoint = InProcess(pair()[0])
    await (await endpoint.open()).close()
    yield endpoint


CASES = (
    # who asks
    Case(
        "the key is wrong (OpenAI: upgrade, `error`, close 3000)",
        at(closing("invalid_api_key", 3000)),
        errors.AuthenticationFailed,
        False,
        {"code": "invalid_api_key"},
    ),
    Case(
        "the server closes with 3000 or 1008 without a word",
        at(says(close=(3000, ""))),
        errors.AuthenticationFailed,
        False,
    ),
    Case(
        "a gateway, or Azure, answers 401 or 403",
        at(refuses(401)),
        errors.AuthenticationFailed,
        False,
        {"status": 401},
    ),
    Case(
        "an Azure credential gives no token",
        azure_at(says(CREATED), api_key=None, credential=_Denied()),
        errors.AuthenticationFailed,
        False,
        {"host": "127.0.0.1"},
    ),
    Case(
        "the function that gives the key fails",
        over(lambda: OpenAI(api_key=_refused, base_url="https://api.example/v1")),
        errors.ConnectionFailed,
        True,
        {"host": "api.example"},
    ),
    Case(
        "no key is configured",
        over(lambda: Azure(endpoint="https://azure.example", deployment="voice", api_key="")),
        errors.ConfigurationError,
        None,
        {"option": "api_key", "variable": "AZURE_OPENAI_API_KEY"},
    ),
    Case(
        "the key has a character that no header can carry",
        over(lambda: OpenAI(api_key=KEY + "\n" + KEY, base_url="https://api.example/v1")),
        errors.ConfigurationError,
        None,
        {"option": "api_key"},
    ),
    Case(
        "plain `ws://` to another machine",
        over(lambda: Compatible("ws://api.example/v1", api_key=KEY)),
        errors.ConfigurationError,
        None,
        {"option": "allow_insecure"},
    ),
    # the account
    Case(
        "the quota is used up (`error` event)",
        at(closing("insufficient_quota", 4000, "insufficient_quota")),
        errors.QuotaExhausted,
        False,
        {"code": "insufficient_quota"},
    ),
    Case(
        "the quota is used up (429 with the code)",
        at(refuses(429, body("insufficient_quota", "insufficient_quota"), Retry_After="7")),
        errors.QuotaExhausted,
        False,
        {"code": "insufficient_quota", "retry_after_s": 7.0},
    ),
    # what is asked for
    Case(
        "there is no such model, or not for this key",
        at(closing("model_not_found", 4000)),
        errors.ModelUnavailable,
        False,
        {"code": "model_not_found"},
    ),
    Case(
        "Azure has no such deployment",
        azure_at(refuses(404, body("DeploymentNotFound"))),
        errors.ModelUnavailable,
        False,
        {"code": "DeploymentNotFound", "status": 404},
    ),
    Case(
        "there is no such call (sideband)",
        at(refuses(404, body("call_id_not_found")), call_id="rtc_1"),
        errors.CallNotFound,
        False,
        {"status": 404},
    ),
    Case(
        "the server no longer speaks the preview",
        at(closing("beta_api_shape_disabled", 4000)),
        errors.ShapeRefused,
        False,
        {"code": "beta_api_shape_disabled"},
    ),
    Case(
        "the server closes with 4000 for another reason",
        at(says(close=(4000, "invalid_request_error.odd"))),
        errors.ConnectionFailed,
        False,
        {"code": "odd"},
    ),
    Case(
        "the server refuses the request (400)",
        at(refuses(400, body("missing_api_version"))),
        errors.ConnectionFailed,
        False,
        {"code": "missing_api_version", "status": 400},
    ),
    # where to
    Case(
        "the path is wrong (404)",
        at(refuses(404), path="/v2"),
        errors.EndpointNotFound,
        False,
        {"status": 404},
    ),
    Case(
        "a web page answers (200)",
        at(refuses(200, "<html>Welcome</html>")),
        errors.EndpointNotFound,
        False,
        {"status": 200},
    ),
    Case("the address redirects", at(_elsewhere), errors.EndpointNotFound, False, {"status": 302}),
    Case("the port speaks no HTTP", _no_http, errors.EndpointNotFound, False),
    Case(
        "the name does not resolve",
        over(lambda: OpenAI(api_key=KEY, base_url="https://charye.invalid/v1")),
        errors.HostUnreachable,
        True,
        {"host": "charye.invalid"},
    ),
    Case("nobody listens at the port", _nobody_listens, errors.HostUnreachable, True),
    Case("the host takes the call and never answers", _black_hole, errors.HostUnreachable, True),
    Case("the proxy says no (407)", _proxy_says_no, errors.HostUnreachable, True, {"status": 407}),
    Case("the certificate is not trusted", _untrusted, errors.TlsFailed, False),
    Case("the port speaks no TLS", _no_tls, errors.TlsFailed, False),
    # not now
    Case(
        "too many requests (429)",
        at(refuses(429, body("rate_limit_exceeded"), retry_after_ms="1500")),
        errors.ServerUnavailable,
        True,
        {"status": 429, "retry_after_s": 1.5},
    ),
    Case(
        "the server is down or full (5xx)",
        at(refuses(503, body("too_many_sessions"), Retry_After="1")),
        errors.ServerUnavailable,
        True,
        {"status": 503, "retry_after_s": 1.0},
    ),
    Case(
        "the server fails before the session (`server_error`, 1011, 1012, 1013)",
        at(says(close=(1011, "internal error"))),
        errors.ServerUnavailable,
        True,
    ),
    Case("the connection breaks during the upgrade", _hangs_up, errors.ConnectionFailed, True),
    Case("the connection breaks before the session", at(_cut), errors.ConnectionFailed, True),
    Case(
        "the connection stands, and the server says nothing",
        at(says()),
        errors.NoGreeting,
        True,
        {"waited_s": PATIENCE_S},
    ),
    Case(
        "the session of the call has just expired (sideband)",
        at(closing("session_expired", 1001), call_id="rtc_1"),
        errors.SessionExpired,
        True,
    ),
    Case("a connection that was handed over is opened twice", _twice, errors.CannotReopen, False),
)
