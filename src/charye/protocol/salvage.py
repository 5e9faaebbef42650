"""What is done with an event that does not fit its struct, because a malformed field must never hide an event.

The end of a response, above all, has to be seen whatever else is in it. So, in this order:
1. an item, part or tool that does not fit is kept whole, as `UnknownItem`, `UnknownPart`, `UnknownTool`;
2. a field that still does not fit is dropped, if the event can do without it;
3. `response.created`, `response.done`, `session.created`, `session.updated` and `error` need none of them.

Works on plain JSON values, as `msgspec.json.decode` gives them.
"""

import types
from collections.abc import Mapping
from typing import Union, cast, get_args, get_origin

from msgspec import Struct, ValidationError, convert
from msgspec.structs import fields

from charye.protocol.items import Item, Part
from charye.protocol.session import Tool
from charye.protocol.wire import UNKNOWN_TAG, Json

__all__ = ["fit", "unwrap_unknown", "with_skeleton", "wrap_unknown"]

# What stands for a field that its type requires and that servers have been seen to leave out or to send as null.
_STAND_IN: Mapping[str, Mapping[str, Json]] = {
    "message": {"content": []},
    "function_call": {"name": "", "arguments": ""},
    "mcp_list_tools": {"tools": []},
    "input_text": {"text": ""},
    "output_text": {"text": ""},
    "text": {"text": ""},
}


class _DoesNotFit(Exception):
    pass


def wrap_unknown(event: dict[str, Json]) -> dict[str, Json]:
    """The event with every item, part and tool that we cannot represent marked as unknown, nothing lost."""
    result = dict(event)
    # In 2024 some servers called the `part` of `response.content_part.added` and `done` `content`.
    if (
        str(event.get("type")).startswith("response.content_part.")
        and "part" not in event
        and "content" in event
    ):
        result["part"] = result.pop("content")
    if "part" in result:
        result["part"] = _wrapped(result["part"], Part)
    if "item" in result:
        result["item"] = _wrapped_item(result["item"])
    for holder in ("response", "session"):
        if isinstance(inside := result.get(holder), dict):
            inside = dict(inside)
            for name in ("output", "input"):
                if isinstance(items := inside.get(name), list):
                    inside[name] = [_wrapped_item(item) for item in items]
            if isinstance(tools := inside.get("tools"), list):
                inside["tools"] = [_wrapped(tool, Tool) for tool in tools]
            result[holder] = inside
    return result


def _wrapped_item(item: Json) -> Json:
    if not isinstance(item, dict):
        return item
    mended = item
    if isinstance(content := item.get("content"), list):
        mended = {**item, "content": [_wrapped(part, Part) for part in content]}
    return _wrapped(mended, Item, original=item)


def _wrapped(value: Json, union: object, original: Json = None) -> Json:
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    given = {name: field for name, field in value.items() if field is not None}
    stand_in = _STAND_IN.get(kind, {}) if isinstance(kind, str) else {}
    for attempt in (value, {**stand_in, **given}):
        if kind != UNKNOWN_TAG and _fits(attempt, union):
            return attempt
    return {"type": UNKNOWN_TAG, "fields": value if original is None else original}


def unwrap_unknown(value: Json) -> Json:
    """The opposite of `wrap_unknown`: what was marked as unknown is again what it was."""
    if isinstance(value, dict):
        if value.get("type") == UNKNOWN_TAG and "fields" in value:
            return value["fields"]
        return {name: unwrap_unknown(field) for name, field in value.items()}
    if isinstance(value, list | tuple):
        return [unwrap_unknown(element) for element in value]
    return value


def with_skeleton(event: dict[str, Json]) -> dict[str, Json]:
    """The event with the object that its type is about, made from what is there when it is missing."""
    match event.get("type"):
        case "response.created" | "response.done" if not isinstance(event.get("response"), dict):
            return {**event, "response": {"id": event.get("response_id")}}
        case "session.created" | "session.updated" if not isinstance(event.get("session"), dict):
            return {**event, "session": {}}
        case "error" if not isinstance(event.get("error"), dict):
            flat = {name: event[name] for name in ("message", "code", "param") if name in event}
            return {**event, "error": {"message": event.get("error") or "", **flat}}
        case _:
            return event


def fit(event: dict[str, Json], kind: type[Struct]) -> Struct | None:
    """The event with as many of its fields as fit `kind`; None if one is missing that `kind` cannot do without."""
    try:
        return _fit_struct(event, kind)
    except _DoesNotFit:
        return None


def _fits(value: Json, wanted: object) -> bool:
    try:
        convert(value, _as_type(wanted))
    except ValidationError:
        return False
    return True


def _as_type(wanted: object) -> type[object]:
    """What msgspec takes for a type is wider than `type`: unions and aliases as well."""
    return cast("type[object]", wanted)


def _fit_struct(value: Mapping[str, Json], kind: type[Struct]) -> Struct:
    taken: dict[str, object] = {}
    for field in fields(kind):
        if field.encode_name not in value:
            continue
        try:
            taken[field.name] = _fit(value[field.encode_name], field.type)
        except _DoesNotFit:
            continue
    if any(field.required and field.name not in taken for field in fields(kind)):
        raise _DoesNotFit
    return kind(**taken)


def _fit(value: Json, wanted: object) -> object:
    try:
        return convert(value, _as_type(wanted))
    except ValidationError:
        pass
    for option in _options(wanted):
        if isinstance(value, dict) and isinstance(option, type) and issubclass(option, Struct):
            if option.__struct_config__.tag is None:
                return _fit_struct(value, option)
        elif isinstance(value, dict) and get_origin(option) is dict:
            return {name: field for name, field in value.items() if _fits({name: field}, option)}
        elif isinstance(value, list) and get_origin(option) is tuple:
            element = get_args(option)[0]
            return tuple(convert(one, element) for one in value if _fits(one, element))
        elif isinstance(value, int | float) and option is str and not isinstance(value, bool):
            return str(value)
    raise _DoesNotFit


def _options(wanted: object) -> tuple[object, ...]:
    return get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else (wanted,)
