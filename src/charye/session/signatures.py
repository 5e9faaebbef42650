"""What the model is told about a function, and the model's JSON text as arguments of that function.

pydantic makes the schema from the signature: names, annotations with their `Annotated[..., Field(...)]`, defaults. From
the docstring come the description, which is all before the first section, and what a Google-style `Args:` says of each
parameter. The schema keeps to what OpenAI takes for strict tools, as far as defaults allow: one closed object, `anyOf`
for `oneOf`, no titles, no `$ref` but into its own `$defs`, and none with company. pydantic is loaded with the first
function.

What the model wrote may be what a person said. So arguments that do not fit are a value, `BadArguments`, and no
exception with a text: of it only parameters and codes are for logs.
"""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from charye.errors import ConfigurationError
from charye.protocol import FunctionTool
from charye.protocol.limits import TOOL_NAME_MAX_CHARS, TOOL_NAME_PATTERN

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

__all__ = ["BadArguments", "Bound", "Declared", "Problem", "Signature", "ToolCall", "signature_of"]

Bound = tuple[tuple[object, ...], dict[str, object]]
"""Positional and keyword arguments, ready for the call."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The call itself, for a function that has a parameter annotated with this type. The model does not see it.

    Args:
        call_id: names the call; unique in its connection.
        name: of the tool.
        response_id: of the response that called; empty where the server does not name its responses.
        arguments: the model's JSON text as it came; may be empty.
    """

    call_id: str
    name: str
    response_id: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the model's arguments do not fit.

    Args:
        parameter: the parameter it is about; empty if it is about none that exists.
        code: a constant that names what is wrong, such as `missing` or `int_parsing`; pydantic's.
        private_where: the path to it; may have keys in it that the model made up.
        private_message: what is wrong, for the model to read.
    """

    parameter: str
    code: str
    private_where: str
    private_message: str


@dataclass(frozen=True, slots=True)
class BadArguments:
    """The model's arguments do not fit the function."""

    problems: tuple[Problem, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """For logs: `city:missing`."""
        return tuple(f"{each.parameter}:{each.code}" for each in self.problems)


@dataclass(frozen=True, slots=True)
class Signature:
    """A function as the model sees it. Made by `signature_of`.

    Args:
        tool: for the session's configuration.
        injected: parameters that get the `ToolCall`.
        omitted: parameters that, when the model leaves them out, are left to the function's own default.
        names: the fields of `model`, each with the parameter it is about.
    """

    tool: FunctionTool
    injected: frozenset[str]
    omitted: frozenset[str]
    names: dict[str, str]
    model: type[BaseModel]

    def checked(self, arguments: str) -> dict[str, object] | BadArguments:
        """The model's JSON text as keyword arguments, of the types the function names. Empty text is no arguments.

        Raises what a validator of the application's raises beyond `ValueError` and `AssertionError`.
        """
        from pydantic import ValidationError

        try:
            arguments.encode()
        except UnicodeEncodeError:
            return _NO_JSON
        try:
            read = self.model.model_validate_json(arguments if arguments.strip() else "{}")
        except ValidationError as error:
            return BadArguments(tuple(self._problems(error)))
        return {
            name: getattr(read, field)
            for field, name in self.names.items()
            if field in read.model_fields_set or name not in self.omitted
        }

    def bound(self, call: ToolCall) -> Bound | BadArguments:
        """As `checked`, with the call itself where it is wanted."""
        checked = self.checked(call.arguments)
        if isinstance(checked, BadArguments):
            return checked
        return (), checked | dict.fromkeys(self.injected, call)

    def _problems(self, error: ValidationError) -> Iterator[Problem]:
        known = set(self.names.values())
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            where, code = each["loc"], each["type"]
            # The text of an exception is for people who have the source. pydantic's `PydanticCustomError` is written to
            # be read, and passes.
            message = "this value is not accepted" if code in _OWN_WORDS else each["msg"]
            parameter = where[0] if where and where[0] in known else ""
            yield Problem(str(parameter), code, ".".join(map(str, where)), message)


@dataclass(frozen=True, slots=True)
class Declared:
    """A tool whose schema is given. Its function takes the arguments as one dict, which nobody has checked."""

    tool: FunctionTool

    def bound(self, call: ToolCall) -> Bound | BadArguments:
        """The model's JSON object as the one argument. Empty text is an empty object."""
        try:
            return (msgspec.json.decode(call.arguments if call.arguments.strip() else "{}", type=dict),), {}
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return _NO_JSON


_NO_JSON = BadArguments((Problem("", "json_invalid", "", "the arguments are no JSON object"),))
_OWN_WORDS = frozenset({"value_error", "assertion_error"})


def signature_of(
    function: Callable[..., object], *, name: str | None = None, description: str | None = None
) -> Signature:
    """What the model is told about this function. Takes functions, methods, partials and objects that can be called.

    What a `functools.partial` has bound is not shown to the model.

    Args:
        function: each parameter can be given by keyword and has an annotation that pydantic understands.
        name: by default the function's.
        description: by default from its docstring.
    Raises:
        ConfigurationError: the function cannot be a tool, or the name is none; `tool` and `parameter` say where.
    """
    from pydantic import ConfigDict, Field, create_model
    from pydantic.fields import FieldInfo

    inner, fixed = _inside(function)
    name = checked_name(str(name or getattr(inner, "__name__", "")))
    described, about = _docstring(inspect.getdoc(inner) or "")
    injected: set[str] = set()
    omitted: set[str] = set()
    names: dict[str, str] = {}
    fields: dict[str, Any] = {}
    for parameter in _parameters(function, tool=name):
        if parameter.name in fixed:
            continue
        annotation = _annotation(parameter, inner, tool=name)
        if annotation is ToolCall:
            injected.add(parameter.name)
            continue
        default: Any = ...
        if isinstance(parameter.default, FieldInfo):
            annotation = Annotated[annotation, parameter.default]
        elif parameter.default is not parameter.empty:
            default = parameter.default
            omitted.add(parameter.name)
        # pydantic gives some names to its models; numbered fields under the parameters' names never meet them.
        own = parameter.name
        field = Field(default, alias=own, validation_alias=own, serialization_alias=own)
        fields[f"p{len(names)}"] = (annotation, field)
        names[f"p{len(names)}"] = own
    model = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
    parameters = model.model_json_schema(schema_generator=_generator())
    for parameter_name, schema in parameters["properties"].items():
        if parameter_name in about:
            schema.setdefault("description", about[parameter_name])
    tool = FunctionTool(
        name=name, description=description or described or None, parameters=_plain(parameters)
    )
    return Signature(tool, frozenset(injected), frozenset(omitted), names, model)


def checked_name(name: str) -> str:
    """The same name.

    Raises:
        ConfigurationError: the API would refuse it.
    """
    if len(name) > TOOL_NAME_MAX_CHARS or re.fullmatch(TOOL_NAME_PATTERN, name) is None:
        raise ConfigurationError("this is no name for a tool: give it one", option="name", tool=name)
    return name


# --- the signature ---------------------------------------------------------------------------------------------------


def _inside(function: Callable[..., object]) -> tuple[Callable[..., object], frozenset[str]]:
    """What has the annotations and the docstring, and the parameters that partials around it have bound."""
    fixed: set[str] = set()
    while isinstance(function, functools.partial):
        fixed |= function.keywords.keys()
        function = function.func
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = type(function).__call__
    return function, frozenset(fixed)


def _parameters(function: Callable[..., object], *, tool: str) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError) as error:  # a function in C need not tell
        message = "the function does not tell what it takes: declare the tool"
        raise ConfigurationError(message, option="function", tool=tool) from error


