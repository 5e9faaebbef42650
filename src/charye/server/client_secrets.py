"""Short-lived tokens for clients that must not know the key: `POST /v1/realtime/client_secrets`.

A token bounds only the start of a session, not its length, and brings the session's settings. Source: API reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from charye.protocol import Session
from charye.protocol.limits import (
    CLIENT_SECRET_TTL_DEFAULT_S,
    CLIENT_SECRET_TTL_MAX_S,
    CLIENT_SECRET_TTL_MIN_S,
)
from charye.protocol.wire import Json
from charye.server import refusals
from charye.server.ids import Ids
from charye.server.reading import check_session
from charye.server.schema import integer, json_object, record, text
from charye.server.session_config import Configuration
from charye.server.settings import ServerSettings

__all__ = ["ClientSecrets", "Secret"]

_REQUEST = record(
    None,
    expires_after=record(
        None,
        anchor=text("created_at"),
        seconds=integer(CLIENT_SECRET_TTL_MIN_S, CLIENT_SECRET_TTL_MAX_S),
    ),
    session=json_object,
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A token.

    Args:
        expires_at: Unix seconds.
        session: what it sets, as it was asked for.
        effective: the whole of it, with defaults.
    """

    value: str
    expires_at: int
    session: Mapping[str, Json]
    effective: Session


class ClientSecrets:
    """The tokens of one server.

    Args:
        ids: from a chance that cannot be guessed: who knows a token may start sessions.
        max_secrets: unexpired ones; more are refused.
    """

    def __init__(self, ids: Ids, *, max_secrets: int = 10_000) -> None:
        self._ids = ids
        self._max = max_secrets
        self._secrets: dict[str, Secret] = {}

    def mint(self, request: Json, *, default_model: str, unix_s: float) -> Secret:
        """A new token for this request, the body of the POST.

        Raises:
            Refused: it is wrong, or there are too many.
        """
        _REQUEST(request, "")
        fields = request if isinstance(request, dict) else {}
        after, asked = fields.get("expires_after"), fields.get("session")
        seconds = after.get("seconds") if isinstance(after, dict) else None
        session: dict[str, Json] = {"type": "realtime", **(asked if isinstance(asked, dict) else {})}
        check_session(session)
        model = session.get("model")
        settings = ServerSettings(model=model if isinstance(model, str) else default_model, session=session)
        effective = Configuration(settings, session_id=self._ids.session(), expires_at=0).session
        self._forget(unix_s)
        if len(self._secrets) >= self._max:
            raise refusals.Refused(
                "rate_limit_exceeded", "Too many client secrets are open. Wait for some to expire."
            )
        ttl_s = seconds if isinstance(seconds, int) else CLIENT_SECRET_TTL_DEFAULT_S
        secret = Secret(self._ids.secret(), int(unix_s) + ttl_s, session, effective)
        self._secrets[secret.value] = secret
        return secret

    def find(self, value: str, *, unix_s: float) -> Secret | None:
        """The token, unless it has expired. It may start several sessions."""
        self._forget(unix_s)
        return self._secrets.get(value)

    def _forget(self, unix_s: float) -> None:
        for value in [value for value, secret in self._secrets.items() if secret.expires_at <= unix_s]:
            del self._secrets[value]
