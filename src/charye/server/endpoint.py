"""Other people's HTTP endpoints in OpenAI's manner: one client, and their refusals in our words.

Shared by the voice and the recogniser that live elsewhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from charye.errors import (
    AuthenticationFailed,
    CharyeError,
    ConfigurationError,
    EndpointNotFound,
    HostUnreachable,
    MissingExtra,
    ModelUnavailable,
    QuotaExhausted,
    ServerError,
)

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["Endpoint"]

_ERROR_BYTES = 64 * 1024


class Endpoint:
    """One base URL with its key. The connection is opened when first needed and kept; `aclose` gives it back.

    Args:
        base_url: up to and without the path of the function, such as ``http://localhost:8000/v1``.
        api_key: sent as a bearer token; None sends none.
        connect_s: longest wait for a connection, in seconds.
        silence_s: longest wait for the next bytes.

    Raises:
        MissingExtra: aiohttp is not installed.
        ConfigurationError: `base_url` is no http address.
    """

    def __init__(
        self, base_url: str, *, api_key: str | None = None, connect_s: float = 10.0, silence_s: float = 30.0
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError("the base URL must begin with http:// or https://", option="base_url")
        self.host: str = parts.hostname
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.aiohttp: Any = _aiohttp()
        self._timeout = self.aiohttp.ClientTimeout(total=None, sock_connect=connect_s, sock_read=silence_s)
        self._client: Any = None

    def post(self, path: str, **content: Any) -> Any:
        """Aiohttp's context manager of a response; `content` is what its `post` takes. Wrap it with `translated`."""
        if self._client is None:
            self._client = self.aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self._client.post(self._base + path, **content)

    async def check(self, response: Any, *, model: str) -> None:
        """Raise the error that fits a refusal.

        Raises:
            AuthenticationFailed, ModelUnavailable, EndpointNotFound, QuotaExhausted, ServerError
        """
        if response.status < 400:
            return
        code, message = _explained(await response.content.read(_ERROR_BYTES))
        status: int = response.status
        if status in {401, 403}:
            raise AuthenticationFailed(host=self.host, status=status, code=code)
        if status == 404 and code and "model" in code:
            raise ModelUnavailable(model=model, host=self.host, status=status, code=code)
        if status == 404:
            raise EndpointNotFound(host=self.host, status=status, code=code)
        if status == 402 or code == "insufficient_quota":
            raise QuotaExhausted(code=code)
        raise ServerError(error_type=f"http_{status}", code=code, private_message=message)

    def translated(self, error: Exception) -> CharyeError:
        """Aiohttp's own errors in our words; to be raised ``from`` the original."""
        del error  # whatever went wrong below HTTP, the advice is the same
        return HostUnreachable(host=self.host)

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What to catch around a response, for `translated`."""
        return (self.aiohttp.ClientError, TimeoutError, OSError)

    async def aclose(self) -> None:
        """Close the connections. May be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _explained(body: bytes) -> tuple[str | None, str | None]:
    try:
        error = json.loads(body)["error"]
        code, message = error.get("code") or error.get("type"), error.get("message")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, body.decode(errors="replace")
    return (str(code) if code else None), (str(message) if message else None)


def _aiohttp() -> ModuleType:
    try:
        import aiohttp
    except ImportError as error:
        raise MissingExtra(feature="a speech endpoint", extra="server") from error
    return aiohttp