def _annotation(parameter: inspect.Parameter, function: Callable[..., object], *, tool: str) -> Any:
    """Its annotation, forward references resolved.

    Raises:
        ConfigurationError: the parameter cannot be one of a tool.
    """

    def refuse(message: str, cause: Exception | None = None) -> ConfigurationError:
        error = ConfigurationError(message, option="function", tool=tool, parameter=parameter.name)
        error.__cause__ = cause
        return error

    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise refuse("a parameter of a tool must be one that is given by keyword")
    if parameter.annotation is parameter.empty:
        raise refuse("a parameter of a tool has no annotation, so the model would not know what to give")
    names = getattr(inspect.unwrap(function), "__globals__", {})
    holder = SimpleNamespace(__annotations__={"it": parameter.annotation})
    try:
        annotation = typing.get_type_hints(holder, names, include_extras=True)["it"]
    except Exception as error:  # an annotation is any expression
        raise refuse(
            "the annotation of a tool's parameter cannot be resolved in its module", error
        ) from error
    if typing.get_origin(annotation) is Annotated and typing.get_args(annotation)[0] is ToolCall:
        return ToolCall
    if annotation is not ToolCall:
        _try(annotation, refuse)
    return annotation


def _try(annotation: Any, refuse: Callable[[str, Exception], ConfigurationError]) -> None:
    """Find out now, and by itself, whether pydantic can read this type and write its schema."""
    from pydantic import PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter

    try:
        TypeAdapter(annotation).json_schema(schema_generator=_generator())
    except (PydanticUserError, PydanticUndefinedAnnotation, TypeError) as error:
        raise refuse("the annotation of a tool's parameter has no JSON schema", error) from error


