"""Three tables: statuses, codes, closes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from charye import errors
from charye.transports.closing import lost, turned_away
from charye.transports.dialling import retry_after_s


@pytest.mark.parametrize(
    ("status", "raises", "retried"),
    [
        (200, errors.EndpointNotFound, False),
        (301, errors.EndpointNotFound, False),
        (400, errors.ConnectionFailed, False),
        (401, errors.AuthenticationFailed, False),
        (403, errors.AuthenticationFailed, False),
        (404, errors.EndpointNotFound, False),
        (405, errors.EndpointNotFound, False),
        (408, errors.ServerUnavailable, True),
        (410, errors.EndpointNotFound, False),
        (418, errors.ConnectionFailed, False),
        (425, errors.ServerUnavailable, True),
        (426, errors.EndpointNotFound, False),
        (429, errors.ServerUnavailable, True),
        (500, errors.ServerUnavailable, True),
        (502, errors.ServerUnavailable, True),
        (503, errors.ServerUnavailable, True),
        (599, errors.ServerUnavailable, True),
    ],
)
def test_a_status(status: int, raises: type[errors.ConnectionFailed], retried: bool) -> None:
    error = turned_away(status, code="new_word", host="h", retry_after_s=3.0)
    assert isinstance(error, errors.ConnectionFailed)
    assert (type(error), error.is_retryable) == (raises, retried)
    assert (error.status, error.code, error.host, error.retry_after_s) == (status, "new_word", "h", 3.0)


def test_a_code_goes_before_a_status_and_a_type_counts_like_a_code() -> None:
    assert isinstance(turned_away(403, code="model_not_found"), errors.ModelUnavailable)
    assert isinstance(turned_away(400, error_type="invalid_api_key"), errors.AuthenticationFailed)
    for word in (
        "account_deactivated",
        "billing_hard_limit_reached",
        "credit_balance_exhausted",
        "insufficient_quota",
    ):
        assert isinstance(turned_away(429, code=word), errors.QuotaExhausted)
        assert isinstance(turned_away(429, error_type=word), errors.QuotaExhausted)


@pytest.mark.parametrize(
    ("code", "retried"),
    [
        *((code, True) for code in (1000, 1001, 1005, 1006, 1009, 1011, 1012, 1013, 1015, None)),
        *((code, False) for code in (1008, 3000, 4000)),
    ],
)
def test_a_close_of_a_session(code: int | None, retried: bool) -> None:
    error = lost(code, "why")
    assert type(error) is errors.ConnectionLost
    assert (error.close_code, error.reason, error.is_retryable) == (code, "why", retried)
    assert error.retry_after_s is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1001, "Your session hit the maximum duration of 60 minutes."),
        (1001, "Your session hit the maximum duration of 30 minutes."),
        (4000, "invalid_request_error.session_expired"),
    ],
)
def test_an_expiry(code: int, reason: str) -> None:
    assert isinstance(lost(code, reason), errors.SessionExpired)


def test_how_long_to_wait() -> None:
    assert retry_after_s({}) is None
    assert retry_after_s({"Retry-After": "7"}) == 7
    assert retry_after_s({"Retry-After": "7", "retry-after-ms": "250"}) == 0.25
    assert retry_after_s({"Retry-After": "soon"}) is None
    assert retry_after_s({"Retry-After": "-1"}) is None
    assert retry_after_s({"Retry-After": "inf"}) is None
    late = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    assert 590 < (retry_after_s({"Retry-After": late}) or 0) <= 600
    assert retry_after_s({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
