"""The tree of errors: complete, documented, constant in its words, silent about people, and fit to travel."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import traceback
from collections.abc import Callable
from functools import partial

import pytest

from charye import errors

CLASSES = {
    name: thing
    for name, thing in vars(errors).items()
    if isinstance(thing, type) and issubclass(thing, errors.CharyeError)
}

OUTCOME: dict[str, object] = {
    "reason": "stuck",
    "code": "server_error",
    "attempts": 3,
    "waited_s": 9.5,
    "uncertain": True,
}


class Example:
    """How to make one. It is made inside each test, never while collecting."""

    def __init__(self, cls: Callable[..., errors.CharyeError], *message: str, **fields: object) -> None:
        self.make = partial(cls, *message, **fields)
        self.cls, self.fields = cls, fields

    def __repr__(self) -> str:
        return str(getattr(self.cls, "__name__", ""))


# One of each, with every field set, to something that is not its default.
EXAMPLES: list[Example] = [
    Example(errors.CharyeError, "something went wrong"),
    Example(errors.LocalProtocolError, "no such row", state="open", given="done"),
    Example(errors.ConfigurationError, "choose one of the two", option="create_response"),
    Example(errors.ModelMissing, folder="/models/x", missing=("tokens.txt",), option="voice"),
    Example(errors.MissingExtra, feature="the microphone", extra="audio"),
    Example(errors.DeviceError, "the device is busy", device="hw:0"),
    Example(errors.ToolError, "the tool gave no result", tool="weather", call_id="call_1"),
    Example(errors.ToolTimedOut, tool="weather", timeout_ms=5000.0, call_id="call_1"),
    Example(errors.ToolFailed, tool="weather", exception_type="KeyError", call_id="call_1"),
    Example(
        errors.ToolResultTooLarge,
        tool="weather",
        size_bytes=2_000_000,
        limit_bytes=1_000_000,
        call_id="call_1",
    ),
    Example(errors.RealtimeError, "the other side"),
    Example(errors.RemoteProtocolError, "two answers to one request", event_type="response.created"),
    Example(errors.MalformedEvent, "not JSON", event_type="response.done", size_bytes=17),
    Example(errors.ResponseRefused, code="invalid_value", param="response.tools", private_message="said so"),
    Example(
        errors.ResponseFailed, code="rate_limit_exceeded", response_id="resp_1", private_message="said so"
    ),
    Example(
        errors.ServerError,
        error_type="invalid_request_error",
        code="unknown_parameter",
        param="session.x",
        client_event_id="event_1",
        private_message="said so",
    ),
    Example(errors.QuotaExhausted, code="insufficient_quota", retry_after_s=2.0),
    Example(errors.ConnectionFailed, host="api.example", status=400, code="odd", retry_after_s=2.0),
    Example(errors.AuthenticationFailed, host="api.example", status=401),
    Example(errors.ModelUnavailable, model="gpt-realtime", host="api.example", status=404),
    Example(errors.EndpointNotFound, host="api.example", status=404),
    Example(errors.CallNotFound, host="api.example", status=404, code="call_id_not_found"),
    Example(errors.ShapeRefused, host="api.example", status=400),
    Example(errors.HostUnreachable, host="api.example", status=400),
    Example(errors.TlsFailed, host="api.example", status=400),
    Example(errors.ServerUnavailable, host="api.example", status=429, retry_after_s=2.0),
    Example(errors.NoGreeting, host="api.example", code="server_error", waited_s=10.0),
    Example(errors.CannotReopen, host="api.example"),
    Example(errors.ConnectionLost, close_code=1006, reason="keepalive"),
    Example(errors.SessionExpired, close_code=1001, reason="60 minutes"),
    Example(errors.RequestEnded, request_id="q1", **OUTCOME),
    Example(errors.Denied, request_id="q1", **OUTCOME),
    Example(errors.Cancelled, request_id="q1", **OUTCOME),
    Example(
        errors.Interrupted,
        request_id="q1",
        heard_ms=420.0,
        reason="barge-in",
        attempts=2,
        waited_s=0.5,
        uncertain=True,
    ),
    Example(errors.Expired, request_id="q1", **OUTCOME),
    Example(errors.Failed, request_id="q1", **OUTCOME),
    Example(errors.Disconnected, request_id="q1", **OUTCOME),
]


def test_there_is_an_example_of_every_class() -> None:
    assert sorted(map(repr, EXAMPLES)) == sorted(CLASSES)


def test_everything_public_is_listed() -> None:
    assert sorted(errors.__all__) == sorted(CLASSES)


def test_the_tree_on_top_is_the_tree() -> None:
    drawn: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        row = re.match(r"    ((?:[|`]-- |[| ]   )*)([A-Z]\w+)(?:  .*)?$", line)
        if row:
            depth = len(row[1]) // 4
            path[depth:] = [row[2]]
            drawn[row[2]] = path[depth - 1] if depth else None
    real = {name: cls.__base__.__name__ if cls.__base__ else "" for name, cls in CLASSES.items()}
    assert drawn == {**real, "CharyeError": None}


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_each_class_says_what_to_do(cls: type[errors.CharyeError]) -> None:
    assert "What to do:" in (cls.__dict__["__doc__"] or "")


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_fields_are_keyword_only(cls: type[errors.CharyeError]) -> None:
    parameters = list(inspect.signature(cls).parameters.values())
    positional = [p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    assert positional in ([], ["message"])


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_every_declared_field_is_set(cls: type[errors.CharyeError]) -> None:
    (error,) = (example.make() for example in EXAMPLES if example.cls is cls)
    declared = {name for base in cls.__mro__ for name in inspect.get_annotations(base)}
    assert {name for name in declared if not name.startswith("_")} <= set(vars(error))


@pytest.mark.parametrize("example", EXAMPLES, ids=repr)
def test_what_is_given_is_kept(example: Example) -> None:
    kept = vars(example.make())
    # What has no value is None; an interrupted request, for instance, has no error code.
    assert {
        name: kept[name] for name in kept if kept[name] is not None and name != "__notes__"
    } == example.fields


@pytest.mark.parametrize("example", EXAMPLES, ids=repr)
def test_the_message_is_words_for_people(example: Example) -> None:
    assert re.fullmatch(r"[\w ,;:'\"\[\]-]{8,}", str(example.make()))


@pytest.mark.parametrize("example", EXAMPLES, ids=repr)
@pytest.mark.parametrize("travel", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_an_error_survives_pickle_and_copy(
    example: Example, travel: Callable[[errors.CharyeError], errors.CharyeError]
) -> None:
    error = example.make()
    arrived = travel(error)
    assert type(arrived) is type(error)
    assert vars(arrived) == vars(error)
    assert (str(arrived), arrived.args, repr(arrived)) == (str(error), error.args, repr(error))


def test_the_message_is_constant_and_the_fields_are_in_repr_and_traceback() -> None:
    one = errors.ConnectionLost(close_code=1006, reason="keepalive")
    two = errors.ConnectionLost(close_code=1012, reason="restart")
    assert str(one) == str(two) == one.message == "the connection was lost"
    assert repr(one) == "ConnectionLost('the connection was lost', close_code=1006, reason='keepalive')"
    assert "close_code=1006" in "".join(traceback.format_exception(one))


def test_what_is_private_is_shown_nowhere() -> None:
    error = errors.ResponseRefused(code="invalid_value", private_message="Invalid value: 'my secret'")
    assert error.private_message is not None
    shown = [str(error), repr(error), *traceback.format_exception(error)]
    assert not any("secret" in text for text in shown)


def test_a_missing_extra_names_the_command() -> None:
    error = errors.MissingExtra(feature="the microphone", extra="audio")
    assert 'uv add "charye[audio]"' in str(error)


def test_local_and_remote_fault_do_not_mix() -> None:
    assert not issubclass(errors.LocalProtocolError, errors.RealtimeError)
    assert not issubclass(errors.RequestEnded, errors.RealtimeError)
    assert issubclass(errors.MalformedEvent, errors.RemoteProtocolError)
