"""From an address to an open WebSocket, or to the reason why there is none.

Nothing that aiohttp raises leaves this module, not even as the cause of our error: its exceptions and frames hold the
headers of the request, and with them the key. What they say is told as a type, a status and a code of our own.
"""

import asyncio
import ipaddress
import logging
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial

import aiohttp
import msgspec
from yarl import URL

from charye.errors import (
    ConfigurationError,
    ConnectionFailed,
    EndpointNotFound,
    HostUnreachable,
    RealtimeError,
    TlsFailed,
)
from charye.transports.buffered import BufferedLine
from charye.transports.closing import turned_away
from charye.transports.secret import Secret, hidden
from charye.transports.websocket import Socket, WebSocketSettings, line_over

__all__ = ["Target", "dial", "is_loopback"]

log = logging.getLogger(__name__)

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_BODY_MAX_BYTES = 64 * 1024
_BODY_S = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """What is dialled. Its `repr` shows the host only: query and headers may hold keys.

    Args:
        url: `ws`, `wss`, or `http` and `https`, which mean the same here.
        bearer: the key or token of the `Authorization` header.
        headers: of the upgrade, besides.
    """

    url: URL = field(repr=False)
    headers: Mapping[str, str | Secret] = field(repr=False, default_factory=dict)
    bearer: Secret | None = None
    host: str = field(init=False, default="")

    def __post_init__(self) -> None:
        if self.url.scheme not in _SCHEMES or not self.url.host:
            raise ConfigurationError("the address must be like wss://host/path", option="url")
        if self.url.user or self.url.password:
            raise ConfigurationError("an address takes no name and password; give a header", option="url")
        object.__setattr__(self, "url", self.url.with_scheme(_SCHEMES[self.url.scheme]))
        object.__setattr__(self, "host", self.url.host_port_subcomponent or "")

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Those in the headers."""
        bearer = () if self.bearer is None else (self.bearer,)
        return (*bearer, *(value for value in self.headers.values() if isinstance(value, Secret)))

    def revealed_headers(self) -> dict[str, str]:
        """As they are sent. Call it in the expression that needs it (see `Secret.reveal`)."""
        bearer = {} if self.bearer is None else {"Authorization": f"Bearer {self.bearer.reveal()}"}
        return bearer | {
            name: value.reveal() if isinstance(value, Secret) else value
            for name, value in self.headers.items()
        }


async def dial(target: Target, settings: WebSocketSettings) -> BufferedLine:
    """Open a line. That it stands does not prove that we are let in (`charye.transports.greeting`).

    Cancelling leaves nothing open.

    Raises:
        ConnectionFailed: one of its subclasses.
        QuotaExhausted: the server said so instead of the upgrade.
        ConfigurationError: the address is none, or plain `ws` to another machine was not allowed.
    """
    if target.url.scheme == "ws" and not settings.allow_insecure and not is_loopback(target.url.host or ""):
        raise ConfigurationError(
            "the key would travel in the clear; use wss, or set allow_insecure", option="allow_insecure"
        )
    http = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1, ssl=settings.tls if settings.tls is not None else True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_s),
        ws_response_class=Socket,  # type: ignore[arg-type]  # its text is bytes: `decode_text=False` below
        middlewares=(partial(_only_upgrades, target),),
    )
    try:
        found = await _knock(http, target, settings)
        if isinstance(found, Socket):
            return line_over(http, found, settings, target.secrets)
    except BaseException:
        await http.close()
        raise
    await http.close()
    raise found


async def _knock(
    http: aiohttp.ClientSession, target: Target, settings: WebSocketSettings
) -> Socket | RealtimeError:
    """Ask for the upgrade. The error is returned, not raised: then no frame of aiohttp is in its traceback."""
    asking = asyncio.ensure_future(
        http.ws_connect(
            target.url,
            headers=target.revealed_headers(),
            proxy=_proxy(target, settings),
            timeout=aiohttp.ClientWSTimeout(ws_close=settings.close_s),
            autoping=False,
            max_msg_size=settings.max_message_bytes,
            decode_text=False,
        )
    )
    try:
        await asyncio.wait({asking}, timeout=settings.connect_s)
    finally:
        if not asking.done():
            asking.cancel()
            await asyncio.wait({asking})
    if asking.cancelled():
        return HostUnreachable(host=target.host)
    error = asking.exception()
    if error is not None:
        return _translated(error, target.host)
    socket = asking.result()
    assert isinstance(socket, Socket)
    return socket


class _TurnedAway(Exception):
    """The answer was no upgrade."""

    def __init__(self, error: RealtimeError) -> None:
        super().__init__(error)
        self.error = error


async def _only_upgrades(
    target: Target, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Whatever is not 101 ends here.

    That is before aiohttp drops the body, which has the code, and before it follows a redirect, which would hand the
    key to another host.
    """
    response = await handler(request)
    if response.status == 101:
        return response
    body = b""
    try:
        async with asyncio.timeout(_BODY_S):
            # Until its end: a read gives what one packet brought.
            while len(body) < _BODY_MAX_BYTES and (more := await response.content.read(_BODY_MAX_BYTES)):
                body += more
    except (TimeoutError, aiohttp.ClientError):
        log.debug("the body of a refusal did not come")
    response.close()
    code, error_type = _named(body, target.secrets)
    error = turned_away(
        response.status,
        code=code,
        error_type=error_type,
        host=target.host,
        retry_after_s=retry_after_s(response.headers),
    )
    raise _TurnedAway(error)


