"""What a tool gives back becomes text that the model reads, or a failure that says so."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import math
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charye.core import calls
from charye.errors import ToolError, ToolFailed, ToolResultTooLarge, ToolTimedOut
from charye.session.replies import KINDS, Reply, answer_of, failure_of


class Sky(enum.Enum):
    CLEAR = "clear"


class Word(enum.StrEnum):
    YES = "yes"


@dataclasses.dataclass
class City:
    name: str
    sky: Sky


class Struct(msgspec.Struct):
    at: datetime.date


class Model(pydantic.BaseModel):
    path: Path
    inner: City = pydantic.Field(serialization_alias="city")


def answer(result: object, limit_bytes: int = 1_000) -> calls.Answer:
    return answer_of(result, tool="t", call_id="c", limit_bytes=limit_bytes)


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (None, "null"),
        (True, "true"),
        (2**70, str(2**70)),
        (math.nan, "null"),
        ({"도시": [1, 2.5]}, '{"도시":[1,2.5]}'),
        (City("Seoul", Sky.CLEAR), '{"name":"Seoul","sky":"clear"}'),
        (Struct(datetime.date(2025, 1, 2)), '{"at":"2025-01-02"}'),
        (
            Model(path=Path("a/b"), inner=City("Seoul", Sky.CLEAR)),
            '{"path":"a/b","city":{"name":"Seoul","sky":"clear"}}',
        ),
        ([Path("a"), deque([1])], '["a",[1]]'),
        (Word.YES, '"yes"'),
        (datetime.datetime(2025, 1, 2, tzinfo=datetime.UTC), '"2025-01-02T00:00:00Z"'),
        (b"ab", '"YWI="'),
    ],
)
def test_a_value_is_written_by_one_rule(result: object, output: str) -> None:
    assert answer(result) == calls.Answer(output)


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(Json.filter(lambda value: not isinstance(value, str)))
def test_what_json_can_say_is_said(value: object) -> None:
    try:
        output = answer(value, 10**6).output
    except ToolFailed:
        assert not _is_unicode(value)
    else:
        assert json.loads(output) == value


def _is_unicode(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def test_a_reply_says_how_to_go_on() -> None:
    assert answer(Reply({"a": 1})) == calls.Answer('{"a":1}')
    assert answer(Reply.normal("x")) == calls.Answer("x", calls.Reply.NORMAL)
    assert answer(Reply.silent([1])) == calls.Answer("[1]", calls.Reply.SILENT)
    assert answer(Reply.say_now("One moment.")) == calls.Answer("null", calls.Reply.SAY_NOW, "One moment.")
    assert answer(Reply.say_now("Done.", {"id": 7})).output == '{"id":7}'


@pytest.mark.parametrize(
    "make",
    [lambda: Reply.say_now(" "), lambda: Reply("x", words="said"), lambda: Reply(None, calls.Reply.SAY_NOW)],
)
def test_words_and_say_now_belong_together(make: Any) -> None:
    with pytest.raises(ValueError, match="SAY_NOW"):
        make()


def endless() -> Any:
    while True:
        yield 1


def in_itself() -> list[object]:
    it: list[object] = []
    it.append(it)
    return it


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (object(), "PydanticSerializationError"),
        ({"rows": endless()}, "TypeError"),
        (in_itself(), "RecursionError"),
        ("\ud800", "UnicodeEncodeError"),
        ({(1, 2): 3}, "RecursionError"),
    ],
)
def test_what_cannot_be_written_is_the_tools_failure(result: object, kind: str) -> None:
    with pytest.raises(ToolFailed) as caught:
        answer(result)
    assert (caught.value.tool, caught.value.call_id, caught.value.exception_type) == ("t", "c", kind)
    assert type(caught.value.__cause__).__name__ == kind


def test_the_limit_counts_bytes() -> None:
    assert answer("차례", 6).output == "차례"
    with pytest.raises(ToolResultTooLarge) as caught:
        answer("차례", 5)
    assert (caught.value.size_bytes, caught.value.limit_bytes) == (6, 5)
    read = failure_of(caught.value)
    assert read.failed
    assert json.loads(read.output) == {
        "error": {
            "type": "too_large",
            "message": "the tool's result is too large",
            "size_bytes": 6,
            "limit_bytes": 5,
        }
    }


def test_every_error_of_a_tool_has_a_word_for_the_model() -> None:
    assert KINDS.keys() == set(ToolError.__subclasses__())
    late = failure_of(ToolTimedOut(tool="t", timeout_ms=5))
    assert json.loads(late.output)["error"]["type"] == "timed_out"


def test_the_text_of_an_exception_is_shown_only_on_request() -> None:
    error = ToolFailed(tool="t", exception_type="KeyError")
    error.__cause__ = KeyError("\ud800 secret" + "x" * 2_000)
    read = json.loads(failure_of(error).output)["error"]
    assert read == {"type": "failed", "message": "the tool raised an exception", "exception": "KeyError"}
    detail = json.loads(failure_of(error, shows_cause=True).output)["error"]["detail"]
    assert detail.startswith("KeyError: ")
    assert "secret" in detail
    assert len(detail) == 1_000
