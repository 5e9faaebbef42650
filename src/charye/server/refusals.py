"""Every error this server answers with, in the words of the API: the codes and messages that clients match on.

Recorded sessions unless said otherwise; `invalid_type`, the texts for numbers, and what has no recording follow the
provider's other APIs, which share their validation.
"""

from charye.protocol import ErrorDetail
from charye.protocol.limits import COMMIT_MIN_MS
from charye.protocol.wire import Json

__all__ = [
    "Refused",
    "active_response",
    "already_truncated",
    "api_key",
    "audio_invalid",
    "audio_shorter",
    "beta_disabled",
    "buffer_full",
    "call_unknown",
    "cannot_cut",
    "commit_too_short",
    "function_parameters",
    "invalid_type",
    "item_exists",
    "item_unknown",
    "missing",
    "model_unknown",
    "no_event",
    "not_active",
    "not_here",
    "out_of_range",
    "pattern",
    "previous_unknown",
    "reference_unknown",
    "session_expired",
    "too_long",
    "too_many",
    "too_many_responses",
    "unknown",
    "unsupported_value",
    "voice_fixed",
]

_REQUEST = "invalid_request_error"


class Refused(Exception):
    """A client event is refused; nothing of it was applied. Becomes one `error` event and never leaves the peer."""

    def __init__(self, code: str | None, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param

    def detail(self, event_id: str | None) -> ErrorDetail:
        """The inside of the `error` event for the client event `event_id`."""
        return ErrorDetail(
            type=_REQUEST, message=str(self), code=self.code, param=self.param, event_id=event_id
        )


# --- the form of an event --------------------------------------------------------------------------------------------


def no_event(message: str = "The 'type' field is missing.") -> Refused:
    """Not an event at all."""
    return Refused("invalid_event", message)


def unknown(path: str) -> Refused:
    """A field that there is not."""
    return Refused("unknown_parameter", f"Unknown parameter: '{path}'.", path)


def missing(path: str) -> Refused:
    """A field that must be there."""
    return Refused("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


def invalid_type(path: str, wanted: str, value: Json) -> Refused:
    """A field of another JSON type. The value itself is not repeated: it may be what somebody said."""
    return Refused(
        "invalid_type", f"Invalid type for '{path}': expected {wanted}, but got {_kind(value)} instead.", path
    )


def unsupported_value(path: str, value: str, supported: tuple[str, ...]) -> Refused:
    """A word that is not one of those there are."""
    listed = _listed([f"'{one}'" for one in supported])
    return Refused("invalid_value", f"Invalid value: '{value[:100]}'. Supported values are: {listed}.", path)


def out_of_range(path: str, value: float, *, at_least: float | None, at_most: float | None) -> Refused:
    """A number below or above what is allowed."""
    kind = "integer" if isinstance(value, int) else "decimal"
    if at_least is not None and value < at_least:
        which, sign, bound = "below_min", ">=", at_least
    else:
        which, sign, bound = "above_max", "<=", at_most if at_most is not None else 0
    words = "below minimum" if which == "below_min" else "above maximum"
    return Refused(
        f"{kind}_{which}_value",
        f"Invalid '{path}': {kind} {words} value. Expected a value {sign} {bound}, but got {value} instead.",
        path,
    )


def too_long(path: str, length: int, limit: int) -> Refused:
    """A text with too many characters."""
    return Refused(
        "string_above_max_length",
        f"Invalid '{path}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {length} instead.",
        path,
    )


def too_many(path: str, length: int, limit: int, what: str = "array") -> Refused:
    """A list or an object with too many entries."""
    return Refused(
        f"{what}_above_max_length",
        f"Invalid '{path}': {what} too long. Expected at most {limit} entries, but got {length} instead.",
        path,
    )


def pattern(path: str, expression: str) -> Refused:
    """A text with characters that are not allowed."""
    return Refused(
        "invalid_value",
        f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '{expression}'.",
        path,
    )


def not_here(kind: str, reason: str) -> Refused:
    """An event that this session cannot serve."""
    return Refused("invalid_value", f"Invalid value: '{kind}'. {reason}", "type")


# --- session ---------------------------------------------------------------------------------------------------------


def voice_fixed(path: str) -> Refused:
    """The voice after the first audio."""
    return Refused(
        "cannot_update_voice",
        "Cannot update a conversation's voice if assistant audio is present.",
        path,
    )


def function_parameters(path: str, name: str, got: str) -> Refused:
    """A tool whose parameters are no schema of an object."""
    return Refused(
        "invalid_function_parameters",
        f"Invalid schema for function '{name[:64]}': schema must be a JSON Schema of 'type: \"object\"', got {got}.",
        path,
    )


# --- items -----------------------------------------------------------------------------------------------------------


def item_unknown(action: str, item_id: str) -> Refused:
    """`action`: retrieve, delete or truncate."""
    doing = {"retrieve": "retrieving", "delete": "deleting", "truncate": "truncating"}[action]
    return Refused(
        f"item_{action}_invalid_item_id",
        f"Error {doing} item: the item with id '{item_id}' does not exist.",
        "item_id",
    )


def previous_unknown(item_id: str) -> Refused:
    """`previous_item_id` names nothing."""
    return Refused(
        "item_create_invalid_previous_item_id",
        f"Error adding item: the previous item with id '{item_id}' does not exist.",
        "previous_item_id",
    )


def item_exists(item_id: str) -> Refused:
    """The id is taken. Some models accept or ignore the duplicate; this server says so."""
    return Refused(
        "item_create_duplicate_item_id",
        f"Error adding item: an item with id '{item_id}' already exists.",
        "item.id",
    )


def reference_unknown(item_id: str, path: str) -> Refused:
    """An `item_reference` to an item that there is not. No recording; the code is the one for wrong values."""
    return Refused("invalid_value", f"Item with id '{item_id}' not found in conversation.", path)


def call_unknown(call_id: str) -> Refused:
    """An output for a call that nobody made, or that was deleted."""
    return Refused(
        "invalid_tool_call_id", f"Tool call ID '{call_id}' not found in conversation.", "item.call_id"
    )


def cannot_cut() -> Refused:
    """Truncate of something that has no audio of the assistant."""
    return Refused("unsupported_content_type", "Only model output audio messages can be truncated", "item_id")


def already_truncated(item_id: str) -> Refused:
    """Truncate for the second time."""
    return Refused(
        "item_already_truncated", f"Item with id '{item_id}' has already been truncated.", "item_id"
    )


def audio_shorter(have_ms: int, wanted_ms: int) -> Refused:
    """Truncate behind the end."""
    return Refused(
        "invalid_value",
        f"Audio content of {have_ms}ms is already shorter than {wanted_ms}ms",
        "audio_end_ms",
    )


# --- audio in --------------------------------------------------------------------------------------------------------


def audio_invalid(path: str, wanted: str, *, empty: bool) -> Refused:
    """Not base64, not whole samples, or nothing."""
    got = "empty bytes" if empty else "an invalid value"
    return Refused(
        "invalid_value",
        f"Invalid '{path}'. Expected base64-encoded audio bytes ({wanted}) but got {got}.",
        path,
    )


def commit_too_short(have_ms: float) -> Refused:
    """Less than the minimum, often because voice detection committed first."""
    return Refused(
        "input_audio_buffer_commit_empty",
        "Error committing input audio buffer: buffer too small. "
        f"Expected at least {COMMIT_MIN_MS}ms of audio, but buffer only has {have_ms:.2f}ms of audio.",
    )


def buffer_full(limit_s: float) -> Refused:
    """Ours: a bound on memory. The append is dropped, what was there stays."""
    return Refused(
        "input_audio_buffer_full",
        f"Error appending to input audio buffer: it holds at most {limit_s:g} s of audio. Commit or clear it.",
        "audio",
    )


# --- responses -------------------------------------------------------------------------------------------------------


def active_response(response_id: str | None) -> Refused:
    """A create while the conversation is busy; without an id in the short, older form."""
    where = f" in progress: {response_id}. Wait until the response is finished before creating a new one."
    return Refused(
        "conversation_already_has_active_response",
        f"Conversation already has an active response{where if response_id else ''}",
    )


def not_active() -> Refused:
    """A cancel with nothing to cancel."""
    return Refused("response_cancel_not_active", "Cancellation failed: no active response found")


def too_many_responses(limit: int) -> Refused:
    """Ours: a bound on out-of-band responses at once."""
    return Refused(
        "rate_limit_exceeded", f"At most {limit} out-of-band responses run at once. Wait for one to end."
    )


# --- the end of the connection ---------------------------------------------------------------------------------------


def session_expired(minutes: float) -> Refused:
    """The longest time is over."""
    return Refused("session_expired", f"Your session hit the maximum duration of {minutes:g} minutes.")


def api_key(key: str) -> Refused:
    """The key is wrong; its tail helps to find which one it was."""
    return Refused(
        "invalid_api_key", f"Incorrect API key provided: {'*' * 8}{key[-4:] if len(key) > 8 else ''}."
    )


def beta_disabled() -> Refused:
    """The preview shape where only GA is spoken."""
    return Refused(
        "beta_api_shape_disabled",
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
    )


def model_unknown(model: str) -> Refused:
    """The model is not served here."""
    return Refused(
        "model_not_found",
        f"The model '{model[:100]}' does not exist or you do not have access to it.",
        "model",
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _kind(value: Json) -> str:
    kinds = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a decimal"),
        (str, "a string"),
        (list, "an array"),
    )
    if value is None:
        return "null"
    return next((name for kind, name in kinds if isinstance(value, kind)), "an object")