def _named(body: bytes, secrets: tuple[Secret, ...]) -> tuple[str | None, str | None]:
    """Code and type of `{"error": {...}}`, without secrets that it repeats; a page for people has neither."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None, None
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict):
        return None, None
    code, error_type = (
        hidden(value, secrets) if isinstance(value, str) else None
        for value in (error.get("code"), error.get("type"))
    )
    return code, error_type


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110)."""
    for name, unit_s in (("retry-after-ms", 0.001), ("Retry-After", 1.0)):
        value = headers.get(name, "")
        try:
            waiting = float(value) * unit_s
        except ValueError:
            continue
        if 0 <= waiting < float("inf"):
            return waiting
    try:
        until = parsedate_to_datetime(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _translated(error: BaseException, host: str) -> RealtimeError:
    """Our error for one of aiohttp's. The cause that it is given is new, and carries words only."""
    match error:
        case _TurnedAway():
            return error.error
        case aiohttp.ClientSSLError() | ssl.SSLError():  # before its base, the connector's
            made: ConnectionFailed = TlsFailed(host=host)
        case aiohttp.ClientHttpProxyError():
            made = HostUnreachable(host=host, status=error.status)
        case aiohttp.ClientConnectorError() | TimeoutError():
            made = HostUnreachable(host=host)
        case aiohttp.ClientResponseError():  # no HTTP, or an upgrade to something else
            made = EndpointNotFound(host=host, status=error.status or None)
        case aiohttp.ClientError() | OSError():
            made = ConnectionFailed(host=host)
        case _:
            log.error("a connection failed unexpectedly", extra={"error_type": type(error).__name__})
            made = ConnectionFailed(host=host, code=type(error).__name__)
    known = _os_error(error)
    if known is not None:
        kind = ssl.SSLError if isinstance(known, ssl.SSLError) else OSError
        made.__cause__ = kind(known.errno, known.strerror)
    return made


def _os_error(error: BaseException) -> OSError | None:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        inner = error.certificate_error
        return inner if isinstance(inner, OSError) else None
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error
    return error if isinstance(error, OSError) else None


def _proxy(target: Target, settings: WebSocketSettings) -> str | None:
    """The proxy for this address, as the environment names it, unless one was set."""
    if settings.proxy is not None:
        return settings.proxy.reveal()
    host = target.url.host or ""
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get("https" if target.url.scheme == "wss" else "http")


def is_loopback(host: str) -> bool:
    """Whether this name means this machine. No name is looked up."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
