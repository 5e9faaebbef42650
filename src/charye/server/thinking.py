"""One response being made: the mind thinks, the voice speaks what it says, side by side.

Words go to the client as the mind gives them, sentence by sentence also to the voice. Calls are passed on at once,
so they may overlap with speech; the end of a message waits until all of it is spoken.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from charye.server.parts import (
    Audio,
    Context,
    Failed,
    Finished,
    MessageEnd,
    Mind,
    MindOutput,
    Text,
    Voice,
)
from charye.server.sentences import Sentences

__all__ = ["think"]

Tell = Callable[[MindOutput], Awaitable[None]]


async def think(
    context: Context, mind: Mind, voice: Voice | None, tell: Tell, *, name: str, speed: float
) -> None:
    """Ask the mind, speak what it says, tell everything in order. Cancelling stops both.

    Args:
        voice: None: nothing is heard; the words come all the same.
        tell: takes each output; may wait for room.
        name, speed: of the voice.
    Raises:
        Exception: whatever mind or voice raise.
    """
    spoken = context.output_modalities == ("audio",) and voice is not None
    speaker = _Speaker(voice, tell, name=name, speed=speed) if spoken and voice is not None else None
    try:
        async with asyncio.TaskGroup() as group:
            if speaker is not None:
                speaker.start(group)
            await _read(context, mind, speaker, tell)
            if speaker is not None:
                speaker.stop()
    except ExceptionGroup as failures:
        # One failed; that the other was stopped for it says nothing new.
        raise failures.exceptions[0] from None


async def _read(context: Context, mind: Mind, speaker: "_Speaker | None", tell: Tell) -> None:
    wordless = True
    outputs = mind.answer(context)
    async with _closing(outputs):
        async for output in outputs:
            if isinstance(output, Audio) and wordless:
                speaker = None
            if isinstance(output, Text):
                wordless = False
                await tell(output)
                if speaker is not None:
                    speaker.say(output.delta)
                continue
            if isinstance(output, MessageEnd | Finished | Failed) and speaker is not None:
                await speaker.finished()
            await tell(output)
            if isinstance(output, Finished | Failed):
                return
    if speaker is not None:
        await speaker.finished()


@asynccontextmanager
async def _closing(iterator: object) -> AsyncIterator[None]:
    """Close an async generator at once, not when somebody collects it: it must stop its work."""
    try:
        yield
    finally:
        if (close := getattr(iterator, "aclose", None)) is not None:
            await close()


class _Speaker:
    """The voice of one response."""

    def __init__(self, voice: Voice, tell: Tell, *, name: str, speed: float) -> None:
        self._voice = voice
        self._tell = tell
        self._name = name
        self._speed = speed
        self._sentences = Sentences()
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        self._task = group.create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def say(self, words: str) -> None:
        for sentence in self._sentences.feed(words):
            self._queue.put_nowait(sentence)

    async def finished(self) -> None:
        """All that was said is spoken."""
        for rest in self._sentences.rest():
            self._queue.put_nowait(rest)
        await self._queue.join()

    async def _run(self) -> None:
        while True:
            sentence = await self._queue.get()
            pieces = self._voice.speak(sentence, voice=self._name, speed=self._speed)
            async with _closing(pieces):
                async for piece in pieces:
                    if piece.pcm:
                        await self._tell(Audio(piece.pcm))
            self._queue.task_done()
