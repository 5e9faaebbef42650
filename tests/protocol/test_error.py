"""What an error means, in all the forms in which it has been seen."""

import pytest

from charye.protocol import ErrorDetail, ErrorKind, ResponseError, is_retryable, kind_of, named_response

CODE = "conversation_already_has_active_response"
LONG = (
    "Conversation already has an active response in progress: resp_B1. "
    "Wait until the response is finished before creating a new one."
)
SHORT = "Conversation already has an active response"


@pytest.mark.parametrize(
    ("error", "response_id"),
    [
        (ErrorDetail("invalid_request_error", LONG, CODE, event_id="c4"), "resp_B1"),
        (ErrorDetail("invalid_request_error", LONG, CODE), "resp_B1"),
        (ErrorDetail("invalid_request_error", LONG), "resp_B1"),
        (ErrorDetail("invalid_request_error", SHORT), None),
        (ErrorDetail("invalid_request_error", SHORT, CODE, event_id="c4"), None),
        (ErrorDetail(CODE, "Busy."), None),
    ],
)
def test_a_refusal_is_a_refusal_in_all_six_forms(error: ErrorDetail, response_id: str | None) -> None:
    assert kind_of(error) is ErrorKind.ACTIVE_RESPONSE
    assert named_response(error) == response_id


@pytest.mark.parametrize(
    ("rest", "response_id"),
    [
        (" in progress: resp_1. Wait until", "resp_1"),
        (" in progress: resp_1.", "resp_1"),
        (" in progress: resp_1", "resp_1"),
        (" in progress: 4f1c-77.b. Wait until", "4f1c-77.b"),
        (" in progress: chatcmpl:7.", "chatcmpl:7"),
        (": 'r-1'.", "r-1"),
        (" in progress:", None),
        (" in progress: .", None),
        (".", None),
    ],
)
def test_the_running_response_is_named_by_whatever_follows_the_colon(
    rest: str, response_id: str | None
) -> None:
    assert named_response(ErrorDetail("invalid_request_error", SHORT + rest, CODE)) == response_id


def test_another_error_names_no_response() -> None:
    assert (
        named_response(ErrorDetail("server_error", "The active response broke: resp_1", "server_error"))
        is None
    )


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("response_cancel_not_active", "", ErrorKind.CANCEL_NOT_ACTIVE),
        (None, "Cancellation failed: no active response found", ErrorKind.CANCEL_NOT_ACTIVE),
        ("item_retrieve_invalid_item_id", "", ErrorKind.UNKNOWN_ITEM),
        ("item_delete_invalid_item_id", "", ErrorKind.UNKNOWN_ITEM),
        ("item_truncate_invalid_item_id", "", ErrorKind.UNKNOWN_ITEM),
        ("item_create_invalid_previous_item_id", "", ErrorKind.UNKNOWN_ITEM),
        (None, "Error retrieving item: the item with id 'X' does not exist.", ErrorKind.UNKNOWN_ITEM),
        (None, "Error adding item: the previous item with id 'X' does not exist.", ErrorKind.UNKNOWN_ITEM),
        ("input_audio_buffer_commit_empty", "", ErrorKind.COMMIT_EMPTY),
        (None, "Error committing input audio buffer: the buffer is empty.", ErrorKind.COMMIT_EMPTY),
        (
            "invalid_value",
            "Audio content of 3700ms is already shorter than 3760ms",
            ErrorKind.TRUNCATE_REJECTED,
        ),
        (None, "Audio content of 3700ms is already shorter than 3760ms", ErrorKind.TRUNCATE_REJECTED),
        (
            "unsupported_content_type",
            "Only model output audio messages can be truncated",
            ErrorKind.TRUNCATE_REJECTED,
        ),
        ("item_already_truncated", "", ErrorKind.TRUNCATE_REJECTED),
        ("session_expired", "", ErrorKind.SESSION_EXPIRED),
        (None, "Your session hit the maximum duration of 60 minutes.", ErrorKind.SESSION_EXPIRED),
        ("invalid_api_key", "", ErrorKind.FATAL),
        ("insufficient_quota", "", ErrorKind.FATAL),
        ("beta_api_shape_disabled", "", ErrorKind.FATAL),
        ("model_not_found", "", ErrorKind.FATAL),
        ("invalid_tool_call_id", "Tool call ID 'call_1' not found in conversation.", ErrorKind.OTHER),
        ("unsupported_content_type", "Something else", ErrorKind.OTHER),
        ("unknown_parameter", "Unknown parameter: 'session.x'.", ErrorKind.OTHER),
        ("rate_limit_exceeded", "", ErrorKind.OTHER),
        (None, "", ErrorKind.OTHER),
    ],
)
def test_codes_and_texts(code: str | None, message: str, kind: ErrorKind) -> None:
    assert kind_of(ErrorDetail("invalid_request_error", message, code)) is kind
    if code is not None and kind is not ErrorKind.OTHER and not message:
        assert kind_of(ErrorDetail(code, "")) is kind


def test_a_cut_below_zero_is_a_rejected_cut() -> None:
    error = ErrorDetail("invalid_request_error", "too small", "integer_below_min_value", param="audio_end_ms")
    assert kind_of(error) is ErrorKind.TRUNCATE_REJECTED


def test_the_code_outranks_the_text() -> None:
    assert kind_of(ErrorDetail("x", SHORT, "response_cancel_not_active")) is ErrorKind.CANCEL_NOT_ACTIVE


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, False),
        (ResponseError(), False),
        (ResponseError("insufficient_quota", "insufficient_quota"), False),
        (ResponseError("invalid_request_error", "rate_limit_exceeded"), True),
        (ResponseError(None, "inference_rate_limit_exceeded"), True),
        (ResponseError("server_error", None), True),
        (ResponseError(None, "server_error"), True),
    ],
)
def test_what_may_succeed_the_next_time(error: ResponseError | None, expected: bool) -> None:
    assert is_retryable(error) is expected
