"""What each endpoint puts on the wire: method, path, query and headers, and who is let in at our own server."""

from __future__ import annotations

import asyncio
import copy
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import aiohttp
import pytest

from charye.errors import (
    AuthenticationFailed,
    CallNotFound,
    CannotReopen,
    ConfigurationError,
    ConnectionLost,
    SessionExpired,
)
from charye.protocol import AZURE, AZURE_PREVIEW, NO_METADATA, OPENAI
from charye.testing import OfflineServer, offline_server
from charye.transports.base import Endpoint
from charye.transports.endpoints import Azure, Compatible, OpenAI
from charye.transports.greeting import detected, greet
from charye.transports.in_process import InProcess, pair
from charye.transports.secret import Secret
from tests.transports.doors import CREATED, KEY, Door, door, says

VARIABLES = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_DEPLOYMENT",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[OfflineServer]:
    with offline_server(seed=1) as found:
        yield found


def in_time(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await story()

    asyncio.run(main())


def knocked(make: Callable[[Door], Endpoint]) -> aiohttp.web.Request:
    """The request that opening this endpoint makes."""
    found: list[aiohttp.web.Request] = []

    async def story() -> None:
        async with door(says(CREATED)) as there:
            line = await make(there).open()
            assert await greet(line, patience_s=5) == CREATED
            await line.close()
            found.append(there.knock)

    in_time(story)
    (request,) = found
    assert request.method == "GET"
    assert request.headers["Upgrade"] == "websocket"
    assert "Sec-WebSocket-Extensions" not in request.headers  # no compression
    assert "OpenAI-Beta" not in request.headers
    return request


def refused(endpoint: Endpoint) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(endpoint.open())
    return caught.value


# OpenAI


def test_openai() -> None:
    request = knocked(
        lambda there: OpenAI(
            model="gpt-realtime-2.1",
            api_key=KEY,
            organization="org",
            project="proj",
            base_url=f"{there.url}/v1/",
        )
    )
    assert request.path == "/v1/realtime"
    assert dict(request.query) == {"model": "gpt-realtime-2.1"}
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["OpenAI-Organization"] == "org"
    assert request.headers["OpenAI-Project"] == "proj"
    assert OpenAI().name == "openai"
    assert OpenAI().dialect is OPENAI


def test_openai_takes_from_the_environment_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(there: Door) -> Endpoint:
        monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{there.url}/v1")
        monkeypatch.setenv("OPENAI_ORG_ID", "org")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "proj")
        return OpenAI()

    request = knocked(made)
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert (request.headers["OpenAI-Organization"], request.headers["OpenAI-Project"]) == ("org", "proj")


def test_a_function_gives_the_key_anew_for_each_line() -> None:
    where: list[threading.Thread] = []

    def plain() -> str:
        where.append(threading.current_thread())
        return f"ek_{len(where)}"

    async def story() -> None:
        async with door(says(CREATED)) as there:
            endpoint = OpenAI(api_key=plain, base_url=there.url)
            for _ in range(2):
                await (await endpoint.open()).close()
            sent = [knock.headers["Authorization"] for knock in there.knocks]
            assert sent == ["Bearer ek_1", "Bearer ek_2"]
        assert threading.main_thread() not in where  # it may block

    in_time(story)


class Vault:
    async def __call__(self) -> str:
        return "ek_object"


async def from_a_coroutine() -> str:
    return "ek_async"


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        (from_a_coroutine, "ek_async"),
        (Vault(), "ek_object"),
        (partial(from_a_coroutine), "ek_async"),
        (Secret("k"), "k"),
    ],
)
def test_a_key_comes_in_many_ways(key: Any, sent: str) -> None:
    request = knocked(lambda there: OpenAI(api_key=key, base_url=there.url))
    assert request.headers["Authorization"] == f"Bearer {sent}"


def test_what_gives_a_key_must_give_text() -> None:
    error = refused(OpenAI(api_key=lambda: None, base_url="https://api.example"))  # type: ignore[arg-type, return-value]
    assert error.option == "api_key"
    assert refused(OpenAI(api_key=lambda: "", base_url="https://api.example")).option == "api_key"


