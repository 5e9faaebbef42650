"""What thinks: the script, the echo and the chat endpoint, each asked as a session asks it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from charye.errors import ConfigurationError
from charye.protocol import (
    FunctionCallItem,
    FunctionCallOutputItem,
    FunctionTool,
    InputAudio,
    InputImage,
    InputText,
    Item,
    MessageItem,
    NamedTool,
    OutputAudio,
    OutputText,
)
from charye.server.chat import messages
from charye.server.clock import LoopClock, run_virtually
from charye.server.minds import Chat, Echo, Mind, Script, Scripted
from charye.server.parts import Arguments, Call, CallEnd, Context, Failed, Finished, MindOutput, Text


def context(*items: Item, **fields: Any) -> Context:
    return Context(
        response_id="r", conversation_id="c", model="m", **{"instructions": "Be kind.", **fields}, items=items
    )


def user(text: str) -> MessageItem:
    return MessageItem(role="user", content=(InputText(text),))


async def said(mind: Mind, asked: Context) -> list[MindOutput]:
    return [output async for output in mind.answer(asked)]


def words(outputs: list[MindOutput]) -> str:
    return "".join(output.delta for output in outputs if isinstance(output, Text))


def test_all_of_them_are_minds() -> None:
    for mind in (Echo(), Scripted(Script(answer=())), Chat("http://localhost", model="m")):
        assert isinstance(mind, Mind)


# echo


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((), "Hello."),
        ((user("Hi."),), "Hi."),
        ((user("Hi."), MessageItem(role="user", content=(InputAudio(transcript="안녕"),))), "안녕"),
        ((user("Hi."), FunctionCallOutputItem("call_1", "12 degrees")), "12 degrees"),
    ],
)
def test_echo_says_the_last_words(items: tuple[Item, ...], expected: str) -> None:
    assert words(asyncio.run(said(Echo(), context(*items)))) == expected


# script


SCENARIO = b"""
[[answer]]
say = "One."

[[answer]]
when = "weather"
say = "Let me look."
[[answer.call]]
name = "get_weather"
arguments = { city = "London" }
call_id = "call_1"

[[answer]]
metadata = { topic = "classify" }
say = "a greeting"

[[answer]]
say = "Two."
"""


def test_a_script_gives_its_answers_in_order_and_those_with_conditions_where_they_fit() -> None:
    mind = Scripted(Script.parse(SCENARIO))

    async def main() -> list[str]:
        asked = [
            context(),
            context(user("What is the Weather?")),
            context(metadata={"topic": "classify"}),
            context(),
            context(),
        ]
        return [words(await said(mind, one)) for one in asked]

    assert asyncio.run(main()) == ["One.", "Let me look.", "a greeting", "Two.", "One."]


def test_a_scripted_call() -> None:
    outputs = asyncio.run(said(Scripted(Script.parse(SCENARIO)), context(user("weather"))))
    assert outputs[-5] == Call("0", "get_weather", "call_1")
    assert "".join(o.delta for o in outputs if isinstance(o, Arguments)) == '{"city":"London"}'
    assert outputs[-2:] == [CallEnd("0"), Finished()]


def test_parallel_calls_overlap_with_the_words() -> None:
    script = {
        "answer": [
            {"say": "Both.", "parallel": True, "call": [{"name": "a"}, {"name": "b", "arguments": "{"}]}
        ]
    }
    outputs = asyncio.run(said(Scripted(Script.parse(json.dumps(script).encode(), toml=False)), context()))
    assert [type(output) for output in outputs[:3]] == [Call, Call, Text]
    assert [o.delta for o in outputs if isinstance(o, Arguments) and o.key == "1"] == ["", "{"]


def test_a_script_takes_its_time() -> None:
    script = Script.parse(b'[[answer]]\nsay = "one two three four"\ndelay_s = 5\nwords_per_s = 2')

    async def main() -> float:
        clock = LoopClock()
        await said(Scripted(script, clock=clock), context())
        return clock.now()

    assert run_virtually(main()) == pytest.approx(7)


@pytest.mark.parametrize(("after", "last"), [("repeat", "One."), ("last", "Two."), ("silence", "")])
def test_what_comes_after_the_last_answer(after: str, last: str) -> None:
    script = f'after = "{after}"\n[[answer]]\nsay = "One."\n[[answer]]\nsay = "Two."'

    async def main() -> list[str]:
        mind = Scripted(Script.parse(script.encode()))
        return [words(await said(mind, context())) for _ in range(3)]

    assert asyncio.run(main())[-1] == last


def test_an_answer_may_fail_or_be_incomplete_or_come_once() -> None:
    text = b"""
    [[answer]]
    when = "x"
    once = true
    say = "Well"
    fail = { type = "server_error", code = "server_error", message = "No." }
    [[answer]]
    incomplete = "content_filter"
    """

    async def main() -> list[MindOutput]:
        mind = Scripted(Script.parse(text))
        return [(await said(mind, context(user("x"))))[-1] for _ in range(2)]

    first, second = asyncio.run(main())
    assert isinstance(first, Failed)
    assert second == Finished(incomplete="content_filter")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"[[answer", "end of document"),
        (b"\xff", "utf-8"),
        (b"[[answer]]\nsya = 'x'", "sya"),
        (b"[[answer]]\nsay = 5", "answer"),
        (b"answer = []\nafter = 'party'", "after"),
        (b"[[answer]]\nwhen = '('", "answer[0].when"),
        (b"", "answer"),
    ],
)
def test_a_bad_scenario_says_where(text: bytes, where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Script.parse(text)
    assert where in str(caught.value.option)


def test_a_scenario_is_read_from_a_file(tmp_path: Path) -> None:
    for name, data in (("a.toml", SCENARIO), ("a.json", b'{"answer": [{"say": "One."}]}')):
        (tmp_path / name).write_bytes(data)
        assert Script.load(tmp_path / name).answer[0].say == "One."
    with pytest.raises(ConfigurationError):
        Script.load(tmp_path / "none.toml")


# chat


def test_a_conversation_becomes_chat_messages() -> None:
    items = (
        user("Hi."),
        MessageItem(role="assistant", content=(OutputAudio(transcript="Hello!"),)),
        MessageItem(role="user", content=(InputAudio(),)),
        MessageItem(role="user", content=(InputText("Look:"), InputImage("data:image/png;base64,AA=="))),
        FunctionCallItem("look", "{}", "call_1"),
        FunctionCallItem("see", "", "call_2"),
        MessageItem(role="assistant", content=(OutputText("One moment."),)),
        MessageItem(role="assistant", content=(OutputAudio(),)),
        FunctionCallOutputItem("call_1", "a cat"),
    )
    assert messages(context(*items)) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "(The user said something that could not be understood.)"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}},
                {"id": "call_2", "type": "function", "function": {"name": "see", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "a cat"},
        {"role": "tool", "tool_call_id": "call_2", "content": "(There is no result yet.)"},
        {"role": "assistant", "content": "One moment."},
    ]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def endpoint(handler: Handler) -> AsyncIterator[str]:
    """A chat endpoint on loopback."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v1"
    finally:
        await runner.cleanup()


