"""The official `openai` SDK, three ways: the program decides when to create a response, the SDK does not.

naive   a create whenever something is to be said; each finished tool sends its output and a create
flag    a flag goes up with each create and down with `response.done`; who finds it up waits
fifo    one worker sends the creates in their order, each 100 ms after the `response.done` before it

The latter two run the calls of a response together when it is done, and create once after their outputs.
"""

import asyncio
import base64
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import openai
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import ConnectionClosed

from benchmarks.peers.workloads import SILENCE_MS, Setup

__all__ = ["fifo", "flag", "naive"]

Event = Any  # the SDK builds its events without checking them


class _App(ABC):
    """What the three have in common: a reader, tools, and the user's side."""

    def __init__(self, connection: AsyncRealtimeConnection, setup: Setup) -> None:
        self._connection = connection
        self._setup = setup
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def _create(self, **response: Any) -> None:
        """Have a response made."""

    async def say(self, mark: str) -> None:
        await self._create(instructions=f"Say exactly: {mark}")

    async def write(self, mark: str) -> None:
        content: Any = [{"type": "input_text", "text": mark}]
        await self._connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}
        )
        await self._create()

    async def hear(self, pcm: bytes) -> None:
        await self._connection.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())

    async def press(self, pcm: bytes) -> None:
        await self.hear(pcm)
        await self._connection.input_audio_buffer.commit()
        await self._create()

    async def finish(self) -> None:  # noqa: B027  (most have nothing to wait for)
        pass

    async def configure(self) -> None:
        """Tools and turn detection; also after the SDK has connected again."""
        tools: Any = [
            {
                "type": "function",
                "name": name,
                "description": "Look one thing up.",
                "parameters": {"type": "object", "properties": {"mark": {"type": "string"}}},
            }
            for name in self._setup.desk.names
        ]
        detection: Any = (
            None if self._setup.push_to_talk else {"type": "server_vad", "silence_duration_ms": SILENCE_MS}
        )
        await self._connection.session.update(
            session={"type": "realtime", "tools": tools, "audio": {"input": {"turn_detection": detection}}}
        )

    async def read(self) -> None:
        try:
            async for event in self._connection:
                await self.on_event(event)
        except (openai.OpenAIError, ConnectionClosed):
            self._setup.gone()

    async def on_event(self, event: Event) -> None:
        if event.type == "session.created":
            await self.configure()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, call: Any) -> None:
        """Run one call and send its output. `call`: the event of its arguments, or its item."""
        output = await self._setup.desk.look(call.arguments)
        await self._connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": call.call_id, "output": output}
        )

    async def _calls(self, response: Any) -> None:
        """Run all calls of a response, then go on."""
        calls = [item for item in response.output if item.type == "function_call"]
        if calls:
            await asyncio.gather(*(self._call(call) for call in calls))
            await self._create()


class _Naive(_App):
    async def on_event(self, event: Event) -> None:
        await super().on_event(event)
        if event.type == "response.function_call_arguments.done":
            self._start(self._answer(event))

    async def _answer(self, event: Event) -> None:
        await self._call(event)
        await self._create()

    async def _create(self, **response: Any) -> None:
        await self._connection.response.create(response=response)  # type: ignore[arg-type]


class _Flag(_App):
    def __init__(self, connection: AsyncRealtimeConnection, setup: Setup) -> None:
        super().__init__(connection, setup)
        self._active = False
        self._idle = asyncio.Event()

    async def _create(self, **response: Any) -> None:
        while self._active:
            await self._idle.wait()
        self._raise()
        await self._connection.response.create(response=response)  # type: ignore[arg-type]

    async def on_event(self, event: Event) -> None:
        await super().on_event(event)
        if event.type == "response.created":
            self._raise()
        elif event.type in ("response.done", "session.created"):  # on a new connection nothing runs
            self._active = False
            self._idle.set()
        if event.type == "response.done":
            self._start(self._calls(event.response))

    def _raise(self) -> None:
        self._active = True
        self._idle.clear()


class _Fifo(_App):
    def __init__(self, connection: AsyncRealtimeConnection, setup: Setup) -> None:
        super().__init__(connection, setup)
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()

    async def _create(self, **response: Any) -> None:
        self._queue.put_nowait(response)

    async def work(self) -> None:
        while True:
            response = await self._queue.get()
            await self._idle.wait()
            self._idle.clear()
            await self._connection.response.create(response=response)
            await self._idle.wait()
            await asyncio.sleep(0.1)
            self._queue.task_done()

    async def on_event(self, event: Event) -> None:
        await super().on_event(event)
        if event.type == "response.created":
            self._idle.clear()
        elif event.type in ("response.done", "session.created"):  # on a new connection nothing runs
            self._idle.set()
        if event.type == "response.done":
            self._start(self._calls(event.response))

    async def finish(self) -> None:
        await self._queue.join()


@asynccontextmanager
async def naive(setup: Setup) -> AsyncIterator[_App]:
    async with _connected(setup) as connection:
        app = _Naive(connection, setup)
        async with _running(app, app.read()):
            yield app


@asynccontextmanager
async def flag(setup: Setup) -> AsyncIterator[_App]:
    async with _connected(setup) as connection:
        app = _Flag(connection, setup)
        async with _running(app, app.read()):
            yield app


@asynccontextmanager
async def fifo(setup: Setup) -> AsyncIterator[_App]:
    async with _connected(setup) as connection:
        app = _Fifo(connection, setup)
        async with _running(app, app.read(), app.work()):
            yield app


@asynccontextmanager
async def _connected(setup: Setup) -> AsyncIterator[AsyncRealtimeConnection]:
    async with (
        openai.AsyncOpenAI(base_url=setup.base_url, api_key=setup.key) as client,
        client.realtime.connect(model="gpt-realtime", on_reconnecting=lambda _: None) as connection,
    ):
        yield connection


@asynccontextmanager
async def _running(app: _App, *work: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one) for one in work]
    await asyncio.sleep(0.2)  # until the session is configured
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
