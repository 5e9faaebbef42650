"""The application's tools: which there are, and how a call of one is run. Knows nothing of sessions.

    runner = ToolRunner()
    runner.add(get_weather)
    answer = await runner.run(effect)     # a `RunTool`; whatever happens, the model gets something to read
    await runner.close()

An `async def` runs on the loop, any other function in a thread of its own. A thread cannot be stopped. When its call is
given up, because its time is over or nobody waits any more, it goes on and keeps its place until it is through; then
its result is dropped with a note. The threads are daemons: a tool that hangs does not hold up the end of the program.

What of a failure the model reads is its kind, and the type of an exception. The exception itself goes to the log, as
`exc_info`: keep what a person said out of the texts of your exceptions.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from charye.core.calls import Answer
from charye.core.effects import RunTool
from charye.errors import ConfigurationError, ToolError, ToolFailed, ToolTimedOut
from charye.protocol import FunctionTool
from charye.session.replies import answer_of, failure, failure_of
from charye.session.signatures import (
    BadArguments,
    Bound,
    Declared,
    Signature,
    ToolCall,
    checked_name,
    signature_of,
)

__all__ = ["Tool", "ToolRunner"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that was added.

    Args:
        definition: what the server is told of it.
        timeout_s: its own time, waiting for a place included; None: only the core's `ToolPolicy.timeout_s` holds.
        max_running: calls of it at once; None: no bound of its own.
        show_errors: the model reads the texts of its exceptions too.
        is_async: runs on the loop.
    """

    definition: FunctionTool
    timeout_s: float | None
    max_running: int | None
    show_errors: bool
    is_async: bool

    @property
    def name(self) -> str:
        """Its name."""
        return self.definition.name


@dataclass(frozen=True, slots=True)
class _Entry:
    tool: Tool
    function: Callable[..., Any]
    shape: Signature | Declared
    places: asyncio.Semaphore | None


@dataclass(slots=True, eq=False)
class _Work:
    """One call at work. `in_thread`: it cannot be cancelled now. `is_dropped`: nobody waits for it any more."""

    call: RunTool
    entry: _Entry
    bound: Bound
    in_thread: bool = False
    is_dropped: bool = False

    def give_up(self, task: asyncio.Task[Answer]) -> None:
        """Stop it, if it can be stopped."""
        self.is_dropped = True
        if not self.in_thread:
            task.cancel()


