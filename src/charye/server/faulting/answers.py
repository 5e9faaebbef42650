"""Faults of the mind: answers that never end, are long, call several functions, or both speak and call."""

import math
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from charye.protocol import Maybe, ResponseError, Tool
from charye.protocol.wire import Json
from charye.server.faulting.stage import Fault, In, Options, Out, Pause, Say, Step
from charye.server.faulting.wire import Wire
from charye.server.parts import Arguments, Call, CallEnd, Context, Failed, Finished, MindOutput, Text

__all__ = ["FailedResponse", "LongAnswer", "ParallelCalls", "Stuck", "ToolOnly", "WordsAndCall"]

Script = Sequence[MindOutput | Pause]


class _Answer(Fault):
    """Answers instead of the mind, in the conversation."""

    _struck = False

    def answer(self, context: Context) -> Script | None:
        if context.conversation_id is None or not self._can(context) or not self._strikes():
            return None
        self._struck = True
        return self._script(context)

    def outgoing(self, wire: Wire) -> "Sequence[Step]":
        # A mind has no line to the journal; the next event on the wire does.
        if self._struck:
            self._struck = False
            return Say(self._seen.floor or ""), Out(wire)
        return (Out(wire),)

    def _can(self, context: Context) -> bool:
        return True

    def _script(self, context: Context) -> Script:
        raise NotImplementedError


class Stuck(_Answer):
    """A response falls silent after its first words and never ends; a cancel ends it, unless `deaf=1`."""

    OPTIONS: ClassVar[Options] = {"deaf": 0.0}

    def _script(self, context: Context) -> Script:
        return Text("Let me think. "), Pause(math.inf)

    def incoming(self, wire: Wire) -> "Sequence[Step]":
        if self._number("deaf") and wire.kind == "response.cancel":
            return (Say(wire.text("response_id") or ""),)
        return (In(wire),)


class LongAnswer(_Answer):
    """A healthy answer that takes `s` seconds to be generated, a sentence each second. Nothing is wrong with it."""

    OPTIONS: ClassVar[Options] = {"s": 90.0}

    def _script(self, context: Context) -> Script:
        script: list[MindOutput | Pause] = []
        for number in range(1, int(self._number("s")) + 1):
            script += [Text(f"This is sentence {number}. "), Pause(1.0)]
        return script


class FailedResponse(_Answer):
    """A response fails after its first words; `code` says why."""

    OPTIONS: ClassVar[Options] = {"code": "rate_limit_exceeded"}

    def _script(self, context: Context) -> Script:
        error = ResponseError(
            type="server_error" if self._word("code") == "server_error" else "invalid_request_error",
            code=self._word("code"),
            message="The response could not be finished.",
        )
        return Text("Well, "), Failed(error)


class _Calls(_Answer):
    """Answers a request with calls of the session's own tools, where it has some."""

    def _can(self, context: Context) -> bool:
        return bool(context.tools) and context.tool_choice != "none"

    def _calls(self, context: Context, count: int) -> list[MindOutput]:
        tools = [context.tools[index % len(context.tools)] for index in range(count)]
        opened: list[MindOutput] = [Call(str(key), _name(tool)) for key, tool in enumerate(tools)]
        for key, tool in enumerate(tools):
            opened += [Arguments(str(key), _arguments(tool)), CallEnd(str(key))]
        return opened


class ParallelCalls(_Calls):
    """One response calls `n` functions side by side: the session's tools in turn, with arguments of the right form."""

    OPTIONS: ClassVar[Options] = {"n": 3.0}

    def _script(self, context: Context) -> Script:
        return [*self._calls(context, int(self._number("n"))), Finished()]


class WordsAndCall(_Calls):
    """One response holds an audible message and a function call."""

    def _script(self, context: Context) -> Script:
        return [Text("One moment, I will look that up. "), *self._calls(context, 1), Finished()]


class ToolOnly(_Calls):
    """A response is one function call and not a word: nothing of it will ever be heard."""

    def _script(self, context: Context) -> Script:
        return [*self._calls(context, 1), Finished()]


def _name(tool: Tool) -> str:
    name: Maybe[str] = getattr(tool, "name", None)
    return name if isinstance(name, str) else "tool"


def _arguments(tool: Tool) -> str:
    return msgspec.json.encode(_example(getattr(tool, "parameters", None))).decode()


_EXAMPLES: dict[str, Json] = {
    "string": "x",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "array": [],
    "null": None,
}


def _example(schema: Json) -> Json:
    """A value of this JSON schema, as small as it may be."""
    if not isinstance(schema, dict):
        return {}
    if isinstance(choices := schema.get("enum"), list) and choices:
        return choices[0]
    if "default" in schema:
        return schema["default"]
    properties = schema.get("properties")
    if isinstance(properties, dict):
        required = schema.get("required", list(properties))
        names = required if isinstance(required, list) else []
        return {name: _example(properties.get(name, {"type": "string"})) for name in names}
    return _EXAMPLES.get(str(schema.get("type")), {})
