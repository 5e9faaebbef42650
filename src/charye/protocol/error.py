"""What went wrong, as the server says it, and what that means for us.

Codes come first, types second, texts last: the same refusal has been seen with the code in `code`, in `type`, and
with no code at all (recorded sessions). Branch on `kind_of`, not on the texts.
"""

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from msgspec import Struct

__all__ = ["ErrorDetail", "ErrorKind", "ResponseError", "is_retryable", "kind_of", "named_response"]


class ErrorDetail(Struct, frozen=True):
    """The inside of an `error` event.

    Args:
        type: an open set: `invalid_request_error`, `server_error`, ...; empty if the server gave none.
        message: for people; may hold parts of what was sent, so treat it as private.
        code: an open set.
        param: the dotted path of the field at fault.
        event_id: ours: of the client event at fault, if that had one and the server says so.
    """

    type: str = ""
    message: str = ""
    code: str | None = None
    param: str | None = None
    event_id: str | None = None


class ResponseError(Struct, frozen=True, omit_defaults=True):
    """Why a response failed: the `error` of its status details, or of a failed transcription."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None


class ErrorKind(Enum):
    """What an `error` event means for the conversation. Everything but SESSION_EXPIRED and FATAL leaves it open."""

    ACTIVE_RESPONSE = "active_response"
    """A `response.create` was refused, because another response runs. It is dropped, not queued."""
    CANCEL_NOT_ACTIVE = "cancel_not_active"
    """Nothing to cancel: the response is over, or has not begun."""
    UNKNOWN_ITEM = "unknown_item"
    """An item was named that is not in the conversation."""
    COMMIT_EMPTY = "commit_empty"
    """Less than `limits.COMMIT_MIN_MS` of audio to commit, often because the server committed first."""
    TRUNCATE_REJECTED = "truncate_rejected"
    """The item is no assistant audio, is shorter than the cut, or was cut before."""
    SESSION_EXPIRED = "session_expired"
    """The longest time of a session is over; the server closes."""
    FATAL = "fatal"
    """Key, billing, model or API shape: the same will fail again."""
    OTHER = "other"


# Source: API reference, "errors", and recorded sessions. Providers put the same words into `type` (seen with
# billing codes, and with the refusal of compatible servers), so one table serves both. `invalid_tool_call_id` is
# deliberately not UNKNOWN_ITEM: it is about a call, and a probe that asks for an unknown item must not match it.
_BY_CODE: Mapping[str, ErrorKind] = MappingProxyType(
    {
        "conversation_already_has_active_response": ErrorKind.ACTIVE_RESPONSE,
        "response_cancel_not_active": ErrorKind.CANCEL_NOT_ACTIVE,
        "item_retrieve_invalid_item_id": ErrorKind.UNKNOWN_ITEM,
        "item_delete_invalid_item_id": ErrorKind.UNKNOWN_ITEM,
        "item_truncate_invalid_item_id": ErrorKind.UNKNOWN_ITEM,
        "item_create_invalid_previous_item_id": ErrorKind.UNKNOWN_ITEM,
        "input_audio_buffer_commit_empty": ErrorKind.COMMIT_EMPTY,
        "item_already_truncated": ErrorKind.TRUNCATE_REJECTED,
        "session_expired": ErrorKind.SESSION_EXPIRED,
        "access_not_enabled": ErrorKind.FATAL,
        "account_deactivated": ErrorKind.FATAL,
        "beta_api_shape_disabled": ErrorKind.FATAL,
        "billing_hard_limit_reached": ErrorKind.FATAL,
        "credit_balance_exhausted": ErrorKind.FATAL,
        "insufficient_quota": ErrorKind.FATAL,
        "invalid_api_key": ErrorKind.FATAL,
        "model_not_found": ErrorKind.FATAL,
    }
)

# Codes such as `invalid_value` and `unsupported_content_type` mean many things: there the text decides.
_BY_TEXT = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"conversation already has an active response", ErrorKind.ACTIVE_RESPONSE),
        (r"cancellation failed", ErrorKind.CANCEL_NOT_ACTIVE),
        (r"error \w+ item: the (previous )?item with id ", ErrorKind.UNKNOWN_ITEM),
        (r"error committing input audio buffer", ErrorKind.COMMIT_EMPTY),
        (r"only model output audio messages can be truncated", ErrorKind.TRUNCATE_REJECTED),
        (r"audio content of \d+ ?ms is already shorter", ErrorKind.TRUNCATE_REJECTED),
        (r"your session hit the maximum duration", ErrorKind.SESSION_EXPIRED),
        (r"the realtime beta api is no longer supported", ErrorKind.FATAL),
    )
)

# "Conversation already has an active response in progress: resp_A. Wait until the response is finished ..."
_NAMED_RESPONSE = re.compile(r"active response[^:]*:\s*(\S+)", re.IGNORECASE)

# Source: API reference, "response object", the row `failed`.
_RETRYABLE = frozenset({"inference_rate_limit_exceeded", "rate_limit_exceeded", "server_error"})


def kind_of(error: ErrorDetail) -> ErrorKind:
    """What the error means: by its code, else by its type, else by its text."""
    for word in (error.code, error.type):
        if word and (kind := _BY_CODE.get(word)) is not None:
            return kind
    if error.param == "audio_end_ms":
        return ErrorKind.TRUNCATE_REJECTED
    for pattern, kind in _BY_TEXT:
        if pattern.search(error.message):
            return kind
    return ErrorKind.OTHER


def named_response(error: ErrorDetail) -> str | None:
    """The id of the response that runs, as a refusal names it; None if it does not.

    The id stands in the message only. Whatever follows the colon is taken, up to the end of the sentence:
    compatible servers have ids that do not begin with `resp_`.
    """
    if kind_of(error) is not ErrorKind.ACTIVE_RESPONSE:
        return None
    found = _NAMED_RESPONSE.search(error.message)
    return (found[1].strip("'\"`").rstrip(".,;").strip("'\"`") or None) if found else None


def is_retryable(error: ResponseError | None) -> bool:
    """Whether a failed response may succeed when it is asked for again: rate limits and server errors.

    Without an error nothing is known, and the answer is no.
    """
    return error is not None and (error.code in _RETRYABLE or error.type in _RETRYABLE)
