"""What the model is told about a function, and what becomes of what it writes."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib import _pydantic as openai_strict
from pydantic import BaseModel, Field, field_validator

from charye.errors import ConfigurationError
from charye.protocol import FunctionTool
from charye.session.signatures import BadArguments, Declared, Signature, ToolCall, signature_of

if TYPE_CHECKING:
    from decimal import Decimal


class Unit(enum.Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


class Place(BaseModel):
    """A place."""

    title: str
    near: Place | None = None


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


@dataclasses.dataclass
class Night:
    number: int


class Checked(BaseModel):
    value: str

    @field_validator("value")
    @classmethod
    def never(cls, value: str) -> str:
        raise ValueError(f"{value} is not wanted")


def schema(function: Callable[..., object]) -> dict[str, Any]:
    parameters = signature_of(function).tool.parameters
    assert parameters is not None
    return parameters


def book(
    city: str,
    where: Place,
    pet: Annotated[Cat | Dog, Field(discriminator="kind")],
    unit: Unit = Unit.CELSIUS,
    rooms: Annotated[int, Field(ge=1, description="how many")] = 1,
    *,
    nights: list[Night],
    note: str | None = None,
) -> None:
    """Book a hotel.

    It is paid later.

    Args:
        city (str): the city,
            in full: "Seoul"
        unit, note: both
        rooms: not this one

    Returns:
        nothing: at all
    """


def test_the_model_is_told_names_types_defaults_and_descriptions() -> None:
    tool = signature_of(book).tool
    assert (tool.name, tool.description) == ("book", "Book a hotel.\n\nIt is paid later.")
    assert tool.parameters == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "city": {"type": "string", "description": 'the city, in full: "Seoul"'},
            "where": {"$ref": "#/$defs/Place"},
            "pet": {"anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]},
            "unit": {"type": "string", "enum": ["c", "f"], "default": "c", "description": "both"},
            "rooms": {"type": "integer", "minimum": 1, "default": 1, "description": "how many"},
            "nights": {"type": "array", "items": {"$ref": "#/$defs/Night"}},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "both"},
        },
        "required": ["city", "where", "pet", "nights"],
        "$defs": {
            "Cat": {
                "type": "object",
                "properties": {"kind": {"type": "string", "const": "cat"}},
                "required": ["kind"],
            },
            "Dog": {
                "type": "object",
                "properties": {"kind": {"type": "string", "const": "dog"}},
                "required": ["kind"],
            },
            # pydantic closes the object: a dataclass takes nothing else
            "Night": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"number": {"type": "integer"}},
                "required": ["number"],
            },
            "Place": {
                "type": "object",
                "description": "A place.",
                "properties": {
                    "title": {"type": "string"},
                    "near": {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}]},
                },
                "required": ["title"],
            },
        },
    }


def test_the_schema_is_what_openais_own_package_makes_strict() -> None:
    written = json.loads(json.dumps(schema(book)))
    strict = openai_strict._ensure_strict_json_schema(written, path=(), root=written)
    assert strict["required"] == list(strict["properties"])


def words(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {word for each in schema for word in words(each)}
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for word, value in schema.items():
        by_name = word in ("properties", "$defs")
        found |= {word for each in value.values() for word in words(each)} if by_name else words(value)
    return found


def test_a_parameter_may_be_called_like_a_word_of_the_schema() -> None:
    def f(title: str, default: int = 1, _u: int = 2, model_config: int = 3, schema: str = "s") -> None: ...

    made = schema(f)
    assert list(made["properties"]) == ["title", "default", "_u", "model_config", "schema"]
    assert "title" not in words(made)
    signature = signature_of(f)
    assert signature.checked('{"title": "x", "_u": 5, "model_config": 6, "schema": "y"}') == {
        "title": "x",
        "_u": 5,
        "model_config": 6,
        "schema": "y",
    }


def test_arguments_arrive_as_the_types_that_the_function_names() -> None:
    given = {
        "city": "Seoul",
        "where": {"title": "x"},
        "pet": {"kind": "cat"},
        "nights": [{"number": 3}],
        "unit": "f",
    }
    assert signature_of(book).checked(json.dumps(given)) == {
        "city": "Seoul",
        "where": Place(title="x"),
        "pet": Cat(kind="cat"),
        "nights": [Night(3)],
        "unit": Unit.FAHRENHEIT,
    }


def test_a_default_is_left_to_the_function() -> None:
    missing = object()

    def f(a: int = missing, b: int = Field(5, ge=1), *, c: Annotated[int, Field(default=7)]) -> None:  # type: ignore[assignment]
        ...

    signature = signature_of(f)
    assert signature.checked("") == {"b": 5, "c": 7}
    assert signature.checked(' {"a": 1, "b": 2, "c": 3}') == {"a": 1, "b": 2, "c": 3}
    assert "required" not in schema(f)


def problems(signature: Signature | Declared, arguments: str) -> list[tuple[str, str]]:
    bad = signature.bound(ToolCall("c", "n", "r", arguments))
    assert isinstance(bad, BadArguments)
    return [(each.private_where, each.code) for each in bad.problems]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("{", [("", "json_invalid")]),
        ("[]", [("", "model_type")]),
        ("null", [("", "model_type")]),
        ("\ud800", [("", "json_invalid")]),
        ("[" * 500, [("", "json_invalid")]),
        ("{}", [("where", "missing")]),
        ('{"where": {"title": 1}}', [("where.title", "string_type")]),
        ('{"where": {"title": "x"}, "why": 1}', [("why", "extra_forbidden")]),
    ],
)
def test_what_does_not_fit_is_named(arguments: str, expected: list[tuple[str, str]]) -> None:
    def f(where: Place) -> None: ...

    assert problems(signature_of(f), arguments) == expected


def test_what_the_model_wrote_is_for_the_model_only() -> None:
    def f(where: Place, checked: Checked | None = None) -> None: ...

    bad = signature_of(f).checked(
        '{"my secret": 1, "where": {"title": ["my secret"]}, "checked": {"value": "my secret"}}'
    )
    assert isinstance(bad, BadArguments)
    assert bad.codes == ("where:string_type", "checked:value_error", ":extra_forbidden")
    assert not any("secret" in each.private_message for each in bad.problems)
    assert [each.private_message for each in bad.problems][1] == "this value is not accepted"


@given(st.text() | st.text(alphabet='{}[]":,0a ').map(lambda inner: "{" + inner + "}"))
def test_any_text_fits_or_is_refused(arguments: str) -> None:
    for function in (book, anything):
        checked = signature_of(function).checked(arguments)
        assert isinstance(checked, dict | BadArguments)
    assert isinstance(
        Declared(FunctionTool("d")).bound(ToolCall("c", "d", "r", arguments)), tuple | BadArguments
    )


def anything(a: Any = None) -> None: ...


def test_the_call_itself_is_given_to_who_wants_it_and_hidden_from_the_model() -> None:
    def f(n: int, call: ToolCall, also: Annotated[ToolCall, "the same"]) -> None: ...

    signature, call = signature_of(f), ToolCall("c1", "f", "r1", '{"n": 3}')
    assert list(schema(f)["properties"]) == ["n"]
    assert signature.bound(call) == ((), {"n": 3, "call": call, "also": call})


class Shop:
    """A shop."""

    def buy(self, what: str) -> None:
        """Buy something."""

    def __call__(self, what: str) -> None:
        """Ask for something."""


def test_methods_partials_and_objects_are_functions_too() -> None:
    bought = signature_of(Shop().buy).tool
    assert (bought.name, bought.description, list(schema(Shop().buy)["properties"])) == (
        "buy",
        "Buy something.",
        ["what"],
    )
    asked = signature_of(Shop(), name="ask").tool
    assert (asked.name, asked.description) == ("ask", "Ask for something.")
    fixed = functools.partial(functools.partial(book, rooms=2), city="Seoul")
    signature = signature_of(fixed)
    assert signature.tool.name == "book"
    assert signature.tool.parameters is not None
    assert {"city", "rooms"}.isdisjoint(signature.tool.parameters["properties"])  # type: ignore[arg-type]
    positional = functools.partial(book, "Seoul")
    assert "city" not in schema(positional)["properties"]


def test_name_and_description_can_be_said() -> None:
    assert signature_of(anything, name="n", description="d").tool == FunctionTool(
        name="n",
        description="d",
        parameters={"type": "object", "additionalProperties": False, "properties": {"a": {}}},
    )
    assert signature_of(anything).tool.description is None


def no_annotation(a, b: int) -> None: ...  # type: ignore[no-untyped-def]
def only_by_position(a: int, /) -> None: ...
def any_number(*a: int) -> None: ...
def any_names(**a: int) -> None: ...
def not_there(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def only_for_checkers(a: Decimal) -> None: ...
def no_schema(a: threading.Lock) -> None: ...
def no_json(a: Callable[[], int]) -> None: ...


@pytest.mark.parametrize(
    "function",
    [
        no_annotation,
        only_by_position,
        any_number,
        any_names,
        not_there,
        only_for_checkers,
        no_schema,
        no_json,
    ],
)
def test_a_parameter_that_the_model_cannot_give_is_refused_by_name(function: Callable[..., object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        signature_of(function)
    fields = vars(caught.value)
    assert (fields["option"], fields["tool"], fields["parameter"]) == ("function", function.__name__, "a")


def test_a_function_that_does_not_tell_its_parameters_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="declare"):
        signature_of(max)  # in C


@pytest.mark.parametrize("name", ["", "two words", "x" * 65, "이름", "a\n"])
def test_a_name_that_the_api_refuses_is_refused_here(name: str) -> None:
    function = functools.partial(lambda: None) if not name else anything
    with pytest.raises(ConfigurationError, match="name"):
        signature_of(function, name=name)


def test_a_declared_tool_takes_one_object() -> None:
    declared = Declared(FunctionTool("d"))
    assert declared.bound(ToolCall("c", "d", "r", "")) == (({},), {})
    assert declared.bound(ToolCall("c", "d", "r", '{"a": [1]}')) == (({"a": [1]},), {})
    for arguments in ("[1]", "{", "\ud800", "[" * 5_000):
        assert problems(declared, arguments) == [("", "json_invalid")]


def test_pydantic_is_loaded_with_the_first_function() -> None:
    program = (
        "import sys\n"
        "from charye.session import lag, replies, signatures, tool_runner\n"
        "runner = tool_runner.ToolRunner()\n"
        "assert not any(name.split('.')[0].startswith('pydantic') for name in sys.modules)\n"
        "def f() -> None: ...\n"
        "runner.add(f)\n"
        "assert 'pydantic' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
