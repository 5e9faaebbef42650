"""A mind at any OpenAI-compatible chat endpoint: streaming, with tool calls. So a local language model works too.

    mind = Chat("http://127.0.0.1:11434/v1", model="qwen3")

Needs aiohttp (extra `server`).
"""

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from charye.errors import MissingExtra
from charye.protocol import (
    FunctionCallItem,
    FunctionCallOutputItem,
    FunctionTool,
    InputAudio,
    InputImage,
    InputText,
    MessageItem,
    NamedTool,
    OutputAudio,
    OutputText,
    ResponseError,
    TextPart,
)
from charye.server.parts import Arguments, Call, Context, Failed, Finished, MindOutput, Text

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Chat", "messages"]

_NOT_UNDERSTOOD = "(The user said something that could not be understood.)"
_NO_RESULT_YET = "(There is no result yet.)"
_ENDINGS = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Chat:
    """Asks a chat endpoint. May serve many sessions; close it when all of them are over.

    Args:
        base_url: up to and with the version: `/chat/completions` is appended.
        model: as that endpoint calls it; the session's model is only a name.
        api_key: sent as a bearer token; None: not sent.
        timeout_s: between two pieces of the answer, and for the first.
        extra: more fields of the request, such as `temperature`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout_s = timeout_s
        self._extra = dict(extra or {})
        self._http: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Give the connections back. Twice does no harm."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def answer(self, context: Context) -> AsyncIterator[MindOutput]:
        """Ask, and pass on what comes. An endpoint that fails ends the response as failed, and says how."""
        aiohttp = _aiohttp()
        if self._http is None:
            self._http = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=self._timeout_s)
        try:
            async with self._http.post(
                self._url, json=self._request(context), headers=self._headers, timeout=timeout
            ) as reply:
                if reply.status >= 400:
                    yield Failed(_refused(reply.status))
                    return
                reading = _Reading()
                async for line in reply.content:
                    for output in reading.feed(line):
                        yield output
                yield reading.end()
        except TimeoutError:
            yield Failed(_error("timeout", f"The chat endpoint was silent for {self._timeout_s:g} s."))
        except aiohttp.ClientError as error:
            yield Failed(_error("endpoint_unreachable", f"The chat endpoint failed: {type(error).__name__}."))
        except ValueError:
            yield Failed(_error("endpoint_malformed", "The chat endpoint sent something that is no answer."))

    def _request(self, context: Context) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": messages(context),
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._extra,
        }
        if context.max_output_tokens is not None:
            request["max_tokens"] = context.max_output_tokens
        tools = [_tool(tool) for tool in context.tools if isinstance(tool, FunctionTool)]
        if tools and context.tool_choice != "none":
            request["tools"] = tools
            request["parallel_tool_calls"] = context.parallel_tool_calls
            choice = context.tool_choice
            if isinstance(choice, NamedTool):
                choice_out: Any = {"type": "function", "function": {"name": choice.name}}
            else:
                choice_out = choice
            request["tool_choice"] = choice_out
        return request


def messages(context: Context) -> list[dict[str, Any]]:
    """The conversation as chat messages.

    Endpoints want the result of each call right behind the calls, and a result for each: calls in a row become one
    message, results are moved there, and one that has not come yet is said to be missing.
    """
    results = {
        item.call_id: item.output for item in context.items if isinstance(item, FunctionCallOutputItem)
    }
    found: list[dict[str, Any]] = []
    if context.instructions:
        found.append({"role": "system", "content": context.instructions})
    calls: list[FunctionCallItem] = []

    def end_calls() -> None:
        if not calls:
            return
        found.append({"role": "assistant", "content": None, "tool_calls": [_call(call) for call in calls]})
        for call in calls:
            result = results.get(call.call_id, _NO_RESULT_YET)
            found.append({"role": "tool", "tool_call_id": call.call_id, "content": result})
        calls.clear()

    for item in context.items:
        if isinstance(item, FunctionCallItem):
            calls.append(item)
        elif isinstance(item, MessageItem):
            end_calls()
            if (content := _content(item)) is not None:
                found.append({"role": item.role, "content": content})
    end_calls()
    return found


def _content(item: MessageItem) -> str | list[dict[str, Any]] | None:
    parts: list[dict[str, Any]] = []
    for part in item.content:
        match part:
            case InputText(text=text) | OutputText(text=text) | TextPart(text=text):
                parts.append({"type": "text", "text": text})
            case InputAudio(transcript=words):
                parts.append({"type": "text", "text": words if words is not None else _NOT_UNDERSTOOD})
            case OutputAudio(transcript=words) if words:
                parts.append({"type": "text", "text": words})
            case InputImage(image_url=url):
                parts.append({"type": "image_url", "image_url": {"url": url}})
            case _:
                pass
    if any(part["type"] != "text" for part in parts):
        return parts
    return "\n".join(part["text"] for part in parts) if parts else None


def _call(call: FunctionCallItem) -> dict[str, Any]:
    return {
        "id": call.call_id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments or "{}"},
    }


def _tool(tool: FunctionTool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {
        "type": "function",
        "function": {key: value for key, value in function.items() if value is not None},
    }


class _Reading:
    """The stream of one answer: lines of `data: {...}`."""

    def __init__(self) -> None:
        self._calls: set[str] = set()
        self._ending: str | None = None
        self._usage: dict[str, Any] = {}

    def feed(self, line: bytes) -> list[MindOutput]:
        """What a line says.

        Raises:
            ValueError: it is no JSON object.
        """
        data = line.strip()
        if not data.startswith(b"data:") or (data := data[5:].strip()) == b"[DONE]":
            return []
        chunk = json.loads(data)
        if not isinstance(chunk, dict):
            raise ValueError("not an object")
        if isinstance(usage := chunk.get("usage"), dict):
            self._usage = usage
        choices = chunk.get("choices") or [{}]
        delta = choices[0].get("delta") or {}
        self._ending = choices[0].get("finish_reason") or self._ending
        found: list[MindOutput] = [Text(delta["content"])] if delta.get("content") else []
        for call in delta.get("tool_calls") or []:
            found += self._call(call)
        return found

    def _call(self, call: dict[str, Any]) -> list[MindOutput]:
        # Some servers leave `index` out and send each call whole; then its id tells it apart.
        key = str(call["index"] if "index" in call else call.get("id", len(self._calls)))
        function = call.get("function") or {}
        found: list[MindOutput] = []
        if key not in self._calls:
            self._calls.add(key)
            call_id = call.get("id")
            # Realtime clients take call ids of 32 characters at most.
            fits = isinstance(call_id, str) and 0 < len(call_id) <= 32
            found.append(Call(key, str(function.get("name") or ""), call_id if fits else None))
        if function.get("arguments"):
            found.append(Arguments(key, str(function["arguments"])))
        return found

    def end(self) -> Finished:
        """How it ended."""
        return Finished(
            incomplete=_ENDINGS.get(self._ending or ""),
            input_tokens=_count(self._usage.get("prompt_tokens")),
            output_tokens=_count(self._usage.get("completion_tokens")),
        )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _refused(status: int) -> ResponseError:
    if status == 429:
        return ResponseError(
            "rate_limit_exceeded", "rate_limit_exceeded", "The chat endpoint limits the rate."
        )
    if status in (401, 403):
        return _error("invalid_api_key", f"The chat endpoint refused the key (HTTP {status}).")
    if status == 404:
        return _error(
            "model_not_found", "The chat endpoint knows neither this path nor this model (HTTP 404)."
        )
    return _error("endpoint_refused", f"The chat endpoint answered with HTTP {status}.")


def _error(code: str, message: str) -> ResponseError:
    return ResponseError("server_error", code, message)


def _aiohttp() -> Any:
    try:
        import aiohttp
    except ImportError:
        raise MissingExtra(feature="the chat mind", extra="server") from None
    return aiohttp
