"""Each way to fail has its error, with what to do about it; none shows the key; the page lists them all."""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
import traceback
from pathlib import Path

import pytest

from charye.errors import CharyeError
from tests.transports.doors import KEY
from tests.transports.failures import CASES, Case, failure

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "connection-errors.md"


def happened(case: Case) -> CharyeError:
    async def main() -> CharyeError:
        async with asyncio.timeout(20):
            return await failure(case)

    return asyncio.run(main())


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_each_failure_has_its_error(case: Case) -> None:
    error = happened(case)
    assert type(error) is case.raises
    assert getattr(error, "is_retryable", None) is case.retried
    assert {name: getattr(error, name) for name in case.shows} == case.shows
    assert "What to do:" in (inspect.getdoc(type(error)) or "")


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_no_failure_shows_the_key(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        error = happened(case)
    shown = [repr(error), str(error), repr(vars(error))]
    shown += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    shown += [repr(vars(record)) for record in caplog.records]
    assert not [text for text in shown if KEY in text]


def test_the_page_lists_every_failure() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| `(\w+)` \| (yes|no) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    words = {True: "yes", False: "no", None: "no"}
    assert set(rows) >= {(case.what, case.raises.__name__, words[case.retried]) for case in CASES}
