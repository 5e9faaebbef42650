"""Arguments, then the environment, then the file; and what is missing is named."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from charye.errors import ConfigurationError
from charye.protocol import NO_METADATA
from charye.transports.endpoints import Azure, Compatible, OpenAI
from charye.transports.secret import Secret
from charye.transports.settings import FILE, endpoint
from charye.transports.websocket import WebSocketSettings
from tests.transports.doors import KEY

AZURE_FILE = f"""
[connect]
provider = "azure"
endpoint = "https://file.example"
deployment = "file"
api_key = "{KEY}"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, and an empty environment."""
    import os

    for name in list(os.environ):
        if name.startswith(("OPENAI_", "AZURE_", "CHARYE_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(*args: Any, **given: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        endpoint(*args, **given)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    # The test itself is a caller who holds the key; everything below must not show it.
    assert KEY not in shown.partition("charye/transports/settings.py")[2]
    return caught.value


def test_arguments_are_enough() -> None:
    assert endpoint("openai", api_key=KEY, model="m") == OpenAI(api_key=KEY, model="m")
    made = endpoint("azure", endpoint="https://h", deployment="d", token=KEY, api_version=None)
    assert made == Azure(endpoint="https://h", deployment="d", token=KEY)
    assert endpoint("compatible", url="ws://h", dialect="no-metadata").dialect is NO_METADATA
    socket = WebSocketSettings(allow_insecure=True)
    assert endpoint("compatible", url="ws://h", socket=socket) == Compatible("ws://h", socket=socket)


@pytest.mark.parametrize(
    ("environment", "made"),
    [
        (
            {
                "OPENAI_API_KEY": "k",
                "OPENAI_BASE_URL": "https://h/v1",
                "OPENAI_ORG_ID": "o",
                "OPENAI_PROJECT_ID": "p",
            },
            OpenAI(api_key="k", base_url="https://h/v1", organization="o", project="p"),
        ),
        ({"OPENAI_API_KEY": "k", "CHARYE_MODEL": "m"}, OpenAI(api_key="k", model="m")),
        (
            {
                "AZURE_OPENAI_ENDPOINT": "https://h",
                "AZURE_OPENAI_DEPLOYMENT": "d",
                "AZURE_OPENAI_API_KEY": "k",
            },
            Azure(endpoint="https://h", deployment="d", api_key="k"),
        ),
        (
            {
                "AZURE_OPENAI_ENDPOINT": "https://h",
                "AZURE_OPENAI_DEPLOYMENT": "d",
                "AZURE_OPENAI_AD_TOKEN": "t",
                "OPENAI_API_VERSION": "2025-04-01-preview",
            },
            Azure(endpoint="https://h", deployment="d", token="t", api_version="2025-04-01-preview"),
        ),
        (
            {"CHARYE_URL": "ws://h", "CHARYE_API_KEY": "k", "CHARYE_MODEL": "m", "CHARYE_DIALECT": "azure"},
            Compatible("ws://h", api_key="k", model="m", dialect="azure"),
        ),
        (
            {"CHARYE_PROVIDER": "openai", "OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://h"},
            OpenAI(api_key="k"),
        ),
    ],
)
def test_the_environment_is_enough(
    environment: dict[str, str], made: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert endpoint() == made


def test_a_version_for_other_apis_does_not_ask_for_the_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    made = endpoint("azure", endpoint="https://h", deployment="d", api_key="k")
    assert made == Azure(endpoint="https://h", deployment="d", api_key="k")


def test_the_file_is_enough(folder: Path) -> None:
    (folder / FILE).write_text(AZURE_FILE)
    assert endpoint() == Azure(endpoint="https://file.example", deployment="file", api_key=KEY)


def test_the_file_may_be_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "other.toml").write_text(
        '[connect]\nurl = "ws://h"\nprovider = "compatible"\n[connect.headers]\nX = "y"\n'
    )
    monkeypatch.setenv("CHARYE_CONFIG", str(folder / "other.toml"))
    assert endpoint() == Compatible("ws://h", headers={"X": "y"})
    monkeypatch.setenv("CHARYE_CONFIG", "nowhere.toml")
    assert vars(refused())["file"] == "nowhere.toml"


def test_arguments_go_before_the_environment_and_that_before_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / FILE).write_text(AZURE_FILE)
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "environment")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://environment")
    made = endpoint(deployment="argument")
    assert made == Azure(endpoint="https://environment", deployment="argument", api_key=KEY)


def test_who_asks_comes_from_one_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / FILE).write_text(AZURE_FILE)
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "environment")
    made = endpoint()
    assert isinstance(made, Azure)
    assert (made.api_key, made.token) == (None, Secret("environment"))
    assert endpoint(api_key="k") == Azure(endpoint="https://file.example", deployment="file", api_key="k")


def test_another_provider_than_that_of_the_file(folder: Path) -> None:
    (folder / FILE).write_text(AZURE_FILE)
    assert endpoint("openai", api_key="k") == OpenAI(api_key="k")


@pytest.mark.parametrize(
    ("args", "given", "option"),
    [
        ((), {}, "provider"),
        (("openay",), {}, "provider"),
        (("openai",), {}, "api_key"),
        (("openai",), {"api_key": " "}, "api_key"),
        (("azure",), {"deployment": "d", "api_key": KEY}, "endpoint"),
        (("azure",), {"endpoint": "https://h", "api_key": KEY}, "deployment"),
        (("azure",), {"endpoint": "https://h", "deployment": "d"}, "api_key"),
        (("compatible",), {"api_key": KEY}, "url"),
        (("compatible",), {"url": "ws://h", "dialect": "klingon", "api_key": KEY}, "dialect"),
        (("openai",), {"api_key": KEY, "deployment": "d"}, "deployment"),
    ],
)
def test_what_is_missing_or_unknown_is_named(
    args: tuple[str, ...], given: dict[str, Any], option: str
) -> None:
    assert refused(*args, **given).option == option


def test_it_says_where_a_missing_one_can_be_given() -> None:
    where = vars(refused("azure", endpoint="https://h", api_key="k"))["where"]
    assert where == (
        "the argument deployment, the variable AZURE_OPENAI_DEPLOYMENT, or deployment under [connect] in charye.toml"
    )


def test_a_sideband_needs_no_deployment() -> None:
    assert endpoint("azure", endpoint="https://h", api_key="k", call_id="c") == Azure(
        endpoint="https://h", api_key="k", call_id="c"
    )


def test_two_providers_in_the_environment_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://h")
    assert vars(refused())["variables"] == ["AZURE_OPENAI_ENDPOINT", "OPENAI_API_KEY"]


@pytest.mark.parametrize(
    ("text", "option"),
    [
        (f'[connect]\nprovider = "openai"\napi_key = "{KEY}"\nmodle = "m"\n', "modle"),
        (f'[connect]\nprovider = "openai"\napi_key = "{KEY}"\nendpoint = "https://h"\n', "endpoint"),
        (f'[connect]\nprovider = "openai"\napi_key = "{KEY}"\nmodel = 4\n', "model"),
        ('[connect]\nprovider = "compatible"\nurl = "ws://h"\nheaders = "X: y"\n', "headers"),
        (f'provider = "openai"\napi_key = "{KEY}"\n', "provider"),
        (f'[conect]\napi_key = "{KEY}"\n', "conect"),
        (f'[connect]\nurl = "ws://h"\nheaders = {{ X = "{KEY}", Y = 3 }}\n', "headers"),
        ("connect = 3\n", "connect"),
        (f'[connect]\napi_key = "{KEY}\n', None),
    ],
)
def test_a_mistake_in_the_file_names_file_and_key(text: str, option: str | None, folder: Path) -> None:
    (folder / FILE).write_text(text)
    error = refused()
    assert (error.option, vars(error)["file"]) == (option, FILE)
