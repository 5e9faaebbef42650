"""Requests to an OpenAI-compatible endpoint through the `openai` SDK, each ending in a value: an answer, or a status.

The SDK is imported with the first client. It would try again by itself, without our bounds, so its retries are off.
Its exceptions carry the body of the answer, and in some releases its log the body of the request, with the learner's
words; so no exception of it leaves this module, and its log is silent while we are in a call.
"""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from charye.assessment.judge_outcome import JudgeStatus
from charye.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import ModuleType

    import openai

__all__ = ["Endpoint", "Failure", "Patience", "call", "make_client"]

_OK = 200
_RETRY_LATER = frozenset({408, 409, 425, 429})
_SERVER = 500
_in_call: ContextVar[bool] = ContextVar("charye_in_judge_call", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is asked.

    Args:
        model: as the endpoint calls it.
        api_key: never shown.
        base_url: with the version, such as `https://api.openai.com/v1`; for Azure `https://....openai.azure.com/openai/v1`.
    """

    model: str
    api_key: str = field(repr=False)
    base_url: str = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited, in seconds, and how often it is tried.

    Args:
        request_s: for one answer.
        total_s: for everything; what has come by then is used.
        retry_s: before the first repetition, if the endpoint does not say; the next ones wait twice as long each.
        most_retry_s: a longer wait that the endpoint asks for is not taken.
        tries: of one request, if the endpoint is busy or fails.
    """

    request_s: float = 60.0
    total_s: float = 150.0
    retry_s: float = 1.0
    most_retry_s: float = 30.0
    tries: int = 3

    def __post_init__(self) -> None:
        if min(self.request_s, self.total_s) <= 0 or self.retry_s < 0 or self.tries < 1:
            raise ConfigurationError("waiting needs positive times and at least one try", option="patience")


@dataclass(frozen=True, slots=True)
class Failure:
    """There is no answer, and why.

    Args:
        status: for the outcome.
        code: of HTTP; None if there was no answer at all.
        retry_after_s: as the endpoint asks.
        passing: the same request may work later.
    """

    status: JudgeStatus
    code: int | None = None
    retry_after_s: float | None = None
    passing: bool = False


def sdk(feature: str) -> ModuleType:
    """The `openai` package.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import openai
    except ImportError as error:
        raise MissingExtra(feature=feature, extra="judge") from error
    return openai


def make_client(endpoint: Endpoint, patience: Patience, *, feature: str) -> openai.AsyncOpenAI:
    """A client that does not retry by itself. Its connections stay open until `close`.

    Raises:
        MissingExtra: the extra `judge` is not installed.
    """
    package = sdk(feature)
    _silence()
    client: openai.AsyncOpenAI = package.AsyncOpenAI(
        api_key=endpoint.api_key, base_url=endpoint.base_url, timeout=patience.request_s, max_retries=0
    )
    return client


async def call(
    ask: Callable[[], Awaitable[Any]], patience: Patience, *, count: Callable[[], None]
) -> Any | Failure:
    """Send a request, and again while the endpoint is busy. Safe to cancel.

    Args:
        ask: sends it, once for each call.
        patience: how often and how long.
        count: told of each request that is sent.
    """
    wait_s = patience.retry_s
    for tried in range(1, patience.tries + 1):
        count()
        result = await _once(ask, patience)
        if not isinstance(result, Failure) or not result.passing or tried == patience.tries:
            return result
        asked_s = result.retry_after_s
        if asked_s is not None and asked_s > patience.most_retry_s:
            return result
        await asyncio.sleep(wait_s if asked_s is None else asked_s)
        wait_s *= 2
    raise AssertionError("a patience has at least one try")


async def _once(ask: Callable[[], Awaitable[Any]], patience: Patience) -> Any | Failure:
    import openai

    try:
        with _quiet():
            async with asyncio.timeout(patience.request_s):
                return await ask()
    except (openai.APITimeoutError, TimeoutError):
        return Failure(JudgeStatus.TIMED_OUT)
    except openai.APIStatusError as error:
        return _failure_of(error)
    except openai.APIConnectionError:
        return Failure(JudgeStatus.UNREACHABLE, passing=True)
    except Exception:  # noqa: BLE001  (the SDK parses what it gets, and lets through whatever comes of it)
        return Failure(JudgeStatus.BROKEN_ANSWER)


def _failure_of(error: openai.APIStatusError) -> Failure:
    code = error.status_code
    if code == 429:
        # No credit passes only with a payment.
        passing = error.code != "insufficient_quota"
        return Failure(JudgeStatus.RATE_LIMITED, code, _retry_after(error), passing=passing)
    if code in (401, 403):
        return Failure(JudgeStatus.UNAUTHORIZED, code)
    if code == 400 and error.code == "content_filter":
        return Failure(JudgeStatus.REFUSED, code)
    if code >= _SERVER or code in _RETRY_LATER:
        return Failure(JudgeStatus.ENDPOINT_FAILED, code, _retry_after(error), passing=True)
    return Failure(JudgeStatus.REQUEST_REFUSED, code)


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds. The form with a date is not read: it needs the same clock on both sides."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(error.response.headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None


# --- silence ---------------------------------------------------------------------------------------------------------


class _WhileWeCall(logging.Filter):
    """Drops what is logged inside our calls: at DEBUG some releases of the SDK write whole requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _in_call.get()


_FILTER = _WhileWeCall()


def _silence() -> None:
    logging.getLogger("openai._base_client").addFilter(_FILTER)  # adding it twice is adding it once


@contextmanager
def _quiet() -> Iterator[None]:
    token = _in_call.set(True)
    try:
        yield
    finally:
        _in_call.reset(token)
