"""Which endpoint, by configuration: arguments, then the environment, then `charye.toml`.

    endpoint()                                   what the environment or the file says
    endpoint("azure", deployment="voice")        the rest from there

The file is `charye.toml` in the current folder, or the one that `CHARYE_CONFIG` names:

    [connect]
    provider = "azure"
    endpoint = "https://example.openai.azure.com"
    deployment = "gpt-realtime"

A key may stand in it as well; the environment is the better place, for a file is copied and committed.
"""

import os
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from charye.errors import ConfigurationError
from charye.transports.base import Endpoint
from charye.transports.endpoints import Azure, Compatible, OpenAI
from charye.transports.secret import HIDDEN, Secret

__all__ = ["FILE", "SECTION", "SECTIONS", "endpoint"]

FILE = "charye.toml"
SECTION = "connect"
"""The table of the file that is read here."""

SECTIONS = frozenset({SECTION})
"""All tables that a file may have. Who reads another one adds it, so that a misspelt one is found."""

_IDENTITY = ("api_key", "token", "credential")
"""One of these says who asks. They come from one place: no key of the environment joins a token that was given."""

_SECRETS = frozenset({"api_key", "token"})
_TABLES = frozenset({"headers", "query"})


@dataclass(frozen=True, slots=True)
class _Provider:
    """How one kind of endpoint is configured.

    Args:
        options: that it has -> the variable of the environment; empty: there is none.
        needed: without these there is no address.
        needs_identity: one of `_IDENTITY` must be given.
        in_code_only: options that are no text, and so stand in no file.
    """

    make: Callable[..., Endpoint]
    options: Mapping[str, str]
    needed: tuple[str, ...] = ()
    needs_identity: bool = True
    in_code_only: tuple[str, ...] = ("socket",)


_PROVIDERS: Mapping[str, _Provider] = MappingProxyType(
    {
        "openai": _Provider(
            OpenAI,
            {
                "model": "CHARYE_MODEL",
                "api_key": "OPENAI_API_KEY",
                "organization": "OPENAI_ORG_ID",
                "project": "OPENAI_PROJECT_ID",
                "base_url": "OPENAI_BASE_URL",
                "call_id": "",
            },
        ),
        "azure": _Provider(
            Azure,
            {
                "endpoint": "AZURE_OPENAI_ENDPOINT",
                "deployment": "AZURE_OPENAI_DEPLOYMENT",
                "api_key": "AZURE_OPENAI_API_KEY",
                "token": "AZURE_OPENAI_AD_TOKEN",
                "credential": "",
                "api_version": "OPENAI_API_VERSION",
                "call_id": "",
            },
            needed=("endpoint", "deployment"),
        ),
        "compatible": _Provider(
            Compatible,
            {
                "url": "CHARYE_URL",
                "model": "CHARYE_MODEL",
                "api_key": "CHARYE_API_KEY",
                "dialect": "CHARYE_DIALECT",
                "headers": "",
                "query": "",
            },
            needed=("url",),
            needs_identity=False,
        ),
    }
)

_TELLTALE = {"compatible": "CHARYE_URL", "azure": "AZURE_OPENAI_ENDPOINT", "openai": "OPENAI_API_KEY"}
"""Whose variable is set is meant, when no provider is named."""


def endpoint(provider: str | None = None, **given: Any) -> Endpoint:
    """The endpoint that is configured.

    Args:
        provider: `openai`, `azure` or `compatible`. None: `CHARYE_PROVIDER`, then the file, then the one whose variable
            is set: `CHARYE_URL`, `AZURE_OPENAI_ENDPOINT`, `OPENAI_API_KEY`.
        given: arguments of `OpenAI`, `Azure` or `Compatible`; they go before everything else. None is not given.

    Raises:
        ConfigurationError: something is missing, unknown or of the wrong kind. `option` says what, `where` where it can
            be given, `file` where it stands.
    """
    given = _sealed(given)
    file, written = _written()
    chosen = _chosen(provider, written)
    known = _PROVIDERS.get(chosen)
    if known is None:
        raise ConfigurationError(
            "there is no such provider", option="provider", provider=chosen, there_are=[*_PROVIDERS]
        )
    for option in given:
        if option not in known.options and option not in known.in_code_only:
            raise ConfigurationError("the provider has no such option", option=option, provider=chosen)
    if written.get("provider", chosen) != chosen:
        written = {}  # the file is about another provider
    elif (
        strange := next((key for key in written if key not in {"provider", *known.options}), None)
    ) is not None:
        raise ConfigurationError(
            "the provider has no such option", option=strange, provider=chosen, file=file
        )
    layers = (
        given,
        _environment(known),
        {option: value for option, value in written.items() if option != "provider"},
    )
    found = _merged(layers)
    for option in known.needed:
        if option not in found and not (option == "deployment" and "call_id" in found):
            raise _missing(option, known)
    if known.needs_identity and not any(option in found for option in _IDENTITY):
        raise _missing("api_key", known)
    return known.make(**found)


