"""Tools at work: whatever they do, the model gets something to read, and nothing waits for ever."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import logging
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from charye.core.calls import Answer
from charye.core.calls import Reply as Manner
from charye.core.effects import RunTool
from charye.errors import ConfigurationError, ToolTimedOut
from charye.protocol import FunctionTool
from charye.server.clock import run_virtually
from charye.session.replies import Reply
from charye.session.signatures import ToolCall
from charye.session.tool_runner import ToolRunner

PATIENCE_S = 30.0
LATE = "a tool's late result was dropped"


def call(name: str, arguments: str = "", *, call_id: str = "call_1") -> RunTool:
    return RunTool(call_id, name, arguments, "resp_1")


def error(answer: Answer) -> dict[str, Any]:
    """What a failed answer says."""
    assert answer.failed
    found: dict[str, Any] = json.loads(answer.output)["error"]
    return found


def run_once(function: Callable[..., Any], arguments: str = "", **options: Any) -> Answer:
    """One call of it, on a virtual clock."""

    async def story() -> Answer:
        runner = ToolRunner()
        tool = runner.add(function, **options)
        return await runner.run(call(tool.name, arguments))

    return run_virtually(story())


async def weather(city: str, days: int = 1) -> dict[str, object]:
    """The weather."""
    await asyncio.sleep(0)
    return {"city": city, "days": days}


def weather_in_a_thread(city: str) -> str:
    return f"{city} {threading.current_thread().daemon} {threading.current_thread().name}"


class Weather:
    async def method(self, city: str) -> str:
        return f"method {city}"

    async def __call__(self, city: str) -> str:
        return f"object {city}"


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that does not know of `async`."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


# --- what is called, and where ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "options", "output"),
    [
        (weather, {}, '{"city":"Seoul","days":1}'),
        (weather_in_a_thread, {}, "Seoul True charye tool weather_in_a_thread"),
        (Weather().method, {}, "method Seoul"),
        (Weather(), {"name": "w"}, "object Seoul"),
        (functools.partial(weather, days=3), {}, '{"city":"Seoul","days":3}'),
        (logged(weather), {}, '{"city":"Seoul","days":1}'),
    ],
)
def test_each_kind_of_function_is_called(
    function: Callable[..., Any], options: dict[str, Any], output: str
) -> None:
    assert run_once(function, '{"city": "Seoul"}', **options) == Answer(output)


def test_a_reply_and_the_call_itself_go_through() -> None:
    async def f(call: ToolCall) -> Reply:
        return Reply.say_now("One moment.", call.call_id)

    assert run_once(f) == Answer("call_1", Manner.SAY_NOW, "One moment.")


def test_a_declared_tool_gets_the_object_as_the_model_wrote_it() -> None:
    declared = FunctionTool("given", "d", {"type": "object"})
    assert run_once(lambda found: found, '{"a": [1]}', declared=declared) == Answer('{"a":[1]}')
    assert error(run_once(lambda found: found, "[1]", declared=declared))["type"] == "bad_arguments"


def test_what_the_server_is_told_is_in_order() -> None:
    runner = ToolRunner()
    runner.add(weather)
    runner.add(weather, name="b", description="other", timeout_s=3, max_running=2)
    assert [tool.name for tool in runner.tools] == ["weather", "b"]
    assert [tool.description for tool in runner.tools] == ["The weather.", "other"]


def test_context_variables_go_along() -> None:
    who = contextvars.ContextVar("who", default="nobody")

    async def on_the_loop() -> str:
        return who.get()

    def in_a_thread() -> str:
        return who.get()

    async def story() -> list[Answer]:
        who.set("somebody")
        runner = ToolRunner()
        return [await runner.run(call(runner.add(each).name)) for each in (on_the_loop, in_a_thread)]

    assert run_virtually(story()) == [Answer("somebody"), Answer("somebody")]


# --- what cannot be a tool -------------------------------------------------------------------------------------------


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


class Generates:
    def __call__(self) -> Iterator[int]:
        yield 1


@pytest.mark.parametrize("function", [generator, async_generator, functools.partial(generator), Generates()])
def test_a_generator_is_no_tool(function: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError, match="generator"):
        ToolRunner().add(function, name="g")


def test_what_cannot_be_called_is_no_tool() -> None:
    with pytest.raises(ConfigurationError, match="called"):
        ToolRunner().add(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({}, "name"),  # taken
        ({"declared": FunctionTool("weather")}, "name"),
        ({"declared": FunctionTool("two words")}, "name"),
        ({"declared": FunctionTool("other"), "name": "n"}, "declared"),
        ({"name": "n", "timeout_s": 0}, "timeout_s"),
        ({"name": "n", "max_running": 0}, "max_running"),
    ],
)
def test_a_contradiction_is_refused_and_changes_nothing(options: dict[str, Any], option: str) -> None:
    runner = ToolRunner()
    runner.add(weather)
    with pytest.raises(ConfigurationError) as caught:
        runner.add(weather, **options)
    assert caught.value.option == option
    assert len(runner.tools) == 1


@pytest.mark.parametrize("option", ["max_running", "max_threads", "result_max_bytes"])
def test_a_runner_that_may_run_nothing_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ToolRunner(**{option: 0})
    assert caught.value.option == option


# --- failures --------------------------------------------------------------------------------------------------------


def test_a_tool_that_is_not_there() -> None:
    assert error(run_virtually(ToolRunner().run(call("nowhere"))))["type"] == "unknown_tool"


def test_arguments_that_do_not_fit(caplog: pytest.LogCaptureFixture) -> None:
    found = error(run_once(weather, '{"days": "my secret"}'))
    assert found["type"] == "bad_arguments"
    assert [each["parameter"] for each in found["problems"]] == ["city", "days"]
    [record] = caplog.records
    assert vars(record)["problems"] == ("city:missing", "days:int_parsing")
    assert "secret" not in str(vars(record))


class Particular(BaseModel):
    value: str

    @field_validator("value")
    @classmethod
    def broken(cls, value: str) -> str:
        raise LookupError(value)


def broken_validator(a: Particular) -> None: ...


async def raises_on_the_loop() -> None:
    raise LookupError("my secret")


def raises_in_a_thread() -> None:
    raise LookupError("my secret")


@pytest.mark.parametrize("function", [raises_on_the_loop, raises_in_a_thread, broken_validator])
def test_an_exception_is_logged_and_the_model_reads_its_type(
    function: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    arguments = '{"a": {"value": "my secret"}}' if function is broken_validator else ""
    answer = run_once(function, arguments)
    assert error(answer) == {
        "type": "failed",
        "message": "the tool raised an exception",
        "exception": "LookupError",
    }
    [record] = caplog.records
    fields = vars(record)
    assert (fields["tool"], fields["call_id"], fields["error_type"]) == (
        function.__name__,
        "call_1",
        "LookupError",
    )
    assert "secret" not in record.getMessage()
    assert isinstance(record.exc_info, tuple)
    assert isinstance(record.exc_info[1], Exception)
    assert isinstance(record.exc_info[1].__cause__, LookupError)


def test_the_text_of_an_exception_goes_to_the_model_on_request() -> None:
    assert error(run_once(raises_on_the_loop, show_errors=True))["detail"] == "LookupError: my secret"


async def cancels_itself() -> None:
    raise asyncio.CancelledError


def leaves() -> None:
    sys.exit(3)


def stops() -> None:
    raise StopIteration


async def not_json() -> object:
    return object()


def not_json_in_a_thread() -> object:
    return object()


@pytest.mark.parametrize(
    ("function", "exception"),
    [
        (cancels_itself, "CancelledError"),
        (leaves, "SystemExit"),
        (stops, "RuntimeError"),
        (not_json, "PydanticSerializationError"),
        (not_json_in_a_thread, "PydanticSerializationError"),
    ],
)
def test_odd_ends_are_failures_too(function: Callable[..., Any], exception: str) -> None:
    assert error(run_once(function))["exception"] == exception


def test_a_result_that_is_too_large_is_not_sent() -> None:
    async def story() -> Answer:
        runner = ToolRunner(result_max_bytes=10)
        runner.add(lambda: "x" * 11, name="large")
        return await runner.run(call("large"))

    assert error(run_virtually(story()))["type"] == "too_large"


Ends = st.sampled_from(
    [weather, weather_in_a_thread, raises_on_the_loop, raises_in_a_thread, cancels_itself, not_json]
)


@given(st.lists(st.tuples(Ends, st.sampled_from(['{"city": "x"}', "", "{", '{"x": 1}']))), st.integers(1, 3))
def test_any_calls_at_once_are_all_answered(
    calls: list[tuple[Callable[..., Any], str]], max_running: int
) -> None:
    async def story() -> list[Answer]:
        runner = ToolRunner(max_running=max_running, max_threads=1)
        for function in {function for function, _ in calls}:
            runner.add(function, max_running=1)
        return await asyncio.gather(
            *(runner.run(call(function.__name__, arguments)) for function, arguments in calls)
        )

    logging.disable()
    try:
        answers = run_virtually(story())
    finally:
        logging.disable(logging.NOTSET)
    for (function, arguments), answer in zip(calls, answers, strict=True):
        fits = arguments == '{"city": "x"}' and function in (weather, weather_in_a_thread)
        assert answer.failed is not fits


# --- time ------------------------------------------------------------------------------------------------------------


def test_a_slow_tool_times_out_at_once_and_cleans_up_behind(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def story() -> None:
        cleaned: list[float] = []
        loop = asyncio.get_running_loop()

        async def slow() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(1)
                cleaned.append(loop.time())

        runner = ToolRunner()
        runner.add(slow, timeout_s=5)
        assert error(await runner.run(call("slow")))["type"] == "timed_out"
        assert (loop.time(), cleaned) == (5.0, [])
        await asyncio.sleep(2)
        assert cleaned == [6.0]

    run_virtually(story())
    [record] = caplog.records
    assert isinstance(record.exc_info, tuple)
    assert isinstance(record.exc_info[1], ToolTimedOut)
    assert record.exc_info[1].timeout_ms == 5_000


def test_a_tool_that_answers_its_cancellation_is_noted_and_dropped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def story() -> None:
        async def stubborn() -> str:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return "too late"
            return "in time"

        async def bitter() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                raise LookupError

        runner = ToolRunner()
        for each in (stubborn, bitter):
            runner.add(each, timeout_s=1)
            assert error(await runner.run(call(each.__name__)))["type"] == "timed_out"
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    run_virtually(story())
    assert [record.getMessage() for record in caplog.records] == ["a tool failed", LATE] * 2


def test_a_thread_that_hangs_keeps_its_place_and_its_late_result_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    go_on = threading.Event()

    async def late() -> None: ...

    def hangs() -> Coroutine[Any, Any, None]:
        go_on.wait(PATIENCE_S)
        return late()  # nobody awaits it any more: no warning may come of it

    async def story() -> None:
        runner = ToolRunner(max_threads=1)
        runner.add(hangs, timeout_s=5)
        runner.add(weather_in_a_thread, timeout_s=1)
        assert error(await runner.run(call("hangs")))["type"] == "timed_out"
        arguments = '{"city": "Seoul"}'
        answer = await runner.run(call("weather_in_a_thread", arguments))
        assert error(answer)["type"] == "timed_out"  # waiting for the place counts
        runner.add(weather_in_a_thread, name="patient")
        waiting = asyncio.create_task(runner.run(call("patient", arguments)))
        await asyncio.sleep(0)
        go_on.set()
        assert not (await waiting).failed

    run_virtually(story())
    assert [record.getMessage() for record in caplog.records] == ["a tool failed", "a tool failed", LATE]
    assert vars(caplog.records[-1])["tool"] == "hangs"


def test_how_many_run_is_bounded_for_each_and_for_all() -> None:
    async def story() -> None:
        running: dict[str, int] = {"a": 0, "b": 0}
        most: dict[str, int] = {"a": 0, "b": 0, "all": 0}
        began: list[tuple[str, float]] = []
        loop = asyncio.get_running_loop()

        async def work(call: ToolCall) -> None:
            running[call.name] += 1
            most[call.name] = max(most[call.name], running[call.name])
            most["all"] = max(most["all"], sum(running.values()))
            began.append((call.name, loop.time()))
            await asyncio.sleep(1)
            running[call.name] -= 1

        runner = ToolRunner(max_running=3)
        runner.add(work, name="a", max_running=1)
        runner.add(work, name="b")
        answers = await asyncio.gather(*(runner.run(call(name)) for name in "aaabbbb"))
        assert not any(answer.failed for answer in answers)
        assert most == {"a": 1, "b": 2, "all": 3}
        # Those that wait for a place of their own tool take no place from the others.
        assert began == [("a", 0), ("b", 0), ("b", 0), ("b", 1), ("b", 1), ("a", 1), ("a", 2)]

    run_virtually(story())


# --- abandoning and closing ------------------------------------------------------------------------------------------


def test_abandoning_waits_for_the_clean_up_but_not_for_ever() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()

        async def cleans_up(seconds: float) -> None:
            try:
                await asyncio.sleep(600)
            finally:
                await asyncio.sleep(seconds)

        runner = ToolRunner(cleanup_s=2)
        runner.add(cleans_up)
        for seconds, waited_s in ((0.5, 0.5), (60, 2.0)):
            task = asyncio.create_task(runner.run(call("cleans_up", f'{{"seconds": {seconds}}}')))
            await asyncio.sleep(1)
            began = loop.time()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert loop.time() - began == pytest.approx(waited_s)

    run_virtually(story())


def test_abandoning_does_not_wait_for_a_thread_and_frees_a_waiting_place() -> None:
    go_on = threading.Event()
    began: list[str] = []

    def hangs(call: ToolCall) -> str:
        began.append(call.call_id)
        go_on.wait(PATIENCE_S)
        return "ok"

    async def story() -> None:
        runner = ToolRunner(max_threads=1)
        runner.add(hangs)
        first, second, third = (
            asyncio.create_task(runner.run(call("hangs", call_id=each))) for each in ("1", "2", "3")
        )
        await asyncio.sleep(1)
        for task in (first, second):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert asyncio.get_running_loop().time() == 1.0
        go_on.set()
        assert await third == Answer("ok")
        assert began == ["1", "3"]  # the second never began

    run_virtually(story())


@pytest.mark.parametrize("while_the_loop_runs", [True, False])
def test_closing_answers_who_waits_and_leaves_hanging_threads_alone(
    while_the_loop_runs: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    go_on = threading.Event()

    async def never_awaited() -> None: ...

    def hangs() -> Coroutine[Any, Any, None]:
        go_on.wait(PATIENCE_S)
        return never_awaited()

    async def slow() -> None:
        await asyncio.sleep(600)

    def let_go() -> None:
        go_on.set()
        for thread in threading.enumerate():
            if thread.name == "charye tool hangs":
                thread.join(PATIENCE_S)

    async def story() -> None:
        runner = ToolRunner()
        runner.add(hangs)
        runner.add(slow)
        tasks = [asyncio.create_task(runner.run(call(name))) for name in ("hangs", "slow")]
        await asyncio.sleep(1)
        await runner.close()
        await runner.close()
        assert asyncio.get_running_loop().time() == 1.0
        for answer in (*[await task for task in tasks], await runner.run(call("slow"))):
            assert error(answer)["type"] == "closed"
        assert not caplog.records
        if while_the_loop_runs:
            let_go()
            await asyncio.sleep(0)

    run_virtually(story())
    let_go()
    assert [record.getMessage() for record in caplog.records] == [LATE]


def test_a_tool_may_close_its_own_runner() -> None:
    async def story() -> Answer:
        runner = ToolRunner()

        async def ends() -> str:
            await runner.close()
            return "goodbye"

        runner.add(ends)
        return await runner.run(call("ends"))

    assert run_virtually(story()) == Answer("goodbye")


def test_a_hanging_tool_does_not_hold_up_the_end_of_the_program() -> None:
    program = (
        "import asyncio, threading\n"
        "from charye.core.effects import RunTool\n"
        "from charye.session.tool_runner import ToolRunner\n"
        "async def main():\n"
        "    runner = ToolRunner()\n"
        "    begun = asyncio.Event()\n"
        "    loop = asyncio.get_running_loop()\n"
        "    def hangs() -> None:\n"
        "        loop.call_soon_threadsafe(begun.set)\n"
        "        threading.Event().wait()\n"
        "    runner.add(hangs)\n"
        "    asyncio.ensure_future(runner.run(RunTool('c', 'hangs', '', 'r')))\n"
        "    await begun.wait()\n"
        "    await runner.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert (done.returncode, done.stderr) == (0, "")
