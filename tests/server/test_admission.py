"""Who may come in, by which path, with which key; and the tokens for those who must not know it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from charye.protocol import Shape
from charye.server.admission import Admission, Admitted, Door, Knock, NotFound, TurnedAway, key_of
from charye.server.client_secrets import ClientSecrets, Secret
from charye.server.ids import Ids
from charye.server.refusals import Refused

KEYS = frozenset({"sk-good-key-1234"})
GOOD = {"authorization": "Bearer sk-good-key-1234"}


def secrets() -> ClientSecrets:
    return ClientSecrets(Ids(random.Random(1)), max_secrets=2)


def knock(
    path: str = "/v1/realtime",
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    protocols: tuple[str, ...] = (),
) -> Knock:
    return Knock(path=path, query=query or {}, headers=headers or {}, protocols=protocols)


def opened(door: Door, asked: Knock, tokens: ClientSecrets | None = None, unix_s: float = 1000) -> Admission:
    return door.open(asked, tokens or secrets(), unix_s=unix_s)


@pytest.mark.parametrize(
    "asked",
    [
        knock(headers=GOOD),
        knock(headers={"authorization": "bearer  sk-good-key-1234 "}),
        knock(headers={"api-key": "sk-good-key-1234"}),
        knock(query={"api-key": "sk-good-key-1234"}),
        knock(protocols=("realtime", "openai-insecure-api-key.sk-good-key-1234", "sdk.1")),
        knock("/openai/v1/realtime", headers={"api-key": "sk-good-key-1234"}),
    ],
)
def test_a_key_may_come_in_several_ways(asked: Knock) -> None:
    assert key_of(asked) == "sk-good-key-1234"
    assert isinstance(opened(Door(api_keys=KEYS), asked), Admitted)


def test_azure_takes_no_key_in_a_subprotocol() -> None:
    asked = knock("/openai/v1/realtime", protocols=("openai-insecure-api-key.sk-good-key-1234",))
    assert key_of(asked) is None


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}])
def test_a_wrong_key_is_turned_away_with_3000(headers: dict[str, str]) -> None:
    found = opened(Door(api_keys=KEYS), knock(headers=headers))
    assert isinstance(found, TurnedAway)
    assert (found.close.code, found.close.reason) == (3000, "invalid_request_error.invalid_api_key")


def test_without_keys_everybody_is_let_in() -> None:
    assert isinstance(opened(Door(), knock()), Admitted)


@pytest.mark.parametrize(
    ("asked", "shape", "name"),
    [
        (knock(), Shape.GA, "openai"),
        (knock(headers={"openai-beta": "realtime=v1"}), Shape.PREVIEW, "openai-preview"),
        (knock(protocols=("realtime", "openai-beta.realtime-v1")), Shape.PREVIEW, "openai-preview"),
        (knock("/openai/v1/realtime", {"model": "d"}), Shape.GA, "azure"),
        (knock("/openai/realtime", {"api-version": "2025-04-01-preview", "deployment": "d"}),
         Shape.PREVIEW, "azure-preview"),
    ],
)  # fmt: skip
def test_the_generation_is_chosen_by_path_header_or_subprotocol(
    asked: Knock, shape: Shape, name: str
) -> None:
    found = opened(Door(), asked)
    assert isinstance(found, Admitted)
    assert (found.settings.dialect.shape, found.settings.dialect.name) == (shape, name)


def test_the_beta_may_be_turned_away_as_openai_does() -> None:
    found = opened(Door(refuse_beta=True), knock(headers={"openai-beta": "realtime=v1"}))
    assert isinstance(found, TurnedAway)
    assert (found.close.code, found.close.reason) == (4000, "invalid_request_error.beta_api_shape_disabled")
    azure = knock("/openai/realtime", {"api-version": "2024-10-01-preview"})
    assert isinstance(opened(Door(refuse_beta=True), azure), Admitted)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (knock(query={"call_id": "rtc_x"}), 404),
        (knock("/openai/v1/realtime", {"model": "d", "api-version": "x"}), 401),
        (knock("/openai/realtime", {"deployment": "d"}), 400),
    ],
)
def test_what_is_wrong_about_the_address_is_an_http_status(asked: Knock, status: int) -> None:
    found = opened(Door(), asked)
    assert isinstance(found, NotFound)
    assert found.status == status


@pytest.mark.parametrize(
    ("query", "model"),
    [({"model": "a"}, "a"), ({"deployment": "b", "api-version": "x"}, "b"), ({}, "gpt-realtime")],
)
def test_the_model_is_that_of_the_address(query: dict[str, str], model: str) -> None:
    found = opened(Door(), knock("/openai/realtime" if "deployment" in query else "/v1/realtime", query))
    assert isinstance(found, Admitted)
    assert found.settings.model == model


def test_a_model_that_is_not_served_is_turned_away_with_4000() -> None:
    found = opened(Door(models=frozenset({"gpt-realtime"})), knock(query={"model": "gpt-9"}))
    assert isinstance(found, TurnedAway)
    assert found.close.reason == "invalid_request_error.model_not_found"


def test_transcription_may_be_the_intent() -> None:
    found = opened(Door(), knock(query={"intent": "transcription"}))
    assert isinstance(found, Admitted)
    assert found.settings.session == {"type": "transcription"}


# client secrets


def minted(tokens: ClientSecrets, **request: Any) -> Secret:
    return tokens.mint(request, default_model="gpt-realtime", unix_s=1000)


def test_a_client_secret_opens_sessions_until_it_expires_and_brings_its_settings() -> None:
    tokens = secrets()
    session = {"type": "realtime", "model": "gpt-realtime-2.1", "audio": {"output": {"voice": "marin"}}}
    secret = minted(tokens, expires_after={"anchor": "created_at", "seconds": 60}, session=session)
    assert secret.value.startswith("ek_")
    assert secret.expires_at == 1060
    assert secret.effective.expires_at == 0
    asked = knock(headers={"authorization": f"Bearer {secret.value}"}, query={"model": "another"})
    for _ in range(2):
        found = opened(Door(api_keys=KEYS), asked, tokens, 1059)
        assert isinstance(found, Admitted)
        assert found.settings.model == "gpt-realtime-2.1"
        assert found.settings.session == session
    for door in (Door(api_keys=KEYS), Door()):
        assert isinstance(opened(door, asked, tokens, 1060), TurnedAway)


def test_a_client_secret_has_defaults() -> None:
    secret = minted(secrets())
    assert secret.expires_at == 1600
    assert secret.effective.model == "gpt-realtime"


def test_only_so_many_are_open_at_once() -> None:
    tokens = secrets()
    minted(tokens)
    minted(tokens)
    with pytest.raises(Refused):
        minted(tokens)
    assert tokens.mint({}, default_model="m", unix_s=1601).value


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"expires_after": {"seconds": 9}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "expires_after.seconds"),
        ({"expires_after": {"anchor": "now"}}, "expires_after.anchor"),
        ({"x": 1}, "x"),
        ({"session": {"type": "realtime", "x": 1}}, "session.x"),
        ({"session": {"type": "realtime", "tools": [{"type": "function", "name": "f", "parameters": 5}]}},
         "session.tools[0].parameters"),
        ([], ""),
    ],
)  # fmt: skip
def test_a_bad_request_for_a_secret_is_refused_by_name(request_: Any, param: str) -> None:
    with pytest.raises(Refused) as caught:
        secrets().mint(request_, default_model="m", unix_s=0)
    assert caught.value.param == param