@pytest.mark.parametrize(
    "url", ["", "api.example", "ftp://api.example", "https://", "https://me:pw@api.example"]
)
def test_an_address_must_be_one(url: str) -> None:
    assert refused(Compatible(url)).option == "url"


# ephemeral tokens and sidebands, at our own server


async def minted(server: OfflineServer) -> str:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.key}"}) as http,
        http.post(f"{server.url}/realtime/client_secrets", json={"session": {"type": "realtime"}}) as answer,
    ):
        found: str = (await answer.json())["value"]
        return found


def test_an_ephemeral_token_lets_in(server: OfflineServer) -> None:
    async def story() -> None:
        token = await minted(server)
        assert token.startswith("ek_")
        line = await OpenAI(api_key=token, base_url=server.url).open()
        assert json.loads(await greet(line, patience_s=5))["type"] == "session.created"
        await line.close()

    in_time(story)


def test_a_token_that_is_over_does_not(server: OfflineServer) -> None:
    # The server forgets a token when it expires (tests/server/test_admission.py), so it is like one it never knew.
    async def story() -> None:
        line = await OpenAI(api_key="ek_of_yesterday", base_url=server.url).open()
        with pytest.raises(AuthenticationFailed) as caught:
            await greet(line, patience_s=5)
        assert caught.value.code == "invalid_api_key"
        with pytest.raises(ConnectionLost):  # whoever is not let in has no line either
            await line.receive()

    in_time(story)


