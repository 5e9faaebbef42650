"""How a server says no, as errors: by an HTTP status, by an `error` event, or by the code of its close.

Three tables. Codes come first: the same one may be in the body of an answer, in an event, or in the reason of a close,
which is `<type>.<code>`. Texts are not read, but for the one sentence with which a session expires.

Source: recorded sessions, for codes, types and closes; the provider's other APIs, for HTTP statuses before the upgrade.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from charye.errors import (
    AuthenticationFailed,
    CallNotFound,
    ConnectionFailed,
    ConnectionLost,
    EndpointNotFound,
    ModelUnavailable,
    QuotaExhausted,
    RealtimeError,
    ServerUnavailable,
    SessionExpired,
    ShapeRefused,
)
from charye.protocol import ErrorDetail, ErrorKind, kind_of

__all__ = ["before_greeting", "is_sendable", "lost", "said", "short", "turned_away"]

_REASON_MAX_BYTES = 123  # RFC 6455, 5.5: a control frame has 125 bytes, 2 of them are the code
_NEVER_SENT = frozenset({1005, 1006, 1015})  # RFC 6455, 7.4.1: only what an end makes of a missing close

_Failed = type[ConnectionFailed]

_BY_CODE: Mapping[str, _Failed] = MappingProxyType(
    {
        "access_not_enabled": ModelUnavailable,
        "beta_api_shape_disabled": ShapeRefused,
        "call_id_not_found": CallNotFound,
        "inference_rate_limit_exceeded": ServerUnavailable,
        "invalid_api_key": AuthenticationFailed,
        "model_not_found": ModelUnavailable,
        "rate_limit_exceeded": ServerUnavailable,
        "server_error": ServerUnavailable,
        "DeploymentNotFound": ModelUnavailable,  # Azure's spelling (recorded with a transcription)
    }
)
"""A code, or where there is none a type, of an `error`: an error of its own."""

_QUOTA = frozenset(
    {"account_deactivated", "billing_hard_limit_reached", "credit_balance_exhausted", "insufficient_quota"}
)
"""The same, for the account."""

_BY_STATUS: Mapping[int, _Failed] = MappingProxyType(
    {
        401: AuthenticationFailed,  # a gateway in front, or Azure; OpenAI itself upgrades first
        403: AuthenticationFailed,
        404: EndpointNotFound,
        405: EndpointNotFound,
        407: AuthenticationFailed,  # a proxy in between
        410: EndpointNotFound,
        426: EndpointNotFound,
        408: ServerUnavailable,
        425: ServerUnavailable,
        429: ServerUnavailable,
    }
)
"""Of the answer to the upgrade. 5xx: `ServerUnavailable`; 2xx and 3xx: no Realtime endpoint is there."""

_BY_CLOSE: Mapping[int, _Failed] = MappingProxyType(
    {
        3000: AuthenticationFailed,
        1008: AuthenticationFailed,  # a breach of policy (RFC 6455): so early it can only be about who we are
        1011: ServerUnavailable,
        1012: ServerUnavailable,
        1013: ServerUnavailable,
    }
)
"""Of a close before the first event."""


def lost(code: int | None, reason: str = "") -> ConnectionLost:
    """What a close of a session means.

    The reason of an expiry is the message of `session_expired`, with 1001 (recorded sessions); a gateway that goes away
    says 1001 as well.
    """
    expired = kind_of(_of_reason(reason)) is ErrorKind.SESSION_EXPIRED
    made: Callable[..., ConnectionLost] = SessionExpired if expired else ConnectionLost
    return made(close_code=code, reason=reason)


def is_sendable(code: int) -> bool:
    """Whether a close may carry this code."""
    return code not in _NEVER_SENT


def short(reason: str) -> str:
    """What a close has room for, cut to whole characters: half of one would break the frame."""
    return reason.encode()[:_REASON_MAX_BYTES].decode(errors="ignore")


def turned_away(
    status: int,
    *,
    code: str | None = None,
    error_type: str | None = None,
    host: str | None = None,
    retry_after_s: float | None = None,
) -> RealtimeError:
    """What an answer to the upgrade other than 101 means.

    Args:
        code: of the error in its body, if there was one; likewise `error_type`.
        retry_after_s: of its headers.
    """
    if (known := _known(code, error_type, host=host, status=status, retry_after_s=retry_after_s)) is not None:
        return known
    if status < 400:
        made: _Failed = EndpointNotFound
    elif status >= 500:
        made = ServerUnavailable
    else:
        made = _BY_STATUS.get(status, ConnectionFailed)
    return made(host=host, status=status, code=code, retry_after_s=retry_after_s)


def said(error: ErrorDetail) -> RealtimeError | None:
    """What an `error` event before the session means; None: by itself nothing, so wait for what follows it."""
    if kind_of(error) is ErrorKind.SESSION_EXPIRED:
        return SessionExpired(reason="session_expired")
    return _known(error.code, error.type)


def before_greeting(close: ConnectionLost, after: ErrorDetail | None = None) -> RealtimeError:
    """What a close means that came instead of a session.

    Args:
        after: the `error` event before it, if there was one.
    """
    if isinstance(close, SessionExpired):
        return close
    detail = after or _of_reason(close.reason)
    if (known := _known(detail.code, detail.type)) is not None:
        return known
    code = close.close_code or 0
    # From 3000 on the codes are the server's own: it had a reason (RFC 6455, 7.4.2).
    return _BY_CLOSE.get(code, ConnectionFailed)(
        code=detail.code or detail.type or (str(code) if code >= 3000 else None)
    )


def _known(code: str | None, error_type: str | None, **fields: object) -> RealtimeError | None:
    for word in (code, error_type):
        if word in _QUOTA:
            after = fields.get("retry_after_s")
            return QuotaExhausted(code=word, retry_after_s=after if isinstance(after, float) else None)
        if word and (made := _BY_CODE.get(word)) is not None:
            return made(code=word, **fields)  # type: ignore[arg-type]  # the fields are those of `turned_away`
    return None


def _of_reason(reason: str) -> ErrorDetail:
    """The error that a reason names: `<type>.<code>` (recorded sessions), or a sentence."""
    error_type, dot, code = reason.partition(".")
    if dot and " " not in reason:
        return ErrorDetail(type=error_type, code=code, message=reason)
    return ErrorDetail(message=reason)
