"""A skipped test fails the run in CI, unless its reason says what CI cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")

SKIPS = {
    "mark": "@pytest.mark.skip(reason={reason!r})\ndef test_one() -> None: ...",
    "call": "def test_one() -> None:\n    pytest.skip({reason!r})",
    "module": "pytest.skip({reason!r}, allow_module_level=True)",
}


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, body: str, *, ci: str) -> int:
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_inner=f"import pytest\n\ndef test_runs() -> None: ...\n\n{body}\n")
    # In a process of its own: the profile of hypothesis is global.
    return int(pytester.runpytest_subprocess("-p", "no:cacheprovider").ret)


@pytest.mark.parametrize("how", SKIPS)
def test_ci_fails_on_an_unexpected_skip(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    assert run(pytester, monkeypatch, SKIPS[how].format(reason="not today"), ci="true") != 0


@pytest.mark.parametrize("how", SKIPS)
def test_ci_accepts_a_skip_that_says_what_ci_cannot_do(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    body = SKIPS[how].format(reason="CI cannot: hear, it has no microphone")
    # A module that skips itself runs nothing: pytest's own status for that is 5.
    assert run(pytester, monkeypatch, body, ci="true") == (5 if how == "module" else 0)


def test_an_expected_failure_is_no_skip(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "@pytest.mark.xfail(reason='known')\ndef test_one() -> None:\n    assert False"
    assert run(pytester, monkeypatch, body, ci="true") == 0


def test_at_the_desk_a_skip_is_a_skip(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(pytester, monkeypatch, SKIPS["mark"].format(reason="not today"), ci="") == 0
