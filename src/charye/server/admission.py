"""Who may come in at the door, and what they are spoken to: facts of an HTTP request in, an answer out. No I/O.

    /v1/realtime?model=                                OpenAI: GA; the preview with its header or subprotocol
    /openai/v1/realtime?model=                         Azure: GA; no `api-version` here
    /openai/realtime?api-version=&deployment=          Azure: the preview

A wrong key is no HTTP error: as recorded, the upgrade succeeds, then come one `error` event and a close.
Source: API reference, "endpoints and authentication"; recorded refusals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from charye.protocol import AZURE, AZURE_PREVIEW, OPENAI, Dialect, Shape
from charye.server import refusals
from charye.server.client_secrets import ClientSecrets
from charye.server.effects import Close
from charye.server.refusals import Refused
from charye.server.settings import ServerSettings

__all__ = [
    "PATHS",
    "SUBPROTOCOL",
    "Admission",
    "Admitted",
    "Door",
    "Knock",
    "NotFound",
    "TurnedAway",
    "key_of",
]

SUBPROTOCOL = "realtime"
"""Echoed when a browser offers it, and only then: it fails on one that it did not offer."""

PATHS = ("/v1/realtime", "/openai/v1/realtime", "/openai/realtime")
_KEY_PROTOCOL = "openai-insecure-api-key."
_BETA_PROTOCOL = "openai-beta.realtime-v1"
OPENAI_PREVIEW = replace(OPENAI, name="openai-preview", shape=Shape.PREVIEW, item_added=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """What a request says. Names of headers in lower case."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    protocols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Admitted:
    """Come in, with these settings."""

    settings: ServerSettings


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Upgrade, say this error, close."""

    refused: Refused
    dialect: Dialect

    @property
    def close(self) -> Close:
        """3000 for the key, 4000 for everything else; the reason is `<type>.<code>` (recorded)."""
        code = 3000 if self.refused.code == "invalid_api_key" else 4000
        return Close(code, f"invalid_request_error.{self.refused.code}")


@dataclass(frozen=True, slots=True)
class NotFound:
    """No upgrade: this HTTP status, with this error in the body."""

    status: int
    code: str
    message: str


Admission = Admitted | TurnedAway | NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What is asked of those who come.

    Args:
        api_keys: the keys that are let in; None: any key, and none at all.
        models: the models that are served; None: any name.
        template: settings of every session; dialect and model are set for each.
        refuse_beta: turn the preview away on the OpenAI path, as OpenAI does since May 2026.
    """

    api_keys: frozenset[str] | None = None
    models: frozenset[str] | None = None
    template: ServerSettings = field(default_factory=ServerSettings)
    refuse_beta: bool = False

    def lets_in(self, key: str | None) -> bool:
        """Whether this is a key of the server, not a client secret."""
        return self.api_keys is None or (key is not None and key in self.api_keys)

    def open(self, knock: Knock, secrets: ClientSecrets, *, unix_s: float) -> Admission:
        """Decide."""
        azure = knock.path.startswith("/openai/")
        if (found := _misplaced(knock)) is not None:
            return found
        dialect = self._dialect(knock, azure=azure)
        key = key_of(knock)
        secret = secrets.find(key, unix_s=unix_s) if key and key.startswith("ek_") else None
        if secret is None and (not self.lets_in(key) or (key or "").startswith("ek_")):
            return TurnedAway(refusals.api_key(key or ""), dialect)
        if dialect.shape is Shape.PREVIEW and not azure and self.refuse_beta:
            return TurnedAway(refusals.beta_disabled(), dialect)
        session = dict(secret.session) if secret else dict(self.template.session)
        if knock.query.get("intent") == "transcription" and secret is None:
            session = {"type": "transcription"}
        bound = session.get("model")
        model = knock.query.get("deployment") or knock.query.get("model") or self.template.model
        if isinstance(bound, str):
            model = bound
        if self.models is not None and model not in self.models:
            return TurnedAway(refusals.model_unknown(model), dialect)
        return Admitted(replace(self.template, dialect=dialect, model=model, session=session))

    def _dialect(self, knock: Knock, *, azure: bool) -> Dialect:
        if azure:
            return AZURE_PREVIEW if knock.path == "/openai/realtime" else AZURE
        beta = "realtime=v1" in knock.headers.get("openai-beta", "") or _BETA_PROTOCOL in knock.protocols
        return OPENAI_PREVIEW if beta else self.template.dialect


def key_of(knock: Knock) -> str | None:
    """The key: a bearer token, an `api-key` header or query parameter, or the browser's subprotocol."""
    scheme, _, token = knock.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    if key := knock.headers.get("api-key") or knock.query.get("api-key"):
        return key
    if not knock.path.startswith("/openai/"):
        for protocol in knock.protocols:
            if protocol.startswith(_KEY_PROTOCOL):
                return protocol.removeprefix(_KEY_PROTOCOL)
    return None


def _misplaced(knock: Knock) -> NotFound | None:
    if "call_id" in knock.query:
        # Recorded: an unknown call is refused at the upgrade.
        return NotFound(404, "call_id_not_found", "No session found for the provided call_id")
    if knock.path == "/openai/v1/realtime" and "api-version" in knock.query:
        return NotFound(401, "unauthorized", "The GA endpoint takes no api-version.")
    if knock.path == "/openai/realtime" and "api-version" not in knock.query:
        return NotFound(400, "missing_api_version", "The preview endpoint needs an api-version.")
    return None