# --- the docstring ---------------------------------------------------------------------------------------------------

_SECTION = re.compile(
    r"(Args|Arguments|Parameters|Returns?|Yields?|Raises|Examples?|Notes?|Warnings?|Attributes|See Also|References"
    r"|Sources?|Todo):"
)
_PARAMETER = re.compile(r"( +)(\w+(?:\s*,\s*\w+)*)\s*(?:\([^)]*\))?\s*:\s*(.*)")


def _docstring(text: str) -> tuple[str, dict[str, str]]:
    """What stands before the first section, and what its `Args:` says of each parameter."""
    head: list[str] = []
    about: dict[str, str] = {}
    section, indent = "", 0
    last: tuple[str, ...] = ()
    for line in text.splitlines():
        if found := _SECTION.match(line):
            section, indent = found[1], 0
        elif not section:
            head.append(line)
        elif section in ("Args", "Arguments", "Parameters"):
            entry = _PARAMETER.fullmatch(line)
            if entry is not None and len(entry[1]) <= (indent or len(entry[1])):
                indent, last = len(entry[1]), tuple(each.strip() for each in entry[2].split(","))
                about |= dict.fromkeys(last, entry[3])
            else:
                about |= {each: f"{about[each]} {line.strip()}".strip() for each in last}
    return "\n".join(head).strip(), about


# --- the schema ------------------------------------------------------------------------------------------------------

Schema = dict[str, Any]
_BY_NAME = frozenset({"properties", "$defs", "patternProperties"})
_DATA = frozenset({"const", "default", "enum", "examples"})
_DEFS = "#/$defs/"


@functools.cache
def _generator() -> type[Any]:
    """pydantic's, without its warning: a default that JSON cannot say is the function's own affair."""
    from pydantic.json_schema import GenerateJsonSchema

    return type(
        "Quiet",
        (GenerateJsonSchema,),
        {"ignored_warning_kinds": {"skipped-choice", "non-serializable-default"}},
    )


def _plain(schema: Schema) -> Schema:
    """The same schema in fewer words, and only the definitions that it needs."""
    definitions: Schema = schema.pop("$defs", {})
    plain: Schema = _reduced(schema, definitions)
    wanted, found = _references(plain), set[str]()
    kept: Schema = {}
    while rest := wanted - found:
        found |= rest
        kept |= {each: _reduced(definitions[each], definitions) for each in sorted(rest)}
        wanted |= _references(kept)
    return plain | ({"$defs": kept} if kept else {})


def _reduced(schema: Any, definitions: Schema) -> Any:
    if isinstance(schema, list):
        return [_reduced(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    reduced: Schema = {}
    for word, value in schema.items():
        if word in ("title", "discriminator") or (word == "default" and value is None):
            continue
        if word in _BY_NAME:
            reduced[word] = {name: _reduced(each, definitions) for name, each in value.items()}
        else:
            # Of a discriminated union at most one fits anyway.
            reduced["anyOf" if word == "oneOf" else word] = (
                value if word in _DATA else _reduced(value, definitions)
            )
    if "$ref" in reduced and len(reduced) > 1:
        target = definitions[reduced.pop("$ref").removeprefix(_DEFS)]
        return _reduced(target, definitions) | reduced
    return reduced


def _references(schema: Any) -> set[str]:
    """The definitions that are named in it."""
    if isinstance(schema, list):
        return {name for each in schema for name in _references(each)}
    if not isinstance(schema, dict):
        return set()
    named = schema.get("$ref")
    here = {named.removeprefix(_DEFS)} if isinstance(named, str) else set()
    return here | {name for each in schema.values() for name in _references(each)}
