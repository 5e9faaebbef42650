"""Where a session is, and who asks for it: OpenAI, Azure OpenAI, or whatever speaks the same.

Frozen; a `repr` shows no secret. What is not given is looked up in the environment when a line is opened, under the
names that the provider's own SDK uses. `charye.transports.settings.endpoint` chooses one of these by configuration.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from yarl import URL

from charye.errors import ConfigurationError, ConnectionLost
from charye.protocol import AZURE, AZURE_PREVIEW, DIALECTS, OPENAI, Dialect
from charye.transports.base import Line
from charye.transports.credentials import EntraToken, Key, TokenCredential, kept, revealed
from charye.transports.dialling import Target, dial
from charye.transports.secret import Secret
from charye.transports.websocket import WebSocketSettings

__all__ = ["Azure", "Compatible", "OpenAI"]

OPENAI_URL = "https://api.openai.com/v1"

# Recorded sessions: on a sideband nothing comes until somebody speaks, so nothing would ever prove that we are let in.
# API reference, `session.update`: what is absent stays as it is, and the answer is the whole session.
_ASK_FOR_THE_SESSION = b'{"type":"session.update","session":{"type":"realtime"}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAI:
    """The OpenAI API, `/v1/realtime`.

    Args:
        model: not sent together with `call_id`.
        api_key: a key, an ephemeral token (`ek_...`), or a function that gives one, plain or async. None:
            `OPENAI_API_KEY`.
        organization: None: `OPENAI_ORG_ID`.
        project: None: `OPENAI_PROJECT_ID`.
        base_url: as the SDK takes it. None: `OPENAI_BASE_URL`, or OpenAI itself.
        call_id: of a WebRTC or SIP call: join its session beside the media (sideband).
    """

    model: str = "gpt-realtime"
    api_key: Key | None = field(default=None, repr=False)
    organization: str | None = None
    project: str | None = None
    base_url: str | None = field(default=None, repr=False)
    call_id: str | None = None
    socket: WebSocketSettings = field(default_factory=WebSocketSettings, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_key", kept(self.api_key))

    @property
    def name(self) -> str:
        """`openai`."""
        return "openai"

    @property
    def dialect(self) -> Dialect:
        """That of OpenAI."""
        return OPENAI

    async def open(self) -> Line:
        """See `Endpoint`."""
        host = self._base().host
        bearer = await revealed(self.api_key, option="api_key", variable="OPENAI_API_KEY", host=host)
        return await _opened(self._target(bearer), self.socket, self.call_id)

    def _base(self) -> URL:
        return _url(self.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL, "base_url")

    def _target(self, bearer: Secret) -> Target:
        return Target(
            _below(self._base(), "realtime").update_query(_who(self.call_id, model=self.model)),
            {
                **_given("OpenAI-Organization", self.organization or os.environ.get("OPENAI_ORG_ID")),
                **_given("OpenAI-Project", self.project or os.environ.get("OPENAI_PROJECT_ID")),
            },
            bearer,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Azure:
    """Azure OpenAI: GA at `/openai/v1/realtime`, or the preview at `/openai/realtime`.

    Args:
        endpoint: of the resource, `https://<name>.openai.azure.com`. None: `AZURE_OPENAI_ENDPOINT`.
        deployment: its name; on Azure this is the model. None: `AZURE_OPENAI_DEPLOYMENT`. Not sent with `call_id`.
        api_key: None, without `token` and `credential`: `AZURE_OPENAI_API_KEY`.
        token: an Entra token instead of a key, or a function that gives one, plain or async.
        credential: of azure-identity, or `default` for `DefaultAzureCredential`; tokens are renewed before they expire.
        api_version: asks for the preview, and only the preview takes one: GA answers 401 to it (API reference).
        call_id: of a call: join its session beside the media. GA only.
    """

    endpoint: str | None = field(default=None, repr=False)
    deployment: str | None = None
    api_key: Key | None = field(default=None, repr=False)
    token: Key | None = field(default=None, repr=False)
    credential: TokenCredential | EntraToken | str | None = field(default=None, repr=False)
    api_version: str | None = None
    call_id: str | None = None
    socket: WebSocketSettings = field(default_factory=WebSocketSettings, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_key", kept(self.api_key))
        object.__setattr__(self, "token", kept(self.token))
        if self.credential is not None:
            object.__setattr__(self, "credential", EntraToken.over(self.credential))

    @property
    def name(self) -> str:
        """`azure`."""
        return "azure"

    @property
    def dialect(self) -> Dialect:
        """GA, or with an `api_version` that of the preview."""
        return AZURE if self.api_version is None else AZURE_PREVIEW

    async def open(self) -> Line:
        """See `Endpoint`."""
        # Not when it is made: the error would show the variables of the generated `__init__`, and among them the key.
        if sum(given is not None for given in (self.api_key, self.token, self.credential)) > 1:
            raise ConfigurationError("give one of api_key, token and credential", option="api_key")
        if self.api_version is not None and self.call_id is not None:
            raise ConfigurationError(
                "the preview has no sideband; leave api_version out", option="api_version"
            )
        resource = self._resource()
        deployment = "" if self.call_id else _needed(self.deployment, "deployment", "AZURE_OPENAI_DEPLOYMENT")
        if self.api_version is None:
            url = _below(resource, "openai/v1/realtime").update_query(_who(self.call_id, model=deployment))
        else:
            query = {"api-version": self.api_version, "deployment": deployment}
            url = _below(resource, "openai/realtime").update_query(query)
        return await _opened(await self._target(url), self.socket, self.call_id)

    def _resource(self) -> URL:
        """The address of the resource, or of a gateway with a path before it; the base of the SDK is taken as well."""
        url = _url(_needed(self.endpoint, "endpoint", "AZURE_OPENAI_ENDPOINT"), "endpoint")
        return url.with_path(url.path.removesuffix("/v1").removesuffix("/openai"))

    async def _target(self, url: URL) -> Target:
        """With the one header that says who asks. Of the environment a key goes before a token."""
        token = self.credential if isinstance(self.credential, EntraToken) else self.token
        key_variable, token_variable = "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"
        if token is None and self.api_key is None and not os.environ.get(key_variable):
            is_token = bool(os.environ.get(token_variable))
        else:
            is_token = token is not None
        if is_token:
            bearer = await revealed(token, option="token", variable=token_variable, host=url.host)
            return Target(url, bearer=bearer)
        key = await revealed(self.api_key, option="api_key", variable=key_variable, host=url.host)
        return Target(url, {"api-key": key})


@dataclass(frozen=True, slots=True, init=False)
class Compatible:
    """Another server that speaks the protocol, such as `charye serve` or a gateway.

    Args:
        url: of the endpoint itself, or of the API as SDKs take it: if it ends in `/v1`, `/realtime` is added.
        model: in the query, if the server asks for one.
        api_key: as a bearer token. None: none is sent.
        dialect: how it speaks, or the name of that; None: its first event tells the generation, and beyond that the
            weakest promises are assumed.
        headers: besides; shown nowhere.
        query: besides; shown nowhere.

    Raises:
        ConfigurationError: there is no dialect of this name.
    """

    url: str = field(repr=False)
    model: str | None
    api_key: Key | None = field(repr=False)
    dialect: Dialect | None
    headers: Mapping[str, Secret] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    socket: WebSocketSettings = field(repr=False)

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key: Key | None = None,
        dialect: Dialect | str | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        query: Mapping[str, str] | None = None,
        socket: WebSocketSettings | None = None,
    ) -> None:
        # Written out, because what takes a name must also give a `Dialect`. Keys are put out of sight first: an error
        # below would show the variables of this frame.
        api_key = kept(api_key)
        headers = {
            name: value if isinstance(value, Secret) else Secret(value)
            for name, value in (headers or {}).items()
        }
        spoken = DIALECTS.get(dialect) if isinstance(dialect, str) else dialect
        values = (url, model, api_key, spoken, headers, dict(query or {}), socket or WebSocketSettings())
        for one, value in zip(fields(self), values, strict=True):
            object.__setattr__(self, one.name, value)
        # Last, because the traceback shows this object, and it must be whole for that.
        if isinstance(dialect, str) and spoken is None:
            raise ConfigurationError("there is no such dialect", option="dialect", there_are=list(DIALECTS))

    @property
    def name(self) -> str:
        """`compatible`."""
        return "compatible"

    async def open(self) -> Line:
        """See `Endpoint`."""
        for header, value in self.headers.items():
            if not value.is_sendable:
                raise ConfigurationError("no header can carry this value", option="headers", header=header)
        bearer = None
        if self.api_key is not None:
            host = _url(self.url, "url").host
            bearer = await revealed(self.api_key, option="api_key", variable="", host=host)
        return await _opened(self._target(bearer), self.socket, None)

    def _target(self, bearer: Secret | None) -> Target:
        url = _url(self.url, "url")
        if url.path.endswith("/v1"):
            url = _below(url, "realtime")
        query = dict(self.query) if self.model is None else {"model": self.model, **self.query}
        return Target(url.update_query(query), self.headers, bearer)


async def _opened(target: Target, socket: WebSocketSettings, call_id: str | None) -> Line:
    line = await dial(target, socket)
    if call_id is not None:
        with contextlib.suppress(ConnectionLost):  # then the greeting says why
            await line.send(_ASK_FOR_THE_SESSION)
    return line


def _who(call_id: str | None, *, model: str) -> dict[str, str]:
    """The query. API reference: a sideband names its call and no model."""
    return {"call_id": call_id} if call_id is not None else {"model": model}


def _given(name: str, value: str | None) -> dict[str, str]:
    return {name: value} if value else {}


def _needed(value: str | None, option: str, variable: str) -> str:
    found = value or os.environ.get(variable)
    if not found:
        raise ConfigurationError("a setting is missing", option=option, variable=variable)
    return found


def _url(text: str, option: str) -> URL:
    """An address. Without `/` at its end; a `/` before the next part would be doubled."""
    url = _parsed(text)
    if url is None:
        del text  # a key may be in it, and the error shows the variables of this frame
        raise ConfigurationError("the address must be like wss://host/path", option=option)
    return url.with_path(url.path.rstrip("/") or "/", keep_query=True)


def _below(url: URL, part: str) -> URL:
    """The next part of the path; unlike `/` it keeps the query."""
    return url.with_path(f"{url.path.rstrip('/')}/{part}", keep_query=True)


def _parsed(text: str) -> URL | None:
    try:
        url = URL(text.strip())
    except ValueError:
        return None
    return url if url.host else None
