"""Where a key or token comes from: given as it is, fetched by a function, or from an Azure credential.

Asked for anew each time a line is opened: a token that was good an hour ago is not good for the reconnect.
"""

import asyncio
import inspect
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from charye.errors import AuthenticationFailed, ConfigurationError, ConnectionFailed, MissingExtra
from charye.transports.secret import Secret

__all__ = ["EntraToken", "Key", "TokenCredential", "kept", "revealed"]

Key = str | Secret | Callable[[], str | Awaitable[str]]
"""A key, or what gives one. A plain function runs in a thread, because it may block."""

ENTRA_SCOPE = "https://cognitiveservices.azure.com/.default"
"""Source: Azure's documentation of the Realtime API; `https://ai.azure.com/.default` is taken as well."""

_MARGIN_S = 300.0  # as azure-identity itself: a token that is older than this is renewed


@runtime_checkable
class TokenCredential(Protocol):
    """A credential of azure-identity, the blocking or the async kind."""

    def get_token(self, *scopes: str) -> Any:
        """An object with `token` and `expires_on` (Unix seconds), or a coroutine of it."""
        ...


def kept(key: Key | None) -> Key | None:
    """The same, fit to be held: a text becomes a `Secret`. An empty one counts as not given."""
    return (Secret(key) if key.strip() else None) if isinstance(key, str) else key


async def revealed(key: Key | None, *, option: str, variable: str, host: str | None = None) -> Secret:
    """The key for one line.

    Args:
        key: None: that of the environment.
        option: how it is given; for the error.
        variable: of the environment.

    Raises:
        ConfigurationError: there is none, or it cannot be one.
        AuthenticationFailed: an Azure credential was refused; its own error is the cause.
        ConnectionFailed: what gives it failed in another way.
    """
    if key is None:
        secret = Secret(os.environ.get(variable, ""))
        if not secret.is_sendable:
            raise ConfigurationError("no usable key was given", option=option, variable=variable)
        return secret
    if isinstance(key, str):
        key = Secret(key)
    secret = key if isinstance(key, Secret) else await _fetched(key, option=option, host=host)
    if not secret.is_sendable:
        raise ConfigurationError("the key is empty, or no header can carry it", option=option)
    return secret


async def _fetched(key: Callable[[], str | Awaitable[str]], *, option: str, host: str | None) -> Secret:
    failed: Exception | None = None
    try:
        return await _called(key, option)
    except (ConfigurationError, MissingExtra):
        raise
    except Exception as error:  # noqa: BLE001  (whatever another's function raises means that there is no key)
        # Without its frames: those of a credential hold its secrets.
        failed = error.with_traceback(None)
        failed.__context__ = failed.__cause__ = None
    azure = sys.modules.get("azure.core.exceptions")
    refused = azure is not None and isinstance(failed, azure.ClientAuthenticationError)
    raise (AuthenticationFailed if refused else ConnectionFailed)(host=host) from failed


async def _called(key: Callable[[], str | Awaitable[str]], option: str) -> Secret:
    # An object with an async `__call__` is async as well.
    is_async = inspect.iscoroutinefunction(key) or inspect.iscoroutinefunction(type(key).__call__)
    found = key() if is_async else await asyncio.to_thread(key)
    if inspect.isawaitable(found):
        found = await found
    if not isinstance(found, str):
        raise ConfigurationError("what gives the key gave no text", option=option)
    return Secret(found)


@dataclass(slots=True, eq=False)
class EntraToken:
    """Tokens of a credential, as a function that gives a key.

    Args:
        credential: of azure-identity, or `default`: then `DefaultAzureCredential` is made when it is first needed.
    """

    credential: TokenCredential | str = field(repr=False)
    scope: str = ENTRA_SCOPE
    _token: Secret | None = field(default=None, init=False)
    _until_unix_s: float = field(default=0.0, init=False)

    @classmethod
    def over(cls, credential: "TokenCredential | EntraToken | str") -> "EntraToken":
        """The same, if it is one already: a copy of an endpoint keeps the token."""
        return credential if isinstance(credential, EntraToken) else cls(credential)

    async def __call__(self) -> str:
        """A token that is good for five minutes at least. Most credentials keep them as well; not all.

        Raises:
            MissingExtra: azure-identity is not installed.
            ConfigurationError: the credential is none.
        """
        if self._token is None or time.time() > self._until_unix_s - _MARGIN_S:
            credential = await asyncio.to_thread(self._made)
            if inspect.iscoroutinefunction(credential.get_token):
                access = await credential.get_token(self.scope)
            else:
                access = await asyncio.to_thread(credential.get_token, self.scope)
            self._token, self._until_unix_s = Secret(access.token), float(access.expires_on)
        return self._token.reveal()

    def _made(self) -> TokenCredential:
        if self.credential == "default":
            try:
                from azure.identity import DefaultAzureCredential
            except ImportError:
                raise MissingExtra(feature="a token of Azure", extra="azure") from None
            self.credential = DefaultAzureCredential()
        if isinstance(self.credential, str):
            raise ConfigurationError(
                "the credential is 'default' or an object with get_token", option="credential"
            )
        return self.credential