def _chosen(provider: str | None, written: Mapping[str, Any]) -> str:
    named = provider or os.environ.get("CHARYE_PROVIDER") or written.get("provider")
    if named:
        return str(named)
    set_here = [name for name, variable in _TELLTALE.items() if os.environ.get(variable)]
    if len(set_here) == 1:
        return set_here[0]
    raise ConfigurationError(
        "it is not said which provider is meant" if set_here else "no provider is configured",
        option="provider",
        where=_where("provider", "CHARYE_PROVIDER"),
        variables=[_TELLTALE[name] for name in set_here or _TELLTALE],
    )


def _environment(known: _Provider) -> dict[str, Any]:
    found = _sealed(
        {
            option: os.environ[variable]
            for option, variable in known.options.items()
            if variable and variable in os.environ
        }
    )
    # The versions of the realtime preview end so (API reference). Others are meant for other APIs of Azure, and would
    # turn a GA connection into one that does not exist.
    if not found.get("api_version", "-preview").endswith("-preview"):
        del found["api_version"]
    if "api_key" in found:
        found.pop("token", None)
    return found


def _merged(layers: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    """The first that says something about an option counts; who asks is one option."""
    found: dict[str, Any] = {}
    for layer in layers:
        has_identity = any(option in found for option in _IDENTITY)
        for option, value in layer.items():
            if not (option in found or (has_identity and option in _IDENTITY)):
                found[option] = value
    return found


def _sealed(options: Mapping[str, Any]) -> dict[str, Any]:
    """What is given; blank is not given. Keys are out of sight: an error would show the variables of its frames."""
    return {
        option: _hidden(option, value)
        for option, value in options.items()
        if value is not None and not (isinstance(value, str) and not value.strip())
    }


def _hidden(option: str, value: Any) -> Any:
    if option == "headers" and isinstance(value, dict):
        return {name: Secret(one) if isinstance(one, str) else one for name, one in value.items()}
    return Secret(value) if option in _SECRETS and isinstance(value, str) else value


def _written() -> tuple[str, dict[str, Any]]:
    """The path of the file and what its section says; empty if there is no file."""
    path = Path(os.environ.get("CHARYE_CONFIG") or FILE)
    if not path.is_file():
        if os.environ.get("CHARYE_CONFIG"):
            raise ConfigurationError(
                "the configuration file is not there", option="CHARYE_CONFIG", file=str(path)
            )
        return str(path), {}
    document = _read(path)
    if document is None:
        raise ConfigurationError("the configuration file is not TOML", file=str(path))
    options = {"provider"}.union(*(known.options for known in _PROVIDERS.values()))
    section = document.get(SECTION, {})
    if not isinstance(section, dict):
        raise ConfigurationError("the section is no table", option=SECTION, file=str(path))
    if (strange := _strange(document, SECTIONS) or _strange(section, options)) is not None:
        raise ConfigurationError("the file has an unknown key", option=strange, file=str(path))
    for key, value in section.items():
        if not _fits(key, value):
            raise ConfigurationError("the value of a key is of the wrong kind", option=key, file=str(path))
    return str(path), section


def _read(path: Path) -> dict[str, Any] | None:
    """What the file says, keys out of sight; None: it is no TOML. The parser's error would show the whole file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeError):
        return None
    return {name: _sealed(table) if isinstance(table, dict) else HIDDEN for name, table in document.items()}


def _strange(table: Mapping[str, Any], known: Collection[str]) -> str | None:
    return next((key for key in table if key not in known), None)


def _fits(key: str, value: object) -> bool:
    if key in _TABLES:
        return isinstance(value, dict) and all(isinstance(one, str | Secret) for one in value.values())
    return isinstance(value, Secret if key in _SECRETS else str)


def _missing(option: str, known: _Provider) -> ConfigurationError:
    return ConfigurationError(
        "a setting is missing", option=option, where=_where(option, known.options[option])
    )


def _where(option: str, variable: str) -> str:
    return f"the argument {option}, the variable {variable}, or {option} under [{SECTION}] in {FILE}"