class ToolRunner:
    """All tools of one program, and their calls. Belongs to the event loop that it runs in.

    Args:
        max_running: calls at work at once.
        max_threads: of these, in threads. Those that hang count.
        result_max_bytes: of one output, as UTF-8.
        cleanup_s: how long a cancelled `async` tool is waited for.
    Raises:
        ConfigurationError: a number that is not positive.
    """

    def __init__(
        self,
        *,
        max_running: int = 32,
        max_threads: int = 16,
        result_max_bytes: int = 256 * 1024,
        cleanup_s: float = 2.0,
    ) -> None:
        _check(max_running=max_running, max_threads=max_threads, result_max_bytes=result_max_bytes)
        self._places = asyncio.Semaphore(max_running)
        self._threads = asyncio.Semaphore(max_threads)
        self._result_max_bytes = result_max_bytes
        self._cleanup_s = cleanup_s
        self._entries: dict[str, _Entry] = {}
        self._at_work: dict[asyncio.Task[Answer], _Work] = {}
        self._is_closed = False

    @property
    def tools(self) -> tuple[FunctionTool, ...]:
        """What the server is told, in the order in which they were added."""
        return tuple(entry.tool.definition for entry in self._entries.values())

    def add(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        declared: FunctionTool | None = None,
        timeout_s: float | None = None,
        max_running: int | None = None,
        show_errors: bool = False,
    ) -> Tool:
        """Let the model call this function. Nobody is told: configuring the session is the caller's part.

        Args:
            function: a function, method, `functools.partial` or object that can be called, `async` or not. What it
                returns is in `charye.session.replies`, what it may take in `charye.session.signatures`.
            name: by default the function's.
            description: by default what its docstring says before the first section.
            declared: name, description and schema, ready. Then the function takes one dict, and checks it by itself.
            timeout_s: for a tool that wants another time-out than the core's, which goes on to hold: it can only be
                shorter.
            max_running: calls of it at once; the others wait for their turn.
            show_errors: give the texts of its exceptions to the model. Only where they are written for it.
        Raises:
            ConfigurationError: the name is taken or is none, the function cannot be a tool, a number is not positive.
        """
        _check(timeout_s=timeout_s, max_running=max_running)
        if not callable(function):
            raise ConfigurationError("this is nothing that can be called", option="function")
        if _is(function, inspect.isgeneratorfunction) or _is(function, inspect.isasyncgenfunction):
            raise ConfigurationError("a generator cannot be a tool: return one result", option="function")
        shape: Signature | Declared
        if declared is None:
            shape = signature_of(function, name=name, description=description)
        elif name is not None or description is not None:
            raise ConfigurationError("a declared tool brings its name and description", option="declared")
        else:
            checked_name(declared.name)
            shape = Declared(declared)
        if shape.tool.name in self._entries:
            raise ConfigurationError("there is a tool of this name", option="name", tool=shape.tool.name)
        tool = Tool(
            definition=shape.tool,
            timeout_s=timeout_s,
            max_running=max_running,
            show_errors=show_errors,
            is_async=_is(function, inspect.iscoroutinefunction),
        )
        places = None if max_running is None else asyncio.Semaphore(max_running)
        self._entries[tool.name] = _Entry(tool, function, shape, places)
        return tool

    async def run(self, call: RunTool) -> Answer:
        """Run one call to its answer. Several at once are meant; whoever has to wait waits in order.

        Never raises for a fault of the tool or of the model: that is an answer too, a failed one. (`KeyboardInterrupt`
        and `SystemExit` of an `async` tool end the loop, as they do anywhere.) Context variables go along.

        Cancelling is how a call is abandoned: it cancels an `async` tool, waits for its clean-up no longer than
        `cleanup_s`, and raises `CancelledError`. At a time-out the answer does not wait for the clean-up.
        """
        entry = self._entries.get(call.name)
        if entry is None:
            # The name is what the model made up.
            extra = {"call_id": call.call_id, "error_type": "unknown_tool", "private_tool": call.name}
            log.warning("a tool that is not there was called", extra=extra)
            return failure("unknown_tool", "there is no tool of this name")
        if self._is_closed:
            return _CLOSED
        try:
            bound = entry.shape.bound(ToolCall(call.call_id, call.name, call.response_id, call.arguments))
        except Exception as error:  # noqa: BLE001  (a validator of the application's)
            return _failed(entry.tool, call, error)
        if isinstance(bound, BadArguments):
            return _refused(call, bound)
        work = _Work(call, entry, bound)
        task = asyncio.create_task(self._work(work), name=f"charye tool {call.name}")
        self._at_work[task] = work
        task.add_done_callback(self._over)
        try:
            await asyncio.wait({task}, timeout=entry.tool.timeout_s)
        except asyncio.CancelledError:
            work.give_up(task)
            if not work.in_thread:
                await asyncio.wait({task}, timeout=self._cleanup_s)
            raise
        if not task.done():
            work.give_up(task)
            timeout_ms = (entry.tool.timeout_s or 0.0) * 1000
            late = ToolTimedOut(tool=call.name, call_id=call.call_id, timeout_ms=timeout_ms)
            return _failed(entry.tool, call, late)
        try:
            return task.result()
        except asyncio.CancelledError as error:
            # Nobody cancelled this call: the tool did so itself, or the runner is closed.
            return _CLOSED if work.is_dropped else _failed(entry.tool, call, error)
        except Exception as error:  # noqa: BLE001  (logged, and told to the model)
            return _failed(entry.tool, call, error)

    async def close(self) -> None:
        """Run nothing more, and cancel what is at work; waits for clean-up as long as `cleanup_s`, for threads never.

        Calls that are waited for are answered as failed. An `async` tool that calls this is spared. Closing again does
        no harm; cancelling it only ends the waiting.
        """
        self._is_closed = True
        tasks = self._at_work.keys() - {asyncio.current_task()}
        for task in tasks:
            self._at_work[task].is_dropped = True
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=self._cleanup_s)

    # inside

    async def _work(self, work: _Work) -> Answer:
        tool, call = work.entry.tool, work.call
        gates = (work.entry.places, self._places, None if tool.is_async else self._threads)
        async with contextlib.AsyncExitStack() as held:
            for gate in gates:
                if gate is not None:
                    await held.enter_async_context(gate)
            positional, named = work.bound
            if tool.is_async:
                result = await work.entry.function(*positional, **named)
            else:
                work.in_thread = True
                outcome = await self._in_thread(work)
                work.in_thread = False
                if isinstance(outcome, BaseException):
                    raise outcome
                if isinstance(outcome, Answer):
                    return outcome
                if work.is_dropped:
                    _discard(outcome)
                    return _CLOSED
                result = await outcome
            return self._answer(call, result)

    def _answer(self, call: RunTool, result: object) -> Answer:
        return answer_of(result, tool=call.name, call_id=call.call_id, limit_bytes=self._result_max_bytes)

    def _in_thread(self, work: _Work) -> asyncio.Future[_Outcome]:
        """Call it in a new thread, which also writes the result as JSON: a large one would hold up the loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Outcome] = loop.create_future()
        context = contextvars.copy_context()
        positional, named = work.bound

        def call() -> _Outcome:
            try:
                result = work.entry.function(*positional, **named)
                # A plain function around an `async` one, a decorator say. It belongs on the loop.
                return result if inspect.isawaitable(result) else self._answer(work.call, result)
            except Exception as error:  # noqa: BLE001  (told to the model by whoever waits)
                return error
            except BaseException as error:  # noqa: BLE001  (`sys.exit` ends a thread, not the program)
                return ToolFailed(
                    tool=work.call.name, call_id=work.call.call_id, exception_type=type(error).__name__
                )

        def body() -> None:
            outcome = context.run(call)
            try:
                loop.call_soon_threadsafe(_deliver, future, outcome, work.call)
            except RuntimeError:  # the loop is closed
                _note_late(work.call)
                _discard(outcome)

        threading.Thread(target=body, name=f"charye tool {work.call.name}", daemon=True).start()
        return future

    def _over(self, task: asyncio.Task[Answer]) -> None:
        work = self._at_work.pop(task)
        if not task.cancelled() and work.is_dropped:
            # Looked at here, or asyncio says that nobody ever did.
            _note_late(work.call, task.exception())


_Outcome = Answer | Awaitable[object] | BaseException
_CLOSED = failure("closed", "the conversation is being closed")


def _is(function: Callable[..., Any], kind: Callable[[Any], bool]) -> bool:
    """Whether what is called in the end is of this kind: the function of a partial, the `__call__` of an object."""
    while isinstance(function, functools.partial):
        function = function.func
    return kind(function) or kind(getattr(type(function), "__call__", None))  # noqa: B004


def _check(**numbers: float | None) -> None:
    for option, number in numbers.items():
        if number is not None and not number > 0:
            raise ConfigurationError("this must be more than nothing", option=option)


def _refused(call: RunTool, bad: BadArguments) -> Answer:
    extra = {"tool": call.name, "call_id": call.call_id, "error_type": "bad_arguments", "problems": bad.codes}
    log.warning("the model's arguments do not fit the tool", extra=extra)
    problems = [{"parameter": each.private_where, "message": each.private_message} for each in bad.problems]
    return failure("bad_arguments", "the arguments do not fit; mend them and call again", problems=problems)


def _failed(tool: Tool, call: RunTool, error: BaseException) -> Answer:
    """Log it, and put it into words for the model."""
    if not isinstance(error, ToolError):
        cause, name = error, type(error).__name__
        error = ToolFailed(tool=call.name, call_id=call.call_id, exception_type=name)
        error.__cause__ = cause
    error_type = error.exception_type if isinstance(error, ToolFailed) else type(error).__name__
    extra = {"tool": call.name, "call_id": call.call_id, "error_type": error_type}
    log.warning("a tool failed", extra=extra, exc_info=error)
    return failure_of(error, shows_cause=tool.show_errors)


def _deliver(future: asyncio.Future[_Outcome], outcome: _Outcome, call: RunTool) -> None:
    if future.done():  # cancelled, with the runner
        _note_late(call)
        _discard(outcome)
    else:
        future.set_result(outcome)


def _discard(outcome: _Outcome) -> None:
    """A coroutine that nobody will await would warn of it."""
    if inspect.iscoroutine(outcome):
        outcome.close()


def _note_late(call: RunTool, error: BaseException | None = None) -> None:
    extra = {"tool": call.name, "call_id": call.call_id}
    log.info("a tool's late result was dropped", extra=extra, exc_info=error)