def streaming(*chunks: Any, seen: list[Any] | None = None) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        if seen is not None:
            seen.append((await request.json(), request.headers.get("Authorization")))
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        for chunk in chunks:
            data = chunk if isinstance(chunk, bytes) else json.dumps(chunk).encode()
            await reply.write(b"data: " + data + b"\n\n")
        return reply

    return handler


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def asked(handler: Handler, asking: Context, **options: Any) -> list[MindOutput]:
    async def main() -> list[MindOutput]:
        async with endpoint(handler) as url:
            chat = Chat(url, model="local", **options)
            try:
                return await said(chat, asking)
            finally:
                await chat.aclose()
                await chat.aclose()

    return asyncio.run(main())


def test_chat_streams_words_and_calls() -> None:
    seen: list[Any] = []
    handler = streaming(
        delta(role="assistant", content=""),
        delta(content="Let me "),
        delta(content="look."),
        delta(tool_calls=[{"index": 0, "id": "call_1", "function": {"name": "look", "arguments": ""}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '{"x":'}}]),
        delta(tool_calls=[{"index": 1, "id": "c" * 40, "function": {"name": "see", "arguments": "{}"}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": "1}"}}]),
        delta("tool_calls"),
        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5}},
        b"[DONE]",
        seen=seen,
    )
    tools = (FunctionTool("look", "Looks.", {"type": "object"}), FunctionTool("see"))
    asking = context(
        user("Hi."), tools=tools, tool_choice=NamedTool("function", "look"), max_output_tokens=50
    )
    assert asked(handler, asking, api_key="k", extra={"temperature": 0.1}) == [
        Text("Let me "),
        Text("look."),
        Call("0", "look", "call_1"),
        Arguments("0", '{"x":'),
        Call("1", "see", None),  # a realtime client would refuse an id of 40 characters
        Arguments("1", "{}"),
        Arguments("0", "1}"),
        Finished(None, 9, 5),
    ]
    request, authorization = seen[0]
    assert authorization == "Bearer k"
    assert request["model"] == "local"
    assert (request["max_tokens"], request["temperature"], request["stream"]) == (50, 0.1, True)
    assert request["tools"] == [
        {
            "type": "function",
            "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}},
        },
        {"type": "function", "function": {"name": "see"}},
    ]
    assert request["tool_choice"] == {"type": "function", "function": {"name": "look"}}


def test_chat_without_tools_sends_none() -> None:
    seen: list[Any] = []
    asked(streaming(delta("stop"), seen=seen), context(tools=(FunctionTool("f"),), tool_choice="none"))
    assert "tools" not in seen[0][0]
    assert seen[0][1] is None


@pytest.mark.parametrize(("reason", "incomplete"), [("stop", None), ("length", "max_output_tokens")])
def test_chat_says_why_it_ended(reason: str, incomplete: str | None) -> None:
    assert asked(streaming(delta(reason, content="x")), context())[-1] == Finished(incomplete)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "rate_limit_exceeded"),
        (401, "invalid_api_key"),
        (404, "model_not_found"),
        (500, "endpoint_refused"),
    ],
)
def test_a_refusing_endpoint_fails_the_response_and_says_how(status: int, code: str) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    (output,) = asked(handler, context())
    assert isinstance(output, Failed)
    assert output.error.code == code


@pytest.mark.parametrize("chunk", [b"nonsense", b"[1]"])
def test_an_endpoint_that_talks_nonsense_fails_the_response(chunk: bytes) -> None:
    output = asked(streaming(delta(content="Hi"), chunk), context())[-1]
    assert isinstance(output, Failed)
    assert output.error.code == "endpoint_malformed"


def test_a_silent_endpoint_fails_the_response() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3600)
        return web.Response()

    (output,) = asked(handler, context(), timeout_s=0.05)
    assert isinstance(output, Failed)
    assert output.error.code == "timeout"


def test_an_endpoint_that_is_not_there_fails_the_response() -> None:
    async def main() -> list[MindOutput]:
        async with endpoint(streaming()) as url:
            pass  # the port was free a moment ago
        chat = Chat(url, model="local")
        try:
            return await said(chat, context())
        finally:
            await chat.aclose()

    (output,) = asyncio.run(main())
    assert isinstance(output, Failed)
    assert output.error.code == "endpoint_unreachable"