def test_a_sideband_names_its_call_only_and_asks_for_the_session() -> None:
    async def story() -> None:
        async def answer(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
            socket = aiohttp.web.WebSocketResponse()
            await socket.prepare(request)
            asked = await socket.receive_json()  # recorded: nothing comes before
            assert asked == {"type": "session.update", "session": {"type": "realtime"}}
            await socket.send_str('{"type": "session.updated", "session": {"type": "realtime"}}')
            await socket.receive()
            return socket

        async with door(answer) as there:
            for endpoint in (
                OpenAI(call_id="rtc_u1_x", api_key=KEY, base_url=f"{there.url}/v1"),
                Azure(call_id="rtc_u1_x", api_key=KEY, endpoint=there.url),
            ):
                line = await endpoint.open()
                assert b"session.updated" in await greet(line, patience_s=5)
                await line.close()
            assert [dict(knock.query) for knock in there.knocks] == [{"call_id": "rtc_u1_x"}] * 2
            assert [knock.path for knock in there.knocks] == ["/v1/realtime", "/openai/v1/realtime"]

    in_time(story)


def test_our_server_knows_no_call(server: OfflineServer) -> None:
    with pytest.raises(CallNotFound):
        asyncio.run(OpenAI(call_id="rtc_x", api_key=server.key, base_url=server.url).open())


# Azure


def test_azure_ga() -> None:
    request = knocked(lambda there: Azure(endpoint=f"{there.url}/", deployment="voice", api_key=KEY))
    assert request.path == "/openai/v1/realtime"
    assert dict(request.query) == {"model": "voice"}  # an api-version would be answered with 401
    assert request.headers["api-key"] == KEY
    assert "Authorization" not in request.headers
    assert Azure().name == "azure"
    assert Azure().dialect is AZURE


def test_azure_preview() -> None:
    version = "2025-04-01-preview"
    request = knocked(
        lambda there: Azure(endpoint=there.url, deployment="voice", api_key=KEY, api_version=version)
    )
    assert request.path == "/openai/realtime"
    assert dict(request.query) == {"api-version": version, "deployment": "voice"}
    assert request.headers["api-key"] == KEY
    assert Azure(api_version=version).dialect is AZURE_PREVIEW


@pytest.mark.parametrize("pasted", ["/", "/openai", "/openai/v1/"])
def test_azure_takes_the_base_of_the_sdk_as_well(pasted: str) -> None:
    request = knocked(lambda there: Azure(endpoint=f"{there.url}{pasted}", deployment="d", api_key=KEY))
    assert request.path == "/openai/v1/realtime"


def test_azure_behind_a_gateway_with_a_path() -> None:
    request = knocked(lambda there: Azure(endpoint=f"{there.url}/team", deployment="d", api_key=KEY))
    assert request.path == "/team/openai/v1/realtime"


def test_azure_with_a_token() -> None:
    request = knocked(lambda there: Azure(endpoint=there.url, deployment="voice", token=from_a_coroutine))
    assert request.headers["Authorization"] == "Bearer ek_async"
    assert "api-key" not in request.headers


@pytest.mark.parametrize(
    ("environment", "header", "value"),
    [
        ({"AZURE_OPENAI_API_KEY": "k"}, "api-key", "k"),
        ({"AZURE_OPENAI_AD_TOKEN": "t"}, "Authorization", "Bearer t"),
        ({"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_AD_TOKEN": "t"}, "api-key", "k"),
    ],
)
def test_azure_takes_from_the_environment_what_is_not_given(
    environment: dict[str, str], header: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(there: Door) -> Endpoint:
        for name, one in {
            **environment,
            "AZURE_OPENAI_ENDPOINT": there.url,
            "AZURE_OPENAI_DEPLOYMENT": "voice",
        }.items():
            monkeypatch.setenv(name, one)
        return Azure()

    request = knocked(made)
    assert dict(request.query) == {"model": "voice"}
    assert {name for name in ("api-key", "Authorization") if name in request.headers} == {header}
    assert request.headers[header] == value


class Access(NamedTuple):
    token: str
    expires_on: int


class Blocking:
    """As those of azure-identity; one that keeps nothing."""

    def __init__(self, lives_s: float) -> None:
        self.asked: list[tuple[tuple[str, ...], threading.Thread]] = []
        self._lives_s = lives_s

    def get_token(self, *scopes: str) -> Access:
        import time

        self.asked.append((scopes, threading.current_thread()))
        return Access(f"entra-{len(self.asked)}", int(time.time() + self._lives_s))


class Async(Blocking):
    """As those of azure-identity.aio."""

    async def get_token(self, *scopes: str) -> Access:  # type: ignore[override]
        return super().get_token(*scopes)


@pytest.mark.parametrize("kind", [Blocking, Async])
@pytest.mark.parametrize(("lives_s", "sent"), [(3600, ["entra-1", "entra-1"]), (200, ["entra-1", "entra-2"])])
def test_azure_with_a_credential_renews_its_token_in_time(
    kind: type[Blocking], lives_s: float, sent: list[str]
) -> None:
    async def story() -> None:
        credential = kind(lives_s)
        async with door(says(CREATED)) as there:
            endpoint = Azure(endpoint=there.url, deployment="voice", credential=credential)
            for _ in range(2):
                await (await endpoint.open()).close()
            assert [knock.headers["Authorization"] for knock in there.knocks] == [
                f"Bearer {one}" for one in sent
            ]
        scopes, thread = credential.asked[0]
        assert scopes == ("https://cognitiveservices.azure.com/.default",)
        assert (thread is threading.main_thread()) is (kind is Async)

    in_time(story)


def test_the_default_credential_is_made_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import azure.identity

    made: list[Blocking] = []

    def default() -> Blocking:
        made.append(Blocking(3600))
        return made[-1]

    monkeypatch.setattr(azure.identity, "DefaultAzureCredential", default)
    endpoint: list[Azure] = []

    def make(there: Door) -> Endpoint:
        endpoint.append(Azure(endpoint=there.url, deployment="voice", credential="default"))
        assert not made
        return endpoint[0]

    assert knocked(make).headers["Authorization"] == "Bearer entra-1"
    assert len(made) == 1


def test_azure_says_what_contradicts_itself() -> None:
    whole: Any = {"endpoint": "https://azure.example", "deployment": "voice"}
    assert refused(Azure(**whole, api_key=KEY, token=KEY)).option == "api_key"
    assert refused(Azure(**whole, api_key=KEY, credential=Blocking(1))).option == "api_key"
    assert refused(Azure(**whole, api_key=KEY, api_version="v", call_id="c")).option == "api_version"
    assert refused(Azure(**whole, credential="defualt")).option == "credential"
    assert refused(Azure(deployment="voice", api_key=KEY)).option == "endpoint"
    assert refused(Azure(endpoint="https://azure.example", api_key=KEY)).option == "deployment"


# compatible


def test_compatible() -> None:
    request = knocked(
        lambda there: Compatible(
            f"{there.url}/v1?a=b", model="m", api_key=KEY, headers={"X-Tenant": "t"}, query={"c": "d"}
        )
    )
    assert request.path == "/v1/realtime"
    assert dict(request.query) == {"a": "b", "model": "m", "c": "d"}
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["X-Tenant"] == "t"


def test_compatible_takes_an_address_as_it_is_and_sends_no_key_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    request = knocked(lambda there: Compatible(f"{there.url}/socket"))
    assert (request.path, dict(request.query)) == ("/socket", {})
    assert "Authorization" not in request.headers


def test_compatible_knows_dialects_by_name() -> None:
    assert Compatible("ws://h", dialect="no-metadata").dialect is NO_METADATA
    assert Compatible("ws://h").dialect is None
    with pytest.raises(ConfigurationError) as caught:
        Compatible("ws://h", api_key=KEY, dialect="klingon")
    assert caught.value.option == "dialect"
    assert refused(Compatible("ws://h", headers={"X": "a\nb"})).option == "headers"


# all of them, at our own server


@pytest.mark.parametrize("which", ["openai", "azure", "azure-preview", "compatible"])
def test_our_server_lets_each_of_them_in(which: str, server: OfflineServer) -> None:
    origin = server.url.removesuffix("/v1")
    endpoints: dict[str, Endpoint] = {
        "openai": OpenAI(api_key=server.key, base_url=server.url),
        "azure": Azure(endpoint=origin, deployment="d", api_key=server.key),
        "azure-preview": Azure(
            endpoint=origin, deployment="d", api_key=server.key, api_version="2025-04-01-preview"
        ),
        "compatible": Compatible(server.url, api_key=server.key),
    }
    endpoint = endpoints[which]
    assert isinstance(endpoint, Endpoint)

    async def story() -> None:
        line = await endpoint.open()
        first = await greet(line, patience_s=5)
        shape = (endpoint.dialect or detected(first)).shape
        assert detected(first).shape is shape
        await line.send(b'{"type": "response.create"}')
        while json.loads(await line.receive())["type"] != "response.done":
            pass
        await line.close()

    in_time(story)


def test_a_session_that_expires_is_told_from_one_that_is_lost() -> None:
    async def story(server: OfflineServer) -> None:
        line = await OpenAI(api_key=server.key, base_url=server.url).open()
        await greet(line, patience_s=5)
        await asyncio.to_thread(server.skip, 3600)
        assert json.loads(await line.receive())["error"]["code"] == "session_expired"
        with pytest.raises(SessionExpired) as caught:
            await line.receive()
        assert caught.value.close_code == 1001
        assert caught.value.is_retryable
        await line.close()

    with offline_server() as server:
        in_time(lambda: story(server))


# in process


def test_an_end_that_is_there_can_be_opened_once_and_what_makes_one_again() -> None:
    async def story() -> None:
        end, _ = pair()
        given = InProcess(end)
        assert await given.open() is end
        with pytest.raises(CannotReopen):
            await given.open()

        async def make_later() -> Any:
            return pair()[0]

        for made in (InProcess(lambda: pair()[0]), InProcess(make_later)):
            assert await made.open() is not await made.open()
        assert isinstance(given, Endpoint)
        assert given.dialect is OPENAI

    in_time(story)


def test_endpoints_are_frozen_and_show_no_secret() -> None:
    for endpoint in (
        OpenAI(api_key=KEY, base_url=f"https://h/?k={KEY}"),
        Azure(endpoint=f"https://h/?k={KEY}", api_key=KEY),
        Azure(token=KEY),
        Compatible(f"wss://h?key={KEY}", api_key=KEY, headers={"X": KEY}, query={"k": KEY}),
    ):
        for shown in (repr(endpoint), str(endpoint), f"{endpoint}", repr(copy.deepcopy(endpoint))):
            assert KEY not in shown
        with pytest.raises(AttributeError):
            endpoint.socket = None  # type: ignore[misc, assignment]
