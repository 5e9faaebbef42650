"""The session: one conversation with a Realtime server, for as long as it takes and over as many connections.

    async with charye.connect(charye.OpenAI()) as session:
        await session.say("안녕하세요!").heard()

`Session` has the words of the program. Behind it stand the desk (what is the program's: handles, tools, jobs) and the
engine (what is the server's: the line, the core, the sound).
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Literal, ParamSpec, TypeVar, overload

from msgspec.structs import replace

from charye.core.requests import Priority, ResponseRequest
from charye.errors import LocalProtocolError
from charye.protocol import ClientEvent, InputText, Item, MessageItem, ResponseParams, SessionConfig
from charye.session.blocking import in_thread
from charye.session.desk import begun_by, in_tool
from charye.session.engine import Engine, Plan
from charye.session.events import SessionEvent, Subscription, Utterance
from charye.session.handles import Handle
from charye.session.jobs import Job
from charye.session.journal import Journal
from charye.session.life import Life, Stage
from charye.session.push_to_talk import PushToTalk
from charye.session.threads import ThreadedSession
from charye.session.tool_runner import ToolRunner
from charye.session.wishes import Wishes

__all__ = ["Session"]

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E")

_FRAME_BYTES = 32 * 1024
"""Longer audio is sent in pieces: one event would stand in the way of everything behind it."""

_ENVELOPE_BYTES = 64
"""Of an `input_audio_buffer.append`, around its audio; rounded up."""


@dataclass(slots=True)
class _Hold:
    life: Life
    name: str
    is_over: bool = False


_CLEAN_UP_S = 0.5
"""For a job that has closed the session and still has something to do."""

_hold: ContextVar[_Hold | None] = ContextVar("charye_hold", default=None)
"""The hold inside of which this code runs; what it asks for belongs to that hold."""


class Session:
    """One conversation. Made by `charye.connect`; open inside its `async with`, once.

    Methods that do not wait (`say`, `respond`, `send_text`, `interrupt`, `played`) may be called from any thread. What
    is awaited belongs to the loop that entered the session; for waiting in other threads see `threads`.
    """

    def __init__(self, plan: Plan, runner: ToolRunner) -> None:
        self._plan = plan
        self._runner = runner
        self._wishes = Wishes()
        self._life: Life | None = None

    # what is said

    def say(
        self,
        text: str,
        *,
        verbatim: bool = True,
        priority: Priority = Priority.SCRIPT,
        parameters: ResponseParams | None = None,
        **wish: Any,
    ) -> Handle:
        """The assistant says this. Does not wait: await the handle.

        Args:
            verbatim: exactly these words, as far as the model obeys; else what they mean.
            parameters: of the `response.create`; its `instructions` are replaced.
            wish: anything else of `ResponseRequest`: `starts`, `expires_after_s`, `on_interruption`, `cuts_in`, ...
        Raises:
            ValueError: there are no words.
        """
        return self._ask(
            self._wishes.say(
                text, verbatim=verbatim, parameters=parameters, priority=priority, **self._held(wish)
            )
        )

    def respond(
        self,
        instructions: str | None = None,
        *,
        priority: Priority = Priority.USER,
        parameters: ResponseParams | None = None,
        **wish: Any,
    ) -> Handle:
        """The model goes on with the conversation. Does not wait: await the handle.

        Args:
            instructions: for this response only; they replace the session's.
            wish: as with `say`.
        """
        return self._ask(
            self._wishes.respond(instructions, parameters=parameters, priority=priority, **self._held(wish))
        )

    @overload
    def send_text(self, text: str, *, reply: Literal[True] = True, **wish: Any) -> Handle: ...

    @overload
    def send_text(self, text: str, *, reply: Literal[False], **wish: Any) -> None: ...

    @overload
    def send_text(self, text: str, *, reply: bool, **wish: Any) -> Handle | None: ...

    def send_text(self, text: str, *, reply: bool = True, **wish: Any) -> Handle | None:
        """What the user wrote, as an item of the conversation.

        Args:
            reply: ask for the answer, too. Several in quick succession have one answer.
        Returns:
            The answer's handle. If the answer calls tools, it is over with that; what is said about their results is a
            request of its own, `tool:<name>` (see `events`). Leaving the session waits for it.
        """
        if not text.strip():
            raise ValueError("there is no text")
        item = MessageItem(id=self._wishes.item_id(), role="user", content=(InputText(text=text),))
        self._at.post(Engine.add_item, item, text)
        return self._ask(self._wishes.answer(**self._held(wish))) if reply else None

    def add_item(self, item: Item) -> None:
        """Any item into the conversation; it needs an id of its own. Kept over a reconnect."""
        self._at.post(Engine.add_item, item)

    async def send_audio(self, audio: bytes) -> None:
        """The user's voice, in the session's input format: by default mono 16-bit little-endian PCM at 24 kHz.

        Waits while more than `LineSettings.max_audio_bytes` are under way. Without a connection it is thrown away:
        nobody is listening, and nobody should hear later what was said into the void. Cancelling sends nothing more.
        """
        life = self._at
        for at in range(0, len(audio), _FRAME_BYTES):
            frame = audio[at : at + _FRAME_BYTES]
            # As it will be in the outbox, base64, so that the outbox never has to drop what we have waited for.
            size = -(-len(frame) // 3) * 4 + _ENVELOPE_BYTES
            await life.credit.take(size)
            if life.stage is Stage.CLOSED:
                life.credit.give_back(size)  # wakes who waits behind: nobody else will
                raise LocalProtocolError("the session is not open", state=life.stage.value)
            life.post(Engine.audio, frame, partial(life.written, size))

    def push_to_talk(self, **wish: Any) -> PushToTalk:
        """The user holds the button. Needs a session without turn detection (`turns="push_to_talk"`).

        Args:
            wish: of the request for the reply, as with `say`. Replies that wait are joined; with `coalesce_key=None`
                there is one for each press.
        """
        return PushToTalk(
            press=partial(self._at.ask, Engine.press),
            send=self.send_audio,
            release=partial(self._release, wish),
            take_back=lambda: self._at.post(Engine.take_back),
        )

    def interrupt(self) -> None:
        """Silence now, whoever speaks; what was heard so far stays in the conversation."""
        self._at.post(Engine.interrupt)

    def cancel(self, handle: Handle) -> None:
        """As `handle.cancel()`."""
        handle.cancel()

    async def explain(self, handle: Handle) -> str:
        """One sentence: why it is not speaking now."""
        return str(await self._at.ask(Engine.explain, handle.id))

    async def idle(self) -> None:
        """Until all that was asked for was heard or has ended, tools have answered, and what follows from them too."""
        await self._at.ask(Engine.idle)

    # what runs

    @overload
    def tool(self, function: F, /) -> F: ...

    @overload
    def tool(self, /, **options: Any) -> Callable[[F], F]: ...

    def tool(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """Give the model a function to call. A decorator, with or without options.

        Name, description and parameters are taken from the signature, the docstring and the type hints. An `async`
        function runs on this loop, any other in a thread. See `ToolRunner.add` for the options.

        Raises:
            ConfigurationError: there is one of this name, or the signature does not say what the model may pass.
        """
        if function is None:
            return partial(self.tool, **options)
        self._runner.add(function, **options)
        if self._life is not None and self._life.stage is Stage.OPEN:
            self._life.post(Engine.configure_soon, SessionConfig(tools=self._runner.tools))
        return function

    def background(self, work: Coroutine[Any, Any, T], *, name: str | None = None) -> Job[T]:
        """Start work that belongs to the session: it is waited for when the session drains, cancelled when it closes.

        A failure is logged at once. If nobody awaits the job, `async with` raises it at its end.
        """
        life = self._at
        if asyncio.get_running_loop() is not life.desk.home.loop:
            raise LocalProtocolError("background work is started on the session's loop", given=name)
        context = copy_context()
        context.run(begun_by.set, in_tool.get())
        context.run(in_tool.set, None)  # it outlives the tool that may have begun it
        return life.desk.jobs.start(work, name=name, context=context)

    async def run_blocking(self, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Call it in a thread, so that this loop stays free. Cancelling stops the waiting, not the thread."""
        return await in_thread(function, *args, **options)

    @asynccontextmanager
    async def hold_floor(self, name: str = "hold") -> AsyncIterator[None]:
        """Nobody else speaks inside: what is asked for in here, and in tasks started in here, goes on; the rest waits.

        The server neither replies by itself nor can be interrupted meanwhile: what the user says then is in the
        conversation, and nobody answers it. `interrupt` and a press silence the holder, too. One hold at a time; a
        second one waits for its turn. What runs when it begins is heard to its end. In a job that a tool began, the
        reply about that tool's call comes first: the acknowledgement is not shut out by what it announces.
        """
        life, outer = self._at, _hold.get()
        if outer is not None and outer.life is life and not outer.is_over:
            raise LocalProtocolError("the floor is held already", state=outer.name, given=name)
        async with life.holding:
            hold = _Hold(life, name)
            token = _hold.set(hold)
            try:
                tool = begun_by.get()
                await life.ask(
                    Engine.hold, name, tool[1] if tool is not None and tool[0] is life.desk else None
                )
                yield
            finally:
                hold.is_over = True  # for tasks that were started inside and go on
                _hold.reset(token)
                life.post(Engine.let_go, name)

    async def configure(self, config: SessionConfig) -> None:
        """Change the session on the server now, and on every later connection.

        Raises:
            ServerError: the server refuses it, and nothing has changed there.
        """
        await self._at.ask(Engine.configure, config)

    def send(self, event: ClientEvent) -> None:
        """An event of your own, as it is. Ask for responses with `respond`: a create of your own is not guarded."""
        self._at.post(Engine.send, event)

    def played(self, item_id: str, content_index: int, played_ms: float) -> None:
        """Your loudspeaker's report, about ten times a second: so much of this part was played, from its start.

        Only with `playout="device"`, and only if the session has no loudspeaker of its own.
        """
        self._at.post(Engine.played, item_id, content_index, played_ms)

    # what is known

    @overload
    def events(self) -> Subscription[SessionEvent]: ...

    @overload
    def events(self, *types: type[E]) -> Subscription[E]: ...

    def events(self, *types: type) -> Subscription[Any]:
        """What happens from now on: events of the server and of the session. Ends with the session.

        From now on means from this call, not from the first `async for`: call it before you ask for something.

        Args:
            types: only these. Without any: everything but audio.
        Raises, when it is iterated:
            RealtimeError: the line was lost for good.
        """
        return self._at.desk.subscribe(types)

    @property
    def transcript(self) -> tuple[Utterance, ...]:
        """What was said so far, in order. A frozen value; may be read from any thread, after the end too."""
        return self._known.engine.transcript

    @property
    def journal(self) -> Journal:
        """What went in and out, with reasons. Also after the end."""
        return self._known.engine.journal

    @property
    def is_open(self) -> bool:
        """Whether something can still be asked for."""
        life = self._life
        return life is not None and life.stage in (Stage.OPEN, Stage.CLOSING) and not life.desk.ended.is_set()

    # from other threads

    def threads(self) -> ThreadedSession:
        """The same calls for code in other threads, where waiting blocks."""
        return ThreadedSession(self, self._at.desk.home.loop)

    # the end

    async def close(self, *, drain: bool = True) -> None:
        """End the session. Again, or while it is being closed, waits for the same end.

        Args:
            drain: first wait for background jobs, and until everything asked for was heard or has ended, for at most
                `SessionSettings.drain_s`. Closing without it cuts a closing that drains short.

        Cancelling ends the draining, not the closing: that is done when the `CancelledError` comes out.

        Raises:
            LocalProtocolError: called by a tool, which would wait for itself. Let a background job do it.
        """
        if self._life is not None:
            await self._life.close(drain=drain)

    async def wait_closed(self) -> None:
        """Until the session has ended, or its line is lost for good."""
        await self._known.desk.ended.wait()

    async def __aenter__(self) -> "Session":
        """Connect.

        Raises:
            RealtimeError, ConfigurationError, DeviceError: no session came about; nothing is left open.
        """
        if self._life is not None:
            raise LocalProtocolError("a session is entered once", state=self._life.stage.value)
        wish = self._plan.wish
        if self._runner.tools:
            wish = replace(wish, tools=self._runner.tools)
        self._life = Life(dataclasses.replace(self._plan, wish=wish), self._runner)
        told = self._runner.tools
        await self._life.begin()
        if self._runner.tools != told:  # one came while it was connecting
            self._life.post(Engine.configure_soon, SessionConfig(tools=self._runner.tools))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close: drained if all went well, at once if not. Raises what went wrong behind the program's back."""
        desk = self._known.desk
        await self.close(drain=error is None and desk.error is None)
        # A job that closed the session itself was spared then.
        await desk.jobs.end(
            but=asyncio.current_task(), lets_finish=True, patience_s=_CLEAN_UP_S, closers=True
        )
        if error is not None:
            return
        if desk.error is not None:
            raise desk.error
        if failures := desk.jobs.failures():
            raise ExceptionGroup("background work failed", failures)

    # inside

    @property
    def _known(self) -> Life:
        """The life, also when it is over.

        Raises:
            LocalProtocolError: it has not begun.
        """
        if self._life is None:
            raise LocalProtocolError("the session has not begun", state=Stage.NEW.value)
        return self._life

    @property
    def _at(self) -> Life:
        """The life, while something can be asked for.

        Raises:
            LocalProtocolError: it has not begun, or is over.
        """
        life = self._known
        if life.stage not in (Stage.OPEN, Stage.CLOSING):
            raise LocalProtocolError("the session is not open", state=life.stage.value)
        return life

    def _ask(self, request: ResponseRequest) -> Handle:
        handle = self._handle(request)
        self._at.post(Engine.request, request)
        return handle

    def _release(self, wish: dict[str, Any]) -> Handle:
        request = self._wishes.reply(**self._held(wish))
        handle = self._handle(request)
        self._at.post(Engine.release, request)
        return handle

    def _handle(self, request: ResponseRequest) -> Handle:
        life = self._at
        return life.desk.handles.add(
            Handle(
                request.id,
                request.trigger,
                loop=life.desk.home.loop,
                cancel=partial(life.post, Engine.cancel),
                explain=partial(life.ask, Engine.explain),
            )
        )

    def _held(self, wish: dict[str, Any]) -> dict[str, Any]:
        hold = _hold.get()
        if hold is None or hold.is_over or hold.life is not self._life:
            return wish
        return {"hold": hold.name, **wish}
